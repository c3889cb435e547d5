//! Replay: what waits on intake. Genuine webhooks that the table could not take in time are recorded with the time of
//! their arrival, sessions that an operator wants read again are rebuilt, and what an operator wants sent again is sent.
//!
//! While the table is out of reach, messages are put off, so that none runs out of receives. A webhook that can't be
//! read goes to quarantine.

use super::{
    handling::{HandlingReport, Origin},
    quarantine::quarantine,
    rebuild::{self, Rebuild, Rebuilt},
    record::Recorder,
    resend::{self, Resent},
};
use crate::{
    lambda::doctor::{Doctor, Started},
    store::{
        queued_webhook::{ForeignMessage, IntakeMessage, QueuedWebhook, RebuildRequest, ResendRequest},
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
use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use verdict_sessions::Timestamp;

/// The longest that a run may take. The function's own limit is the fence behind it.
const BUDGET: Duration = Duration::from_secs(25);

/// The time that one message may take, so that one that gets nowhere leaves time for the others. It has more if its
/// share of the time that is left is more: a webhook may speak of thousands of subjects, and mostly it is alone in its
/// batch.
const MESSAGE_BUDGET: Duration = Duration::from_secs(5);

/// The part of that which is kept back for publishing.
const PUBLISH_RESERVE: Duration = Duration::from_millis(1200);

/// The first pause of a message that could not be recorded; each one after is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(15);

/// The longest that a webhook may have been on its way when its message was sent. Quarantine holds one for 14 days,
/// and an operator may send it back several times.
const LONGEST_WAY: i64 = 60 * 24 * 60 * 60 * 1000;

/// The longest pause. So long after an outage, at the latest, every message has been tried again.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

// A resend that is put off keeps its turn.
const _: () = assert!(resend::LEASE.as_secs() > LONGEST_PAUSE.as_secs());

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
    /// A question to `rebuild-preview`, which this function answered in earlier releases. It is an error here.
    DryRun {
        /// Whatever it is about.
        #[serde(rename = "dryRun")]
        dry_run: IgnoredAny,
    },
}

/// The error for a question that another function answers.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("replay doesn't say what a rebuild would change: ask the function rebuild-preview")]
pub struct PreviewElsewhere;

/// The function's answer.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The answer to the doctor.
    Started(Started),
    /// The messages of the batch that stay on the queue.
    Batch(SqsBatchResponse),
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
            Box::pin(self.answer(event.payload, clock::now(), deadline)).await.map_err(Error::from)
        };
        lambda_runtime::run(service_fn(run)).await
    }

    /// Answers one invocation.
    ///
    /// # Errors
    /// [`PreviewElsewhere`] if it is a question to another function.
    pub async fn answer(
        &self,
        invocation: Invocation,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Answer, PreviewElsewhere> {
        match invocation {
            Invocation::Doctor(doctor) => Ok(Answer::Started(doctor.answer())),
            Invocation::Batch(batch) => Ok(Answer::Batch(self.take(&batch, now, deadline).await)),
            Invocation::DryRun { .. } => Err(PreviewElsewhere),
        }
    }

    /// Takes a batch of messages, one after the other, and says which of them stay on the queue.
    pub async fn take(&self, batch: &SqsEvent, now: Timestamp, deadline: Deadline) -> SqsBatchResponse {
        let clock = Clock::at(now);
        let mut answer = SqsBatchResponse::default();
        let mut table_is_out = false;
        let mut oldest_seconds = 0;
        for (taken, message) in batch.records.iter().enumerate() {
            let left = u32::try_from(batch.records.len() - taken).unwrap_or(u32::MAX);
            let read = IntakeMessage::read(message.body.as_deref().unwrap_or_default());
            let read = read.map(|read| arrived_in_time(read, message, now));
            if let Ok(IntakeMessage::Webhook(webhook)) = &read {
                oldest_seconds = oldest_seconds.max(now.seconds_since(webhook.received_at()));
            }
            let taken = match read {
                _ if table_is_out => Taken::Keep { affects_all: true },
                Ok(read) => {
                    let share = deadline.remaining() / left;
                    let deadline = deadline.min(Deadline::after(MESSAGE_BUDGET.max(share)));
                    self.take_one(read, message, clock.now(), deadline).await
                }
                Err(error) => left_to_its_receives(error, sender(message)),
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

    async fn take_one(&self, read: IntakeMessage, message: &SqsMessage, now: Timestamp, deadline: Deadline) -> Taken {
        let take = async {
            match read {
                IntakeMessage::Webhook(webhook) => self.record(*webhook, sender(message), now, deadline).await,
                IntakeMessage::Rebuild(request) => self.rebuild(request, sender(message), now, deadline).await,
                IntakeMessage::Resend(request) => self.resend(request, message, now, deadline).await,
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

    async fn record(&self, webhook: QueuedWebhook, sender: Option<&str>, now: Timestamp, deadline: Deadline) -> Taken {
        let started = Instant::now();
        let genuine = match webhook.restore() {
            Ok(genuine) => genuine,
            Err(error) => return left_to_its_receives(error, sender),
        };
        let (provider, trace) = (webhook.provider(), webhook.trace());
        let durable_by = deadline.before(PUBLISH_RESERVE);
        let handling = match self.recorder.record_webhook(&genuine, trace, now, durable_by).await {
            Ok(handling) => handling,
            // Either it could not be read the first time, or it still can't after a fix.
            Err(unreadable) => quarantine(&self.quarantine, Ok(webhook), unreadable, deadline).await,
        };
        let report = HandlingReport {
            origin: Origin::Intake,
            request: None,
            source: None,
            is_cold_start: false,
            trace,
            provider,
            handling: &handling,
            took: started.elapsed(),
        };
        report.print(now);
        match handling.failure() {
            Some(failure) => Taken::Keep { affects_all: !failure.is_webhook_specific() },
            None => Taken::Done,
        }
    }

    /// Rebuilds a session. The line that says what came of it is the audit: of who asked for it, and why.
    async fn rebuild(
        &self,
        request: RebuildRequest,
        sender: Option<&str>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Taken {
        let rebuilt = rebuild::rebuild(self.recorder.table(), &request, now, deadline).await;
        if let Ok(Rebuild { record: Rebuilt::Replaced(changes), .. }) = &rebuilt
            && changes.notified
        {
            let due = Due::Outbox(request.session.clone());
            self.recorder.publisher().publish_due(&[due], Clock::at(now), deadline).await;
        }
        let RebuildRequest { session, reason, .. } = request;
        rebuild::Report::of(session, &rebuilt).line(sender, reason.as_deref()).print(now);
        match rebuilt {
            Ok(_) => Taken::Done,
            // The session itself is at fault, or so large that it takes all the time.
            Err(TableError::Deadline) => Taken::Keep { affects_all: false },
            Err(error) => Taken::Keep { affects_all: !error.is_session_specific() },
        }
    }

    /// Sends again what was told of a session. The line that says what came of it is the audit.
    async fn resend(&self, request: ResendRequest, message: &SqsMessage, now: Timestamp, deadline: Deadline) -> Taken {
        let ResendRequest { session, from, reason, request_id } = request;
        let id = request_id.as_deref().or(message.message_id.as_deref()).unwrap_or_default();
        let request = resend::Request { session: &session, from, id };
        let (table, publisher) = (self.recorder.table(), self.recorder.publisher());
        let resent = resend::resend(table, publisher, request, Clock::at(now), deadline).await;
        resend::Report::of(request, &resent).line(sender(message), reason.as_deref()).print(now);
        match resent {
            Ok(Resent::All(_) | Resent::Before | Resent::Refused(_)) => Taken::Done,
            // Webhooks can be recorded while nothing can be published.
            Ok(Resent::Part { .. } | Resent::Waiting(_)) | Err(TableError::Deadline) => {
                Taken::Keep { affects_all: false }
            }
            Err(error) => Taken::Keep { affects_all: !error.is_session_specific() },
        }
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
fn left_to_its_receives(error: ForeignMessage, sender: Option<&str>) -> Taken {
    tracing::error!(%error, sender, "left to the quarantine");
    Taken::Keep { affects_all: false }
}

/// SQS's name for who sent a message: a user's id, or a role's with the name of its session.
fn sender(message: &SqsMessage) -> Option<&str> {
    message.attributes.get("SenderId").map(String::as_str)
}

/// A message as it came, except that its webhook's time of arrival is one that can be. It orders what has no time of its
/// own, and a sender to the queue could choose it.
fn arrived_in_time(read: IntakeMessage, message: &SqsMessage, now: Timestamp) -> IntakeMessage {
    let IntakeMessage::Webhook(webhook) = read else { return read };
    let sent_at = message.attributes.get("SentTimestamp").and_then(|millis| millis.parse().ok());
    let received_at = webhook.received_at();
    let sent_at = sent_at.unwrap_or_else(|| now.unix_seconds().saturating_mul(1000).saturating_add(999));
    IntakeMessage::Webhook(webhook.arriving(arrival(received_at, sent_at)).into())
}

/// The time of arrival of a webhook whose message was sent at a time in milliseconds: not after that, and at most 60
/// days before. A webhook that was sent again from quarantine is old by right.
fn arrival(received_at: Timestamp, sent_at: i64) -> Timestamp {
    let (Some(sent), Some(next), Some(earliest)) =
        (in_millis(sent_at), in_millis(sent_at.saturating_add(1)), in_millis(sent_at.saturating_sub(LONGEST_WAY)))
    else {
        return received_at;
    };
    // SQS cuts off what is finer than a millisecond.
    if received_at >= next { sent } else { received_at.max(earliest) }
}

fn in_millis(millis: i64) -> Option<Timestamp> {
    let nanos = u32::try_from(millis.rem_euclid(1000)).ok()? * 1_000_000;
    Timestamp::from_unix(millis.div_euclid(1000), nanos)
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
    fn a_webhook_arrived_before_its_message_was_sent_and_at_most_60_days_before() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let sent = 1_781_308_800_123;
        for (claimed, counts) in [
            ("2026-06-13T00:00:00.123Z", "2026-06-13T00:00:00.123Z"),
            ("2026-06-13T00:00:00.123999Z", "2026-06-13T00:00:00.123999Z"),
            ("2026-06-13T00:00:00.124Z", "2026-06-13T00:00:00.123Z"),
            ("2026-06-13T00:00:01Z", "2026-06-13T00:00:00.123Z"),
            ("9999-12-31T23:59:59Z", "2026-06-13T00:00:00.123Z"),
            ("2026-06-12T23:59:59.9Z", "2026-06-12T23:59:59.9Z"),
            ("2026-04-14T00:00:00.123Z", "2026-04-14T00:00:00.123Z"),
            ("2026-04-14T00:00:00.122Z", "2026-04-14T00:00:00.123Z"),
            ("0001-01-01T00:00:00Z", "2026-04-14T00:00:00.123Z"),
        ] {
            assert_eq!(arrival(at(claimed), sent), at(counts), "{claimed}");
        }
    }

    #[test]
    fn a_batch_and_the_questions_are_told_apart() {
        let read = |value| serde_json::from_value::<Invocation>(value);
        assert!(matches!(read(json!({"Records": []})), Ok(Invocation::Batch(_))));
        for question in [json!({"dryRun": [{"provider": "veriff", "sessionId": "s"}]}), json!({"dryRun": ["veriff/s"]})]
        {
            assert!(matches!(read(question), Ok(Invocation::DryRun { .. })));
        }
        assert!(matches!(read(json!({"doctor": true})), Ok(Invocation::Doctor(_))));
        assert!(matches!(read(json!({"doctor": true, "Records": []})), Ok(Invocation::Batch(_))));
        for other in [
            json!({}),
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
