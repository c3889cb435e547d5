//! The traits that a provider implements: it proves, answers and reads.

use crate::{
    delivery::{Delivery, Genuine},
    proving::credentials::CredentialsError,
    reading::unreadable::Unreadable,
    refusal::Refusal,
};
use std::collections::HashSet;
use verdict_sessions::{EventId, Provider, SessionEvent, SessionKey, Timestamp};

/// The content of a genuine webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Facts about sessions.
    Events {
        /// At least one, each with an id of its own within its session.
        events: Vec<SessionEvent>,
        /// The part of the webhook that each event comes from, in the same order.
        parts: Vec<Part>,
    },
    /// Nothing to record.
    Nothing(Ignored),
}

impl Reading {
    /// The only event of a webhook, of which the whole minimised payload is stored.
    pub(crate) fn one(event: SessionEvent, payload: String) -> Self {
        Self::Events { events: vec![event], parts: vec![Part::whole(payload)] }
    }

    /// Adds the id that the first release made of more members. It counts if it is another one.
    pub(crate) fn one_known_as(former_id: EventId, event: SessionEvent, payload: String) -> Self {
        let former_id = Some(former_id).filter(|id| *id != event.event_id);
        Self::Events { events: vec![event], parts: vec![Part { former_id, ..Part::whole(payload) }] }
    }

    /// Drops events that repeat another one's id in its session.
    pub(crate) fn without_repeats(self) -> Self {
        let Self::Events { events, parts } = self else { return self };
        let mut known = HashSet::new();
        let mut is_first = |event: &SessionEvent| known.insert((event.session.clone(), event.event_id.clone()));
        let (events, parts) = events.into_iter().zip(parts).filter(|(event, _)| is_first(event)).unzip();
        Self::Events { events, parts }
    }
}

/// The reading of some of a webhook's subjects. A webhook may speak of thousands, and their events take many times the
/// memory that its body takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Their events.
    pub reading: Reading,
    /// The place of the first subject that is left, if any is.
    pub next: Option<usize>,
}

impl Batch {
    /// All that a webhook says.
    pub(crate) const fn all(reading: Reading) -> Self {
        Self { reading, next: None }
    }
}

/// The part of a webhook that one event comes from: what is stored with the event, and what tells its copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The minimised payload as JSON text. It holds nothing about the subject of another session.
    pub payload: String,
    /// The id that the first release gave to the event: an event that is recorded under it is the same fact.
    pub former_id: Option<EventId>,
    /// The id of the same part under another name, if that has it read another way. The name isn't signed: if such an
    /// event is recorded, this one decides nothing.
    pub other_reading: Option<EventId>,
    /// The id that the event would have if its webhook had been stamped the other way: an event that is recorded under
    /// it comes from the same webhook.
    pub other_stamp: Option<EventId>,
    /// The session's id, if nothing that is signed vouches for it.
    pub binding: Option<Binding>,
}

impl Part {
    /// The whole of a webhook that is about one session.
    #[must_use]
    pub const fn whole(payload: String) -> Self {
        Self { payload, former_id: None, other_reading: None, other_stamp: None, binding: None }
    }
}

/// The unsigned id that a signed part came with: it counts under the first one only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The session in whose partition that is written down. It need not exist.
    pub session: SessionKey,
    /// The id.
    pub object_id: String,
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
    /// Reads a genuine webhook into session events. If they are several, a minimised payload gives their ids again.
    ///
    /// # Errors
    /// [`Unreadable`] if it can't become events.
    fn read(genuine: &Genuine) -> Result<Reading, Unreadable>;

    /// Reads at most so many of a webhook's subjects, beginning with the one in the place `first`. With the first of
    /// all, the others are looked at, too: if one of them can't be read, none is.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_batch(genuine: &Genuine, _first: usize, _most: usize) -> Result<Batch, Unreadable> {
        Self::read(genuine).map(Batch::all)
    }

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

    /// The longest body that is proved if nothing else is configured, in bytes: far above what the provider sends.
    const BODY_LIMIT: usize = 1024 * 1024;

    /// Proves a delivery genuine; `now` becomes its arrival time.
    ///
    /// # Errors
    /// The [`Refusal`] if it isn't.
    fn prove(&self, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal>;

    /// The answer that the provider's contract asks for on this path. It needs no credentials, since a function that
    /// could not fetch them answers, too.
    fn answer(path: &str, disposition: Disposition) -> Answer;

    /// Returns whether the provider is also polled: only if its API is configured.
    fn is_polled(&self) -> bool {
        false
    }

    /// Completes credentials that come from a secret of Secrets Manager. The access to the provider's API isn't in that
    /// secret: `has_api` says that it is in one of its own.
    ///
    /// # Errors
    /// [`CredentialsError`] if the access to the API is among them all the same.
    fn with_api_elsewhere(self, _has_api: bool) -> Result<Self, CredentialsError>
    where
        Self: Sized,
    {
        Ok(self)
    }
}
