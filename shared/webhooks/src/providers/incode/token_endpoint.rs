//! The OAuth 2.0 token endpoint that Incode asks for the tokens of its webhooks (RFC 6749, client credentials).

use super::{
    credentials::Credentials,
    oauth::{OAuth, form_decoded},
};
use crate::{
    delivery::{Delivery, Repeated},
    providers::provider::Answer,
    proving::{credentials::CredentialsError, gate::Gate},
    refusal::Refusal,
};
use std::fmt;
use verdict_sessions::Timestamp;

/// The path at which Incode asks for tokens. A stage or a base path may stand before it.
const PATH: &str = "/incode/oauth/token";

/// The longest form read, in bytes: a grant type and a scope take a hundred.
const FORM_LIMIT: usize = 8 * 1024;

/// The endpoint, with the clients that may ask.
#[derive(Debug)]
pub struct TokenEndpoint {
    gate: Gate,
    oauth: OAuth,
}

/// What the endpoint answers. All of it goes out with `Cache-Control: no-store`, and a 401 with a
/// `WWW-Authenticate` for Basic.
pub struct TokenAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body. It may hold a token.
    pub body: String,
    /// Why there is no token.
    pub error: Option<TokenError>,
}

/// Says nothing of the body: it may hold a token.
impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer").field("status", &self.status).field("error", &self.error).finish_non_exhaustive()
    }
}

/// A reason why there is no token, with RFC 6749's codes (§5.2), except for an unknown path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenError {
    /// Not the endpoint's path.
    PathUnknown,
    /// The request has another form than RFC 6749 asks for.
    InvalidRequest,
    /// The client is unknown, or did not say who it is.
    InvalidClient,
    /// Another grant than client credentials.
    UnsupportedGrantType,
    /// The token could not be signed.
    ServerError,
    /// There are no credentials to compare with, or to sign with.
    Unavailable,
}

impl From<TokenError> for TokenAnswer {
    fn from(error: TokenError) -> Self {
        Self { status: error.status(), body: error.body(), error: Some(error) }
    }
}

impl TokenAnswer {
    /// Returns whether newer credentials might give another answer.
    #[must_use]
    pub fn is_mismatch(&self) -> bool {
        self.error == Some(TokenError::InvalidClient)
    }
}

impl TokenError {
    /// The stable code, for the log and the client.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PathUnknown => Refusal::PathUnknown.code(),
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::ServerError => "server_error",
            Self::Unavailable => "temporarily_unavailable",
        }
    }

    const fn status(self) -> u16 {
        match self {
            Self::PathUnknown => Answer::NOT_FOUND.status,
            Self::InvalidRequest | Self::UnsupportedGrantType => 400,
            Self::InvalidClient => 401,
            Self::ServerError => 500,
            Self::Unavailable => 503,
        }
    }

    fn body(self) -> String {
        let description = match self {
            Self::PathUnknown => return Answer::NOT_FOUND.body.to_owned(),
            Self::InvalidRequest => "POST a form that holds one grant_type, and client credentials in the header alone",
            Self::InvalidClient => "authenticate with HTTP Basic, client id and client secret",
            Self::UnsupportedGrantType => "the only grant_type here is client_credentials",
            Self::ServerError | Self::Unavailable => "try again later",
        };
        format!(r#"{{"error":"{}","error_description":"{description}"}}"#, self.code())
    }
}

/// The reasons for which a request is refused before its form is read.
impl From<Refusal> for TokenError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::PathUnknown => Self::PathUnknown,
            _ => Self::InvalidRequest,
        }
    }
}

impl TokenEndpoint {
    /// Reads the same credentials as [`Incode`](super::Incode); `oauth` must be among them.
    ///
    /// # Errors
    /// [`CredentialsError`] if a member is missing, unknown, empty or weak.
    pub fn from_json(credentials: &str) -> Result<Self, CredentialsError> {
        let Credentials { gate, oauth, .. } = Credentials::from_json(credentials)?;
        oauth.map(|oauth| Self { gate, oauth }).ok_or(CredentialsError::Empty { member: "oauth" })
    }

    /// Answers a request: a token, or why there is none. The client is authenticated first: another one learns nothing
    /// about the form.
    #[must_use]
    pub fn answer(&self, delivery: Delivery, now: Timestamp) -> TokenAnswer {
        self.grant(delivery, now).unwrap_or_else(TokenAnswer::from)
    }

    fn grant(&self, delivery: Delivery, now: Timestamp) -> Result<TokenAnswer, TokenError> {
        let delivery = delivery.posted_to(&[PATH])?;
        // A client beyond the gate is told no more than one that is unknown.
        self.gate.admit(&delivery).map_err(|_refusal| TokenError::InvalidClient)?;
        let client = self.oauth.authenticate(delivery.headers()).ok_or(TokenError::InvalidClient)?;
        expect_client_credentials(&delivery)?;
        let OAuth { signing_keys, lifetime, .. } = &self.oauth;
        let token = signing_keys.sign(&client.username, now, *lifetime).ok_or(TokenError::ServerError)?;
        let seconds = lifetime.seconds();
        // A token needs no escapes: it is base64 and dots.
        let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{seconds}}}"#);
        Ok(TokenAnswer { status: 200, body, error: None })
    }
}

/// The form's one `grant_type` must be `client_credentials`. What else is in it does not matter,
/// except a second way of saying who the client is.
fn expect_client_credentials(delivery: &Delivery) -> Result<(), TokenError> {
    let parameters = form(delivery).ok_or(TokenError::InvalidRequest)?;
    if parameters.iter().any(|(name, _)| name == "client_secret" || name == "client_assertion") {
        return Err(TokenError::InvalidRequest);
    }
    let mut grant_types = parameters.iter().filter(|(name, _)| name == "grant_type").map(|(_, value)| &**value);
    match (grant_types.next(), grant_types.next()) {
        (Some("client_credentials"), None) => Ok(()),
        // RFC 6749 §3.2 has a parameter without a value count as missing.
        (Some(""), None) | (None, _) | (_, Some(_)) => Err(TokenError::InvalidRequest),
        (Some(_), None) => Err(TokenError::UnsupportedGrantType),
    }
}

/// The parameters of a form, or `None` if the body isn't a form.
fn form(delivery: &Delivery) -> Option<Vec<(String, String)>> {
    let content_type = delivery.headers().only("content-type").map_err(|Repeated| ()).ok()??;
    let media_type = content_type.split(';').next()?.trim();
    let body = delivery.unproven_body();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") || body.len() > FORM_LIMIT {
        return None;
    }
    let pairs = std::str::from_utf8(body).ok()?.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((form_decoded(name)?, form_decoded(value)?))
        })
        .collect()
}
