//! What the world must look like, worked out plainly.
//!
//! Written from the rules of folding and not from the code that folds: the record is looked for in the whole set of
//! facts each time, and the notifications in the order in which the facts were committed. Nothing is carried over from
//! one answer to the next, so nothing can be carried over wrongly. Facts are compared two by two, rule by rule.

use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use verdict_sessions::Timestamp;

/// How far ahead of its arrival a fact may count from.
const FUTURE_TOLERANCE: Duration = Duration::from_mins(5);

/// The final outcomes of decisions, the most cautious first.
const FINAL: [&str; 5] = ["declined", "failed", "expired", "abandoned", "approved"];

/// The other outcomes of decisions, likewise.
const NOT_FINAL: [&str; 2] = ["review", "resubmission_requested"];

/// The results of checks, likewise.
const RESULTS: [&str; 6] = ["failed", "flagged", "error", "cancelled", "pending", "passed"];

/// That there is no result.
const CAPTURED: &str = "captured";

/// The stages, in their order.
const STAGES: [&str; 3] = ["new", "started", "submitted"];

/// One recorded fact, as its event's item has it.
#[derive(Clone, Debug)]
pub struct Fact(Value);

impl Fact {
    /// The fact of an event.
    #[must_use]
    pub fn of(event: &Value) -> Self {
        Self(event.clone())
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str)
    }

    fn time(&self, pointer: &str) -> Option<Timestamp> {
        self.text(pointer).and_then(Timestamp::parse)
    }

    fn id(&self) -> &str {
        self.text("/eventId").unwrap()
    }

    fn arrived(&self) -> Timestamp {
        self.time("/receivedAt").unwrap()
    }

    /// No time counts more than five minutes after its fact arrived.
    fn bounded(&self, time: Timestamp) -> Timestamp {
        time.min(self.arrived().plus(FUTURE_TOLERANCE))
    }

    fn is_undated(&self) -> bool {
        self.0["undated"] == true
    }

    /// The time that it counts from: the provider's, else its arrival. Before everything that has a time is what has
    /// only blank ones.
    fn at(&self) -> Option<Timestamp> {
        let at = self.time("/occurredAt").map_or(self.arrived(), |at| self.bounded(at));
        (!self.is_undated()).then_some(at)
    }

    fn sent(&self) -> Option<Timestamp> {
        self.time("/emittedAt").map(|sent| self.bounded(sent))
    }

    /// The time to show for it.
    fn shown(&self) -> Timestamp {
        self.at().unwrap_or_else(|| self.time("/emittedAt").map_or(self.arrived(), |sent| sent.min(self.arrived())))
    }

    /// The time to show for its decision: never later than it arrived.
    fn decided(&self) -> Timestamp {
        self.time("/decision/decidedAt").map_or(self.shown(), |decided| decided.min(self.arrived()))
    }

    pub(crate) fn outcome(&self) -> Option<&str> {
        self.text("/decision/outcome")
    }

    fn is_final(&self) -> bool {
        self.outcome().is_some_and(|outcome| FINAL.contains(&outcome))
    }

    fn attempt(&self) -> Option<&str> {
        self.text("/attemptId")
    }

    fn stage(&self) -> Option<&str> {
        self.text("/stage")
    }

    fn result(&self, check: &str) -> Option<&str> {
        self.0["checks"][check]["outcome"].as_str()
    }

    /// Its reasons, in their order.
    pub(crate) fn codes(&self) -> Vec<Value> {
        let decision = &self.0["decision"];
        match decision["reasonCodes"].as_array() {
            Some(codes) => codes.clone(),
            None => decision["reasonCode"].as_str().map(Value::from).into_iter().collect(),
        }
    }

    fn user(&self) -> Option<&str> {
        self.text("/subject/providerUserId")
    }

    /// Your own name for the person. That Treezor's is no name of yours is not told by such an event.
    fn reference(&self) -> Option<&str> {
        let reference = self.text("/subject/reference");
        if self.0["provider"] == "treezor" { reference.filter(|own| Some(*own) != self.user()) } else { reference }
    }

    /// A member of the record that it gives, with what it won by.
    fn ranked(&self, value: Value) -> Value {
        let at = self.at().map_or("0001-01-01T00:00:00Z".to_owned(), |at| at.to_string());
        let rank = json!({"at": at, "emittedAt": self.sent(), "final": self.is_final(), "eventId": self.id()});
        let mut ranked = json!({"rank": rank});
        ranked["value"] = value;
        ranked
    }

    fn shows_another_time(&self, shown: Timestamp) -> bool {
        self.at() != Some(shown)
    }
}

