//! Decisions: what a provider concluded about a person.
//!
//! Stored as it stands: `shared/pipeline/src/store/table/items.rs` says how it may change.

use serde::{Deserialize, Serialize};

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// Final: the process broke, without saying anything of the person.
    Failed,
    /// Not final: a human looks at it.
    Review,
    /// Not final: the person is asked to try again.
    ResubmissionRequested,
}

impl Outcome {
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

    /// Whether the session ends with it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Review | Self::ResubmissionRequested)
    }
}

/// A provider's machine-readable reason: at most 64 of `[A-Za-z0-9_.-]`, so that it can leave in a
/// notification without carrying text about a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReasonCode(String);

impl ReasonCode {
    /// `None` if the text isn't a code.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let code =
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        code.then(|| Self(text.to_owned()))
    }

    /// The code's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What one event says was decided. Outcome, code and reason always travel together, so that no
/// reason is left over from an earlier decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// Why, for machines.
    pub reason_code: Option<ReasonCode>,
    /// Why, in the provider's words. Stays in the record: it may speak of the person.
    pub reason: Option<String>,
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
