//! Veriff. The contract that these files follow: every webhook is signed over its raw body. Eight kinds of webhook,
//! told apart by their members, may arrive on either path; the three registries are one `Family`.

mod details;
mod meaning;
mod payload;
mod proof;

use crate::{
    delivery::{Delivery, Genuine},
    providers::provider::{Answer, Disposition, Reader, Reading, WebhookSource},
    proving::credentials::CredentialsError,
    reading::unreadable::Unreadable,
    refusal::Refusal,
};
use proof::Credentials;
use verdict_sessions::{Provider, Timestamp};

/// Veriff, with the secrets that its webhooks are signed with.
#[derive(Debug)]
pub struct Veriff {
    credentials: Credentials,
}

impl Veriff {
    /// Reads the credentials, `{"secrets":["…"],"apiKeys":["…"]}`; `apiKeys` is optional.
    ///
    /// # Errors
    /// [`CredentialsError`] if a member is missing, unknown, empty or weak.
    pub fn from_json(credentials: &str) -> Result<Self, CredentialsError> {
        Credentials::from_json(credentials).map(|credentials| Self { credentials })
    }
}

impl WebhookSource for Veriff {
    const PROVIDER: Provider = Provider::Veriff;

    fn prove(&self, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
        proof::prove(&self.credentials, delivery, now)
    }

    /// Only 200 is success to Veriff; anything else is sent again, hourly for a week.
    fn answer(_path: &str, disposition: Disposition) -> Answer {
        match disposition {
            Disposition::Refused(Refusal::PathUnknown) => Answer::NOT_FOUND,
            Disposition::Refused(_) => Answer { status: 401, body: r#"{"error":{"code":"unauthorized"}}"# },
            Disposition::Failed => Answer { status: 503, body: r#"{"error":{"code":"unavailable"}}"# },
            _ => Answer { status: 200, body: "{}" },
        }
    }
}

impl Reader for Veriff {
    fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
        meaning::read(genuine)
    }
}
