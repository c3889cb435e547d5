//! What the answers of Incode's API mean, and that a webhook and an answer that tell the same are one fact.

use super::genuine::{event_on, time};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use verdict_sessions::{
    CheckOutcome, Kind, Outcome, Provider, ReasonCode, Remark, SequenceBase, Session, SessionEvent, SessionId,
    SessionKey, Stage, Timestamp,
};
use verdict_webhooks::{
    Unreadable,
    incode::{ApiAccess, Finding, SCORE_PATH, recurrence},
    read_again,
};

const SESSION: &str = "60000a22b09a35d2ef5aaa99";
const ASKED_AT: &str = "2026-06-13T01:00:00.25Z";

type Read = fn(&SessionKey, &[u8], Timestamp) -> Result<Finding, Unreadable>;

fn session() -> SessionKey {
    SessionKey { provider: Provider::Incode, session_id: SessionId::new(SESSION).unwrap() }
}

fn read_status(body: impl AsRef<[u8]>) -> Result<Finding, Unreadable> {
    Finding::of_status(&session(), body.as_ref(), time(ASKED_AT))
}

fn read_score(body: impl AsRef<[u8]>) -> Result<Finding, Unreadable> {
    Finding::of_score(&session(), body.as_ref(), time(ASKED_AT))
}

fn status(status: &str) -> Finding {
    read_status(json!({"onboardingStatus": status}).to_string()).unwrap()
}

fn score(status: &Value) -> Finding {
    read_score(json!({"overall": {"value": "87.5", "status": status}}).to_string()).unwrap()
}

fn outcome(event: &SessionEvent) -> Option<Outcome> {
    event.decision.as_ref().map(|decision| decision.outcome)
}

#[test]
fn a_status_found_is_the_status_that_the_webhook_tells() {
    for said in [
        "ID_VALIDATION_FINISHED",
        "ID_VALIDATION_FINISHED_SECOND_ID",
        "POST_PROCESSING_FINISHED",
        "FACE_VALIDATION_FINISHED",
        "GOVERNMENT_VALIDATION_FINISHED",
        "ONBOARDING_FINISHED",
        "MANUAL_REVIEW_APPROVED",
        "MANUAL_REVIEW_REJECTED",
        "EXPIRED",
        "SOMETHING_NEW",
    ] {
        let webhook =
            event_on("onboarding-status", json!({"interviewId": SESSION, "onboardingStatus": said}).to_string());
        let found = status(said).event.unwrap();
        assert_eq!(found.event_id, webhook.event_id, "{said}");
        assert_eq!(found, SessionEvent { received_at: time(ASKED_AT), ..webhook }, "{said}");
    }
}

#[test]
fn the_sample_says_that_the_score_can_be_asked_for() {
    let finding = status("ONBOARDING_FINISHED");
    assert!(finding.finished);
    let event = finding.event.unwrap();
    assert_eq!((event.stage, event.decision), (Some(Stage::Submitted), None));
    assert_eq!((event.session, event.kind), (session(), Kind::Onboarding));
    assert_eq!((event.received_at, event.occurred_at), (time(ASKED_AT), None));
    for unfinished in
        ["FACE_VALIDATION_FINISHED", "MANUAL_REVIEW_APPROVED", "EXPIRED", "onboarding_finished", "UNKNOWN"]
    {
        assert!(!status(unfinished).finished, "{unfinished}");
    }
}

#[test]
fn an_unknown_onboarding_is_nothing_yet() {
    assert_eq!(status("UNKNOWN").event, None);
}

#[test]
fn a_status_to_come_is_recorded_and_decides_nothing() {
    let event = status("SOMETHING_NEW").event.unwrap();
    assert_eq!((event.remark, event.decision, event.stage), (Some(Remark::Unrecognised), None, None));
    assert_eq!(event.detail["onboardingStatus"], "SOMETHING_NEW");
}

