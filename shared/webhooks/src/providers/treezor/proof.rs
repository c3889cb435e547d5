//! Is it genuine? HMAC-SHA256 over the payload's canonical form, in base64, beside the payload; a token in the URL.

use super::{
    canonical::canonical,
    envelope::{Envelope, text},
    payload::{Shape, object_id},
};
use crate::{
    delivery::{Delivery, Genuine, Matched, Repeated},
    proving::{
        credentials::{CredentialsError, list, not_null, parse, secrets},
        gate::Gate,
        secret::{Secret, first_match},
        secret_headers::SecretHeadersJson,
    },
    reading::{json::Json, probe::is_probe, unreadable::Unreadable},
    refusal::Refusal,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use verdict_sessions::{MatchedCredential, Provider, SessionId, Timestamp};
use zeroize::Zeroizing;

/// The path of Treezor's webhooks.
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

/// The form of the JSON, for messages.
const EXPECTED: &str = concat!(
    r#"{"secrets":["…"],"urlTokens":["…"],"unsignedReviews":false,"allowedCidrs":["…"],"edgeHeader":{"x-…":["…"]}} "#,
    "(urlTokens, unsignedReviews, and allowedCidrs or edgeHeader are optional)"
);

/// The secrets that prove that Treezor sent a webhook.
#[derive(Debug)]
pub(super) struct Credentials {
    gate: Gate,
    /// Shared secrets, used literally.
    secrets: Vec<Secret>,
    /// One of these must be in the URL; empty: the URL needs none.
    url_tokens: Vec<Secret>,
    /// True if a review may come without a signature. A sender who knows a token of the URL can then approve any user.
    unsigned_reviews: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CredentialsJson {
    secrets: Vec<Zeroizing<String>>,
    #[serde(default, deserialize_with = "not_null")]
    url_tokens: Option<Vec<Zeroizing<String>>>,
    #[serde(default)]
    unsigned_reviews: bool,
    #[serde(default, deserialize_with = "not_null")]
    allowed_cidrs: Option<Vec<String>>,
    #[serde(default, deserialize_with = "not_null")]
    edge_header: Option<SecretHeadersJson>,
}

impl Credentials {
    pub(super) fn from_json(json: &str) -> Result<Self, CredentialsError> {
        let CredentialsJson { secrets: texts, url_tokens, unsigned_reviews, allowed_cidrs, edge_header } =
            parse(json, EXPECTED)?;
        let url_tokens =
            url_tokens.map_or(Ok(Vec::new()), |tokens| list("urlTokens", tokens, |token| Secret::in_url(&token)))?;
        if unsigned_reviews && url_tokens.is_empty() {
            return Err(CredentialsError::UnsignedWithoutToken);
        }
        let gate = Gate::new(allowed_cidrs, edge_header, &[MESSAGE_TYPE])?;
        Ok(Self { gate, secrets: secrets("secrets", texts)?, url_tokens, unsigned_reviews })
    }

    /// The secret that the message was signed with.
    fn vouch_for(&self, message: &str, signature: &[u8; 32]) -> Option<MatchedCredential> {
        first_match("secrets", &self.secrets, |secret| secret.signed(message.as_bytes(), signature))
    }

    /// If tokens are configured, the URL must hold one of them, whatever else proves the webhook.
    fn admit(&self, delivery: &Delivery) -> Result<Option<MatchedCredential>, Refusal> {
        if self.url_tokens.is_empty() {
            return Ok(None);
        }
        let token = delivery
            .only_parameter(URL_TOKEN)
            .map_err(|Repeated| Refusal::UrlTokenRepeated)?
            .ok_or(Refusal::UrlTokenMissing)?;
        let matched = first_match("urlTokens", &self.url_tokens, |known| known.is(token));
        matched.map(Some).ok_or(Refusal::UrlTokenMismatch)
    }

    /// Treezor prints its payloads both in the form that it signs and in others, so either may be what was signed.
    /// Only JSON has another form: `1 0` is none, although it would come to the same as `10`.
    fn verify(&self, payload: &str, signature: &str) -> Result<MatchedCredential, Refusal> {
        let signature = digest(signature).ok_or(Refusal::SignatureMalformed)?;
        let in_canonical_form = || self.vouch_for(&canonical(payload), &signature).filter(|_| may_be_json(payload));
        self.vouch_for(payload, &signature).or_else(in_canonical_form).ok_or(Refusal::SignatureMismatch)
    }

    /// A review may come without a signature if the operator has asked for it: then the token in the URL is all that
    /// proves its sender. The name isn't enough: the payload must be a review too, and nothing that only a signature
    /// could vouch for.
    fn accept_unsigned(&self, envelope: &Envelope<'_>, payload: &str) -> Result<(), Refusal> {
        let is_review = || {
            envelope.text("webhook").is_some_and(|name| name.starts_with(UNSIGNED))
                && Json::parse(payload.as_bytes()).and_then(|json| Shape::of(&json)) == Ok(Shape::Review)
        };
        (self.unsigned_reviews && is_review()).then_some(()).ok_or(Refusal::SignatureMissing)
    }
}

pub(super) fn prove(credentials: &Credentials, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
    let delivery = delivery.posted_to(&[PATH])?;
    credentials.gate.admit(&delivery)?;
    let url_token = credentials.admit(&delivery)?;
    let envelope = Envelope::find(delivery.unproven_body());
    // Only a token in the URL proves its sender.
    if let Some(call) = call(&delivery, &envelope).filter(|_| !credentials.url_tokens.is_empty()) {
        let matched = Matched::unsigned(url_token.into_iter().collect());
        return Ok(delivery.proven_call(Provider::Treezor, now, matched, call));
    }
    let envelope = envelope.map_err(|_| Refusal::EnvelopeUnreadable)?;
    let payload = envelope.member("object_payload").ok_or(Refusal::EnvelopeUnreadable)?;
    let matched = if let Some(written) = envelope.member("object_payload_signature") {
        let signature = text(written).ok_or(Refusal::SignatureMalformed)?;
        let secret = credentials.verify(payload, &signature)?;
        Matched::signed(signature, [Some(secret), url_token].into_iter().flatten().collect())
    } else {
        credentials.accept_unsigned(&envelope, payload)?;
        Matched::unsigned(url_token.into_iter().collect())
    };
    if !names_its_session(&envelope, payload) {
        return Err(Refusal::EnvelopeUnreadable);
    }
    let is_probe = is_probe(payload.as_bytes());
    Ok(delivery.proven_in_part(Provider::Treezor, now, matched, is_probe))
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

/// Returns false if neither an identification's payload nor its envelope says which one it is. Such a webhook isn't
/// kept for an operator: nothing that is signed is missing, and who has captured one could send it without end.
fn names_its_session(envelope: &Envelope<'_>, payload: &str) -> bool {
    let Ok(payload) = Json::parse(payload.as_bytes()) else { return true };
    let is_signed = match Shape::of(&payload) {
        Ok(Shape::Liveness) => false,
        Ok(Shape::Identification) => !matches!(object_id(&payload, Shape::Identification), Ok(None)),
        _ => true,
    };
    is_signed || envelope.member("object_id").is_some_and(is_usable)
}

/// Returns whether a value can be the id of an identification.
fn is_usable(value: &str) -> bool {
    let Ok(value) = Json::parse(value.as_bytes()) else { return false };
    let is_unicode = if let Json::String(text) = &value { text.is_unicode() } else { true };
    value
        .text()
        .is_some_and(|id| is_unicode && !id.trim().is_empty() && SessionId::new(format!("identification:{id}")).is_ok())
}

/// Returns false of a text that isn't JSON. One that is nested too deeply to be read, or holds too many values, may
/// be, and is kept for an operator.
fn may_be_json(text: &str) -> bool {
    matches!(Json::parse(text.as_bytes()), Ok(_) | Err(Unreadable::TooDeep | Unreadable::TooManyValues))
}

/// The digest that a signature holds, in base64 the way its one encoder writes it.
fn digest(signature: &str) -> Option<[u8; 32]> {
    BASE64_STANDARD.decode(signature).ok()?.try_into().ok()
}
