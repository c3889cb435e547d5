//! The items as they are stored.
//!
//! # How stored items may change
//!
//! Items outlive the code that wrote them. Sessions stay for years, no migration runs over the table, and no item says
//! which release wrote it. While a release is deployed, functions of two releases read and write the same items, and a
//! rollback puts the older one back in charge. So each release must read what every release before it wrote, and what
//! it writes itself must be readable for the release before it. An item that can't be read stops its session: the
//! webhooks of that session wait on intake and end in quarantine.
//!
//! - **A new member is optional**: an `Option`, or `#[serde(default)]` with a default that is right for all items that
//!   lack it. The same holds where items are read by hand, as in [`stored_payload`] and in [`polls`](super::polls).
//! - **A member that holds null is left out**: see [`leave_out_nulls`]. For all readers, also those of release 0.1, it
//!   is the same.
//! - **A member keeps its name, type and meaning.** For another meaning, write a new member beside it, and go on
//!   writing the old one as long as the release before reads it.
//! - **Unknown members are allowed**, so there is no `deny_unknown_fields`. The release before ignores a new member, and
//!   drops it when it writes the item again: a session with every event, an event when release 0.1 rebuilds it (since
//!   then, a rebuild replaces nothing but the attribute `event`). So a new member of the session must be one that a
//!   rebuild restores from the events and payloads.
//! - **No closed enum gains or loses a word** (`Kind`, `Status`, `Stage`, `Outcome`, `CheckOutcome`, `Remark`,
//!   [`PollReason`](super::polls::PollReason)): the release before can't read an item with a word that it doesn't know. A new
//!   fact goes into an optional member of its own, as text or as a list of texts. Only a new provider adds a word, to
//!   `Provider`: no item of another provider has it, and a rollback leaves the new provider's sessions unread.
//! - **A rule of the fold may change** only so that a rebuild brings old records right, and old records go on folding
//!   until then: see `Session::without_user_id_as_reference`.
//! - **Keys never change**: `SESSION#`, `STATE`, `EVENT#`, `PAYLOAD#`, `NOTIFICATION#`, `TOLD#`, `BOUND#`, `SAME#`,
//!   `POLL`, `PAUSE`, `RESEND`, and the rules that make an event's id of a webhook: with another id, a copy counts as news.
//!   Where they did change (Treezor's, after 0.1), an event is known by either id, and keeps the one that it was
//!   recorded under. The same holds for the index keys `dueShard`, `dueAt`, `reference`, `referenceAt`,
//!   `standingShard` and `standingAt`. The numbers of shards may grow, and not shrink: relay, poller and lists read
//!   only the shards that they count.
//! - **A new attribute of a record, an event or what was told is named where it is read**: in [`SESSION_ATTRIBUTES`]
//!   and the lists beside it, and in the role of `sessions-api` in `template.yaml`. Otherwise it is written and never
//!   shown.
//! - **A new sort of item gets a sort key that no earlier query finds**: none that begins with one of the keys above.
//! - **Ranks compare as before.** A member that is added to `Rank` must leave the order of stored ranks as it is.
//!
//! The same rules hold for what the items contain, down to the last struct: `Session`, `SessionEvent`, `Notification`.
//!
//! `tests/stored/` has items of each sort as every release wrote them. Today's code reads and rewrites them in the
//! tests of the simulation (`tests/simulation/tests/stored_items/`), which also fail if an item gets another form.

mod repeated;

use super::{error::TableError, outbox::OutboxEntry};
use crate::store::stored_trace;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, collections::HashMap, time::Duration};
use verdict_sessions::{
    EventId, Evidence, Notification, Outcome, Provider, Session, SessionEvent, SessionKey, Status, Timestamp, Trace,
};
use verdict_webhooks::sha256_hex;

