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
        known::{Known, News},
        record::{Due, FirstCopy, Recorded, Source},
    },
    time::{clock::Clock, deadline::Deadline},
};
use futures_util::{StreamExt as _, stream};
use std::{collections::HashMap, pin::pin, time::Duration};
use verdict_sessions::{Remark, SessionEvent, Timestamp, Trace};
use verdict_webhooks::{Batch, Disposition, Genuine, Part, Reading, Unreadable, read_batch};

/// The longest that publishing may hold up the answer. The webhook is durable by then, and the relay publishes the
/// rest.
const PUBLISH_LIMIT: Duration = Duration::from_secs(1);

/// The most sessions of one webhook that are recorded at once. A webhook may speak of hundreds.
const MAX_CONCURRENT_SESSIONS: usize = 16;

/// The most sessions of one webhook that are looked up at once: as many as one batch of reads takes.
const MAX_LOOKED_UP_SESSIONS: usize = 100;

/// The most notifications of one webhook that are published with it: more than there is time for. The relay publishes
/// the rest.
const MAX_DUE: usize = 1024;

/// Reads, records and publishes.
#[derive(Debug)]
pub(crate) struct Recorder {
    table: SessionsTable,
    publisher: Publisher,
    /// The poll schedule, if what is recorded may ask for polls.
    polls: Option<PollSchedule>,
}

/// The results of a webhook's events so far.
#[derive(Default)]
struct Recording {
    /// `None` before the first of them.
    handling: Option<Handling>,
    /// The notifications to publish now.
    due: Vec<Due>,
    failure: Option<Failure>,
    /// True if the other sessions would fail, too.
    is_given_up: bool,
}

/// The way in which the events of one session were handled.
#[derive(Default)]
struct SessionHandling {
    is_new: bool,
    /// The notifications to publish now, in their order.
    due: Vec<Due>,
    /// The number of notifications that are due.
    notifications: usize,
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
        trace: Option<Trace>,
        now: Timestamp,
        durable_by: Deadline,
    ) -> Result<Handling, Unreadable> {
        let clock = Clock::at(now);
        let mut recording = Recording::default();
        let source = Source { path: genuine.path(), evidence: Some(genuine.evidence()), trace };
        let mut first = Some(0);
        while let Some(place) = first {
            let Batch { reading, next } = read_batch(genuine, place)?;
            match reading {
                Reading::Events { events, parts } => {
                    self.record_batch(&mut recording, &events, &parts, source, now, durable_by).await;
                }
                Reading::Nothing(ignored) => return Ok(Handling::ignored(ignored)),
            }
            first = next.filter(|_| !recording.is_given_up);
        }
        Ok(self.finish(recording, clock).await)
    }

    /// Records events, each with the part of the payload from `source` that it comes from, then publishes what that
    /// makes due, or leaves it to the relay.
    pub(crate) async fn record(
        &self,
        events: &[SessionEvent],
        parts: &[Part],
        source: Source<'_>,
        now: Timestamp,
        durable_by: Deadline,
    ) -> Handling {
        let clock = Clock::at(now);
        let mut recording = Recording::default();
        self.record_batch(&mut recording, events, parts, source, now, durable_by).await;
        self.finish(recording, clock).await
    }

    /// Records events. What came of them is added to the recording.
    async fn record_batch(
        &self,
        recording: &mut Recording,
        events: &[SessionEvent],
        parts: &[Part],
        source: Source<'_>,
        now: Timestamp,
        durable_by: Deadline,
    ) {
        recording.handling.get_or_insert_with(|| Handling::of_events(events));
        for sessions in by_session(events, parts).chunks(MAX_LOOKED_UP_SESSIONS) {
            let known = self.look_up(sessions, durable_by).await;
            let sessions = stream::iter(sessions.iter().zip(known))
                .map(|(news, known)| self.record_session(news, known, source, now, durable_by))
                .buffer_unordered(MAX_CONCURRENT_SESSIONS);
            let mut sessions = pin!(sessions);
            while let Some(recorded) = sessions.next().await {
                recording.add(recorded);
                if recording.is_given_up {
                    return;
                }
            }
        }
    }

    /// Looks up what is known of events of several sessions. A session of which that fails is looked up when it is
    /// recorded, and so is a single one.
    async fn look_up(&self, sessions: &[Vec<News<'_>>], durable_by: Deadline) -> Vec<Option<Known>> {
        let nothing = || sessions.iter().map(|_| None).collect();
        if sessions.len() == 1 {
            return nothing();
        }
        durable_by.try_bound(self.table.known_of_sessions(sessions)).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "could not look up all sessions at once");
            nothing()
        })
    }

    /// Publishes what is due once all events are recorded.
    async fn finish(&self, recording: Recording, clock: Clock) -> Handling {
        let Recording { handling, due, failure, .. } = recording;
        let handling = handling.unwrap_or_else(|| Handling::of_events(&[]));
        if let Some(failure) = failure {
            // The time that is left is needed for putting the webhook on a queue. The relay publishes what is due.
            return handling.because_of(failure);
        }
        self.publisher.publish_due(&due, clock, Deadline::after(PUBLISH_LIMIT)).await;
        handling
    }

    /// Records the events of one session.
    async fn record_session(
        &self,
        news: &[News<'_>],
        known: Option<Known>,
        source: Source<'_>,
        now: Timestamp,
        durable_by: Deadline,
    ) -> Result<SessionHandling, TableError> {
        let mut handling = SessionHandling::default();
        let recorded = self.table.record_parts(news, known, source, now, durable_by).await?;
        for (News { event, .. }, recorded) in news.iter().zip(recorded) {
            let first = handling.add(event, recorded);
            if let Some(polls) = &self.polls {
                let is_late_copy = polls.after(event, first.as_deref(), source.trace, durable_by).await?;
                handling.late_copies += usize::from(is_late_copy);
            }
        }
        Ok(handling)
    }
}

