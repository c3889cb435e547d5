//! The promises, as a settled world shows whether they were kept.
//!
//! What a world should hold is worked out here from what the webhooks say in plain words and from the order in which
//! the table took them: by the [model], and by none of the code that is tested.

use crate::{
    Claim, Record, Webhook, World, checker::without_trace, dynamodb::as_stored, model, resends, world::SESSION,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
};
use verdict_sessions::Timestamp;

/// A promise that was not kept, and how that shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// What was acknowledged is not there, or nobody was told.
    Lost(String),
    /// A fact counts twice, or a change was told twice.
    Doubled(String),
    /// Something older took the place of something newer.
    Backwards(String),
    /// A part of what belongs together.
    Half(String),
    /// It is safe, but waits where nothing will take it on.
    Stranded(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, how) = match self {
            Self::Lost(how) => ("lost", how),
            Self::Doubled(how) => ("doubled", how),
            Self::Backwards(how) => ("backwards", how),
            Self::Half(how) => ("half", how),
            Self::Stranded(how) => ("stranded", how),
        };
        write!(f, "{what}: {how}")
    }
}

/// What a webhook says of a session, as an event's item shows it again: stage, outcome, the provider's time, attempt.
type Fact = (Option<String>, Option<String>, Option<Timestamp>, Option<String>);

/// What was sent, and how sure it is to be there.
#[derive(Clone, Debug, Default)]
pub struct Sent<'w> {
    /// What was acknowledged, or sent again until it was.
    pub sure: Vec<&'w Webhook>,
    /// What was sent and never acknowledged: it may have been recorded, whole, or not.
    pub possible: Vec<&'w Webhook>,
}

impl World {
    /// The promises that were broken, in a world that has settled after these webhooks and no others.
    #[must_use]
    pub fn broken_promises(&self, sent: &Sent<'_>) -> Vec<Broken> {
        let mut broken = Vec::new();
        let records = self.records();
        let sure = facts(&sent.sure);
        let all: Vec<&Webhook> = sent.sure.iter().chain(&sent.possible).copied().collect();
        let possible = facts(&all);
        let sessions: BTreeSet<&String> = records.keys().chain(possible.keys()).collect();
        let facts_in_order = self.facts_in_order_of_commit();
        let told = self.told();
        for session in sessions {
            let record = records.get(session).cloned().unwrap_or_default();
            let none = BTreeMap::new();
            check_events(
                session,
                &record,
                sure.get(session).unwrap_or(&none),
                possible.get(session).unwrap_or(&none),
                &mut broken,
            );
            check_record(session, &record, &mut broken);
            let facts = facts_in_order.get(session).map_or(&[][..], Vec::as_slice);
            check_notifications(
                session,
                &record,
                &model::notifications(facts),
                told.get(session).map_or(&[][..], Vec::as_slice),
                &mut broken,
            );
        }
        self.check_queues(sent, &mut broken);
        broken.extend(resends::check(self));
        broken
    }

    /// The requests for one session that took turns in sending its messages again. None of them may be away for longer
    /// than its lease.
    #[must_use]
    pub fn interleaved_resends(&self) -> Vec<Broken> {
        resends::interleaved(self)
    }

    /// Whether what a webhook says is durable at this moment: in the table, on intake or in quarantine.
    #[must_use]
    pub fn is_durable(&self, webhook: &Webhook) -> bool {
        let is_kept = |message: &Value| message["sha256"] == digest(webhook);
        let is_recorded = |claim: &Claim| {
            self.record(&claim.session).events.values().map(fact_of_event).any(|fact| fact == fact_of(claim))
        };
        (!webhook.claims.is_empty() && webhook.claims.iter().all(is_recorded))
            || self.waiting().iter().any(is_kept)
            || self.quarantined().iter().any(is_kept)
    }

    /// What the table took, by session, in the order in which it did.
    fn facts_in_order_of_commit(&self) -> BTreeMap<String, Vec<model::Fact>> {
        let mut facts: BTreeMap<String, Vec<model::Fact>> = BTreeMap::new();
        for recording in self.network.recordings() {
            let session = recording.pk().trim_start_matches(SESSION).to_owned();
            let events = recording.all_put("EVENT#").map(|item| model::Fact::of(&item["event"]).above(recording.base));
            facts.entry(session).or_default().extend(events);
        }
        facts
    }

    /// The notifications, by session, in the order in which a consumer gets them.
    fn told(&self) -> BTreeMap<String, Vec<Value>> {
        let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for event in self.published() {
            let data = &event["data"];
            let session = format!("{}/{}", text(&data["provider"]), text(&data["sessionId"]));
            told.entry(session).or_default().push(without_trace(event));
        }
        told
    }

    fn check_queues(&self, sent: &Sent<'_>, broken: &mut Vec<Broken>) {
        let quarantined = self.quarantined();
        let is_in = |webhook: &Webhook| quarantined.iter().any(|message| message["sha256"] == digest(webhook));
        for webhook in &sent.sure {
            match (webhook.claims.is_empty(), is_in(webhook)) {
                (true, false) => broken.push(Broken::Lost(format!("{}: not in quarantine", webhook.provider))),
                (false, true) => broken.push(Broken::Stranded(format!("{}: in quarantine", webhook.provider))),
                _ => {}
            }
        }
        let waiting = self.waiting().len();
        if waiting > 0 {
            broken.push(Broken::Stranded(format!("{waiting} on intake")));
        }
    }
}

