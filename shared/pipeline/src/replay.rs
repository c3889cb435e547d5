//! Replay: what waits on intake. Genuine webhooks that the table could not take in time are recorded as if they had
//! just been proved, under their original arrival; sessions that an operator wants read again are rebuilt.
//!
//! While the table is out of reach, messages are put off rather than tried to death. What nothing can be made of goes
//! to quarantine.

use crate::{
    Deadline, IntakeQueue, Processor, QuarantineQueue, TableError, clock,
    doctor::{Doctor, Started},
    kept::{IntakeMessage, KeptWebhook, NotKept},
    process::Fate,
    rebuild::{self, Rebuilt},
    table::PartitionKey,
    telemetry::{self, DeliveryReport},
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
use verdict_webhooks::{Disposition, Unreadable};

/// How long a run may take. The function's own limit is the fence behind it.
const BUDGET: Duration = Duration::from_secs(25);

/// How long one message may take, so that one that gets nowhere leaves time for the others.
const MESSAGE_BUDGET: Duration = Duration::from_secs(5);

/// What is kept back of that for publishing.
const PUBLISH_RESERVE: Duration = Duration::from_millis(1200);

/// The first pause of a message that could not be recorded; each one after is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(15);

/// The longest pause: so long after an outage, at the latest, everything has been tried again.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// Records what waits on intake.
#[derive(Debug)]
pub struct Replay {
    processor: Processor,
    intake: IntakeQueue,
    quarantine: QuarantineQueue,
}

/// What the function is invoked with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// An operator's tool: did the function start?
    Doctor(Doctor),
    /// Messages from intake, by SQS's event source mapping.
    Batch(SqsEvent),
    /// An operator's question: what would a rebuild of these sessions change?
    DryRun {
        /// The sessions.
        #[serde(rename = "dryRun")]
        dry_run: Vec<SessionKey>,
    },
}

/// What the function answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// It did.
    Started(Started),
    /// Which messages of the batch are not done with and stay on the queue.
    Batch(SqsBatchResponse),
    /// What would change.
    DryRun {
        /// In the order of the question.
        sessions: Vec<rebuild::Report>,
    },
}

/// What became of one message.
enum Done {
    /// It can be deleted.
    Yes,
    /// It has to be tried again; `later` where that is of no use just now for any other either.
    No { later: bool },
}

impl Replay {
    /// Puts the parts together.
    #[must_use]
    pub fn new(processor: Processor, intake: IntakeQueue, quarantine: QuarantineQueue) -> Self {
        Self { processor, intake, quarantine }
    }

    /// Answers invocations until Lambda ends the process.
    ///
    /// # Errors
    /// When the Lambda Runtime API can't be reached.
    pub async fn serve(&self) -> Result<(), Error> {
        let run = async |event: LambdaEvent<Invocation>| {
            let deadline = clock::deadline(&event.context, BUDGET);
            Ok::<_, Error>(Box::pin(self.answer(event.payload, clock::now(), deadline)).await)
        };
        lambda_runtime::run(service_fn(run)).await
    }

    /// Answers one invocation.
    pub async fn answer(&self, invocation: Invocation, now: Timestamp, deadline: Deadline) -> Answer {
        match invocation {
            Invocation::Doctor(doctor) => Answer::Started(doctor.answer()),
            Invocation::Batch(batch) => Answer::Batch(self.take(&batch, now, deadline).await),
            Invocation::DryRun { dry_run } => {
                let mut sessions = Vec::with_capacity(dry_run.len());
                for session in dry_run {
                    sessions.push(self.look_at(session, deadline).await);
                }
                Answer::DryRun { sessions }
            }
        }
    }

    /// Takes a batch of messages, one after the other, and says which of them stay on the queue.
    pub async fn take(&self, batch: &SqsEvent, now: Timestamp, deadline: Deadline) -> SqsBatchResponse {
        let mut answer = SqsBatchResponse::default();
        let mut table_is_out = false;
        let mut oldest_seconds = 0;
        for message in &batch.records {
            let read = IntakeMessage::read(message.body.as_deref().unwrap_or_default());
            if let Ok(IntakeMessage::Webhook(kept)) = &read {
                oldest_seconds = oldest_seconds.max(now.seconds_since(kept.received_at()));
            }
            let done = match read {
                _ if table_is_out => Done::No { later: true },
                Ok(read) => self.take_one(read, now, deadline.min(Deadline::after(MESSAGE_BUDGET))).await,
                Err(problem) => not_ours(problem),
            };
            if let Done::No { later } = done {
                table_is_out |= later;
                self.put_off(message, deadline).await;
                // A message without an id, which SQS doesn't send, keeps the whole batch on the queue.
                answer.add_failure(message.message_id.as_deref().unwrap_or_default());
            }
        }
        let stay = answer.batch_item_failures.len();
        telemetry::report_replay(now, batch.records.len() - stay, stay, oldest_seconds);
        answer
    }