impl Recording {
    /// Adds what became of one session.
    fn add(&mut self, recorded: Result<SessionHandling, TableError>) {
        match recorded {
            Ok(session) => {
                let handling = self.handling.get_or_insert_with(|| Handling::of_events(&[]));
                let room = MAX_DUE.saturating_sub(self.due.len());
                self.due.extend(session.added_to(handling).into_iter().take(room));
            }
            Err(error) => {
                tracing::warn!(%error, "could not record");
                self.failure = Some(Failure::from(&error));
                self.is_given_up |= !error.is_session_specific();
            }
        }
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
                self.notifications += usize::from(due.is_some());
                // Whoever reads the outbox finds all that comes after.
                let is_read = matches!(self.due.last(), Some(Due::Outbox(_)));
                self.due.extend(due.filter(|_| !is_read));
                None
            }
            Recorded::Duplicate(first) => {
                self.reused_ids += usize::from(event.contradicts(&first.event));
                Some(first)
            }
        }
    }

    /// Adds this to the handling of the whole webhook, and returns what is due.
    fn added_to(self, handling: &mut Handling) -> Vec<Due> {
        if self.is_new {
            handling.disposition = Disposition::Recorded;
        }
        handling.notifications += self.notifications;
        handling.remarks.extend(self.remarks);
        handling.coded_remarks.extend(self.coded_remarks);
        handling.late_copies += self.late_copies;
        handling.reused_ids += self.reused_ids;
        self.due
    }
}

/// The events of each session, in their order, with their parts.
fn by_session<'e>(events: &'e [SessionEvent], parts: &'e [Part]) -> Vec<Vec<News<'e>>> {
    let mut sessions: Vec<Vec<_>> = Vec::new();
    let mut places = HashMap::new();
    for (event, part) in events.iter().zip(parts) {
        let place = *places.entry(&event.session).or_insert(sessions.len());
        match sessions.get_mut(place) {
            Some(session) => session.push(News { event, part }),
            None => sessions.push(vec![News { event, part }]),
        }
    }
    sessions
}
