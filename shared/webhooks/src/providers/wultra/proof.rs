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

/// The path of Wultra's webhooks. The last two segments are Wultra's; a base path may stand before the path.
const PATHS: [&str; 1] = ["/wultra/process/event"];

/// The secrets that prove that Wultra sent a webhook.
#[derive(Debug)]
pub(super) struct Credentials {
    /// If there are any, one of them must be presented.
    logins: Option<Vec<Login>>,
    /// If there are any, all of them must be there.
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

/// Proves a login. Every configured one is compared, so that the time shows neither which one matched nor whether any
/// did.
fn log_in(logins: &[Login], headers: &Headers) -> Result<(), Refusal> {
    let presented = Presented::basic(authorization(headers)?).ok_or(Refusal::AuthorizationMalformed)?;
    let known = logins.iter().fold(false, |found, login| found | login.is(&presented));
    known.then_some(()).ok_or(Refusal::AuthorizationMismatch)
}
