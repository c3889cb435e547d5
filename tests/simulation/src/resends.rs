//! Checks what was sent again: nothing that is new, all that was asked for, in order, and each of it as it was told.

use crate::{
    Accepted, Broken, Change, World,
    world::{DECISIONS, INTAKE, SESSION},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The attribute of a message that is sent again.
pub(crate) const RESENT: &str = "resent";

/// A request, as it was put on intake first.
struct Request {
    session: String,
    id: String,
    from: u64,
    at: Duration,
}

/// A message on the decisions queue.
struct Message<'m> {
    accepted: &'m Accepted,
    session: String,
    sequence: u64,
}

impl<'m> Message<'m> {
    fn of(accepted: &'m Accepted) -> Self {
        let event: Value = serde_json::from_str(&accepted.body).unwrap();
        let data = &event["data"];
        let session = format!("{}/{}", data["provider"].as_str().unwrap(), data["sessionId"].as_str().unwrap());
        Self { accepted, session, sequence: data["sequence"].as_u64().unwrap() }
    }

    fn is_resent(&self) -> bool {
        self.accepted.attributes.contains_key(RESENT)
    }

    /// The id of the request that it was sent for.
    fn request(&self) -> Option<&str> {
        let id = self.accepted.deduplication_id.as_deref()?.strip_prefix("resent/")?;
        id.strip_suffix(&format!("/{}", self.sequence))
    }
}

/// All that has to do with resends in a world.
struct Seen<'m> {
    requests: Vec<Request>,
    messages: Vec<Message<'m>>,
    /// When each message was told, by session and sequence.
    told: BTreeMap<(String, u64), Duration>,
    is_restored: bool,
}

/// Returns what is wrong with what was sent again, in a world that has settled.
pub(crate) fn check(world: &World) -> Vec<Broken> {
    let published = world.network.with_sqs(|sqs| sqs.accepted(DECISIONS));
    let seen = Seen::of(world, &published);
    let mut broken = Vec::new();
    for (index, message) in seen.messages.iter().enumerate().filter(|(_, message)| message.is_resent()) {
        if let Some(how) = seen.invented(index, message) {
            let Message { session, sequence, .. } = message;
            broken.push(Broken::Doubled(format!("{session}: {sequence} was sent again {how}")));
        }
    }
    for request in &seen.requests {
        broken.extend(seen.lost_or_out_of_order(request));
        broken.extend(seen.misled(request));
    }
    broken
}

/// Returns what two requests of one session have sent in turns. It can be no other way if one of them was away for longer
/// than its lease.
pub(crate) fn interleaved(world: &World) -> Vec<Broken> {
    let published = world.network.with_sqs(|sqs| sqs.accepted(DECISIONS));
    let seen = Seen::of(world, &published);
    let mut turns: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for message in seen.messages.iter().filter(|message| message.is_resent()) {
        turns.entry(&message.session).or_default().extend(message.request());
    }
    let mut broken = Vec::new();
    for (session, mut turns) in turns {
        turns.dedup();
        let requests: BTreeSet<_> = turns.iter().collect();
        if requests.len() < turns.len() {
            broken.push(Broken::Backwards(format!("{session}: requests took turns: {turns:?}")));
        }
    }
    broken
}

impl<'m> Seen<'m> {
    fn of(world: &World, published: &'m [Accepted]) -> Self {
        let mut told = BTreeMap::new();
        let changes = world.network.changes();
        for change in &changes {
            let Change::Committed(transaction) = change else { continue };
            let Some(item) = transaction.put("TOLD#") else { continue };
            let session = transaction.pk().trim_start_matches(SESSION).to_owned();
            let sequence = item["notification"]["sequence"].as_u64().unwrap();
            told.entry((session, sequence)).or_insert(transaction.at);
        }
        Self {
            requests: requests(world),
            messages: published.iter().map(Message::of).collect(),
            told,
            is_restored: changes.iter().any(|change| matches!(change, Change::Restored { .. })),
        }
    }

