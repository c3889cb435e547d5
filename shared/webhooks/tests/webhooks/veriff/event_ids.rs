//! Which webhooks of Veriff's are the same fact, so that a copy is known for one.

use super::genuine::read_on;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use verdict_webhooks::Reading;

fn id_on(path: &str, body: &str) -> String {
    match read_on(path, body) {
        Ok(Reading::Events { events, .. }) if events.len() == 1 => events[0].event_id.to_string(),
        other => panic!("{body}: {other:?}"),
    }
}

fn id_of_text(body: &str) -> String {
    id_on("/veriff/decisions", body)
}

fn id(body: &Value) -> String {
    id_of_text(&body.to_string())
}

fn decision(verification: &Value) -> Value {
    json!({"status": "success", "verification": verification})
}

fn verification() -> Value {
    json!({"id": "s", "attemptId": "a", "status": "approved", "code": 9001, "decisionTime": "2026-06-13T00:38:30.8Z"})
}

fn progress() -> Value {
    json!({"id": "s", "attemptId": "a", "feature": "selfid", "code": 7010, "action": "flow_cancelled",
        "context": {"reason": "r", "state": "t"}})
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name).expect(name);
    object
}

/// All of them name facts of their own.
fn assert_all_differ(ids: impl IntoIterator<Item = String>) {
    let ids: Vec<String> = ids.into_iter().collect();
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:#?}");
}

#[test]
fn a_decision_written_anew_is_the_same_fact() {
    let first = id_of_text(
        r#"{"status":"success","verification":{"id":"s","attemptId":"a","status":"approved","code":9001,"decisionTime":"2026-06-13T00:38:30.8Z"}}"#,
    );
    assert!(first.starts_with("decision:"), "{first}");
    for copy in [
        r#" { "verification" : { "decisionTime":"2026-06-13T00:38:30.8Z", "code":9001,
             "status":"approved", "attemptId":"a", "id":"s" }, "status":"success" } "#,
        r#"{"verification":{"id":"s","attemptId":"a","status":"approved","code":9001,"decisionTime":"2026-06-13T00:38:30.8Z","person":{"firstName":"SAMPLE"},"new":[1,2]},"technicalData":{"ip":"198.51.100.7"}}"#,
        r#"{"verification":{"\u0069d":"\u0073","attemptId":"a","st\u0061tus":"approve\u0064","code":9001,"decisionTime":"2026-06-13T00:38:30.8Z"}}"#,
        r#"{"verification":{"id":"s","attemptId":"a","status":"approved","code":"9001","decisionTime":"2026-06-13T00:38:30.8Z"}}"#,
    ] {
        assert_eq!(id_of_text(copy), first, "{copy}");
    }
}

