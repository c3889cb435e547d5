//! The sessions table: one table, five sorts of item.
//!
//! | item | pk | sk |
//! |---|---|---|
//! | session | `SESSION#{provider}/{sessionId}` | `STATE` |
//! | event | same | `EVENT#{eventId}` |
//! | payload | same | `PAYLOAD#{eventId}` |
//! | outbox entry | same | `NOTIFICATION#{sequence}` |
//! | poll | same | `POLL` |
//!
//! An event is recorded in one transaction: the event if it is not there yet, its payload, the session
//! if nobody else has changed it meanwhile, and the outbox entry if a notification is due. So each
//! fact counts once, and a notification exists exactly if its change does.

mod items;
mod polls;

pub(crate) use items::PartitionKey;
pub(crate) use polls::{Cause, Poll, PollReason};

use crate::{AwsError, Deadline, backoff::Pauses};
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{
        query::{QueryOutput, builders::QueryFluentBuilder},
        transact_write_items::TransactWriteItemsError,
    },
    types::{AttributeValue, CancellationReason, KeysAndAttributes, Put, TransactWriteItem},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use items::{Item, OUTBOX_SHARDS, OutboxItem, SessionItem, number, read, string};
use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    time::Duration,
};
use thiserror::Error;
use verdict_sessions::{Applied, EventId, Notification, Session, SessionEvent, SessionKey, Timestamp};

/// After so many failures in a row, each of which is several of the SDK's own, the table is taken to be out of reach: a
/// webhook is better off on the intake queue, and a throttled table without it.
const FAILURES_IN_A_ROW: u32 = 3;

/// How many entries a page of the sessions API holds.
const PAGE: i32 = 50;

/// The table.
#[derive(Clone, Debug)]
pub struct SessionsTable {
    client: Client,
    name: String,
    retention: Duration,
}

/// What is stored of a webhook, or of an answer to a poll.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'p> {
    /// The path that it came to or was fetched from: several bodies don't say what they are.
    pub source: &'p str,
    /// The minimised payload as JSON text.
    pub text: &'p str,
}

/// What recording an event came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It was new.
    New {
        /// Whether it changed the decision, so that the outbox now holds a notification.
        notification_due: bool,
    },
    /// The event was there already.
    Duplicate,
}

/// Part of a list, and where the rest begins.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// Why the table could not do it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TableError {
    /// Somebody else wrote the session meanwhile. Read again and try again.
    #[error("another writer was faster")]
    Conflict,
    /// Trying again did not help in time.
    #[error("out of time")]
    Deadline,
    /// DynamoDB did not do it.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The transaction's answer was lost: it may have taken effect.
    #[error("unconfirmed: {0}")]
    Unconfirmed(AwsError),
    /// A stored item is not what this version writes.
    #[error("a stored {0} can't be read")]
    Unreadable(&'static str),
    /// What should be written is nothing that DynamoDB stores: a bug.
    #[error("a request with this {0} can't be built")]
    Unwritable(&'static str),
}

impl TableError {
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Conflict | Self::Unconfirmed(_) => true,
            Self::Aws(error) => error.may_pass(),
            Self::Deadline | Self::Unreadable(_) | Self::Unwritable(_) => false,
        }
    }

    /// Whether one session is the trouble, by what is stored of it or by who else writes it, so that others may well get
    /// through.
    pub(crate) fn is_of_one_session(&self) -> bool {
        match self {
            Self::Conflict | Self::Unreadable(_) | Self::Unwritable(_) => true,
            Self::Aws(error) => error.is_of_the_request(),
            Self::Deadline | Self::Unconfirmed(_) => false,
        }
    }
}

impl SessionsTable {
    pub(crate) fn new(client: Client, name: String, retention: Duration) -> Self {
        Self { client, name, retention }
    }

