//! Looking up what the table knows of events that may be news, of many of them at once.

use super::{
    KEYS_PER_READ, SessionsTable,
    error::TableError,
    items::{self, EventItem, Item, PartitionKey, read, string},
    polls::ScheduledPoll,
};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
};
use verdict_sessions::{EventId, Provider, Session, SessionEvent, SessionKey};
use verdict_webhooks::Part;

/// The number of batches that are read at the same time.
const READS_AT_A_TIME: usize = 8;

/// An event that may be new, and the part of a webhook that it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct News<'n> {
    pub(crate) event: &'n SessionEvent,
    pub(crate) part: &'n Part,
}

/// The table's knowledge of a session, and of events that may be news of it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(super) session: Option<Session>,
    /// True if the session wasn't there: all events that it has by now come from the same webhook.
    pub(super) is_new: bool,
    pub(super) outbox: Outbox,
    pub(super) poll: Option<ScheduledPoll>,
    /// One for each event that was looked up and isn't recorded yet, in their order.
    pub(super) events: Vec<KnownEvent>,
    /// The ids of today of the session's events, if release 0.1 wrote it last.
    learned: HashSet<EventId>,
}

/// The notifications of a session that aren't told yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outbox {
    /// There may be some.
    Unknown,
    /// There are none, except those that were made due since the session was looked up.
    Ours,
    /// There are others.
    Waiting,
}

/// The table's knowledge of one event.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownEvent {
    event: Option<SessionEvent>,
    /// The event of the same webhook with another stamp.
    other_stamp: Option<SessionEvent>,
    /// True if the event is recorded under an id that the first release gave it, for another webhook.
    is_same: bool,
    /// True if the same part was recorded as another name had it read.
    is_read: bool,
    /// The unsigned id that the part came with first.
    bound_to: Option<String>,
}

/// The items of some partitions, by partition and sort key.
type Found = HashMap<PartitionKey, HashMap<String, Item>>;

/// The key of an item.
type Key = (PartitionKey, String);

impl SessionsTable {
    /// Looks up what is known of events, by session. `None` if an item of the session can't be read.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn known_of_sessions(&self, sessions: &[Vec<News<'_>>]) -> Result<Vec<Option<Known>>, TableError> {
        let mut found = self.look_up(&sessions.concat()).await?;
        Ok(sessions.iter().map(|news| Known::of(news, &mut found).ok()).collect())
    }

    /// Looks up what is known of events of one session.
    ///
    /// # Errors
    /// [`TableError`].
    pub(super) async fn known(&self, news: &[News<'_>]) -> Result<Known, TableError> {
        Known::of(news, &mut self.look_up(news).await?)
    }

    /// Reads the sessions, their places on the poll schedule, each event by every id that it may be known by, the same
    /// part under another name, and what the part is bound to: all in one call, if it takes them. Else the sessions are
    /// read first, and a session that isn't there has no events.
    async fn look_up(&self, news: &[News<'_>]) -> Result<Found, TableError> {
        let mut first: BTreeSet<Key> = news.iter().flat_map(News::keys_beside_events).collect();
        let mut events: BTreeSet<Key> = news.iter().flat_map(News::keys_of_events).collect();
        if first.len() + events.len() <= KEYS_PER_READ {
            first.append(&mut events);
        }
        let mut found = Found::new();
        self.read_into(&mut found, first).await?;
        events.retain(|(pk, _)| found.get(pk).is_some_and(|items| items.contains_key(items::STATE)));
        self.read_into(&mut found, events).await?;
        Ok(found)
    }

    async fn read_into(&self, found: &mut Found, keys: BTreeSet<Key>) -> Result<(), TableError> {
        let keys: Vec<Item> = keys.iter().map(|(pk, sk)| items::key(pk, sk)).collect();
        let reads = stream::iter(keys.chunks(KEYS_PER_READ)).map(|keys| self.items(keys.to_vec()));
        let mut reads = reads.buffer_unordered(READS_AT_A_TIME);
        while let Some(items) = reads.try_next().await? {
            for item in items {
                let (pk, sk) = (string(&item, "pk").unwrap_or_default(), string(&item, "sk").unwrap_or_default());
                let (pk, sk) = (PartitionKey::stored(pk), sk.to_owned());
                found.entry(pk).or_default().insert(sk, item);
            }
        }
        Ok(())
    }
}

impl<'n> News<'n> {
    /// The event as it counts: if its part was read under another name before, it decides nothing.
    pub(super) fn as_read(&self, is_read: bool) -> Cow<'n, SessionEvent> {
        if is_read { Cow::Owned(self.event.clone().as_second_reading()) } else { Cow::Borrowed(self.event) }
    }

    fn partition(&self) -> PartitionKey {
        PartitionKey::of(&self.event.session)
    }

    /// The keys of the session, its place on the poll schedule, and what the part is bound to.
    fn keys_beside_events(&self) -> Vec<Key> {
        let mut keys = vec![(self.partition(), items::STATE.to_owned())];
        if self.event.session.provider == Provider::Incode {
            keys.push((self.partition(), items::POLL.to_owned()));
        }
        if let Some(binding) = &self.part.binding {
            keys.push((PartitionKey::of(&binding.session), items::bound_sk(&self.event.event_id)));
        }
        keys
    }

    /// The keys of items that are there only if the session is.
    fn keys_of_events(&self) -> Vec<Key> {
        let Part { former_id, other_reading, other_stamp, .. } = self.part;
        let id = &self.event.event_id;
        let mut sort_keys = vec![items::event_sk(id)];
        sort_keys.extend(former_id.iter().flat_map(|former| [items::event_sk(former), items::same_sk(id)]));
        sort_keys.extend(other_stamp.iter().map(items::event_sk));
        sort_keys.extend(other_reading.iter().flat_map(|other| [items::event_sk(other), items::same_sk(other)]));
        sort_keys.into_iter().map(|sk| (self.partition(), sk)).collect()
    }
}

