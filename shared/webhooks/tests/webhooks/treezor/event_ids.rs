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
        ENVELOPE.replace(r#""t""#, r#""u""#),
        ENVELOPE.replace(r#""webhook_id":"w""#, r#" "webhook_\u0069d" : "\u0077","new":1 "#),
        ENVELOPE.replace(r#""w""#, r#""w2""#),
        ENVELOPE.replace(r#""webhook_id":"w","#, ""),
        ENVELOPE.replace(r#""w""#, r#"{"any":["thing"]}"#),
        ENVELOPE.replace("finalized", "sample"),
        ENVELOPE.replace("qes", "videoConference"),
        ENVELOPE.replace("qes.finalized", "user.kycreview"),
        ENVELOPE.replace("qes.finalized", "kycliveness.update"),
        ENVELOPE.replace(r#""webhook":"qes.finalized","#, ""),
        ENVELOPE.replace(r#""qes.finalized""#, "[1]"),
    ] {
        assert_eq!(id(&envelope, PAYLOAD), first, "{envelope}");
    }
    let flat = signed(ENVELOPE, PAYLOAD);
    assert_eq!(only(&format!(r#"{{"webhookId":"another","webhook":{flat},"messageId":"m","clientId":[]}}"#)), first);
    let re_signed = flat.replace(&signature(PAYLOAD), &signature(PAYLOAD).replace('/', "\\/"));
    assert_eq!(only(&re_signed), first);
}

#[test]
fn each_payload_makes_another_fact() {
    assert_all_differ([
        id(ENVELOPE, PAYLOAD),
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
fn a_webhook_stored_and_read_again_is_the_same_fact() {
    let photo = "QUJD".repeat(200);
    let payload = PAYLOAD.replace('}', &format!(r#","photo":"{photo}","accessToken":"canary"}}"#));
    let body = signed(ENVELOPE, &payload);
    let Ok(Reading::Events { events, parts }) = read(&body) else { panic!("unreadable") };
    let stored = &parts[0].payload;
    assert!(!stored.contains(&photo) && !stored.contains("canary"));
    let stored: serde_json::Value = serde_json::from_str(stored).unwrap();
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
fn the_state_of_one_subject_is_one_fact_whatever_it_is_batched_with() {
    let user = r#"{"userId":"7","kycReview":"2"}"#;
    let other = r#"{"userId":"8","kycReview":"2"}"#;
    let events = |payload: &str| ids(&signed(r#""webhook":"user.kycreview""#, payload));
    let alone = events(&format!(r#"{{"users":[{user}]}}"#));
    let both = events(&format!(r#"{{"total":2,"users":[{other},{user}]}}"#));
    assert_eq!((alone.len(), both.len()), (1, 2));
    assert_eq!(both[1], alone[0]);
    assert_all_differ(both);
    let repeated = events(&format!(r#"{{"users":[{user},{other},{user}]}}"#));
    assert_eq!(repeated.len(), 2, "said twice, it is said once");
    let changed = events(&format!(r#"{{"users":[{}]}}"#, user.replace('2', "3")));
    assert_all_differ(changed.into_iter().chain(alone));
}

#[test]
fn ids_are_short_and_plain_whatever_the_parts_are() {
    let long = "🔑".repeat(250);
    let envelope = format!(r#""webhook":"qes.{long}","webhook_id":"{long}","object_id":"\u0000""#);
    let id = id(&envelope, &PAYLOAD.replace("\"t\"", &format!("\"{long}\"")));
    assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
}
