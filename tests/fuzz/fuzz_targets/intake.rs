//! A message on intake: anything at all, and anything that Verdict might have written.
#![no_main]

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use std::io::Write as _;
use verdict_fuzz::{arrival, record, request::Request};
use verdict_pipeline::IntakeMessage;
use verdict_sessions::Provider;
use verdict_webhooks::{Genuine, Reading, read, sha256_hex};

fuzz_target!(|input: &[u8]| {
    match str::from_utf8(input).map(IntakeMessage::read) {
        Ok(Ok(message)) => check(message),
        _ => check_queued(&Request::parse(input)),
    }
});

fn check(message: IntakeMessage) {
    let written = serde_json::to_string(&message).expect("JSON");
    let again = IntakeMessage::read(&written).expect("what was read can be written and read");
    assert_eq!(serde_json::to_string(&again).expect("JSON"), written);
    match message {
        IntakeMessage::Webhook(queued) => {
            if let Ok(genuine) = queued.restore() {
                check_reading(&genuine);
            }
        }
        IntakeMessage::Rebuild(rebuild) => record::check_stored(&rebuild.session),
    }
}

/// A webhook of the provider that the method names, as it is queued.
fn check_queued(request: &Request) {
    let provider = request.method.parse().unwrap_or(Provider::Treezor);
    let message = json!({"kind": "webhook", "provider": provider, "path": request.path, "receivedAt": arrival(),
        "bytes": request.body.len(), "sha256": sha256_hex(&request.body), "encoding": "gzip+base64",
        "body": BASE64_STANDARD.encode(gzip(&request.body))});
    let Ok(IntakeMessage::Webhook(queued)) = IntakeMessage::read(&message.to_string()) else { panic!("{message}") };
    let genuine = queued.restore().expect("what we have queued");
    assert_eq!((genuine.provider(), genuine.received_at()), (provider, arrival()));
    assert_eq!((genuine.path(), genuine.body()), (&*request.path, &*request.body));
    check_reading(&genuine);
}

fn check_reading(genuine: &Genuine) {
    if let Ok(Reading::Events { events, .. }) = read(genuine) {
        assert!(events.iter().all(|event| event.session.provider == genuine.provider()));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).expect("into memory");
    encoder.finish().expect("into memory")
}
