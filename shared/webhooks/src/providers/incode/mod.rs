//! Incode. The contract that these files follow: no body is signed; the sender proves itself with
//! static headers, with an access token that Verdict issued, or with both. Each kind of webhook has a
//! path, and an API tells what webhooks did not.

mod api;
mod credentials;
mod details;
mod finding;
mod meaning;
mod oauth;
mod payload;
mod poll_request;
mod proof;
mod score;
mod token_endpoint;
mod tokens;

pub use api::ApiAccess;
pub use finding::{Finding, SCORE_PATH, STATUS_PATH, recurrence};
pub use poll_request::POLL_REQUEST;
pub use token_endpoint::{TokenAnswer, TokenEndpoint, TokenError};

use crate::{
    delivery::{Delivery, Genuine},
    providers::provider::{Answer, Disposition, Reader, Reading, WebhookSource},
    proving::credentials::CredentialsError,
    reading::unreadable::Unreadable,
    refusal::Refusal,
};
use credentials::Credentials;
use verdict_sessions::{Provider, SessionEvent, Timestamp};

/// Incode, with what its webhooks prove themselves with.
#[derive(Debug)]
pub struct Incode {
    credentials: Credentials,
}

impl Incode {
    /// Reads the credentials,
    /// `{"headers":{"x-…":["…"]},"oauth":{"clients":[{"id":"…","secret":"…"}],"signingKeys":["…"],"tokenTtlSeconds":3600},
    /// "api":{"baseUrl":"https://…","apiKey":"…","email":"…","password":"…"},"confirmDecisions":true}`: `headers` or
    /// `oauth` or both; if both are there, both must hold. `tokenTtlSeconds`, `api` and `confirmDecisions` are optional.
    /// If `api` is there, a decision counts only once the API confirms it, unless `confirmDecisions` is false.
    ///
    /// # Errors
    /// [`CredentialsError`] if a member is missing, unknown, empty or weak.
    pub fn from_json(credentials: &str) -> Result<Self, CredentialsError> {
        Credentials::from_json(credentials).map(|credentials| Self { credentials })
    }

    /// The access to Incode's API, if it is configured.
    #[must_use]
    pub fn api(&self) -> Option<&ApiAccess> {
        self.credentials.api.as_ref()
    }
}

impl WebhookSource for Incode {
    const PROVIDER: Provider = Provider::Incode;

    fn prove(&self, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
        proof::prove(&self.credentials, delivery, now)
    }

    /// Success to Incode is 200 with this JSON; anything else is sent again, five times in half an hour.
    fn answer(path: &str, disposition: Disposition) -> Answer {
        match disposition {
            Disposition::Refused(Refusal::PathUnknown) => Answer::NOT_FOUND,
            Disposition::Refused(_) => Answer { status: 401, body: r#"{"error":{"code":"unauthorized"}}"# },
            Disposition::Failed => Answer { status: 503, body: r#"{"error":{"code":"unavailable"}}"# },
            // INE scraping alone wants a string.
            _ if payload::segment(path) == Some("ine-scraping") => {
                Answer { status: 200, body: r#"{"success": "true"}"# }
            }
            _ => Answer { status: 200, body: r#"{"success": true}"# },
        }
    }

    fn is_polled(&self) -> bool {
        self.api().is_some()
    }

    fn with_api_elsewhere(self, has_api: bool) -> Result<Self, CredentialsError> {
        self.credentials.with_api_elsewhere(has_api).map(|credentials| Self { credentials })
    }
}

impl Reader for Incode {
    fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
        meaning::read(genuine)
    }

    fn read_answer(
        recorded: &SessionEvent,
        source: &str,
        payload: &str,
    ) -> Option<Result<Option<SessionEvent>, Unreadable>> {
        let (session, payload, received_at) = (&recorded.session, payload.as_bytes(), recorded.received_at);
        let finding = match source {
            STATUS_PATH => Finding::of_status(session, payload, received_at),
            SCORE_PATH => Finding::of_score(session, payload, received_at),
            POLL_REQUEST => Finding::of_poll_request(payload, received_at),
            _ => return None,
        };
        Some(finding.map(|finding| finding.event))
    }
}
