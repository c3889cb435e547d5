//! What the world must look like, worked out plainly.
//!
//! Written from the rules of folding and not from the code that folds: the record is looked for in the whole set of
//! facts each time, and the messages in the order in which the facts were committed. Nothing is carried over from one
//! answer to the next, so nothing can be carried over wrongly. Facts are compared two by two, rule by rule. The one
//! exception is a record that is full: of what it has dropped or cut it knows no more, so that order counts.

use serde_json::{Map, Value, json};
use std::{
    cmp::Ordering,
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

/// The number of checks that a session keeps.
const CHECKS_KEPT: usize = 64;

/// The most bytes that codes and details of all its checks take.
const DETAILS_KEPT: usize = 60 * 1024;

/// One recorded fact, as its event's item has it, and the sequence base of the function that recorded it.
#[derive(Clone, Debug)]
pub struct Fact(Value, u64);

impl Fact {
    /// The fact of an event.
    #[must_use]
    pub fn of(event: &Value) -> Self {
        Self(event.clone(), 0)
    }

    /// The same, recorded by a function with this base of sequences.
    #[must_use]
    pub fn above(self, base: u64) -> Self {
        Self(self.0, base)
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str)
    }

    fn time(&self, pointer: &str) -> Option<Timestamp> {
        self.text(pointer).and_then(Timestamp::parse)
    }

    pub(crate) fn id(&self) -> &str {
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

    /// Whether it is marked as what another name has a payload say that was recorded before.
    pub(crate) fn is_second_reading(&self) -> bool {
        let remarks = self.0["remarks"].as_array().into_iter().flatten();
        remarks.into_iter().any(|remark| *remark == "second_reading:object_payload")
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

    /// The names of the checks that it tells of.
    fn checks(&self) -> impl Iterator<Item = &str> {
        self.0["checks"].as_object().into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// The bytes of codes and details that it tells of a check.
    fn size_of(&self, check: &str) -> usize {
        detail_size(&self.0["checks"][check])
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
    is_later_check((name, one), (name, other)).unwrap()
}

/// Which of two checks came later: none that has no result later than one that has.
fn is_later_check((name, one): (&str, &Fact), (other_name, other): (&str, &Fact)) -> Option<bool> {
    let (result, loser) = (one.result(name).unwrap(), other.result(other_name).unwrap());
    if (result == CAPTURED) != (loser == CAPTURED) {
        return Some(loser == CAPTURED);
    }
    let more_cautious = || if result == CAPTURED { None } else { is_before(&RESULTS, result, loser) };
    let greater_id = || (one.id() != other.id()).then(|| one.id() > other.id());
    is_later(one, other).or_else(more_cautious).or_else(greater_id)
}

/// Of names for the person, the one of an event that decides for good counts.
fn name_beats(one: &Fact, other: &Fact) -> bool {
    is_later(one, other)
        .or_else(|| (one.is_final() != other.is_final()).then(|| one.is_final()))
        .unwrap_or_else(|| one.id() > other.id())
}

/// The fact that beats all others that tell of something.
fn winner<'f>(
    facts: impl IntoIterator<Item = &'f Fact>,
    tells: impl Fn(&Fact) -> bool,
    beats: impl Fn(&Fact, &Fact) -> bool,
) -> Option<&'f Fact> {
    let telling: Vec<&Fact> = facts.into_iter().filter(|fact| tells(fact)).collect();
    telling.iter().copied().find(|fact| telling.iter().all(|other| fact.id() == other.id() || beats(fact, other)))
}

/// Whether the facts of an identification name several users: then nobody is identified.
pub(crate) fn has_several_users(facts: &[Fact]) -> bool {
    let of_identification = facts.iter().filter(|fact| fact.text("/kind") == Some("identification"));
    of_identification.filter_map(Fact::user).collect::<BTreeSet<_>>().len() > 1
}

/// The fact whose decision stands.
pub(crate) fn standing(facts: &[Fact]) -> Option<&Fact> {
    if has_several_users(facts) {
        return None;
    }
    winner(facts, |fact| fact.outcome().is_some(), decision_beats)
}

fn reference(facts: &[Fact]) -> Option<&Fact> {
    winner(facts, |fact| fact.reference().is_some(), name_beats)
}

fn user(facts: &[Fact]) -> Option<&Fact> {
    winner(facts, |fact| fact.user().is_some(), name_beats)
}

/// The record that a session's facts make, as it is stored. They come in the order in which they were committed.
///
/// # Panics
/// Without facts there is no record.
#[must_use]
pub fn record(facts: &[Fact]) -> Value {
    record_after(facts, last_sequence(&notifications(facts)))
}

/// The same, after messages of which the last had this sequence.
pub(crate) fn record_after(facts: &[Fact], last: u64) -> Value {
    let first = &facts[0].0;
    let attempts: Vec<Value> = attempts(facts)
        .into_iter()
        .map(|attempt| json!({"id": attempt.id, "since": attempt.since, "stage": attempt.stage}))
        .collect();
    let mut record = json!({
        "provider": first["provider"],
        "sessionId": first["sessionId"],
        "kind": first["kind"],
        "reference": reference(facts).map(|fact| fact.ranked(json!(fact.reference()))),
        "providerUserId": user(facts).map(|fact| fact.ranked(json!(fact.user()))),
        "decision": standing(facts).map(decision),
        "attempts": attempts,
        "checks": checks(facts),
        "events": facts.len(),
        "notifications": last,
        "version": facts.len(),
        "firstEventAt": facts.iter().map(Fact::arrived).min(),
        "lastEventAt": facts.iter().map(Fact::arrived).max(),
        "statusSince": status_since(facts),
    });
    if has_several_users(facts) {
        record["hasSeveralUsers"] = true.into();
    }
    record
}

/// The arrival of the fact that brought the status.
fn status_since(facts: &[Fact]) -> Timestamp {
    let now = status(facts);
    let has_another = |count: &usize| status(&facts[..*count]) != now;
    facts[(1..facts.len()).rev().find(has_another).unwrap_or(0)].arrived()
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
    !before.codes().is_empty() && set(&before.codes()) != set(&after.codes())
}

fn set(codes: &[Value]) -> BTreeSet<String> {
    codes.iter().map(Value::to_string).collect()
}

/// The messages that a session's facts make due, in the order in which the facts were committed: of a fact one at most.
#[must_use]
pub fn notifications(committed: &[Fact]) -> Vec<Value> {
    let mut notifications = Vec::new();
    let mut before = (None, Map::new());
    for (count, checks) in (1..).zip(checks_after_each(committed)) {
        let facts = &committed[..count];
        let after = (standing(facts), checks);
        notifications.extend(due(facts, &before, &after, last_sequence(&notifications)));
        before = after;
    }
    notifications
}

/// The message that the last of a session's facts makes due, after those before it.
#[must_use]
pub(crate) fn notification_of_the_last(committed: &[Fact], before: &[Value]) -> Option<Value> {
    let of = |facts| (standing(facts), checks(facts));
    let earlier = &committed[..committed.len() - 1];
    due(committed, &of(earlier), &of(committed), last_sequence(before))
}

/// The sequence of the last message; 0 if there was none.
pub(crate) fn last_sequence(notifications: &[Value]) -> u64 {
    notifications.last().and_then(|last| last["data"]["sequence"].as_u64()).unwrap_or(0)
}

/// What stands of a session: the decision's fact, and the checks.
type Standing<'f> = (Option<&'f Fact>, Map<String, Value>);

fn due(facts: &[Fact], before: &Standing<'_>, after: &Standing<'_>, last: u64) -> Option<Value> {
    let is_decision = match (before.0, after.0) {
        (Some(before), Some(after)) => is_told(before, after),
        (before, after) => before.is_some() || after.is_some(),
    };
    let changes = if is_decision { Vec::new() } else { changes(&before.1, &after.1) };
    let is_check = !changes.is_empty() && after.0.is_some_and(Fact::is_final);
    // A function goes on after the last sequence, and never below its base.
    let base = facts[facts.len() - 1].1;
    (is_decision || is_check).then(|| notification(facts, before.0, last.max(base) + 1, &after.1, changes))
}

/// The checks that changed: another outcome, or other reasons; one that is new, or no longer on record.
fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Value> {
    let codes = |check: &Value| check["value"]["reasonCodes"].as_array().cloned().unwrap_or_default();
    let is_same = |name: &String, check: &Value| {
        let Some(old) = before.get(name) else { return false };
        // Reasons that were cut are not known: those of another event may be others.
        let is_known = old["isCut"] != true && check["isCut"] != true;
        let has_same_codes =
            old["rank"]["eventId"] == check["rank"]["eventId"] || is_known && set(&codes(old)) == set(&codes(check));
        old["value"]["outcome"] == check["value"]["outcome"] && has_same_codes
    };
    let change = |name: &String, old: Option<&Value>, new: Option<&Value>| {
        let shown = new.or(old).unwrap();
        json!({
            "check": name,
            "outcome": new.map(|new| &new["value"]["outcome"]),
            "previousOutcome": old.map(|old| &old["value"]["outcome"]),
            "reasonCodes": new.map(codes).unwrap_or_default(),
            "detail": new.and_then(|new| new["value"].get("detail")).cloned().unwrap_or_else(|| json!({})),
            "at": shown.get("shownAt").unwrap_or(&shown["rank"]["at"]),
        })
    };
    let changed = after.iter().filter(|(name, check)| !is_same(name, check));
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    let changed = changed.map(|(name, check)| change(name, before.get(name), Some(check)));
    changed.chain(gone.map(|(name, old)| change(name, Some(old), None))).collect()
}

fn notification(
    facts: &[Fact],
    before: Option<&Fact>,
    sequence: u64,
    checks: &Map<String, Value>,
    changes: Vec<Value>,
) -> Value {
    let stands = standing(facts);
    let (provider, session_id) = (facts[0].text("/provider").unwrap(), facts[0].text("/sessionId").unwrap());
    let user = user(facts).and_then(Fact::user);
    let stands_in = user.filter(|_| provider == "treezor");
    let codes = stands.map(Fact::codes).unwrap_or_default();
    let detail = stands.and_then(|stands| stands.0["decision"].get("detail")).cloned();
    let checks: Map<String, Value> =
        checks.iter().map(|(name, check)| (name.clone(), check["value"]["outcome"].clone())).collect();
    let (kind, time) = match (stands, changes.iter().filter_map(time_of).max()) {
        (_, Some(latest)) => ("verdict.check.v1", latest),
        (Some(stands), None) => ("verdict.decision.v1", stands.decided()),
        (None, None) => ("verdict.decision_withdrawn.v1", facts[facts.len() - 1].arrived()),
    };
    let mut data = json!({
        "provider": provider,
        "sessionId": session_id,
        "kind": facts[0].0["kind"],
        "attemptId": stands.and_then(Fact::attempt),
        "sequence": sequence,
        "outcome": stands.and_then(Fact::outcome),
        "final": stands.is_some_and(Fact::is_final),
        "previousOutcome": before.and_then(Fact::outcome),
        "reasonCode": codes.first(),
        "reasonCodes": codes,
        "detail": detail.unwrap_or_else(|| json!({})),
        "correction": false,
        "decidedAt": stands.map(Fact::decided),
        "reference": reference(facts).and_then(Fact::reference).or(stands_in),
        "providerUserId": user,
        "checks": checks,
    });
    if !changes.is_empty() {
        data["changes"] = changes.into();
    }
    if stands.is_none() {
        data["withdrawnAt"] = json!(time);
    }
    json!({
        "specversion": "1.0",
        "id": format!("{provider}/{session_id}/{sequence}"),
        "source": format!("/sessions/{provider}"),
        "type": kind,
        "subject": session_id,
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    })
}

fn time_of(change: &Value) -> Option<Timestamp> {
    change["at"].as_str().and_then(Timestamp::parse)
}

/// How often a session's facts are such that a rule of their order is needed, by what they are.
pub(crate) fn exercised(facts: &[Fact]) -> [(&'static str, usize); 7] {
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
        ("second readings", facts.iter().filter(|fact| fact.is_second_reading()).count()),
        ("identifications of several users", usize::from(has_several_users(facts))),
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

/// The latest of each check.
fn checks(facts: &[Fact]) -> Map<String, Value> {
    if is_ever_full(facts) {
        let mut record = FullRecord::default();
        for fact in facts {
            record.take(fact);
        }
        return record.checks();
    }
    let names: BTreeSet<&str> = facts.iter().flat_map(Fact::checks).collect();
    names.into_iter().map(|name| (name.to_owned(), check(&telling(facts, name), name))).collect()
}

/// The same after each of the facts.
fn checks_after_each(facts: &[Fact]) -> Vec<Map<String, Value>> {
    if !is_ever_full(facts) {
        return (1..=facts.len()).map(|count| checks(&facts[..count])).collect();
    }
    let mut record = FullRecord::default();
    let after = |fact| {
        record.take(fact);
        record.checks()
    };
    facts.iter().map(after).collect()
}

/// Whether there is more to know than a record holds.
fn is_ever_full(facts: &[Fact]) -> bool {
    let names: BTreeSet<&str> = facts.iter().flat_map(Fact::checks).collect();
    let all = || facts.iter().flat_map(|fact| fact.checks().map(|name| fact.size_of(name)));
    let is_too_much = || names.iter().map(|name| room(&telling(facts, name), name)).sum::<usize>() > DETAILS_KEPT;
    names.len() > CHECKS_KEPT || all().sum::<usize>() > DETAILS_KEPT && is_too_much()
}

/// The facts that tell of a check.
fn telling<'f>(facts: &'f [Fact], name: &str) -> Vec<&'f Fact> {
    facts.iter().filter(|fact| fact.result(name).is_some()).collect()
}

/// The most bytes of codes and details that one of its facts tells of a check.
fn room(of_it: &[&Fact], name: &str) -> usize {
    of_it.iter().map(|fact| fact.size_of(name)).max().unwrap_or(0)
}

/// The checks of a record that is full at some time: it forgets what there was of a check that it dropped, and what it has
/// cut of a check is gone until another event tells of it.
#[derive(Default)]
struct FullRecord<'f> {
    /// The facts that count for each check.
    known: BTreeMap<&'f str, Vec<&'f Fact>>,
    /// The checks that were cut, with the event that each came from.
    cut: BTreeSet<(&'f str, &'f str)>,
}

