//! Recording: the one way into the table, for webhooks from their providers, webhooks from intake, and answers to
//! polls.

use super::{
    handling::{Failure, Handling},
    poll_schedule::PollSchedule,
};
use crate::{
    decisions::publisher::Publisher,
    store::table::{
        SessionsTable,
        error::TableError,
        items::Payload,
        record::{Due, FirstCopy, Recorded},
    },
    time::{clock::Clock, deadline::Deadline},
};
use futures_util::{StreamExt as _, stream};
use std::{collections::HashMap, pin::pin, time::Duration};
use verdict_sessions::{Remark, SessionEvent, Timestamp};
use verdict_webhooks::{Disposition, Genuine, Reading, Unreadable, read};

/// The longest that publishing may hold up the answer. The webhook is durable by then, and the relay publishes the
/// rest.
const PUBLISH_LIMIT: Duration = Duration::from_secs(1);

/// The most sessions of one webhook that are recorded at once. A webhook may speak of hundreds.
const MAX_CONCURRENT_SESSIONS: usize = 16;

/// Reads, records and publishes.
#[derive(Debug)]
pub(crate) struct Recorder {
    table: SessionsTable,
    publisher: Publisher,
    /// The poll schedule, if what is recorded may ask for polls.
    polls: Option<PollSchedule>,
}

/// The way in which the events of one session were handled.
#[derive(Default)]
struct SessionHandling {
    is_new: bool,
    /// The notification to publish now.
    due: Option<Due>,
    remarks: Vec<Remark>,
    coded_remarks: Vec<String>,
    late_copies: usize,
    reused_ids: usize,
}

impl Recorder {
    pub(crate) fn new(table: SessionsTable, publisher: Publisher) -> Self {
        Self { table, publisher, polls: None }
    }

    /// Adds the poll schedule.
    pub(crate) fn with_polls(self, polls: PollSchedule) -> Self {
        Self { polls: Some(polls), ..self }
    }

    pub(crate) fn table(&self) -> &SessionsTable {
        &self.table
    }

    pub(crate) fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Reads a webhook, records its events and publishes what that makes due. All events are durable by `durable_by`,
    /// or the handling is [`Failed`](Disposition::Failed).
    ///
    /// # Errors
    /// [`Unreadable`] if it can't become events. Nothing was recorded then.
    pub(crate) async fn record_webhook(
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
            Reading::Nothing(ignored) => Ok(Handling::ignored(ignored)),
        }
    }

    /// Records events, then publishes what that makes due, or leaves it to the relay.
    pub(crate) async fn record(
        &self,
        events: &[SessionEvent],
        payload: Payload<'_>,
        now: Timestamp,
        durable_by: Deadline,
    ) -> Handling {
        let clock = Clock::at(now);
        let mut handling = Handling::of_events(events);
        let (mut due, mut failure) = (Vec::new(), None);
        let sessions = stream::iter(by_session(events))
            .map(|events| self.record_session(events, payload, now, durable_by))
            .buffer_unordered(MAX_CONCURRENT_SESSIONS);
        let mut sessions = pin!(sessions);
        while let Some(recorded) = sessions.next().await {
            match recorded {
                Ok(session) => due.extend(session.added_to(&mut handling)),
                Err(error) => {
                    tracing::warn!(%error, "could not record");
                    failure = Some(Failure::from(&error));
                    if !error.is_session_specific() {
                        break;
                    }
                }
            }
        }
        if let Some(failure) = failure {
            // The time that is left is needed for putting the webhook on a queue. The relay publishes what is due.
            return handling.because_of(failure);
        }
        self.publisher.publish_due(&due, clock, Deadline::after(PUBLISH_LIMIT)).await;
        handling
    }

    /// Records the events of one session, one after the other.
    async fn record_session(
        &self,
        events: Vec<&SessionEvent>,
        payload: Payload<'_>,
        now: Timestamp,
        durable_by: Deadline,
    ) -> Result<SessionHandling, TableError> {
        let mut handling = SessionHandling::default();
        for event in events {
            let recorded = self.table.record(event, payload, now, durable_by).await?;
            let first = handling.add(event, recorded);
            if let Some(polls) = &self.polls {
                handling.late_copies += usize::from(polls.after(event, first.as_deref(), durable_by).await?);
            }
        }
        Ok(handling)
    }
}

impl SessionHandling {
    /// Adds what became of one event. Returns the event that it is a copy of, if it is one.
    fn add(&mut self, event: &SessionEvent, recorded: Recorded) -> Option<Box<FirstCopy>> {
        match recorded {
            Recorded::New { due } => {
                self.is_new = true;
                self.remarks.extend(event.remark);
                self.coded_remarks.extend_from_slice(&event.remarks);
                // The second notification of a session waits for the first, so that both have to be read.
                self.due = match (self.due.take(), due) {
                    (Some(_), Some(_)) => Some(Due::Outbox(event.session.clone())),
                    (before, due) => before.or(due),
                };
                None
            }
            Recorded::Duplicate(first) => {
                self.reused_ids += usize::from(event.contradicts(&first.event));
                Some(first)
            }
        }
    }

    /// Adds this to the handling of the whole webhook, and returns what is due.
    fn added_to(self, handling: &mut Handling) -> Option<Due> {
        if self.is_new {
            handling.disposition = Disposition::Recorded;
        }
        handling.remarks.extend(self.remarks);
        handling.coded_remarks.extend(self.coded_remarks);
        handling.late_copies += self.late_copies;
        handling.reused_ids += self.reused_ids;
        self.due
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
