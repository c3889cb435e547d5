//! Is it genuine? A user name and a password, static headers, or both: whatever is configured must hold.

use crate::{
    delivery::{Delivery, Genuine, Headers},
    proving::{
        authorization::{Login, LoginJson, Presented, authorization},
        credentials::{CredentialsError, not_null, parse},
        secret_headers::{SecretHeaders, SecretHeadersJson},
    },
    refusal::Refusal,
};
use serde::Deserialize;
use verdict_sessions::{Provider, Timestamp};

/// Where Wultra's webhooks go. The last two segments are Wultra's; a base path may stand before the path.
const PATHS: [&str; 1] = ["/wultra/process/event"];

/// What proves that Wultra sent something.
#[derive(Debug)]
pub(super) struct Credentials {
    /// Any of them may be presented, where there are any.
    logins: Option<Vec<Login>>,
    /// All of them must be there, where there are any.
    headers: Option<SecretHeaders>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsJson {
    #[serde(default, deserialize_with = "not_null")]
    basic: Option<Vec<LoginJson>>,
    #[serde(default, deserialize_with = "not_null")]
    headers: Option<SecretHeadersJson>,
}

impl Credentials {
    pub(super) fn from_json(json: &str) -> Result<Self, CredentialsError> {
        let CredentialsJson { basic, headers } = parse(
            json,
            r#"{"basic":[{"username":"…","password":"…"}],"headers":{"x-…":["…"]}} (one of the two required)"#,
        )?;
        if basic.is_none() && headers.is_none() {
            return Err(CredentialsError::Empty { member: "basic or headers" });
        }
        let logins = basic.map(|logins| Login::list("basic", logins)).transpose()?;
        let headers = headers.map(SecretHeaders::new).transpose()?;
        if let (Some(_), Some(headers)) = (&logins, &headers) {
            headers.leave_authorization_to("basic")?;
        }
        Ok(Self { logins, headers })
    }
}

pub(super) fn prove(credentials: &Credentials, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
    let delivery = delivery.posted_to(&PATHS)?;
    if let Some(logins) = &credentials.logins {
        log_in(logins, delivery.headers())?;
    }
    if let Some(headers) = &credentials.headers {
        headers.prove(delivery.headers())?;
    }
    Ok(delivery.proven(Provider::Wultra, now))
}

/// Every login is looked at, so that the time it takes shows neither which one nor whether any matched.
fn log_in(logins: &[Login], headers: &Headers) -> Result<(), Refusal> {
    let presented = Presented::basic(authorization(headers)?).ok_or(Refusal::AuthorizationMalformed)?;
    let known = logins.iter().fold(false, |found, login| found | login.is(&presented));
    known.then_some(()).ok_or(Refusal::AuthorizationMismatch)
}
