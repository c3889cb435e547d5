//! What went wrong in a call to AWS, without the SDK's types and without a word of what was sent.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::fmt;

/// A failed call to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// AWS' own error code, or ours for what never got an answer (`timeout`, `unreachable`, …).
    code: String,
    sort: Sort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// May pass by itself: too much at once, or somebody else just then.
    Throttled,
    /// May pass by itself: no answer, or a fault on the service's side. The call may have taken effect.
    Unavailable,
    /// Will not pass by itself: permissions or configuration.
    Rejected,
    /// Will not pass by itself, and is the matter of this request alone: something that it holds.
    Invalid,
}

impl AwsError {
    pub(crate) fn new<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Self {
        let unavailable = |code: &str| Self { code: code.to_owned(), sort: Sort::Unavailable };
        match error {
            SdkError::ConstructionFailure(_) => Self::request_not_built(),
            SdkError::TimeoutError(_) => unavailable("timeout"),
            SdkError::DispatchFailure(_) => unavailable("unreachable"),
            SdkError::ServiceError(failure) => {
                let code = failure.err().code().unwrap_or("unknown").to_owned();
                let sort = match code.as_str() {
                    throttled if Self::is_throttling(throttled) => Sort::Throttled,
                    // Of a single write while a transaction has the item. The SDK does not try that again.
                    "TransactionConflictException" => Sort::Throttled,
                    "TransactionInProgressException" | "ReplicatedWriteConflictException" => Sort::Unavailable,
                    // A transaction that is cancelled for a reason of its own: its caller has seen to all others.
                    "ValidationException" | "TransactionCanceledException" => Sort::Invalid,
                    _ if failure.raw().status().is_server_error() => Sort::Unavailable,
                    _ => Sort::Rejected,
                };
                Self { code, sort }
            }
            // ResponseError, and what a later SDK adds: an answer that makes no sense.
            _ => unavailable("unreadable_answer"),
        }
    }

    /// What a transaction says when one of its items was throttled.
    pub(crate) fn throttled() -> Self {
        Self { code: "TransactionCanceledException".into(), sort: Sort::Throttled }
    }

    pub(crate) fn is_throttling(code: &str) -> bool {
        ["Throttl", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "TooManyRequests", "OverLimit"]
            .iter()
            .any(|part| code.contains(part))
    }

    pub(crate) fn request_not_built() -> Self {
        Self { code: "request_not_built".into(), sort: Sort::Invalid }
    }

    /// Whether doing the same again can help.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        !matches!(self.sort, Sort::Rejected | Sort::Invalid)
    }

    /// Whether the request itself is the trouble, so that others may well get through.
    pub(crate) fn is_of_the_request(&self) -> bool {
        self.sort == Sort::Invalid
    }

    /// Whether the call may have taken effect all the same: its answer was lost.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
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
