//! Recording an event: folds it into its session, and writes all that belongs together in one transaction.

use super::{
    SessionsTable,
    error::TableError,
    items::{self, EventItem, Item, PartitionKey, Payload, SessionItem, read, string},
    outbox::OutboxEntry,
    polls::ScheduledPoll,
    transaction::Written,
};
use crate::time::{backoff::Pauses, deadline::Deadline};
use std::cell::Cell;
use verdict_sessions::{Applied, EventId, Evidence, Provider, Session, SessionEvent, SessionKey, Timestamp, Trace};
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
    /// All before it are told, so that it can be published as it is here.
    Next(Box<OutboxEntry>),
    /// Others may wait before it: the outbox has to be read.
    Outbox(SessionKey),
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

impl FirstCopy {
    /// Returns whether a decision has come since the event did: what it told unconfirmed has been asked about.
    pub(crate) fn is_answered(&self) -> bool {
        self.decided_at.is_some_and(|at| at >= self.event.received_at)
    }
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

/// An event that may be new, and the part of a webhook that it comes from.
#[derive(Clone, Copy)]
struct News<'n> {
    event: &'n SessionEvent,
    source: Source<'n>,
    part: &'n Part,
}

/// The table's knowledge of an event and its session.
#[derive(Default)]
struct Known {
    session: Option<Session>,
    event: Option<SessionEvent>,
    /// The event of the same webhook with another stamp.
    other_stamp: Option<SessionEvent>,
    /// True if the event is recorded under an id that the first release gave it, for another webhook.
    is_same: bool,
    /// True if the same part was recorded as another name had it read.
    is_read: bool,
    /// The unsigned id that the part came with first.
    bound_to: Option<String>,
    poll: Option<ScheduledPoll>,
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
        let were_others_faster = Cell::new(false);
        let tries = async {
            let mut pauses = Pauses::default();
            let mut may_be_ours = false;
            let mut failures = 0;
            loop {
                match self.try_to_record(News { event, source, part }, now).await {
                    // An earlier try whose answer was lost may have recorded it. An unneeded look into the outbox does
                    // no harm; leaving a notification to the relay would cost a minute.
                    Ok(Recorded::Duplicate(_)) if may_be_ours => {
                        return Ok(Recorded::New { due: Some(Due::Outbox(event.session.clone())) });
                    }
                    Err(error) if error.is_transient() => {
                        tracing::debug!(%error, "retrying");
                        may_be_ours |= matches!(error, TableError::Unconfirmed(_));
                        were_others_faster.set(error == TableError::Conflict);
                        failures = if error == TableError::Conflict { 0 } else { failures + 1 };
                        if failures == MAX_FAILURES_IN_A_ROW {
                            return Err(error);
                        }
                        tokio::time::sleep(pauses.next()).await;
                    }
                    done => return done,
                }
            }
        };
        let out_of_time = |_| Err(if were_others_faster.get() { TableError::Conflict } else { TableError::Deadline });
        deadline.bound(tries).await.unwrap_or_else(out_of_time)
    }

    async fn try_to_record(&self, news: News<'_>, now: Timestamp) -> Result<Recorded, TableError> {
        let known = self.known(news).await?;
        let copy_of = |known: Known, event| {
            let is_decided = known.session.as_ref().is_some_and(Session::has_final_decision);
            let decided_at = known.session.and_then(|session| session.decision).map(|decision| decision.rank.at);
            Recorded::Duplicate(Box::new(FirstCopy { event, is_decided, decided_at, poll: known.poll }))
        };
        if let Some(event) = known.event.clone().or(known.other_stamp.clone()) {
            return Ok(copy_of(known, event));
        }
        if known.is_same || known.is_bound_elsewhere(news.part) {
            return Ok(copy_of(known, news.event.clone()));
        }
        if known.session.as_ref().is_some_and(|session| may_lack_part_ids(session, news.part)) {
            let ids = self.learn_part_ids(&news.event.session).await?;
            if ids.contains(&news.event.event_id) {
                return Ok(copy_of(known, news.event.clone()));
            }
            let is_read = known.is_read || news.part.other_reading.as_ref().is_some_and(|id| ids.contains(id));
            return self.record_news(news, Known { is_read, ..known }, now).await;
        }
        self.record_news(news, known, now).await
    }

    /// Records an event that isn't known yet.
    async fn record_news(&self, news: News<'_>, known: Known, now: Timestamp) -> Result<Recorded, TableError> {
        let second_reading = known.is_read.then(|| news.event.clone().as_second_reading());
        let news = News { event: second_reading.as_ref().unwrap_or(news.event), ..news };
        let Applied { session, notification } = Session::apply(known.session.as_ref(), news.event, self.sequence_base);
        let trace = news.source.trace;
        let entry = notification.map(|notification| OutboxEntry { notification, due_since: now, trace });
        let write = async |if_all_before_is_told| {
            self.write_recorded(news, &known, &session, entry.as_ref(), if_all_before_is_told).await
        };
        let due = match write(true).await? {
            Written::Yes => entry.map(|entry| Due::Next(Box::new(entry))),
            // Another writer has recorded it since it was looked for.
            Written::ConditionFailed => return Err(TableError::Conflict),
            // The notification before this one is still in the outbox, and has to be published first.
            Written::CheckFailed => match write(false).await? {
                Written::Yes => Some(Due::Outbox(news.event.session.clone())),
                Written::ConditionFailed | Written::CheckFailed => return Err(TableError::Conflict),
            },
        };
        Ok(Recorded::New { due })
    }

    /// Reads the session, the event by each id that it may be known by, the same part under another name, what the part
    /// is bound to, and the session's place on the poll schedule, in one call.
    async fn known(&self, news: News<'_>) -> Result<Known, TableError> {
        let News { event, part, .. } = news;
        let key = PartitionKey::of(&event.session);
        let mut keys = vec![items::state_key(&key), items::key(&key, &items::event_sk(&event.event_id))];
        if let Some(former_id) = &part.former_id {
            keys.push(items::key(&key, &items::event_sk(former_id)));
            keys.push(items::key(&key, &items::same_sk(&event.event_id)));
        }
        keys.extend(part.other_stamp.iter().map(|id| items::key(&key, &items::event_sk(id))));
        if let Some(other) = &part.other_reading {
            keys.extend([items::event_sk(other), items::same_sk(other)].map(|sk| items::key(&key, &sk)));
        }
        if let Some(binding) = &part.binding {
            keys.push(items::key(&PartitionKey::of(&binding.session), &items::bound_sk(&event.event_id)));
        }
        if event.session.provider == Provider::Incode {
            keys.push(items::poll_key(&key));
        }
        self.items(keys).await?.into_iter().try_fold(Known::default(), |known, item| known.with(item, news))
    }

    /// Writes an event and what it makes of its session. The reasons of a cancelled transaction come in this order.
    async fn write_recorded(
        &self,
        news: News<'_>,
        known: &Known,
        after: &Session,
        entry: Option<&OutboxEntry>,
        if_all_before_is_told: bool,
    ) -> Result<Written, TableError> {
        let News { event, source, part } = news;
        let (key, before) = (PartitionKey::of(&event.session), known.session.as_ref());
        let payload = Payload { source: source.path, text: &part.payload };
        let mut writes = vec![
            self.put_if_absent(items::event(&key, event, source.evidence)?)?,
            self.put(items::payload(&key, event, payload, self.retention))?,
            self.put_session(&key, after, before)?,
        ];
        if let Some(entry) = entry {
            let last = before.map_or(0, |session| session.notifications);
            writes.push(self.put(items::outbox_entry(&key, entry, last)?)?);
            if if_all_before_is_told && last > 0 {
                writes.push(self.check_absent(items::key(&key, &items::notification_sk(last)))?);
            }
        }
        // Behind the check above. The items that are looked at first aren't read at one moment, so the record's
        // version alone doesn't say that these were still absent when it was read.
        for id in part.other_stamp.iter().chain(part.other_reading.as_ref().filter(|_| !known.is_read)) {
            writes.push(self.check_absent(items::key(&key, &items::event_sk(id)))?);
        }
        if let Some(binding) = part.binding.as_ref().filter(|_| known.bound_to.is_none()) {
            let key = PartitionKey::of(&binding.session);
            writes.push(self.put_if_absent(items::binding(&key, &event.event_id, &binding.object_id))?);
        }
        self.write(writes).await
    }
}

