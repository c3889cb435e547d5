//! Genuine webhooks that can't be read, or are as large, deep and odd as a body can be.

use super::genuine::{read, signed};
use crate::patience::in_time;
use verdict_webhooks::{Ignored, Reading, Unreadable, json::DEPTH_LIMIT};

const ENVELOPE: &str = r#""webhook":"user.kycreview","object_id":"7""#;

fn read_in_time(body: &str) -> Result<Reading, Unreadable> {
    in_time(|| read(body))
}

#[test]
fn a_broken_payload_is_proved_and_can_not_be_read() {
    for payload in [
        r#"{"users":[}}"#,
        r#"{"users":[{"userId":"7" "kycReview":2}]}"#,
        r#"{"users":[{"userId":7 7,"kycReview":2}]}"#,
        r#"{"users":[{"userId":07,"kycReview":2}]}"#,
        r#"{"users":[{"userId":"7","kycReview":tr ue}]}"#,
        r#"{"users":[{"userId":"7",}]}"#,
        r#"{"users":[{userId:"7"}]}"#,
        r#"{"users":[{"userId":NaN}]}"#,
        "{\"users\":[{\"userId\":\u{a0}7}]}",
        "{]",
    ] {
        let found = read(signed(ENVELOPE, payload));
        assert!(matches!(found, Err(Unreadable::NotJson { .. })), "{payload}: {found:?}");
    }
}

#[test]
fn deep_nesting_is_read_to_the_limit_and_is_never_a_crash() {
    let nested =
        |depth: usize| format!(r#"{{"userId":"7","kycReview":2,"new":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    // The envelope and the payload are two levels.
    assert!(matches!(read(signed(ENVELOPE, &nested(DEPTH_LIMIT - 2))), Ok(Reading::Events { .. })));
    for depth in [DEPTH_LIMIT - 1, 1000, 1_000_000] {
        assert_eq!(read_in_time(&signed(ENVELOPE, &nested(depth))), Err(Unreadable::TooDeep), "{depth}");
    }
    let open = r#"{"a":"#.repeat(1_000_000);
    let payload = format!("{open}1{}", "}".repeat(1_000_000));
    assert_eq!(read_in_time(&signed(ENVELOPE, &payload)), Err(Unreadable::TooDeep));
    let beside = signed(&format!(r#"{ENVELOPE},"new":{}{}"#, "[".repeat(1_000_000), "]".repeat(1_000_000)), &nested(1));
    assert_eq!(read_in_time(&beside), Err(Unreadable::TooDeep));
}

#[test]
fn a_member_of_a_payload_that_matters_may_not_be_repeated() {
    let user = r#""userId":"7","kycReview":"2""#;
    let mut seen = 0;
    for (payload, member) in [
        (format!(r#"{{"users":[],"users":[{{{user}}}]}}"#), "users"),
        (format!(r#"{{"users":[],"us\u0065rs":[{{{user}}}]}}"#), "users"),
        (format!(r#"{{"users":[{{{user},"userId":"8"}}]}}"#), "userId"),
        (format!(r#"{{"users":[{{{user},"user_id":"8","userI\u0064":"7"}}]}}"#), "userId"),
        (format!(r#"{{"users":[{{{user},"kycReview":"3"}}]}}"#), "kycReview"),
        (format!(r#"{{"users":[{{{user},"kycReview":"2"}}]}}"#), "kycReview"),
        (format!(r#"{{"users":[{{{user},"modifiedDate":"","modifiedDate":""}}]}}"#), "modifiedDate"),
        (format!(r#"{{{user},"kycStatus":"VALIDATED","kycStatus":"REFUSED"}}"#), "kycStatus"),
        (format!(r#"{{{user},"lastReviewDatetime":"","lastReviewDatetime":""}}"#), "lastReviewDatetime"),
        (r#"{"documents":[{"userId":"7","documentId":"1","documentId":"2"}]}"#.into(), "documentId"),
        (
            r#"{"documents":[{"userId":"7","documentStatus":"PENDING","documentStatus":"VALIDATED"}]}"#.into(),
            "documentStatus",
        ),
        (r#"{"kyc-status":"processed","score":0,"score":1}"#.into(), "score"),
        (r#"{"kyc-status":"processed","kyc-status":"processing"}"#.into(), "kyc-status"),
        (r#"{"kyc-status":"processed","refusal-details":{},"refusal-details":{}}"#.into(), "refusal-details"),
        (r#"{"result":"ABORTED","result":"SUCCESS","transactionNumber":"t"}"#.into(), "result"),
        (r#"{"result":"SUCCESS","transactionNumber":"t","transactionNumber":"u"}"#.into(), "transactionNumber"),
        (r#"{"result":"SUCCESS","transactionNumber":"t","reason":{},"reason":{}}"#.into(), "reason"),
    ] {
        assert_eq!(read(signed(ENVELOPE, &payload)), Err(Unreadable::Ambiguous(member)), "{payload}");
        seen += 1;
    }
    assert_eq!(seen, 17);
    let payload = format!(r#"{{"users":[{{{user},"firstname":"a","firstname":"b"}}],"new":1,"new":2}}"#);
    assert!(matches!(read(signed(ENVELOPE, &payload)), Ok(Reading::Events { .. })), "what does not matter may be");
}

#[test]
fn what_other_families_repeat_is_not_looked_at() {
    let body = signed(r#""webhook":"payin.create""#, r#"{"users":[],"users":[],"result":1,"result":2}"#);
    assert_eq!(read(body), Ok(Reading::Nothing(Ignored::OtherFamily)));
}

#[test]
fn a_webhook_of_thousands_of_users_is_read_in_time() {
    let users: Vec<_> = (0..20_000).map(|number| format!(r#"{{"userId":"{number}","kycReview":"2"}}"#)).collect();
    let users = users.join(",");
    let Ok(Reading::Events { events, parts }) = read_in_time(&signed(ENVELOPE, &format!(r#"{{"users":[{users}]}}"#)))
    else {
        panic!("unreadable")
    };
    assert_eq!(events.len(), 20_000);
    assert!(parts.iter().all(|part| part.payload.len() <= verdict_webhooks::PAYLOAD_LIMIT));
}

#[test]
fn odd_text_reaches_no_name_and_no_reason_code() {
    let odd = r"${jndi:ldap://example.com}\r\n\u0000\ufffe__proto__";
    let payload = format!(
        r#"{{"result":"CANCELED","transactionNumber":"t","reason":{{"reasonDetails":{{"reasonCode":"{odd}","reasonMessage":"{odd}"}}}}}}"#
    );
    let Ok(Reading::Events { events, .. }) = read(signed(&format!(r#""webhook":"qes.{odd}""#), &payload)) else {
        panic!("unreadable")
    };
    assert_eq!(events[0].name, "qes.unrecognised");
    assert_eq!(events[0].decision.as_ref().unwrap().reason_code, None);
}

#[test]
fn no_message_shows_what_was_sent() {
    for payload in [
        r#"{"canary":}"#.to_owned(),
        r#"{"users":[{"userId":"canary","userId":"canary"}]}"#.into(),
        r#"{"users":[{"canary":"canary"}]}"#.into(),
        format!(r#"{{"users":[{{"userId":"canary{}"}}]}}"#, "x".repeat(2000)),
    ] {
        let unreadable = read(signed(ENVELOPE, &payload)).unwrap_err();
        let printed = format!("{unreadable} {unreadable:?} {}", unreadable.code());
        assert!(!printed.contains("canary"), "{printed}");
    }
}
