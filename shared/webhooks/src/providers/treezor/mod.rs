//! Treezor. The contract that these files follow: of each webhook the payload is signed, in a canonical form, and
//! nothing around it; what the payload holds says what it is. If a token is configured for the URL, every webhook needs
//! it.

mod canonical;
mod details;
mod envelope;
mod meaning;
mod part;
mod payload;
mod proof;

pub use canonical::canonical;

use crate::{
    delivery::{Delivery, Genuine},
    providers::provider::{Answer, Batch, Disposition, Reader, Reading, WebhookSource},
    proving::credentials::CredentialsError,
    reading::unreadable::Unreadable,
    refusal::Refusal,
};
use proof::Credentials;
use verdict_sessions::{Provider, Timestamp};

/// Treezor, with the secrets that its payloads are signed with.
#[derive(Debug)]
pub struct Treezor {
    credentials: Credentials,
}

impl Treezor {
    /// Reads the credentials, `{"secrets":["…"],"urlTokens":["…"],"unsignedReviews":false}`; the last two are optional.
    /// `unsignedReviews` needs `urlTokens`.
    ///
    /// # Errors
    /// [`CredentialsError`] if a member is missing, unknown, empty or weak.
    pub fn from_json(credentials: &str) -> Result<Self, CredentialsError> {
        Credentials::from_json(credentials).map(|credentials| Self { credentials })
    }
}

impl WebhookSource for Treezor {
    const PROVIDER: Provider = Provider::Treezor;

    fn prove(&self, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
        proof::prove(&self.credentials, delivery, now)
    }

    /// Treezor asks for a code in the 500 range if the signature does not match, and sends such a webhook again.
    fn answer(_path: &str, disposition: Disposition) -> Answer {
        match disposition {
            Disposition::Refused(Refusal::PathUnknown) => Answer::NOT_FOUND,
            Disposition::Refused(_) => Answer { status: 500, body: r#"{"error":{"code":"unauthorized"}}"# },
            Disposition::Failed => Answer { status: 503, body: r#"{"error":{"code":"unavailable"}}"# },
            _ => Answer { status: 200, body: "{}" },
        }
    }
}

impl Reader for Treezor {
    fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
        meaning::read(genuine, 0, usize::MAX).map(|batch| batch.reading)
    }

    fn read_batch(genuine: &Genuine, first: usize, most: usize) -> Result<Batch, Unreadable> {
        meaning::read(genuine, first, most)
    }
}
