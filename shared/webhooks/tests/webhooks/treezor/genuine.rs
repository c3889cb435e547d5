//! Genuine webhooks of Treezor's, for the tests of what is read from them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use verdict_sessions::Timestamp;
use verdict_webhooks::{Delivery, Headers, Reading, Unreadable, WebhookSource, treezor::Treezor};

const SECRET: &str = "treezor-webhook-key-4f7c1d92a6b3e8055";
const TOKEN: &str = "url-token-6d1f0a94c27be8354f7c1d92a6b3e805";

/// When all of them arrive.
pub(crate) const ARRIVAL: &str = "2026-06-13T00:40:00Z";

/// What a webhook says that comes with the right token in its URL.
pub(crate) fn read(body: impl AsRef<[u8]>) -> Result<Reading, Unreadable> {
    let treezor = Treezor::from_json(&format!(r#"{{"secrets":["{SECRET}"],"urlTokens":["{TOKEN}"]}}"#)).unwrap();
    let delivery = Delivery::new("POST", "/treezor", Headers::default(), body.as_ref().to_vec())
        .with_query(vec![("token".into(), TOKEN.into())]);
    verdict_webhooks::read(&treezor.prove(delivery, Timestamp::parse(ARRIVAL).unwrap()).unwrap())
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
