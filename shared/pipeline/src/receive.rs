//! The one way that every provider's webhooks take: prove, read, record, publish, answer.

use crate::{
    Deadline, DecisionsQueue, QuarantineQueue, Recorded, SessionsTable, TableError,
    gateway::{Request, Response},
    outbox,
    polling::PollSchedule,
    table::{PartitionKey, Payload},
    telemetry::DeliveryReport,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use std::time::{Duration, Instant};
use verdict_sessions::{Remark, SessionEvent, SessionId, SessionKey};
use verdict_webhooks::{Disposition, Genuine, Ignored, Provide, Reading, Unreadable};

/// What is kept back, of the time there is, for publishing what was recorded.
const PUBLISH_RESERVE: Duration = Duration::from_millis(600);

/// How long publishing may hold up the answer. The webhook is durable by then, and the relay has the rest.
const PUBLISH_LIMIT: Duration = Duration::from_secs(1);

/// What a session id is escaped with in a header or a path: all but RFC 3986's unreserved characters, and the colon of
/// ids such as `user:1`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// A session id as one segment of a path.
pub(crate) fn escaped(id: &SessionId) -> PercentEncode<'_> {
    utf8_percent_encode(id.as_str(), ESCAPED)
}

/// Receives one provider's webhooks.
#[derive(Debug)]
pub struct Receiver<P> {
    provider: P,
    table: SessionsTable,
    decisions: DecisionsQueue,
    quarantine: QuarantineQueue,
    polls: Option<PollSchedule>,
}

/// What became of one delivery.
struct Fate {
    disposition: Disposition,
    reason: Option<&'static str>,
    session: Option<SessionKey>,
    remarks: Vec<Remark>,
    late_copies: usize,
}

impl Fate {
    fn of(disposition: Disposition) -> Self {
        Self { disposition, reason: None, session: None, remarks: Vec::new(), late_copies: 0 }
    }

    fn because(disposition: Disposition, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..Self::of(disposition) }
    }
}

impl<P: Provide> Receiver<P> {
    /// Puts the parts together.
    pub fn new(provider: P, table: SessionsTable, decisions: DecisionsQueue, quarantine: QuarantineQueue) -> Self {
        Self { provider, table, decisions, quarantine, polls: None }
    }

    /// The same for a provider whose sessions are also polled.
    #[must_use]
    pub fn with_polls(self, polls: PollSchedule) -> Self {
        Self { polls: Some(polls), ..self }
    }

    /// Receives one webhook. A 2xx means that what it says is durable.
    pub async fn receive(&self, request: Request) -> Response {
        let started = Instant::now();
        let Request { id, deadline, now, delivery, .. } = request;
        let path = delivery.path().to_owned();
        let fate = match self.provider.prove(delivery, now) {
            Ok(genuine) => self.process(&genuine, deadline).await,
            Err(refusal) => Fate::because(Disposition::Refused, refusal.code()),
        };
        let report = DeliveryReport {
            request: &id,
            provider: P::PROVIDER,
            disposition: fate.disposition,
            reason: fate.reason,
            session: fate.session.as_ref(),
            remarks: &fate.remarks,
            late_copies: fate.late_copies,
            took: started.elapsed(),
        };
        report.print(now);
        self.respond(&path, &fate)
    }

    async fn process(&self, genuine: &Genuine, deadline: Deadline) -> Fate {
        match self.provider.read(genuine) {
            Ok(Reading::Events { events, payload }) => {
                let payload = Payload { source: genuine.path(), text: &payload };
                self.record(&events, payload, deadline).await
            }
            Ok(Reading::Nothing(ignored)) => {
                if ignored == Ignored::SubscriptionConfirmation {
                    tracing::warn!("a subscription waits for its confirmation, which an operator has to give");
                }
                Fate::because(Disposition::Ignored, ignored.code())
            }
            Err(unreadable) => self.keep(genuine, unreadable, deadline).await,
        }
    }

    /// Records every event, then publishes what that made due. All events are durable before the answer.
    async fn record(&self, events: &[SessionEvent], payload: Payload<'_>, deadline: Deadline) -> Fate {
        let mut fate = Fate::of(Disposition::Duplicate);
        fate.session = events.first().map(|event| event.session.clone());
        let mut due = Vec::new();
        let in_time = deadline.before(PUBLISH_RESERVE);
        for event in events {
            let recorded = match self.table.record(event, payload, in_time).await {
                Ok(recorded) => recorded,
                Err(error) => return Fate { session: fate.session, ..failed(&error) },
            };
            if let Recorded::New { notification_due } = recorded {
                fate.disposition = Disposition::Recorded;
                fate.remarks.extend(event.remark);
                let session = PartitionKey::of(&event.session);
                if notification_due && !due.contains(&session) {
                    due.push(session);
                }
            }
            if let Some(polls) = &self.polls {
                match polls.after(event, recorded, in_time).await {
                    Ok(is_late_copy) => fate.late_copies += usize::from(is_late_copy),
                    Err(error) => return Fate { session: fate.session, ..failed(&error) },
                }
            }
        }
        self.publish(&due, deadline.min(Deadline::after(PUBLISH_LIMIT))).await;
        fate
    }

    /// What can't be published now is the relay's: it is durable in the outbox.
    async fn publish(&self, due: &[PartitionKey], deadline: Deadline) {
        for session in due {
            match deadline.bound(outbox::drain(&self.table, &self.decisions, session)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "could not publish; left to the relay"),
                Err(_elapsed) => tracing::warn!("out of time to publish; left to the relay"),
            }
        }
    }

    async fn keep(&self, genuine: &Genuine, unreadable: Unreadable, deadline: Deadline) -> Fate {
        match deadline.bound(self.quarantine.keep(genuine, unreadable)).await {
            Ok(Ok(())) => Fate::because(Disposition::Quarantined, unreadable.code()),
            Ok(Err(error)) => {
                tracing::error!(%error, "could not quarantine; answered so that a provider that retries sends it again");
                Fate::because(Disposition::Failed, "quarantine")
            }
            Err(_elapsed) => Fate::because(Disposition::Failed, "deadline"),
        }
    }

    fn respond(&self, path: &str, fate: &Fate) -> Response {
        let answer = self.provider.answer(path, fate.disposition);
        let response =
            Response::json(answer.status, answer.body).with_header("x-verdict-outcome", fate.disposition.as_str());
        match &fate.session {
            Some(key) => {
                response.with_header("x-verdict-session", format!("{}/{}", key.provider, escaped(&key.session_id)))
            }
            None => response,
        }
    }
}

fn failed(error: &TableError) -> Fate {
    tracing::error!(%error, "could not record; answered so that a provider that retries sends it again");
    Fate::because(Disposition::Failed, reason(error))
}

fn reason(error: &TableError) -> &'static str {
    match error {
        TableError::Conflict => "conflict",
        TableError::Deadline => "deadline",
        TableError::Aws(_) | TableError::Unconfirmed(_) => "table",
        TableError::Unreadable(_) | TableError::Unwritable(_) => "item",
    }
}
