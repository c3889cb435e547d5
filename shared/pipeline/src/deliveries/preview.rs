//! The preview of rebuilds: says what a rebuild of sessions would change, and writes nothing.
//!
//! It has the table alone: no queue, and in the template a role that can only read. So who may look can't have anything
//! written.

use super::rebuild::{self, Report};
use crate::{
    lambda::doctor::{Doctor, Started},
    store::{queued_webhook::RebuildRequest, table::SessionsTable},
    time::{clock, deadline::Deadline},
};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use verdict_sessions::{SessionKey, Timestamp};

/// The longest that an answer may take. The function's own limit is the fence behind it.
const BUDGET: Duration = Duration::from_secs(25);

/// Says what rebuilds would change.
#[derive(Debug)]
pub struct RebuildPreview {
    table: SessionsTable,
}

/// The event that the function is invoked with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// The doctor's question: did the function start?
    Doctor(Doctor),
    /// An operator's question: what would a rebuild of these sessions change?
    Preview(Question),
}

/// Sessions, and how they would be rebuilt.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The sessions.
    #[serde(rename = "dryRun")]
    pub sessions: Vec<SessionKey>,
    /// True if the rebuild may withdraw decisions.
    #[serde(default)]
    pub withdraw: bool,
}

/// The function's answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The answer to the doctor.
    Started(Started),
    /// The changes that a rebuild would make.
    Preview {
        /// In the order of the question.
        sessions: Vec<Report>,
    },
}

impl RebuildPreview {
    pub(crate) fn new(table: SessionsTable) -> Self {
        Self { table }
    }

    /// Answers invocations until Lambda ends the process.
    ///
    /// # Errors
    /// If the Lambda Runtime API can't be reached.
    pub async fn serve(&self) -> Result<(), Error> {
        let run = async |event: LambdaEvent<Invocation>| {
            let deadline = clock::deadline(event.context.deadline, BUDGET);
            Ok::<_, Error>(Box::pin(self.answer(event.payload, clock::now(), deadline)).await)
        };
        lambda_runtime::run(service_fn(run)).await
    }

    /// Answers one invocation.
    pub async fn answer(&self, invocation: Invocation, now: Timestamp, deadline: Deadline) -> Answer {
        match invocation {
            Invocation::Doctor(doctor) => Answer::Started(doctor.answer()),
            Invocation::Preview(Question { sessions, withdraw }) => {
                let mut reports = Vec::with_capacity(sessions.len());
                for session in sessions {
                    reports.push(self.report(RebuildRequest { session, withdraw, reason: None }, now, deadline).await);
                }
                Answer::Preview { sessions: reports }
            }
        }
    }

    async fn report(&self, request: RebuildRequest, now: Timestamp, deadline: Deadline) -> Report {
        let rebuilt = rebuild::dry_run(&self.table, &request, now, deadline).await;
        let report = Report::of(request.session, &rebuilt);
        report.preview_line().print(now);
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_questions_are_told_apart_and_nothing_else_is_one() {
        let read = |value| serde_json::from_value::<Invocation>(value);
        let question = read(json!({"dryRun": [{"provider": "veriff", "sessionId": "s"}]}));
        assert!(
            matches!(question, Ok(Invocation::Preview(Question { sessions, withdraw: false })) if sessions.len() == 1)
        );
        assert!(matches!(
            read(json!({"dryRun": [], "withdraw": true})),
            Ok(Invocation::Preview(Question { withdraw: true, .. }))
        ));
        assert!(matches!(read(json!({"doctor": true})), Ok(Invocation::Doctor(_))));
        for other in [
            json!({}),
            json!({"dryRun": ["veriff/s"]}),
            json!({"dryRun": [], "Records": []}),
            json!({"Records": []}),
            json!({"doctor": false}),
            json!({"doctor": true, "dryRun": 1}),
            json!([]),
            json!(null),
        ] {
            assert!(read(other.clone()).is_err(), "{other}");
        }
    }

    #[test]
    fn an_answer_has_a_report_for_each_session() {
        assert_eq!(json!(Answer::Preview { sessions: Vec::new() }), json!({"sessions": []}));
        assert_eq!(json!(Answer::Started(Doctor.answer())), json!({"started": true}));
    }
}
