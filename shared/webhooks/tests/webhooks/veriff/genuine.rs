//! Genuine webhooks of Veriff's, for the tests of what is read from them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use verdict_sessions::Timestamp;
use verdict_webhooks::{Delivery, Genuine, Headers, Reading, Unreadable, WebhookSource, veriff::Veriff};

const SECRET: &str = "abcdef12-abcd-abcd-abcd-abcdef012345";

/// When all of them arrive.
pub(crate) const ARRIVAL: &str = "2026-06-13T00:40:00Z";

/// What a webhook of Veriff's says that was sent to `path`.
pub(crate) fn read_on(path: &str, body: impl AsRef<[u8]>) -> Result<Reading, Unreadable> {
    verdict_webhooks::read(&genuine_on(path, body))
}

/// A genuine webhook of Veriff's that was sent to `path`.
pub(crate) fn genuine_on(path: &str, body: impl AsRef<[u8]>) -> Genuine {
    let body = body.as_ref();
    let digest = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(body).finalize();
    let headers = Headers::from_iter([("x-hmac-signature", hex(&digest.into_bytes()))]);
    let delivery = Delivery::new("POST", path, headers, body.to_vec());
    veriff().prove(delivery, Timestamp::parse(ARRIVAL).unwrap()).unwrap()
}

fn veriff() -> Veriff {
    Veriff::from_json(&format!(r#"{{"secrets":["{SECRET}"]}}"#)).unwrap()
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
