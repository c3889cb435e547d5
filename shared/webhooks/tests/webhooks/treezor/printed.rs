//! What each webhook means that Treezor prints, literally as printed (`printed/`). They were redacted after they were
//! signed, so they are taken to be genuine.

use super::genuine::ARRIVAL;
use crate::printed::{events, summary};
use verdict_sessions::Provider;

/// By file: the session, and all that the event says of it.
const PRINTED: [(&str, &str); 19] = [
    ("document.cancel", ""),
    ("document.create", ""),
    ("document.update", ""),
    ("kycliveness.create", ""),
    ("kycliveness.update", ""),
    ("kycreview.request", ""),
    ("kycreview.result", ""),
    ("qes.aborted", ""),
    ("qes.created", ""),
    ("qes.finalized.CANCELED", ""),
    ("qes.finalized.SUCCESS_DATA_CHANGED", ""),
    ("qes.processing", ""),
    ("user.kycrequest", ""),
    ("user.kycreview", ""),
    ("videoConference.aborted", ""),
    ("videoConference.created", ""),
    ("videoConference.finalized.CANCELED", ""),
    ("videoConference.finalized.SUCCESS_DATA_CHANGED", ""),
    ("videoConference.processing", ""),
];

#[test]
fn every_webhook_as_printed_says_what_the_contract_says() {
    let mut found = Vec::new();
    for (file, expected) in PRINTED {
        let event = <[_; 1]>::try_from(events(Provider::Treezor, "/treezor", file, ARRIVAL)).expect(file)[0].clone();
        println!("{file}: {}", summary(&event));
        found.push((file, summary(&event), expected));
    }
    let wrong: Vec<_> = found.iter().filter(|(_, found, expected)| found != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