/// Which of two facts came later, as far as times tell.
fn is_later(one: &Fact, other: &Fact) -> Option<bool> {
    let order = one.at().cmp(&other.at()).then(one.sent().cmp(&other.sent()));
    order.is_ne().then(|| order.is_gt())
}

/// Which of two words stands first in a list.
fn is_before(list: &[&str], one: &str, other: &str) -> Option<bool> {
    let place = |word| list.iter().position(|listed| *listed == word).unwrap();
    (one != other).then(|| place(one) < place(other))
}

fn decision_beats(one: &Fact, other: &Fact) -> bool {
    is_later(one, other).unwrap_or_else(|| {
        let (outcome, loser) = (one.outcome().unwrap(), other.outcome().unwrap());
        if one.is_final() != other.is_final() {
            return one.is_final();
        }
        let list: &[&str] = if one.is_final() { &FINAL } else { &NOT_FINAL };
        is_before(list, outcome, loser).unwrap_or_else(|| one.id() > other.id())
    })
}

fn check_beats(name: &str, one: &Fact, other: &Fact) -> bool {
    let (result, loser) = (one.result(name).unwrap(), other.result(name).unwrap());
    if (result == CAPTURED) != (loser == CAPTURED) {
        return loser == CAPTURED;
    }
    let more_cautious = || if result == CAPTURED { None } else { is_before(&RESULTS, result, loser) };
    is_later(one, other).or_else(more_cautious).unwrap_or_else(|| one.id() > other.id())
}

/// Of names for the person, the one of an event that decides for good counts.
fn name_beats(one: &Fact, other: &Fact) -> bool {
    is_later(one, other)
        .or_else(|| (one.is_final() != other.is_final()).then(|| one.is_final()))
        .unwrap_or_else(|| one.id() > other.id())
}

/// The fact that beats all others that tell of something.
fn winner(facts: &[Fact], tells: impl Fn(&Fact) -> bool, beats: impl Fn(&Fact, &Fact) -> bool) -> Option<&Fact> {
    let telling: Vec<&Fact> = facts.iter().filter(|fact| tells(fact)).collect();
    telling.iter().copied().find(|fact| telling.iter().all(|other| fact.id() == other.id() || beats(fact, other)))
}

/// The fact whose decision stands.
pub(crate) fn standing(facts: &[Fact]) -> Option<&Fact> {
    winner(facts, |fact| fact.outcome().is_some(), decision_beats)
}

fn reference(facts: &[Fact]) -> Option<&Fact> {
    winner(facts, |fact| fact.reference().is_some(), name_beats)
}

fn user(facts: &[Fact]) -> Option<&Fact> {
    winner(facts, |fact| fact.user().is_some(), name_beats)
}

