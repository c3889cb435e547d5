//! What readers of the sessions API see.

use crate::{
    AttemptId, CheckOutcome, Kind, Outcome, Provider, ReasonCode, Session, SessionEvent, SessionId, Status, Subject,
    Timestamp,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A session, as `GET /sessions/{provider}/{sessionId}` shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members mirror the record's, where each is described")]
pub struct SessionView<'a> {
    pub provider: Provider,
    pub session_id: &'a SessionId,
    pub kind: Kind,
    pub status: Status,
    pub attempt_id: Option<&'a AttemptId>,
    pub subject: Subject,
    pub decision: Option<DecisionView<'a>>,
    pub checks: BTreeMap<&'a str, CheckView<'a>>,
    pub events: u64,
    pub notifications: u64,
    pub version: u64,
    pub first_event_at: Timestamp,
    pub last_event_at: Timestamp,
}

/// The standing decision.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members mirror the record's, where each is described")]
pub struct DecisionView<'a> {
    pub outcome: Outcome,
    #[serde(rename = "final")]
    pub is_final: bool,
    pub reason_code: Option<&'a ReasonCode>,
    pub reason: Option<&'a str>,
    pub decided_at: Timestamp,
    pub attempt_id: Option<&'a AttemptId>,
}

/// The latest of one check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members mirror the record's, where each is described")]
pub struct CheckView<'a> {
    pub outcome: CheckOutcome,
    pub reason: Option<&'a str>,
    pub at: Timestamp,
}

/// One recorded event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView<'a> {
    /// The event as understood.
    #[serde(flatten)]
    pub event: &'a SessionEvent,
    /// The time it counts from.
    pub effective_at: Timestamp,
}

impl Session {
    /// The record as its readers see it.
    #[must_use]
    pub fn view(&self) -> SessionView<'_> {
        SessionView {
            provider: self.key.provider,
            session_id: &self.key.session_id,
            kind: self.kind,
            status: self.status(),
            attempt_id: self.current_attempt().and_then(|attempt| attempt.id.as_ref()),
            subject: Subject {
                reference: self.reference().map(str::to_owned),
                provider_user_id: self.provider_user_id().map(str::to_owned),
            },
            decision: self.decision.as_ref().map(|kept| DecisionView {
                outcome: kept.value.decision.outcome,
                is_final: kept.value.decision.outcome.is_final(),
                reason_code: kept.value.decision.reason_code.as_ref(),
                reason: kept.value.decision.reason.as_deref(),
                decided_at: kept.rank.at,
                attempt_id: kept.value.attempt_id.as_ref(),
            }),
            checks: self
                .checks
                .iter()
                .map(|(name, kept)| {
                    let view = CheckView {
                        outcome: kept.value.outcome,
                        reason: kept.value.reason.as_deref(),
                        at: kept.rank.at,
                    };
                    (name.as_str(), view)
                })
                .collect(),
            events: self.events,
            notifications: self.notifications,
            version: self.version,
            first_event_at: self.first_event_at,
            last_event_at: self.last_event_at,
        }
    }
}

impl SessionEvent {
    /// The event as its readers see it.
    #[must_use]
    pub fn view(&self) -> EventView<'_> {
        EventView { event: self, effective_at: self.effective_at() }
    }
}
