//! Checks whether a history went, and ended, as it must.

use crate::{
    Accepted, Claim, Network, Webhook, World,
    model::{self, Fact},
    world::{DECISIONS, INTAKE, QUARANTINE, Record, SESSION},
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};
use verdict_sessions::Timestamp;

/// A webhook as it was sent, and what its provider knows about it.
#[derive(Debug)]
pub(crate) struct SentWebhook<'p> {
    pub(crate) webhook: &'p Webhook,
    /// When copies of it arrived.
    pub(crate) arrivals: BTreeSet<Timestamp>,
    /// What was stored each time it was answered with 2xx.
    pub(crate) acknowledged: Vec<Snapshot>,
}

/// How much was stored at some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    transactions: usize,
    on_intake: usize,
    in_quarantine: usize,
}

impl Snapshot {
    /// Takes one now.
    pub(crate) fn of(network: &Network) -> Self {
        let taken = |queue| network.with_sqs(|sqs| sqs.accepted_count(queue));
        Self { transactions: network.transaction_count(), on_intake: taken(INTAKE), in_quarantine: taken(QUARANTINE) }
    }
}

/// Returns what is wrong, in words, and SHA-256 over the records and notifications at the end.
pub(crate) fn check(world: &World, sent: &[SentWebhook<'_>]) -> (Vec<String>, [u8; 32]) {
    let records = world.records();
    let published = world.network.with_sqs(|sqs| sqs.accepted(DECISIONS));
    let mut checker = Checker::new(sent);
    for (index, items) in world.network.transactions().iter().enumerate() {
        checker.observe(index, items);
    }
    checker.compare(&records);
    checker.read(&published);
    checker.look_for(world);
    if !world.is_settled() {
        checker.violations.push("something waits still".to_owned());
    }
    if world.network.calls().iter().any(|call| call.operation == "PutItem") {
        checker.violations.push("a rebuild has changed an event".to_owned());
    }
    let sessions: BTreeMap<_, _> = records.iter().map(|(session, record)| (session, &record.session)).collect();
    let bodies: Vec<_> = published.iter().map(|message| &message.body).collect();
    (checker.violations, Sha256::digest(json!([sessions, bodies]).to_string()).into())
}

struct Checker<'s> {
    sent: &'s [SentWebhook<'s>],
    bodies: Vec<Option<Value>>,
    /// Each session's facts, in the order in which they were committed.
    facts: BTreeMap<String, Vec<Fact>>,
    /// The events as they were committed, by session and id.
    events: BTreeMap<(String, String), Value>,
    /// Which transaction recorded what a webhook says of a session.
    recorded: BTreeMap<(usize, String), usize>,
    /// What each session's decision last won by.
    ranks: BTreeMap<String, (Option<Timestamp>, Option<Timestamp>, bool)>,
    violations: Vec<String>,
}

