//! Veriff's decision webhook, as a handler of one's own reads it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use lambda_http::{Body, Error, Request, Response, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::env;

/// The header with the HMAC-SHA256 of the raw body, in hex.
const SIGNATURE: &str = "x-hmac-signature";

/// The shared secrets of the integration; while one is rotated there are two.
#[derive(Deserialize)]
pub struct Credentials {
    secrets: Vec<String>,
}

impl Credentials {
    /// Reads them from `VERIFF_CREDENTIALS`.
    ///
    /// # Errors
    /// The variable is missing or isn't `{"secrets":["…"]}`.
    pub fn from_env() -> Result<Self, Error> {
        Ok(serde_json::from_str(&env::var("VERIFF_CREDENTIALS")?)?)
    }

    /// Returns whether the body of a request was signed with one of the secrets. It is compared in constant time.
    #[must_use]
    pub fn prove(&self, request: &Request) -> bool {
        let signature = request.headers().get(SIGNATURE).and_then(|signature| hex::decode(signature).ok());
        signature.is_some_and(|signature| {
            self.secrets.iter().any(|secret| {
                Hmac::<Sha256>::new_from_slice(secret.as_bytes())
                    .is_ok_and(|hmac| hmac.chain_update(&**request.body()).verify_slice(&signature).is_ok())
            })
        })
    }
}

/// The members of a decision that the peers record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The session.
    pub id: String,
    /// The attempt in the session.
    pub attempt_id: Option<String>,
    /// The outcome, such as `approved`.
    pub status: String,
    /// The code of the outcome, such as 9001.
    pub code: u32,
    /// The reason, as text.
    pub reason: Option<String>,
    /// The reason, as a code.
    pub reason_code: Option<u32>,
    /// The name that the user of Veriff has for the person.
    pub vendor_data: Option<String>,
    decision_time: Option<String>,
    acceptance_time: Option<String>,
}

#[derive(Deserialize)]
struct Webhook {
    verification: Option<Decision>,
}

impl Decision {
    /// Reads the decision in a webhook, if there is one.
    ///
    /// # Errors
    /// The body is no decision webhook of Veriff's.
    pub fn from_webhook(body: &[u8]) -> Result<Option<Self>, Error> {
        Ok(serde_json::from_slice::<Webhook>(body)?.verification)
    }

    /// The time that it counts from. Veriff writes all times alike, so that they compare as text.
    #[must_use]
    pub fn decided_at(&self) -> &str {
        self.decision_time.as_deref().or(self.acceptance_time.as_deref()).unwrap_or_default()
    }

    /// The partition of the session in the table.
    #[must_use]
    pub fn partition(&self) -> String {
        format!("SESSION#veriff/{}", self.id)
    }

    /// The message about it for the queue.
    #[must_use]
    pub fn message(&self, previous: Option<&str>) -> Value {
        json!({
            "type": "decision",
            "provider": "veriff",
            "sessionId": self.id,
            "attemptId": self.attempt_id,
            "outcome": self.status,
            "previousOutcome": previous,
            "reasonCode": self.reason_code,
            "reference": self.vendor_data,
            "decidedAt": self.decided_at(),
        })
    }
}

/// The SHA-256 of a body, in hex: copies of a webhook have the same.
#[must_use]
pub fn digest(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// An answer without a body.
///
/// # Errors
/// None in fact.
pub fn answer(status: StatusCode) -> Result<Response<Body>, Error> {
    Ok(Response::builder().status(status).body(Body::Empty)?)
}
