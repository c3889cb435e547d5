//! The reckoning: what the stores hold in the end against what was sent. What a session should be follows from the
//! webhooks alone, by rules written down here once more.

use crate::{
    ledger::{Heard, Ledger},
    sender::{Fate, Told},
    stores::{QUARANTINE, Stores},
    story::Story,
    violations::{Kind, Violations},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::read::GzDecoder;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::Read as _,
};
use verdict_sessions::{Outcome, Stage, Timestamp};
use verdict_simulation::{Claim, Webhook};

/// Compares, story by story.
pub(crate) struct Audit<'a> {
    pub(crate) stores: &'a Stores,
    pub(crate) ledger: &'a Ledger,
    pub(crate) violations: &'a Violations,
    quarantined: BTreeSet<String>,
    /// Partitions of the table that no story has accounted for yet.
    unaccounted: BTreeSet<String>,
}

/// What the table holds of a session.
#[derive(Default)]
struct Record {
    state: Option<Value>,
    /// When each event arrived, by its id.
    arrivals: BTreeMap<String, Timestamp>,
    /// Event id, path and body of each stored webhook.
    payloads: Vec<(String, String, Value)>,
    outbox: usize,
    /// The sequences that the history has.
    told: BTreeSet<u64>,
}

/// A fact that the table holds.
struct Fact<'s> {
    claim: &'s Claim,
    arrival: Timestamp,
}

impl Fact<'_> {
    /// The time that counts.
    fn at(&self) -> Timestamp {
        self.claim.at.unwrap_or(self.arrival)
    }
}

impl<'a> Audit<'a> {
    /// Looks through the quarantine.
    pub(crate) fn begin(stores: &'a Stores, ledger: &'a Ledger, violations: &'a Violations) -> Self {
        let mut quarantined = BTreeSet::new();
        for message in stores.held(QUARANTINE) {
            match word(&message) {
                Some(word) => drop(quarantined.insert(word)),
                None => violations.add(Kind::Wrong, format!("in quarantine: {message}")),
            }
        }
        Self { stores, ledger, violations, quarantined, unaccounted: stores.written() }
    }

    /// One story against what is there.
    pub(crate) fn check(&mut self, story: &Story, told: &Told) {
        for session in story.sessions() {
            self.check_session(session, story, told);
        }
        for (index, word) in &story.unreadable {
            if !self.quarantined.remove(word) && told.fates[*index].is_acknowledged {
                self.violations.add(Kind::Lost, format!("{word} is not in quarantine"));
            }
        }
    }

    /// Whether there is anything that nobody sent.
    pub(crate) fn end(self) {
        for word in self.quarantined {
            self.violations.add(Kind::Wrong, format!("in quarantine: {word}"));
        }
        for partition in self.unaccounted {
            self.violations.add(Kind::Wrong, format!("nobody sent anything about {partition}"));
        }
    }