/// An item, by attribute name.
pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const SESSION: &str = "SESSION#";
pub(super) const EVENT: &str = "EVENT#";
pub(super) const NOTIFICATION: &str = "NOTIFICATION#";
pub(super) const TOLD: &str = "TOLD#";
pub(super) const PAYLOAD: &str = "PAYLOAD#";
pub(super) const STATE: &str = "STATE";
pub(super) const BOUND: &str = "BOUND#";
const SAME: &str = "SAME#";
pub(super) const POLL: &str = "POLL";
pub(super) const RESEND: &str = "RESEND";

/// The attributes of a session's record that are read. The role of `sessions-api` may read these, and those of the two
/// lists below, and no others: `template.yaml` has them, too.
pub(super) const SESSION_ATTRIBUTES: &[&str] = &[
    "pk",
    "sk",
    "version",
    "status",
    "reference",
    "referenceAt",
    "standingShard",
    "standingAt",
    "provider",
    "outcome",
    "session",
];

/// The attributes of an event that are read.
pub(super) const EVENT_ATTRIBUTES: &[&str] = &["pk", "sk", "event", "evidence"];

/// The attributes of what was told that are read for callers. A resend reads its trace, too.
pub(super) const TOLD_ATTRIBUTES: &[&str] = &["pk", "sk", "toldAt", "messageId", "notification"];

/// The number of partitions of the index `due` that hold outbox entries. One partition takes 1000 writes a second, and
/// every notification is two. If the index can't keep up, it slows the table down.
pub(super) const OUTBOX_SHARDS: u8 = 8;

/// The number of partitions of the index `due` that hold the poll schedule: two writes a session and poll.
pub(super) const POLL_SHARDS: u8 = 4;

/// The number of partitions of the index `standing` that hold the sessions of one status. One partition takes 1000
/// writes a second.
pub(super) const STANDING_SHARDS: u8 = 8;

/// The longest reference that is its own key in the index `reference`, in bytes. DynamoDB allows keys of 2048; references
/// are up to 4000.
const REFERENCE_KEY_LIMIT: usize = 1024;

/// The time for which an entry is left to the function that wrote it. Then it is the relay's.
const INLINE_GRACE: Duration = Duration::from_secs(10);

/// The payload of a webhook, or of an answer to a poll.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'p> {
    /// The path that it came to or was fetched from: some bodies don't say what they are.
    pub source: &'p str,
    /// The minimised payload as JSON text.
    pub text: &'p str,
}

/// A session's partition: `SESSION#{provider}/{sessionId}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PartitionKey(String);

impl PartitionKey {
    /// The partition of a session.
    pub(crate) fn of(session: &SessionKey) -> Self {
        Self(format!("{SESSION}{session}"))
    }

