//! What a provider has to offer: a proof, an answer, a reading.

use crate::{
    delivery::{Delivery, Genuine},
    reading::unreadable::Unreadable,
    refusal::Refusal,
};
use verdict_sessions::{Provider, SessionEvent, Timestamp};

/// The content of a genuine webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Facts about sessions, and the webhook's minimised payload as JSON text.
    Events {
        /// At least one.
        events: Vec<SessionEvent>,
        /// What is stored of the webhook.
        payload: String,
    },
    /// Nothing to record.
    Nothing(Ignored),
}

/// A reason why a genuine webhook leaves nothing to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ignored {
    /// It says that nothing is decided yet.
    Undecided,
    /// It is about something other than identity verification.
    OtherFamily,
}

impl Ignored {
    /// The stable code for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::OtherFamily => "other_family",
        }
    }
}

/// The result of handling a delivery: the value of `x-verdict-outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// New facts are in the table.
    Recorded,
    /// All its facts were there already.
    Duplicate,
    /// Genuine, with nothing to record.
    Ignored,
    /// Genuine, and safe on the intake queue: the table could not take it in time.
    Spooled,
    /// Genuine but unreadable: kept for an operator.
    Quarantined,
    /// Not genuine, for this reason.
    Refused(Refusal),
    /// Genuine, but it could not be made durable: a provider that retries sends it again.
    Failed,
    /// Genuine, and sent only to see whether it gets through: nothing is stored, published or counted.
    Probe,
}

impl Disposition {
    /// The header's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Spooled => "spooled",
            Self::Quarantined => "quarantined",
            Self::Refused(_) => "refused",
            Self::Failed => "failed",
            Self::Probe => "probe",
        }
    }
}

/// The HTTP answer that the provider gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: &'static str,
}

impl Answer {
    /// The answer to an unknown path: the same that the gateway gives if it has no route.
    pub(crate) const NOT_FOUND: Self = Self { status: 404, body: r#"{"message":"Not Found"}"# };
}

/// A provider's way of reading what it sends. It needs no credentials.
pub(crate) trait Reader {
    /// Whether one webhook may tell of several subjects. Then the ids of its events must be such that a minimised
    /// payload gives them again: position alone doesn't say which event is which.
    const TELLS_OF_SEVERAL: bool = false;

    /// Reads a genuine webhook into session events.
    ///
    /// # Errors
    /// [`Unreadable`] if it can't become events.
    fn read(genuine: &Genuine) -> Result<Reading, Unreadable>;

    /// Reads again an answer of the provider's API; `None` if the payload was not fetched from it, but sent to
    /// `source`.
    fn read_answer(
        _recorded: &SessionEvent,
        _source: &str,
        _payload: &str,
    ) -> Option<Result<Option<SessionEvent>, Unreadable>> {
        None
    }
}

/// A provider, with the credentials that prove its webhooks.
pub trait WebhookSource {
    /// The provider's name.
    const PROVIDER: Provider;

    /// Proves a delivery genuine; `now` becomes its arrival time.
    ///
    /// # Errors
    /// The [`Refusal`] if it isn't.
    fn prove(&self, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal>;

    /// The answer that the provider's contract asks for on this path.
    fn answer(&self, path: &str, disposition: Disposition) -> Answer;

    /// Returns whether the provider is also polled: only if its API is configured.
    fn is_polled(&self) -> bool {
        false
    }
}