/// Returns whether the release that wrote a session last gave events ids of another sort, of which the ids of today are
/// not written down yet.
fn may_lack_part_ids(session: &Session, part: &Part) -> bool {
    part.former_id.is_some() && session.status_since.is_none()
}

impl Known {
    fn with(self, item: Item, news: News<'_>) -> Result<Self, TableError> {
        let News { event, part, .. } = news;
        let is_event = |sk: &str, id: &EventId| sk == items::event_sk(id);
        let is_same = |sk: &str, id: &EventId| sk == items::same_sk(id);
        Ok(match string(&item, "sk").unwrap_or_default() {
            items::STATE => Self { session: Some(read::<SessionItem>(item, "session")?.session), ..self },
            sk if is_event(sk, &event.event_id) || part.former_id.as_ref().is_some_and(|id| is_event(sk, id)) => {
                Self { event: Some(read::<EventItem>(item, "event")?.event), ..self }
            }
            sk if part.other_stamp.as_ref().is_some_and(|id| is_event(sk, id)) => {
                Self { other_stamp: Some(read::<EventItem>(item, "event")?.event), ..self }
            }
            sk if is_same(sk, &event.event_id) => Self { is_same: true, ..self },
            sk if part.other_reading.as_ref().is_some_and(|id| is_event(sk, id) || is_same(sk, id)) => {
                Self { is_read: true, ..self }
            }
            sk if sk.starts_with(items::BOUND) => {
                Self { bound_to: string(&item, "objectId").map(str::to_owned), ..self }
            }
            _ => Self { poll: ScheduledPoll::read(&item), ..self },
        })
    }

    /// Returns whether the part came with another unsigned id before.
    fn is_bound_elsewhere(&self, part: &Part) -> bool {
        let ids = self.bound_to.as_ref().zip(part.binding.as_ref());
        ids.is_some_and(|(bound_to, binding)| *bound_to != binding.object_id)
    }
}
