//! The reasons for which the table can't do something.

use crate::{store::aws_error::AwsError, time::deadline::Elapsed};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use thiserror::Error;

/// The reason for which the table could not do something.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TableError {
    /// Another writer changed the session meanwhile. Read it again and retry.
    #[error("another writer was faster")]
    Conflict,
    /// The deadline came first.
    #[error("out of time")]
    Deadline,
    /// The call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The transaction's answer was lost: it may have taken effect.
    #[error("unconfirmed: {0}")]
    Unconfirmed(AwsError),
    /// A stored item does not have the form that this version writes.
    #[error("a stored {0} can't be read")]
    Unreadable(&'static str),
    /// An item is not one that DynamoDB stores: a bug.
    #[error("a request with this {0} can't be built")]
    Unwritable(&'static str),
}

impl TableError {
    /// Returns whether a retry can help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Conflict | Self::Unconfirmed(_) => true,
            Self::Aws(error) => error.is_transient(),
            Self::Deadline | Self::Unreadable(_) | Self::Unwritable(_) => false,
        }
    }

    /// Returns whether the failure concerns one session alone, through its items or its other writers, so that other
    /// sessions may well succeed.
    pub(crate) fn is_session_specific(&self) -> bool {
        match self {
            Self::Conflict | Self::Unreadable(_) | Self::Unwritable(_) => true,
            Self::Aws(error) => error.is_request_specific(),
            Self::Deadline | Self::Unconfirmed(_) => false,
        }
    }
}

impl From<Elapsed> for TableError {
    fn from(_: Elapsed) -> Self {
        Self::Deadline
    }
}

impl<E: ProvideErrorMetadata> From<SdkError<E, HttpResponse>> for TableError {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        AwsError::from(error).into()
    }
}

/// Returns the result of a conditional write, or `None` if its condition did not hold.
pub(super) fn if_condition_holds<T, E: ProvideErrorMetadata>(
    written: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, TableError> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(SdkError::ServiceError(failure)) if failure.err().code() == Some("ConditionalCheckFailedException") => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
