//! Records and events, as the sessions API shows them.

use crate::{
    AttemptDecision, AttemptId, Check, CheckOutcome, Decision, Detail, EventId, Evidence, Kind, MatchedCredential,
    Outcome, Provider, Ranked, RankedCheck, ReasonCode, RecordedEvent, Remark, Session, SessionEvent, SessionId,
    SessionKey, Stage, Status, Subject, Timestamp,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A session's record.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Session"))]
#[serde(rename_all = "camelCase")]
pub struct SessionView<'a> {
    /// Whose session it is.
    pub provider: Provider,
    /// The provider's id for it.
    pub session_id: &'a SessionId,
    /// The sort of session.
    pub kind: Kind,
    /// The status, which follows from the decision and the attempts.
    pub status: Status,
    /// The arrival of the event that brought the status. It stays while the status does, even if another decision comes.
    /// `null` if release 0.1 wrote the record last, until the next event or a rebuild: the session is then in no list
    /// by status.
    pub status_since: Option<Timestamp>,
    /// The current attempt: the one that began last. `null` if nothing has begun, or if the provider doesn't name it.
    pub attempt_id: Option<&'a AttemptId>,
    /// Whom it is about.
    pub subject: Subject,
    /// The decision that stands; `null` if there is none.
    pub decision: Option<DecisionView<'a>>,
    /// The latest of each check, by the check's name, such as `watchlist` or `document:{id}`: the 64 latest.
    #[cfg_attr(feature = "schema", schemars(extend("maxProperties" = 64)))]
    pub checks: BTreeMap<&'a str, CheckView<'a>>,
    /// Remarks for operators: an open list of codes, each with the member that it is about, such as
    /// `left_out:checkDetails`.
    pub remarks: Vec<&'static str>,
    /// The number of recorded events.
    pub events: u64,
    /// The sequence of the last message about the session; 0 if there was none. If the last one in the history is
    /// lower, SQS hasn't taken the messages above that yet, or release 0.1 sent them.
    pub notifications: u64,
    /// Grows by one with each change of the record.
    pub version: u64,
    /// The earliest arrival of an event.
    pub first_event_at: Timestamp,
    /// The latest arrival of an event.
    pub last_event_at: Timestamp,
}

/// The standing decision.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Decision"))]
#[serde(rename_all = "camelCase")]
pub struct DecisionView<'a> {
    /// The outcome.
    pub outcome: Outcome,
    /// True if the session ends with it.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// The reason, for machines: the first of `reasonCodes`; `null` if there is none.
    pub reason_code: Option<&'a ReasonCode>,
    /// All reasons, for machines, in the provider's order; compare them as a set.
    #[cfg_attr(feature = "schema", schemars(length(max = ReasonCode::COUNT)))]
    pub reason_codes: &'a [ReasonCode],
    /// The reason, in the provider's words. It may speak of the person.
    #[cfg_attr(feature = "schema", schemars(length(max = 1024)))]
    pub reason: Option<&'a str>,
    /// Values worth routing by, all of them texts.
    pub detail: &'a Detail,
    /// The time at which the provider decided; if it doesn't say, the arrival of the event.
    pub decided_at: Timestamp,
    /// The attempt that it decides; `null` if the provider doesn't name it.
    pub attempt_id: Option<&'a AttemptId>,
}

/// The latest of one check.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Check"))]
#[serde(rename_all = "camelCase")]
pub struct CheckView<'a> {
    /// The outcome.
    pub outcome: CheckOutcome,
    /// The reason, in the provider's words: its first 1024 bytes. It may speak of the person.
    #[cfg_attr(feature = "schema", schemars(length(max = 1024)))]
    pub reason: Option<&'a str>,
    /// Its reasons, for machines, in the provider's order; compare them as a set.
    #[cfg_attr(feature = "schema", schemars(length(max = ReasonCode::COUNT)))]
    pub reason_codes: &'a [ReasonCode],
    /// Values worth routing by, all of them texts.
    pub detail: &'a Detail,
    /// The time of its outcome: the provider's; if it doesn't say, the arrival of the event.
    pub at: Timestamp,
}

