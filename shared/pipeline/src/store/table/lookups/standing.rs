//! Lists of sessions by status, newest first.
//!
//! The index `standing` has the sessions of one status in several shards, each by the time at which the status was
//! entered. The shards are read side by side and merged. A session's place in the index is a text of its own, so that
//! one such text, of the last entry that was looked at, says for all shards where the next page begins.

use super::{
    cursor::List,
    page::{Filling, Page, size_in_answer},
};
use crate::{
    store::table::{
        SessionsTable,
        error::TableError,
        items::{self, Item, PartitionKey, STANDING_SHARDS, string},
    },
    time::deadline::Deadline,
};
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use std::{collections::VecDeque, time::Duration};
use verdict_sessions::{Outcome, Provider, Session, Status, Timestamp};

/// The number of entries that the first query of a shard looks at. Each further one looks at four times as many, for
/// lists of which few entries of the status are.
const FIRST_LOOK: i32 = 16;

/// The time after which a page ends with what was found. A list of which hardly any entry of a large status is takes
/// longer to look through than a request may.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// The places before and after all of the index.
const BEFORE_ALL: &str = "0";
const AFTER_ALL: &str = ":";

/// A list of sessions by status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByStatus {
    /// The status of the sessions.
    pub status: Status,
    /// The provider whose sessions they are.
    pub provider: Option<Provider>,
    /// The outcome of their decisions.
    pub outcome: Option<Outcome>,
    /// The earliest time at which they entered the status.
    pub since: Option<Timestamp>,
    /// The time before which they entered the status.
    pub until: Option<Timestamp>,
}

/// An entry of the index `standing`.
struct Entry {
    at: String,
    shard: String,
    partition: PartitionKey,
}

/// A shard, as far as it was looked at: from its newest entry on.
struct Shard {
    name: String,
    entries: VecDeque<Entry>,
    /// The end of the last query, if that wasn't the end of the shard.
    end: Option<Item>,
    /// The number of entries that the next query looks at; 0 after the last.
    limit: i32,
}

/// A walk over all shards.
struct Walk<'t> {
    table: &'t SessionsTable,
    list: ByStatus,
    /// The places between which the walk stays, both included.
    from: String,
    to: String,
    shards: Vec<Shard>,
    until: Deadline,
}

/// The next step of a walk.
enum Ahead {
    /// An entry, of the shard with this number.
    Entry(usize),
    /// More entries, perhaps, behind this place; but the time is over.
    Unknown(String),
    Nothing,
}

impl SessionsTable {
    /// Reads a page of a list. It is full unless it is the last, or the time is over, or its records are large. Returns
    /// `None` if the cursor is none of this list.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn by_status(&self, list: ByStatus, cursor: Option<&str>) -> Result<Option<Page<Session>>, TableError> {
        let name = list.name();
        let start = match cursor.map(|cursor| name.place(cursor).filter(|place| list.has_place(place))) {
            Some(None) => return Ok(None),
            start => start.flatten(),
        };
        let mut walk = Walk::new(self, list, start);
        let mut filling = Filling::new();
        let mut place = None;
        while filling.room() > 0 {
            let entries = walk.take(filling.room()).await?;
            if entries.is_empty() {
                break;
            }
            let mut records = self.records(entries.iter().map(|entry| &entry.partition)).await?;
            for entry in entries {
                let is_still_here = |record: &Item| entry.is_still_in(record);
                if records.get(&entry.partition).is_some_and(is_still_here)
                    && let Some(record) = records.remove(&entry.partition)
                {
                    let session = items::read_session(record)?;
                    let size = size_in_answer(&session.view());
                    if list.has_outcome_of(&session) && filling.add(session, size).is_err() {
                        return Ok(Some(filling.page(&name, place.as_deref())));
                    }
                }
                place = Some(entry.at);
            }
        }
        let next = match walk.ahead().await? {
            Ahead::Nothing => None,
            Ahead::Entry(_) => place,
            Ahead::Unknown(end) => Some(end),
        };
        Ok(Some(filling.page(&name, next.as_deref())))
    }
}

impl ByStatus {
    fn name(&self) -> List {
        let (since, until) = (self.since.map(Timestamp::sortable), self.until.map(Timestamp::sortable));
        List::new(
            "status",
            &[
                Some(self.status.as_str()),
                self.provider.map(Provider::as_str),
                self.outcome.map(Outcome::as_str),
                since.as_deref(),
                until.as_deref(),
            ],
        )
    }

    /// The places between which the list is. A place begins with its time, and is longer than a time alone.
    fn bounds(&self) -> (String, String) {
        let or = |time: Option<Timestamp>, end: &str| time.map_or_else(|| end.to_owned(), Timestamp::sortable);
        (or(self.since, BEFORE_ALL), or(self.until, AFTER_ALL))
    }

    fn has_outcome_of(&self, session: &Session) -> bool {
        self.outcome.is_none_or(|outcome| session.standing_outcome() == Some(outcome))
    }

