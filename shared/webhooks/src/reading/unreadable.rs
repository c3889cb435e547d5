//! The reasons why a genuine webhook can't be read.

use thiserror::Error;

/// A reason why a genuine webhook can't become events. It changes no session and is kept for an operator.
/// Member names come from Verdict's code, so no message holds anything that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum Unreadable {
    /// Nothing was sent.
    #[error("the body is empty")]
    Empty,
    /// Not UTF-8, or not one JSON document.
    #[error("the body is not a JSON document (at byte {at})")]
    NotJson {
        /// The place where reading stopped, in bytes from the start.
        at: usize,
    },
    /// Nested beyond [`json::DEPTH_LIMIT`](crate::reading::json::DEPTH_LIMIT).
    #[error("the body is nested too deeply")]
    TooDeep,
    /// Holds more values than [`json::VALUES_LIMIT`](crate::reading::json::VALUES_LIMIT).
    #[error("the body holds too many values")]
    TooManyValues,
    /// JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A member that matters occurs twice.
    #[error("the member `{0}` occurs more than once")]
    Ambiguous(&'static str),
    /// The member that holds the session id in the provider's contract is missing.
    #[error("there is no session id")]
    NoSessionId,
    /// A member is missing without which the document isn't what was asked for.
    #[error("the member `{0}` is missing")]
    Missing(&'static str),
    /// An id that no record can be filed under: too long, or not Unicode.
    #[error("the member `{0}` can't be an id: it is too long or not Unicode")]
    UnusableId(&'static str),
    /// The transport asks for a subscription to be confirmed. An operator does that by hand: its URL is never fetched.
    #[error("a subscription waits for its confirmation, which an operator has to give")]
    SubscriptionConfirmation,
    /// The transport says that a subscription has ended. Its URL, which would begin it again, is never fetched either.
    #[error("a subscription has ended; an operator can begin it again")]
    UnsubscribeConfirmation,
}

impl Unreadable {
    /// The stable code for logs, metrics and the quarantine.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotJson { .. } => "not_json",
            Self::TooDeep => "too_deep",
            Self::TooManyValues => "too_many_values",
            Self::NotAnObject => "not_an_object",
            Self::Ambiguous(_) => "ambiguous",
            Self::NoSessionId => "no_session_id",
            Self::Missing(_) => "member_missing",
            Self::UnusableId(_) => "unusable_id",
            Self::SubscriptionConfirmation => "subscription_confirmation",
            Self::UnsubscribeConfirmation => "unsubscribe_confirmation",
        }
    }

    /// The call of a transport that has this code. Such a call is no webhook, and says so only where it comes in.
    #[must_use]
    pub fn of_call(code: &str) -> Option<Self> {
        [Self::SubscriptionConfirmation, Self::UnsubscribeConfirmation].into_iter().find(|call| call.code() == code)
    }
}
