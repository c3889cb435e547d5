//! What Veriff's webhooks mean, family by family.

use super::genuine::{ARRIVAL, read_on};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf};
use verdict_sessions::{
    Check, CheckOutcome, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent, Stage, Subject, Timestamp,
};
use verdict_webhooks::{
    Delivery, Disposition, Ignored, Reading, Refusal, Unreadable, WebhookSource, read_again, veriff::Veriff,
};

const EVENTS: &str = "/veriff/events";
const DECISIONS: &str = "/veriff/decisions";
const SESSION: &str = "f04bdb47-d3be-4b28-b028-a652feb060b5";
const ATTEMPT: &str = "e30122d1-740b-4764-853f-470374a7abf4";
const DECIDED_AT: &str = "2026-06-13T00:38:30.861285Z";

fn read(body: &Value) -> Result<Reading, Unreadable> {
    read_on(DECISIONS, body.to_string())
}

/// The one event that a webhook is.
fn event_in(body: &Value) -> SessionEvent {
    match read(body) {
        Ok(Reading::Events { events, .. }) => <[_; 1]>::try_from(events).expect("one event")[0].clone(),
        other => panic!("{body}: {other:?}"),
    }
}

/// An object with some members replaced or added.
fn with(mut object: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        object[name] = value;
    }
    object
}

/// An object without a member.
fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name).expect(name);
    object
}

fn verification() -> Value {
    json!({"id": SESSION, "attemptId": ATTEMPT, "status": "approved", "code": 9001, "decisionTime": DECIDED_AT})
}

fn decision_of(verification: &Value) -> Value {
    json!({"status": "success", "verification": verification})
}

fn decision(changes: Value) -> Value {
    decision_of(&with(verification(), changes))
}

fn progress(changes: Value) -> Value {
    with(json!({"id": SESSION, "attemptId": ATTEMPT, "feature": "selfid", "code": 7001, "action": "started"}), changes)
}

fn watchlist(changes: Value) -> Value {
    let base = json!({"checkType": "initial_result", "sessionId": SESSION, "attemptId": ATTEMPT,
        "matchStatus": "no_match", "createdAt": "2026-06-12T09:31:00.287Z"});
    with(base, changes)
}

fn user_status() -> Value {
    json!({"eventType": "user-status.created", "sessionId": SESSION, "attemptId": ATTEMPT,
        "time": "2026-06-12T10:00:02.998Z",
        "data": {"verification": {"id": "another", "userDefinedData": {"statusCode": "looks_odd", "reason": null}}}})
}

fn full_auto(decision: &Value) -> Value {
    json!({"eventType": "fullauto", "sessionId": SESSION, "attemptId": ATTEMPT, "time": DECIDED_AT,
        "data": {"verification": {"decisionScore": 0.97, "decision": {"value": decision}}}})
}

fn outcome(event: &SessionEvent) -> Option<Outcome> {
    event.decision.as_ref().map(|decision| decision.outcome)
}

fn reason_code(event: &SessionEvent) -> Option<&str> {
    event.decision.as_ref().and_then(|decision| decision.reason_code.as_ref()).map(ReasonCode::as_str)
}

