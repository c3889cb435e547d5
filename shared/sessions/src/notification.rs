//! Notifications: what the world is told when a decision changes, or a check of a session that is decided.
//!
//! Stored as it stands: `shared/pipeline/src/store/table/items.rs` says how it may change.

mod size;

use crate::{
    AttemptId, CheckOutcome, Detail, Kind, Outcome, Provider, RankedCheck, ReasonCode, Session, SessionId, SessionKey,
    Timestamp, Trace,
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

/// One change, and the whole standing state beside it, so that the latest message stands for all before it. It has no
/// personal data except the names by which you and the provider know the person. New members may come: ignore those
/// that you don't know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The session it is about.
    #[serde(flatten)]
    pub session: SessionKey,
    /// The sort of session.
    pub kind: Kind,
    /// The attempt that was decided; `null` if the provider doesn't name it.
    pub attempt_id: Option<AttemptId>,
    /// The number of this message of the session: one more than that of the message before, from 1, or the first above
    /// the parameter `SequenceBase`. Drop a message whose sequence is not above the last one that you handled for the
    /// session: delete it and do nothing else. Every JSON reader reads it exactly.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub sequence: u64,
    /// The outcome of the decision that stands; `null` if the decision was withdrawn, so that none stands.
    pub outcome: Option<Outcome>,
    /// True if the session ends with it.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// The outcome that the message before this one told; `null` if this is the first, or if the one before withdrew
    /// the decision. If only reasons, the attempt or checks changed, it is `outcome`.
    pub previous_outcome: Option<Outcome>,
    /// The reason, for machines: the first of `reasonCodes`; `null` if there is none.
    pub reason_code: Option<ReasonCode>,
    /// All reasons, for machines, in the provider's order; compare them as a set.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = ReasonCode::COUNT)))]
    pub reason_codes: Vec<ReasonCode>,
    /// Values worth routing by, all of them texts.
    #[serde(default)]
    pub detail: Detail,
    /// True if the change comes from a rebuild, which reads stored webhooks again, and not from a new webhook.
    pub correction: bool,
    /// The time of the decision that stands; `null` if the decision was withdrawn. Messages may be out of this order:
    /// act by `sequence`.
    pub decided_at: Option<Timestamp>,
    /// Your own name for the person: at most 4000 bytes of UTF-8; `null` if no event has told it.
    #[cfg_attr(feature = "schema", schemars(length(max = 4000)))]
    pub reference: Option<String>,
    /// The provider's name for the person: at most 4000 bytes of UTF-8; `null` if no event has told it.
    #[cfg_attr(feature = "schema", schemars(length(max = 4000)))]
    pub provider_user_id: Option<String>,
    /// The outcome of each check on record, by the check's name: the 64 latest. Their reasons and details are in the
    /// session's record. Empty in messages that release 0.1 left unsent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("maxProperties" = 64)))]
    pub checks: BTreeMap<String, CheckOutcome>,
    /// The checks that changed: whose outcome or set of reason codes is another, that are new, or that are no longer on
    /// record. Only in `verdict.check.v1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = 128)))]
    pub changes: Vec<CheckChange>,
    /// The time at which the decision was withdrawn. Only in `verdict.decision_withdrawn.v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
}

/// The change of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CheckChange {
    /// The check's name.
    pub check: String,
    /// Its outcome; `null` if it is no longer on record.
    pub outcome: Option<CheckOutcome>,
    /// Its outcome before; `null` if it was not on record.
    pub previous_outcome: Option<CheckOutcome>,
    /// Its reasons, for machines, in the provider's order; compare them as a set.
    #[cfg_attr(feature = "schema", schemars(length(max = ReasonCode::COUNT)))]
    pub reason_codes: Vec<ReasonCode>,
    /// Values worth routing by, all of them texts.
    pub detail: Detail,
    /// The time of its outcome: the provider's, or the arrival if the provider doesn't say; of the outcome before if it
    /// is no longer on record.
    pub at: Timestamp,
}

/// The type of a notification, as CloudEvents and the message attribute `type` have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum NotificationType {
    /// The decision changed.
    #[serde(rename = "verdict.decision.v1")]
    Decision,
    /// The decision is final and stands, and a check changed.
    #[serde(rename = "verdict.check.v1")]
    Check,
    /// What was told as a decision was found not to be one, so that none stands.
    #[serde(rename = "verdict.decision_withdrawn.v1")]
    DecisionWithdrawn,
}