    /// Records one event: folds it into its session, once, whoever else is writing.
    ///
    /// Tries again, with growing random pauses: while others are faster, until the time is up; where the table can't
    /// be reached, a few times.
    ///
    /// # Errors
    /// [`TableError::Deadline`]; [`TableError::Conflict`] where others were faster to the last; or what trying again
    /// didn't help or can't.
    pub async fn record(
        &self,
        event: &SessionEvent,
        payload: Payload<'_>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Recorded, TableError> {
        let were_others_faster = Cell::new(false);
        let tries = async {
            let mut pauses = Pauses::default();
            let mut may_be_ours = false;
            let mut failures = 0;
            loop {
                match self.try_to_record(event, payload, now).await {
                    // An earlier try whose answer was lost may have recorded it. To publish once more
                    // than needed does no harm; to leave it to the relay would cost a minute.
                    Ok(Recorded::Duplicate) if may_be_ours => return Ok(Recorded::New { notification_due: true }),
                    Err(error) if error.may_pass() => {
                        tracing::debug!(%error, "trying again");
                        may_be_ours |= matches!(error, TableError::Unconfirmed(_));
                        were_others_faster.set(error == TableError::Conflict);
                        failures = if error == TableError::Conflict { 0 } else { failures + 1 };
                        if failures == FAILURES_IN_A_ROW {
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

    async fn try_to_record(
        &self,
        event: &SessionEvent,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<Recorded, TableError> {
        let key = PartitionKey::of(&event.session);
        let before = self.session(&event.session).await?;
        let after = Session::apply(before.as_ref(), event);

        // The order matters: the reasons of a cancelled transaction come in it.
        let mut writes = vec![
            self.put_if_absent(items::event(&key, event)?)?,
            self.put(items::payload(&key, event, payload, self.retention))?,
            self.put_session(&key, &after.session, before.as_ref())?,
        ];
        if let Some(notification) = &after.notification {
            writes.push(self.put(items::outbox_entry(&key, notification, now)?)?);
        }

        Ok(match self.write(writes).await? {
            Written::Yes => Recorded::New { notification_due: after.notification.is_some() },
            Written::FirstRefused => Recorded::Duplicate,
        })
    }

    /// Writes all or nothing.
    async fn write(&self, writes: Vec<TransactWriteItem>) -> Result<Written, TableError> {
        let written = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        match written {
            Ok(_) => Ok(Written::Yes),
            Err(error) => match Cancelled::by(&error) {
                Some(Cancelled::FirstRefused) => Ok(Written::FirstRefused),
                Some(Cancelled::Conflict) => Err(TableError::Conflict),
                Some(Cancelled::Throttled) => Err(AwsError::throttled().into()),
                None => Err(match AwsError::new(&error) {
                    error if error.may_have_happened() => TableError::Unconfirmed(error),
                    error => error.into(),
                }),
            },
        }
    }

    /// A session's record, as of now.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn session(&self, session: &SessionKey) -> Result<Option<Session>, TableError> {
        let item = self.item(&PartitionKey::of(session), items::STATE).await?;
        item.map(|item| Ok(read::<SessionItem>(item, "session")?.session)).transpose()
    }

    /// What was recorded of the copy of an event that came first.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn first_copy(&self, event: &SessionEvent) -> Result<Option<SessionEvent>, TableError> {
        let item = self.item(&PartitionKey::of(&event.session), &items::event_sk(&event.event_id)).await?;
        item.map(|item| Ok(read::<items::EventItem>(item, "event")?.event)).transpose()
    }

    /// A session's events, by arrival within the page; `None` where the cursor is not one.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn events(
        &self,
        session: &SessionKey,
        cursor: Option<&str>,
    ) -> Result<Option<Page<SessionEvent>>, TableError> {
        let key = PartitionKey::of(session);
        let start = match cursor.map(decode_cursor) {
            None => None,
            Some(Some(sk)) if sk.starts_with(items::EVENT) => Some(items::key(&key, &sk)),
            Some(_) => return Ok(None),
        };
        let Some(answer) = page(self.query(&key, items::EVENT), start).await? else { return Ok(None) };
        let next = answer.last_evaluated_key.as_ref().and_then(|key| string(key, "sk")).map(encode_cursor);
        let mut items: Vec<SessionEvent> = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|item| Ok(read::<items::EventItem>(item, "event")?.event))
            .collect::<Result<_, TableError>>()?;
        items.sort_by(|a, b| (a.received_at, &a.event_id).cmp(&(b.received_at, &b.event_id)));
        Ok(Some(Page { items, next }))
    }

    /// The sessions of one reference, oldest first; `None` where the cursor is not one.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn by_reference(
        &self,
        reference: &str,
        cursor: Option<&str>,
    ) -> Result<Option<Page<Session>>, TableError> {
        let start = match cursor.map(decode_cursor) {
            None => None,
            Some(text) => match text.as_deref().and_then(|text| text.split_once(' ')) {
                Some((at, pk)) if pk.starts_with(items::SESSION) => Some(items::reference_key(reference, at, pk)),
                _ => return Ok(None),
            },
        };
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("reference")
            // An alias, since REFERENCE is one of DynamoDB's reserved words.
            .key_condition_expression("#reference = :reference")
            .expression_attribute_names("#reference", "reference")
            .expression_attribute_values(":reference", AttributeValue::S(reference.to_owned()));
        let Some(found) = page(query, start).await? else { return Ok(None) };
        let next = found
            .last_evaluated_key
            .as_ref()
            .and_then(|key| Some(encode_cursor(&format!("{} {}", string(key, "referenceAt")?, string(key, "pk")?))));
        // A session that has just moved within the index may be in it twice.
        let found = found.items.unwrap_or_default();
        let found: HashSet<&str> = found.iter().filter_map(|item| string(item, "pk")).collect();
        let keys = found.into_iter().map(|pk| items::state_key(&PartitionKey::stored(pk))).collect();
        let mut items = self.batch_get(keys).await?;
        items.sort_by(|a, b| (a.first_event_at, &a.key).cmp(&(b.first_event_at, &b.key)));
        // The index lags behind the table: a session may have got another reference since.
        items.retain(|session| session.reference.as_ref().is_some_and(|kept| kept.value == reference));
        Ok(Some(Page { items, next }))
    }

    async fn batch_get(&self, mut keys: Vec<Item>) -> Result<Vec<Session>, TableError> {
        let mut sessions = Vec::new();
        let mut pauses = Pauses::default();
        while !keys.is_empty() {
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let wanted = wanted.map_err(|_| TableError::Unwritable("key"))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.name, wanted)
                .send()
                .await
                .map_err(|error| AwsError::new(&error))?;
            for item in answer.responses.into_iter().flat_map(HashMap::into_values).flatten() {
                sessions.push(read::<SessionItem>(item, "session")?.session);
            }
            // What DynamoDB left out for its limits on size or throughput.
            keys =
                answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values).flat_map(|left| left.keys).collect();
            if !keys.is_empty() {
                tokio::time::sleep(pauses.next()).await;
            }
        }
        Ok(sessions)
    }

