//! Who may ask for the access tokens of Incode's webhooks, and what the tokens are signed with (RFC 6749, client
//! credentials).

use super::tokens::{Lifetime, SigningKeys, Verified};
use crate::{
    delivery::Headers,
    proving::{
        authorization::{Login, LoginJson, Presented, authorization},
        credentials::CredentialsError,
    },
    refusal::Refusal,
};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use verdict_sessions::{MatchedCredential, Timestamp};
use zeroize::Zeroizing;

/// Who may ask for tokens, and what they are signed with.
#[derive(Debug)]
pub(super) struct OAuth {
    clients: Vec<Login>,
    pub(super) signing_keys: SigningKeys,
    pub(super) lifetime: Lifetime,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OAuthJson {
    clients: Vec<ClientJson>,
    /// The first signs, any verifies: a new one goes in front, and an old one stays until its tokens are over.
    signing_keys: Vec<Zeroizing<String>>,
    #[serde(default)]
    token_ttl_seconds: Lifetime,
}

/// A login in OAuth's words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientJson {
    id: String,
    secret: Zeroizing<String>,
}

impl From<ClientJson> for LoginJson {
    fn from(ClientJson { id, secret }: ClientJson) -> Self {
        Self { username: id, password: secret }
    }
}

impl OAuth {
    pub(super) fn new(json: OAuthJson) -> Result<Self, CredentialsError> {
        Ok(Self {
            clients: Login::list("oauth.clients", json.clients.into_iter().map(LoginJson::from).collect())?,
            signing_keys: SigningKeys::new(json.signing_keys)?,
            lifetime: json.token_ttl_seconds,
        })
    }

    /// Verifies that Verdict issued the token, and that its client is still configured. Returns the key that signed it.
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<MatchedCredential, Refusal> {
        let Verified { client, key } = self.signing_keys.verify(token, now, self.lifetime)?;
        let is_known = self.clients.iter().any(|known| known.username == client);
        is_known.then_some(key).ok_or(Refusal::AuthorizationMismatch)
    }

    /// The client that presents itself in the one way that Incode has, HTTP Basic. Name and secret may be
    /// there as they are, or encoded as in a form, as RFC 6749 §2.3.1 has it. Every client is looked at.
    pub(super) fn authenticate(&self, headers: &Headers) -> Option<&Login> {
        let literal = Presented::basic(authorization(headers).ok()?)?;
        // What can't be decoded becomes empty, which is no client's name or secret.
        let decoded = |text| Zeroizing::new(form_decoded(text).unwrap_or_default());
        let decoded = Presented { username: decoded(&literal.username), password: decoded(&literal.password) };
        self.clients.iter().fold(None, |found, client| {
            let is_client = client.is(&literal) | client.is(&decoded);
            if is_client { Some(client) } else { found }
        })
    }
}

/// The text that `application/x-www-form-urlencoded` stands for, or `None` if that isn't Unicode.
pub(super) fn form_decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    Some(percent_decode_str(&spaced).decode_utf8().ok()?.into_owned())
}
