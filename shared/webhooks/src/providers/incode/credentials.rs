//! What an operator configures for Incode: the secrets of its webhooks, who may ask for tokens, and the access to its
//! API.

use super::{
    api::{ApiAccess, ApiJson},
    oauth::{OAuth, OAuthJson},
};
use crate::proving::{
    credentials::{CredentialsError, not_null, parse},
    gate::Gate,
    secret_headers::{SecretHeaders, SecretHeadersJson},
};
use serde::Deserialize;

/// What the JSON looks like.
const EXPECTED: &str = concat!(
    r#"{"headers":{"x-…":["…"]},"oauth":{"clients":[{"id":"…","secret":"…"}],"signingKeys":["…"],"tokenTtlSeconds":3600},"#,
    r#""api":{"baseUrl":"https://…","apiKey":"…","email":"…","password":"…"},"confirmDecisions":true,"#,
    r#""allowedCidrs":["…"],"edgeHeader":{"x-…":["…"]}} "#,
    "(headers or oauth or both; tokenTtlSeconds, from 1 to 86400, api, confirmDecisions, ",
    "and allowedCidrs or edgeHeader are optional)"
);

/// What proves that Incode sent something, and what opens its API.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) gate: Gate,
    pub(super) headers: Option<SecretHeaders>,
    pub(super) oauth: Option<OAuth>,
    pub(super) api: Option<ApiAccess>,
    /// True if a decision counts only once the API confirms it.
    pub(super) confirms_decisions: bool,
    /// The same as it was asked for, whether or not there is access to the API.
    confirm_decisions: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CredentialsJson {
    #[serde(default, deserialize_with = "not_null")]
    headers: Option<SecretHeadersJson>,
    #[serde(default, deserialize_with = "not_null")]
    oauth: Option<OAuthJson>,
    #[serde(default, deserialize_with = "not_null")]
    api: Option<ApiJson>,
    #[serde(default, deserialize_with = "not_null")]
    confirm_decisions: Option<bool>,
    #[serde(default, deserialize_with = "not_null")]
    allowed_cidrs: Option<Vec<String>>,
    #[serde(default, deserialize_with = "not_null")]
    edge_header: Option<SecretHeadersJson>,
}

impl Credentials {
    pub(super) fn from_json(json: &str) -> Result<Self, CredentialsError> {
        let CredentialsJson { headers, oauth, api, confirm_decisions, allowed_cidrs, edge_header } =
            parse(json, EXPECTED)?;
        if headers.is_none() && oauth.is_none() {
            return Err(CredentialsError::Empty { member: "headers or oauth" });
        }
        let headers = headers.map(|headers| SecretHeaders::new("headers", headers)).transpose()?;
        let oauth = oauth.map(OAuth::new).transpose()?;
        if let (Some(headers), Some(_)) = (&headers, &oauth) {
            headers.leave_authorization_to("oauth")?;
        }
        let used: Vec<_> = headers.iter().flat_map(SecretHeaders::names).chain(["authorization"]).collect();
        let gate = Gate::new(allowed_cidrs, edge_header, &used)?;
        let api = api.map(ApiAccess::new).transpose()?;
        let confirms_decisions = confirms(api.is_some(), confirm_decisions);
        Ok(Self { gate, headers, oauth, api, confirms_decisions, confirm_decisions })
    }

    /// Completes credentials without access to the API, which may be in a secret of its own.
    ///
    /// # Errors
    /// [`CredentialsError::ApiAmongProofs`] if it is here all the same.
    pub(super) fn with_api_elsewhere(self, has_api: bool) -> Result<Self, CredentialsError> {
        if self.api.is_some() {
            return Err(CredentialsError::ApiAmongProofs);
        }
        Ok(Self { confirms_decisions: confirms(has_api, self.confirm_decisions), ..self })
    }
}

/// Returns whether a decision counts only once the API confirms it. Without the API, there is nobody to confirm anything.
fn confirms(has_api: bool, confirm_decisions: Option<bool>) -> bool {
    has_api && confirm_decisions.unwrap_or(true)
}
