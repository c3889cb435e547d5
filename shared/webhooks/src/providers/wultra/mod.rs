//! Wultra's Enrollment Server Onboarding. The contract that these files follow: nothing is signed, so
//! Basic or static headers prove a webhook; it is sent once and never again; bodies reach megabytes.

mod details;
mod meaning;
mod payload;
mod proof;
mod reject_reason;

use crate::{
    delivery::{Delivery, Genuine},
    providers::provider::{Answer, Disposition, Reader, Reading, WebhookSource},
    proving::credentials::CredentialsError,
    reading::unreadable::Unreadable,
    refusal::Refusal,
};
use proof::Credentials;
use verdict_sessions::{Provider, Timestamp};

/// Wultra, with the secrets that its webhooks carry.
#[derive(Debug)]
pub struct Wultra {
    credentials: Credentials,
}

impl Wultra {
    /// Reads the credentials, `{"basic":[{"username":"…","password":"…"}],"headers":{"x-…":["…"]}}`; one of
    /// the two is required.
    ///
    /// # Errors
    /// [`CredentialsError`] if a member is missing, unknown, empty or weak.
    pub fn from_json(credentials: &str) -> Result<Self, CredentialsError> {
        Credentials::from_json(credentials).map(|credentials| Self { credentials })
    }
}

impl WebhookSource for Wultra {
    const PROVIDER: Provider = Provider::Wultra;

    /// As much as arrives: bodies reach megabytes, and one that is refused never comes again.
    const BODY_LIMIT: usize = 6 * 1024 * 1024;

    fn prove(&self, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
        proof::prove(&self.credentials, delivery, now)
    }

    /// Wultra sends nothing twice: an error is only logged on its side, in the form of its own errors.
    fn answer(_path: &str, disposition: Disposition) -> Answer {
        match disposition {
            Disposition::Refused(Refusal::PathUnknown) => {
                Answer { status: 404, body: r#"{"errorCode":"ERROR_GENERIC","message":"Not Found"}"# }
            }
            Disposition::Refused(_) => {
                Answer { status: 401, body: r#"{"errorCode":"ERROR_UNAUTHORIZED","message":"Unauthorized"}"# }
            }
            Disposition::Failed => {
                Answer { status: 503, body: r#"{"errorCode":"ERROR_GENERIC","message":"Service unavailable"}"# }
            }
            _ => Answer { status: 200, body: "{}" },
        }
    }
}

impl Reader for Wultra {
    fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
        meaning::read(genuine)
    }
}