    /// A partition key as an index has it.
    pub(super) fn stored(pk: &str) -> Self {
        Self(pk.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The session of this partition.
    pub(crate) fn session(&self) -> Option<SessionKey> {
        let (provider, session_id) = self.0.strip_prefix(SESSION)?.split_once('/')?;
        SessionKey::named(provider, session_id)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionItem {
    pk: String,
    sk: String,
    /// The version that concurrent writers compare.
    version: u64,
    /// Derived from the record, for people who look at the table.
    status: Status,
    /// The keys of the index `reference`, if the session has one: see [`indexed`].
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_at: Option<String>,
    /// The keys of the index `standing`, and what it is filtered by. Up to release 0.1 there were none.
    #[serde(flatten)]
    standing: Option<Standing>,
    session: Session,
}

/// The place of a session in the index `standing`: among those of its status, by when the status was entered.
#[derive(Serialize, Deserialize)]
struct Standing {
    #[serde(rename = "standingShard")]
    shard: String,
    #[serde(rename = "standingAt")]
    at: String,
    provider: Provider,
    outcome: Option<Outcome>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct EventItem {
    pk: String,
    sk: String,
    pub(super) event: SessionEvent,
    /// Absent if an earlier release recorded the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<Evidence>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OutboxItem {
    pk: String,
    sk: String,
    /// The keys of the index `due`.
    due_shard: String,
    due_at: String,
    /// The sequence of the notification before, if it isn't one less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<u64>,
    /// The trace of what made the notification due. Absent if it has none, or if an earlier release wrote the entry.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stored_trace")]
    trace: Option<Trace>,
    pub(super) notification: Notification,
}

impl OutboxItem {
    /// The entry, as a publisher has it.
    pub(super) fn entry(self) -> Result<OutboxEntry, TableError> {
        let relayed_from = Timestamp::parse(&self.due_at).ok_or(TableError::Unreadable("outbox entry"))?;
        let due_since = relayed_from.minus(INLINE_GRACE);
        Ok(OutboxEntry { notification: self.notification, due_since, trace: self.trace })
    }

    /// The sequence of the notification before; 0 for a session's first.
    pub(super) fn predecessor(&self) -> u64 {
        self.follows.unwrap_or(self.notification.sequence.saturating_sub(1))
    }
}

/// A notification that SQS has taken.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToldItem {
    pk: String,
    sk: String,
    pub(super) told_at: Timestamp,
    pub(super) message_id: String,
    /// The trace of the outbox entry, for a message that is sent again: callers don't see it. Absent as it may be there.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stored_trace")]
    pub(super) trace: Option<Trace>,
    pub(super) notification: Notification,
}

/// The latest resend of a session: who may send now, how far it has come, and how many there were of late.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResendItem {
    pk: String,
    sk: String,
    /// The version that concurrent writers compare.
    pub(super) version: u64,
    /// The time at which DynamoDB may delete it, in seconds.
    pub(super) expires_at: i64,
    #[serde(flatten)]
    pub(super) resend: Resend,
}

/// The latest resend of a session, without its place in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Resend {
    /// The id of the request.
    pub(crate) request: String,
    /// The next sequence that it sends; above `last` once it is done.
    pub(crate) next: u64,
    /// The last sequence that it sends.
    pub(crate) last: u64,
    /// The time until which no other request may send.
    pub(crate) leased_until: Timestamp,
    /// The time from which requests are counted.
    pub(crate) counted_since: Timestamp,
    /// The number of requests that were taken since then.
    pub(crate) requests: u32,
}

pub(super) fn session(key: &PartitionKey, session: &Session) -> Result<Item, TableError> {
    let reference = session.reference().map(|reference| indexed(reference).into_owned());
    write(&SessionItem {
        pk: key.0.clone(),
        sk: STATE.to_owned(),
        version: session.version,
        status: session.status(),
        reference_at: reference.is_some().then(|| session.first_event_at.sortable()),
        reference,
        standing: session.status_since.map(|since| Standing {
            shard: standing_shard(session.status(), shard(key, STANDING_SHARDS)),
            at: standing_at(key, since),
            provider: session.key.provider,
            outcome: session.standing_outcome(),
        }),
        session: session.clone(),
    })
}

/// The key of a reference in the index `reference`: itself, or its digest if it is too long. A reference may look like
/// another one's digest, so whoever reads the index compares the session's reference.
pub(super) fn indexed(reference: &str) -> Cow<'_, str> {
    if reference.len() <= REFERENCE_KEY_LIMIT {
        Cow::Borrowed(reference)
    } else {
        Cow::Owned(format!("sha256:{}", sha256_hex(reference.as_bytes())))
    }
}

pub(super) fn event(key: &PartitionKey, event: &SessionEvent, evidence: Option<&Evidence>) -> Result<Item, TableError> {
    let sk = event_sk(&event.event_id);
    write(&EventItem { pk: key.0.clone(), sk, event: event.clone(), evidence: evidence.cloned() })
}

/// The attribute `event` of an event's item.
pub(super) fn event_attribute(event: &SessionEvent) -> Result<AttributeValue, TableError> {
    let mut event = serde_dynamo::to_attribute_value(event).map_err(|_| TableError::Unwritable("event"))?;
    leave_out_nulls(&mut event);
    Ok(event)
}

pub(super) fn payload(key: &PartitionKey, event: &SessionEvent, payload: Payload<'_>, retention: Duration) -> Item {
    let expires_at = event.received_at.plus(retention).unix_seconds().to_string();
    payload_until(key, &StoredPayload { event_id: event.event_id.clone(), payload, expires_at: &expires_at })
}

pub(super) fn payload_until(key: &PartitionKey, stored: &StoredPayload<'_>) -> Item {
    let mut item = self::key(key, &payload_sk(&stored.event_id));
    item.insert("source".into(), AttributeValue::S(stored.payload.source.to_owned()));
    item.insert("payload".into(), AttributeValue::S(stored.payload.text.to_owned()));
    item.insert("expiresAt".into(), AttributeValue::N(stored.expires_at.to_owned()));
    item
}

/// A payload item as it is read.
pub(crate) struct StoredPayload<'i> {
    /// The id of its event.
    pub(crate) event_id: EventId,
    pub(crate) payload: Payload<'i>,
    /// The time at which it goes, as stored.
    pub(crate) expires_at: &'i str,
}