#[test]
fn a_score_decides() {
    for (said, name, expected) in [
        ("OK", "score.ok", Outcome::Approved),
        ("MANUAL_OK", "score.manual_ok", Outcome::Approved),
        ("FAIL", "score.fail", Outcome::Declined),
        ("MANUAL_FAIL", "score.manual_fail", Outcome::Declined),
        ("WARN", "score.warn", Outcome::Review),
        ("MANUAL", "score.manual", Outcome::Review),
        ("MANUAL_PENDING", "score.manual_pending", Outcome::Review),
    ] {
        let finding = score(&json!(said));
        assert!(!finding.finished, "{said}");
        let event = finding.event.unwrap();
        assert_eq!((&*event.name, outcome(&event), event.remark), (name, Some(expected), None));
        assert_eq!((event.session, event.kind), (session(), Kind::Onboarding));
        assert_eq!((event.received_at, event.occurred_at, event.attempt_id), (time(ASKED_AT), None, None));
        assert!(event.checks.is_empty() && event.stage.is_none() && event.detail.is_empty());
        let decision = event.decision.unwrap();
        assert_eq!((decision.reason_code, decision.reason), (None, None), "{said}");
    }
}

#[test]
fn a_score_without_a_status_is_nothing_yet() {
    for body in [
        json!({"overall": {"status": "UNKNOWN"}}),
        json!({"overall": {"status": null}}),
        json!({"overall": {"status": " "}}),
        json!({"overall": {"value": "12.5"}}),
        json!({"overall": {}}),
    ] {
        let finding = read_score(body.to_string()).unwrap();
        assert_eq!((finding.event, finding.finished), (None, false), "{body}");
    }
}

#[test]
fn an_unknown_score_is_recorded_and_decides_nothing() {
    for said in [json!("ok"), json!("OK "), json!("APPROVED"), json!("MANUAL_REVIEW"), json!(1)] {
        let event = score(&said).event.unwrap();
        assert_eq!((&*event.name, event.remark), ("score.unrecognised", Some(Remark::Unrecognised)), "{said}");
        assert_eq!((event.decision, event.stage), (None, None), "{said}");
        assert!(event.detail.contains_key("overall.status"), "{said}");
    }
}

#[test]
fn only_the_overall_status_is_the_score() {
    let body = json!({"status": "OK", "overall": {"status": "FAIL"}, "idValidation": {"overall": {"status": "OK"}},
        "faceRecognition": {"status": "OK", "overall": {"value": "100.0", "status": "OK"}}});
    assert_eq!(outcome(&read_score(body.to_string()).unwrap().event.unwrap()), Some(Outcome::Declined));
}

