//! What an operator configures for Incode: the secrets of its webhooks, who may ask for tokens, and the access to its
//! API.

use super::{
    api::{ApiAccess, ApiJson},
    oauth::{OAuth, OAuthJson},
};
use crate::proving::{
    credentials::{CredentialsError, not_null, parse},
    secret_headers::{SecretHeaders, SecretHeadersJson},
};
use serde::Deserialize;

/// What the JSON looks like.
const EXPECTED: &str = concat!(
    r#"{"headers":{"x-…":["…"]},"oauth":{"clients":[{"id":"…","secret":"…"}],"signingKeys":["…"],"tokenTtlSeconds":3600},"#,
    r#""api":{"baseUrl":"https://…","apiKey":"…","email":"…","password":"…"}} "#,
    "(headers or oauth or both; tokenTtlSeconds, from 1 to 86400, and api are optional)"
);

/// What proves that Incode sent something, and what opens its API.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) headers: Option<SecretHeaders>,
    pub(super) oauth: Option<OAuth>,
    pub(super) api: Option<ApiAccess>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsJson {
    #[serde(default, deserialize_with = "not_null")]
    headers: Option<SecretHeadersJson>,
    #[serde(default, deserialize_with = "not_null")]
    oauth: Option<OAuthJson>,
    #[serde(default, deserialize_with = "not_null")]
    api: Option<ApiJson>,
}

impl Credentials {
    pub(super) fn from_json(json: &str) -> Result<Self, CredentialsError> {
        let CredentialsJson { headers, oauth, api } = parse(json, EXPECTED)?;
        if headers.is_none() && oauth.is_none() {
            return Err(CredentialsError::Empty { member: "headers or oauth" });
        }
        let headers = headers.map(SecretHeaders::new).transpose()?;
        let oauth = oauth.map(OAuth::new).transpose()?;
        if let (Some(headers), Some(_)) = (&headers, &oauth) {
            headers.leave_authorization_to("oauth")?;
        }
        Ok(Self { headers, oauth, api: api.map(ApiAccess::new).transpose()? })
    }
}