impl NotificationType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Decision, Self::Check, Self::DecisionWithdrawn];

    /// The text of the type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "verdict.decision.v1",
            Self::Check => "verdict.check.v1",
            Self::DecisionWithdrawn => "verdict.decision_withdrawn.v1",
        }
    }
}

/// The number above which sequences go on, whatever the record says. It is raised after a table was restored to an
/// earlier time, so that the numbers go on above what consumers have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SequenceBase(u64);

impl SequenceBase {
    /// The greatest base. Sequences above it stay numbers that every JSON reader reads exactly.
    pub const LIMIT: u64 = 1_000_000_000_000;

    /// Returns `None` above [`LIMIT`](Self::LIMIT).
    #[must_use]
    pub fn new(base: u64) -> Option<Self> {
        (base <= Self::LIMIT).then_some(Self(base))
    }

    /// The sequence after a session's last one.
    pub(crate) fn after(self, last: u64) -> u64 {
        last.max(self.0) + 1
    }
}

/// The notification as CloudEvents 1.0 structured JSON has it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub struct CloudEvent<'a> {
    /// The version of CloudEvents.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "1.0")))]
    specversion: &'static str,
    /// Equal for every copy of the message: `{provider}/{sessionId}/{sequence}`.
    id: String,
    /// Where it comes from: `/sessions/{provider}`.
    source: String,
    /// What has changed.
    #[serde(rename = "type")]
    kind: NotificationType,
    /// The provider's id for the session.
    subject: &'a SessionId,
    /// The time of the change: of the decision, of the latest check that changed, or of the withdrawal. Not the time at
    /// which the message was sent.
    time: Timestamp,
    /// The form of `data`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "application/json")))]
    datacontenttype: &'static str,
    /// The trace of the webhook that caused the change, as W3C Trace Context writes it: the extension of CloudEvents
    /// for distributed tracing. Absent unless Verdict's functions send traces to AWS X-Ray.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = TRACEPARENT)))]
    traceparent: Option<String>,
    /// The change, and the whole standing state.
    data: Cow<'a, Notification>,
}

/// The form of a `traceparent`.
#[cfg(feature = "schema")]
const TRACEPARENT: &str = "^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$";

impl CloudEvent<'_> {
    /// The envelope with the trace that the message belongs to.
    #[must_use]
    pub fn in_trace(self, trace: Option<Trace>) -> Self {
        Self { traceparent: trace.as_ref().and_then(Trace::traceparent), ..self }
    }
}

impl Notification {
    /// The notification of a session's standing state.
    pub(crate) fn of(session: &Session, previous_outcome: Option<Outcome>) -> Self {
        let decided = session.decision.as_ref();
        let decision = decided.map(|decided| &decided.value.decision);
        Self {
            session: session.key.clone(),
            kind: session.kind,
            attempt_id: decided.and_then(|decided| decided.value.attempt_id.clone()),
            sequence: session.notifications,
            outcome: session.standing_outcome(),
            is_final: session.has_final_decision(),
            previous_outcome,
            reason_code: decision.and_then(|decision| decision.reason_code.clone()),
            reason_codes: decision.map(|decision| decision.all_reason_codes().to_vec()).unwrap_or_default(),
            detail: decision.map(|decision| decision.detail.clone()).unwrap_or_default(),
            correction: false,
            decided_at: decided.map(crate::Ranked::decided_at),
            reference: session.reference().map(str::to_owned),
            provider_user_id: session.provider_user_id().map(str::to_owned),
            checks: session.checks.iter().map(|(name, check)| (name.clone(), check.value.outcome)).collect(),
            changes: Vec::new(),
            withdrawn_at: None,
        }
    }

    /// The type, which follows from the content.
    #[must_use]
    pub fn notification_type(&self) -> NotificationType {
        if self.outcome.is_none() {
            NotificationType::DecisionWithdrawn
        } else if self.changes.is_empty() {
            NotificationType::Decision
        } else {
            NotificationType::Check
        }
    }

