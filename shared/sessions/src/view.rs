//! Records and events, as the sessions API shows them.

use crate::{
    AttemptDecision, AttemptId, Check, CheckOutcome, Decision, Detail, EventId, Kind, Outcome, Provider, Ranked,
    RankedCheck, ReasonCode, Remark, Session, SessionEvent, SessionId, SessionKey, Stage, Status, Subject, Timestamp,
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
    pub remarks: Vec<&'static str>,
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
    pub reason_codes: &'a [ReasonCode],
    pub reason: Option<&'a str>,
    pub detail: &'a Detail,
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
    pub reason_codes: &'a [ReasonCode],
    pub detail: &'a Detail,
    pub at: Timestamp,
}

/// One recorded event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members mirror the event's, where each is described")]
pub struct EventView<'a> {
    pub event_id: &'a EventId,
    #[serde(flatten)]
    pub session: &'a SessionKey,
    pub kind: Kind,
    pub name: &'a str,
    pub attempt_id: Option<&'a AttemptId>,
    pub occurred_at: Option<Timestamp>,
    pub emitted_at: Option<Timestamp>,
    pub received_at: Timestamp,
    /// The time it counts from.
    pub effective_at: Timestamp,
    pub undated: bool,
    pub stage: Option<Stage>,
    pub decision: Option<EventDecisionView<'a>>,
    pub checks: BTreeMap<&'a str, EventCheckView<'a>>,
    pub subject: &'a Subject,
    pub remark: Option<Remark>,
    pub remarks: &'a [String],
    pub detail: &'a BTreeMap<String, String>,
}

/// The decision of an event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members mirror the event's, where each is described")]
pub struct EventDecisionView<'a> {
    pub outcome: Outcome,
    pub reason_code: Option<&'a ReasonCode>,
    pub reason_codes: &'a [ReasonCode],
    pub reason: Option<&'a str>,
    pub detail: &'a Detail,
    pub decided_at: Option<Timestamp>,
}

/// A check of an event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members mirror the event's, where each is described")]
pub struct EventCheckView<'a> {
    pub outcome: CheckOutcome,
    pub reason: Option<&'a str>,
    pub reason_codes: &'a [ReasonCode],
    pub detail: &'a Detail,
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
            decision: self.decision.as_ref().map(Ranked::view),
            checks: self.checks.iter().map(|(name, check)| (name.as_str(), check.view())).collect(),
            remarks: self.remarks(),
            events: self.events,
            notifications: self.notifications,
            version: self.version,
            first_event_at: self.first_event_at,
            last_event_at: self.last_event_at,
        }
    }
}

impl Ranked<AttemptDecision> {
    fn view(&self) -> DecisionView<'_> {
        let AttemptDecision { decision, attempt_id } = &self.value;
        DecisionView {
            outcome: decision.outcome,
            is_final: decision.outcome.is_final(),
            reason_code: decision.reason_code.as_ref(),
            reason_codes: decision.all_reason_codes(),
            reason: decision.reason.as_deref(),
            detail: &decision.detail,
            decided_at: self.decided_at(),
            attempt_id: attempt_id.as_ref(),
        }
    }
}

impl RankedCheck {
    fn view(&self) -> CheckView<'_> {
        let Check { outcome, reason, reason_codes, detail } = &self.value;
        CheckView { outcome: *outcome, reason: reason.as_deref(), reason_codes, detail, at: self.at() }
    }
}

impl Decision {
    fn view(&self) -> EventDecisionView<'_> {
        EventDecisionView {
            outcome: self.outcome,
            reason_code: self.reason_code.as_ref(),
            reason_codes: self.all_reason_codes(),
            reason: self.reason.as_deref(),
            detail: &self.detail,
            decided_at: self.decided_at,
        }
    }
}

impl Check {
    fn view(&self) -> EventCheckView<'_> {
        let Self { outcome, reason, reason_codes, detail } = self;
        EventCheckView { outcome: *outcome, reason: reason.as_deref(), reason_codes, detail }
    }
}

impl SessionEvent {
    /// The event as its readers see it.
    #[must_use]
    pub fn view(&self) -> EventView<'_> {
        EventView {
            event_id: &self.event_id,
            session: &self.session,
            kind: self.kind,
            name: &self.name,
            attempt_id: self.attempt_id.as_ref(),
            occurred_at: self.occurred_at,
            emitted_at: self.emitted_at,
            received_at: self.received_at,
            effective_at: self.effective_at(),
            undated: self.undated,
            stage: self.stage,
            decision: self.decision.as_ref().map(Decision::view),
            checks: self.checks.iter().map(|(name, check)| (name.as_str(), check.view())).collect(),
            subject: &self.subject,
            remark: self.remark,
            remarks: &self.remarks,
            detail: &self.detail,
        }
    }
}
