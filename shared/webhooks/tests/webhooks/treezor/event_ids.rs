//! Which webhooks of Treezor's are the same fact, so that a copy is known for one.

use super::genuine::{read, signature, signed};
use std::collections::BTreeSet;
use verdict_webhooks::{Reading, treezor::canonical};

const ENVELOPE: &str =
    r#""webhook":"qes.finalized","webhook_id":"w","webhook_created_at":17194726044907,"object_id":"t""#;
const PAYLOAD: &str =
    r#"{"userId":"7","result":"SUCCESS","transactionNumber":"t","issuingPlace":"K\u00d6LN \/ DE","score":1.0}"#;

fn ids(body: &str) -> Vec<String> {
    match read(body) {
        Ok(Reading::Events { events, .. }) => events.iter().map(|event| event.event_id.to_string()).collect(),
        other => panic!("{body}: {other:?}"),
    }
}

/// The id of the one event that a webhook is.
fn only(body: &str) -> String {
    <[_; 1]>::try_from(ids(body)).expect("one event")[0].clone()
}

fn id(envelope: &str, payload: &str) -> String {
    only(&signed(envelope, payload))
}

/// All of them name facts of their own.
fn assert_all_differ(ids: impl IntoIterator<Item = String>) {
    let ids: Vec<String> = ids.into_iter().collect();
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:#?}");
}

#[test]
fn a_payload_spelled_anew_is_the_same_fact() {
    let first = id(ENVELOPE, PAYLOAD);
    for copy in [
        PAYLOAD.replace(r"K\u00d6LN \/ DE", "KÖLN / DE"),
        PAYLOAD.replace(r"\u00d6", r"\u00D6"),
        PAYLOAD.replace(',', " ,\n ").replace(':', " : "),
        PAYLOAD.replace("userId", r"user\u0049d"),
    ] {
        assert_eq!(canonical(&copy), PAYLOAD, "{copy}");
        assert_eq!(id(ENVELOPE, &copy), first, "{copy}");
    }
}

#[test]
fn what_surrounds_a_payload_makes_no_other_fact() {
    let first = id(ENVELOPE, PAYLOAD);
    for envelope in [
        ENVELOPE.replace("17194726044907", "\"1719472604\""),
        ENVELOPE.replace(r#","object_id":"t""#, ""),
        ENVELOPE.replace(r#""webhook_id":"w""#, r#" "webhook_\u0069d" : "\u0077","new":1 "#),
    ] {
        assert_eq!(id(&envelope, PAYLOAD), first, "{envelope}");
    }
    let flat = signed(ENVELOPE, PAYLOAD);
    assert_eq!(only(&format!(r#"{{"webhookId":"another","webhook":{flat}}}"#)), first);
    let bare = signed(&ENVELOPE.replace(r#""webhook_id":"w","#, ""), PAYLOAD);
    assert_eq!(only(&format!(r#"{{"webhookId":"w","webhook":{bare}}}"#)), first);
    let re_signed = flat.replace(&signature(PAYLOAD), &signature(PAYLOAD).replace('/', "\\/"));
    assert_eq!(only(&re_signed), first);
}

#[test]
fn name_webhook_and_payload_make_another_fact_each() {
    assert_all_differ([
        id(ENVELOPE, PAYLOAD),
        id(&ENVELOPE.replace(r#""w""#, r#""w2""#), PAYLOAD),
        id(&ENVELOPE.replace(r#""webhook_id":"w","#, ""), PAYLOAD),
        id(&ENVELOPE.replace("qes", "videoConference"), PAYLOAD),
        id(&ENVELOPE.replace("finalized", "sample"), PAYLOAD),
        id(&ENVELOPE.replace(r#""webhook":"qes.finalized","#, ""), PAYLOAD),
        id(ENVELOPE, &PAYLOAD.replace("SUCCESS", "ABORTED")),
        id(ENVELOPE, &PAYLOAD.replace("1.0", "1")),
        id(ENVELOPE, &PAYLOAD.replace(":1.0", ":\"1.0\"")),
        id(ENVELOPE, &PAYLOAD.replace("DE", "DE ")),
        id(ENVELOPE, &PAYLOAD.replace('}', ",\"new\":[]}")),
        id(ENVELOPE, &PAYLOAD.replace('}', ",\"new\":{}}")),
        id(ENVELOPE, &PAYLOAD.replace(r#""userId":"7","result":"SUCCESS""#, r#""result":"SUCCESS","userId":"7""#)),
    ]);
}

#[test]
fn a_blank_webhook_id_is_none() {
    let without = id(&ENVELOPE.replace(r#""webhook_id":"w","#, ""), PAYLOAD);
    for blank in ["\"\"", "\" \"", "null", "{}"] {
        assert_eq!(id(&ENVELOPE.replace(r#""w""#, blank), PAYLOAD), without, "{blank}");
    }
}

#[test]
fn a_webhook_stored_and_read_again_is_the_same_fact() {
    let photo = "QUJD".repeat(200);
    let payload = PAYLOAD.replace('}', &format!(r#","photo":"{photo}","accessToken":"canary"}}"#));
    let body = signed(ENVELOPE, &payload);
    let Ok(Reading::Events { events, payload: stored }) = read(&body) else { panic!("unreadable") };
    assert!(!stored.contains(&photo) && !stored.contains("canary"));
    let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    // What is stored was genuine once; signed again, so that it is here.
    let kept = stored["object_payload"].as_object().unwrap();
    let order = ["userId", "result", "transactionNumber", "issuingPlace", "score", "photo"];
    let photo = &kept["photo"];
    let photo = format!(r#"{{"kind":{},"bytes":{},"sha256":{}}}"#, photo["kind"], photo["bytes"], photo["sha256"]);
    assert_eq!(kept.len(), order.len());
    let again = PAYLOAD.replace('}', &format!(r#","photo":{photo}}}"#));
    assert_eq!(id(ENVELOPE, &again), events[0].event_id.to_string());
}

#[test]
fn several_subjects_of_a_webhook_are_facts_of_their_own() {
    let user = r#"{"userId":"7","kycReview":"2"}"#;
    let events = |payload: &str| ids(&signed(r#""webhook":"user.kycreview","webhook_id":"w""#, payload));
    let three = events(&format!(r#"{{"users":[{user},{user},{user}]}}"#));
    assert_eq!(three.len(), 3);
    assert_all_differ(three.into_iter().chain(events(&format!(r#"{{"users":[{user}]}}"#))));
}

#[test]
fn ids_are_short_and_plain_whatever_the_parts_are() {
    let long = "🔑".repeat(250);
    let envelope = format!(r#""webhook":"qes.{long}","webhook_id":"{long}","object_id":"\u0000""#);
    let id = id(&envelope, &PAYLOAD.replace("\"t\"", &format!("\"{long}\"")));
    let (digest, position) = id.split_once(':').unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(position, "1");
}
