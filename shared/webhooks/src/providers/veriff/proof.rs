//! Is it genuine? HMAC-SHA256 over the raw body, in hex, in a header.

use crate::{
    delivery::{Delivery, Genuine, Headers, Matched, Repeated},
    proving::{
        credentials::{CredentialsError, not_null, parse, secrets},
        gate::Gate,
        secret::{Secret, WeakSecret, first_match},
        secret_headers::SecretHeadersJson,
    },
    refusal::Refusal,
};
use serde::Deserialize;
use verdict_sessions::{MatchedCredential, Provider, Timestamp};
use zeroize::Zeroizing;

/// The paths of Veriff's webhooks. Any family may arrive on either.
const PATHS: [&str; 2] = ["/veriff/events", "/veriff/decisions"];

/// The signature's header and its alias.
const SIGNATURE: [&str; 2] = ["x-hmac-signature", "vrf-hmac-signature"];

/// The API key's header and its alias.
const API_KEY: [&str; 2] = ["x-auth-client", "vrf-auth-client"];

/// The form of the JSON, for messages.
const EXPECTED: &str = concat!(
    r#"{"secrets":["…"],"apiKeys":["…"],"allowedCidrs":["…"],"edgeHeader":{"x-…":["…"]}} "#,
    "(apiKeys, and allowedCidrs or edgeHeader are optional)"
);

/// The secrets that prove that Veriff sent a webhook, and the API keys that it may name.
#[derive(Debug)]
pub(super) struct Credentials {
    gate: Gate,
    /// Shared secrets, used literally: they look like UUIDs and are not decoded.
    secrets: Vec<Secret>,
    /// The API keys to accept; empty: any. An API key is public and proves nothing.
    api_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CredentialsJson {
    secrets: Vec<Zeroizing<String>>,
    #[serde(default)]
    api_keys: Vec<String>,
    #[serde(default, deserialize_with = "not_null")]
    allowed_cidrs: Option<Vec<String>>,
    #[serde(default, deserialize_with = "not_null")]
    edge_header: Option<SecretHeadersJson>,
}

impl Credentials {
    pub(super) fn from_json(json: &str) -> Result<Self, CredentialsError> {
        let CredentialsJson { secrets: texts, api_keys, allowed_cidrs, edge_header } = parse(json, EXPECTED)?;
        if let Some(blank) = api_keys.iter().position(|key| key.trim().is_empty()) {
            return Err(CredentialsError::Weak { member: "apiKeys", position: blank + 1, weakness: WeakSecret::Blank });
        }
        let gate = Gate::new(allowed_cidrs, edge_header, &[SIGNATURE, API_KEY].concat())?;
        Ok(Self { gate, secrets: secrets("secrets", texts)?, api_keys })
    }

    /// The secret that the body was signed with.
    fn vouch_for(&self, body: &[u8], signature: &[u8; 32]) -> Option<MatchedCredential> {
        first_match("secrets", &self.secrets, |secret| secret.signed(body, signature))
    }

    fn know(&self, api_key: Option<&str>) -> bool {
        self.api_keys.is_empty() || api_key.is_some_and(|key| self.api_keys.iter().any(|known| known == key))
    }
}

pub(super) fn prove(credentials: &Credentials, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
    let delivery = delivery.posted_to(&PATHS)?;
    credentials.gate.admit(&delivery)?;
    let signature = either(delivery.headers(), SIGNATURE, str::eq_ignore_ascii_case)
        .map_err(|Repeated| Refusal::SignatureRepeated)?
        .ok_or(Refusal::SignatureMissing)?;
    let digest = unhex(signature).ok_or(Refusal::SignatureMalformed)?;
    let secret = credentials.vouch_for(delivery.unproven_body(), &digest).ok_or(Refusal::SignatureMismatch)?;
    let matched = Matched::signed(signature, vec![secret]);
    let api_key = either(delivery.headers(), API_KEY, |a, b| a == b).map_err(|Repeated| Refusal::ApiKeyUnknown)?;
    if !credentials.know(api_key) {
        return Err(Refusal::ApiKeyUnknown);
    }
    Ok(delivery.proven(Provider::Veriff, now, matched))
}

/// A header under its name or its alias. If both are there, they must agree.
fn either<'h>(
    headers: &'h Headers,
    [name, alias]: [&str; 2],
    agree: impl Fn(&str, &str) -> bool,
) -> Result<Option<&'h str>, Repeated> {
    match (headers.only(name)?, headers.only(alias)?) {
        (Some(a), Some(b)) if !agree(a, b) => Err(Repeated),
        (a, b) => Ok(a.or(b)),
    }
}

/// Exactly 64 hex digits, in either case: Veriff sends lower case and accepts both itself.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(bytes)
}