    /// Equal for every copy of the notification: `{provider}/{sessionId}/{sequence}`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.session, self.sequence)
    }

    /// Whose session it is.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.session.provider
    }

    /// The time of the change: of the decision, of the latest check that changed, or of the withdrawal.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let changed_at = self.changes.iter().map(|change| change.at).max();
        changed_at.or(self.withdrawn_at).or(self.decided_at).unwrap_or(Timestamp::EPOCH)
    }

    /// The notification with its codes as a list, too: those that release 0.1 stored have only the first.
    fn with_all_codes(&self) -> Cow<'_, Self> {
        if self.reason_codes.is_empty() && self.reason_code.is_some() {
            Cow::Owned(Self { reason_codes: self.reason_code.as_slice().to_vec(), ..self.clone() })
        } else {
            Cow::Borrowed(self)
        }
    }

    /// The envelope to publish.
    #[must_use]
    pub fn cloud_event(&self) -> CloudEvent<'_> {
        CloudEvent {
            specversion: "1.0",
            id: self.id(),
            source: format!("/sessions/{}", self.session.provider),
            kind: self.notification_type(),
            subject: &self.session.session_id,
            time: self.time(),
            datacontenttype: "application/json",
            traceparent: None,
            data: self.with_all_codes(),
        }
    }
}

impl CheckChange {
    /// The changes that a consumer would act on: another outcome, other reasons, a check that is new or gone.
    ///
    /// Codes that were left out of a record, so that it stays small, are unknown. A check has changed then if its
    /// outcome comes from another event.
    pub(crate) fn between(before: &BTreeMap<String, RankedCheck>, after: &BTreeMap<String, RankedCheck>) -> Vec<Self> {
        let has_same_codes = |old: &RankedCheck, new: &RankedCheck| {
            let are_known = !old.is_cut && !new.is_cut;
            are_known && old.value.has_all_codes_of(&new.value) && new.value.has_all_codes_of(&old.value)
        };
        let is_news = |old: &RankedCheck, new: &RankedCheck| {
            old.value.outcome != new.value.outcome
                || old.rank.event_id != new.rank.event_id && !has_same_codes(old, new)
        };
        Self::all(before, after, is_news)
    }

    /// The changes that a consumer would act on, if they come from reading the past again: another outcome, a reason
    /// taken back, a check that is gone. Of checks and reasons that the earlier reader didn't read, nobody is told.
    pub(crate) fn corrections(
        before: &BTreeMap<String, RankedCheck>,
        after: &BTreeMap<String, RankedCheck>,
    ) -> Vec<Self> {
        let is_correction = |old: &RankedCheck, new: &RankedCheck| {
            old.value.outcome != new.value.outcome || !new.is_cut && !new.value.has_all_codes_of(&old.value)
        };
        let all = Self::all(before, after, is_correction);
        all.into_iter().filter(|change| change.previous_outcome.is_some()).collect()
    }

    fn all(
        before: &BTreeMap<String, RankedCheck>,
        after: &BTreeMap<String, RankedCheck>,
        has_changed: impl Fn(&RankedCheck, &RankedCheck) -> bool,
    ) -> Vec<Self> {
        let changed = after.iter().filter_map(|(name, new)| {
            let old = before.get(name);
            old.is_none_or(|old| has_changed(old, new)).then(|| Self::to(name, old, new))
        });
        let gone =
            before.iter().filter(|(name, _)| !after.contains_key(*name)).map(|(name, old)| Self::gone(name, old));
        changed.chain(gone).collect()
    }

    fn to(name: &str, old: Option<&RankedCheck>, new: &RankedCheck) -> Self {
        Self {
            check: name.to_owned(),
            outcome: Some(new.value.outcome),
            previous_outcome: old.map(|old| old.value.outcome),
            reason_codes: new.value.reason_codes.clone(),
            detail: new.value.detail.clone(),
            at: new.at(),
        }
    }

    fn gone(name: &str, old: &RankedCheck) -> Self {
        Self {
            check: name.to_owned(),
            outcome: None,
            previous_outcome: Some(old.value.outcome),
            reason_codes: Vec::new(),
            detail: Detail::empty(),
            at: old.at(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_written_as_its_text() {
        for kind in NotificationType::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn sequences_go_on_above_the_base_and_never_back() {
        let base = SequenceBase::new(1000).unwrap();
        assert_eq!([0, 7, 999, 1000, 1001].map(|last| base.after(last)), [1001, 1001, 1001, 1001, 1002]);
        assert_eq!([0, 7].map(|last| SequenceBase::default().after(last)), [1, 8]);
        assert_eq!(SequenceBase::new(SequenceBase::LIMIT + 1), None);
    }
}
