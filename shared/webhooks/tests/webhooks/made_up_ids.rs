//! Ids that Verdict makes itself, and ids of a provider's that look like them: neither gets into the other's session,
//! event or check.

use crate::{incode::genuine as incode, treezor::genuine as treezor, wultra::genuine as wultra};
use serde_json::{Value, json};
use verdict_sessions::{Provider, SessionEvent, Timestamp};
use verdict_webhooks::{Genuine, Reading, Unreadable, incode::Finding, read, sha256_hex};

fn only(reading: Result<Reading, Unreadable>) -> SessionEvent {
    let Ok(Reading::Events { events, .. }) = reading else { panic!("{reading:?}") };
    <[_; 1]>::try_from(events).unwrap()[0].clone()
}

fn session(reading: Result<Reading, Unreadable>) -> String {
    only(reading).session.to_string()
}

#[test]
fn no_interview_gets_into_the_session_of_a_request_or_of_a_customer() {
    let of_request = session(incode::read_on("proof-of-payment", r#"{"requestId":"1"}"#));
    let of_customer = session(incode::read_on("authentication", r#"{"customerId":"1","overallStatus":"PASS"}"#));
    assert_eq!([&*of_request, &*of_customer], ["incode/request:1", "incode/customer:1"]);
    for made_up in ["request:1", "customer:1", "request:", "customer:request:1"] {
        for member in ["interviewId", "InterviewId", "sessionId"] {
            for segment in ["onboarding-status", "session-succeeded", "authentication", "proof-of-payment", "any-other"]
            {
                let body = json!({member: made_up, "onboardingStatus": "MANUAL_REVIEW_APPROVED", "requestId": "1",
                    "customerId": "1", "overallStatus": "PASS"});
                let refused = incode::read_on(segment, body.to_string()).unwrap_err();
                assert_eq!(refused.code(), "unusable_id", "{segment} {body}");
            }
        }
    }
    for interview in ["request", "requests:1", "Request:1", " request:1", "customer-1", "interview:request:1"] {
        let body = json!({"interviewId": interview, "onboardingStatus": "EXPIRED"}).to_string();
        assert_eq!(session(incode::read_on("onboarding-status", body)), format!("incode/{interview}"));
    }
}

#[test]
fn no_request_is_a_customers_and_no_customer_a_requests() {
    let request = |id: &str| session(incode::read_on("proof-of-payment", json!({"requestId": id}).to_string()));
    let customer = |id: &str| session(incode::read_on("authentication", json!({"customerId": id}).to_string()));
    for id in ["1", "request:1", "customer:1"] {
        assert_eq!(request(id), format!("incode/request:{id}"));
        assert_eq!(customer(id), format!("incode/customer:{id}"));
    }
}

/// An id of a webhook is made of its body, which is a JSON object; an id of a poll request of other bytes.
#[test]
fn no_webhook_is_a_poll_request_whatever_path_it_comes_on() {
    let body = json!({"kind": "poll", "interviewId": "i", "reference": "r"}).to_string();
    let webhook = only(incode::read_on("poll-requested", &body));
    let request = Finding::of_poll_request(body.as_bytes(), Timestamp::EPOCH).unwrap().event.unwrap();
    assert_eq!(webhook.event_id.as_str(), format!("poll-requested:{}", sha256_hex(body.as_bytes())));
    assert_ne!(webhook.event_id, request.event_id);
    let parts = [1_u64.to_be_bytes().as_slice(), b"i", 1_u64.to_be_bytes().as_slice(), b"r"].concat();
    assert_eq!(request.event_id.as_str(), format!("poll-requested:{}", sha256_hex(&parts)));
    let genuine = Genuine::from_our_queue(
        Provider::Incode,
        "/incode/poll-requested".into(),
        Timestamp::EPOCH,
        parts.clone(),
        sha256_hex(&parts),
    );
    assert!(read(&genuine).is_err(), "those bytes are no webhook");
}

#[test]
fn no_user_is_an_identification_or_a_binding() {
    let user = |id: &str| treezor::read(treezor::signed("", &json!({"userId": id, "kycReview": 2}).to_string()));
    let identification = |id: &str| {
        let payload = json!({"transactionNumber": id, "userId": "7", "result": "SUCCESS"}).to_string();
        treezor::read(treezor::signed("\"webhook\":\"qes.finalized\"", &payload))
    };
    for id in ["1", "user:1", "identification:1", "bound:1"] {
        assert_eq!(session(user(id)), format!("treezor/user:{id}"));
        assert_eq!(session(identification(id)), format!("treezor/identification:{id}"));
    }
}

#[test]
fn an_event_of_wultra_with_an_id_is_none_without_one_and_none_whose_id_was_too_long() {
    let event = |id: &Value| {
        let body = json!({"id": id, "type": "FINISHED", "processId": "p", "timestamp": "2026-04-23T14:30:00Z"});
        (only(wultra::read(body.to_string())).event_id.to_string(), body.to_string())
    };
    let (without, body) = event(&Value::Null);
    let long = "x. ".repeat(200);
    let (too_long, _) = event(&json!(long));
    assert_eq!(without, format!("body:{}", sha256_hex(body.as_bytes())));
    assert_eq!(too_long, format!("id_digest:{}", sha256_hex(format!("\"{long}\"").as_bytes())));
    for like in [&*without, &too_long, without.trim_start_matches("body:"), too_long.trim_start_matches("id_")] {
        assert_eq!(event(&json!(like)).0, format!("id:{like}"));
    }
}

#[test]
fn no_document_has_the_check_of_one_whose_id_is_too_long() {
    let check = |id: &str| {
        let body = json!({"id": "e", "type": "DOCUMENT_VERIFICATION_FINISHED", "processId": "p", "eventData": {
            "documentVerification": {"documentId": id, "status": "ACCEPTED"}}});
        only(wultra::read(body.to_string())).checks.keys().next().unwrap().clone()
    };
    let long = "x".repeat(129);
    let digest = sha256_hex(long.as_bytes());
    assert_eq!(check(&long), format!("document:{digest}"));
    assert_eq!(check(&digest), format!("document:{}", sha256_hex(digest.as_bytes())));
    for own in [&long[1..], &digest[1..], &digest.to_uppercase(), &format!("{digest}0"), &format!("sha256:{digest}")] {
        assert_eq!(check(own), format!("document:{own}"));
    }
}