impl Known {
    fn of(news: &[News<'_>], found: &mut Found) -> Result<Self, TableError> {
        let partition = news.first().map(News::partition);
        let mut own = partition.and_then(|partition| found.remove(&partition)).unwrap_or_default();
        let session = own.remove(items::STATE).map(items::read_session).transpose()?;
        let events = news.iter().map(|news| KnownEvent::of(*news, &own, found)).collect::<Result<_, _>>()?;
        Ok(Self {
            is_new: session.is_none(),
            session,
            outbox: Outbox::Unknown,
            poll: own.get(items::POLL).and_then(ScheduledPoll::read),
            events,
            learned: HashSet::new(),
        })
    }

    /// The session, if the release that wrote it last gave events ids of another sort, of which the ids of today are not
    /// written down yet, and one of these events may be known by them.
    pub(super) fn lacking_part_ids<'n>(&self, news: &[News<'n>]) -> Option<&'n SessionKey> {
        let is_old = self.session.as_ref().is_some_and(|session| session.status_since.is_none());
        let may_be_known = |(news, event): &(&News<'n>, &KnownEvent)| {
            news.part.former_id.is_some() && self.first_copy(news, event).is_none()
        };
        news.iter().zip(&self.events).filter(|_| is_old).find(may_be_known).map(|(news, _)| &news.event.session)
    }

    /// Adds ids of today of the session's events.
    pub(super) fn learn(&mut self, ids: HashSet<EventId>) {
        self.learned.extend(ids);
    }

    /// The recorded event that one of the events is a copy of; itself, if only the id of that one is known.
    pub(super) fn first_copy<'k>(&self, news: &News<'k>, known: &'k KnownEvent) -> Option<&'k SessionEvent> {
        let is_known =
            known.is_same || known.is_bound_elsewhere(news.part) || self.learned.contains(&news.event.event_id);
        known.event.as_ref().or(known.other_stamp.as_ref()).or(is_known.then_some(news.event))
    }

    /// Returns whether the part of one of the events was recorded as another name had it read.
    pub(super) fn is_read(&self, news: &News<'_>, known: &KnownEvent) -> bool {
        known.is_read || news.part.other_reading.as_ref().is_some_and(|id| self.learned.contains(id))
    }

    /// The knowledge of the events that are left, once the first are recorded: if that made another record, with this
    /// one, and if it made a notification due, without others that wait. `None` if none is left.
    pub(super) fn after(mut self, recorded: usize, session: Option<Session>, is_due: bool) -> Option<Self> {
        self.events.drain(..recorded);
        if is_due && self.outbox == Outbox::Unknown {
            self.outbox = Outbox::Ours;
        }
        (!self.events.is_empty()).then(|| Self { session: session.or(self.session.take()), ..self })
    }
}

impl KnownEvent {
    fn of(news: News<'_>, own: &HashMap<String, Item>, found: &Found) -> Result<Self, TableError> {
        let News { event, part } = news;
        let recorded = |id: Option<&EventId>| {
            let item = id.and_then(|id| own.get(&items::event_sk(id))).cloned();
            let event = item.map(|item| read::<EventItem>(item, "event")).transpose()?;
            Ok::<_, TableError>(event.map(|item| item.event))
        };
        let has = |sk: String| own.contains_key(&sk);
        let Part { former_id, other_reading, other_stamp, binding, .. } = part;
        let bound = binding
            .as_ref()
            .and_then(|binding| found.get(&PartitionKey::of(&binding.session))?.get(&items::bound_sk(&event.event_id)));
        Ok(Self {
            event: recorded(Some(&event.event_id))?.or(recorded(former_id.as_ref())?),
            other_stamp: recorded(other_stamp.as_ref())?,
            is_same: former_id.is_some() && has(items::same_sk(&event.event_id)),
            is_read: other_reading.as_ref().is_some_and(|id| has(items::event_sk(id)) || has(items::same_sk(id))),
            bound_to: bound.and_then(|item| string(item, "objectId")).map(str::to_owned),
        })
    }

    /// Returns whether the part is bound to an unsigned id yet.
    pub(super) fn is_bound(&self) -> bool {
        self.bound_to.is_some()
    }

    /// Returns whether the part came with another unsigned id before.
    fn is_bound_elsewhere(&self, part: &Part) -> bool {
        let ids = self.bound_to.as_ref().zip(part.binding.as_ref());
        ids.is_some_and(|(bound_to, binding)| *bound_to != binding.object_id)
    }
}