    async fn take_one(&self, message: IntakeMessage, now: Timestamp, deadline: Deadline) -> Done {
        let take = async {
            match message {
                IntakeMessage::Webhook(kept) => self.record(kept, now, deadline).await,
                IntakeMessage::Rebuild(request) => self.rebuild(request.session, now, deadline).await,
            }
        };
        // A panic is a bug, but no other message's. Boxed, since the compiler gives up on types nested deeper.
        match deadline.bound(AssertUnwindSafe(Box::pin(take)).catch_unwind()).await {
            Ok(Ok(done)) => done,
            Ok(Err(_panic)) => Done::No { later: false },
            Err(_elapsed) => Done::No { later: true },
        }
    }

    async fn record(&self, kept: KeptWebhook, now: Timestamp, deadline: Deadline) -> Done {
        let started = Instant::now();
        let genuine = match kept.restore() {
            Ok(genuine) => genuine,
            Err(problem) => return not_ours(problem),
        };
        let provider = kept.provider();
        let durable_by = deadline.before(PUBLISH_RESERVE);
        let fate = match self.processor.process(&genuine, now, durable_by).await {
            Ok(fate) => fate,
            Err(unreadable) => self.quarantine(kept, unreadable, deadline).await,
        };
        DeliveryReport { message: "replay", request: None, provider, fate: &fate, took: started.elapsed() }.print(now);
        match (fate.disposition, fate.reason) {
            // The webhook itself is in the way, or its session is: others may have better luck.
            (Disposition::Failed, Some("item" | "conflict" | "quarantine")) => Done::No { later: false },
            (Disposition::Failed, _) => Done::No { later: true },
            _ => Done::Yes,
        }
    }

    /// What can't be read now could not be read the first time either, or a fix has not reached it.
    async fn quarantine(&self, kept: KeptWebhook, unreadable: Unreadable, deadline: Deadline) -> Fate {
        match deadline.bound(self.quarantine.keep(kept.because(unreadable))).await {
            Ok(Ok(())) => Fate::because(Disposition::Quarantined, unreadable.code()),
            Ok(Err(error)) => {
                tracing::warn!(%error, "could not quarantine; stays on intake");
                Fate::because(Disposition::Failed, "quarantine")
            }
            Err(_elapsed) => Fate::because(Disposition::Failed, "deadline"),
        }
    }

    async fn rebuild(&self, session: SessionKey, now: Timestamp, deadline: Deadline) -> Done {
        let rebuilt = rebuild::rebuild(self.processor.table(), &session, now, deadline).await;
        if let Ok(Rebuilt::Replaced(changes)) = &rebuilt
            && changes.notified
        {
            self.processor.publish(&[PartitionKey::of(&session)], deadline).await;
        }
        telemetry::report_rebuild(now, &session, &rebuild::Report::of(&session, &rebuilt));
        match rebuilt {
            Ok(_) => Done::Yes,
            // That session itself is in the way, or so large that it takes all the time.
            Err(TableError::Deadline) => Done::No { later: false },
            Err(error) => Done::No { later: !error.is_of_one_session() },
        }
    }

    async fn look_at(&self, session: SessionKey, deadline: Deadline) -> rebuild::Report {
        let rebuilt = rebuild::dry_run(self.processor.table(), &session, deadline).await;
        rebuild::Report::of(&session, &rebuilt)
    }

    /// Where that fails, the message comes back when the queue's visibility timeout ends.
    async fn put_off(&self, message: &SqsMessage, deadline: Deadline) {
        let receipt_handle = message.receipt_handle.as_deref().unwrap_or_default();
        match deadline.bound(self.intake.put_off(receipt_handle, pause(message))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "could not put a message off"),
            Err(_elapsed) => tracing::warn!("out of time to put a message off"),
        }
    }
}

/// Left to its receives: in the end SQS puts it in quarantine.
fn not_ours(problem: NotKept) -> Done {
    tracing::error!(%problem, "left to the quarantine");
    Done::No { later: false }
}

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
        assert!(matches!(question, Ok(Invocation::DryRun { dry_run }) if dry_run.len() == 1));
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