#[test]
fn an_event_written_anew_is_the_same_fact() {
    let first = id_of_text(r#"{"id":"s","attemptId":"a","feature":"selfid","code":7001,"action":"started"}"#);
    assert!(first.starts_with("event:"), "{first}");
    for copy in [
        "{\n  \"action\": \"started\",\n  \"code\": 7001,\n  \"attemptId\": \"a\",\n  \"id\": \"s\"\n}\n",
        r#"{"id":"s","attemptId":"a","code":"7001","action":"started","context":null,"vendorData":"customer-1"}"#,
    ] {
        assert_eq!(id_of_text(copy), first, "{copy}");
    }
    let context =
        id_of_text(r#"{"id":"s","attemptId":"a","code":7010,"action":"flow_cancelled","context":{"reason":"r"}}"#);
    assert_eq!(
        id_of_text(
            r#"{"id":"s","attemptId":"a","code":7010,"action":"flow_cancelled","context": { "reason" : "r" } }"#
        ),
        context
    );
}

#[test]
fn each_part_of_a_decision_makes_another_fact() {
    assert_all_differ(
        [
            verification(),
            with(verification(), "id", json!("s2")),
            with(verification(), "attemptId", json!("a2")),
            with(verification(), "status", json!("declined")),
            with(verification(), "status", json!("escalated")),
            with(verification(), "code", json!(9102)),
            with(verification(), "code", json!([9001])),
            with(verification(), "decisionTime", json!("2026-06-13T00:38:30.9Z")),
            with(verification(), "decisionTime", json!("no time at all")),
            with(with(verification(), "id", json!("sa")), "attemptId", json!("")),
            with(with(verification(), "id", json!("a")), "attemptId", json!("s")),
        ]
        .map(|verification| id(&decision(&verification))),
    );
}

#[test]
fn each_part_of_an_event_makes_another_fact() {
    assert_all_differ(
        [
            progress(),
            with(progress(), "id", json!("s2")),
            with(progress(), "attemptId", json!("a2")),
            with(progress(), "code", json!(7009)),
            with(progress(), "action", json!("flow_finished")),
            with(progress(), "context", Value::Null),
            with(progress(), "context", json!({})),
            with(progress(), "context", json!({"reason": "r"})),
            with(progress(), "context", json!({"reason": "r", "state": "t2"})),
            with(progress(), "context", json!({"reason": "r", "state": "t", "new": 1})),
            with(progress(), "context", json!({"reason": "r".repeat(200)})),
            with(progress(), "context", json!({"reason": "r".repeat(201)})),
        ]
        .map(|event| id(&event)),
    );
}

#[test]
fn an_address_event_has_its_address_in_the_attempts_place() {
    let event = |address: &str| json!({"id": "s", "addressId": address, "code": 7005, "action": "submitted"});
    assert_eq!(id(&event("x")), id(&with(event("x"), "vendorData", json!("customer-1"))));
    assert_all_differ([event("x"), event("y")].map(|event| id(&event)));
}

#[test]
fn a_decision_without_one_of_its_parts_goes_by_the_whole_body() {
    for part in ["attemptId", "status", "code", "decisionTime"] {
        for missing in [without(verification(), part), with(verification(), part, Value::Null)] {
            let body = decision(&missing);
            assert_eq!(id(&body), id(&body), "{part}");
            assert_all_differ([id(&body), id(&with(body.clone(), "technicalData", json!({})))]);
        }
    }
}

#[test]
fn an_event_without_one_of_its_parts_goes_by_the_whole_body() {
    for missing in [
        without(progress(), "attemptId"),
        with(progress(), "code", Value::Null),
        with(progress(), "action", json!(" ")),
    ] {
        assert_eq!(id(&missing), id(&missing));
        assert_all_differ([id(&missing), id(&with(missing.clone(), "feature", json!("other")))]);
    }
}

#[test]
fn the_other_families_go_by_the_whole_body() {
    for body in [
        json!({"checkType": "initial_result", "sessionId": "s", "matchStatus": "no_match"}),
        json!({"eventType": "user-status.created", "sessionId": "s"}),
        json!({"eventType": "fullauto", "sessionId": "s", "data": {"verification": {"decision": {"value": "approved"}}}}),
        json!({"eventType": "ine_registry", "sessionId": "s", "data": {"code": 200}}),
        json!({"eventType": "combined-ine-curp-registry", "sessionId": "s"}),
        json!({"type": "curp_registry", "id": "s"}),
        json!({"eventType": "sample.family.created", "sessionId": "s"}),
    ] {
        let text = body.to_string();
        assert_eq!(id_of_text(&text), id_of_text(&text));
        assert_all_differ([id_of_text(&text), id_of_text(&format!(" {text}")), id(&with(body, "more", json!(1)))]);
    }
}

#[test]
fn the_path_makes_no_other_fact() {
    for body in [
        decision(&verification()),
        decision(&without(verification(), "attemptId")),
        progress(),
        json!({"eventType": "fullauto", "sessionId": "s"}),
        json!({"id": "s"}),
    ] {
        let body = body.to_string();
        let first = id_on("/veriff/decisions", &body);
        assert_eq!(id_on("/veriff/events", &body), first);
        assert_eq!(id_on("/production/veriff/events", &body), first);
    }
}

#[test]
fn ids_are_short_and_plain_whatever_the_parts_are() {
    let long = "🔑".repeat(250);
    let verification =
        json!({"id": long, "attemptId": "a\u{0}\r\n", "status": long, "code": long, "decisionTime": long});
    let id = id(&decision(&verification));
    let digest = id.strip_prefix("decision:").unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
}