/// Reads a payload item.
pub(super) fn stored_payload(item: &Item) -> Option<StoredPayload<'_>> {
    let event_id = EventId::new(string(item, "sk")?.strip_prefix(PAYLOAD)?).ok()?;
    let payload = Payload { source: string(item, "source")?, text: string(item, "payload")? };
    let expires_at = item.get("expiresAt")?.as_n().ok()?;
    Some(StoredPayload { event_id, payload, expires_at })
}

/// The unsigned id that an event's payload came with first.
pub(super) fn binding(key: &PartitionKey, event_id: &EventId, object_id: &str) -> Item {
    let mut item = self::key(key, &bound_sk(event_id));
    item.insert("objectId".into(), AttributeValue::S(object_id.to_owned()));
    item
}

/// The id that an event would have today, and the one that it is recorded under.
pub(super) fn same_event(key: &PartitionKey, today: &EventId, recorded: &EventId) -> Item {
    let mut item = self::key(key, &same_sk(today));
    item.insert("eventId".into(), AttributeValue::S(recorded.to_string()));
    item
}

/// The time at which a payload expires.
pub(super) fn expires_at(item: &Item) -> Option<Timestamp> {
    Timestamp::from_unix(item.get("expiresAt")?.as_n().ok()?.parse().ok()?, 0)
}

/// The item of an outbox entry, after the one with the sequence `last`; 0 for a session's first.
pub(super) fn outbox_entry(key: &PartitionKey, entry: &OutboxEntry, last: u64) -> Result<Item, TableError> {
    let OutboxEntry { notification, due_since, trace } = entry;
    let shard = shard(key, OUTBOX_SHARDS);
    write(&OutboxItem {
        pk: key.0.clone(),
        sk: notification_sk(notification.sequence),
        due_shard: outbox_shard(shard),
        due_at: due_since.plus(INLINE_GRACE).sortable(),
        follows: Some(last).filter(|last| last + 1 != notification.sequence),
        trace: *trace,
        notification: notification.clone(),
    })
}

pub(super) fn told(
    key: &PartitionKey,
    entry: &OutboxEntry,
    message_id: &str,
    told_at: Timestamp,
) -> Result<Item, TableError> {
    write(&ToldItem {
        pk: key.0.clone(),
        sk: format!("{TOLD}{}", entry.notification.sequence),
        told_at,
        message_id: message_id.to_owned(),
        trace: entry.trace,
        notification: entry.notification.clone(),
    })
}

/// The item of a session's latest resend.
pub(super) fn resend(
    key: &PartitionKey,
    resend: &Resend,
    version: u64,
    retention: Duration,
) -> Result<Item, TableError> {
    let expires_at = resend.leased_until.plus(retention).unix_seconds();
    write(&ResendItem { pk: key.0.clone(), sk: RESEND.to_owned(), version, expires_at, resend: resend.clone() })
}

pub(super) fn resend_key(pk: &PartitionKey) -> Item {
    key(pk, RESEND)
}

fn shard(key: &PartitionKey, shards: u8) -> u8 {
    Sha256::digest(&key.0)[0] % shards
}

