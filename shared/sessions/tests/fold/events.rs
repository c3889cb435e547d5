//! Events for the tests of this crate.

use std::{collections::BTreeMap, time::Duration};
use verdict_sessions::{
    AttemptId, Decision, EventId, Kind, Outcome, Provider, ReasonCode, SessionEvent, SessionId, SessionKey, Stage,
    Subject, Timestamp,
};

/// `seconds` after a fixed moment.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::parse("2026-06-13T00:00:00Z").unwrap().plus(Duration::from_secs(seconds))
}

/// An event that says nothing, which arrived at `received` and names no time of its own.
pub(crate) fn event(id: &str, received: u64) -> SessionEvent {
    SessionEvent {
        event_id: EventId::new(id).unwrap(),
        session: SessionKey { provider: Provider::Veriff, session_id: SessionId::new("s-1").unwrap() },
        kind: Kind::Verification,
        name: "event".into(),
        attempt_id: None,
        occurred_at: None,
        emitted_at: None,
        received_at: at(received),
        stage: None,
        decision: None,
        checks: BTreeMap::new(),
        subject: Subject::default(),
        remark: None,
        remarks: Vec::new(),
        undated: false,
        detail: BTreeMap::new(),
    }
}

pub(crate) fn attempt(id: &str) -> AttemptId {
    AttemptId::new(id).unwrap()
}

pub(crate) fn stage(id: &str, received: u64, attempt_id: &str, stage: Stage) -> SessionEvent {
    SessionEvent { attempt_id: Some(attempt(attempt_id)), stage: Some(stage), ..event(id, received) }
}

/// A decision that arrived when it was made.
pub(crate) fn decision(id: &str, decided: u64, attempt_id: &str, outcome: Outcome, code: Option<&str>) -> SessionEvent {
    SessionEvent {
        attempt_id: Some(attempt(attempt_id)),
        occurred_at: Some(at(decided)),
        decision: Some(Decision { reason_code: code.and_then(ReasonCode::new), ..Decision::new(outcome) }),
        ..event(id, decided)
    }
}
