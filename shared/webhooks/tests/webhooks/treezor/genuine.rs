//! Genuine webhooks of Treezor's, for the tests of what is read from them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use verdict_sessions::Timestamp;
use verdict_webhooks::{Delivery, Genuine, Headers, Reading, Refusal, Unreadable, WebhookSource, treezor::Treezor};

const SECRET: &str = "treezor-webhook-key-4f7c1d92a6b3e8055";
const TOKEN: &str = "url-token-6d1f0a94c27be8354f7c1d92a6b3e805";

/// When all of them arrive.
pub(crate) const ARRIVAL: &str = "2026-06-13T00:40:00Z";

/// A webhook that comes with the right token in its URL, where reviews may come without a signature.
pub(crate) fn genuine(body: impl AsRef<[u8]>) -> Genuine {
    proved(body).unwrap()
}

/// The same, if it is one.
pub(crate) fn proved(body: impl AsRef<[u8]>) -> Result<Genuine, Refusal> {
    let credentials = format!(r#"{{"secrets":["{SECRET}"],"urlTokens":["{TOKEN}"],"unsignedReviews":true}}"#);
    let treezor = Treezor::from_json(&credentials).unwrap();
    let delivery = Delivery::new("POST", "/treezor", Headers::default(), body.as_ref().to_vec())
        .with_query(vec![("token".into(), TOKEN.into())]);
    treezor.prove(delivery, Timestamp::parse(ARRIVAL).unwrap())
}

/// What such a webhook says.
pub(crate) fn read(body: impl AsRef<[u8]>) -> Result<Reading, Unreadable> {
    verdict_webhooks::read(&genuine(body))
}

/// A flat envelope around a payload, which is signed as it stands. `members` are written before it.
pub(crate) fn signed(members: &str, payload: &str) -> String {
    let signature = signature(payload);
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{{members}{comma}"object_payload":{payload},"object_payload_signature":"{signature}"}}"#)
}

/// The signature of a payload as it stands.
pub(crate) fn signature(payload: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(payload);
    STANDARD.encode(mac.finalize().into_bytes())
}