/// The partition of the index `due` where a session's poll waits.
pub(super) fn poll_shard_of(key: &PartitionKey) -> String {
    poll_shard(shard(key, POLL_SHARDS))
}

pub(super) fn poll_shard(shard: u8) -> String {
    format!("poll#{shard}")
}

pub(super) fn poll_key(pk: &PartitionKey) -> Item {
    key(pk, POLL)
}

/// The sort key of a recorded event.
pub(super) fn event_sk(event_id: &EventId) -> String {
    format!("{EVENT}{event_id}")
}

/// The sort key of an event's payload.
pub(super) fn payload_sk(event_id: &EventId) -> String {
    format!("{PAYLOAD}{event_id}")
}

pub(super) fn bound_sk(event_id: &EventId) -> String {
    format!("{BOUND}{event_id}")
}

pub(super) fn same_sk(event_id: &EventId) -> String {
    format!("{SAME}{event_id}")
}

pub(super) fn notification_sk(sequence: u64) -> String {
    format!("{NOTIFICATION}{sequence}")
}

/// The partition of the index `standing` that holds a part of the sessions of one status.
pub(super) fn standing_shard(status: Status, shard: u8) -> String {
    format!("{}#{shard}", status.as_str())
}

/// The place of a session within its status: by time, and then by a part of the key's digest, so that no two sessions
/// have the same place, in whatever shards they are.
fn standing_at(key: &PartitionKey, since: Timestamp) -> String {
    format!("{}#{}", since.sortable(), &sha256_hex(key.0.as_bytes())[..16])
}

pub(super) fn outbox_shard(shard: u8) -> String {
    format!("outbox#{shard}")
}

pub(super) fn key(pk: &PartitionKey, sk: &str) -> Item {
    HashMap::from([("pk".into(), AttributeValue::S(pk.0.clone())), ("sk".into(), AttributeValue::S(sk.to_owned()))])
}

pub(super) fn state_key(pk: &PartitionKey) -> Item {
    key(pk, STATE)
}

/// The key at which a page of the index `reference` ended.
pub(super) fn reference_key(reference: &str, at: &str, pk: &str) -> Item {
    let mut key = state_key(&PartitionKey::stored(pk));
    key.insert("reference".into(), AttributeValue::S(indexed(reference).into_owned()));
    key.insert("referenceAt".into(), AttributeValue::S(at.to_owned()));
    key
}

pub(super) fn string<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Reads a session's record.
pub(super) fn read_session(mut item: Item) -> Result<Session, TableError> {
    repeated::put_back(&mut item);
    Ok(read::<SessionItem>(item, "session")?.session)
}

pub(super) fn read<T: DeserializeOwned>(item: Item, what: &'static str) -> Result<T, TableError> {
    serde_dynamo::from_item(item).map_err(|_| TableError::Unreadable(what))
}

/// The size of an item as DynamoDB counts it, in bytes.
pub(super) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of_value(value)).sum()
}

fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len() / 2 + 2,
        AttributeValue::M(members) => {
            3 + members.iter().map(|(name, value)| name.len() + size_of_value(value) + 1).sum::<usize>()
        }
        AttributeValue::L(values) => 3 + values.iter().map(|value| size_of_value(value) + 1).sum::<usize>(),
        _ => 1,
    }
}

fn write<T: Serialize>(item: &T) -> Result<Item, TableError> {
    let mut item: Item = serde_dynamo::to_item(item).map_err(|_| TableError::Unwritable("item"))?;
    leave_out_nulls_of(&mut item);
    Ok(item)
}

/// Leaves out every member that holds null: readers take one that is absent for null, and DynamoDB bills its name.
fn leave_out_nulls(value: &mut AttributeValue) {
    match value {
        AttributeValue::M(members) => leave_out_nulls_of(members),
        AttributeValue::L(values) => values.iter_mut().for_each(leave_out_nulls),
        _ => {}
    }
}

