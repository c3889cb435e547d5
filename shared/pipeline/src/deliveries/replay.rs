//! Replay: what waits on intake. Genuine webhooks that the table could not take in time are recorded with the time of
//! their arrival, and sessions that an operator wants read again are rebuilt.
//!
//! While the table is out of reach, messages are put off, so that none runs out of receives. A webhook that can't be
//! read goes to quarantine.

use super::{
    handling::{HandlingReport, Origin},
    quarantine::quarantine,
    rebuild::{self, Rebuilt},
    record::Recorder,
};
use crate::{
    lambda::doctor::{Doctor, Started},
    store::{
        queued_webhook::{ForeignMessage, IntakeMessage, QueuedWebhook, RebuildRequest},
        queues::{IntakeQueue, QuarantineQueue},
        table::{error::TableError, record::Due},
    },
    telemetry::Line,
    time::{
        clock::{self, Clock},
        deadline::Deadline,
    },
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt as _;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use verdict_sessions::{SessionKey, Timestamp};

/// The longest that a run may take. The function's own limit is the fence behind it.
const BUDGET: Duration = Duration::from_secs(25);

/// The longest that one message may take, so that one that gets nowhere leaves time for the others.
const MESSAGE_BUDGET: Duration = Duration::from_secs(5);

/// The part of that which is kept back for publishing.
const PUBLISH_RESERVE: Duration = Duration::from_millis(1200);

/// The first pause of a message that could not be recorded; each one after is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(15);

/// The longest pause. So long after an outage, at the latest, every message has been tried again.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// Records what waits on intake.
#[derive(Debug)]
pub struct Replay {
    recorder: Recorder,
    intake: IntakeQueue,
    quarantine: QuarantineQueue,
}

/// The event that the function is invoked with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// The doctor's question: did the function start?
    Doctor(Doctor),
    /// Messages from intake, from SQS's event source mapping.
    Batch(SqsEvent),
    /// An operator's question: what would a rebuild of these sessions change?
    DryRun {
        /// The sessions.
        #[serde(rename = "dryRun")]
        dry_run: Vec<SessionKey>,
        /// True if the rebuild may withdraw decisions.
        #[serde(default)]
        withdraw: bool,
    },
}

/// The function's answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The answer to the doctor.
    Started(Started),
    /// The messages of the batch that stay on the queue.
    Batch(SqsBatchResponse),
    /// The changes that a rebuild would make.
    DryRun {
        /// In the order of the question.
        sessions: Vec<rebuild::Report>,
    },
}

/// The result of taking one message.
enum Taken {
    /// It can be deleted.
    Done,
    /// It stays on the queue. `affects_all`: every other message would fail in the same way now.
    Keep { affects_all: bool },
}

impl Replay {
    pub(crate) fn new(recorder: Recorder, intake: IntakeQueue, quarantine: QuarantineQueue) -> Self {
        Self { recorder, intake, quarantine }
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
            Invocation::Batch(batch) => Answer::Batch(self.take(&batch, now, deadline).await),
            Invocation::DryRun { dry_run, withdraw } => {
                let mut sessions = Vec::with_capacity(dry_run.len());
                for session in dry_run {
                    sessions.push(self.preview(RebuildRequest { session, withdraw }, now, deadline).await);
                }
                Answer::DryRun { sessions }
            }
        }
    }

    /// Takes a batch of messages, one after the other, and says which of them stay on the queue.
    pub async fn take(&self, batch: &SqsEvent, now: Timestamp, deadline: Deadline) -> SqsBatchResponse {
        let clock = Clock::at(now);
        let mut answer = SqsBatchResponse::default();
        let mut table_is_out = false;
        let mut oldest_seconds = 0;
        for message in &batch.records {
            let read = IntakeMessage::read(message.body.as_deref().unwrap_or_default());
            if let Ok(IntakeMessage::Webhook(webhook)) = &read {
                oldest_seconds = oldest_seconds.max(now.seconds_since(webhook.received_at()));
            }
            let taken = match read {
                _ if table_is_out => Taken::Keep { affects_all: true },
                Ok(read) => self.take_one(read, clock.now(), deadline.min(Deadline::after(MESSAGE_BUDGET))).await,
                Err(error) => left_to_its_receives(error),
            };
            if let Taken::Keep { affects_all } = taken {
                table_is_out |= affects_all;
                self.put_off(message, deadline).await;
                // A message without an id, which SQS doesn't send, keeps the whole batch on the queue.
                answer.add_failure(message.message_id.as_deref().unwrap_or_default());
            }
        }
        let kept = answer.batch_item_failures.len();
        let line = Line::new("intake").count("intakeDone", batch.records.len() - kept).count("intakePutOff", kept);
        line.seconds("oldestIntake", oldest_seconds).print(now);
        answer
    }

    async fn take_one(&self, message: IntakeMessage, now: Timestamp, deadline: Deadline) -> Taken {
        let take = async {
            match message {
                IntakeMessage::Webhook(webhook) => self.record(webhook, now, deadline).await,
                IntakeMessage::Rebuild(request) => self.rebuild(request, now, deadline).await,
            }
        };
        // A panic is a bug, but must not keep the other messages. Boxed, since the compiler gives up on types nested
        // deeper.
        match deadline.bound(AssertUnwindSafe(Box::pin(take)).catch_unwind()).await {
            Ok(Ok(taken)) => taken,
            Ok(Err(_panic)) => Taken::Keep { affects_all: false },
            Err(_elapsed) => Taken::Keep { affects_all: true },
        }
    }

    async fn record(&self, webhook: QueuedWebhook, now: Timestamp, deadline: Deadline) -> Taken {
        let started = Instant::now();
        let genuine = match webhook.restore() {
            Ok(genuine) => genuine,
            Err(error) => return left_to_its_receives(error),
        };
        let provider = webhook.provider();
        let durable_by = deadline.before(PUBLISH_RESERVE);
        let handling = match self.recorder.record_webhook(&genuine, now, durable_by).await {
            Ok(handling) => handling,
            // Either it could not be read the first time, or it still can't after a fix.
            Err(unreadable) => quarantine(&self.quarantine, Ok(webhook), unreadable, deadline).await,
        };
        let (origin, took) = (Origin::Intake, started.elapsed());
        HandlingReport { origin, request: None, provider, handling: &handling, took }.print(now);
        match handling.failure() {
            Some(failure) => Taken::Keep { affects_all: !failure.is_webhook_specific() },
            None => Taken::Done,
        }
    }

    async fn rebuild(&self, request: RebuildRequest, now: Timestamp, deadline: Deadline) -> Taken {
        let rebuilt = rebuild::rebuild(self.recorder.table(), &request, now, deadline).await;
        if let Ok(Rebuilt::Replaced(changes)) = &rebuilt
            && changes.notified
        {
            let due = Due::Outbox(request.session.clone());
            self.recorder.publisher().publish_due(&[due], Clock::at(now), deadline).await;
        }
        rebuild::Report::of(request.session, &rebuilt).line().print(now);
        match rebuilt {
            Ok(_) => Taken::Done,
            // The session itself is at fault, or so large that it takes all the time.
            Err(TableError::Deadline) => Taken::Keep { affects_all: false },
            Err(error) => Taken::Keep { affects_all: !error.is_session_specific() },
        }
    }

    async fn preview(&self, request: RebuildRequest, now: Timestamp, deadline: Deadline) -> rebuild::Report {
        let rebuilt = rebuild::dry_run(self.recorder.table(), &request, now, deadline).await;
        rebuild::Report::of(request.session, &rebuilt)
    }

    /// Hides a message for a while. If that fails, it comes back when the queue's visibility timeout ends.
    async fn put_off(&self, message: &SqsMessage, deadline: Deadline) {
        let receipt_handle = message.receipt_handle.as_deref().unwrap_or_default();
        match deadline.bound(self.intake.put_off(receipt_handle, pause(message))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "could not put a message off"),
            Err(_elapsed) => tracing::warn!("out of time to put a message off"),
        }
    }
}

