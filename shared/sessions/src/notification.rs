//! Notifications: what the world is told when a decision changes.
//!
//! Stored as it stands: `shared/pipeline/src/store/table/items.rs` says how it may change.

use crate::{AttemptId, Detail, Kind, Outcome, Provider, ReasonCode, Session, SessionId, SessionKey, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One change of decision. No personal data but your own reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The session it is about.
    #[serde(flatten)]
    pub session: SessionKey,
    /// The sort of session.
    pub kind: Kind,
    /// The attempt that was decided.
    pub attempt_id: Option<AttemptId>,
    /// 1 for a session's first notification, then one more each time.
    pub sequence: u64,
    /// The outcome.
    pub outcome: Outcome,
    /// True if the session ends with it.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// The outcome that the notification before this one told.
    pub previous_outcome: Option<Outcome>,
    /// The reason, for machines: the first of `reason_codes`.
    pub reason_code: Option<ReasonCode>,
    /// All reasons, for machines, in the provider's order.
    #[serde(default)]
    pub reason_codes: Vec<ReasonCode>,
    /// Values worth routing by.
    #[serde(default)]
    pub detail: Detail,
    /// True if the change comes from a rebuild.
    pub correction: bool,
    /// The time of the decision.
    pub decided_at: Timestamp,
    /// Your own name for the person.
    pub reference: Option<String>,
    /// The provider's name for the person.
    pub provider_user_id: Option<String>,
}

/// The notification as CloudEvents 1.0 structured JSON has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub struct CloudEvent<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: &'static str,
    subject: &'a SessionId,
    time: Timestamp,
    datacontenttype: &'static str,
    data: Cow<'a, Notification>,
}

impl Notification {
    /// The CloudEvents type of every notification.
    pub const TYPE: &'static str = "verdict.decision.v1";

    /// The notification of a session's standing decision; `None` if there is none.
    pub(crate) fn of(session: &Session, previous_outcome: Option<Outcome>) -> Option<Self> {
        let decided = session.decision.as_ref()?;
        let decision = &decided.value.decision;
        Some(Self {
            session: session.key.clone(),
            kind: session.kind,
            attempt_id: decided.value.attempt_id.clone(),
            sequence: session.notifications,
            outcome: decision.outcome,
            is_final: decision.outcome.is_final(),
            previous_outcome,
            reason_code: decision.reason_code.clone(),
            reason_codes: decision.all_reason_codes().to_vec(),
            detail: decision.detail.clone(),
            correction: false,
            decided_at: decided.decided_at(),
            reference: session.reference().map(str::to_owned),
            provider_user_id: session.provider_user_id().map(str::to_owned),
        })
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
            kind: Self::TYPE,
            subject: &self.session.session_id,
            time: self.decided_at,
            datacontenttype: "application/json",
            data: self.with_all_codes(),
        }
    }
}
