//! Recording events: folds them into their session in their order, and writes all that belongs together in one
//! transaction.
//!
//! A webhook may tell much of one session, and of many. What the table knows of it is looked up first, and then a
//! transaction takes as many events of a session as fit. If another writer of the session is faster, or an answer is
//! lost, the next event goes alone, after a look-up of its own; and with each success twice as many go.

use super::{
    SessionsTable,
    error::TableError,
    items::{self, PartitionKey, Payload},
    known::{Known, KnownEvent, News, Outbox},
    outbox::OutboxEntry,
    polls::ScheduledPoll,
    transaction::{Writes, Written},
};
use crate::time::{backoff::Pauses, deadline::Deadline};
use aws_sdk_dynamodb::types::TransactWriteItem;
use std::cell::Cell;
use verdict_sessions::{Applied, Evidence, Session, SessionEvent, SessionKey, Timestamp, Trace};
use verdict_webhooks::Part;

/// The number of failures in a row, each of them with the SDK's own retries, after which the table counts as out of
/// reach. The webhook is better off on the intake queue then, and a throttled table without it.
const MAX_FAILURES_IN_A_ROW: u32 = 3;

/// The result of recording an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The event was new.
    New {
        /// The notification of it that the outbox now holds.
        due: Option<Due>,
    },
    /// The event was there already.
    Duplicate(Box<FirstCopy>),
}

/// A notification that an outbox holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// All before it are told, or due with it, so that it can be published as it is here, after those.
    Next(Box<OutboxEntry>),
    /// Others may wait before it: the outbox has to be read.
    Outbox(SessionKey),
}

impl Due {
    /// The session whose outbox it is.
    pub(crate) fn session(&self) -> &SessionKey {
        match self {
            Self::Next(next) => &next.notification.session,
            Self::Outbox(session) => session,
        }
    }
}

/// The recorded event that another one is a copy of, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstCopy {
    pub(crate) event: SessionEvent,
    /// True if a final decision stands.
    pub(crate) is_decided: bool,
    /// The time that the standing decision counts from.
    pub(crate) decided_at: Option<Timestamp>,
    /// The session's place on the poll schedule.
    pub(crate) poll: Option<ScheduledPoll>,
}

/// Where an event comes from: what is stored with it, its payload, and the notification that it makes due.
#[derive(Clone, Copy, Debug)]
pub struct Source<'s> {
    /// The path that the webhook came to, or that the answer was fetched from.
    pub path: &'s str,
    /// The evidence that the provider sent it.
    pub evidence: Option<&'s Evidence>,
    /// The trace of what brought it.
    pub trace: Option<Trace>,
}

/// Where events come from, and when they are recorded.
#[derive(Clone, Copy)]
struct Context<'c> {
    source: Source<'c>,
    now: Timestamp,
}

/// The first of some events of one session, as many as one transaction takes.
#[derive(Default)]
struct Folded {
    /// What becomes of each of them once they are written.
    recorded: Vec<Recorded>,
    /// The session after them. `None` if all are copies.
    session: Option<Session>,
    /// True if they make a notification due.
    is_due: bool,
    writes: Writes,
}

/// A try that failed.
struct Failed {
    error: TableError,
    /// The number of events that it was about to record.
    events: usize,
}

impl From<TableError> for Failed {
    fn from(error: TableError) -> Self {
        Self { error, events: 0 }
    }
}

/// The tries to record events of one session.
struct Tries {
    /// The most events that the next try takes.
    most: usize,
    /// The number of next events that an earlier try, whose answer was lost, may have recorded.
    unconfirmed: usize,
    /// The number of failures in a row.
    failures: u32,
    pauses: Pauses,
}

impl SessionsTable {
    /// Records one event of a webhook that is about one session, as [`record_part`](Self::record_part) does, without
    /// evidence.
    ///
    /// # Errors
    /// As there.
    pub async fn record(
        &self,
        event: &SessionEvent,
        payload: Payload<'_>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Recorded, TableError> {
        let part = Part::whole(payload.text.to_owned());
        let source = Source { path: payload.source, evidence: None, trace: None };
        self.record_part(event, source, &part, now, deadline).await
    }

