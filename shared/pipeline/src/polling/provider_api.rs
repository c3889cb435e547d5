//! The port to a provider's own API: what the poller asks it, and why it may get no answer.

use std::time::Duration;
use thiserror::Error;
use verdict_sessions::SessionId;

/// A provider's API, as the poller asks it. The poller's function has the one that speaks HTTP.
#[expect(async_fn_in_trait, reason = "a poller has one thread")]
pub trait ProviderApi {
    /// Requests what a path says of a session, and returns the body of a successful answer.
    ///
    /// # Errors
    /// [`ApiError`].
    async fn get(&self, path: &str, session: &SessionId) -> Result<Vec<u8>, ApiError>;
}

/// The reason for which the API gave no answer to read. No variant holds anything that was sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ApiError {
    /// The token was refused and so was a fresh one, or the login was.
    #[error("401: the log-in or its token is refused; check `email` and `password`")]
    Unauthorised,
    /// The API key was refused.
    #[error("403: the API key is refused, or may not do this; check `apiKey`")]
    Forbidden,
    /// Too many requests.
    #[error("429: too many requests")]
    TooManyRequests {
        /// The pause that the API asks for, if it names one.
        retry_after: Option<Duration>,
    },
    /// A fault on Incode's side.
    #[error("{0}: a fault on Incode's side")]
    Server(u16),
    /// Another refusal, such as that of a session which Incode does not know.
    #[error("{0}: refused")]
    Refused(u16),
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// No connection, or a connection that broke.
    #[error("not reachable")]
    Unreachable,
    /// An answer that is longer than any known one.
    #[error("the answer is too long")]
    TooLong,
    /// An answer to the login without a token.
    #[error("the log-in gave no token")]
    NoToken,
}

impl ApiError {
    /// The stable code for metrics.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Server(_) => "server",
            Self::Refused(_) => "refused",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::TooLong => "too_long",
            Self::NoToken => "no_token",
        }
    }

    /// Returns whether a request for any other session would fail in the same way now.
    pub(crate) const fn affects_all_sessions(self) -> bool {
        matches!(self, Self::Unauthorised | Self::Forbidden | Self::TooManyRequests { .. } | Self::NoToken)
    }

    /// Returns whether the API is out of order for a while, for all sessions alike.
    pub(crate) const fn is_outage(self) -> bool {
        matches!(self, Self::Server(_) | Self::Timeout | Self::Unreachable)
    }
}