/// A message that Verdict did not write stays on the queue until SQS puts it in quarantine.
fn left_to_its_receives(error: ForeignMessage) -> Taken {
    tracing::error!(%error, "left to the quarantine");
    Taken::Keep { affects_all: false }
}

/// The pause before a message is received again: twice as long each time.
fn pause(message: &SqsMessage) -> Duration {
    let receives: u32 =
        message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1);
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(receives.saturating_sub(1))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(receives: Option<&str>) -> SqsMessage {
        let mut message = json!({
            "messageId": "1", "receiptHandle": "r", "body": "", "attributes": {"SenderId": "AIDA"},
            "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
        });
        if let Some(receives) = receives {
            message["attributes"]["ApproximateReceiveCount"] = json!(receives);
        }
        serde_json::from_value(message).unwrap()
    }

    #[test]
    fn a_message_is_put_off_for_twice_as_long_each_time_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<_> = ["1", "2", "3", "6", "7", "8", "99", "4294967295"]
            .map(|receives| pause(&message(Some(receives))).as_secs())
            .to_vec();
        assert_eq!(seconds, [15, 30, 60, 480, 900, 900, 900, 900]);
        assert_eq!([None, Some("many")].map(|count| pause(&message(count)).as_secs()), [15, 15]);
    }

    #[test]
    fn a_batch_and_the_questions_are_told_apart() {
        let read = |value| serde_json::from_value::<Invocation>(value);
        assert!(matches!(read(json!({"Records": []})), Ok(Invocation::Batch(_))));
        let question = read(json!({"dryRun": [{"provider": "veriff", "sessionId": "s"}]}));
        assert!(matches!(question, Ok(Invocation::DryRun { dry_run, withdraw: false }) if dry_run.len() == 1));
        assert!(matches!(read(json!({"doctor": true})), Ok(Invocation::Doctor(_))));
        assert!(matches!(read(json!({"doctor": true, "Records": []})), Ok(Invocation::Batch(_))));
        for other in [
            json!({}),
            json!({"dryRun": ["veriff/s"]}),
            json!({"doctor": false}),
            json!({"doctor": true, "all": true}),
            json!([true]),
            json!([]),
            json!(null),
        ] {
            assert!(read(other).is_err());
        }
    }

    #[test]
    fn an_answer_is_what_the_event_source_mapping_reads() {
        let mut response = SqsBatchResponse::default();
        assert_eq!(json!(Answer::Batch(response.clone())), json!({"batchItemFailures": []}));
        response.add_failure("1");
        assert_eq!(json!(Answer::Batch(response)), json!({"batchItemFailures": [{"itemIdentifier": "1"}]}));
        assert_eq!(json!(Answer::Started(Doctor.answer())), json!({"started": true}));
    }
}
