//! An attempt to poll one session: the result, or the reason for which it failed.

use super::provider_api::ApiError;
use crate::{deliveries::handling::Failure, store::table::error::TableError, time::deadline::Elapsed};
use thiserror::Error;
use verdict_webhooks::Unreadable;

/// The work of one run on one session.
pub(crate) enum Attempt {
    /// It isn't due any more, or another process holds it.
    Taken,
    /// Nothing was asked, since the API is left alone or the time is up. The session stays due.
    Left,
    /// It is decided already: there is nothing to ask.
    Decided,
    /// It is undecided for so long that polling stops.
    GivenUp,
    /// It was polled, and that many facts were new.
    Polled { news: usize },
}

impl Attempt {
    /// This attempt and the next one, as one: what came of the polls counts, otherwise the last word.
    pub(crate) fn and(self, next: Self) -> Self {
        match (self, next) {
            (Self::Polled { news }, Self::Polled { news: more }) => Self::Polled { news: news + more },
            (polled @ Self::Polled { .. }, _) => polled,
            (_, next) => next,
        }
    }
}

/// The result of polling one session.
pub(crate) struct PollResult {
    /// The number of new facts.
    pub(crate) news: usize,
    /// True if the person has handed everything in, so that only the decision is missing.
    pub(crate) is_finished: bool,
}

/// The reason for which a session could not be polled. It stays on the schedule.
#[derive(Debug, Error)]
pub(crate) enum AttemptError {
    #[error("table: {0}")]
    Table(#[from] TableError),
    #[error("table: an answer could not be recorded")]
    NotRecorded(Failure),
    #[error("Incode's API: {0}")]
    Api(#[from] ApiError),
    #[error("Incode's API: {0}")]
    Answer(#[from] Unreadable),
    #[error(transparent)]
    Deadline(#[from] Elapsed),
}

impl AttemptError {
    /// The stable code for metrics.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Table(_) | Self::NotRecorded(_) => "table",
            Self::Api(error) => error.code(),
            Self::Answer(_) => "unreadable",
            Self::Deadline(_) => "deadline",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_attempts_what_was_learnt_counts() {
        let polled = |news| Attempt::Polled { news };
        assert!(matches!(polled(1).and(polled(2)), Attempt::Polled { news: 3 }));
        assert!(matches!(polled(1).and(Attempt::Left), Attempt::Polled { news: 1 }));
        assert!(matches!(Attempt::Taken.and(Attempt::Left), Attempt::Left));
        assert!(matches!(Attempt::Taken.and(polled(1)).and(Attempt::Decided), Attempt::Polled { news: 1 }));
    }
}
