//! What each webhook means that Wultra prints, literally as printed (`printed/`).

use super::genuine::ARRIVAL;
use crate::printed::{events, summary};
use verdict_sessions::Provider;

/// By file: the session, and all that the event says of it.
const PRINTED: [(&str, &str); 5] = [
    (
        "DOCUMENT_VERIFICATION_FINISHED",
        "8b2dfae4-d955-4d8f-a95b-2d9c5a4b0e26, started, document:String passed [country=String \
         documentType=String processType=onboarding score=8], at 2026-04-23T14:30:00Z, reference \
         40405309-6406-4d6b-b4ef-642e52ac44f4, user 629199e8-aa0d-4fc0-911c-089d53e0f608",
    ),
    (
        "FINAL_DOCUMENT_VERIFICATION_FINISHED",
        "8b2dfae4-d955-4d8f-a95b-2d9c5a4b0e26, started, documents passed [documentId1=String \
         processType=onboarding], at 2026-04-23T14:30:00Z, reference 40405309-6406-4d6b-b4ef-642e52ac44f4, \
         user 629199e8-aa0d-4fc0-911c-089d53e0f608",
    ),
    (
        "PRESENCE_CHECK_FINISHED",
        "8b2dfae4-d955-4d8f-a95b-2d9c5a4b0e26, started, presence passed [processType=onboarding], at \
         2026-04-23T14:30:00Z, reference 40405309-6406-4d6b-b4ef-642e52ac44f4, user \
         629199e8-aa0d-4fc0-911c-089d53e0f608",
    ),
    (
        "PROCESS_FINISHED",
        "8b2dfae4-d955-4d8f-a95b-2d9c5a4b0e26, approved [processType=onboarding], at 2026-04-23T14:30:00Z, \
         reference 40405309-6406-4d6b-b4ef-642e52ac44f4, user 629199e8-aa0d-4fc0-911c-089d53e0f608",
    ),
    (
        "generic",
        "8b2dfae4-d955-4d8f-a95b-2d9c5a4b0e26, at 2026-04-23T14:30:00Z, reference \
         40405309-6406-4d6b-b4ef-642e52ac44f4, user 629199e8-aa0d-4fc0-911c-089d53e0f608, inconsistent",
    ),
];

#[test]
fn every_webhook_as_printed_says_what_the_contract_says() {
    let mut found = Vec::new();
    for (file, expected) in PRINTED {
        let event = events(Provider::Wultra, "/wultra/process/event", file, ARRIVAL)[0].clone();
        found.push((file, summary(&event), expected));
    }
    let wrong: Vec<_> = found.iter().filter(|(_, found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