fn detail<const N: usize>(members: [(&str, &str); N]) -> BTreeMap<String, String> {
    members.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// The checks that an event reports, and how each ended.
fn outcomes(event: &SessionEvent) -> Vec<(&str, CheckOutcome)> {
    event.checks.iter().map(|(name, check)| (name.as_str(), check.outcome)).collect()
}

/// A check's codes and details.
fn said(check: &Check) -> (Vec<&str>, Vec<(&str, &str)>) {
    (codes(&check.reason_codes), check.detail.iter().collect())
}

fn codes(codes: &[ReasonCode]) -> Vec<&str> {
    codes.iter().map(ReasonCode::as_str).collect()
}

/// The details of what an event decides.
fn decision_detail(event: &SessionEvent) -> Vec<(&str, &str)> {
    event.decision.as_ref().unwrap().detail.iter().collect()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

mod samples {
    use super::*;

    #[derive(Deserialize)]
    struct Sample {
        name: String,
        ids: BTreeMap<String, String>,
        expect: Expectation,
    }

    #[derive(Deserialize)]
    struct Expectation {
        outcome: String,
        session: Option<Value>,
    }

    fn file(name: &str) -> Value {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name).with_extension("json");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    fn delivery(sample: &str) -> Delivery {
        let event = file(sample);
        let headers = event["headers"].as_object().unwrap().iter();
        let body = event["body"].as_str().unwrap();
        let is_base64 = event["isBase64Encoded"].as_bool().unwrap();
        let body = if is_base64 { STANDARD.decode(body).unwrap() } else { body.as_bytes().to_vec() };
        Delivery::new(
            event["requestContext"]["http"]["method"].as_str().unwrap(),
            event["rawPath"].as_str().unwrap(),
            headers.map(|(name, value)| (name, value.as_str().unwrap())).collect(),
            body,
        )
    }

    #[test]
    fn every_sample_means_what_the_catalogue_says() {
        let veriff = Veriff::from_json(&file("local-credentials")["veriff"].to_string()).unwrap();
        let samples: Vec<Sample> = serde_json::from_value(file("catalogue")).unwrap();
        let samples: Vec<_> = samples.into_iter().filter(|sample| sample.name.starts_with("veriff/")).collect();
        assert!(samples.len() > 30, "{}", samples.len());
        for Sample { name, ids, expect } in samples {
            let proof = veriff.prove(delivery(&name), time(ARRIVAL));
            let reading = proof.map(|genuine| verdict_webhooks::read(&genuine));
            let disposition = match &reading {
                Ok(Ok(Reading::Events { .. })) => Disposition::Recorded,
                Ok(Ok(Reading::Nothing(_))) => Disposition::Ignored,
                Ok(Err(_)) => Disposition::Quarantined,
                Err(refusal) => Disposition::Refused(*refusal),
            };
            assert_eq!(disposition.as_str(), expect.outcome, "{name}");
            let (Ok(Ok(Reading::Events { events, .. })), Some(session)) = (reading, expect.session) else { continue };
            let event = &events[0];
            let text = |value: &Value| value.as_str().map(str::to_owned);
            assert_eq!(outcome(event).map(|outcome| outcome.as_str().to_owned()), text(&session["decision"]), "{name}");
            assert_eq!(event.session.session_id.as_str(), ids["session"], "{name}");
            if let Some(attempt) = ids.get("attempt") {
                assert_eq!(event.attempt_id.as_ref().map(ToString::to_string).as_ref(), Some(attempt), "{name}");
            }
            assert_eq!(event.subject.reference.as_ref(), ids.get("reference"), "{name}");
            let stage = match session["status"].as_str() {
                Some("started") => Some(Stage::Started),
                Some("submitted") => Some(Stage::Submitted),
                _ => None,
            };
            assert_eq!(event.stage, stage, "{name}");
        }
    }
}

mod printed {
    use super::*;

    /// The event in a webhook as Veriff or an integrator prints it.
    fn event(name: &str) -> SessionEvent {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks/veriff/printed");
        event_in(&serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap())
    }

    #[test]
    fn every_webhook_that_is_printed_is_understood() {
        for (name, event_name, expected) in [
            ("decision.approved", "decision.approved", Some(Outcome::Approved)),
            ("decision.approved.full", "decision.approved", Some(Outcome::Approved)),
            (
                "decision.resubmission_requested",
                "decision.resubmission_requested",
                Some(Outcome::ResubmissionRequested),
            ),
            ("fullauto", "fullauto.approved", Some(Outcome::Approved)),
            ("fullauto.minimal", "fullauto.approved", Some(Outcome::Approved)),
            ("event.7002", "event.submitted", None),
            ("event.7007", "event.waiting_complete", None),
            ("event.7009", "event.flow_finished", None),
            ("event.7010", "event.flow_cancelled", None),
            ("watchlist.updated_result", "watchlist", None),
            ("ine_registry", "registry.ine", None),
            ("curp_registry", "registry.curp", None),
        ] {
            let event = event(name);
            assert_eq!((&*event.name, outcome(&event)), (event_name, expected), "{name}");
            assert_eq!((event.remark, event.remarks.len()), (None, 0), "{name}: {:?}", event.remarks);
        }
    }

    #[test]
    fn what_a_fraud_team_routes_by_is_in_the_decision() {
        let event = event("decision.approved.full");
        let expected = [
            ("acceptanceTime", "2019-11-06T07:15:27.000Z"),
            ("country", "GB"),
            ("documentType", "DRIVERS_LICENSE"),
            ("matchedSessionId", "d40edb60-6ae6-4475-be72-84b81669cce6"),
        ];
        assert_eq!(decision_detail(&event), expected);
        assert_eq!(
            codes(event.decision.unwrap().all_reason_codes()),
            [
                "document_integration_level_crosslinked_with_fraud",
                "document_integration_level_crosslinked_with_multiple_declines"
            ]
        );
    }

    #[test]
    fn a_watchlist_s_result_says_which_lists() {
        let event = event("watchlist.updated_result");
        let (lists, detail) = said(&event.checks["watchlist"]);
        // Sorted, since this test writes the webhook anew.
        assert_eq!(lists, ["adverseMedia", "fitnessProbity", "pep", "sanctions", "warnings"]);
        assert_eq!(detail, [("checkType", "updated_result"), ("monitoring", "true"), ("totalHits", "5")]);
    }

    #[test]
    fn a_user_defined_status_names_no_session() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks/veriff/printed");
        let body = fs::read(folder.join("user-status.created.json")).unwrap();
        assert_eq!(read_on(DECISIONS, body), Err(Unreadable::NoSessionId));
    }
}

mod decisions {
    use super::*;

    const UNREADABLE: [&str; 1] = ["time_unreadable:decisionTime"];

    #[test]
    fn a_decision_says_who_what_and_when() {
        let event = event_in(&decision(json!({
            "status": "declined", "code": 9102, "reason": "Suspected document tampering", "reasonCode": 102,
            "vendorData": "customer-1", "endUserId": "person-1", "person": {"firstName": "SAMPLE"},
        })));
        assert_eq!(event.session.to_string(), format!("veriff/{SESSION}"));
        assert_eq!((event.session.provider, event.kind), (Provider::Veriff, Kind::Verification));
        assert_eq!(event.attempt_id.unwrap().as_str(), ATTEMPT);
        assert_eq!(event.name, "decision.declined");
        assert_eq!(event.occurred_at, Some(time(DECIDED_AT)));
        assert_eq!(event.received_at, time(ARRIVAL));
        let decision = event.decision.unwrap();
        assert_eq!(decision.outcome, Outcome::Declined);
        assert_eq!(decision.reason_code, ReasonCode::new("102"));
        assert_eq!(decision.reason.as_deref(), Some("Suspected document tampering"));
        assert_eq!(event.subject.reference.as_deref(), Some("customer-1"));
        assert_eq!(event.subject.provider_user_id.as_deref(), Some("person-1"));
        assert_eq!((event.stage, event.remark), (None, None));
        assert!(event.checks.is_empty() && event.detail.is_empty());
    }

    #[test]
    fn the_status_decides_under_every_code_that_was_seen_with_it() {
        for (status, code, expected) in [
            ("approved", json!(9001), Outcome::Approved),
            ("approved", json!("9001"), Outcome::Approved),
            ("approved", Value::Null, Outcome::Approved),
            ("declined", json!(9102), Outcome::Declined),
            ("resubmission_requested", json!(9103), Outcome::ResubmissionRequested),
            ("expired", json!(9104), Outcome::Expired),
            ("abandoned", json!(9104), Outcome::Abandoned),
            ("abandoned", json!(9121), Outcome::Abandoned),
            ("review", json!(9121), Outcome::Review),
            ("review", Value::Null, Outcome::Review),
        ] {
            let event = event_in(&decision(json!({"status": status, "code": code})));
            assert_eq!((outcome(&event), event.remark), (Some(expected), None), "{status} {code}");
            assert_eq!(event.name, format!("decision.{status}"));
        }
    }

    #[test]
    fn a_missing_code_contradicts_nothing() {
        for body in [decision_of(&without(verification(), "code")), decision(json!({"code": ""}))] {
            let event = event_in(&body);
            assert_eq!((outcome(&event), event.remark), (Some(Outcome::Approved), None));
        }
    }

    #[test]
    fn an_approval_under_any_other_code_approves_nothing() {
        for code in [
            json!(9102),
            json!(9103),
            json!(9104),
            json!(9121),
            json!(0),
            json!(-9001),
            json!(9001.5),
            json!(90010),
            json!("9102"),
            json!("approved"),
            json!(" 9001 "),
            json!(true),
            json!(false),
            json!([9001]),
            json!([]),
            json!({}),
            json!({"value": 9102}),
        ] {
            let event = event_in(&decision(json!({"code": code})));
            assert_eq!((outcome(&event), event.remark), (None, Some(Remark::Inconsistent)), "{code}");
            assert_eq!(event.name, "decision.approved");
            assert!(event.detail.contains_key("code"), "{code}");
        }
    }

    #[test]
    fn any_other_status_decides_under_a_contradicting_code_and_is_counted() {
        for (status, code, expected) in [
            ("declined", 9001, Outcome::Declined),
            ("resubmission_requested", 9001, Outcome::ResubmissionRequested),
            ("expired", 9121, Outcome::Expired),
            ("abandoned", 9102, Outcome::Abandoned),
            ("review", 9104, Outcome::Review),
        ] {
            let event = event_in(&decision(json!({"status": status, "code": code})));
            assert_eq!((outcome(&event), event.remark), (Some(expected), Some(Remark::Inconsistent)), "{status}");
            assert_eq!(event.detail, detail([("code", &code.to_string())]));
        }
    }

    #[test]
    fn an_unknown_status_is_recorded_and_decides_nothing() {
        for status in [
            json!("escalated"),
            json!("Approved"),
            json!("APPROVED"),
            json!(" approved"),
            json!("approved\u{0}"),
            json!("success"),
            json!("аpproved"),
            json!(9001),
            json!(true),
            json!(["approved"]),
            json!({"value": "approved"}),
            json!(""),
            Value::Null,
        ] {
            let event = event_in(&decision(json!({"status": status})));
            assert_eq!((outcome(&event), event.remark), (None, Some(Remark::Unrecognised)), "{status}");
            assert_eq!(event.name, "decision.unrecognised");
        }
        let event = event_in(&decision_of(&without(verification(), "status")));
        assert_eq!((outcome(&event), event.remark), (None, Some(Remark::Unrecognised)));
        let event = event_in(&decision(json!({"status": "escalated"})));
        assert_eq!(event.detail, detail([("status", "escalated")]));
    }

    #[test]
    fn the_status_beside_the_verification_is_not_the_decision() {
        let event = event_in(
            &json!({"status": "approved", "verification": with(verification(), json!({"status": "declined", "code": 9102}))}),
        );
        assert_eq!(outcome(&event), Some(Outcome::Declined));
        let event = event_in(&json!({"status": "success", "verification": {"id": SESSION}}));
        assert_eq!(outcome(&event), None);
    }

    #[test]
    fn a_reason_code_is_taken_as_integer_or_text_but_never_as_prose() {
        for (sent, expected) in [
            (json!(102), Some("102")),
            (json!("203"), Some("203")),
            (json!("velocity_abuse.2"), Some("velocity_abuse.2")),
            (Value::Null, None),
            (json!(""), None),
            (json!("The person said no"), None),
            (json!("tāpse"), None),
            (json!("1".repeat(64)), Some("1".repeat(64).as_str())),
            (json!("1".repeat(65)), None),
            (json!(true), None),
            (json!([102]), None),
            (json!({"code": 102}), None),
        ] {
            let event = event_in(&decision(json!({"status": "declined", "code": 9102, "reasonCode": sent})));
            assert_eq!(reason_code(&event), expected, "{sent}");
            assert_eq!(outcome(&event), Some(Outcome::Declined), "{sent}");
        }
    }

    #[test]
    fn a_reason_is_kept_up_to_1024_characters() {
        let reason = |sent: Value| event_in(&decision(json!({"reason": sent}))).decision.unwrap().reason;
        assert_eq!(reason(Value::Null), None);
        assert_eq!(reason(json!("  ")), None);
        assert_eq!(reason(json!({"text": "x"})), None);
        assert_eq!(reason(json!("é".repeat(1024))).unwrap(), "é".repeat(1024));
        assert_eq!(reason(json!("é".repeat(1025))).unwrap(), "é".repeat(1024));
    }

    #[test]
    fn the_time_of_decision_counts_in_every_form_that_is_a_point_in_time() {
        for (sent, expected) in [
            ("2026-06-13T00:38:30.861285Z", "2026-06-13T00:38:30.861285Z"),
            ("2026-06-13T00:38:30.861Z", "2026-06-13T00:38:30.861Z"),
            ("2026-06-13T00:38:30.5Z", "2026-06-13T00:38:30.5Z"),
            ("2026-06-13T00:38:30Z", "2026-06-13T00:38:30Z"),
            ("2026-06-13T02:38:30+02:00", "2026-06-13T00:38:30Z"),
            (" 2026-06-13T00:38:30Z ", "2026-06-13T00:38:30Z"),
            ("2126-06-13T00:38:30Z", "2126-06-13T00:38:30Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2026-06-13 00:38:30", "2026-06-13T00:38:30Z"),
            ("2026-06-13T00:38:30", "2026-06-13T00:38:30Z"),
            ("2026-06-13T02:38:30+0200", "2026-06-13T00:38:30Z"),
            ("2026-06-13T00:38:30,5Z", "2026-06-13T00:38:30.5Z"),
            ("1781311110", "2026-06-13T00:38:30Z"),
            ("1781311110000", "2026-06-13T00:38:30Z"),
        ] {
            let event = event_in(&decision(json!({"decisionTime": sent})));
            assert_eq!(event.occurred_at, Some(time(expected)), "{sent}");
            assert!(event.remarks.is_empty(), "{sent}: {:?}", event.remarks);
        }
    }

    #[test]
    fn no_date_fails_a_delivery() {
        const NO_TIME: [&str; 0] = [];
        for (sent, remarks) in [
            (Value::Null, &NO_TIME[..]),
            (json!(""), &NO_TIME),
            (json!(" "), &NO_TIME),
            (json!("0000-00-00"), &NO_TIME),
            (json!("1989-00-00"), &UNREADABLE),
            (json!("2026-02-30T00:00:00Z"), &UNREADABLE),
            (json!("2026-06-13T25:00:00Z"), &UNREADABLE),
            (json!("99999-01-01T00:00:00Z"), &UNREADABLE),
            (json!("soon"), &UNREADABLE),
            (json!("9".repeat(100_000)), &UNREADABLE),
            (json!(i64::MIN), &UNREADABLE),
            (json!(u64::MAX), &UNREADABLE),
            (json!(-1.5e300), &UNREADABLE),
            (json!(true), &UNREADABLE),
            (json!([DECIDED_AT]), &UNREADABLE),
            (json!({}), &UNREADABLE),
        ] {
            let event = event_in(&decision(json!({"decisionTime": sent})));
            assert_eq!((event.occurred_at, outcome(&event)), (None, Some(Outcome::Approved)), "{sent}");
            assert_eq!(event.effective_at(), time(ARRIVAL), "{sent}");
            assert_eq!(event.remarks, remarks, "{sent}");
        }
    }

    #[test]
    fn a_number_counts_seconds_or_milliseconds() {
        for sent in [json!(1_781_311_110), json!(1_781_311_110_000_i64), json!(1_781_311_110.0)] {
            let event = event_in(&decision(json!({"decisionTime": sent})));
            assert_eq!((event.occurred_at, event.remarks), (Some(time("2026-06-13T00:38:30Z")), vec![]), "{sent}");
        }
    }

    #[test]
    fn a_late_approval_in_another_spelling_of_time_is_no_news() {
        let declined = json!({"status": "declined", "code": 9102, "decisionTime": "2026-06-13T00:38:30Z"});
        let declined = event_in(&decision(declined));
        for earlier in [json!("2026-06-12 23:00:00"), json!(1_781_305_200), json!(1_781_305_200_000_i64)] {
            let approved = event_in(&decision(json!({"decisionTime": earlier})));
            assert!(approved.effective_at() < declined.effective_at(), "{earlier}");
        }
    }

    #[test]
    fn a_time_in_the_future_counts_for_at_most_five_minutes_after_arrival() {
        let event = event_in(&decision(json!({"decisionTime": "2099-01-01T00:00:00Z"})));
        assert_eq!(event.effective_at(), time("2026-06-13T00:45:00Z"));
    }

    #[test]
    fn a_missing_attempt_is_none() {
        for attempt in [Value::Null, json!(""), json!(" \t"), json!({}), json!([ATTEMPT]), json!(true)] {
            assert_eq!(event_in(&decision(json!({"attemptId": attempt}))).attempt_id, None, "{attempt}");
        }
        assert_eq!(event_in(&decision_of(&without(verification(), "attemptId"))).attempt_id, None);
    }

    #[test]
    fn persons_and_documents_may_have_any_shape() {
        for sent in [Value::Null, json!({}), json!([]), json!("x"), json!(1), json!({"type": null, "x": [[]]})] {
            let body = decision(json!({"person": sent, "document": sent, "additionalVerifiedData": sent,
                "riskLabels": sent, "technicalData": sent, "comments": sent}));
            assert_eq!(outcome(&event_in(&body)), Some(Outcome::Approved), "{sent}");
        }
    }

    #[test]
    fn its_details_are_scores_codes_and_times_and_name_nobody() {
        let event = event_in(&decision(json!({"riskScore": {"score": 0.97}, "decisionScore": 0.5,
            "document": {"type": "DRIVERS_LICENSE", "country": "GB", "number": "SPECIMEN000001", "validFrom": null},
            "person": {"firstName": "SAMPLE", "dateOfBirth": "1970-01-01"},
            "acceptanceTime": "2026-06-13T00:15:27.000Z", "submissionTime": "2026-06-13T00:15:20.000Z",
            "biometricAuthentication": {"matchedSessionId": SESSION, "matchedSessionVendorData": "customer-2"}})));
        let expected = [
            ("acceptanceTime", "2026-06-13T00:15:27.000Z"),
            ("country", "GB"),
            ("decisionScore", "0.5"),
            ("documentType", "DRIVERS_LICENSE"),
            ("matchedSessionId", SESSION),
            ("riskScore", "0.97"),
            ("submissionTime", "2026-06-13T00:15:20.000Z"),
        ];
        assert_eq!((decision_detail(&event), event.remarks.len()), (expected.to_vec(), 0));
    }

    #[test]
    fn a_detail_that_is_no_code_vanishes_and_the_decision_stays() {
        for canary in [json!("Sample Person"), json!("x".repeat(65)), json!(["canary"]), json!({"name": "canary"})] {
            let event = event_in(&decision(json!({"status": "declined", "code": 9102, "riskScore": canary,
                "decisionScore": canary, "document": {"type": canary, "country": canary}, "acceptanceTime": canary,
                "submissionTime": canary, "biometricAuthentication": canary, "riskLabels": canary, "reasonCode": canary})));
            let decision = event.decision.as_ref().unwrap();
            assert_eq!((decision.outcome, decision.detail.is_empty()), (Outcome::Declined, true), "{canary}");
            assert!(event.remarks.contains(&"left_out:riskScore".to_owned()), "{:?}", event.remarks);
            assert!(event.remarks.contains(&"left_out:document.type".to_owned()), "{:?}", event.remarks);
            if !canary.is_array() {
                assert!(decision.all_reason_codes().is_empty(), "{canary}");
                assert!(event.remarks.contains(&"left_out:riskLabels".to_owned()), "{:?}", event.remarks);
            }
        }
    }

    #[test]
    fn its_reason_codes_are_the_reason_s_and_then_the_labels_of_the_risks() {
        let labels = json!([{"label": "document_crosslinked", "category": "document", "sessionIds": [SESSION]},
            {"label": "device_seen"}, {"label": "document_crosslinked"}, "network_risk"]);
        for (reason_code, expected) in [
            (json!(102), vec!["102", "document_crosslinked", "device_seen", "network_risk"]),
            (Value::Null, vec!["document_crosslinked", "device_seen", "network_risk"]),
        ] {
            let event = event_in(&decision(json!({"status": "declined", "code": 9102, "reasonCode": reason_code,
                "riskLabels": labels})));
            let decision = event.decision.unwrap();
            assert_eq!(codes(decision.all_reason_codes()), expected);
            assert_eq!(decision.reason_code.unwrap().as_str(), expected[0]);
            assert!(event.remarks.is_empty(), "{:?}", event.remarks);
        }
    }

    #[test]
    fn of_many_labels_the_first_fifteen_stand_beside_the_reason() {
        let labels: Vec<_> = (0..100).map(|n| json!({"label": format!("label_{n}")})).collect();
        let event =
            event_in(&decision(json!({"status": "declined", "code": 9102, "reasonCode": 102, "riskLabels": labels})));
        let decision = event.decision.unwrap();
        let codes = codes(decision.all_reason_codes());
        assert_eq!((codes.len(), codes[0], codes[15]), (16, "102", "label_14"));
        assert_eq!(event.remarks, ["cut:riskLabels"]);
    }

    #[test]
    fn a_decision_wins_over_other_families_in_the_same_webhook() {
        let mixed = with(progress(json!({})), decision(json!({"status": "declined", "code": 9102})));
        let mixed = with(mixed, json!({"eventType": "fullauto", "checkType": "x", "matchStatus": "no_match"}));
        assert_eq!(outcome(&event_in(&mixed)), Some(Outcome::Declined));
    }

    #[test]
    fn nothing_decided_yet_is_nothing_to_record() {
        for body in [
            json!({"status": "success", "verification": null}),
            json!({"verification": null}),
            json!({"status": "success", "verification": null, "technicalData": {"ip": "198.51.100.7"}}),
        ] {
            assert_eq!(read(&body), Ok(Reading::Nothing(Ignored::Undecided)));
        }
    }

    #[test]
    fn a_verification_that_is_no_object_names_no_session() {
        for verification in [json!("approved"), json!(1), json!(true), json!([]), json!([verification()])] {
            assert_eq!(read(&decision_of(&verification)), Err(Unreadable::NoSessionId));
        }
    }
}

mod progress_events {
    use super::*;

    #[test]
    fn each_known_code_has_its_action_and_stage() {
        for (code, action, stage) in [
            (7001, "started", Some(Stage::Started)),
            (7002, "submitted", Some(Stage::Submitted)),
            (7007, "waiting_complete", None),
            (7008, "waiting_continued", None),
            (7009, "flow_finished", None),
            (7010, "flow_cancelled", None),
            (7011, "document_type_other_selected", None),
        ] {
            for code in [json!(code), json!(code.to_string())] {
                let event = event_in(&progress(json!({"code": code, "action": action})));
                assert_eq!((event.stage, event.remark), (stage, None), "{code} {action}");
                assert_eq!(event.name, format!("event.{action}"));
                assert_eq!((event.decision, event.occurred_at), (None, None), "{code} {action}");
            }
        }
    }

    #[test]
    fn code_and_action_that_disagree_are_recorded_without_a_stage() {
        for (code, action, name) in [
            (7001, json!("submitted"), "event.submitted"),
            (7002, json!("started"), "event.started"),
            (7005, json!("started"), "event.started"),
            (7009, json!("flow_cancelled"), "event.flow_cancelled"),
            (7002, json!("resumed"), "event.unrecognised"),
            (7002, json!("Submitted"), "event.unrecognised"),
            (7002, Value::Null, "event.unrecognised"),
            (7002, json!(["submitted"]), "event.unrecognised"),
        ] {
            let event = event_in(&progress(json!({"code": code, "action": action})));
            assert_eq!((event.stage, event.remark), (None, Some(Remark::Inconsistent)), "{code} {action}");
            assert_eq!(event.name, name, "{code} {action}");
            assert_eq!(event.detail["code"], code.to_string());
        }
    }

    #[test]
    fn what_is_unknown_or_contradicting_is_shown_as_a_code_or_by_its_type_and_length() {
        for (code, action, shown_code, shown_action) in [
            (json!(7012), json!("camera_switched"), "7012", "camera_switched"),
            (json!(7001), json!("submitted"), "7001", "submitted"),
            (json!("Sample Person"), json!("Sample Person did it"), "string(13)", "string(20)"),
            (json!([7001]), json!({"name": "Sample"}), "array(1)", "object(1)"),
            (Value::Null, json!("x".repeat(65)), "missing(0)", "string(65)"),
        ] {
            let event = event_in(&progress(json!({"code": code, "action": action})));
            assert!(event.remark.is_some(), "{code} {action}");
            assert_eq!(event.detail, detail([("code", shown_code), ("action", shown_action)]), "{code} {action}");
        }
        assert!(event_in(&progress(json!({}))).detail.is_empty(), "what is known needs no showing");
    }

    #[test]
    fn why_a_person_left_is_the_detail_of_the_check_flow() {
        let left =
            |context: Value| event_in(&progress(json!({"code": 7010, "action": "flow_cancelled", "context": context})));
        let event = left(json!({"reason": "quit_session_confirmed", "state": "camera_access_blocked_screen_shown"}));
        assert_eq!(outcomes(&event), [("flow", CheckOutcome::Captured)]);
        let expected = vec![
            ("action", "flow_cancelled"),
            ("reason", "quit_session_confirmed"),
            ("state", "camera_access_blocked_screen_shown"),
        ];
        assert_eq!(said(&event.checks["flow"]), (vec![], expected));
        let event = left(json!({"reason": "Sample Person left", "state": "final_screen"}));
        let expected = vec![("action", "flow_cancelled"), ("state", "final_screen")];
        assert_eq!(said(&event.checks["flow"]), (vec![], expected));
        assert_eq!(event.remarks, ["left_out:context.reason"]);
        for nothing in [Value::Null, json!({}), json!({"reason": "", "state": null})] {
            let event = left(nothing);
            assert!(event.checks.is_empty() && event.remarks.is_empty());
        }
    }

    #[test]
    fn an_unknown_code_is_recorded_without_a_stage() {
        for code in [json!(7099), json!("x"), Value::Null, json!(7001.0), json!([7001]), json!({}), json!(true)] {
            let event = event_in(&progress(json!({"code": code})));
            assert_eq!((event.stage, event.remark), (None, Some(Remark::Unrecognised)), "{code}");
            assert_eq!(event.name, "event.started");
        }
        let event = event_in(&progress(json!({"code": 7099, "action": "paused"})));
        assert_eq!((event.name.as_str(), event.remark), ("event.unrecognised", Some(Remark::Unrecognised)));
    }

    #[test]
    fn an_event_never_decides() {
        let event = event_in(&progress(json!({"status": "approved", "decision": "approved", "code": 9001})));
        assert_eq!(outcome(&event), None);
    }

    #[test]
    fn a_legacy_address_event_is_recorded_without_a_stage() {
        let event = event_in(&with(
            without(progress(json!({"code": 7005, "action": "submitted"})), "attemptId"),
            json!({"addressId": "9fbfeaa7-bf4b-49d2-aa35-846e8c5686ca"}),
        ));
        assert_eq!((event.stage, event.remark, event.attempt_id), (None, None, None));
        assert_eq!(event.name, "event.submitted");
    }

    #[test]
    fn an_old_event_has_no_attempt() {
        let event = event_in(&without(progress(json!({})), "attemptId"));
        assert_eq!((event.attempt_id, event.stage), (None, Some(Stage::Started)));
    }

    #[test]
    fn reason_and_state_come_in_any_combination() {
        for (context, expected) in [
            (Value::Null, detail([])),
            (json!({}), detail([])),
            (json!({"reason": null, "state": null}), detail([])),
            (json!({"reason": "", "state": " "}), detail([])),
            (json!({"reason": "quit_session_confirmed"}), detail([("reason", "quit_session_confirmed")])),
            (json!({"state": "a new one"}), detail([("state", "a new one")])),
            (json!({"reason": 7, "state": "s", "other": "o"}), detail([("reason", "7"), ("state", "s")])),
            (json!({"reason": {"text": "x"}, "state": ["s"]}), detail([])),
            (json!("quit_session_confirmed"), detail([])),
            (json!([{"reason": "r"}]), detail([])),
        ] {
            let event = event_in(&progress(json!({"code": 7010, "action": "flow_cancelled", "context": context})));
            assert_eq!((event.detail, event.remark), (expected, None), "{context}");
        }
    }

    #[test]
    fn reason_and_state_are_kept_up_to_128_characters() {
        let event = event_in(&progress(json!({"context": {"reason": "é".repeat(128), "state": "🔑".repeat(1000)}})));
        assert_eq!(event.detail, detail([("reason", &"é".repeat(128)), ("state", &"🔑".repeat(128))]));
    }

    #[test]
    fn the_subject_is_your_reference_and_the_providers_user() {
        let event = event_in(&progress(json!({"vendorData": "customer-1", "endUserId": "person-1"})));
        assert_eq!(event.subject.reference.as_deref(), Some("customer-1"));
        assert_eq!(event.subject.provider_user_id.as_deref(), Some("person-1"));
    }

    #[test]
    fn an_event_on_the_decisions_path_is_the_same_event() {
        for body in [progress(json!({})), decision(json!({})), watchlist(json!({})), user_status()] {
            let body = body.to_string();
            assert_eq!(read_on(EVENTS, &body), read_on(DECISIONS, &body), "{body}");
        }
    }
}

mod references {
    use super::*;

    fn reference(sent: &Value) -> Option<String> {
        let event = event_in(&decision(json!({"vendorData": sent, "endUserId": sent})));
        assert_eq!(event.subject.reference, event.subject.provider_user_id);
        assert_eq!(event.subject.reference, event_in(&progress(json!({"vendorData": sent}))).subject.reference);
        event.subject.reference
    }

    #[test]
    fn a_blank_reference_is_missing() {
        for sent in [Value::Null, json!(""), json!(" \t\r\n"), json!("\u{3000}"), json!({}), json!([]), json!(false)] {
            assert_eq!(reference(&sent), None, "{sent}");
        }
    }

    #[test]
    fn a_reference_is_taken_literally() {
        for sent in ["customer-1", " padded ", "{\"json\":1}", "a\u{0}b", "línea\r\n二", "${jndi:x}", "__proto__"] {
            assert_eq!(reference(&json!(sent)).as_deref(), Some(sent));
        }
        assert_eq!(reference(&json!(12_345_678)).as_deref(), Some("12345678"));
    }

    #[test]
    fn a_reference_of_a_thousand_characters_is_kept_whole() {
        for character in ["x", "é", "二", "🔑"] {
            assert_eq!(reference(&json!(character.repeat(1000))), Some(character.repeat(1000)));
        }
    }

    #[test]
    fn a_reference_that_must_be_left_out_leaves_a_remark_and_the_event() {
        for sent in [json!("x".repeat(4001)), json!("é".repeat(2001)), json!({"id": 1}), json!(["x"]), json!(true)] {
            let event = event_in(&decision(json!({"vendorData": sent, "endUserId": sent})));
            assert_eq!(event.remarks, ["left_out:vendorData", "left_out:endUserId"], "{sent}");
            assert_eq!((event.subject, event.decision.is_some()), (Subject::default(), true), "{sent}");
        }
        for missing in [Value::Null, json!(""), json!("  ")] {
            assert!(event_in(&decision(json!({"vendorData": missing}))).remarks.is_empty(), "{missing}");
        }
    }

    #[test]
    fn what_is_stored_of_a_webhook_keeps_its_reference_whatever_it_looks_like() {
        let token = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl";
        for sent in
            ["x".repeat(1000), "é".repeat(1000), "x".repeat(5000), format!("a {}", "x".repeat(5000)), token.into()]
        {
            let Ok(Reading::Events { events, parts }) = read(&decision(json!({"vendorData": sent}))) else { panic!() };
            let payload = &parts[0].payload;
            let Ok(Reading::Events { events: again, .. }) = read_on(DECISIONS, payload) else { panic!("{payload}") };
            assert_eq!(again, events);
        }
    }
}

mod watchlists {
    use super::*;

    #[test]
    fn a_result_is_a_check_and_never_a_decision() {
        for (status, expected) in [("no_match", CheckOutcome::Passed), ("possible_match", CheckOutcome::Flagged)] {
            let event = event_in(&watchlist(json!({"matchStatus": status, "vendorData": "customer-1"})));
            assert_eq!(event.name, "watchlist");
            assert_eq!(outcomes(&event), [("watchlist", expected)]);
            assert_eq!((&event.decision, event.stage, event.remark), (&None, None, None));
            assert_eq!(event.session.session_id.as_str(), SESSION);
            assert_eq!(event.attempt_id.unwrap().as_str(), ATTEMPT);
            assert_eq!(event.occurred_at, Some(time("2026-06-12T09:31:00.287Z")));
            assert_eq!(event.subject.reference.as_deref(), Some("customer-1"));
            assert_eq!(event.detail, detail([("checkType", "initial_result"), ("matchStatus", status)]));
        }
    }

    #[test]
    fn an_unknown_result_is_recorded_without_a_check() {
        for status in [json!("confirmed"), json!("No_Match"), json!(0), json!(false), Value::Null, json!({})] {
            let event = event_in(&watchlist(json!({"matchStatus": status})));
            assert_eq!((outcomes(&event), event.remark), (vec![], Some(Remark::Unrecognised)), "{status}");
            assert_eq!(event.name, "watchlist");
        }
        for (status, shown) in [(json!("confirmed"), "confirmed"), (json!("Sample Person"), "string(13)")] {
            assert_eq!(event_in(&watchlist(json!({"matchStatus": status}))).detail["matchStatus"], shown);
        }
    }

    #[test]
    fn it_says_how_many_hits_on_which_lists_and_whether_monitoring_found_them() {
        let listed = |lists: Value| json!({"matchedName": "Sample Person", "listingsRelatedToMatch": lists});
        let entry = json!([{"sourceName": "Sample list", "date": null}]);
        let event = event_in(&watchlist(json!({"matchStatus": "possible_match", "checkType": "updated_result",
            "totalHits": 5, "hits": [
                listed(json!({"warnings": entry, "sanctions": entry, "pep": [], "adverseMedia": null})),
                listed(json!({"sanctions": entry, "fitnessProbity": entry}))]})));
        assert_eq!(
            said(&event.checks["watchlist"]),
            (
                vec!["sanctions", "warnings", "fitnessProbity"],
                vec![("checkType", "updated_result"), ("monitoring", "true"), ("totalHits", "5")]
            )
        );
        assert!(event.remarks.is_empty(), "{:?}", event.remarks);
        let first = event_in(&watchlist(json!({"totalHits": 0, "hits": []})));
        let detail = vec![("checkType", "initial_result"), ("monitoring", "false"), ("totalHits", "0")];
        assert_eq!(said(&first.checks["watchlist"]), (vec![], detail));
    }

    #[test]
    fn hits_of_another_shape_are_left_out_and_the_result_kept() {
        let lists: serde_json::Map<_, _> = (0..20).map(|n| (format!("list{n:02}"), json!([1]))).collect();
        for (hits, count, remarks) in [
            (json!("Sample Person"), 0, &["left_out:hits"][..]),
            (json!(["Sample Person"]), 0, &["left_out:hits"]),
            (json!([{"listingsRelatedToMatch": ["sanctions"]}]), 0, &["left_out:hits"]),
            (json!([{"listingsRelatedToMatch": {"Sample Person": [1], "pep": [1]}}]), 1, &["left_out:hits"]),
            (json!([{"listingsRelatedToMatch": lists}]), 16, &["cut:hits"]),
            (json!([{"listingsRelatedToMatch": null}, {}]), 0, &[]),
        ] {
            let event = event_in(&watchlist(json!({"matchStatus": "possible_match", "hits": hits})));
            let check = &event.checks["watchlist"];
            assert_eq!((check.outcome, check.reason_codes.len()), (CheckOutcome::Flagged, count), "{hits}");
            assert_eq!(event.remarks, remarks, "{hits}");
        }
    }

    #[test]
    fn the_api_answer_wraps_what_the_webhook_sends_bare() {
        let bare = event_in(&watchlist(json!({"vendorData": "customer-1"})));
        let wrapped = event_in(&json!({"status": "success", "data": watchlist(json!({"vendorData": "customer-1"}))}));
        assert_eq!(SessionEvent { event_id: bare.event_id.clone(), ..wrapped }, bare);
    }

    #[test]
    fn an_old_one_is_filed_under_its_attempt() {
        for body in [
            without(watchlist(json!({})), "sessionId"),
            watchlist(json!({"sessionId": null})),
            watchlist(json!({"sessionId": ""})),
            json!({"status": "success", "data": without(watchlist(json!({})), "sessionId")}),
        ] {
            let event = event_in(&body);
            assert_eq!(event.session.session_id.as_str(), ATTEMPT);
            assert_eq!(event.attempt_id.unwrap().as_str(), ATTEMPT);
        }
        let nameless = without(without(watchlist(json!({})), "sessionId"), "attemptId");
        assert_eq!(read(&nameless), Err(Unreadable::NoSessionId));
    }
}

mod user_statuses {
    use super::*;

    #[test]
    fn a_status_of_ones_own_is_a_check_and_decides_nothing() {
        let event = event_in(&user_status());
        assert_eq!(event.name, "user_status");
        assert_eq!((&event.decision, event.stage, event.remark), (&None, None, None));
        assert_eq!(event.session.session_id.as_str(), SESSION);
        assert_eq!(event.attempt_id.as_ref().unwrap().as_str(), ATTEMPT);
        assert_eq!(event.occurred_at, Some(time("2026-06-12T10:00:02.998Z")));
        assert_eq!(event.detail, detail([("statusCode", "looks_odd")]));
        assert_eq!(outcomes(&event), [("user_status", CheckOutcome::Captured)]);
        assert_eq!(said(&event.checks["user_status"]), (vec!["looks_odd"], vec![("statusCode", "looks_odd")]));
    }

    fn defined(data: &Value) -> SessionEvent {
        event_in(&with(user_status(), json!({"data": {"verification": {"userDefinedData": data}}})))
    }

    #[test]
    fn its_codes_are_those_of_the_status_and_of_the_reason_and_its_reason_stays_in_the_record() {
        let event = defined(&json!({"statusCode": "revoked", "reasonCode": 17, "reason": "Sample reason",
            "status": "Revoked by Sample Person"}));
        let detail = vec![("reasonCode", "17"), ("statusCode", "revoked")];
        assert_eq!(said(&event.checks["user_status"]), (vec!["revoked", "17"], detail));
        assert_eq!(event.checks["user_status"].reason.as_deref(), Some("Sample reason"));
        assert!(event.remarks.is_empty() && !event.detail.contains_key("status"));
    }

    #[test]
    fn words_in_the_place_of_its_codes_are_left_out() {
        let event = defined(&json!({"statusCode": "Sample Person", "reasonCode": {"text": "Sample"}}));
        assert_eq!(said(&event.checks["user_status"]), (vec![], vec![]));
        assert_eq!(event.remarks, ["left_out:statusCode", "left_out:reasonCode"]);
        assert_eq!(event.detail, detail([("statusCode", "string(13)")]));
    }

    #[test]
    fn without_a_session_id_it_is_kept_for_an_operator() {
        for body in [without(user_status(), "sessionId"), with(user_status(), json!({"sessionId": " "}))] {
            assert_eq!(read(&body), Err(Unreadable::NoSessionId));
        }
        for data in [Value::Null, json!({}), json!({"verification": {"id": SESSION}}), json!([])] {
            let body = with(without(user_status(), "sessionId"), json!({"data": data}));
            assert_eq!(read(&body), Err(Unreadable::NoSessionId));
        }
    }

    #[test]
    fn a_session_that_an_earlier_reader_made_of_one_without_a_session_id_is_not_read_again() {
        let recorded = event_in(&user_status());
        let body = without(user_status(), "sessionId").to_string();
        assert_eq!(read_again(&recorded, DECISIONS, &body), Err(Unreadable::NoSessionId));
    }

    #[test]
    fn the_status_code_may_be_missing() {
        for data in [Value::Null, json!({}), json!({"verification": {"userDefinedData": null}}), json!("x")] {
            let event = event_in(&with(user_status(), json!({"data": data})));
            assert_eq!((&event.detail, event.remark), (&detail([]), None), "{data}");
            assert_eq!(outcomes(&event), [("user_status", CheckOutcome::Captured)]);
        }
    }
}

mod full_auto {
    use super::*;

    #[test]
    fn it_decides_as_a_decision_does() {
        for (value, expected) in [
            ("approved", Outcome::Approved),
            ("declined", Outcome::Declined),
            ("resubmission_requested", Outcome::ResubmissionRequested),
            ("expired", Outcome::Expired),
            ("abandoned", Outcome::Abandoned),
            ("review", Outcome::Review),
        ] {
            let event = event_in(&full_auto(&json!(value)));
            assert_eq!((outcome(&event), event.remark), (Some(expected), None), "{value}");
            assert_eq!(event.name, format!("fullauto.{value}"));
            assert_eq!(event.session.session_id.as_str(), SESSION);
            assert_eq!(event.attempt_id.unwrap().as_str(), ATTEMPT);
            assert_eq!(event.occurred_at, Some(time(DECIDED_AT)));
            assert_eq!(event.detail, detail([("decisionScore", "0.97")]));
        }
    }

    #[test]
    fn the_smallest_one_decides() {
        let event = event_in(&json!({"eventType": "fullauto", "sessionId": SESSION,
            "data": {"verification": {"decision": {"value": "approved"}}}}));
        assert_eq!((outcome(&event), event.occurred_at), (Some(Outcome::Approved), None));
        assert!(event.detail.is_empty());
    }

    /// A Full Auto webhook whose `data.verification` has these members.
    fn verification_with(members: &Value) -> SessionEvent {
        event_in(&with(full_auto(&json!("approved")), json!({"data": {"verification": members}})))
    }

    #[test]
    fn its_decision_may_be_a_plain_word() {
        for (word, expected) in [
            ("approved", Outcome::Approved),
            ("declined", Outcome::Declined),
            ("resubmission_requested", Outcome::ResubmissionRequested),
            ("expired", Outcome::Expired),
            ("abandoned", Outcome::Abandoned),
            ("review", Outcome::Review),
        ] {
            let event = verification_with(&json!({"decision": word, "decisionScore": 0.98}));
            assert_eq!((outcome(&event), event.remark), (Some(expected), None), "{word}");
            assert_eq!(event.name, format!("fullauto.{word}"));
            assert_eq!(decision_detail(&event), [("decisionScore", "0.98")]);
        }
    }

    #[test]
    fn its_members_may_be_wrapped_and_name_nobody() {
        let event = verification_with(&json!({"decision": "declined", "decisionScore": {"value": 0.1},
            "person": {"firstName": {"value": "SAMPLE"}},
            "document": {"type": {"value": "PASSPORT", "sources": ["MRZ"]}, "country": {"value": "EE"},
                "number": {"value": "SPECIMEN000001"}}}));
        let expected = [("country", "EE"), ("decisionScore", "0.1"), ("documentType", "PASSPORT")];
        assert_eq!((decision_detail(&event), event.remarks.len()), (expected.to_vec(), 0));
    }

    #[test]
    fn a_decision_that_is_null_decides_nothing() {
        for decision in [Value::Null, json!({"value": null})] {
            let event = verification_with(&json!({"decision": decision}));
            assert_eq!((outcome(&event), event.remark), (None, None), "{decision}");
            assert_eq!(event.name, "fullauto.undecided");
        }
    }

    #[test]
    fn an_unknown_word_is_recorded_and_decides_nothing() {
        for (decision, shown) in [
            (json!("maybe"), "maybe"),
            (json!("Approved"), "Approved"),
            (json!("Sample Person"), "string(13)"),
            (json!(1), "1"),
            (json!(true), "true"),
            (json!(["approved"]), "array(1)"),
            (json!({"word": "approved"}), "missing(0)"),
            (json!(""), "missing(0)"),
        ] {
            for event in [
                full_auto(&decision),
                with(full_auto(&decision), json!({"data": {"verification": {"decision": decision}}})),
            ] {
                let event = event_in(&event);
                assert_eq!((outcome(&event), event.remark), (None, Some(Remark::Unrecognised)), "{decision}");
                assert_eq!(event.name, "fullauto.unrecognised");
                let is_wrapped_twice = decision.is_object() && event.detail["decision"] == "object(1)";
                assert!(is_wrapped_twice || event.detail["decision"] == shown, "{decision}: {:?}", event.detail);
            }
        }
        for data in [Value::Null, json!({}), json!({"verification": "approved"}), json!("approved")] {
            let event = event_in(&with(full_auto(&json!("approved")), json!({"data": data})));
            assert_eq!((outcome(&event), event.remark), (None, Some(Remark::Unrecognised)), "{data}");
        }
    }
}

mod registries {
    use super::*;

    fn ine(data: &Value) -> Value {
        json!({"eventType": "ine_registry", "sessionId": SESSION, "attemptId": ATTEMPT,
            "time": "2026-06-12T09:32:00.287Z", "vendorData": "customer-1", "data": data})
    }

    fn curp(data: &Value) -> Value {
        json!({"type": "curp_registry", "id": SESSION, "vendorData": "customer-1", "data": data})
    }

    #[test]
    fn each_is_a_check_and_never_a_decision() {
        let found = json!({"code": 200, "status": "found", "attemptId": ATTEMPT, "details": {"active": true}});
        let combined = json!({"eventType": "combined-ine-curp-registry", "sessionId": SESSION, "attemptId": ATTEMPT,
            "vendorData": "customer-1", "data": {"ine": found, "curp": found}});
        for (body, name, outcome, occurred_at) in [
            (ine(&found), "registry.ine", CheckOutcome::Passed, Some(time("2026-06-12T09:32:00.287Z"))),
            (curp(&found), "registry.curp", CheckOutcome::Passed, None),
            (combined, "registry.ine_curp", CheckOutcome::Captured, None),
        ] {
            let event = event_in(&body);
            assert_eq!(event.name, name);
            assert_eq!(outcomes(&event), [("registry", outcome)], "{name}");
            assert_eq!((&event.decision, event.stage, event.remark), (&None, None, None), "{name}");
            assert_eq!(event.session.session_id.as_str(), SESSION, "{name}");
            assert_eq!(event.attempt_id.unwrap().as_str(), ATTEMPT, "{name}");
            assert_eq!(event.occurred_at, occurred_at, "{name}");
            assert_eq!(event.subject.reference.as_deref(), Some("customer-1"), "{name}");
        }
    }

    #[test]
    fn what_the_registry_answered_is_the_outcome() {
        for (data, outcome) in [
            (json!({"code": 200, "status": "La credencial es válida"}), CheckOutcome::Passed),
            (json!({"code": "200", "details": {"active": true}}), CheckOutcome::Passed),
            (json!({"code": 200, "details": {"active": false}}), CheckOutcome::Failed),
            (json!({"code": 404, "status": "not_found"}), CheckOutcome::Failed),
            (json!({"status": "not_found"}), CheckOutcome::Failed),
            (json!({"code": 500, "status": "error"}), CheckOutcome::Error),
            (json!({"code": 500, "details": {"active": true}}), CheckOutcome::Error),
            (json!({"code": 200, "details": {"active": "false"}}), CheckOutcome::Passed),
            (json!({"status": "found"}), CheckOutcome::Captured),
            (json!({}), CheckOutcome::Captured),
            (Value::Null, CheckOutcome::Captured),
            (json!("found"), CheckOutcome::Captured),
        ] {
            for body in [ine(&data), curp(&data)] {
                assert_eq!(outcomes(&event_in(&body)), [("registry", outcome)], "{data}");
            }
        }
    }
}

mod unfamiliar {
    use super::*;

    #[test]
    fn an_unknown_family_is_recorded_under_the_session_that_it_names() {
        let event = event_in(&json!({"eventType": "sample.family.created", "sessionId": SESSION, "id": "not-this",
            "attemptId": ATTEMPT, "time": DECIDED_AT, "vendorData": "customer-1", "status": "approved"}));
        assert_eq!((event.name.as_str(), event.remark), ("unrecognised", Some(Remark::Unrecognised)));
        assert_eq!((&event.decision, event.stage), (&None, None));
        assert_eq!(event.session.session_id.as_str(), SESSION);
        assert_eq!(event.attempt_id.unwrap().as_str(), ATTEMPT);
        assert_eq!(event.occurred_at, Some(time(DECIDED_AT)));
        assert_eq!(event.subject.reference.as_deref(), Some("customer-1"));
        assert_eq!(event.detail, detail([("eventType", "sample.family.created")]));
        let event = event_in(&json!({"id": SESSION, "type": "Sample Person", "action": "started"}));
        assert_eq!(event.detail, detail([("type", "string(13)"), ("action", "started")]));
    }

    #[test]
    fn the_session_may_stand_in_any_of_three_places() {
        for body in [
            json!({"sessionId": SESSION}),
            json!({"data": {"verification": {"id": SESSION}}}),
            json!({"id": SESSION}),
            json!({"id": SESSION, "action": "started"}),
            json!({"id": SESSION, "code": 7001}),
            json!({"id": SESSION, "type": "passport_registry"}),
            json!({"sessionId": SESSION, "checkType": "initial_result"}),
            json!({"sessionId": SESSION, "matchStatus": "no_match"}),
            json!({"sessionId": SESSION, "eventType": "FULLAUTO", "data": {"verification": {"decision": {"value": "approved"}}}}),
            json!({"id": SESSION, "verification": "approved"}),
            json!({"id": SESSION, "__proto__": {"verification": verification()}}),
        ] {
            let text = body.to_string();
            let event = event_in(&body);
            assert_eq!((event.name.as_str(), event.remark), ("unrecognised", Some(Remark::Unrecognised)), "{text}");
            assert_eq!((&event.decision, event.stage), (&None, None), "{text}");
            assert_eq!(event.session.session_id.as_str(), SESSION, "{text}");
        }
    }

    #[test]
    fn one_that_names_no_session_is_kept_for_an_operator() {
        for body in [
            json!({}),
            json!({"status": "success"}),
            json!({"status": "approved", "code": 9001}),
            json!({"eventType": "sample.family.created"}),
            json!({"attemptId": ATTEMPT, "eventType": "sample.family.created"}),
            json!({"Id": SESSION, "session_id": SESSION}),
            json!({"data": {"id": SESSION}}),
        ] {
            assert_eq!(read(&body), Err(Unreadable::NoSessionId));
        }
    }
}

mod answers {
    use super::*;

    #[test]
    fn only_what_is_refused_or_failed_is_not_a_200() {
        for (disposition, status) in [
            (Disposition::Recorded, 200),
            (Disposition::Duplicate, 200),
            (Disposition::Ignored, 200),
            (Disposition::Quarantined, 200),
            (Disposition::Refused(Refusal::MethodNotAllowed), 401),
            (Disposition::Refused(Refusal::PathUnknown), 404),
            (Disposition::Failed, 503),
        ] {
            let answer = Veriff::answer("/veriff/decisions", disposition);
            assert_eq!(answer.status, status, "{disposition:?}");
            assert!(serde_json::from_str::<Value>(answer.body).is_ok(), "{disposition:?}");
        }
    }
}
