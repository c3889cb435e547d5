//! Ids as segments of a path, or as values of a query.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use verdict_sessions::{EventId, SessionId};

/// The characters that are percent-encoded: all except RFC 3986's unreserved ones and the colon of ids such as
/// `user:1`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// Returns a session id as one segment of a path. It may also stand in a header or in a query.
#[must_use]
pub fn path_segment(id: &SessionId) -> PercentEncode<'_> {
    utf8_percent_encode(id.as_str(), ESCAPED)
}

/// Returns an event id as one segment of a path. It may also stand in a header or in a query.
#[must_use]
pub fn event_segment(id: &EventId) -> PercentEncode<'_> {
    utf8_percent_encode(id.as_str(), ESCAPED)
}