impl<'f> FullRecord<'f> {
    fn take(&mut self, fact: &'f Fact) {
        for name in fact.checks() {
            self.known.entry(name).or_default().push(fact);
        }
        while self.known.len() > CHECKS_KEPT {
            let oldest = self.latest().min_by(Self::by_age).map(|(name, _)| name).unwrap();
            self.known.remove(oldest);
        }
        if self.known.iter().map(|(name, of_it)| room(of_it, name)).sum::<usize>() <= DETAILS_KEPT {
            return;
        }
        let mut latest: Vec<_> = self.latest().collect();
        latest.sort_by(|one, other| Self::by_age(other, one));
        let mut needed = 0;
        for (name, fact) in latest {
            needed += room(&self.known[name], name);
            if needed > DETAILS_KEPT && fact.size_of(name) > 0 {
                self.cut.insert((name, fact.id()));
            }
        }
    }

    /// The fact that tells each check.
    fn latest(&self) -> impl Iterator<Item = (&'f str, &'f Fact)> {
        self.known.iter().map(|(name, of_it)| (*name, latest(of_it, name)))
    }

    /// The older one first.
    fn by_age(one: &(&str, &Fact), other: &(&str, &Fact)) -> Ordering {
        match is_later_check(*one, *other) {
            Some(true) => Ordering::Greater,
            Some(false) => Ordering::Less,
            None => one.0.cmp(other.0),
        }
    }

    fn checks(&self) -> Map<String, Value> {
        let of = |(name, of_it): (&&str, &Vec<&Fact>)| {
            let mut check = check(of_it, name);
            if self.cut.contains(&(*name, latest(of_it, name).id())) {
                let value = check["value"].as_object_mut().unwrap();
                value.remove("reasonCodes");
                value.remove("detail");
                check["isCut"] = json!(true);
                check["largest"] = json!(room(of_it, name));
            }
            ((*name).to_owned(), check)
        };
        self.known.iter().map(of).collect()
    }
}

/// The latest of the facts that tell of a check.
fn latest<'f>(of_it: &[&'f Fact], name: &str) -> &'f Fact {
    winner(of_it.iter().copied(), |_| true, |one, other| check_beats(name, one, other)).expect("it was reported")
}

/// A check, as it stands in the record.
fn check(of_it: &[&Fact], name: &str) -> Value {
    let fact = latest(of_it, name);
    let mut check = fact.ranked(fact.0["checks"][name].clone());
    if fact.is_undated() {
        check["shownAt"] = json!(fact.shown());
    }
    let largest = room(of_it, name);
    if largest > fact.size_of(name) {
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
