//! Why a secret gives no credentials: Secrets Manager doesn't give its value, or the value can't be used.

use crate::store::aws_error::AwsError;
use std::fmt;
use verdict_webhooks::{CredentialsError, PUBLISHED};

/// The reason for which Secrets Manager doesn't give a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    code: &'static str,
    error: AwsError,
}

impl From<AwsError> for Fault {
    fn from(error: AwsError) -> Self {
        let code = match error.code() {
            code if AwsError::is_throttling(code) => "throttled",
            _ if error.is_transient() => "unreachable",
            "AccessDeniedException" | "DecryptionFailure" => "denied",
            "ResourceNotFoundException" => "not_found",
            // The state of the secret doesn't allow it: it is scheduled for deletion.
            "InvalidRequestException" => "deleted",
            _ => "rejected",
        };
        Self { code, error }
    }
}

impl Fault {
    /// The stable code for the log.
    pub(super) const fn code(&self) -> &'static str {
        self.code
    }

    /// Returns whether there isn't such a secret, or such a version of it.
    pub(super) fn is_not_found(&self) -> bool {
        self.code == "not_found"
    }

    /// Returns whether a call a moment later may well succeed.
    pub(super) fn is_transient(&self) -> bool {
        self.error.is_transient()
    }
}

/// In Secrets Manager's own code.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets Manager: {}", self.error)
    }
}

/// The reason for which a secret's value can't be used. The text holds nothing of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The stable code for the log.
    pub(super) code: &'static str,
    pub(super) text: String,
}

impl Problem {
    /// A value that isn't the credentials of this provider.
    pub(crate) fn malformed(text: impl Into<String>) -> Self {
        Self { code: "malformed", text: text.into() }
    }

    /// Credentials that everybody can read.
    pub(crate) fn published() -> Self {
        Self { code: "published", text: format!("the secret {PUBLISHED}") }
    }
}

impl From<CredentialsError> for Problem {
    fn from(error: CredentialsError) -> Self {
        Self { code: if error.is_weakness() { "weak" } else { "malformed" }, text: error.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
