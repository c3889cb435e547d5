//! Failures of a call, in the sorts that the SDK tells apart when it decides on a retry.

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::retry::ErrorKind;
use std::{error::Error, io};

/// Sorts the failure of an exchange.
pub(super) fn of_exchange(error: hyper::Error) -> ConnectorError {
    if error.is_user() {
        ConnectorError::user(error.into())
    } else if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_closed() || error.is_canceled() || is_io(&error) {
        ConnectorError::io(error.into())
    } else if error.is_incomplete_message() {
        ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
    } else {
        ConnectorError::other(error.into(), None)
    }
}

fn is_io(error: &hyper::Error) -> bool {
    std::iter::successors(error.source(), |&error| error.source()).any(<dyn Error>::is::<io::Error>)
}