fn leave_out_nulls_of(members: &mut Item) {
    members.retain(|_, member| !member.is_null());
    members.values_mut().for_each(leave_out_nulls);
}

#[cfg(test)]
mod tests {
    use super::*;
    use verdict_sessions::{
        AttemptId, Check, CheckOutcome, Decision, Kind, Outcome, Provider, ReasonCode, SequenceBase, SessionId, Stage,
        Subject,
    };

    /// DynamoDB's limit, in bytes.
    const ITEM_LIMIT: usize = 400 * 1024;

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_unix(1_781_308_800 + i64::from(seconds), 861_285_123).unwrap()
    }

    fn codes() -> Vec<ReasonCode> {
        (0..ReasonCode::COUNT).map(|number| ReasonCode::new(&format!("{number:0>64}")).unwrap()).collect()
    }

    fn fill(detail: &mut verdict_sessions::Detail) {
        for number in 0..verdict_sessions::Detail::COUNT {
            detail.insert(&format!("nameOfAMember{number:02}"), &"x".repeat(64)).unwrap();
        }
    }

    /// An event with the longest of everything that a reader makes.
    pub(super) fn largest(number: u32) -> SessionEvent {
        let long = |length: usize| format!("{number:0>length$}");
        let reason = Some("\u{1f512}".repeat(1024));
        let mut check = Check { reason: reason.clone(), reason_codes: codes(), ..Check::new(CheckOutcome::Failed) };
        fill(&mut check.detail);
        let decided = Decision { reason, decided_at: Some(at(0)), ..Decision::new(Outcome::ResubmissionRequested) };
        let mut decision = decided.with_codes(codes());
        fill(&mut decision.detail);
        SessionEvent {
            event_id: EventId::new(long(EventId::LIMIT)).unwrap(),
            session: SessionKey {
                provider: Provider::Veriff,
                session_id: SessionId::new("s".repeat(SessionId::LIMIT)).unwrap(),
            },
            kind: Kind::Verification,
            name: "decision.resubmission_requested".into(),
            attempt_id: Some(AttemptId::new(long(AttemptId::LIMIT)).unwrap()),
            occurred_at: Some(at(number)),
            emitted_at: Some(at(number)),
            received_at: at(number),
            stage: Some(Stage::Submitted),
            decision: Some(decision),
            checks: [(format!("document:{}", long(128)), check)].into(),
            subject: Subject {
                reference: Some("\u{1f512}".repeat(1000)),
                provider_user_id: Some("\u{1f511}".repeat(1000)),
            },
            remark: None,
            remarks: Vec::new(),
            undated: false,
            detail: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "how much room is left is worth seeing")]
    fn the_largest_record_is_an_item_that_dynamodb_stores() {
        let mut session = None;
        for number in 0..600 {
            session = Some(Session::apply(session.as_ref(), &largest(number), SequenceBase::default()).session);
        }
        let session = session.unwrap();
        assert_eq!((session.attempts.len(), session.checks.len()), (512, 64));
        let details = session.checks.values().map(|check| check.value.detail_size()).sum::<usize>();
        let item = self::session(&PartitionKey::of(&session.key), &session).unwrap();
        eprintln!("the largest record takes {} bytes, the codes and details of its checks {details}", size(&item));
        assert!(details <= 60 * 1024, "{details}");
        assert!(size(&item) < ITEM_LIMIT, "{}", size(&item));
    }

    #[test]
    fn an_item_is_read_by_all_attributes_that_it_is_written_with() {
        let session = Session::apply(None, &largest(1), SequenceBase::default());
        let key = PartitionKey::of(&session.session.key);
        let notification = session.notification.clone().unwrap();
        let entry = OutboxEntry { notification, due_since: at(0), trace: None };
        let evidence = Evidence::of_body("digest".to_owned());
        let items = [
            (SESSION_ATTRIBUTES, self::session(&key, &session.session).unwrap()),
            (EVENT_ATTRIBUTES, event(&key, &largest(1), Some(&evidence)).unwrap()),
            (TOLD_ATTRIBUTES, told(&key, &entry, "m", at(0)).unwrap()),
        ];
        for (attributes, item) in items {
            assert!(item.keys().all(|name| attributes.contains(&name.as_str())), "{:?}", item.keys());
            assert!(!attributes.contains(&"payload"));
        }
    }

    /// What is null for readers is not there, at any depth.
    #[test]
    fn an_item_has_no_member_that_holds_null() {
        fn nulls(value: &AttributeValue) -> usize {
            match value {
                AttributeValue::M(members) => members.values().map(nulls).sum(),
                AttributeValue::L(values) => values.iter().map(nulls).sum(),
                other => usize::from(other.is_null()),
            }
        }
        let check = Check::new(CheckOutcome::Captured);
        let event = SessionEvent {
            attempt_id: None,
            occurred_at: None,
            emitted_at: None,
            decision: None,
            checks: [("presence".to_owned(), check)].into(),
            subject: Subject::default(),
            ..largest(1)
        };
        let session = Session::apply(None, &event, SequenceBase::default()).session;
        let key = PartitionKey::of(&session.key);
        let items = [self::session(&key, &session).unwrap(), self::event(&key, &event, None).unwrap()];
        let rebuilt = event_attribute(&event).unwrap();
        assert_eq!(items.iter().flat_map(Item::values).chain([&rebuilt]).map(nulls).sum::<usize>(), 0);
        assert_eq!(read_session(items[0].clone()).unwrap(), session);
        assert_eq!(read::<EventItem>(items[1].clone(), "event").unwrap().event, event);
        assert_eq!(serde_dynamo::from_attribute_value::<_, SessionEvent>(rebuilt).unwrap(), event);
    }

    /// The ids of 10,000 sessions of a provider, in its own form. Treezor counts its users.
    fn ids(provider: Provider) -> impl Iterator<Item = String> {
        let mut random = fastrand::Rng::with_seed(1);
        (0..10_000).map(move |number| match provider {
            Provider::Veriff | Provider::Wultra => {
                let [a, b] = [random.u128(..), random.u128(..)].map(|half| format!("{half:032x}"));
                format!("{}-{}-4{}-8{}-{}", &a[..8], &a[8..12], &a[12..15], &a[15..18], &b[..12])
            }
            Provider::Incode => format!("{:032x}", random.u128(..))[..24].to_owned(),
            Provider::Treezor => format!("user:{}", 6_461_000 + number),
        })
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "how even it is is worth seeing")]
    fn sessions_are_spread_evenly_over_the_shards_of_each_index() {
        for provider in Provider::ALL {
            let keys: Vec<_> =
                ids(provider).map(|id| PartitionKey::of(&SessionKey::named(provider.as_str(), &id).unwrap())).collect();
            for (index, shards) in [("outbox", OUTBOX_SHARDS), ("poll", POLL_SHARDS), ("standing", STANDING_SHARDS)] {
                let count = |number| keys.iter().filter(|key| shard(key, shards) == number).count();
                let counts: Vec<usize> = (0..shards).map(count).collect();
                let mean = keys.len() / usize::from(shards);
                let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
                eprintln!("{provider}, {index}: {least} to {most} of {mean}");
                assert!(*most * 10 <= mean * 12 && *least * 12 >= mean * 10, "{provider}, {index}: {counts:?}");
            }
        }
    }

    #[test]
    fn a_long_reference_is_indexed_by_its_digest_and_any_other_by_itself() {
        for reference in ["customer-1", &"é".repeat(512)] {
            assert_eq!(indexed(reference), reference);
        }
        let long = "é".repeat(1000);
        // `operations/verdict/rebuild.py` makes the same key.
        assert_eq!(indexed(&long), "sha256:75628d88c411e2c7a3e1cbb3f0eb5498e51455875142fedd62677987cdecf107");
        let key = reference_key(&long, "at", "SESSION#veriff/s");
        assert_eq!(string(&key, "reference"), Some(&*indexed(&long)));
    }
}
