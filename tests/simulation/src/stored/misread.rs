//! Sessions that release 0.1 misread: what their webhooks say is more, or other, than it recorded.
//!
//! The fixtures in `tests/stored/misread/0.1/` were written by that release's code, with this list.

use super::{
    Fixtures,
    stories::Story,
    today::{SEED, add_session},
};
use crate::{Clock, Webhook, simulate};
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use verdict_sessions::Timestamp;

/// Makes the items of all these sessions, as today's code records them.
///
/// # Panics
/// If a function doesn't record a webhook.
#[must_use]
pub fn misread() -> Fixtures {
    let mut fixtures = Fixtures::default();
    for story in stories() {
        simulate(SEED, async |world| add_session(&mut fixtures, &world, &story).boxed_local().await);
    }
    fixtures
}

fn stories() -> Vec<Story> {
    [decisions(), checks(), treezor(), wultra()].into_iter().flatten().collect()
}

/// A provider's time: a few minutes before the webhooks arrive.
fn time(minutes: i64) -> Timestamp {
    Timestamp::from_unix(i64::try_from(Clock::EPOCH).unwrap() - 3600 + minutes * 60, 0).unwrap()
}

/// The same without a zone.
fn local(minutes: i64) -> String {
    time(minutes).to_string().replace('T', " ").trim_end_matches('Z').to_owned()
}

fn veriff(session: &str, status: &str, code: u16, members: Value) -> Webhook {
    let mut body = json!({"status": "success", "verification": {"id": session, "attemptId": "attempt-1", "code": code,
        "status": status, "reason": null, "reasonCode": null, "vendorData": "customer-1", "decisionTime": time(0)}});
    let Value::Object(members) = members else { panic!("members are an object") };
    body["verification"].as_object_mut().unwrap().extend(members);
    Webhook::veriff_saying("/veriff/decisions", &body)
}

fn decisions() -> Vec<Story> {
    const ID: &str = "5f0c7a3e-0000-4000-8000-0000000000";
    let id = |number: u32| format!("{ID}{number:02}");
    let full_auto = |session: &str, decision: Value| {
        Webhook::veriff_saying(
            "/veriff/decisions",
            &json!({"status": "success", "eventType": "fullauto", "sessionId": session, "attemptId": "attempt-1",
                "version": "1.0.0", "time": time(0), "data": {"verification": {"decision": decision,
                "decisionScore": 0.98, "person": {"firstName": {"value": "Jane"}}}}}),
        )
    };
    let declined = |session: &str, members| veriff(session, "declined", 9102, members);
    let approved = |session: &str, members| veriff(session, "approved", 9001, members);
    vec![
        Story::of("veriff-full-auto-word").deliver(full_auto(&id(11), json!("approved"))),
        Story::of("veriff-full-auto-null").deliver(full_auto(&id(12), json!(null))),
        Story::of("veriff-time-with-a-space")
            .deliver(declined(&id(13), json!({})))
            .deliver(approved(&id(13), json!({"decisionTime": local(-90)}))),
        Story::of("veriff-time-in-milliseconds")
            .deliver(declined(&id(14), json!({})))
            .deliver(approved(&id(14), json!({"decisionTime": time(-90).unix_seconds() * 1000}))),
        Story::of("veriff-two-decisions-of-one-time")
            .deliver(declined(&id(15), json!({})))
            .deliver(approved(&id(15), json!({}))),
        Story::of("veriff-two-decisions-of-one-time-again")
            .deliver(declined(&id(16), json!({})))
            .deliver(approved(&id(16), json!({}))),
        Story::of("veriff-two-decisions-of-one-time-once-more")
            .deliver(approved(&id(17), json!({})))
            .deliver(declined(&id(17), json!({}))),
        Story::of("veriff-with-risk-labels").deliver(declined(
            &id(18),
            json!({"reasonCode": 106, "riskLabels": [{"label": "velocity_high", "category": "crosslinks"}], "riskScore": {"score": 0.7}}),
        )),
        Story::of("veriff-declined").deliver(declined(&id(19), json!({"reasonCode": 102}))),
    ]
}

fn checks() -> Vec<Story> {
    const ID: &str = "5f0c7a3e00004000800000";
    let authentication = |session: &str, status: Value| {
        let mut body = json!({"customerId": "customer", "interviewId": session, "faceMatch": true});
        if !status.is_null() {
            body["overallStatus"] = status;
        }
        Webhook::incode_saying("authentication", &body)
    };
    let status = |session: &str, member: &str, reference: &str, value: &str| {
        let mut body = json!({"interviewId": session});
        body[member] = value.into();
        body[reference] = "customer-1".into();
        Webhook::incode_saying("onboarding-status", &body)
    };
    let [authenticated, captured, spelled] = ["11", "12", "13"].map(|number| format!("{ID}{number}"));
    vec![
        Story::of("incode-captured-after-a-result")
            .deliver(authentication(&authenticated, json!("FAIL")))
            .deliver(authentication(&authenticated, json!(null))),
        Story::of("incode-captured").deliver(status(
            &captured,
            "onboardingStatus",
            "externalId",
            "FACE_VALIDATION_FINISHED",
        )),
        Story::of("incode-other-spelling").deliver(status(
            &spelled,
            "eventType",
            "externalCustomerId",
            "ONBOARDING_FINISHED",
        )),
    ]
}