#[test]
fn each_score_of_a_session_is_a_fact_and_told_twice_the_same() {
    let id = |said: &str| score(&json!(said)).event.unwrap().event_id;
    assert_eq!(id("OK"), read_score(r#" {"overall":{"status":"O\u004b"},"more":1}"#).unwrap().event.unwrap().event_id);
    assert_ne!(id("OK"), id("FAIL"));
    assert_ne!(id("OK"), status("OK").event.unwrap().event_id, "a score is no status");
    let another = SessionKey { session_id: SessionId::new("another").unwrap(), ..session() };
    let finding = Finding::of_score(&another, br#"{"overall":{"status":"OK"}}"#, time(ASKED_AT)).unwrap();
    assert_ne!(finding.event.unwrap().event_id, id("OK"));
}

/// A score, as an integrator describes it: sections with tests, and an overall status beside them.
fn full_score() -> Value {
    json!({
        "idValidation": {
            "photoSecurityAndQuality": [
                {"value": "100", "status": "OK", "key": "alignment"},
                {"value": "0", "status": "FAIL", "key": "tamperCheck"},
                {"value": "12.5", "status": "FAIL", "key": "screenIdLiveness"},
            ],
            "idSpecific": [
                {"value": "Sample Person", "status": "WARN", "key": "expirationDateValidity"},
                {"value": "x", "status": "FAIL", "key": null},
            ],
            "customFields": [],
            "appliedRule": {"name": "sample rule", "status": "FAIL"},
            "overall": {"value": "40.0", "status": "FAIL", "key": null},
        },
        "liveness": {"overall": {"value": "99.1", "status": "OK"}, "livenessScore": {"value": "99.1", "status": "OK"}},
        "faceRecognition": {"overall": {"value": "71.0", "status": "WARN"}, "maskCheck": {"status": "FAIL", "key": null}},
        "idOcrConfidence": {"overallConfidence": {"value": "98.0", "status": "OK", "key": null}},
        "governmentValidation": null,
        "reasonMsg": "Sample reason",
        "retryInfo": {},
        "overall": {"value": "61.0", "status": "FAIL"},
    })
}

fn read_full(body: &Value) -> SessionEvent {
    read_score(body.to_string()).unwrap().event.unwrap()
}

fn codes(codes: &[ReasonCode]) -> Vec<&str> {
    codes.iter().map(ReasonCode::as_str).collect()
}

fn outcomes(event: &SessionEvent) -> Vec<(&str, CheckOutcome)> {
    event.checks.iter().map(|(name, check)| (name.as_str(), check.outcome)).collect()
}

#[test]
fn the_sections_of_a_score_are_checks_with_the_keys_of_failed_tests() {
    let event = read_full(&full_score());
    assert_eq!(
        outcomes(&event),
        [
            ("document", CheckOutcome::Failed),
            ("face", CheckOutcome::Flagged),
            ("idOcrConfidence", CheckOutcome::Passed),
            ("liveness", CheckOutcome::Passed),
        ]
    );
    assert_eq!(codes(&event.checks["document"].reason_codes), ["tamperCheck", "screenIdLiveness"]);
    assert_eq!(codes(&event.checks["face"].reason_codes), ["maskCheck"]);
    assert_eq!(event.checks["document"].detail.iter().collect::<Vec<_>>(), [("score", "40.0")]);
    assert_eq!(event.checks["idOcrConfidence"].detail.iter().collect::<Vec<_>>(), [("overallConfidence", "98.0")]);
    assert_eq!((event.stage, event.remark), (Some(Stage::Started), None));
    assert!(event.remarks.is_empty(), "{:?}", event.remarks);
}

#[test]
fn a_score_s_decision_carries_the_keys_of_all_failed_tests() {
    let decision = read_full(&full_score()).decision.unwrap();
    // The sections in the order of the answer, which these tests write sorted by name.
    assert_eq!(codes(decision.all_reason_codes()), ["maskCheck", "tamperCheck", "screenIdLiveness"]);
    assert_eq!(decision.detail.iter().collect::<Vec<_>>(), [("score", "61.0")]);
    assert_eq!(decision.outcome, Outcome::Declined);
}

#[test]
fn nothing_is_inferred_from_a_section_that_is_missing_or_says_nothing() {
    for section in [
        Value::Null,
        json!({}),
        json!([]),
        json!("FAIL"),
        json!({"overall": null}),
        json!({"overall": {"value": "1"}}),
        json!({"overall": {"status": "UNKNOWN"}}),
        json!({"photoSecurityAndQuality": []}),
        json!({"appliedRule": {"status": "FAIL"}}),
    ] {
        let event = read_full(&json!({"overall": {"status": "OK"}, "idValidation": section, "liveness": section}));
        assert!(event.checks.is_empty() && event.stage.is_none(), "{section}: {:?}", event.checks);
        assert_eq!(event.event_id, score(&json!("OK")).event.unwrap().event_id, "{section}");
    }
}

#[test]
fn a_section_ends_as_its_overall_status_says_or_else_as_its_worst_test() {
    let status = |status: &str| json!({"value": "1", "status": status, "key": "one"});
    for (section, expected) in [
        (json!({"overall": status("OK"), "tests": [status("FAIL")]}), CheckOutcome::Passed),
        (json!({"overall": status("MANUAL_OK")}), CheckOutcome::Passed),
        (json!({"overall": status("WARN")}), CheckOutcome::Flagged),
        (json!({"overall": status("MANUAL_PENDING")}), CheckOutcome::Flagged),
        (json!({"overall": status("MANUAL_FAIL")}), CheckOutcome::Failed),
        (json!({"tests": [status("OK"), status("WARN")]}), CheckOutcome::Flagged),
        (json!({"tests": [status("OK"), status("FAIL"), status("WARN")]}), CheckOutcome::Failed),
        (json!({"one": status("OK")}), CheckOutcome::Passed),
        (json!({"one": status("SKIPPED")}), CheckOutcome::Captured),
    ] {
        let event = read_full(&json!({"overall": {"status": "OK"}, "section": section}));
        assert_eq!((outcomes(&event), event.remark), (vec![("section", expected)], None), "{section}");
        assert_eq!(event.stage, None, "what a person did is in sections that are known");
    }
}

#[test]
fn an_unfamiliar_status_of_a_section_is_shown_and_the_score_decides() {
    for (status, shown) in [("REVIEW", "REVIEW"), ("Sample Person", "string(13)")] {
        let event = read_full(&json!({"overall": {"status": "OK"}, "liveness": {"overall": {"status": status}}}));
        assert_eq!(outcomes(&event), [("liveness", CheckOutcome::Captured)]);
        assert_eq!((event.remark, outcome(&event)), (Some(Remark::Unrecognised), Some(Outcome::Approved)));
        assert_eq!(event.detail["liveness.overall.status"], shown);
    }
}

#[test]
fn a_score_s_id_covers_how_its_sections_ended() {
    let with = |name: &str, status: &str| {
        read_full(&json!({"overall": {"status": "FAIL"}, name: {"overall": {"status": status}}})).event_id
    };
    let ids = [with("liveness", "FAIL"), with("liveness", "OK"), with("faceRecognition", "FAIL")];
    let ids: std::collections::BTreeSet<_> =
        ids.iter().chain([&score(&json!("FAIL")).event.unwrap().event_id]).cloned().collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(with("liveness", "FAIL"), with("liveness", "MANUAL_FAIL"), "only the outcome counts");
    let sections = |first: &str, second: &str| format!(r#"{{"overall":{{"status":"OK"}},{first},{second}}}"#);
    let (one, other) =
        (r#""liveness":{"overall":{"status":"OK"}}"#, r#""faceRecognition":{"overall":{"status":"WARN"}}"#);
    let id = |body: String| read_score(body).unwrap().event.unwrap().event_id;
    assert_eq!(id(sections(one, other)), id(sections(other, one)), "the order of the sections doesn't");
}

#[test]
fn sections_of_any_shape_and_number_leave_remarks_and_the_decision() {
    let overall = json!({"overall": {"status": "FAIL"}});
    let many: serde_json::Map<_, _> = (0..100).map(|n| (format!("section{n:03}"), overall.clone())).collect();
    let keys: Vec<_> = (0..50).map(|n| json!({"status": "FAIL", "key": format!("test{n}")})).collect();
    for (sections, checks, remarks) in [
        (Value::Object(many), 16, &["cut:sections"][..]),
        (json!({"Sample Person": overall, "1": overall, "liveness": overall}), 1, &["left_out:section"]),
        (json!({"liveness": {"tests": keys}}), 1, &["cut:liveness.key"]),
        (json!({"liveness": {"tests": [{"status": "FAIL", "key": "Sample Person"}]}}), 1, &["left_out:liveness.key"]),
        (
            json!({"liveness": {"overall": {"status": "OK", "value": "Sample Person"}}}),
            1,
            &["left_out:liveness.overall.value"],
        ),
        (json!({"liveness": {"tests": [{"status": "FAIL", "key": ["canary"]}]}}), 1, &["left_out:liveness.key"]),
        (json!({"a": {"tests": &keys[..10]}, "b": {"tests": &keys[10..20]}}), 2, &["cut:reasonCodes"]),
    ] {
        let mut body = sections;
        body["overall"] = json!({"status": "FAIL"});
        let event = read_full(&body);
        assert_eq!((event.checks.len(), outcome(&event)), (checks, Some(Outcome::Declined)), "{body}");
        assert_eq!(event.remarks, remarks, "{body}");
        assert!(!format!("{event:?}").contains("Sample"), "{event:?}");
    }
}

#[test]
fn a_stored_score_gives_its_checks_again_and_keeps_its_id() {
    let finding = read_score(full_score().to_string()).unwrap();
    let event = finding.event.unwrap();
    assert_eq!(read_again(&event, SCORE_PATH, &finding.payload), Ok(Some(event.clone())));
    // As the first release recorded it: without sections, and under an id without them.
    let older = SessionEvent { checks: BTreeMap::new(), stage: None, ..score(&json!("FAIL")).event.unwrap() };
    let again = read_again(&older, SCORE_PATH, &finding.payload).unwrap().unwrap();
    assert_eq!(again, SessionEvent { event_id: older.event_id, ..event });
}

#[test]
fn an_answer_that_is_none_is_unreadable() {
    let error = r#"{"timestamp":1688044216480,"status":500,"error":"Internal Server Error",
        "message":"Unexpected error occured","path":"/omni/get/score"}"#;
    let readers: [(Read, &str); 2] = [(Finding::of_status, "onboardingStatus"), (Finding::of_score, "overall")];
    for (read, member) in readers {
        for (body, expected) in [
            (error, Unreadable::Missing(member)),
            ("{}", Unreadable::Missing(member)),
            (r#"{"onboardingStatus":null,"overall":null}"#, Unreadable::Missing(member)),
            ("", Unreadable::Empty),
            ("<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", Unreadable::NotJson { at: 0 }),
            ("\"OK\"", Unreadable::NotAnObject),
            ("[]", Unreadable::NotAnObject),
            (r#"[{"onboardingStatus":"EXPIRED","overall":{"status":"OK"}}]"#, Unreadable::NotAnObject),
        ] {
            assert_eq!(read(&session(), body.as_bytes(), time(ASKED_AT)), Err(expected), "{body}");
        }
    }
    for blank in [json!(""), json!(" "), json!(true), json!(["EXPIRED"])] {
        let body = json!({"onboardingStatus": blank}).to_string();
        assert_eq!(read_status(body), Err(Unreadable::Missing("onboardingStatus")), "{blank}");
    }
    for (body, member) in [
        (r#"{"overall":{"status":"OK"},"overall":{"status":"FAIL"}}"#, "overall"),
        (r#"{"overall":{"status":"OK","status":"FAIL"}}"#, "status"),
    ] {
        assert_eq!(read_score(body), Err(Unreadable::Ambiguous(member)));
    }
    let twice = r#"{"onboardingStatus":"EXPIRED","onboardingStatus":"MANUAL_REVIEW_APPROVED"}"#;
    assert_eq!(read_status(twice), Err(Unreadable::Ambiguous("onboardingStatus")));
    assert_eq!(Unreadable::Missing("overall").code(), "member_missing");
    assert_eq!(Unreadable::Missing("overall").to_string(), "the member `overall` is missing");
}

#[test]
fn what_is_stored_of_an_answer_holds_no_image_and_no_token() {
    let image = "/9j/".to_owned() + &"A".repeat(4000);
    let body = json!({"overall": {"status": "OK"}, "onboardingStatus": "EXPIRED", "token": "canary", "selfie": image});
    let readers: [Read; 2] = [Finding::of_status, Finding::of_score];
    for read in readers {
        let finding = read(&session(), body.to_string().as_bytes(), time(ASKED_AT)).unwrap();
        let payload: Value = serde_json::from_str(&finding.payload).unwrap();
        assert_eq!(payload["selfie"]["kind"], "image/jpeg");
        assert!(!finding.payload.contains("canary") && finding.payload.len() < 300, "{}", finding.payload);
    }
    let score = read_score(r#"{"overall":{"status":"OK"},"name":"canary"}"#).unwrap();
    assert!(score.payload.contains("canary") && !format!("{score:?} {score:#?}").contains("canary"), "{score:?}");
    let unknown = read_status(r#"{"onboardingStatus": "UNKNOWN"}"#).unwrap();
    assert_eq!(unknown.payload, r#"{"onboardingStatus":"UNKNOWN"}"#);
}

#[test]
fn a_status_that_comes_again_is_a_fact_of_its_own() {
    let approved = status("MANUAL_REVIEW_APPROVED").event.unwrap();
    let later = time("2026-06-14T09:30:00.125Z");
    let again = recurrence(approved.clone(), later);
    assert_ne!(again.event_id, approved.event_id);
    assert_eq!(again.event_id, recurrence(approved.clone(), later).event_id);
    assert_ne!(again.event_id, recurrence(approved.clone(), time("2026-06-14T09:30:00.126Z")).event_id);
    assert_ne!(again.event_id, recurrence(status("EXPIRED").event.unwrap(), later).event_id);
    assert_eq!(again.effective_at(), later);
    assert_eq!(again, SessionEvent { event_id: again.event_id.clone(), received_at: later, ..approved });
}

/// How a session stands after some events, and the decisions that were notified.
fn fold(events: &[&SessionEvent]) -> (Option<Outcome>, Vec<Outcome>) {
    let (mut record, mut notified) = (None, Vec::new());
    for event in events {
        let applied = Session::apply(record.as_ref(), event, SequenceBase::default());
        notified.extend(applied.notification.and_then(|notification| notification.outcome));
        record = Some(applied.session);
    }
    let decision = record.and_then(|session| session.decision);
    (decision.map(|decision| decision.value.decision.outcome), notified)
}

#[test]
fn approved_rejected_and_approved_again_ends_approved() {
    let at = |said: &str, asked_at: &str| {
        let body = json!({"onboardingStatus": said}).to_string();
        Finding::of_status(&session(), body.as_bytes(), time(asked_at)).unwrap().event.unwrap()
    };
    let first = at("MANUAL_REVIEW_APPROVED", "2026-06-13T01:00:00Z");
    let second = at("MANUAL_REVIEW_REJECTED", "2026-06-13T02:00:00Z");
    let third = recurrence(first.clone(), time("2026-06-13T03:00:00Z"));
    assert_eq!(fold(&[&first, &second]).0, Some(Outcome::Declined));
    assert_eq!(fold(&[&first, &second, &third]).0, Some(Outcome::Approved));
    assert_eq!(fold(&[&third, &second, &first]).0, Some(Outcome::Approved));
}

#[test]
fn a_webhook_and_a_score_that_decide_alike_are_notified_once() {
    let finished = status("ONBOARDING_FINISHED").event.unwrap();
    let succeeded = event_on("session-succeeded", json!({"interviewId": SESSION}).to_string());
    let ok = score(&json!("OK")).event.unwrap();
    let approved = status("MANUAL_REVIEW_APPROVED").event.unwrap();
    for events in [[&finished, &succeeded, &ok, &approved], [&approved, &ok, &succeeded, &finished]] {
        assert_eq!(fold(&events), (Some(Outcome::Approved), vec![Outcome::Approved]));
    }
    let failed = score(&json!("FAIL")).event.unwrap();
    assert_eq!(fold(&[&succeeded, &failed]).1, [Outcome::Approved, Outcome::Declined]);
}

proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic(body: Vec<u8>) {
        let _ = read_status(&body);
        let _ = read_score(&body);
    }

    #[test]
    fn only_ok_and_manual_ok_approve(said in "(MANUAL_)?(OK|FAIL|PENDING|[A-Z]{1,8})|.*") {
        let approves = score(&json!(said)).event.is_some_and(|event| outcome(&event) == Some(Outcome::Approved));
        prop_assert_eq!(approves, said == "OK" || said == "MANUAL_OK");
    }
}

#[test]
fn the_api_is_asked_about_interviews_that_are_not_over() {
    let event = status("FACE_VALIDATION_FINISHED").event.unwrap();
    assert!(ApiAccess::knows_more_than(&event));
    for id in ["request:72456dc1", "customer:67460a99"] {
        let mut other = event.clone();
        other.session.session_id = SessionId::new(id).unwrap();
        assert!(!ApiAccess::knows_more_than(&other), "{id}");
    }
    for login in ["authentication", "face_authentication"] {
        assert!(!ApiAccess::knows_more_than(&SessionEvent { name: login.into(), ..event.clone() }), "{login}");
    }
}
