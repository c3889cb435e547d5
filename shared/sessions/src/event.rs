//! Events: what one webhook said about one session, in our words.
//!
//! Stored as it stands: `shared/pipeline/src/store/table/items.rs` says how it may change.

use crate::{AttemptId, Decision, Detail, EventId, Kind, ReasonCode, SessionKey, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// How far the person has come within one attempt. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Stage {
    #[default]
    New,
    Started,
    Submitted,
}

/// The result of one named part of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Under way.
    Pending,
    /// Nothing found against the person.
    Passed,
    /// Something found against the person.
    Failed,
    /// Something a human should look at.
    Flagged,
    /// The check itself broke.
    Error,
    /// The data is there; no result was given.
    Captured,
    /// Called off.
    Cancelled,
}

/// What one event says of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// The result.
    pub outcome: CheckOutcome,
    /// Why, in the provider's words.
    pub reason: Option<String>,
    /// Why, for machines: at most [`ReasonCode::COUNT`], in the provider's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason_codes: Vec<ReasonCode>,
    /// Values worth routing by.
    #[serde(default, skip_serializing_if = "Detail::is_empty")]
    pub detail: Detail,
}

impl Check {
    /// A result without a reason.
    #[must_use]
    pub const fn new(outcome: CheckOutcome) -> Self {
        Self { outcome, reason: None, reason_codes: Vec::new(), detail: Detail::empty() }
    }
}

/// What an operator should know of an event beyond its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// A family, type or value that this version does not know: recorded. It has no effect itself; what is
    /// known beside it counts.
    Unrecognised,
    /// Its parts contradict each other: recorded. Never an approval, unless all that contradicts it is
    /// an unsigned part, which must not be able to take the effect of a signed one away.
    Inconsistent,
}

impl Remark {
    /// The word used in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unrecognised => "unrecognised",
            Self::Inconsistent => "inconsistent",
        }
    }
}

/// Whom a session is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Your own name for the person.
    pub reference: Option<String>,
    /// The provider's name for the person.
    pub provider_user_id: Option<String>,
}

/// One fact about one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionEvent {
    /// Equal for every copy of the same fact.
    pub event_id: EventId,
    /// The session it is about.
    #[serde(flatten)]
    pub session: SessionKey,
    /// The sort of session.
    pub kind: Kind,
    /// The provider's name for what happened, such as `decision.approved`.
    pub name: String,
    /// The try it belongs to, if the provider says.
    pub attempt_id: Option<AttemptId>,
    /// When it happened, by the provider's clock.
    pub occurred_at: Option<Timestamp>,
    /// When the provider sent it out first, where it tells that apart from when it happened: among
    /// events of one effective time the one sent later counts.
    pub emitted_at: Option<Timestamp>,
    /// When it reached us.
    pub received_at: Timestamp,
    /// The stage it shows.
    pub stage: Option<Stage>,
    /// What it decides.
    pub decision: Option<Decision>,
    /// The checks it reports, by name.
    pub checks: BTreeMap<String, Check>,
    /// Whom it is about.
    pub subject: Subject,
    /// What an operator should know of it.
    pub remark: Option<Remark>,
    /// What else an operator should know: an open list of codes, each with the member it is about, such as
    /// `time_unreadable:decisionTime`. The word before the colon names a metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// Whether its provider printed its times and left all of them blank: it then counts from before every event that
    /// has a time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub undated: bool,
    /// Other short values worth showing, such as why a person left. Bounded by who makes the event.
    pub detail: BTreeMap<String, String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// How far ahead of its arrival an event may claim to have happened. A provider's clock may be a
/// little fast; a date in the far future would otherwise freeze its session for good.
const FUTURE_TOLERANCE: Duration = Duration::from_mins(5);

impl SessionEvent {
    /// The time the event counts from: the provider's, at most five minutes after arrival; else arrival.
    #[must_use]
    pub fn effective_at(&self) -> Timestamp {
        self.occurred_at.map_or(self.received_at, |at| self.not_in_the_future(at))
    }

    /// Whether two events of one id say something else that counts: then they are no copies of one fact, and the id was
    /// given twice. Ids of ours are made of what counts; a provider's own may be anything.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        let outcome = |event: &Self| event.decision.as_ref().map(|decision| decision.outcome);
        let checks = |event: &Self| -> Vec<(String, CheckOutcome)> {
            event.checks.iter().map(|(name, check)| (name.clone(), check.outcome)).collect()
        };
        self.stage != other.stage || outcome(self) != outcome(other) || checks(self) != checks(other)
    }

    /// [`emitted_at`](Self::emitted_at), at most five minutes after arrival.
    pub(crate) fn effectively_emitted_at(&self) -> Option<Timestamp> {
        self.emitted_at.map(|at| self.not_in_the_future(at))
    }

    fn not_in_the_future(&self, at: Timestamp) -> Timestamp {
        at.min(self.received_at.plus(FUTURE_TOLERANCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_called_the_same_in_logs_and_in_records() {
        for remark in [Remark::Unrecognised, Remark::Inconsistent] {
            assert_eq!(serde_json::to_value(remark).unwrap(), remark.as_str());
        }
    }
}
