//! What every genuine webhook goes through, whether it comes from its provider or from our own intake: read, record,
//! publish.

use crate::{
    Deadline, DecisionsQueue, Recorded, SessionsTable, TableError, outbox,
    polling::PollSchedule,
    table::{PartitionKey, Payload},
};
use std::time::Duration;
use verdict_sessions::{Remark, SessionEvent, SessionKey};
use verdict_webhooks::{Disposition, Genuine, Ignored, Reading, Unreadable, read};

/// How long publishing may hold up the answer. The webhook is durable by then, and the relay has the rest.
const PUBLISH_LIMIT: Duration = Duration::from_secs(1);

/// Reads, records and publishes.
#[derive(Debug)]
pub struct Processor {
    table: SessionsTable,
    decisions: DecisionsQueue,
    /// For providers whose sessions are also polled.
    polls: Option<PollSchedule>,
}

/// What became of one webhook.
#[derive(Debug)]
pub(crate) struct Fate {
    pub(crate) disposition: Disposition,
    pub(crate) reason: Option<&'static str>,
    /// The first session that it speaks of.
    pub(crate) session: Option<SessionKey>,
    /// The first fact that it holds: `{provider}/{sessionId}/{eventId}`.
    pub(crate) event_key: Option<String>,
    pub(crate) remarks: Vec<Remark>,
    pub(crate) late_copies: usize,
    /// Duplicates that say something else than what is known under their id.
    pub(crate) reused_ids: usize,
}

impl Fate {
    pub(crate) fn of(disposition: Disposition) -> Self {
        Self {
            disposition,
            reason: None,
            session: None,
            event_key: None,
            remarks: Vec::new(),
            late_copies: 0,
            reused_ids: 0,
        }
    }

    pub(crate) fn because(disposition: Disposition, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..Self::of(disposition) }
    }
}

impl Processor {
    pub(crate) fn new(table: SessionsTable, decisions: DecisionsQueue) -> Self {
        Self { table, decisions, polls: None }
    }

    /// The same with Incode's sessions on the poll schedule. `is_polled` says whether the poller has credentials for
    /// the API.
    #[must_use]
    pub fn with_polls(self, is_polled: bool) -> Self {
        Self { polls: Some(PollSchedule::new(self.table.clone(), is_polled)), ..self }
    }

    pub(crate) fn table(&self) -> &SessionsTable {
        &self.table
    }

    /// Reads a webhook and records what it says; all of that is durable by `durable_by`, or the fate is
    /// [`Failed`](Disposition::Failed). What that makes due is then published, or left to the relay.
    ///
    /// # Errors
    /// [`Unreadable`] where it can't become events; nothing was recorded.
    pub(crate) async fn process(&self, genuine: &Genuine, durable_by: Deadline) -> Result<Fate, Unreadable> {
        match read(genuine)? {
            Reading::Events { events, payload } => {
                let payload = Payload { source: genuine.path(), text: &payload };
                Ok(self.record(&events, payload, durable_by).await)
            }
            Reading::Nothing(ignored) => {
                if ignored == Ignored::SubscriptionConfirmation {
                    tracing::warn!("a subscription waits for its confirmation, which an operator has to give");
                }
                Ok(Fate::because(Disposition::Ignored, ignored.code()))
            }
        }
    }

    /// Records every event, then publishes what that made due.
    async fn record(&self, events: &[SessionEvent], payload: Payload<'_>, durable_by: Deadline) -> Fate {
        let mut fate = Fate::of(Disposition::Duplicate);
        if let Some(first) = events.first() {
            fate.session = Some(first.session.clone());
            fate.event_key = Some(format!("{}/{}", first.session, first.event_id));
        }
        let mut due = Vec::new();
        for event in events {
            match self.record_one(event, payload, durable_by, &mut fate).await {
                Ok(false) => {}
                Ok(true) => {
                    let session = PartitionKey::of(&event.session);
                    if !due.contains(&session) {
                        due.push(session);
                    }
                }
                // What earlier events made due is the relay's: the time is for keeping the webhook.
                Err(error) => {
                    tracing::warn!(%error, "could not record");
                    return Fate { disposition: Disposition::Failed, reason: Some(reason(&error)), ..fate };
                }
            }
        }
        self.publish(&due, Deadline::after(PUBLISH_LIMIT)).await;
        fate
    }

    /// Records one event, and says whether a notification is due.
    async fn record_one(
        &self,
        event: &SessionEvent,
        payload: Payload<'_>,
        durable_by: Deadline,
        fate: &mut Fate,
    ) -> Result<bool, TableError> {
        let recorded = self.table.record(event, payload, durable_by).await?;
        let first = match recorded {
            Recorded::New { .. } => {
                fate.disposition = Disposition::Recorded;
                fate.remarks.extend(event.remark);
                None
            }
            Recorded::Duplicate => {
                durable_by.bound(self.table.first_copy(event)).await.map_err(|_| TableError::Deadline)??
            }
        };
        fate.reused_ids += usize::from(first.as_ref().is_some_and(|first| event.contradicts(first)));
        if let Some(polls) = &self.polls {
            fate.late_copies += usize::from(polls.after(event, first.as_ref(), durable_by).await?);
        }
        Ok(recorded == Recorded::New { notification_due: true })
    }

    /// What can't be published now is the relay's: it is durable in the outbox.
    pub(crate) async fn publish(&self, due: &[PartitionKey], deadline: Deadline) {
        for session in due {
            match deadline.bound(outbox::drain(&self.table, &self.decisions, session)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "could not publish; left to the relay"),
                Err(_elapsed) => tracing::warn!("out of time to publish; left to the relay"),
            }
        }
    }
}

fn reason(error: &TableError) -> &'static str {
    match error {
        TableError::Conflict => "conflict",
        TableError::Deadline => "deadline",
        error if error.is_of_one_session() => "item",
        _ => "table",
    }
}
