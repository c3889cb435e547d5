//! What each webhook means that Wultra prints, literally as printed (`printed/`).

use super::genuine::ARRIVAL;
use crate::printed::{events, summary};
use verdict_sessions::Provider;

/// By file: the session, and all that the event says of it.
const PRINTED: [(&str, &str); 5] = [
    ("DOCUMENT_VERIFICATION_FINISHED", ""),
    ("FINAL_DOCUMENT_VERIFICATION_FINISHED", ""),
    ("PRESENCE_CHECK_FINISHED", ""),
    ("PROCESS_FINISHED", ""),
    ("generic", ""),
];

#[test]
fn every_webhook_as_printed_says_what_the_contract_says() {
    let mut found = Vec::new();
    for (file, expected) in PRINTED {
        let event = events(Provider::Wultra, "/wultra/process/event", file, ARRIVAL)[0].clone();
        println!("{file}: {}", summary(&event));
        found.push((file, summary(&event), expected));
    }
    let wrong: Vec<_> = found.iter().filter(|(_, found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