    fn check_session(&mut self, session: &str, story: &Story, told: &Told) {
        let partition = format!("SESSION#{session}");
        let record = Record::of(self.stores.table().items_of(&partition));
        self.unaccounted.remove(&partition);
        let facts = self.facts(session, story, told, &record);
        if record.outbox > 0 {
            self.add(Kind::Lost, session, format!("{} notifications are still in the outbox", record.outbox));
        }
        if record.arrivals.len() != facts.len() || record.payloads.len() != facts.len() {
            let (events, payloads) = (record.arrivals.len(), record.payloads.len());
            self.add(
                Kind::Doubled,
                session,
                format!("{} facts are {events} events and {payloads} payloads", facts.len()),
            );
        }
        let Some(state) = &record.state else {
            if !facts.is_empty() {
                self.add(Kind::Wrong, session, "has events and no record");
            }
            return;
        };
        let state = &state["session"];
        let count = facts.len();
        if state["events"] != count || state["version"] != count {
            let (events, version) = (&state["events"], &state["version"]);
            self.add(Kind::Wrong, session, format!("{count} facts count as {events} events, version {version}"));
        }
        self.check_decision(session, &facts, state);
        self.check_stages(session, &facts, state);
        let notifications = state["notifications"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap();
        self.check_notifications(session, notifications, state);
        if record.told.len() != notifications || record.told.last().is_some_and(|last| *last != notifications as u64) {
            self.add(
                Kind::Lost,
                session,
                format!("of {notifications} notifications, the history has {:?}", record.told),
            );
        }
        let decisions = self.ledger.heard(session).map_or(0, |heard| heard.decisions);
        if told.is_smooth && changes(session, story) != decisions {
            let expected = changes(session, story);
            self.add(Kind::Doubled, session, format!("{decisions} decisions told for {expected} changes"));
        }
    }

    /// The facts about a session that are there; all that were acknowledged must be.
    fn facts<'s>(&self, session: &str, story: &'s Story, told: &Told, record: &Record) -> Vec<Fact<'s>> {
        let mut facts = Vec::new();
        for (index, claim) in story.claims().filter(|(_, claim)| claim.session == session) {
            let webhook = &story.webhooks[index];
            let fate = &told.fates[index];
            match record.arrival_of(webhook) {
                Some(arrival) => {
                    if !fate.spans(arrival) {
                        self.add(
                            Kind::Wrong,
                            session,
                            format!("arrived {arrival}, when it was not under way: {fate:?}"),
                        );
                    }
                    facts.push(Fact { claim, arrival });
                }
                None if fate.is_acknowledged => self.add(Kind::Lost, session, format!("{claim:?}, {fate:?}")),
                None => {}
            }
        }
        facts
    }

    /// The latest decision stands.
    fn check_decision(&self, session: &str, facts: &[Fact<'_>], state: &Value) {
        let decision = &state["decision"];
        let Some(latest) = facts.iter().filter(|fact| fact.claim.outcome.is_some()).max_by_key(|fact| fact.at()) else {
            if !decision.is_null() {
                self.add(Kind::Wrong, session, format!("was never decided: {decision}"));
            }
            return;
        };
        let is_right = decision["value"]["outcome"].as_str() == latest.claim.outcome.map(Outcome::as_str)
            && decision["value"]["attemptId"].as_str() == latest.claim.attempt.as_deref()
            && decision["rank"]["at"].as_str().and_then(Timestamp::parse) == Some(latest.at());
        if !is_right {
            self.add(Kind::Wrong, session, format!("decided {:?} at {}: {decision}", latest.claim, latest.at()));
        }
    }

    /// No attempt stands behind the furthest stage that was reported of it.
    fn check_stages(&self, session: &str, facts: &[Fact<'_>], state: &Value) {
        for Fact { claim, .. } in facts {
            let Some(reported) = claim.stage else { continue };
            let attempts = state["attempts"].as_array().unwrap();
            let attempt = attempts.iter().find(|attempt| attempt["id"].as_str() == claim.attempt.as_deref());
            let reached = attempt.and_then(|attempt| serde_json::from_value::<Stage>(attempt["stage"].clone()).ok());
            if reached < Some(reported) {
                self.add(Kind::Backwards, session, format!("stands at {reached:?}: {claim:?}"));
            }
        }
    }

    /// The consumer was told of every change, and of the last one last.
    fn check_notifications(&self, session: &str, due: usize, state: &Value) {
        let outcome = &state["decision"]["value"]["outcome"];
        let nothing = Heard::default();
        let heard = self.ledger.heard(session).unwrap_or(&nothing);
        if heard.sequence() < due || heard.missing() > 0 {
            let (sequence, missing) = (heard.sequence(), heard.missing());
            self.add(Kind::Lost, session, format!("of {due} notifications, {sequence} came, {missing} did not"));
        }
        if heard.sequence() > due {
            self.add(Kind::Doubled, session, format!("{} notifications, {due} due", heard.sequence()));
        }
        if heard.outcome.as_deref() != outcome.as_str() {
            self.add(
                Kind::Wrong,
                session,
                format!("the consumer heard {:?}, the record claim {outcome}", heard.outcome),
            );
        }
        let checks = state["checks"].as_object().unwrap().iter();
        let checks: Map<String, Value> =
            checks.map(|(name, check)| (name.clone(), check["value"]["outcome"].clone())).collect();
        let is_final = outcome.as_str().is_some_and(|outcome| !["review", "resubmission_requested"].contains(&outcome));
        if is_final && heard.checks.as_object() != Some(&checks) {
            self.add(
                Kind::Wrong,
                session,
                format!("the consumer heard of {}, the record has {checks:?}", heard.checks),
            );
        }
    }

    fn add(&self, kind: Kind, session: &str, words: impl fmt::Display) {
        self.violations.add(kind, format!("{session}: {words}"));
    }
}

impl Record {
    fn of(items: Vec<Map<String, Value>>) -> Self {
        let mut record = Self::default();
        for item in items {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            let sk = text("sk");
            match sk.split_once('#') {
                None if sk == "STATE" => record.state = Some(Value::Object(item)),
                Some(("EVENT", id)) => {
                    let arrival = item["event"]["receivedAt"].as_str().and_then(Timestamp::parse).unwrap();
                    record.arrivals.insert(id.to_owned(), arrival);
                }
                Some(("PAYLOAD", id)) => {
                    let payload = serde_json::from_str(&text("payload")).unwrap();
                    record.payloads.push((id.to_owned(), text("source"), payload));
                }
                Some(("NOTIFICATION", _)) => record.outbox += 1,
                Some(("TOLD", sequence)) => drop(record.told.insert(sequence.parse().unwrap())),
                // The poll schedule.
                _ => {}
            }
        }
        record
    }

    /// When a webhook arrived, if it did.
    fn arrival_of(&self, webhook: &Webhook) -> Option<Timestamp> {
        let body: Value = serde_json::from_slice(&webhook.body).ok()?;
        let found = self.payloads.iter().find(|(_, path, payload)| *path == webhook.path && *payload == body);
        self.arrivals.get(&found?.0).copied()
    }
}

impl Fate {
    /// Whether a webhook was under way at a time.
    fn spans(&self, time: Timestamp) -> bool {
        let millis = |millis: u64| {
            let nanos = u32::try_from(millis % 1000).unwrap() * 1_000_000;
            Timestamp::from_unix(i64::try_from(millis / 1000).unwrap(), nanos).unwrap()
        };
        (millis(self.first_sent)..=millis(self.last_answered + 1)).contains(&time)
    }
}

/// How often a session's decision changes when its webhooks are recorded one after the other, as sent.
fn changes(session: &str, story: &Story) -> usize {
    let mut stands: Option<(&Claim, usize)> = None;
    let mut changes = 0;
    for (sent, index) in story.sent.iter().enumerate() {
        if story.sent[..sent].contains(index) {
            continue;
        }
        let claim = story.webhooks[*index].claims.iter().find(|claim| claim.session == session);
        let Some(claim) = claim.filter(|claim| claim.outcome.is_some()) else { continue };
        let wins = stands.is_none_or(|(before, before_sent)| (before.at, before_sent) < (claim.at, sent));
        if wins {
            let differs =
                stands.is_none_or(|(before, _)| (before.outcome, &before.attempt) != (claim.outcome, &claim.attempt));
            changes += usize::from(differs);
            stands = Some((claim, sent));
        }
    }
    changes
}

/// The word that a quarantined webhook is known by.
fn word(message: &str) -> Option<String> {
    let message: Value = serde_json::from_str(message).ok()?;
    let packed = BASE64_STANDARD.decode(message["body"].as_str()?).ok()?;
    let mut body = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut body).ok()?;
    let word = &body[body.find("unreadable-")?..];
    Some(word.split('"').next()?.to_owned())
}
