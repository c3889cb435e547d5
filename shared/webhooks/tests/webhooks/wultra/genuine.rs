//! Genuine webhooks of Wultra's, for the tests of what is read from them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use verdict_sessions::Timestamp;
use verdict_webhooks::{Delivery, Headers, Reading, Unreadable, WebhookSource, wultra::Wultra};

const PASSWORD: &str = "b1946ac9-2cf2-4f2e-a1d0-6f3c5e8d7a42";

/// When all of them arrive.
pub(crate) const ARRIVAL: &str = "2026-06-13T00:40:00Z";

/// What a webhook of Wultra's says.
pub(crate) fn read(body: impl AsRef<[u8]>) -> Result<Reading, Unreadable> {
    let headers =
        Headers::from_iter([("authorization", format!("Basic {}", STANDARD.encode(format!("wultra:{PASSWORD}"))))]);
    let wultra =
        Wultra::from_json(&format!(r#"{{"basic":[{{"username":"wultra","password":"{PASSWORD}"}}]}}"#)).unwrap();
    let delivery = Delivery::new("POST", "/wultra/process/event", headers, body.as_ref().to_vec());
    verdict_webhooks::read(&wultra.prove(delivery, Timestamp::parse(ARRIVAL).unwrap()).unwrap())
}
