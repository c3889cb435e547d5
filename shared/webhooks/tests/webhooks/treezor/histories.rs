//! Which of several webhooks of Treezor's counts, in whatever order they arrive.

use super::genuine::{read, signed};
use crate::histories::{Ending, in_all_orders};
use serde_json::{Value, json};
use verdict_sessions::{CheckOutcome, Outcome, SessionEvent, Status};
use verdict_webhooks::Reading;

const BLANK: &str = "0000-00-00 00:00:00";

fn event(name: &str, created_at: Option<u64>, payload: &Value) -> SessionEvent {
    let created_at = created_at.map(|at| format!(r#","webhook_created_at":{at}"#)).unwrap_or_default();
    let members = format!(r#""webhook":"{name}","object_id":"o"{created_at}"#);
    match read(signed(&members, &payload.to_string())) {
        Ok(Reading::Events { events, .. }) => <[_; 1]>::try_from(events).expect("one event")[0].clone(),
        other => panic!("{payload}: {other:?}"),
    }
}

fn document(name: &str, status: &str, created: &str, modified: &str) -> SessionEvent {
    let document = json!({"documentId": "8", "userId": "7", "documentStatus": status, "codeStatus": "600003",
        "createdDate": created, "modifiedDate": modified});
    event(name, None, &json!({"documents": [document]}))
}

fn review(kyc_review: u8, reviewed: &Value) -> SessionEvent {
    let review = json!({"userId": 7, "kycReview": kyc_review, "lastReviewDatetime": reviewed});
    event("kycreview.result", None, &review)
}

fn user(kyc_review: u8, tag: &str, modified: &str, created_at: u64) -> SessionEvent {
    let user = json!({"userId": "7", "userTag": tag, "kycReview": kyc_review, "modifiedDate": modified});
    event("user.kycreview", Some(created_at), &json!({"users": [user]}))
}

fn checked(outcome: CheckOutcome) -> Ending {
    Ending { status: Status::Started, decision: None, checks: vec![("document:8".into(), outcome)] }
}

fn decided(outcome: Outcome) -> Ending {
    Ending { status: Status::Decided, decision: Some(outcome), checks: vec![] }
}

#[test]
fn a_document_that_is_told_of_late_as_created_stays_validated() {
    let validated = document("document.update", "VALIDATED", "2026-06-12 09:00:00", "2026-06-12 10:00:00");
    let created = document("document.create", "PENDING", "2026-06-12 09:00:00", BLANK);
    assert_eq!(in_all_orders(&[validated, created]).0, checked(CheckOutcome::Passed));
}

#[test]
fn a_document_that_is_created_and_validated_within_a_second_is_passed() {
    // Summer and winter in France.
    for (created, modified) in
        [("2026-06-12 12:00:00", "2026-06-12 10:00:00"), ("2026-01-12 11:00:00", "2026-01-12 10:00:00")]
    {
        let create = document("document.create", "PENDING", created, BLANK);
        let update = document("document.update", "VALIDATED", created, modified);
        assert_eq!(in_all_orders(&[create.clone(), update]).0, checked(CheckOutcome::Passed), "{created}");
        assert_eq!(in_all_orders(&[create]).0, checked(CheckOutcome::Pending), "{created}");
    }
}

#[test]
fn blank_times_count_from_before_everything_of_their_user_that_has_one() {
    let pending = document("document.create", "PENDING", "2026-06-12 12:00:00", BLANK);
    let cancelled = document("document.cancel", "CANCELED", "2026-06-12 12:00:00", BLANK);
    let validated = document("document.update", "VALIDATED", "2026-06-12 12:00:00", "2020-01-01 00:00:00");
    assert_eq!(in_all_orders(&[pending.clone(), cancelled.clone()]).0, checked(CheckOutcome::Cancelled));
    assert_eq!(in_all_orders(&[pending, cancelled, validated]).0, checked(CheckOutcome::Passed));

    let blank = user(2, "", BLANK, 1_790_000_000);
    let refused = user(3, "", "2022-05-18 12:21:12", 1_780_000_000);
    assert_eq!(in_all_orders(&[blank.clone(), refused]).0, decided(Outcome::Declined));
    assert_eq!(in_all_orders(&[blank]).0, decided(Outcome::Approved), "the only one counts");
}

#[test]
fn a_refusal_stands_against_an_older_approval_however_its_time_is_spelled() {
    let declined = review(3, &json!("2026-06-13T00:38:30Z"));
    for earlier in [
        json!("2026-06-12 23:00:00"),
        json!("2026-06-12T23:00:00"),
        json!("2026-06-13T01:00:00,5+0200"),
        json!(1_781_305_200),
        json!("1781305200000"),
    ] {
        let approved = review(2, &earlier);
        assert_eq!(in_all_orders(&[declined.clone(), approved]).0, decided(Outcome::Declined), "{earlier}");
    }
}

#[test]
fn states_of_one_second_go_by_when_they_were_sent_and_then_the_more_cautious_counts() {
    let approved = |sent| user(2, "", "2026-06-12 10:00:00", sent);
    let declined = |sent| user(3, "", "2026-06-12 10:00:00", sent);
    for (first, second, expected) in [
        (approved(1_781_300_000), declined(1_781_300_001), Outcome::Declined),
        (declined(1_781_300_000), approved(1_781_300_001), Outcome::Approved),
        (declined(1_781_300_000), approved(1_781_300_000), Outcome::Declined),
    ] {
        assert_eq!(in_all_orders(&[first, second]).0, decided(expected));
    }
}

#[test]
fn a_liveness_without_a_score_decides_nothing_and_a_later_one_does() {
    let liveness = |score: &Value, updated: &str| {
        let payload = json!({"kyc-status": "processed", "user_id": 7, "score": score, "updated-at": updated});
        event("kycliveness.update", None, &payload)
    };
    let odd = liveness(&Value::Null, "2026-06-12T11:00:00Z");
    let started = Ending { status: Status::Started, decision: None, checks: vec![] };
    assert_eq!(in_all_orders(std::slice::from_ref(&odd)).0, started);
    let approved = liveness(&json!(1), "2026-06-12T10:00:00Z");
    assert_eq!(in_all_orders(&[odd, approved]).0, decided(Outcome::Approved));
}

#[test]
fn a_reference_is_the_user_s_tag_and_without_one_the_user_s_id() {
    let tagged = user(1, "customer-1", "2026-06-12 10:00:00", 1_781_300_000);
    let untagged = user(2, "", "2026-06-12 11:00:00", 1_781_300_001);
    let reference = |events: &[SessionEvent]| in_all_orders(events).1.reference().map(str::to_owned);
    assert_eq!(reference(&[tagged, untagged.clone()]).as_deref(), Some("customer-1"));
    assert_eq!(reference(&[untagged]).as_deref(), Some("7"));
}
