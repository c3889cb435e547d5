//! What the world must look like, worked out plainly.
//!
//! Written from the rules of folding and not from the code that folds: the record is looked for in the whole set of
//! facts each time, and the notifications in the order in which the facts were committed. Nothing is carried over from
//! one answer to the next, so nothing can be carried over wrongly.

use crate::Claim;
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, time::Duration};
use verdict_sessions::{Outcome, Stage, Timestamp};

/// How far ahead of its arrival a fact may count from.
const FUTURE_TOLERANCE: Duration = Duration::from_mins(5);

/// One recorded fact: what its webhook said, and what only the recording could settle.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What was said.
    pub claim: Claim,
    /// What the fact is called; between facts of one time, that decides.
    pub event_id: String,
    /// When the copy that counts arrived.
    pub arrived_at: Timestamp,
}

impl Fact {
    /// The time that it counts from: the provider's, but no more than five minutes after it arrived; else its arrival.
    fn at(&self) -> Timestamp {
        self.claim.at.map_or(self.arrived_at, |at| at.min(self.arrived_at.plus(FUTURE_TOLERANCE)))
    }

    fn is_final(&self) -> bool {
        self.claim.outcome.is_some_and(is_final)
    }

    /// The greater counts: the later; of one time the final decision; else by name.
    fn order(&self) -> (Timestamp, bool, &str) {
        (self.at(), self.is_final(), &self.event_id)
    }

    /// What a consumer acts on.
    fn decided(&self) -> (Option<Outcome>, Option<&str>, Option<&str>) {
        (self.claim.outcome, self.claim.reason_code.as_deref(), self.claim.attempt.as_deref())
    }

    /// A member of the record that it gives, with what it won by.
    fn ranked(&self, value: Value) -> Value {
        let emitted_at = (self.provider() == "treezor").then(|| self.at());
        let rank =
            json!({"at": self.at(), "emittedAt": emitted_at, "final": self.is_final(), "eventId": self.event_id});
        let mut ranked = json!({"rank": rank});
        ranked["value"] = value;
        ranked
    }

    fn provider(&self) -> &str {
        self.claim.session.split_once('/').unwrap().0
    }

    fn session_id(&self) -> &str {
        self.claim.session.split_once('/').unwrap().1
    }

    /// The provider's name for the person: Treezor has but one, which is also ours.
    fn provider_user_id(&self) -> Option<&str> {
        (self.provider() == "treezor").then_some(&self.claim.reference)
    }

    fn kind(&self) -> &'static str {
        match self.provider() {
            "veriff" => "verification",
            "treezor" => "kyc_review",
            _ => "onboarding",
        }
    }
}

/// The record that a session's facts make, as it is stored.
///
/// # Panics
/// Without facts there is no record.
#[must_use]
pub fn record(facts: &[Fact]) -> Value {
    let latest = latest(facts, |_| true).expect("a session has facts");
    let checks: BTreeSet<&str> = facts.iter().filter_map(|fact| fact.claim.check).map(|(name, _)| name).collect();
    let checks: Map<String, Value> = checks.into_iter().map(|name| (name.to_owned(), check(facts, name))).collect();
    let attempts: Vec<Value> = attempts(facts)
        .into_iter()
        .map(|attempt| json!({"id": attempt.id, "since": attempt.since, "stage": attempt.stage}))
        .collect();
    json!({
        "provider": latest.provider(),
        "sessionId": latest.session_id(),
        "kind": latest.kind(),
        "reference": latest.ranked(json!(latest.claim.reference)),
        "providerUserId": latest.provider_user_id().map(|user| latest.ranked(json!(user))),
        "decision": decision(facts),
        "attempts": attempts,
        "checks": checks,
        "events": facts.len(),
        "notifications": notifications(facts).len(),
        "version": facts.len(),
        "firstEventAt": facts.iter().map(|fact| fact.arrived_at).min(),
        "lastEventAt": facts.iter().map(|fact| fact.arrived_at).max(),
    })
}

