//! Is it genuine? HMAC-SHA256 over the payload's canonical form, in base64, beside the payload; a token in the URL.

use super::{
    canonical::canonical,
    envelope::{Envelope, text},
    payload::Shape,
};
use crate::{
    delivery::{Delivery, Genuine, Repeated},
    proving::{
        credentials::{CredentialsError, list, not_null, parse, secrets},
        secret::{self, Secret},
    },
    reading::{json::Json, probe::is_probe, unreadable::Unreadable},
    refusal::Refusal,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use verdict_sessions::{Provider, Timestamp};
use zeroize::Zeroizing;

/// Where Treezor's webhooks go.
const PATH: &str = "/treezor";

/// The parameter of the URL that holds a token.
const URL_TOKEN: &str = "token";

/// The header and the values of the transport's own calls.
const MESSAGE_TYPE: &str = "x-amz-sns-message-type";
const CALLS: [(&str, Unreadable); 2] = [
    ("SubscriptionConfirmation", Unreadable::SubscriptionConfirmation),
    ("UnsubscribeConfirmation", Unreadable::UnsubscribeConfirmation),
];

/// The beginning of the names of the only webhooks that Treezor is known to send without a signature.
const UNSIGNED: &str = "kycreview.";

/// The secrets that prove that Treezor sent a webhook.
#[derive(Debug)]
pub(super) struct Credentials {
    /// Shared secrets, used literally.
    secrets: Vec<Secret>,
    /// One of these must be in the URL; empty: the URL needs none.
    url_tokens: Vec<Secret>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CredentialsJson {
    secrets: Vec<Zeroizing<String>>,
    #[serde(default, deserialize_with = "not_null")]
    url_tokens: Option<Vec<Zeroizing<String>>>,
}

impl Credentials {
    pub(super) fn from_json(json: &str) -> Result<Self, CredentialsError> {
        let CredentialsJson { secrets: texts, url_tokens } =
            parse(json, r#"{"secrets":["…"],"urlTokens":["…"]} (urlTokens optional)"#)?;
        let url_tokens =
            url_tokens.map_or(Ok(Vec::new()), |tokens| list("urlTokens", tokens, |token| Secret::in_url(&token)))?;
        Ok(Self { secrets: secrets("secrets", texts)?, url_tokens })
    }

    fn vouch_for(&self, message: &str, signature: &[u8; 32]) -> bool {
        self.secrets.iter().any(|secret| secret.signed(message.as_bytes(), signature))
    }

    /// If tokens are configured, the URL must hold one of them, whatever else proves the webhook.
    fn admit(&self, delivery: &Delivery) -> Result<(), Refusal> {
        if self.url_tokens.is_empty() {
            return Ok(());
        }
        let token = delivery
            .only_parameter(URL_TOKEN)
            .map_err(|Repeated| Refusal::UrlTokenRepeated)?
            .ok_or(Refusal::UrlTokenMissing)?;
        secret::any_is(&self.url_tokens, token).then_some(()).ok_or(Refusal::UrlTokenMismatch)
    }

    /// Treezor prints its payloads both in the form that it signs and in others, so either may be what was signed.
    fn verify(&self, payload: &str, signature: &str) -> Result<(), Refusal> {
        let signature = digest(signature).ok_or(Refusal::SignatureMalformed)?;
        let signed = self.vouch_for(payload, &signature) || self.vouch_for(&canonical(payload), &signature);
        signed.then_some(()).ok_or(Refusal::SignatureMismatch)
    }

    /// A review may come without a signature if a token in the URL has proved its sender. The name isn't enough: the
    /// payload must be a review too, and nothing that only a signature could vouch for.
    fn accept_unsigned(&self, envelope: &Envelope<'_>, payload: &str) -> Result<(), Refusal> {
        let is_review = || {
            envelope.text("webhook").is_some_and(|name| name.starts_with(UNSIGNED))
                && Json::parse(payload.as_bytes()).and_then(|json| Shape::of(&json)) == Ok(Shape::Review)
        };
        (!self.url_tokens.is_empty() && is_review()).then_some(()).ok_or(Refusal::SignatureMissing)
    }
}

pub(super) fn prove(credentials: &Credentials, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
    let delivery = delivery.posted_to(&[PATH])?;
    credentials.admit(&delivery)?;
    let envelope = Envelope::find(delivery.unproven_body());
    // Only a token in the URL proves its sender.
    if let Some(call) = call(&delivery, &envelope).filter(|_| !credentials.url_tokens.is_empty()) {
        return Ok(delivery.proven_call(Provider::Treezor, now, call));
    }
    let envelope = envelope.map_err(|_| Refusal::EnvelopeUnreadable)?;
    let payload = envelope.member("object_payload").ok_or(Refusal::EnvelopeUnreadable)?;
    match envelope.member("object_payload_signature") {
        Some(signature) => credentials.verify(payload, signature)?,
        None => credentials.accept_unsigned(&envelope, payload)?,
    }
    let is_probe = is_probe(payload.as_bytes());
    Ok(delivery.proven_in_part(Provider::Treezor, now, is_probe))
}

/// A call of the transport's: one comes before a subscription's first webhook, one when the subscription ends. Their
/// form is not public: a header or a member of the body says what they are. What holds a payload is a webhook, whatever
/// else it says.
fn call(delivery: &Delivery, envelope: &Result<Envelope<'_>, Unreadable>) -> Option<Unreadable> {
    let named = |message: &str| CALLS.into_iter().find(|(name, _)| *name == message).map(|(_, call)| call);
    let by_header = || named(delivery.headers().only(MESSAGE_TYPE).ok().flatten()?);
    match envelope {
        Ok(envelope) if envelope.member("object_payload").is_some() => None,
        Ok(envelope) => envelope.text("Type").and_then(|message| named(&message)).or_else(by_header),
        Err(_) => {
            let payload = b"object_payload";
            by_header().filter(|_| !delivery.unproven_body().windows(payload.len()).any(|bytes| bytes == payload))
        }
    }
}

/// The digest that a signature holds, in base64 the way its one encoder writes it.
fn digest(signature: &str) -> Option<[u8; 32]> {
    BASE64_STANDARD.decode(&*text(signature)?).ok()?.try_into().ok()
}
