//! Is it genuine? Static headers, an access token of ours, or both: every configured one must hold.

use super::{
    api::{ApiAccess, ApiJson},
    oauth::{OAuth, OAuthJson},
    payload::segment,
};
use crate::{
    delivery::{Delivery, Genuine},
    proving::{
        authorization::{authorization, of_scheme},
        credentials::{CredentialsError, not_null, parse},
        secret_headers::{SecretHeaders, SecretHeadersJson},
    },
    refusal::Refusal,
};
use serde::Deserialize;
use verdict_sessions::{Provider, Timestamp};

/// What the JSON looks like.
const EXPECTED: &str = concat!(
    r#"{"headers":{"x-…":["…"]},"oauth":{"clients":[{"id":"…","secret":"…"}],"signingKeys":["…"],"tokenTtlSeconds":3600},"#,
    r#""api":{"baseUrl":"https://…","apiKey":"…","email":"…","password":"…"}} "#,
    "(headers or oauth or both; tokenTtlSeconds, from 1 to 86400, and api are optional)"
);

/// What proves that Incode sent something, and what opens its API.
#[derive(Debug)]
pub(super) struct Credentials {
    headers: Option<SecretHeaders>,
    oauth: Option<OAuth>,
    api: Option<ApiAccess>,
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

    pub(super) fn api(&self) -> Option<&ApiAccess> {
        self.api.as_ref()
    }

    pub(super) fn into_oauth(self) -> Option<OAuth> {
        self.oauth
    }
}

pub(super) fn prove(credentials: &Credentials, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
    let path = segment(delivery.path()).map(|segment| format!("/incode/{segment}"));
    let delivery = delivery.posted_to(path.as_deref().as_slice())?;
    if let Some(headers) = &credentials.headers {
        headers.prove(delivery.headers())?;
    }
    if let Some(oauth) = &credentials.oauth {
        let header = authorization(delivery.headers())?;
        oauth.verify(of_scheme(header, "Bearer").ok_or(Refusal::AuthorizationMalformed)?, now)?;
    }
    Ok(delivery.proven(Provider::Incode, now))
}