    /// Records one event: folds it into its session, once, however many writers there are. `part` is what it comes from.
    ///
    /// Retries with growing random pauses: until the deadline while other writers are faster, and a few times if the
    /// table can't be reached.
    ///
    /// # Errors
    /// [`TableError::Deadline`]; [`TableError::Conflict`] if other writers were faster to the last; or an error that
    /// retries did not help or can't.
    pub async fn record_part(
        &self,
        event: &SessionEvent,
        source: Source<'_>,
        part: &Part,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Recorded, TableError> {
        let mut recorded = self.record_parts(&[News { event, part }], None, source, now, deadline).await?;
        recorded.pop().ok_or(TableError::Unwritable("event"))
    }

    /// Records events of one session, each as [`record_part`](Self::record_part) does, in their order. `known` is what was
    /// looked up of all of them, if it was.
    ///
    /// # Errors
    /// As there. The first of the events may be recorded then.
    pub(crate) async fn record_parts(
        &self,
        news: &[News<'_>],
        mut known: Option<Known>,
        source: Source<'_>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Vec<Recorded>, TableError> {
        let context = Context { source, now };
        let were_others_faster = Cell::new(false);
        let record = async {
            let mut recorded = Vec::with_capacity(news.len());
            let mut tries = Tries::default();
            while recorded.len() < news.len() {
                let left = &news[recorded.len()..];
                match self.try_to_record(&left[..tries.most.min(left.len())], &mut known, context).await {
                    Ok(more) => recorded.extend(tries.succeeded(more)),
                    Err(Failed { error, events }) if error.is_transient() => {
                        tracing::debug!(%error, "retrying");
                        were_others_faster.set(error == TableError::Conflict);
                        if tries.failed(&error, events) == MAX_FAILURES_IN_A_ROW {
                            return Err(error);
                        }
                        tokio::time::sleep(tries.pauses.next()).await;
                    }
                    Err(Failed { error, .. }) => return Err(error),
                }
            }
            Ok(recorded)
        };
        let out_of_time = |_| Err(if were_others_faster.get() { TableError::Conflict } else { TableError::Deadline });
        deadline.bound(record).await.unwrap_or_else(out_of_time)
    }

    /// Records the first of some events of one session, as many as one transaction takes. `looked_up` is what is known of
    /// them, and afterwards of those that are left: nothing, if this fails.
    async fn try_to_record(
        &self,
        news: &[News<'_>],
        looked_up: &mut Option<Known>,
        context: Context<'_>,
    ) -> Result<Vec<Recorded>, Failed> {
        let mut known = match looked_up.take() {
            Some(known) => known,
            None => self.known(news).await?,
        };
        if let Some(session) = known.lacking_part_ids(news) {
            known.learn(self.learn_part_ids(session).await?);
        }
        loop {
            let Folded { recorded, session, is_due, writes } = self.fold(news, &known, context)?;
            let failed = |error| Failed { error, events: recorded.len() };
            let written = match &session {
                None => Written::Yes,
                Some(session) => self.write_folded(session, is_due, writes, &known).await.map_err(failed)?,
            };
            match written {
                Written::Yes => {
                    *looked_up = known.after(recorded.len(), session, is_due);
                    return Ok(recorded);
                }
                // A notification before these is still in the outbox, and has to be published first.
                Written::CheckFailed if known.outbox == Outbox::Unknown => known.outbox = Outbox::Waiting,
                // Another writer has recorded one of them since they were looked for.
                Written::ConditionFailed | Written::CheckFailed => return Err(failed(TableError::Conflict)),
            }
        }
    }

    /// Folds events into their session, as many as one transaction takes.
    fn fold(&self, news: &[News<'_>], known: &Known, context: Context<'_>) -> Result<Folded, TableError> {
        let Context { source: Source { trace, .. }, now: due_since } = context;
        let mut folded = Folded::default();
        for (news, event) in news.iter().zip(&known.events) {
            let before = folded.session.as_ref().or(known.session.as_ref());
            if let Some(first) = known.first_copy(news, event) {
                let first = FirstCopy::of(first, before, known.poll);
                folded.recorded.push(Recorded::Duplicate(Box::new(first)));
                continue;
            }
            let read = news.as_read(known.is_read(news, event));
            let Applied { session, notification } = Session::apply(before, &read, self.sequence_base);
            let entry = notification.map(|notification| OutboxEntry { notification, due_since, trace });
            let last = before.map_or(0, |before| before.notifications);
            let mut writes = self.writes_of(&read, news.part, context.source, event, known.is_new)?;
            if let Some(entry) = &entry {
                writes.push(self.put(items::outbox_entry(&PartitionKey::of(&read.session), entry, last)?)?);
            }
            if !folded.writes.add(writes) {
                break;
            }
            folded.session = Some(session);
            folded.is_due |= entry.is_some();
            folded.recorded.push(Recorded::New { due: entry.map(|entry| known.outbox.due(entry)) });
        }
        Ok(folded)
    }

    /// The writes of one event, beside its session and its notification. The first is the event.
    fn writes_of(
        &self,
        event: &SessionEvent,
        part: &Part,
        source: Source<'_>,
        known: &KnownEvent,
        is_of_new_session: bool,
    ) -> Result<Vec<TransactWriteItem>, TableError> {
        let key = PartitionKey::of(&event.session);
        let payload = Payload { source: source.path, text: &part.payload };
        let mut writes = vec![
            self.put_if_absent(items::event(&key, event, source.evidence)?)?,
            self.put(items::payload(&key, event, payload, self.retention))?,
        ];
        // The items that are looked at first aren't read at one moment, so the record's version alone doesn't say that
        // these were still absent when it was read. A session that isn't there yet has none.
        let others = part.other_stamp.iter().chain(part.other_reading.as_ref().filter(|_| !event.is_second_reading()));
        for id in others.filter(|_| !is_of_new_session) {
            writes.push(self.check_absent(items::key(&key, &items::event_sk(id)))?);
        }
        if let Some(binding) = part.binding.as_ref().filter(|_| !known.is_bound()) {
            let key = PartitionKey::of(&binding.session);
            writes.push(self.put_if_absent(items::binding(&key, &event.event_id, &binding.object_id))?);
        }
        Ok(writes)
    }

    /// Writes events with what they make of their session. The check that all before them is told comes last.
    async fn write_folded(
        &self,
        session: &Session,
        is_due: bool,
        writes: Writes,
        known: &Known,
    ) -> Result<Written, TableError> {
        let (key, before) = (PartitionKey::of(&session.key), known.session.as_ref());
        let mut writes = writes.all();
        writes.push(self.put_session(&key, session, before)?);
        let last = before.map_or(0, |before| before.notifications);
        if is_due && last > 0 && known.outbox == Outbox::Unknown {
            writes.push(self.check_absent(items::key(&key, &items::notification_sk(last)))?);
        }
        self.write(writes).await
    }
}

impl FirstCopy {
    fn of(event: &SessionEvent, session: Option<&Session>, poll: Option<ScheduledPoll>) -> Self {
        Self {
            event: event.clone(),
            is_decided: session.is_some_and(Session::has_final_decision),
            decided_at: session.and_then(|session| Some(session.decision.as_ref()?.rank.at)),
            poll,
        }
    }

    /// Returns whether a decision has come since the event did: what it told unconfirmed has been asked about.
    pub(crate) fn is_answered(&self) -> bool {
        self.decided_at.is_some_and(|at| at >= self.event.received_at)
    }
}

impl Outbox {
    /// How a notification that is written now is published.
    fn due(self, entry: OutboxEntry) -> Due {
        match self {
            Self::Unknown | Self::Ours => Due::Next(Box::new(entry)),
            Self::Waiting => Due::Outbox(entry.notification.session),
        }
    }
}

impl Default for Tries {
    fn default() -> Self {
        Self { most: usize::MAX, unconfirmed: 0, failures: 0, pauses: Pauses::default() }
    }
}

impl Tries {
    /// Counts a success, and returns what became of the events. An earlier try whose answer was lost may have recorded
    /// those that seem to be copies. An unneeded look into the outbox does no harm; leaving a notification to the relay
    /// would cost a minute.
    fn succeeded(&mut self, recorded: Vec<Recorded>) -> impl Iterator<Item = Recorded> {
        let (events, may_be_ours) = (recorded.len(), self.unconfirmed);
        let (most, unconfirmed) = (self.most.saturating_mul(2), may_be_ours.saturating_sub(events));
        *self = Self { most, unconfirmed, ..Self::default() };
        recorded.into_iter().enumerate().map(move |(place, recorded)| match recorded {
            Recorded::Duplicate(first) if place < may_be_ours => {
                Recorded::New { due: Some(Due::Outbox(first.event.session)) }
            }
            recorded => recorded,
        })
    }

    /// Counts a failure to record so many events, and returns how many there were in a row that were no conflicts.
    fn failed(&mut self, error: &TableError, events: usize) -> u32 {
        self.most = 1;
        self.failures = if *error == TableError::Conflict { 0 } else { self.failures + 1 };
        if matches!(error, TableError::Unconfirmed(_)) {
            self.unconfirmed = self.unconfirmed.max(events);
        }
        self.failures
    }
}
