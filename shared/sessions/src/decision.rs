//! Decisions: what a provider concluded about a person.
//!
//! Stored as it stands: `shared/pipeline/src/store/table/items.rs` says how it may change.

use crate::{Detail, Timestamp};
use serde::{Deserialize, Serialize};

/// The outcome of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Final: the person passed.
    Approved,
    /// Final: the person did not pass.
    Declined,
    /// Final: the session ran out before it was finished.
    Expired,
    /// Final: the person left.
    Abandoned,
    /// Final: the process broke. That says nothing of the person.
    Failed,
    /// Not final: a human looks at it.
    Review,
    /// Not final: the person is asked to try again.
    ResubmissionRequested,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Approved,
        Self::Declined,
        Self::Expired,
        Self::Abandoned,
        Self::Failed,
        Self::Review,
        Self::ResubmissionRequested,
    ];

    /// The word used in records, notifications and message attributes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Abandoned => "abandoned",
            Self::Failed => "failed",
            Self::Review => "review",
            Self::ResubmissionRequested => "resubmission_requested",
        }
    }

    /// Returns whether the session ends with it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Review | Self::ResubmissionRequested)
    }
}

/// A provider's machine-readable reason: at most 64 of `[A-Za-z0-9_.-]`, so that it can leave in a
/// notification without carrying text about a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[A-Za-z0-9_.-]{1,64}$")))]
pub struct ReasonCode(String);

impl ReasonCode {
    /// The most codes that a check or a decision has.
    pub const COUNT: usize = 16;

    /// `None` if the text isn't a code.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let code =
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        code.then(|| Self(text.to_owned()))
    }

    /// Returns whether all of some codes are among others.
    pub(crate) fn are_all_in(codes: &[Self], others: &[Self]) -> bool {
        codes.iter().all(|code| others.contains(code))
    }

    /// The code's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The decision that one event tells of. Outcome, codes and reason always travel together, so that no reason is left
/// over from an earlier decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The outcome.
    pub outcome: Outcome,
    /// The reason, for machines: the first of `reason_codes`.
    pub reason_code: Option<ReasonCode>,
    /// The reason, in the provider's words. Stays in the record: it may speak of the person.
    pub reason: Option<String>,
    /// All of the reasons, if there are several: at most [`ReasonCode::COUNT`], in the provider's order. A single one
    /// stands in `reason_code` alone, as earlier releases stored it; [`all_reason_codes`](Self::all_reason_codes) reads
    /// both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason_codes: Vec<ReasonCode>,
    /// Values worth routing by.
    #[serde(default, skip_serializing_if = "Detail::is_empty")]
    pub detail: Detail,
    /// The time to show, if it isn't the one that the decision counts from. Nothing is ordered by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
}

impl Decision {
    /// A decision without a reason.
    #[must_use]
    pub const fn new(outcome: Outcome) -> Self {
        let detail = Detail::empty();
        Self { outcome, reason_code: None, reason: None, reason_codes: Vec::new(), detail, decided_at: None }
    }

    /// Returns the decision with these reasons, of which there are at most [`ReasonCode::COUNT`].
    #[must_use]
    pub fn with_codes(self, codes: Vec<ReasonCode>) -> Self {
        let reason_codes = if codes.len() > 1 { codes.clone() } else { Vec::new() };
        Self { reason_code: codes.into_iter().next(), reason_codes, ..self }
    }

    /// Returns whether the codes of another decision's reasons are among this one's.
    pub(crate) fn has_all_codes_of(&self, other: &Self) -> bool {
        ReasonCode::are_all_in(other.all_reason_codes(), self.all_reason_codes())
    }

    /// The codes of its reasons, in the provider's order.
    #[must_use]
    pub fn all_reason_codes(&self) -> &[ReasonCode] {
        if self.reason_codes.is_empty() { self.reason_code.as_slice() } else { &self.reason_codes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_are_reason_codes() {
        for code in ["102", "ERROR_x.1-2", &"a".repeat(64)] {
            assert_eq!(ReasonCode::new(code).unwrap().as_str(), code);
        }
        for text in ["", "two words", "é", "a\n", &"a".repeat(65)] {
            assert_eq!(ReasonCode::new(text), None, "{text:?}");
        }
    }
}
