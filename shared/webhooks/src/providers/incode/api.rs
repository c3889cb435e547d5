//! How to ask Incode's API, and about which sessions.

use super::payload::{AUTHENTICATION, FACE_AUTHENTICATION, is_interview};
use crate::proving::{
    credentials::{CredentialsError, parse},
    secret::{Secret, WeakSecret},
};
use serde::Deserialize;
use std::fmt;
use verdict_sessions::{Provider, Remark, SessionEvent};
use zeroize::Zeroizing;

/// How to ask Incode's API.
#[derive(Clone)]
pub struct ApiAccess {
    base_url: String,
    api_key: Zeroizing<String>,
    email: Zeroizing<String>,
    password: Zeroizing<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ApiJson {
    base_url: BaseUrl,
    api_key: Zeroizing<String>,
    email: Zeroizing<String>,
    password: Zeroizing<String>,
}

/// What the JSON of the access alone looks like.
const EXPECTED: &str = r#"{"api":{"baseUrl":"https://…","apiKey":"…","email":"…","password":"…"}}"#;

/// The access alone, as it stands in a secret of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessJson {
    api: ApiJson,
}

impl ApiAccess {
    /// Reads the access from a secret of its own, `{"api":{…}}` with the members that it has among
    /// [`Incode`](super::Incode)'s credentials.
    ///
    /// # Errors
    /// [`CredentialsError`] if a member is missing, unknown or not filled in.
    pub fn from_json(json: &str) -> Result<Self, CredentialsError> {
        let AccessJson { api } = parse(json, EXPECTED)?;
        Self::new(api)
    }

    pub(super) fn new(json: ApiJson) -> Result<Self, CredentialsError> {
        let ApiJson { base_url: BaseUrl(base_url), api_key, email, password } = json;
        expect_filled_in("api.apiKey", &api_key)?;
        expect_filled_in("api.email", &email)?;
        expect_filled_in("api.password", &password)?;
        Ok(Self { base_url, api_key, email, password })
    }

    /// Returns whether the API has more to tell about an event's session. It knows interviews, and nothing that is
    /// filed under a request or a customer; a login of a person who was onboarded before leaves nothing to decide.
    #[must_use]
    pub fn knows_more_than(event: &SessionEvent) -> bool {
        let is_login = event.name == AUTHENTICATION || event.name == FACE_AUTHENTICATION;
        event.session.provider == Provider::Incode && is_interview(&event.session.session_id) && !is_login
    }

    /// Returns whether an event waits for the API to confirm what it decides. What no reader recognises yet decides
    /// nothing that could be confirmed.
    #[must_use]
    pub fn has_to_confirm(event: &SessionEvent) -> bool {
        event.is_unconfirmed() && event.remark != Some(Remark::Unrecognised)
    }

    /// The URL that the API's paths follow; it has no slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The `x-api-key`.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The user that logs in.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The user's password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }
}

/// Shows the base URL alone: the rest are secrets.
impl fmt::Debug for ApiAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiAccess").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// Checks that a value is filled in, and no more: Incode chooses it, and it proves nothing here.
fn expect_filled_in(member: &'static str, text: &str) -> Result<(), CredentialsError> {
    match Secret::new(text) {
        Ok(_) | Err(WeakSecret::Short | WeakSecret::Guessable) => Ok(()),
        // An address may well begin with such a word.
        Err(WeakSecret::Placeholder) if text.contains('@') => Ok(()),
        Err(weakness) => Err(CredentialsError::Weak { member, position: 1, weakness }),
    }
}

/// A URL that paths can be put after. Passwords go there, so it must be HTTPS, except on this machine.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct BaseUrl(String);

impl TryFrom<String> for BaseUrl {
    type Error = &'static str;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        let url = url.trim_end_matches('/');
        is_base_url(url).then(|| Self(url.to_owned())).ok_or("no HTTPS URL that paths can be put after")
    }
}

fn is_base_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // An IPv6 address has colons of its own, in brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_this_machine = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    let is_host = is_this_machine
        || (!host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.'));
    let is_port = port.is_none_or(|port| !port.starts_with('+') && port.parse::<u16>().is_ok_and(|port| port > 0));
    let is_path = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte));
    (scheme == "https" || (scheme == "http" && is_this_machine)) && is_host && is_port && is_path
}