impl<'s> Checker<'s> {
    fn new(sent: &'s [SentWebhook<'s>]) -> Self {
        let bodies = sent.iter().map(|sent| serde_json::from_slice(&sent.webhook.body).ok()).collect();
        Self {
            sent,
            bodies,
            facts: BTreeMap::new(),
            events: BTreeMap::new(),
            recorded: BTreeMap::new(),
            ranks: BTreeMap::new(),
            violations: Vec::new(),
        }
    }

    fn violated(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }

    /// Checks one transaction: after it, the record must be what the model makes of the facts so far.
    fn observe(&mut self, index: usize, items: &[Map<String, Value>]) {
        let of = |prefix: &str| items.iter().find(|item| text(item, "sk").starts_with(prefix));
        let session = text(&items[0], "pk").strip_prefix(SESSION).unwrap().to_owned();
        let (Some(event), Some(payload)) = (of("EVENT#"), of("PAYLOAD#")) else {
            return self.violated(format!("{session}: a rebuild has changed the record"));
        };
        let event_id = text(event, "sk")["EVENT#".len()..].to_owned();
        let Some(webhook) = self.webhook_of(&session, payload) else {
            return self.violated(format!("{session}: {event_id} was recorded and never sent"));
        };
        let arrived_at = event["event"]["receivedAt"].as_str().and_then(Timestamp::parse).unwrap();
        if !self.sent[webhook].arrivals.contains(&arrived_at) {
            self.violated(format!("{session}: {event_id} did not arrive at {arrived_at}"));
        }
        if self.recorded.insert((webhook, session.clone()), index).is_some() {
            self.violated(format!("{session}: webhook {webhook} was recorded twice"));
        }
        self.events.insert((session.clone(), event_id.clone()), event["event"].clone());
        let claim = self.sent[webhook].webhook.claims.iter().find(|claim| claim.session == session).unwrap();
        if said(claim) != read(&event["event"], claim) {
            let (said, read) = (said(claim), read(&event["event"], claim));
            self.violated(format!("{session}: {event_id} was read as {read} and says {said}"));
        }
        let facts = self.facts.entry(session.clone()).or_default();
        let due_before = model::notifications(facts).len();
        facts.push(Fact::of(&event["event"]));
        let (record, status) = (model::record(facts), model::status(facts));
        let due: Vec<Value> =
            model::notifications(facts).split_off(due_before).into_iter().map(|mut due| due["data"].take()).collect();

        let Some(state) = of("STATE") else { return self.violated(format!("{session}: an event without its session")) };
        self.differs(&session, "the record", &state["session"], &record);
        self.differs(&session, "the status", &state["status"], &json!(status));
        let outbox: Vec<_> = items.iter().filter_map(|item| item.get("notification")).cloned().collect();
        self.differs(&session, "the outbox", &json!(outbox), &json!(due));
        self.goes_back(&session, &state["session"]["decision"]["rank"]);
    }

    /// The webhook whose payload it is.
    fn webhook_of(&self, session: &str, payload: &Map<String, Value>) -> Option<usize> {
        let body: Value = serde_json::from_str(text(payload, "payload")).ok()?;
        (0..self.sent.len()).find(|index| {
            let webhook = self.sent[*index].webhook;
            self.bodies[*index].as_ref() == Some(&body)
                && webhook.path == text(payload, "source")
                && webhook.claims.iter().any(|claim| claim.session == session)
        })
    }

    fn differs(&mut self, session: &str, what: &str, is: &Value, must_be: &Value) {
        if is != must_be {
            self.violated(format!("{session}: {what} is {is} and must be {must_be}"));
        }
    }

    fn goes_back(&mut self, session: &str, rank: &Value) {
        let time = |name: &str| rank[name].as_str().and_then(Timestamp::parse);
        // Of one time, the more cautious decision may come from the smaller id.
        let rank = (time("at"), time("emittedAt"), rank["final"] == true);
        let before = self.ranks.insert(session.to_owned(), rank);
        if before.is_some_and(|before| before > rank) {
            self.violated(format!("{session}: the decision went backwards"));
        }
    }

    /// The table at the end holds what was committed, whole, and nothing else.
    fn compare(&mut self, records: &BTreeMap<String, Record>) {
        let strangers: Vec<_> = records.keys().filter(|session| !self.facts.contains_key(*session)).cloned().collect();
        for session in strangers {
            self.violated(format!("{session}: nothing was recorded of it, and yet it is there"));
        }
        for (session, facts) in self.facts.clone() {
            let Some(record) = records.get(&session) else {
                self.violated(format!("{session}: the session is gone"));
                continue;
            };
            let is = record.session.clone().unwrap_or_default();
            self.differs(&session, "the record at the end", &is, &model::record(&facts));
            let of_session = self.events.iter().filter(|((of, _), _)| *of == session);
            let committed: BTreeMap<_, _> = of_session.map(|((_, id), event)| (id, event)).collect();
            let committed = (json!(committed), json!(committed.keys().collect::<Vec<_>>()));
            self.differs(&session, "what is kept of its events", &json!(record.events), &committed.0);
            self.differs(&session, "what is kept of its payloads", &json!(record.payloads), &committed.1);
        }
    }

    /// What was published: each session's notifications, in order, each of them the same whenever it comes; and in a
    /// group of its own, which is what keeps them in order.
    fn read(&mut self, published: &[Accepted]) {
        let mut first: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut groups: BTreeMap<Option<&str>, String> = BTreeMap::new();
        let mut told: BTreeMap<String, (u64, Value)> = BTreeMap::new();
        for message in published {
            let event: Value = serde_json::from_str(&message.body).unwrap();
            let session =
                format!("{}/{}", event["data"]["provider"].as_str().unwrap(), event["subject"].as_str().unwrap());
            let group = groups.entry(message.group.as_deref()).or_insert_with(|| session.clone());
            if *group != session {
                self.violated(format!("{session}: shares a message group with {group}"));
            }
            let known = first.entry(session.clone()).or_default();
            match known.iter().find(|earlier| earlier["id"] == event["id"]) {
                Some(earlier) if *earlier == event => {}
                Some(_) => self.violated(format!("{session}: {} was published in two ways", event["id"])),
                None => known.push(event.clone()),
            }
            // What a consumer does that follows the advice.
            let sequence = event["data"]["sequence"].as_u64().unwrap();
            let last = told.entry(session).or_default();
            if sequence > last.0 {
                *last = (sequence, event["data"]["outcome"].clone());
            }
        }
        for session in first.keys().filter(|session| !self.facts.contains_key(*session)).cloned().collect::<Vec<_>>() {
            self.violated(format!("{session}: was published and is unknown"));
        }
        for (session, facts) in self.facts.clone() {
            let is = first.remove(&session).unwrap_or_default();
            self.differs(&session, "what was published", &json!(is), &json!(model::notifications(&facts)));
            let told = told.remove(&session).unwrap_or_default().1;
            let decision = model::record(&facts)["decision"]["value"]["outcome"].clone();
            self.differs(&session, "what a consumer believes in the end", &told, &decision);
        }
    }

    /// Whatever was acknowledged was durable then, and is where it belongs now.
    fn look_for(&mut self, world: &World) {
        let digests = |bodies: Vec<Value>| -> Vec<String> {
            bodies.iter().map(|kept| kept["sha256"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let accepted = |queue| {
            let accepted = world.network.with_sqs(|sqs| sqs.accepted(queue));
            digests(accepted.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect())
        };
        let (on_intake, in_quarantine) = (accepted(INTAKE), accepted(QUARANTINE));
        let quarantined = digests(world.quarantined());
        for (index, sent) in self.sent.iter().enumerate() {
            let digest = hex_digest(&sent.webhook.body);
            let is_quarantined = quarantined.contains(&digest);
            let is_readable = !sent.webhook.claims.is_empty();
            if is_readable && is_quarantined {
                self.violated(format!("webhook {index} can be read and is in quarantine"));
            }
            for then in &sent.acknowledged {
                let is_recorded_by = |limit| {
                    let of = |session: &String| self.recorded.get(&(index, session.clone()));
                    sent.webhook.claims.iter().all(|claim| of(&claim.session).is_some_and(|at| *at < limit))
                };
                let was_durable = is_readable && is_recorded_by(then.transactions)
                    || on_intake[..then.on_intake].contains(&digest)
                    || in_quarantine[..then.in_quarantine].contains(&digest);
                let is_kept = if is_readable { is_recorded_by(usize::MAX) } else { is_quarantined };
                if !was_durable {
                    self.violated(format!("webhook {index} was acknowledged before it was durable"));
                }
                if !is_kept {
                    self.violated(format!("webhook {index} was acknowledged and is lost"));
                }
            }
        }
    }
}

/// What a webhook says of a session, as far as the claim tells.
fn said(claim: &Claim) -> Value {
    let check = claim.check.map(|(name, outcome)| json!({name: outcome}));
    json!({
        "stage": claim.stage,
        "outcome": claim.outcome,
        "reasonCodes": claim.reason_codes,
        "checks": check.unwrap_or_else(|| json!({})),
        "at": claim.at,
        "isUndated": claim.is_undated,
        "attempt": claim.attempt,
        "reference": claim.reference,
    })
}

/// The same of the event that it was read as.
fn read(event: &Value, claim: &Claim) -> Value {
    let checks = event["checks"].as_object().into_iter().flatten();
    let checks: Map<String, Value> = checks.map(|(name, check)| (name.clone(), check["outcome"].clone())).collect();
    // Treezor's webhooks have a time of their own, in place of a payload's.
    let at = if claim.is_undated { &Value::Null } else { &event["occurredAt"] };
    json!({
        "stage": event["stage"],
        "outcome": event["decision"]["outcome"],
        "reasonCodes": Fact::of(event).codes(),
        "checks": checks,
        "at": at,
        "isUndated": event["undated"] == true,
        "attempt": event["attemptId"],
        "reference": event["subject"]["reference"],
    })
}

fn text<'i>(item: &'i Map<String, Value>, name: &str) -> &'i str {
    item[name].as_str().unwrap_or_default()
}

fn hex_digest(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
