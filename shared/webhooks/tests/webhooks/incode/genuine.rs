//! Genuine webhooks of Incode's, for the tests of what is read from them.

use verdict_sessions::{SessionEvent, Timestamp};
use verdict_webhooks::{Delivery, Headers, Reading, Unreadable, WebhookSource, incode::Incode};

const SECRET: &str = "u7Qm-3vXf-9LpZ-static-header";

/// When all of them arrive.
pub(crate) const ARRIVAL: &str = "2026-06-13T00:40:00Z";

/// What a webhook of Incode's says that was sent to `/incode/{segment}`.
pub(crate) fn read_on(segment: &str, body: impl AsRef<[u8]>) -> Result<Reading, Unreadable> {
    let headers = Headers::from_iter([("x-incode-secret", SECRET)]);
    let incode = Incode::from_json(&format!(r#"{{"headers":{{"x-incode-secret":["{SECRET}"]}}}}"#)).unwrap();
    let delivery = Delivery::new("POST", format!("/incode/{segment}"), headers, body.as_ref().to_vec());
    verdict_webhooks::read(&incode.prove(delivery, time(ARRIVAL)).unwrap())
}

/// The one event that a webhook is, and what is stored of the webhook.
pub(crate) fn event_and_payload_on(segment: &str, body: impl AsRef<[u8]>) -> (SessionEvent, String) {
    match read_on(segment, body) {
        Ok(Reading::Events { events, parts }) => {
            (<[_; 1]>::try_from(events).expect("one event")[0].clone(), parts[0].payload.clone())
        }
        other => panic!("{segment}: {other:?}"),
    }
}

/// The one event that a webhook is.
pub(crate) fn event_on(segment: &str, body: impl AsRef<[u8]>) -> SessionEvent {
    event_and_payload_on(segment, body).0
}

pub(crate) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}