    /// All of a session's events.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn all_events(&self, session: &SessionKey) -> Result<Vec<SessionEvent>, TableError> {
        let mut events = Vec::new();
        let mut pages = self.query(&PartitionKey::of(session), items::EVENT).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| AwsError::new(&error))?;
            events.push(read::<items::EventItem>(item, "event")?.event);
        }
        Ok(events)
    }

    /// Hands over what is stored of a session's webhooks one by one, since together they may be large: the event,
    /// the path it came to, the payload.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn each_payload(
        &self,
        session: &SessionKey,
        mut each: impl FnMut(&EventId, &str, &str),
    ) -> Result<(), TableError> {
        let mut pages = self.query(&PartitionKey::of(session), items::PAYLOAD).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| AwsError::new(&error))?;
            let (event_id, source, payload) = items::stored_payload(&item).ok_or(TableError::Unreadable("payload"))?;
            each(&event_id, source, payload);
        }
        Ok(())
    }

    /// Writes an event anew, as a corrected reader has it.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn replace_event(&self, event: &SessionEvent) -> Result<(), TableError> {
        let key = PartitionKey::of(&event.session);
        let put = self.client.put_item().table_name(&self.name).set_item(Some(items::event(&key, event)?));
        put.condition_expression("attribute_exists(pk)").send().await.map_err(|error| AwsError::new(&error))?;
        Ok(())
    }

    /// Puts another record in a session's place, and what is to be notified of that in its outbox, unless somebody
    /// else has changed the session since.
    ///
    /// # Errors
    /// [`TableError::Conflict`] where somebody has.
    pub(crate) async fn replace_session(
        &self,
        before: &Session,
        after: &Applied,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let key = PartitionKey::of(&before.key);
        let mut writes = vec![self.put_session(&key, &after.session, Some(before))?];
        if let Some(notification) = &after.notification {
            writes.push(self.put(items::outbox_entry(&key, notification, now)?)?);
        }
        match self.write(writes).await? {
            Written::Yes => Ok(()),
            // The only condition is the session's version, and it comes first here.
            Written::FirstRefused => Err(TableError::Conflict),
        }
    }

    /// What a session's outbox holds, in order of sequence, from the oldest entry and without a gap.
    ///
    /// # Errors
    /// [`TableError`]; [`TableError::Conflict`] where the oldest entry is only just being written.
    pub(crate) async fn outbox(&self, session: &PartitionKey) -> Result<Vec<Notification>, TableError> {
        let mut notifications = Vec::new();
        let mut pages = self.query(session, items::NOTIFICATION).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| AwsError::new(&error))?;
            notifications.push(read::<OutboxItem>(item, "outbox entry")?.notification);
        }
        let notifications = in_order(notifications);
        // A query may see one transaction's entry and not yet that of the transaction before; a look at a single item
        // is not ahead of any.
        if let Some(first) = notifications.first().filter(|first| first.sequence > 1)
            && self.item(session, &items::notification_sk(first.sequence - 1)).await?.is_some()
        {
            return Err(TableError::Conflict);
        }
        Ok(notifications)
    }

    /// One item, as of now.
    async fn item(&self, session: &PartitionKey, sk: &str) -> Result<Option<Item>, AwsError> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(items::key(session, sk)));
        Ok(get.consistent_read(true).send().await.map_err(|error| AwsError::new(&error))?.item)
    }

    /// Deletes an outbox entry, once SQS has confirmed it.
    ///
    /// # Errors
    /// [`AwsError`]; the entry will then be published once more, under the same id.
    pub(crate) async fn remove_from_outbox(&self, session: &PartitionKey, sequence: u64) -> Result<(), AwsError> {
        self.client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(items::key(session, &items::notification_sk(sequence))))
            .send()
            .await
            .map_err(|error| AwsError::new(&error))?;
        Ok(())
    }

    /// The sessions whose outbox should have been emptied by `now`, and since when: up to `limit` of each
    /// shard, so that none waits for another, and none of those that are `known`.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn due_sessions(
        &self,
        now: Timestamp,
        limit: usize,
        known: &HashSet<PartitionKey>,
    ) -> Result<Vec<(PartitionKey, Timestamp)>, TableError> {
        self.due((0..OUTBOX_SHARDS).map(items::outbox_shard), now, limit, known).await
    }

    /// The sessions in some shards of the index `due`, the longest due first within each.
    async fn due(
        &self,
        shards: impl Iterator<Item = String>,
        now: Timestamp,
        limit: usize,
        known: &HashSet<PartitionKey>,
    ) -> Result<Vec<(PartitionKey, Timestamp)>, TableError> {
        let mut due = Vec::new();
        for shard in shards {
            let mut entries = self
                .client
                .query()
                .table_name(&self.name)
                .index_name("due")
                .key_condition_expression("dueShard = :shard AND dueAt <= :now")
                .expression_attribute_values(":shard", AttributeValue::S(shard))
                .expression_attribute_values(":now", AttributeValue::S(now.sortable()))
                .into_paginator()
                .items()
                .send();
            // A session's entries are all in one shard, and the oldest comes first.
            let mut found = HashSet::new();
            while found.len() < limit
                && let Some(entry) = entries.next().await
            {
                let entry = entry.map_err(|error| AwsError::new(&error))?;
                let at = string(&entry, "dueAt").and_then(Timestamp::parse);
                let (Some(pk), Some(at)) = (string(&entry, "pk"), at) else {
                    tracing::error!("an entry of the index `due` can't be read; it is passed over");
                    continue;
                };
                let session = PartitionKey::stored(pk);
                if !known.contains(&session) && found.insert(session.clone()) {
                    due.push((session, at));
                }
            }
        }
        Ok(due)
    }

    fn query(&self, key: &PartitionKey, prefix: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(key.as_str().to_owned()))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
    }

    fn put(&self, item: Item) -> Result<TransactWriteItem, TableError> {
        self.transact_put(item, |put| put)
    }

    fn put_if_absent(&self, item: Item) -> Result<TransactWriteItem, TableError> {
        self.transact_put(item, |put| put.condition_expression("attribute_not_exists(pk)"))
    }

    /// Puts a session if it is still what it was when it was read.
    fn put_session(
        &self,
        key: &PartitionKey,
        session: &Session,
        before: Option<&Session>,
    ) -> Result<TransactWriteItem, TableError> {
        let item = items::session(key, session)?;
        match before {
            None => self.put_if_absent(item),
            Some(before) => self.transact_put(item, |put| {
                put.condition_expression("#version = :before")
                    .expression_attribute_names("#version", "version")
                    .expression_attribute_values(":before", number(before.version))
            }),
        }
    }

    fn transact_put(
        &self,
        item: Item,
        condition: impl FnOnce(
            aws_sdk_dynamodb::types::builders::PutBuilder,
        ) -> aws_sdk_dynamodb::types::builders::PutBuilder,
    ) -> Result<TransactWriteItem, TableError> {
        let put = condition(Put::builder().table_name(&self.name).set_item(Some(item)));
        let put = put.build().map_err(|_| TableError::Unwritable("item"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// One page from `start` on; `None` where there is no such place.
async fn page(query: QueryFluentBuilder, start: Option<Item>) -> Result<Option<QueryOutput>, TableError> {
    let from_cursor = start.is_some();
    match query.set_exclusive_start_key(start).limit(PAGE).send().await.map_err(|error| AwsError::new(&error)) {
        Ok(page) => Ok(Some(page)),
        // The question itself is sound, so the cursor was tampered with.
        Err(error) if from_cursor && !error.may_pass() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What became of a transaction.
enum Written {
    Yes,
    /// Nothing, since the condition of its first write did not hold.
    FirstRefused,
}

/// What a cancelled transaction says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancelled {
    /// The condition of its first write did not hold. When an event is recorded, that is: it was there already.
    FirstRefused,
    /// Somebody else wrote the session meanwhile, or is just doing so.
    Conflict,
    /// Too much at once for one of the items.
    Throttled,
}

impl Cancelled {
    /// `None` where it was not cancelled for a reason of ours, so that the error speaks for itself.
    fn by(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> Option<Self> {
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
            return None;
        };
        Self::because(
            cancelled.cancellation_reasons().iter().map(|reason| CancellationReason::code(reason).unwrap_or_default()),
        )
    }

    /// The reasons come in the order of the writes.
    fn because<'r>(reasons: impl Iterator<Item = &'r str>) -> Option<Self> {
        let mut cancelled = None;
        for (position, code) in reasons.enumerate() {
            match code {
                "ConditionalCheckFailed" if position == 0 => return Some(Self::FirstRefused),
                "ConditionalCheckFailed" | "TransactionConflict" => cancelled = Some(Self::Conflict),
                code if AwsError::is_throttling(code) => cancelled = cancelled.or(Some(Self::Throttled)),
                _ => {}
            }
        }
        cancelled
    }
}

/// By number: as text, 10 would come before 2. And up to the first gap: an outbox has none, but what is written between
/// two pages of a long one can hide an earlier entry from the reader, and a later one must not overtake it.
fn in_order(mut notifications: Vec<Notification>) -> Vec<Notification> {
    notifications.sort_by_key(|notification| notification.sequence);
    let first = notifications.first().map_or(0, |notification| notification.sequence);
    let unbroken =
        notifications.iter().zip(first..).take_while(|(entry, expected)| entry.sequence == *expected).count();
    notifications.truncate(unbroken);
    notifications
}

fn encode_cursor(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

fn decode_cursor(cursor: &str) -> Option<String> {
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_of_a_cancelled_transaction_are_told_apart() {
        const NONE: &str = "None";
        const FAILED: &str = "ConditionalCheckFailed";
        let cases: [(&[&str], Option<Cancelled>); 10] = [
            (&[FAILED, NONE, NONE], Some(Cancelled::FirstRefused)),
            (&[FAILED, NONE, FAILED, NONE], Some(Cancelled::FirstRefused)),
            (&[NONE, NONE, FAILED], Some(Cancelled::Conflict)),
            (&[NONE, NONE, "TransactionConflict", NONE], Some(Cancelled::Conflict)),
            (&["TransactionConflict", NONE, NONE], Some(Cancelled::Conflict)),
            (&[NONE, "ThrottlingError", NONE], Some(Cancelled::Throttled)),
            (&[NONE, "ProvisionedThroughputExceeded", NONE], Some(Cancelled::Throttled)),
            (&["ThrottlingError", NONE, FAILED], Some(Cancelled::Conflict)),
            (&[NONE, "ValidationError", NONE], None),
            (&[], None),
        ];
        for (reasons, expected) in cases {
            assert_eq!(Cancelled::because(reasons.iter().copied()), expected, "{reasons:?}");
        }
    }

    #[test]
    fn an_outbox_is_published_by_number_and_up_to_its_first_gap() {
        let of = |sequences: &[u64]| {
            let entries = sequences.iter().map(|sequence| {
                serde_json::from_value(serde_json::json!({
                    "provider": "veriff", "sessionId": "s", "kind": "verification", "sequence": sequence,
                    "outcome": "review", "final": false, "correction": false, "decidedAt": "2026-06-13T00:38:30Z",
                }))
                .unwrap()
            });
            in_order(entries.collect()).iter().map(|entry| entry.sequence).collect::<Vec<_>>()
        };
        assert_eq!(of(&[10, 11, 8, 9]), [8, 9, 10, 11]);
        assert_eq!(of(&[20, 21, 18]), [18]);
        assert_eq!(of(&[]), Vec::<u64>::new());
    }

    #[test]
    fn a_cursor_is_its_own_inverse_and_garbage_is_none() {
        assert_eq!(decode_cursor(&encode_cursor("EVENT#é 1")).as_deref(), Some("EVENT#é 1"));
        assert_eq!(decode_cursor("%%%"), None);
    }
}
