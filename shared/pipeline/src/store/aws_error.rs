//! The failure of a call to AWS, without the SDK's types and without a word of what was sent.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::{client::orchestrator::HttpResponse, http::StatusCode};
use std::fmt;

/// A failed call to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// AWS's own error code; for a call without an answer one of Verdict's (`timeout`, `unreachable`, …).
    code: String,
    sort: Sort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// Passes by itself: too much at once, or another writer just then.
    Throttled,
    /// Passes by itself: no answer, or a fault of the service. The call may have taken effect.
    Unavailable,
    /// Stays: permissions or configuration.
    Rejected,
    /// Stays, and concerns this request alone: something that it holds.
    Invalid,
}

impl<E: ProvideErrorMetadata> From<SdkError<E, HttpResponse>> for AwsError {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let unavailable = |code: &str| Self { code: code.to_owned(), sort: Sort::Unavailable };
        match &error {
            SdkError::ConstructionFailure(_) => Self::request_not_built(),
            SdkError::TimeoutError(_) => unavailable("timeout"),
            SdkError::DispatchFailure(_) => unavailable("unreachable"),
            SdkError::ServiceError(failure) => {
                let code = failure.err().code().unwrap_or("unknown");
                Self { code: code.to_owned(), sort: Sort::of_service_error(code, failure.raw().status()) }
            }
            // ResponseError, and any variant that a later SDK adds: an answer that makes no sense.
            _ => unavailable("unreadable_answer"),
        }
    }
}

impl Sort {
    fn of_service_error(code: &str, status: StatusCode) -> Self {
        match code {
            throttled if AwsError::is_throttling(throttled) => Self::Throttled,
            // A single write met a transaction on the same item. The SDK doesn't retry that.
            "TransactionConflictException" => Self::Throttled,
            "TransactionInProgressException" | "ReplicatedWriteConflictException" => Self::Unavailable,
            // A transaction that was cancelled for a reason which its caller doesn't know.
            "ValidationException" | "TransactionCanceledException" => Self::Invalid,
            _ if status.is_server_error() => Self::Unavailable,
            _ => Self::Rejected,
        }
    }
}

impl AwsError {
    /// The error of a transaction one of whose items was throttled.
    pub(crate) fn throttled() -> Self {
        Self { code: "TransactionCanceledException".into(), sort: Sort::Throttled }
    }

    /// AWS's own error code, or Verdict's of a call without an answer.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn is_throttling(code: &str) -> bool {
        ["Throttl", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "TooManyRequests", "OverLimit"]
            .iter()
            .any(|part| code.contains(part))
    }

    pub(crate) fn request_not_built() -> Self {
        Self { code: "request_not_built".into(), sort: Sort::Invalid }
    }

    /// Returns whether a retry can help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self.sort, Sort::Rejected | Sort::Invalid)
    }

    /// Returns whether the request itself is at fault, so that others may well succeed.
    pub(crate) fn is_request_specific(&self) -> bool {
        self.sort == Sort::Invalid
    }

    /// Returns whether the call may have taken effect all the same: its answer was lost.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.sort == Sort::Unavailable
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sort = match self.sort {
            Sort::Throttled => "throttled",
            Sort::Unavailable => "unavailable",
            Sort::Rejected => "rejected",
            Sort::Invalid => "invalid",
        };
        write!(f, "{sort} ({})", self.code)
    }
}

impl std::error::Error for AwsError {}
