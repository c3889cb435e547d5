//! Is it genuine? A user name and a password, static headers, or both: whatever is configured must hold.

use crate::{
    delivery::{Delivery, Genuine, Headers, Matched},
    proving::{
        authorization::{Login, LoginJson, Presented, authorization},
        credentials::{CredentialsError, not_null, parse},
        gate::Gate,
        secret::first_match,
        secret_headers::{SecretHeaders, SecretHeadersJson},
    },
    refusal::Refusal,
};
use serde::Deserialize;
use verdict_sessions::{MatchedCredential, Provider, Timestamp};

/// The path of Wultra's webhooks. The last two segments are Wultra's; a base path may stand before the path.
const PATHS: [&str; 1] = ["/wultra/process/event"];

/// The form of the JSON, for messages.
const EXPECTED: &str = concat!(
    r#"{"basic":[{"username":"…","password":"…"}],"headers":{"x-…":["…"]},"#,
    r#""allowedCidrs":["…"],"edgeHeader":{"x-…":["…"]}} "#,
    "(basic or headers or both; allowedCidrs or edgeHeader is optional)"
);

/// The secrets that prove that Wultra sent a webhook.
#[derive(Debug)]
pub(super) struct Credentials {
    gate: Gate,
    /// If there are any, one of them must be presented.
    logins: Option<Vec<Login>>,
    /// If there are any, all of them must be there.
    headers: Option<SecretHeaders>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CredentialsJson {
    #[serde(default, deserialize_with = "not_null")]
    basic: Option<Vec<LoginJson>>,
    #[serde(default, deserialize_with = "not_null")]
    headers: Option<SecretHeadersJson>,
    #[serde(default, deserialize_with = "not_null")]
    allowed_cidrs: Option<Vec<String>>,
    #[serde(default, deserialize_with = "not_null")]
    edge_header: Option<SecretHeadersJson>,
}

impl Credentials {
    pub(super) fn from_json(json: &str) -> Result<Self, CredentialsError> {
        let CredentialsJson { basic, headers, allowed_cidrs, edge_header } = parse(json, EXPECTED)?;
        if basic.is_none() && headers.is_none() {
            return Err(CredentialsError::Empty { member: "basic or headers" });
        }
        let logins = basic.map(|logins| Login::list("basic", logins)).transpose()?;
        let headers = headers.map(|headers| SecretHeaders::new("headers", headers)).transpose()?;
        if let (Some(_), Some(headers)) = (&logins, &headers) {
            headers.leave_authorization_to("basic")?;
        }
        let used: Vec<_> = headers.iter().flat_map(SecretHeaders::names).chain(["authorization"]).collect();
        let gate = Gate::new(allowed_cidrs, edge_header, &used)?;
        Ok(Self { gate, logins, headers })
    }
}

pub(super) fn prove(credentials: &Credentials, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
    let delivery = delivery.posted_to(&PATHS)?;
    credentials.gate.admit(&delivery)?;
    let mut matched = Vec::new();
    if let Some(logins) = &credentials.logins {
        matched.push(log_in(logins, delivery.headers())?);
    }
    if let Some(headers) = &credentials.headers {
        matched.extend(headers.prove(delivery.headers())?);
    }
    Ok(delivery.proven(Provider::Wultra, now, Matched::unsigned(matched)))
}

/// Proves a login, and returns which one it is.
fn log_in(logins: &[Login], headers: &Headers) -> Result<MatchedCredential, Refusal> {
    let presented = Presented::basic(authorization(headers)?).ok_or(Refusal::AuthorizationMalformed)?;
    first_match("basic", logins, |login| login.is(&presented)).ok_or(Refusal::AuthorizationMismatch)
}