/// The record that a session's facts make, as it is stored.
///
/// # Panics
/// Without facts there is no record.
#[must_use]
pub fn record(facts: &[Fact]) -> Value {
    let first = &facts[0].0;
    let checks: BTreeSet<&String> =
        facts.iter().filter_map(|fact| fact.0["checks"].as_object()).flat_map(Map::keys).collect();
    let checks: Map<String, Value> = checks.into_iter().map(|name| (name.to_owned(), check(facts, name))).collect();
    let attempts: Vec<Value> = attempts(facts)
        .into_iter()
        .map(|attempt| json!({"id": attempt.id, "since": attempt.since, "stage": attempt.stage}))
        .collect();
    json!({
        "provider": first["provider"],
        "sessionId": first["sessionId"],
        "kind": first["kind"],
        "reference": reference(facts).map(|fact| fact.ranked(json!(fact.reference()))),
        "providerUserId": user(facts).map(|fact| fact.ranked(json!(fact.user()))),
        "decision": standing(facts).map(decision),
        "attempts": attempts,
        "checks": checks,
        "events": facts.len(),
        "notifications": notifications(facts).len(),
        "version": facts.len(),
        "firstEventAt": facts.iter().map(Fact::arrived).min(),
        "lastEventAt": facts.iter().map(Fact::arrived).max(),
    })
}

/// Where a session stands.
#[must_use]
pub fn status(facts: &[Fact]) -> String {
    let attempts = attempts(facts);
    let Some(standing) = standing(facts) else {
        return attempts.last().map_or("new", |youngest| youngest.stage).to_owned();
    };
    let status = match standing.outcome().unwrap() {
        "review" => "in_review",
        "resubmission_requested" => {
            let is_decided = |attempt: &Attempt| attempt.id == standing.attempt();
            let younger = attempts.iter().rev().take_while(|attempt| !is_decided(attempt));
            let begun = younger.into_iter().find(|attempt| attempt.stage != "new");
            begun.map_or("awaiting_resubmission", |attempt| attempt.stage)
        }
        _ => "decided",
    };
    status.to_owned()
}

/// Whether a consumer is told when the decision of one fact takes the other's place.
fn is_told(before: &Fact, after: &Fact) -> bool {
    if (before.outcome(), before.attempt()) != (after.outcome(), after.attempt()) {
        return true;
    }
    let set = |fact: &Fact| fact.codes().iter().map(Value::to_string).collect::<BTreeSet<_>>();
    !before.codes().is_empty() && set(before) != set(after)
}

/// The notifications that a session's facts make due, in the order in which they were committed.
#[must_use]
pub fn notifications(committed: &[Fact]) -> Vec<Value> {
    let mut notifications = Vec::new();
    for count in 1..=committed.len() {
        let facts = &committed[..count];
        let (before, after) = (standing(&facts[..count - 1]), standing(facts));
        let Some(after) = after else { continue };
        if before.is_some_and(|before| !is_told(before, after)) {
            continue;
        }
        notifications.push(notification(facts, before, after, notifications.len() + 1));
    }
    notifications
}

fn notification(facts: &[Fact], before: Option<&Fact>, after: &Fact, sequence: usize) -> Value {
    let (provider, session_id) = (after.text("/provider").unwrap(), after.text("/sessionId").unwrap());
    let user = user(facts).and_then(Fact::user);
    let stands_in = user.filter(|_| provider == "treezor");
    let codes = after.codes();
    json!({
        "specversion": "1.0",
        "id": format!("{provider}/{session_id}/{sequence}"),
        "source": format!("/sessions/{provider}"),
        "type": "verdict.decision.v1",
        "subject": session_id,
        "time": after.decided(),
        "datacontenttype": "application/json",
        "data": {
            "provider": provider,
            "sessionId": session_id,
            "kind": after.0["kind"],
            "attemptId": after.attempt(),
            "sequence": sequence,
            "outcome": after.outcome(),
            "final": after.is_final(),
            "previousOutcome": before.and_then(Fact::outcome),
            "reasonCode": codes.first(),
            "reasonCodes": codes,
            "detail": after.0["decision"].get("detail").cloned().unwrap_or_else(|| json!({})),
            "correction": false,
            "decidedAt": after.decided(),
            "reference": reference(facts).and_then(Fact::reference).or(stands_in),
            "providerUserId": user,
        },
    })
}