fn treezor() -> Vec<Story> {
    const BLANK: &str = "0000-00-00 00:00:00";
    let envelope = |event: &str, object: Value, minutes: Option<i64>| {
        let mut envelope =
            json!({"webhook": event, "webhook_id": "5f0c7a3e-0000-4000-8000-000000000021", "object_id": object});
        if let Some(minutes) = minutes {
            envelope["webhook_created_at"] = (time(minutes).unix_seconds() * 10_000).into();
        }
        envelope
    };
    let document = |event: &str, user: u32, status: &str, created: &str, modified: &str| {
        let document = json!({"documentId": 88, "userId": user, "documentStatus": status, "documentTypeId": 9,
            "createdDate": created, "modifiedDate": modified});
        Webhook::treezor_saying(&envelope(event, json!(88), None), &json!({"documents": [document]}))
    };
    let review = |user: u32, kyc_review: u32, modified: &str, sent: i64, tag: &str| {
        let user = json!({"userId": user, "userTag": tag, "kycReview": kyc_review, "kycLevel": 2,
            "modifiedDate": modified, "kycReviewComment": ""});
        Webhook::treezor_saying(
            &envelope("user.kycreview", user["userId"].clone(), Some(sent)),
            &json!({"users": [user]}),
        )
    };
    let liveness = |number: u32, members: Value| {
        let id = format!("5f0c7a3e-0000-4000-8000-0000000000{number}");
        let mut payload = json!({"kyc-status": "processed", "user_id": "6461931", "updated-at": time(0)});
        let Value::Object(members) = members else { panic!("members are an object") };
        payload.as_object_mut().unwrap().extend(members);
        Webhook::treezor_saying(&envelope("kycliveness.update", json!(id), None), &payload)
    };
    let reasons = json!({"meta": {"count": 2}, "reasons": [
        {"reason-code": "1312", "reason-message": "Applicant did not show the full front view of their face"},
        {"reason-code": "2401", "reason-message": "Applicant's identity does not match with the expected one"}]});
    let aborted = json!({"transactionNumber": "TRX-31", "userId": 6_461_931, "result": "ABORTED",
        "identificationTime": time(0), "reason": {"reasonDetails": {"reasonCode": "", "reasonMessage": "STALLED_TIMEOUT"}}});
    vec![
        Story::of("treezor-document-created-late")
            .deliver(document("document.update", 6_461_921, "VALIDATED", &local(60), &local(0)))
            .deliver(document("document.create", 6_461_921, "PENDING", &local(60), BLANK)),
        Story::of("treezor-review-with-blank-times")
            .deliver(review(6_461_922, 3, &local(0), 0, ""))
            .deliver(review(6_461_922, 2, BLANK, 30, "")),
        Story::of("treezor-own-reference").deliver(review(6_461_923, 7, &local(0), 0, "customer-1")).deliver(review(
            6_461_923,
            2,
            &local(5),
            5,
            "",
        )),
        Story::of("treezor-no-own-reference").deliver(review(6_461_924, 2, &local(0), 5, "")),
        Story::of("treezor-liveness-without-score").deliver(liveness(31, json!({"score": null}))),
        Story::of("treezor-liveness-for-several-reasons")
            .deliver(liveness(32, json!({"score": 0, "refusal-details": reasons}))),
        Story::of("treezor-code-in-the-message")
            .deliver(Webhook::treezor_saying(&envelope("qes.aborted", json!("TRX-31"), Some(0)), &aborted)),
    ]
}

fn wultra() -> Vec<Story> {
    let [begun, failed] = ["41", "42"].map(|number| format!("5f0c7a3e-0000-4000-8000-0000000000{number}"));
    let presence = json!({"presenceCheck": {"status": "ACCEPTED", "rejectReason": null, "errorDetail": null,
        "provider": "zenid", "score": 10, "presenceCheckResult": null}});
    let document = json!({"documentVerification": {"documentVerificationId": "dv-1", "documentId": "d-1",
        "status": "REJECTED", "rejectReason": "Rejected by provider [W001 unreadable, I002 glare]", "errorDetail": null,
        "provider": "zenid", "score": 3, "documentVerificationResult": null}});
    vec![
        Story::of("wultra-begun").deliver(Webhook::wultra_saying(
            "PRESENCE_CHECK_FINISHED",
            &begun,
            time(0),
            &presence,
        )),
        Story::of("wultra-codes-in-the-reason").deliver(Webhook::wultra_saying(
            "DOCUMENT_VERIFICATION_FINISHED",
            &failed,
            time(0),
            &document,
        )),
    ]
}