    fn has_place(&self, place: &str) -> bool {
        let (from, to) = self.bounds();
        let is_place = place.split_once('#').is_some_and(|(at, digest)| {
            Timestamp::parse(at).is_some_and(|time| time.sortable() == at)
                && digest.len() == 16
                && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        is_place && *from <= *place && *place <= *to
    }
}

impl Entry {
    fn of_item(item: &Item, shard: &str) -> Option<Self> {
        Some(Self {
            at: string(item, "standingAt")?.to_owned(),
            shard: shard.to_owned(),
            partition: PartitionKey::stored(string(item, "pk")?),
        })
    }

    /// Returns whether the session is still where the index, which lags behind the table, has it.
    fn is_still_in(&self, record: &Item) -> bool {
        string(record, "standingShard") == Some(&self.shard) && string(record, "standingAt") == Some(&self.at)
    }
}

impl<'t> Walk<'t> {
    /// A walk from a place on, which is itself left out, or from the beginning.
    fn new(table: &'t SessionsTable, list: ByStatus, start: Option<String>) -> Self {
        let (from, to) = list.bounds();
        let shard = |number| Shard {
            name: items::standing_shard(list.status, number),
            entries: VecDeque::new(),
            end: None,
            limit: FIRST_LOOK,
        };
        Self {
            table,
            list,
            from,
            to: start.unwrap_or(to),
            shards: (0..STANDING_SHARDS).map(shard).collect(),
            until: Deadline::after(LOOK_LIMIT),
        }
    }

    /// Takes the next entries: so many, unless there are no more or the time is over.
    async fn take(&mut self, count: usize) -> Result<Vec<Entry>, TableError> {
        let mut taken = Vec::new();
        while taken.len() < count
            && let Ahead::Entry(shard) = self.ahead().await?
        {
            taken.extend(self.shards[shard].entries.pop_front());
        }
        Ok(taken)
    }

    /// Looks at the next entry. All shards have to be known up to there.
    async fn ahead(&mut self) -> Result<Ahead, TableError> {
        while self.shards.iter().any(Shard::is_unknown) {
            if self.until.remaining().is_zero() && self.shards.iter().all(|shard| shard.limit != FIRST_LOOK) {
                break;
            }
            let (table, list, from, to) = (self.table, self.list, &*self.from, &*self.to);
            let unknown = self.shards.iter_mut().filter(|shard| shard.is_unknown());
            try_join_all(unknown.map(|shard| shard.look(table, list, from, to))).await?;
        }
        let newest =
            self.shards.iter().enumerate().filter_map(|(number, shard)| Some((shard.entries.front()?, number)));
        let newest = newest.max_by(|(a, _), (b, _)| a.at.cmp(&b.at));
        // Up to the newest end of a shard that isn't known further, all entries are known.
        let unknown = self.shards.iter().filter(|shard| shard.is_unknown()).filter_map(Shard::place).max();
        Ok(match (newest, unknown) {
            (Some((entry, number)), unknown) if unknown.is_none_or(|place| *place < *entry.at) => Ahead::Entry(number),
            (_, Some(place)) => Ahead::Unknown(place.to_owned()),
            (_, None) => Ahead::Nothing,
        })
    }
}

impl Shard {
    /// Returns whether its next entry has to be looked for.
    fn is_unknown(&self) -> bool {
        self.entries.is_empty() && self.limit > 0
    }

    /// The place up to which it was looked at.
    fn place(&self) -> Option<&str> {
        string(self.end.as_ref()?, "standingAt")
    }

    /// Looks at more of its entries.
    async fn look(&mut self, table: &SessionsTable, list: ByStatus, from: &str, to: &str) -> Result<(), TableError> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let mut query = table
            .client
            .query()
            .table_name(&table.name)
            .index_name("standing")
            .scan_index_forward(false)
            .key_condition_expression("standingShard = :shard AND standingAt BETWEEN :from AND :to")
            .expression_attribute_values(":shard", text(&self.name))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .set_exclusive_start_key(self.end.take())
            .limit(self.limit);
        let filters = [
            list.provider.map(|provider| ("provider", provider.as_str())),
            list.outcome.map(|outcome| ("outcome", outcome.as_str())),
        ];
        let mut conditions = Vec::new();
        for (name, value) in filters.into_iter().flatten() {
            conditions.push(format!("#{name} = :{name}"));
            query = query
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), text(value));
        }
        if !conditions.is_empty() {
            query = query.filter_expression(conditions.join(" AND "));
        }
        let found = query.send().await?;
        let entries = found.items.iter().flatten().filter_map(|item| Entry::of_item(item, &self.name));
        // The place from which the page begins was the end of the one before.
        self.entries.extend(entries.filter(|entry| entry.at != to));
        self.end = found.last_evaluated_key;
        self.limit = if self.end.is_some() { self.limit.saturating_mul(4) } else { 0 };
        Ok(())
    }
}