/// Where a session stands.
#[must_use]
pub fn status(facts: &[Fact]) -> &'static str {
    let attempts = attempts(facts);
    let Some(winner) = winner(facts) else { return attempts.last().map_or("new", |youngest| named(youngest.stage)) };
    match winner.claim.outcome {
        Some(Outcome::Review) => "in_review",
        Some(Outcome::ResubmissionRequested) => {
            let is_decided = |attempt: &Attempt| attempt.id == winner.claim.attempt.as_deref();
            let younger = attempts.iter().rev().take_while(|attempt| !is_decided(attempt));
            let begun = younger.into_iter().find(|attempt| attempt.stage > Stage::New);
            begun.map_or("awaiting_resubmission", |attempt| named(attempt.stage))
        }
        _ => "decided",
    }
}

/// The notifications that a session's facts make due, in the order in which they were committed.
#[must_use]
pub fn notifications(committed: &[Fact]) -> Vec<Value> {
    let mut notifications = Vec::new();
    for count in 1..=committed.len() {
        let (before, after) = (winner(&committed[..count - 1]), winner(&committed[..count]));
        let Some(winner) = after else { continue };
        if before.is_some_and(|before| before.decided() == winner.decided()) {
            continue;
        }
        let (provider, session_id, sequence) = (winner.provider(), winner.session_id(), notifications.len() + 1);
        notifications.push(json!({
            "specversion": "1.0",
            "id": format!("{}/{sequence}", winner.claim.session),
            "source": format!("/sessions/{provider}"),
            "type": "verdict.decision.v1",
            "subject": session_id,
            "time": winner.at(),
            "datacontenttype": "application/json",
            "data": {
                "provider": provider,
                "sessionId": session_id,
                "kind": winner.kind(),
                "attemptId": winner.claim.attempt,
                "sequence": sequence,
                "outcome": winner.claim.outcome,
                "final": winner.is_final(),
                "previousOutcome": before.and_then(|before| before.claim.outcome),
                "reasonCode": winner.claim.reason_code,
                "correction": false,
                "decidedAt": winner.at(),
                "reference": winner.claim.reference,
                "providerUserId": winner.provider_user_id(),
            },
        }));
    }
    notifications
}

/// One try within a session.
struct Attempt<'f> {
    id: Option<&'f str>,
    since: Timestamp,
    stage: Stage,
}

/// The attempts that have shown a stage or a decision, the youngest last.
fn attempts(facts: &[Fact]) -> Vec<Attempt<'_>> {
    let shows = |fact: &&Fact| fact.claim.stage.is_some() || fact.claim.outcome.is_some();
    let ids: BTreeSet<Option<&str>> = facts.iter().filter(shows).map(|fact| fact.claim.attempt.as_deref()).collect();
    let mut attempts: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let of_it = || facts.iter().filter(shows).filter(|fact| fact.claim.attempt.as_deref() == id);
            let since = of_it().map(Fact::at).min().expect("it has shown something");
            let stage = of_it().filter_map(|fact| fact.claim.stage).max().unwrap_or_default();
            Attempt { id, since, stage }
        })
        .collect();
    attempts.sort_by_key(|attempt| (attempt.since, attempt.id));
    attempts
}

fn latest(facts: &[Fact], tells: impl Fn(&Claim) -> bool) -> Option<&Fact> {
    facts.iter().filter(|fact| tells(&fact.claim)).max_by_key(|fact| fact.order())
}

/// The fact whose decision stands.
fn winner(facts: &[Fact]) -> Option<&Fact> {
    latest(facts, |claim| claim.outcome.is_some())
}

fn decision(facts: &[Fact]) -> Option<Value> {
    let winner = winner(facts)?;
    // Wultra's reason is the code itself; the others give none in words.
    let reason = winner.claim.reason_code.as_ref().filter(|_| winner.provider() == "wultra");
    Some(winner.ranked(json!({
        "outcome": winner.claim.outcome,
        "reasonCode": winner.claim.reason_code,
        "reason": reason,
        "attemptId": winner.claim.attempt,
    })))
}

fn check(facts: &[Fact], name: &str) -> Value {
    let fact =
        latest(facts, |claim| claim.check.is_some_and(|(reported, _)| reported == name)).expect("it was reported");
    fact.ranked(json!({"outcome": fact.claim.check.map(|(_, outcome)| outcome), "reason": null}))
}

fn is_final(outcome: Outcome) -> bool {
    use Outcome::{Abandoned, Approved, Declined, Expired, Failed};
    [Approved, Declined, Expired, Abandoned, Failed].contains(&outcome)
}

fn named(stage: Stage) -> &'static str {
    match stage {
        Stage::New => "new",
        Stage::Started => "started",
        Stage::Submitted => "submitted",
    }
}