/// How often a session's facts are such that a rule of their order is needed, by what they are.
pub(crate) fn exercised(facts: &[Fact]) -> [(&'static str, usize); 5] {
    let pairs =
        || facts.iter().enumerate().flat_map(|(place, one)| facts[..place].iter().map(move |other| (one, other)));
    let is_tie = |one: &Fact, other: &Fact| is_later(one, other).is_none();
    let decisions = pairs().filter(|(one, other)| {
        let [outcome, loser] = [one, other].map(|fact| fact.outcome());
        is_tie(one, other) && outcome.is_some() && loser.is_some() && outcome != loser
    });
    let checks = |differs: &dyn Fn(&str, &str, &Fact, &Fact) -> bool| {
        let of = |(one, other): &(&Fact, &Fact)| {
            let names = one.0["checks"].as_object().into_iter().flat_map(Map::keys);
            names
                .filter_map(|name| Some((one.result(name)?, other.result(name)?)))
                .any(|(a, b)| differs(a, b, one, other))
        };
        pairs().filter(of).count()
    };
    let is_capture = |one: &str, other: &str| (one == CAPTURED) != (other == CAPTURED);
    [
        ("decisions of one time", decisions.count()),
        ("checks of one time", checks(&|a, b, one, other| is_tie(one, other) && a != b)),
        ("captures beside results", checks(&|a, b, _, _| is_capture(a, b))),
        ("blank times", facts.iter().filter(|fact| fact.is_undated()).count()),
        ("several reasons", facts.iter().filter(|fact| fact.codes().len() > 1).count()),
    ]
}

/// One try within a session.
struct Attempt<'f> {
    id: Option<&'f str>,
    since: Timestamp,
    stage: &'f str,
}

/// The attempts that have shown a stage or a decision, the youngest last.
fn attempts(facts: &[Fact]) -> Vec<Attempt<'_>> {
    let shows = |fact: &&Fact| fact.stage().is_some() || fact.outcome().is_some();
    let ids: BTreeSet<Option<&str>> = facts.iter().filter(shows).map(Fact::attempt).collect();
    let mut attempts: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let of_it = || facts.iter().filter(shows).filter(|fact| fact.attempt() == id);
            let since = of_it().map(Fact::shown).min().expect("it has shown something");
            let furthest = of_it().filter_map(Fact::stage).max_by_key(|stage| STAGES.iter().position(|of| of == stage));
            Attempt { id, since, stage: furthest.unwrap_or("new") }
        })
        .collect();
    attempts.sort_by_key(|attempt| (attempt.since, attempt.id));
    attempts
}

fn decision(standing: &Fact) -> Value {
    let mut value = standing.0["decision"].clone();
    value["attemptId"] = json!(standing.attempt());
    value.as_object_mut().unwrap().remove("decidedAt");
    if standing.shows_another_time(standing.decided()) {
        value["decidedAt"] = json!(standing.decided());
    }
    standing.ranked(value)
}

fn check(facts: &[Fact], name: &str) -> Value {
    let tells = |fact: &Fact| fact.result(name).is_some();
    let fact = winner(facts, tells, |one, other| check_beats(name, one, other)).expect("it was reported");
    let mut check = fact.ranked(fact.0["checks"][name].clone());
    if fact.is_undated() {
        check["shownAt"] = json!(fact.shown());
    }
    let largest = facts.iter().map(|fact| detail_size(&fact.0["checks"][name])).max();
    if largest > Some(detail_size(&fact.0["checks"][name])) {
        check["largest"] = json!(largest);
    }
    check
}

/// The bytes of a check's codes and details.
fn detail_size(check: &Value) -> usize {
    let codes = check["reasonCodes"].as_array().into_iter().flatten().map(|code| code.as_str().unwrap().len());
    let detail: BTreeMap<&str, &str> = check["detail"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    codes.sum::<usize>() + detail.into_iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
}
