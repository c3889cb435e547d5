//! What every genuine webhook goes through, whether it comes from its provider or from our own intake: read, record,
//! publish.

use crate::{
    Deadline, DecisionsQueue, Recorded, SessionsTable, TableError,
    handling::Handling,
    outbox,
    poll_schedule::PollSchedule,
    table::items::{PartitionKey, Payload},
};
use futures_util::{StreamExt as _, stream};
use std::{collections::HashMap, pin::pin, time::Duration};
use verdict_sessions::{Remark, SessionEvent, Timestamp};
use verdict_webhooks::{Disposition, Genuine, Ignored, Reading, Unreadable, read};

/// How long publishing may hold up the answer. The webhook is durable by then, and the relay has the rest.
const PUBLISH_LIMIT: Duration = Duration::from_secs(1);

/// How many sessions of one webhook are recorded at a time. A webhook may speak of hundreds.
const SESSIONS_AT_A_TIME: usize = 16;

/// Reads, records and publishes.
#[derive(Debug)]
pub struct Processor {
    table: SessionsTable,
    decisions: DecisionsQueue,
    /// For providers whose sessions are also polled.
    polls: Option<PollSchedule>,
}

/// What became of the events of one session.
#[derive(Default)]
struct OfSession {
    is_new: bool,
    /// The session, where its outbox has something to publish now.
    due: Option<PartitionKey>,
    remarks: Vec<Remark>,
    late_copies: usize,
    reused_ids: usize,
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

    /// Reads a webhook and records what it says; all of that is durable by `durable_by`, or the handling is
    /// [`Failed`](Disposition::Failed). What that makes due is then published, or left to the relay.
    ///
    /// # Errors
    /// [`Unreadable`] where it can't become events; nothing was recorded.
    pub(crate) async fn process(
        &self,
        genuine: &Genuine,
        now: Timestamp,
        durable_by: Deadline,
    ) -> Result<Handling, Unreadable> {
        match read(genuine)? {
            Reading::Events { events, payload } => {
                let payload = Payload { source: genuine.path(), text: &payload };
                Ok(self.record(&events, payload, now, durable_by).await)
            }
            Reading::Nothing(ignored) => {
                if ignored == Ignored::SubscriptionConfirmation {
                    tracing::warn!("a subscription waits for its confirmation, which an operator has to give");
                }
                Ok(Handling::because(Disposition::Ignored, ignored.code()))
            }
        }
    }

    /// Records every event, then publishes what that made due.
    async fn record(
        &self,
        events: &[SessionEvent],
        payload: Payload<'_>,
        now: Timestamp,
        durable_by: Deadline,
    ) -> Handling {
        let mut handling = Handling::of(Disposition::Duplicate);
        if let Some(first) = events.first() {
            handling.session = Some(first.session.clone());
            handling.event_key = Some(format!("{}/{}", first.session, first.event_id));
        }
        let (mut due, mut failed) = (Vec::new(), None);
        let recorded = stream::iter(by_session(events))
            .map(|events| self.record_in_order(events, payload, now, durable_by))
            .buffer_unordered(SESSIONS_AT_A_TIME);
        let mut recorded = pin!(recorded);
        while let Some(of_session) = recorded.next().await {
            match of_session {
                Ok(of_session) => {
                    due.extend(of_session.due);
                    if of_session.is_new {
                        handling.disposition = Disposition::Recorded;
                    }
                    handling.remarks.extend(of_session.remarks);
                    handling.late_copies += of_session.late_copies;
                    handling.reused_ids += of_session.reused_ids;
                }
                Err(error) => {
                    tracing::warn!(%error, "could not record");
                    failed = Some(reason(&error));
                    if !error.is_session_specific() {
                        break;
                    }
                }
            }
        }
        // What is due is the relay's, then: the time is for keeping the webhook.
        if failed.is_some() {
            return Handling { disposition: Disposition::Failed, reason: failed, ..handling };
        }
        self.publish(&due, Deadline::after(PUBLISH_LIMIT)).await;
        handling
    }

    /// Records the events of one session, one after the other.
    async fn record_in_order(
        &self,
        events: Vec<&SessionEvent>,
        payload: Payload<'_>,
        now: Timestamp,
        durable_by: Deadline,
    ) -> Result<OfSession, TableError> {
        let mut of_session = OfSession::default();
        for event in events {
            let recorded = self.table.record(event, payload, now, durable_by).await?;
            let first = match recorded {
                Recorded::New { notification_due } => {
                    of_session.is_new = true;
                    of_session.remarks.extend(event.remark);
                    if notification_due {
                        of_session.due = Some(PartitionKey::of(&event.session));
                    }
                    None
                }
                Recorded::Duplicate => durable_by.try_bound(self.table.first_copy(event)).await?,
            };
            of_session.reused_ids += usize::from(first.as_ref().is_some_and(|first| event.contradicts(first)));
            if let Some(polls) = &self.polls {
                of_session.late_copies += usize::from(polls.after(event, first.as_ref(), durable_by).await?);
            }
        }
        Ok(of_session)
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

/// The events of each session, in their order.
fn by_session(events: &[SessionEvent]) -> Vec<Vec<&SessionEvent>> {
    let mut sessions: Vec<Vec<&SessionEvent>> = Vec::new();
    let mut places = HashMap::new();
    for event in events {
        let place = *places.entry(&event.session).or_insert(sessions.len());
        match sessions.get_mut(place) {
            Some(session) => session.push(event),
            None => sessions.push(vec![event]),
        }
    }
    sessions
}

fn reason(error: &TableError) -> &'static str {
    match error {
        TableError::Conflict => "conflict",
        TableError::Deadline => "deadline",
        error if error.is_session_specific() => "item",
        _ => "table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AwsError;

    #[test]
    fn a_failure_says_whose_it_is() {
        for (error, code) in [
            (TableError::Conflict, "conflict"),
            (TableError::Deadline, "deadline"),
            (TableError::Unreadable("session"), "item"),
            (TableError::Unwritable("item"), "item"),
            (AwsError::request_not_built().into(), "item"),
            (AwsError::throttled().into(), "table"),
            (TableError::Unconfirmed(AwsError::throttled()), "table"),
        ] {
            assert_eq!(reason(&error), code, "{error}");
        }
        assert_eq!(Handling::because(Disposition::Ignored, "undecided").reason, Some("undecided"));
    }
}
