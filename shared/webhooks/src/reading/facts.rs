//! Facts: what a webhook says of a session, before they are filed as an event.

use crate::reading::details::remark;
use std::collections::BTreeMap;
use verdict_sessions::{
    Check, CheckOutcome, Decision, EventId, Kind, Outcome, Remark, SessionEvent, SessionKey, Stage, Subject, Timestamp,
};

/// What a webhook, or an answer of a provider's API, says of a session. The names of an event's own members.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) stage: Option<Stage>,
    pub(crate) decision: Option<Decision>,
    pub(crate) checks: BTreeMap<String, Check>,
    pub(crate) remark: Option<Remark>,
    pub(crate) remarks: Vec<String>,
    pub(crate) undated: bool,
    pub(crate) detail: BTreeMap<String, String>,
}

impl Facts {
    /// A stage that the person has reached.
    pub(crate) fn at(stage: Stage) -> Self {
        Self { stage: Some(stage), ..Self::default() }
    }

    /// A decision without reasons.
    pub(crate) fn decided(outcome: Outcome) -> Self {
        Self { decision: Some(Decision::new(outcome)), ..Self::default() }
    }

    /// The outcome of one check.
    pub(crate) fn checked(check: impl Into<String>, outcome: CheckOutcome, reason: Option<String>) -> Self {
        Self { checks: BTreeMap::from([(check.into(), Check { reason, ..Check::new(outcome) })]), ..Self::default() }
    }

    /// One check, with all that is said of it.
    pub(crate) fn check(name: impl Into<String>, check: Check) -> Self {
        Self { checks: BTreeMap::from([(name.into(), check)]), ..Self::default() }
    }

    /// Something that this version doesn't know, with the details that show what it is.
    pub(crate) fn unrecognised(detail: BTreeMap<String, String>) -> Self {
        Self { remark: Some(Remark::Unrecognised), detail, ..Self::default() }
    }

    /// These facts under the name of their event.
    pub(crate) fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// These facts with the details that every event of the provider has.
    pub(crate) fn with_detail(mut self, detail: BTreeMap<String, String>) -> Self {
        self.detail.extend(detail);
        self
    }

    /// These facts and the checks, details and remarks of others.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.checks.extend(other.checks);
        self.with_detail(other.detail).with_remarks(other.remarks)
    }

    /// These facts with more remarks, each of which stands once.
    pub(crate) fn with_remarks(mut self, remarks: impl IntoIterator<Item = String>) -> Self {
        remarks.into_iter().for_each(|one| remark(&mut self.remarks, one));
        self
    }

    /// The event that these facts make. It has no time except its arrival, no attempt and no subject: a provider that
    /// names them adds them.
    pub(crate) fn event(
        self,
        event_id: EventId,
        session: SessionKey,
        kind: Kind,
        received_at: Timestamp,
    ) -> SessionEvent {
        SessionEvent {
            event_id,
            session,
            kind,
            name: self.name,
            attempt_id: None,
            occurred_at: None,
            emitted_at: None,
            received_at,
            stage: self.stage,
            decision: self.decision,
            checks: self.checks,
            subject: Subject::default(),
            remark: self.remark,
            remarks: self.remarks,
            undated: self.undated,
            detail: self.detail,
        }
    }
}