    /// Says how a message that was sent again differs from one that was told before and asked for.
    fn invented(&self, index: usize, message: &Message<'_>) -> Option<String> {
        let Message { accepted, session, sequence } = message;
        let is_first = |earlier: &&Message<'_>| {
            !earlier.is_resent() && earlier.session == *session && earlier.sequence == *sequence
        };
        let Some(first) = self.messages[..index].iter().find(is_first) else {
            return Some("and never sent before".to_owned());
        };
        let mut attributes = first.accepted.attributes.clone();
        attributes.insert(RESENT.to_owned(), "true".to_owned());
        let is_alike = accepted.body == first.accepted.body
            && accepted.attributes == attributes
            && accepted.group == first.accepted.group
            && accepted.trace == first.accepted.trace;
        let is_told = self.told.get(&(session.clone(), *sequence)).is_some_and(|told_at| *told_at <= accepted.at);
        let is_asked_for = self.requests.iter().any(|request| {
            request.session == *session
                && Some(&*request.id) == message.request()
                && request.from <= *sequence
                && request.at <= accepted.at
        });
        match (is_alike, is_told, is_asked_for) {
            (true, true, true) => None,
            _ => Some(format!("alike {is_alike}, told {is_told}, asked for {is_asked_for}")),
        }
    }

    /// The sequences that were sent for a request, each as it came first.
    fn sent_for(&self, request: &Request) -> Vec<u64> {
        let mut sent = Vec::new();
        for message in &self.messages {
            let is_for_it = message.session == request.session && message.request() == Some(&request.id);
            if message.is_resent() && is_for_it && !sent.contains(&message.sequence) {
                sent.push(message.sequence);
            }
        }
        sent
    }

    /// A request is carried out in ascending order, from the sequence that it names, with none left out: to the last one,
    /// at the least, that was told when it was made.
    fn lost_or_out_of_order(&self, request: &Request) -> Option<Broken> {
        let Request { session, id, from, at } = request;
        let sent = self.sent_for(request);
        if !sent.is_sorted() {
            return Some(Broken::Backwards(format!("{session}: sent again for {id}: {sent:?}")));
        }
        // A restore forgets what was told, and how far requests have come.
        if self.is_restored {
            return None;
        }
        let to = sent.last().copied().unwrap_or_default();
        let is_due = |((of, sequence), told_at): &(&(String, u64), &Duration)| {
            of == session && sequence >= from && (*told_at < at || *sequence <= to)
        };
        let due: Vec<u64> = self.told.iter().filter(is_due).map(|((_, sequence), _)| *sequence).collect();
        (sent != due).then(|| Broken::Lost(format!("{session}: sent again from {from} for {id}: {sent:?} of {due:?}")))
    }

    /// A consumer that goes back when it asks for a session ends with the latest message, and handles none twice.
    fn misled(&self, request: &Request) -> Option<Broken> {
        let Request { session, id, from, at } = request;
        let of_session = || self.messages.iter().filter(|message| message.session == *session);
        let mut handled = vec![from.saturating_sub(1)];
        for message in of_session().filter(|message| message.accepted.at >= *at) {
            if message.sequence > handled[handled.len() - 1] {
                handled.push(message.sequence);
            }
        }
        let was_told = self.told.iter().any(|((of, n), told_at)| of == session && n >= from && told_at < at);
        let latest = of_session().map(|message| message.sequence).max().unwrap_or_default();
        let is_misled = was_told && !self.is_restored && handled.last() != Some(&latest);
        is_misled.then(|| Broken::Lost(format!("{session}: went back for {id}, handled {handled:?}, not {latest}")))
    }
}

/// The requests that were put on intake. A second message under the same id is the same one.
fn requests(world: &World) -> Vec<Request> {
    let accepted = world.network.with_sqs(|sqs| sqs.accepted(INTAKE));
    let mut requests: Vec<Request> = Vec::new();
    for message in accepted {
        let body: Value = serde_json::from_str(&message.body).unwrap();
        let Some(from) = body["from"].as_u64().filter(|_| body["kind"] == "resend") else { continue };
        let session = format!("{}/{}", body["provider"].as_str().unwrap(), body["sessionId"].as_str().unwrap());
        let id = body["requestId"].as_str().unwrap_or(&message.message_id).to_owned();
        if !requests.iter().any(|known| known.session == session && known.id == id) {
            requests.push(Request { session, id, from, at: message.at });
        }
    }
    requests
}
