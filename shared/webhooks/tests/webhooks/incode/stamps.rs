//! Which of Incode's webhooks may decide, by the stamp that they got when they were proved.

use super::genuine::{ARRIVAL, time};
use serde_json::{Value, json};
use verdict_sessions::{Outcome, Provider, Remark, SessionEvent, Stage};
use verdict_webhooks::{
    CredentialsError, Delivery, Genuine, Headers, Part, Reading, WebhookSource, incode::Incode, read, read_again,
};

const SECRET: &str = "u7Qm-3vXf-9LpZ-static-header";
const SESSION: &str = "60000a22b09a35d2ef5aaa99";

/// The kinds that decide, with the least that each holds.
fn deciding() -> [(&'static str, Value, Outcome); 6] {
    let status = |status| json!({"interviewId": SESSION, "onboardingStatus": status});
    [
        ("session-succeeded", json!({"interviewId": SESSION}), Outcome::Approved),
        ("session-failed", json!({"interviewId": SESSION}), Outcome::Declined),
        ("session-pending-review", json!({"interviewId": SESSION}), Outcome::Review),
        ("onboarding-status", status("MANUAL_REVIEW_APPROVED"), Outcome::Approved),
        ("onboarding-status", status("MANUAL_REVIEW_REJECTED"), Outcome::Declined),
        ("onboarding-status", status("EXPIRED"), Outcome::Expired),
    ]
}

/// Incode with access to its API, and with more members of its credentials.
fn credentials(more: &Value) -> Value {
    let mut credentials = json!({"headers": {"x-incode-secret": [SECRET]}, "api": {"baseUrl": "https://api.example.com",
        "apiKey": "key", "email": "verdict@example.com", "password": "pw"}});
    for (name, value) in more.as_object().unwrap() {
        credentials[name] = value.clone();
    }
    credentials
}

fn proved(credentials: &Value, segment: &str, body: &Value) -> Genuine {
    let headers = Headers::from_iter([("x-incode-secret", SECRET)]);
    let delivery = Delivery::new("POST", format!("/incode/{segment}"), headers, body.to_string().into_bytes());
    Incode::from_json(&credentials.to_string()).unwrap().prove(delivery, time(ARRIVAL)).unwrap()
}

fn only(genuine: &Genuine) -> (SessionEvent, Part) {
    let Ok(Reading::Events { mut events, mut parts }) = read(genuine) else { panic!("{genuine:?}") };
    assert_eq!((events.len(), parts.len()), (1, 1));
    (events.remove(0), parts.remove(0))
}

/// What a webhook is with the stamp, and what it is without.
fn both(segment: &str, body: &Value) -> [(SessionEvent, Part); 2] {
    let with_stamp = only(&proved(&credentials(&json!({})), segment, body));
    let without = only(&proved(&credentials(&json!({"confirmDecisions": false})), segment, body));
    [with_stamp, without]
}

#[test]
fn with_access_to_the_api_a_webhook_is_stamped_unless_the_operator_believes_its_decisions() {
    let of = |credentials: &Value| proved(credentials, "session-succeeded", &json!({})).is_unconfirmed();
    assert!(of(&credentials(&json!({}))));
    assert!(of(&credentials(&json!({"confirmDecisions": true}))));
    assert!(!of(&credentials(&json!({"confirmDecisions": false}))));
    for confirms in [json!({}), json!({"confirmDecisions": true}), json!({"confirmDecisions": false})] {
        let mut without_api = credentials(&confirms);
        without_api.as_object_mut().unwrap().remove("api");
        assert!(!of(&without_api), "{without_api}");
    }
}

#[test]
fn a_switch_that_is_neither_true_nor_false_is_no_switch() {
    for other in [json!(null), json!("false"), json!("true"), json!(0), json!(1), json!([]), json!({})] {
        let credentials = credentials(&json!({"confirmDecisions": other})).to_string();
        let error = Incode::from_json(&credentials).expect_err(&credentials);
        assert!(matches!(error, CredentialsError::Shape { .. }), "{credentials}: {error}");
        assert!(error.to_string().contains("confirmDecisions"), "{error}");
    }
}

#[test]
fn a_stamped_webhook_decides_nothing_and_says_everything_else() {
    for (segment, body, outcome) in deciding() {
        let mut body = body;
        body["externalId"] = json!("customer-1");
        body["flowId"] = json!("flow-1");
        let [(unconfirmed, _), (decided, _)] = both(segment, &body);
        assert_eq!(decided.decision.as_ref().map(|decision| decision.outcome), Some(outcome), "{segment}");
        assert_eq!(decided.remarks, Vec::<String>::new(), "{segment}");
        assert_eq!((&unconfirmed.decision, unconfirmed.is_unconfirmed()), (&None, true), "{segment}");
        assert_eq!(unconfirmed.remarks, ["unconfirmed:decision"], "{segment}");
        assert_eq!(unconfirmed.name, decided.name);
        assert_eq!((&unconfirmed.subject, &unconfirmed.detail), (&decided.subject, &decided.detail), "{segment}");
        assert_eq!((unconfirmed.stage, unconfirmed.checks.len()), (None, 0), "{segment}");
    }
}

#[test]
fn what_does_not_decide_is_the_same_whatever_its_stamp() {
    for (segment, body) in [
        ("session-started", json!({"interviewId": SESSION})),
        ("session-progress", json!({"interviewId": SESSION})),
        ("onboarding-status", json!({"interviewId": SESSION, "onboardingStatus": "ONBOARDING_FINISHED"})),
        ("onboarding-status", json!({"interviewId": SESSION, "onboardingStatus": "UNKNOWN"})),
        ("authentication", json!({"interviewId": SESSION, "overallStatus": "FAIL", "spoofAttempt": true})),
        ("watchlist", json!({"interviewId": SESSION})),
    ] {
        let [with_stamp, without] = both(segment, &body);
        assert_eq!(with_stamp, without, "{segment}");
        assert_eq!(with_stamp.1.other_stamp, None, "{segment}");
    }
    let finished = json!({"interviewId": SESSION, "onboardingStatus": "ONBOARDING_FINISHED"});
    assert_eq!(both("onboarding-status", &finished)[0].0.stage, Some(Stage::Submitted));
}

#[test]
fn with_and_without_the_stamp_it_is_two_events_and_each_knows_the_other() {
    for (segment, body, _) in deciding() {
        let [(unconfirmed, of_unconfirmed), (decided, of_decided)] = both(segment, &body);
        assert_ne!(unconfirmed.event_id, decided.event_id, "{segment}");
        assert_eq!(of_unconfirmed.other_stamp.as_ref(), Some(&decided.event_id), "{segment}");
        assert_eq!(of_decided.other_stamp.as_ref(), Some(&unconfirmed.event_id), "{segment}");
        assert_eq!(of_unconfirmed.payload, of_decided.payload);
        // One tells of the decision and the other doesn't: that is no other fact under the same id.
        assert!(!unconfirmed.contradicts(&decided) && !decided.contradicts(&unconfirmed), "{segment}");
    }
}

#[test]
fn a_rebuild_reads_each_as_it_was_stamped() {
    for (segment, body, _) in deciding() {
        for (event, part) in both(segment, &body) {
            let again = read_again(&event, &format!("/incode/{segment}"), &part.payload);
            assert_eq!(again, Ok(Some(event)), "{segment}");
        }
    }
}

/// A later reader may find a decision in what today's doesn't know.
#[test]
fn what_is_not_recognised_keeps_its_stamp_for_a_later_reader() {
    let body = json!({"interviewId": SESSION, "onboardingStatus": "APPROVED_IN_ANOTHER_WAY"});
    let [(with_stamp, _), (without, _)] = both("onboarding-status", &body);
    assert_eq!((with_stamp.remark, &with_stamp.event_id), (Some(Remark::Unrecognised), &without.event_id));
    assert!(with_stamp.is_unconfirmed() && !without.is_unconfirmed());
    let known_later = json!({"interviewId": SESSION, "onboardingStatus": "MANUAL_REVIEW_APPROVED"}).to_string();
    let read_later =
        |event: &SessionEvent| read_again(event, "/incode/onboarding-status", &known_later).unwrap().unwrap();
    assert_eq!(read_later(&with_stamp).decision, None);
    assert!(read_later(&without).decision.is_some());
}

#[test]
fn a_queue_hands_the_stamp_on() {
    for is_unconfirmed in [true, false] {
        let body = json!({"interviewId": SESSION}).to_string().into_bytes();
        let path = "/incode/session-succeeded".to_owned();
        let queued = Genuine::from_our_queue(Provider::Incode, path, time(ARRIVAL), body, "digest".to_owned());
        let (event, _) = only(&queued.stamped(is_unconfirmed));
        assert_eq!(event.decision.is_none(), is_unconfirmed);
    }
}