/// How often each fact may be recorded, by session: once for each webhook that says it, copies not counted.
fn facts(webhooks: &[&Webhook]) -> BTreeMap<String, BTreeMap<Fact, usize>> {
    let distinct: BTreeMap<_, _> =
        webhooks.iter().map(|webhook| ((webhook.provider, &webhook.path, &webhook.body), *webhook)).collect();
    let mut facts: BTreeMap<String, BTreeMap<Fact, usize>> = BTreeMap::new();
    for claim in distinct.values().flat_map(|webhook| &webhook.claims) {
        *facts.entry(claim.session.clone()).or_default().entry(fact_of(claim)).or_default() += 1;
    }
    facts
}

fn fact_of(claim: &Claim) -> Fact {
    let stage = claim.stage.map(|stage| serde_json::to_value(stage).unwrap());
    let outcome = claim.outcome.map(|outcome| outcome.as_str().to_owned());
    (stage.map(|stage| text(&stage).to_owned()), outcome, claim.at, claim.attempt.clone())
}

fn fact_of_event(event: &Value) -> Fact {
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let occurred_at = event["occurredAt"].as_str().and_then(Timestamp::parse);
    let at = occurred_at.filter(|_| event["undated"] != true);
    (word(&event["stage"]), word(&event["decision"]["outcome"]), at, word(&event["attemptId"]))
}

/// Each fact is there as often as it was said, and none that nobody said.
fn check_events(
    session: &str,
    record: &Record,
    sure: &BTreeMap<Fact, usize>,
    possible: &BTreeMap<Fact, usize>,
    broken: &mut Vec<Broken>,
) {
    let mut recorded: BTreeMap<Fact, usize> = BTreeMap::new();
    for event in record.events.values() {
        *recorded.entry(fact_of_event(event)).or_default() += 1;
    }
    for (fact, times) in sure {
        if recorded.get(fact).unwrap_or(&0) < times {
            broken.push(Broken::Lost(format!("{session}: {fact:?}")));
        }
    }
    for (fact, times) in &recorded {
        if times > possible.get(fact).unwrap_or(&0) {
            broken.push(Broken::Doubled(format!("{session}: {fact:?} {times} times")));
        }
    }
}

/// The record is made of all its events, each once, and the latest decision stands.
fn check_record(session: &str, record: &Record, broken: &mut Vec<Broken>) {
    let mut half = |what: String| broken.push(Broken::Half(format!("{session}: {what}")));
    if !record.outbox.is_empty() {
        half(format!("{} still in the outbox", record.outbox.len()));
    }
    if record.payloads.iter().ne(record.events.keys()) {
        half(format!("{} events, {} payloads", record.events.len(), record.payloads.len()));
    }
    let Some(state) = &record.session else {
        if !record.events.is_empty() {
            half("events without a record".to_owned());
        }
        return;
    };
    let (counted, recorded) = (state["events"].as_u64().unwrap(), record.events.len() as u64);
    if counted < recorded {
        half(format!("{recorded} events, {counted} of them counted"));
    } else if counted > recorded {
        broken.push(Broken::Doubled(format!("{session}: {recorded} events, counted as {counted}")));
    }
    let standing = &state["decision"]["value"]["outcome"];
    let facts: Vec<model::Fact> = record.events.values().map(model::Fact::of).collect();
    let latest = model::standing(&facts).and_then(model::Fact::outcome);
    if standing.as_str() != latest {
        broken.push(Broken::Backwards(format!("{session}: {standing} stands, the latest is {latest:?}")));
    }
}

/// Each change was told under one id, in order; a consumer that drops what is no news is told each once. The history says
/// the same.
fn check_notifications(session: &str, record: &Record, due: &[Value], told: &[Value], broken: &mut Vec<Broken>) {
    let mut first: BTreeMap<u64, &Value> = BTreeMap::new();
    for event in told {
        let sequence = event["data"]["sequence"].as_u64().unwrap();
        match first.get(&sequence) {
            Some(before) if *before != event => {
                broken.push(Broken::Doubled(format!("{session}: two contents under {}", event["id"])));
            }
            Some(_) => {}
            None => {
                if first.last_key_value().is_some_and(|(last, _)| sequence < *last) {
                    broken.push(Broken::Backwards(format!("{session}: {sequence} was overtaken")));
                }
                first.insert(sequence, event);
            }
        }
    }
    let heard: Vec<&Value> = first.into_values().collect();
    if heard.len() < due.len() {
        broken.push(Broken::Lost(format!("{session}: told {heard:?} of {due:?}")));
    } else if heard.len() > due.len() {
        broken.push(Broken::Doubled(format!("{session}: told {heard:?} of {due:?}")));
    } else if heard.iter().copied().ne(due) {
        broken.push(Broken::Backwards(format!("{session}: told {heard:?} for {due:?}")));
    }
    let history = record.told.values().map(|told| told["notification"].clone());
    if history.clone().ne(due.iter().map(|due| as_stored(&due["data"]))) {
        let history: Vec<_> = history.collect();
        broken.push(Broken::Half(format!("{session}: the history has {history:?} of {due:?}")));
    }
}

/// SHA-256 of a webhook's body, in hex, as its kept form names it.
fn digest(webhook: &Webhook) -> String {
    Sha256::digest(&webhook.body).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
