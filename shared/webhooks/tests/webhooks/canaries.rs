//! Canaries: words in the place of each member of each webhook. None gets where codes and numbers go: into a detail or a
//! reason code of a check or a decision, into a remark, or into an event's name. Consumers and logs get those.

use crate::known_ids::{printed, samples};
use serde_json::{Value, json};
use verdict_sessions::{Provider, SessionEvent, SessionId, SessionKey, Timestamp};
use verdict_webhooks::{
    Genuine, Part, Reading,
    incode::{Finding, SCORE_PATH},
    read, read_again, sha256_hex,
};

const CANARY: &str = "Canary Person";

fn arrival() -> Timestamp {
    Timestamp::parse("2026-06-13T00:40:00Z").unwrap()
}

fn events(provider: Provider, path: &str, body: &Value) -> Vec<SessionEvent> {
    let body = body.to_string().into_bytes();
    let digest = sha256_hex(&body);
    match read(&Genuine::from_our_queue(provider, path.to_owned(), arrival(), body, digest)) {
        Ok(Reading::Events { events, parts }) => {
            for (event, Part { payload, .. }) in events.iter().zip(&parts) {
                let again = read_again(event, path, payload);
                assert_eq!(again, Ok(Some(event.clone())), "what is stored gives another event: {payload}");
            }
            events
        }
        _ => Vec::new(),
    }
}

/// The document with each of its values replaced once: every leaf, and every list or object as a whole.
fn with_canaries(document: &Value, canary: &Value) -> Vec<Value> {
    let inside = match document {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| with_canaries(value, canary).into_iter().map(move |value| (name, value)))
            .map(|(name, value)| {
                let mut changed = document.clone();
                changed[name] = value;
                changed
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, value)| with_canaries(value, canary).into_iter().map(move |value| (index, value)))
            .map(|(index, value)| {
                let mut changed = document.clone();
                changed[index] = value;
                changed
            })
            .collect(),
        _ => Vec::new(),
    };
    inside.into_iter().chain([canary.clone()]).collect()
}

/// The parts of an event that leave the table, except ids and references; the names of documents' checks are made of ids.
fn leaves(event: &SessionEvent) -> String {
    let decision = event.decision.as_ref().map(|decision| (decision.all_reason_codes(), &decision.detail));
    let checks: Vec<_> = event
        .checks
        .iter()
        .map(|(name, check)| {
            (name.starts_with("document:") || !name.contains(CANARY), &check.reason_codes, &check.detail)
        })
        .collect();
    assert!(checks.iter().all(|(is_plain, ..)| *is_plain), "{checks:?}");
    format!("{} {decision:?} {checks:?} {:?}", event.name, event.remarks)
}

/// The details that an event shows. Veriff's `reason` and `state` are opaque texts of its own, and shown as they are.
fn shown(event: &SessionEvent) -> String {
    let details = event.detail.iter().filter(|(name, _)| !matches!(name.as_str(), "reason" | "state"));
    format!("{:?}", details.collect::<Vec<_>>())
}

/// Checks one webhook with each of its values replaced, and returns how many events were read.
fn check(provider: Provider, (name, (path, body)): (String, (String, Vec<u8>)), canary: &Value) -> usize {
    let Ok(document) = serde_json::from_slice::<Value>(&body) else { return 0 };
    let changed = with_canaries(&document, canary);
    let events: Vec<_> = changed.iter().flat_map(|changed| events(provider, &path, changed)).collect();
    for event in &events {
        assert!(!leaves(event).contains("Canary"), "{name}: {event:?}");
        assert!(!shown(event).contains("Canary"), "{name}: {event:?}");
    }
    events.len()
}

#[test]
fn no_word_in_any_member_gets_where_codes_go() {
    let (text, object) = (json!(CANARY), json!({"name": [CANARY]}));
    let mut read = 0;
    for provider in Provider::ALL {
        read += samples(provider).into_iter().map(|sample| check(provider, sample, &text)).sum::<usize>();
        for canary in [&text, &object] {
            read += printed(provider).into_iter().map(|webhook| check(provider, webhook, canary)).sum::<usize>();
        }
    }
    assert!(read > 3000, "{read}");
}

#[test]
fn no_word_in_a_score_gets_where_codes_go() {
    let session = SessionKey { provider: Provider::Incode, session_id: SessionId::new("s").unwrap() };
    let score = json!({"overall": {"status": "FAIL", "value": "61.0"}, "reasonMsg": "x",
        "idValidation": {"photoSecurityAndQuality": [{"value": "0", "status": "FAIL", "key": "tamperCheck"}],
            "appliedRule": {"name": "x", "status": "FAIL"}, "overall": {"value": "40.0", "status": "FAIL", "key": null}},
        "idOcrConfidence": {"overallConfidence": {"value": "98.0", "status": "OK", "key": null}},
        "section2027": {"overall": {"status": "WARN"}}});
    for canary in [json!(CANARY), json!([CANARY]), json!({"name": CANARY})] {
        for changed in with_canaries(&score, &canary) {
            let Ok(Finding { event: Some(event), payload, .. }) =
                Finding::of_score(&session, changed.to_string().as_bytes(), arrival())
            else {
                continue;
            };
            assert!(!leaves(&event).contains("Canary") && !shown(&event).contains("Canary"), "{event:?}");
            assert_eq!(read_again(&event, SCORE_PATH, &payload), Ok(Some(event.clone())), "{payload}");
        }
    }
}