/// One recorded event: what one webhook, one answer of Incode's API, or one poll request, says of the session.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Event"))]
#[serde(rename_all = "camelCase")]
pub struct EventView<'a> {
    /// The event's id, unique within the session. Copies of one webhook have the same, and are recorded once.
    pub event_id: &'a EventId,
    /// The session that it is about.
    #[serde(flatten)]
    pub session: &'a SessionKey,
    /// The sort of session.
    pub kind: Kind,
    /// The provider's name for what happened, such as `decision.approved`.
    pub name: &'a str,
    /// The attempt that it belongs to; `null` if the provider doesn't name it.
    pub attempt_id: Option<&'a AttemptId>,
    /// The time at which it happened, by the provider's clock; `null` if the provider doesn't say.
    pub occurred_at: Option<Timestamp>,
    /// The time at which the provider first sent it; `null` if the provider doesn't tell that apart from when it
    /// happened. Of two events that count from the same time, the one that was sent later counts.
    pub emitted_at: Option<Timestamp>,
    /// The time of arrival.
    pub received_at: Timestamp,
    /// The time that it counts from: the provider's, but at most five minutes after the arrival; without one, the
    /// arrival.
    pub effective_at: Timestamp,
    /// True if the provider printed its times and left all of them blank: it then counts from before every event that
    /// has a time.
    pub undated: bool,
    /// The stage that it shows: how far the person has come; `null` if it shows none.
    pub stage: Option<Stage>,
    /// The decision that it tells of; `null` if it tells of none.
    pub decision: Option<EventDecisionView<'a>>,
    /// The checks that it reports, by name.
    pub checks: BTreeMap<&'a str, EventCheckView<'a>>,
    /// Whom it is about.
    pub subject: &'a Subject,
    /// A remark for operators; `null` if there is none.
    pub remark: Option<Remark>,
    /// More remarks for operators: an open list of codes, each with the member that it is about, such as
    /// `time_unreadable:decisionTime`.
    pub remarks: &'a [String],
    /// Other short values worth showing, such as why a person left.
    pub detail: &'a BTreeMap<String, String>,
    /// Evidence that the provider sent it; `null` if an earlier release recorded it.
    pub evidence: Option<EvidenceView<'a>>,
}

/// Evidence that a provider sent what an event was made of.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Evidence"))]
#[serde(rename_all = "camelCase")]
pub struct EvidenceView<'a> {
    /// SHA-256, in lower-case hex, of the body as it was sent: of a webhook, of an answer of Incode's API, or of a poll
    /// request.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[0-9a-f]{64}$")))]
    pub body_sha256: &'a str,
    /// The signature as it was sent, of Veriff's and Treezor's webhooks: at most 256 bytes; `null` if nothing was
    /// signed.
    #[cfg_attr(feature = "schema", schemars(length(max = Evidence::SIGNATURE_LIMIT)))]
    pub signature: Option<&'a str>,
    /// The configured credentials that matched, one for each proof that had to hold: which of its list, never its value.
    /// Empty if none had to, as for an answer of Incode's API, or if an earlier release verified the webhook.
    pub credentials: &'a [MatchedCredential],
}

/// The decision of an event.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "EventDecision"))]
#[serde(rename_all = "camelCase")]
pub struct EventDecisionView<'a> {
    /// The outcome.
    pub outcome: Outcome,
    /// The reason, for machines: the first of `reasonCodes`; `null` if there is none.
    pub reason_code: Option<&'a ReasonCode>,
    /// All reasons, for machines, in the provider's order; compare them as a set.
    #[cfg_attr(feature = "schema", schemars(length(max = ReasonCode::COUNT)))]
    pub reason_codes: &'a [ReasonCode],
    /// The reason, in the provider's words. It may speak of the person.
    #[cfg_attr(feature = "schema", schemars(length(max = 1024)))]
    pub reason: Option<&'a str>,
    /// Values worth routing by, all of them texts.
    pub detail: &'a Detail,
    /// The time to show for it; `null` if that is the event's `effectiveAt`.
    pub decided_at: Option<Timestamp>,
}

/// A check of an event.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "EventCheck"))]
#[serde(rename_all = "camelCase")]
pub struct EventCheckView<'a> {
    /// The outcome.
    pub outcome: CheckOutcome,
    /// The reason, in the provider's words. It may speak of the person.
    #[cfg_attr(feature = "schema", schemars(length(max = 1024)))]
    pub reason: Option<&'a str>,
    /// Its reasons, for machines, in the provider's order; compare them as a set.
    #[cfg_attr(feature = "schema", schemars(length(max = ReasonCode::COUNT)))]
    pub reason_codes: &'a [ReasonCode],
    /// Values worth routing by, all of them texts.
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
            status_since: self.status_since,
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

impl Evidence {
    fn view(&self) -> EvidenceView<'_> {
        let Self { body_sha256, signature, credentials } = self;
        EvidenceView { body_sha256, signature: signature.as_deref(), credentials }
    }
}

impl RecordedEvent {
    /// The event as its readers see it, with its evidence.
    #[must_use]
    pub fn view(&self) -> EventView<'_> {
        EventView { evidence: self.evidence.as_ref().map(Evidence::view), ..self.event.view() }
    }
}

impl SessionEvent {
    /// The event as its readers see it, without evidence.
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
            evidence: None,
        }
    }
}
