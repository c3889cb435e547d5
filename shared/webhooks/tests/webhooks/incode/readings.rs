//! What Incode's webhooks mean, path by path, which of them are the same fact, and what is stored of them.

use super::genuine::{ARRIVAL, event_and_payload_on, event_on, read_on, time};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use verdict_sessions::{
    Check, CheckOutcome, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent, Stage, Subject,
};
use verdict_webhooks::{Disposition, Refusal, Unreadable, WebhookSource, incode::Incode, sha256_hex};

const SESSION: &str = "60000a22b09a35d2ef5aaa99";

/// Every kind of webhook, with the least that it holds.
fn every_kind() -> [(&'static str, Value); 15] {
    [
        ("onboarding-status", json!({"interviewId": SESSION, "onboardingStatus": "ONBOARDING_FINISHED"})),
        ("video-selfie", json!({"interviewId": SESSION, "clientId": "client", "flowId": "flow"})),
        ("watchlist", json!({"interviewId": SESSION, "ref": "ref-1", "search_id": "1"})),
        ("face-authentication", json!({"interviewId": SESSION, "overallStatus": "PASS"})),
        ("work-history", json!({"interviewId": SESSION, "requestId": "request-1", "workHistory": {}})),
        ("proof-of-payment", json!({"requestId": "request-1", "rfcIssuer": "SAMPLE"})),
        ("session-started", json!({"interviewId": SESSION})),
        ("session-progress", json!({"interviewId": SESSION})),
        ("session-succeeded", json!({"interviewId": SESSION})),
        ("session-failed", json!({"interviewId": SESSION})),
        ("session-pending-review", json!({"interviewId": SESSION})),
        ("identity-enrolled", json!({"interviewId": SESSION, "customerId": "customer-1"})),
        ("authentication", json!({"interviewId": SESSION, "customerId": "customer-1", "overallStatus": "PASS"})),
        ("ine-scraping", json!({"InterviewId": SESSION, "ScrapingStatus": "FINISHED"})),
        ("some-kind-of-2027", json!({"interviewId": SESSION})),
    ]
}

fn event(segment: &str, body: &Value) -> SessionEvent {
    event_on(segment, body.to_string())
}

fn status(onboarding_status: &Value) -> SessionEvent {
    event("onboarding-status", &json!({"interviewId": SESSION, "onboardingStatus": onboarding_status}))
}

fn outcome(event: &SessionEvent) -> Option<Outcome> {
    event.decision.as_ref().map(|decision| decision.outcome)
}

/// The one check that an event reports.
fn check(event: &SessionEvent) -> Option<(&str, CheckOutcome)> {
    let mut checks = event.checks.iter().map(|(name, Check { outcome, .. })| (&**name, *outcome));
    let first = checks.next();
    assert_eq!(checks.next(), None);
    first
}

fn detail<const N: usize>(members: [(&str, &str); N]) -> BTreeMap<String, String> {
    members.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn codes(codes: &[ReasonCode]) -> Vec<&str> {
    codes.iter().map(ReasonCode::as_str).collect()
}

/// Checks that an event changes nothing but what was seen.
fn assert_no_effect(event: &SessionEvent, what: &str) {
    assert_eq!((&event.decision, event.stage), (&None, None), "{what}");
    assert!(event.checks.is_empty(), "{what}");
}

mod samples {
    use super::*;

    #[test]
    fn the_current_onboarding_status() {
        let body = json!({"interviewId": "615da6cf6a6bf50012aea5c9", "onboardingStatus": "ONBOARDING_FINISHED",
            "clientId": "sample-client", "flowId": "615da6cf6a6bf50012aea5c0"});
        let event = event("onboarding-status", &body);
        assert_eq!(event.session.to_string(), "incode/615da6cf6a6bf50012aea5c9");
        assert_eq!((event.session.provider, event.kind), (Provider::Incode, Kind::Onboarding));
        assert_eq!(event.name, "onboarding_status.finished");
        assert_eq!((event.stage, &event.decision), (Some(Stage::Submitted), &None));
        assert_eq!((event.received_at, event.effective_at()), (time(ARRIVAL), time(ARRIVAL)));
        assert_eq!((event.attempt_id, event.occurred_at, event.emitted_at), (None, None, None));
        assert_eq!((event.subject.reference, event.subject.provider_user_id), (None, None));
        assert!(event.checks.is_empty() && event.remark.is_none());
        assert_eq!(event.detail, detail([("flowId", "615da6cf6a6bf50012aea5c0")]));
    }

    #[test]
    fn the_legacy_onboarding_status_with_your_reference() {
        let body = json!({"interviewId": SESSION, "externalId": "client-user-1",
            "onboardingStatus": "ID_VALIDATION_FINISHED"});
        let event = event("onboarding-status", &body);
        assert_eq!(event.subject.reference.as_deref(), Some("client-user-1"));
        assert_eq!(check(&event), Some(("document", CheckOutcome::Captured)));
    }

    #[test]
    fn a_video_selfie() {
        let event =
            event("video-selfie", &json!({"clientId": "sample-client", "flowId": "flow-1", "interviewId": SESSION}));
        assert_eq!(event.name, "video_selfie");
        assert_eq!(check(&event), Some(("video_selfie", CheckOutcome::Captured)));
    }

    #[test]
    fn a_watchlist_update() {
        let event = event("watchlist", &json!({"interviewId": SESSION, "ref": "1666-sample", "search_id": "90210"}));
        assert_eq!(event.name, "watchlist");
        assert_eq!(check(&event), Some(("watchlist", CheckOutcome::Captured)));
    }

    #[test]
    fn a_watchlist_update_whose_ids_are_blank_names_no_session() {
        let body = json!({"interviewId": "", "ref": "", "search_id": ""});
        assert_eq!(read_on("watchlist", body.to_string()), Err(Unreadable::NoSessionId));
    }

    #[test]
    fn a_work_history() {
        let body = json!({"interviewId": "12fj23j2ong0fs848bfks", "requestId": "72456dc1-1234-567c-8b9c-10br11122f9r",
            "workHistory": {"name": "SAMPLE PERSON", "curp": "SAMP000000XXXXXX00", "apiKey": "canary-of-an-api-key",
                "quotedWeeks": {"discountedWeeks": 0, "listedWeeks": 131, "reinstatedWeeks": 0},
                "laborHistoryList": [{"companyName": "SAMPLE COMPANY", "state": "SAMPLE", "startingDate": "16/10/2021",
                    "endingDate": "03/02/2023", "baseSalary": "$1000.5", "companyIMSSId": "Y000000000"}]}});
        let (event, payload) = event_and_payload_on("work-history", body.to_string());
        assert_eq!(event.session.session_id.as_str(), "12fj23j2ong0fs848bfks");
        assert_eq!(event.name, "work_history");
        assert_eq!(check(&event), Some(("work_history", CheckOutcome::Captured)));
        let mut expected = body;
        expected["workHistory"].as_object_mut().unwrap().remove("apiKey").unwrap();
        assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), expected);
    }

    #[test]
    fn an_authentication() {
        let body = json!({"customerId": "67460a9995516d9a553aa95b", "token": "canary-of-a-token",
            "interviewId": SESSION, "interviewToken": "canary-of-an-interview-token",
            "transactionId": "549994d9r3474bfcbbbdc5a5", "faceMatch": true, "spoofAttempt": false,
            "secondFactor": false, "children": [], "hasFaceMask": false, "hasLenses": false,
            "spoofConfidence": 0.001_023_383_8, "recognitionConfidence": {"confidence": 0.930_986_63, "candidates": []},
            "overallScore": 0.930_986_63, "overallStatus": "PASS"});
        let (event, payload) = event_and_payload_on("authentication", body.to_string());
        assert_eq!(event.session.session_id.as_str(), SESSION);
        assert_eq!(event.subject.provider_user_id.as_deref(), Some("67460a9995516d9a553aa95b"));
        assert_eq!(event.name, "authentication");
        assert_eq!(check(&event), Some(("authentication", CheckOutcome::Passed)));
        assert_eq!((event.decision, event.stage), (None, Some(Stage::Started)));
        let mut expected = body;
        expected.as_object_mut().unwrap().retain(|name, _| name != "token" && name != "interviewToken");
        assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), expected);
    }
}

mod printed {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn every_webhook_that_is_printed_is_understood() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks/incode/printed");
        for (name, event_name, stage, expected, remarks) in [
            (
                "authentication",
                "authentication",
                Some(Stage::Started),
                Some(("authentication", CheckOutcome::Passed)),
                &[][..],
            ),
            // Where Incode prints `<flowId>`, there is no id.
            ("onboarding-status", "onboarding_status.finished", Some(Stage::Submitted), None, &["left_out:flowId"]),
            (
                "onboarding-status.legacy",
                "onboarding_status.id_validation_finished",
                Some(Stage::Started),
                Some(("document", CheckOutcome::Captured)),
                &[],
            ),
            ("onboarding-status.integrators", "onboarding_status.finished", Some(Stage::Submitted), None, &[]),
            (
                "video-selfie",
                "video_selfie",
                Some(Stage::Started),
                Some(("video_selfie", CheckOutcome::Captured)),
                &["left_out:flowId"],
            ),
            ("work-history", "work_history", None, Some(("work_history", CheckOutcome::Captured)), &[]),
        ] {
            let body = fs::read(folder.join(format!("{name}.json"))).unwrap();
            let event = event_on(name.split('.').next().unwrap(), body);
            assert_eq!((&*event.name, event.stage, check(&event)), (event_name, stage, expected), "{name}");
            assert_eq!(
                (event.remark, &event.remarks[..]),
                (None, &remarks.iter().map(ToString::to_string).collect::<Vec<_>>()[..]),
                "{name}"
            );
        }
    }
}

mod onboarding_statuses {
    use super::*;

    #[test]
    fn each_says_what_is_captured_how_far_it_is_or_what_was_decided() {
        type Said = (Option<(&'static str, CheckOutcome)>, Option<Stage>, Option<Outcome>);
        const fn captured(name: &'static str) -> Said {
            (Some((name, CheckOutcome::Captured)), Some(Stage::Started), None)
        }
        const fn not_by_the_person(name: &'static str) -> Said {
            (Some((name, CheckOutcome::Captured)), None, None)
        }
        const fn decided(outcome: Outcome) -> Said {
            (None, None, Some(outcome))
        }
        for (sent, name, said) in [
            ("ID_VALIDATION_FINISHED", "id_validation_finished", captured("document")),
            ("ID_VALIDATION_FINISHED_SECOND_ID", "id_validation_finished_second_id", captured("document")),
            ("POST_PROCESSING_FINISHED", "post_processing_finished", captured("document")),
            ("FACE_VALIDATION_FINISHED", "face_validation_finished", captured("face")),
            ("GOVERNMENT_VALIDATION_FINISHED", "government_validation_finished", not_by_the_person("government")),
            ("ONBOARDING_FINISHED", "finished", (None, Some(Stage::Submitted), None)),
            ("MANUAL_REVIEW_APPROVED", "manual_review_approved", decided(Outcome::Approved)),
            ("MANUAL_REVIEW_REJECTED", "manual_review_rejected", decided(Outcome::Declined)),
            ("EXPIRED", "expired", decided(Outcome::Expired)),
            ("UNKNOWN", "unknown", (None, None, None)),
        ] {
            let event = status(&json!(sent));
            assert_eq!(event.name, format!("onboarding_status.{name}"));
            assert_eq!((check(&event), event.stage, outcome(&event)), said, "{sent}");
            assert_eq!((event.remark, event.detail.len()), (None, 0), "{sent}");
        }
    }

    #[test]
    fn an_unknown_one_is_recorded_and_decides_nothing() {
        for sent in [
            json!("SOMETHING_NEW_FINISHED"),
            json!("manual_review_approved"),
            json!(" MANUAL_REVIEW_APPROVED"),
            json!("MANUAL_REVIEW_APPROVED\u{0}"),
            json!("MANUAL_REVIEW_АPPROVED"),
            json!("APPROVED"),
            json!("OK"),
            json!(1),
            json!(true),
            json!(["MANUAL_REVIEW_APPROVED"]),
            json!({"status": "MANUAL_REVIEW_APPROVED"}),
            json!(""),
            Value::Null,
        ] {
            let event = status(&sent);
            assert_eq!(event.name, "onboarding_status.unrecognised", "{sent}");
            assert_eq!(event.remark, Some(Remark::Unrecognised), "{sent}");
            assert_no_effect(&event, &sent.to_string());
        }
        for (sent, shown) in [
            (json!("NEW"), "NEW"),
            (json!("Sample Person"), "string(13)"),
            (json!({"status": "x"}), "object(1)"),
            (json!(""), "missing(0)"),
        ] {
            assert_eq!(status(&sent).detail, detail([("onboardingStatus", shown)]));
        }
        let missing = event("onboarding-status", &json!({"interviewId": SESSION, "status": "MANUAL_REVIEW_APPROVED"}));
        assert_eq!(missing.name, "onboarding_status.unrecognised");
    }

    #[test]
    fn a_decision_has_no_reason() {
        for sent in ["MANUAL_REVIEW_APPROVED", "MANUAL_REVIEW_REJECTED", "EXPIRED"] {
            let decision = status(&json!(sent)).decision.unwrap();
            assert_eq!((decision.reason_code, decision.reason), (None, None), "{sent}");
        }
    }
}

mod other_kinds {
    use super::*;

    #[test]
    fn a_session_webhook_says_how_the_session_stands() {
        for (segment, name, stage, decided) in [
            ("session-started", "session.started", Some(Stage::Started), None),
            ("session-progress", "session.progress", None, None),
            ("session-succeeded", "session.succeeded", None, Some(Outcome::Approved)),
            ("session-failed", "session.failed", None, Some(Outcome::Declined)),
            ("session-pending-review", "session.pending_review", None, Some(Outcome::Review)),
            ("identity-enrolled", "identity_enrolled", None, None),
        ] {
            // What else is in it is not public, and decides nothing.
            let body = json!({"interviewId": SESSION, "externalId": "customer-1", "overallStatus": "FAIL",
                "onboardingStatus": "MANUAL_REVIEW_REJECTED", "errorCode": "E1"});
            let event = event(segment, &body);
            assert_eq!(event.name, name);
            assert_eq!((event.stage, outcome(&event), event.remark), (stage, decided, None), "{segment}");
            assert!(event.checks.is_empty() && event.detail.is_empty(), "{segment}");
            assert_eq!(event.subject.reference.as_deref(), Some("customer-1"));
            assert!(event.decision.is_none_or(|decision| decision.reason_code.is_none() && decision.reason.is_none()));
        }
    }

    #[test]
    fn what_is_available_is_captured() {
        for (segment, name, stage) in [
            ("video-selfie", "video_selfie", Some(Stage::Started)),
            ("watchlist", "watchlist", None),
            ("work-history", "work_history", None),
            ("proof-of-payment", "proof_of_payment", None),
        ] {
            let event = event(segment, &json!({"interviewId": SESSION, "overallStatus": "FAIL"}));
            assert_eq!(event.name, name);
            assert_eq!(check(&event), Some((name, CheckOutcome::Captured)));
            assert_eq!((&event.decision, event.stage, event.remark), (&None, stage, None), "{segment}");
        }
    }

    #[test]
    fn an_authentication_is_a_check_and_never_a_decision() {
        for (segment, name) in [("authentication", "authentication"), ("face-authentication", "face_authentication")] {
            for (sent, expected, remark) in [
                (json!("PASS"), CheckOutcome::Passed, None),
                (json!("FAIL"), CheckOutcome::Failed, None),
                (json!("WARN"), CheckOutcome::Captured, Some(Remark::Unrecognised)),
                (json!("pass"), CheckOutcome::Captured, Some(Remark::Unrecognised)),
                (json!(["PASS"]), CheckOutcome::Captured, None),
                (Value::Null, CheckOutcome::Captured, None),
            ] {
                let event = event(segment, &json!({"interviewId": SESSION, "overallStatus": sent}));
                assert_eq!(event.name, name);
                assert_eq!((check(&event), event.remark), (Some((name, expected)), remark), "{segment} {sent}");
                assert_eq!((&event.decision, event.stage), (&None, Some(Stage::Started)), "{segment} {sent}");
            }
            for (sent, shown) in [("WARN", "WARN"), ("Sample Person", "string(13)")] {
                let event = event(segment, &json!({"interviewId": SESSION, "overallStatus": sent}));
                assert_eq!(event.detail, detail([("overallStatus", shown)]));
            }
        }
    }

    #[test]
    fn an_attempt_to_deceive_is_an_alarm_whatever_the_status_says() {
        for segment in ["authentication", "face-authentication"] {
            for (status, spoofed, expected) in [
                (json!("PASS"), json!(true), CheckOutcome::Flagged),
                (json!("PASS"), json!("TRUE"), CheckOutcome::Flagged),
                (json!("WARN"), json!(true), CheckOutcome::Flagged),
                (Value::Null, json!(true), CheckOutcome::Flagged),
                (json!("FAIL"), json!(true), CheckOutcome::Failed),
            ] {
                let body = json!({"interviewId": SESSION, "overallStatus": status, "spoofAttempt": spoofed});
                let check = event(segment, &body).checks.into_values().next().unwrap();
                assert_eq!(check.outcome, expected, "{segment} {status}");
                assert_eq!(codes(&check.reason_codes), ["spoofAttempt"], "{segment} {status}");
            }
            for spoofed in [json!(false), Value::Null, json!("no"), json!([true])] {
                let body = json!({"interviewId": SESSION, "overallStatus": "PASS", "spoofAttempt": spoofed});
                let check = event(segment, &body).checks.into_values().next().unwrap();
                assert_eq!((check.outcome, check.reason_codes.len()), (CheckOutcome::Passed, 0), "{segment} {spoofed}");
            }
        }
    }

    #[test]
    fn why_an_authentication_failed_is_its_error_code() {
        for segment in ["authentication", "face-authentication"] {
            let reason = |status: &str| {
                let body = json!({"interviewId": SESSION, "overallStatus": status, "errorCode": "SPOOF_ATTEMPT"});
                event(segment, &body).checks.into_values().next().unwrap().reason
            };
            assert_eq!(reason("FAIL").as_deref(), Some("SPOOF_ATTEMPT"));
            assert_eq!(reason("PASS"), None);
            let body =
                json!({"interviewId": SESSION, "overallStatus": "FAIL", "errorCode": "E1", "spoofAttempt": true});
            assert_eq!(
                codes(&event(segment, &body).checks.into_values().next().unwrap().reason_codes),
                ["E1", "spoofAttempt"]
            );
            let body = json!({"interviewId": SESSION, "overallStatus": "FAIL", "errorCode": "Sample Person failed"});
            let event = event(segment, &body);
            assert_eq!(event.remarks, ["left_out:errorCode"]);
            assert!(event.checks.into_values().all(|check| check.reason_codes.is_empty()));
        }
    }

    #[test]
    fn ine_scraping_is_under_way_or_done() {
        for (sent, name, expected) in [
            ("IN_PROGRESS", "ine_scraping.in_progress", None),
            ("FINISHED", "ine_scraping.finished", Some(("ine", CheckOutcome::Captured))),
        ] {
            let body = json!({"InterviewId": SESSION, "externalId": "customer-1", "ScrapingStatus": sent});
            let event = event("ine-scraping", &body);
            assert_eq!((&*event.name, check(&event)), (name, expected));
            assert_eq!((event.remark, event.subject.reference.as_deref()), (None, Some("customer-1")));
        }
        for sent in [json!("FAILED"), json!("finished"), json!(""), Value::Null] {
            let event = event("ine-scraping", &json!({"InterviewId": SESSION, "ScrapingStatus": sent}));
            assert_eq!(event.name, "ine_scraping.unrecognised");
            assert_eq!(event.remark, Some(Remark::Unrecognised));
            assert!(event.detail.contains_key("ScrapingStatus"), "{sent}");
            assert_no_effect(&event, &sent.to_string());
        }
    }

    #[test]
    fn an_unknown_kind_is_recorded_and_decides_nothing() {
        for segment in ["some-kind-of-2027", "session-approved", "score", "0", "-"] {
            let body = json!({"interviewId": SESSION, "onboardingStatus": "MANUAL_REVIEW_APPROVED",
                "externalId": "customer-1"});
            let event = event(segment, &body);
            assert_eq!((&*event.name, event.remark), ("unrecognised", Some(Remark::Unrecognised)), "{segment}");
            assert_eq!(event.session.session_id.as_str(), SESSION);
            assert_eq!(event.subject.reference.as_deref(), Some("customer-1"));
            assert_eq!(event.detail, detail([("path", segment)]));
            assert_no_effect(&event, segment);
        }
    }

    #[test]
    fn the_path_alone_says_what_kind_it_is() {
        let body = json!({"interviewId": SESSION, "onboardingStatus": "MANUAL_REVIEW_APPROVED",
            "overallStatus": "PASS", "ScrapingStatus": "FINISHED", "requestId": "r", "workHistory": {}});
        for (segment, _) in every_kind() {
            let is_approval = matches!(segment, "onboarding-status" | "session-succeeded");
            let expected = match segment {
                "session-failed" => Some(Outcome::Declined),
                "session-pending-review" => Some(Outcome::Review),
                _ => is_approval.then_some(Outcome::Approved),
            };
            assert_eq!(outcome(&event(segment, &body)), expected, "{segment}");
        }
    }
}

mod details {
    use super::*;

    fn said(check: &Check) -> Vec<(&str, &str)> {
        check.detail.iter().collect()
    }

    #[test]
    fn what_is_needed_to_act_is_in_the_event_its_checks_and_its_decision() {
        let all = json!({"interviewId": SESSION, "flowId": "flow-1", "requestId": "request-1", "ref": "ref-1",
            "search_id": 900_001, "faceMatch": true, "spoofAttempt": false});
        let expected = [
            ("faceMatch", "true"),
            ("flowId", "flow-1"),
            ("ref", "ref-1"),
            ("requestId", "request-1"),
            ("search_id", "900001"),
            ("spoofAttempt", "false"),
        ];
        for (segment, _) in every_kind() {
            let event = event(segment, &all);
            for (name, value) in expected {
                assert_eq!(event.detail.get(name).map(String::as_str), Some(value), "{segment}");
            }
            assert!(event.checks.values().all(|check| said(check) == expected), "{segment}");
            assert!(event.decision.is_none_or(|decision| decision.detail.iter().collect::<Vec<_>>() == expected));
        }
    }

    #[test]
    fn a_detail_that_is_no_code_vanishes() {
        for canary in [json!("Sample Person"), json!("x".repeat(65)), json!(["canary"]), json!({"name": "canary"})] {
            let names =
                ["flowId", "requestId", "ref", "search_id", "faceMatch", "spoofAttempt", "timestamp", "completedAt"];
            for (segment, _) in every_kind() {
                let mut body = json!({"interviewId": SESSION});
                for name in names {
                    body[name] = canary.clone();
                }
                let event = event(segment, &body);
                assert_eq!(event.remarks, names.map(|name| format!("left_out:{name}")), "{segment} {canary}");
                assert!(event.checks.values().all(|check| check.detail.is_empty()), "{segment} {canary}");
                assert!(!format!("{:?}", event.detail).contains("Sample"), "{segment} {canary}");
            }
        }
    }

    #[test]
    fn times_that_integrators_describe_are_shown_and_order_nothing() {
        let body = json!({"interviewId": SESSION, "timestamp": 1_781_310_600_000_i64,
            "completedAt": "2026-06-13T00:30:00.123Z"});
        let event = event("session-succeeded", &body);
        let shown = detail([("timestamp", "1781310600000"), ("completedAt", "2026-06-13T00:30:00.123Z")]);
        assert_eq!((event.detail.clone(), event.occurred_at), (shown, None));
        assert_eq!(event.effective_at(), time(ARRIVAL));
        assert!(event.decision.unwrap().detail.is_empty());
    }
}

mod integrators {
    use super::*;

    fn by_integrators(event_type: &Value) -> Value {
        json!({"interviewId": SESSION, "eventType": event_type, "externalCustomerId": "ticket-1"})
    }

    #[test]
    fn the_status_and_your_reference_may_have_the_names_that_integrators_describe() {
        let event = event("onboarding-status", &by_integrators(&json!("ONBOARDING_FINISHED")));
        assert_eq!((&*event.name, event.stage), ("onboarding_status.finished", Some(Stage::Submitted)));
        assert_eq!(event.subject.reference.as_deref(), Some("ticket-1"));
        assert_eq!((event.remark, event.remarks.len()), (None, 0));
        let approved = super::event("onboarding-status", &by_integrators(&json!("MANUAL_REVIEW_APPROVED")));
        assert_eq!(outcome(&approved), Some(Outcome::Approved));
        let unknown = super::event("onboarding-status", &by_integrators(&json!("SOMETHING_NEW")));
        assert_eq!(unknown.detail, detail([("eventType", "SOMETHING_NEW")]));
    }

    #[test]
    fn your_reference_has_that_name_on_every_path() {
        for (segment, _) in every_kind() {
            for (external_id, expected) in [(Value::Null, "ticket-1"), (json!(" "), "ticket-1"), (json!("e"), "e")] {
                let body = json!({"interviewId": SESSION, "externalId": external_id, "externalCustomerId": "ticket-1"});
                assert_eq!(event(segment, &body).subject.reference.as_deref(), Some(expected), "{segment}");
            }
        }
    }

    #[test]
    fn the_documented_status_goes_first_whatever_its_type() {
        for (documented, name) in [(json!("EXPIRED"), "expired"), (json!(["EXPIRED"]), "unrecognised")] {
            let mut body = by_integrators(&json!("MANUAL_REVIEW_APPROVED"));
            body["onboardingStatus"] = documented;
            assert_eq!(event("onboarding-status", &body).name, format!("onboarding_status.{name}"));
        }
    }

    #[test]
    fn an_event_type_on_another_path_says_nothing() {
        for (segment, _) in every_kind().into_iter().filter(|(segment, _)| *segment != "onboarding-status") {
            let body = json!({"interviewId": SESSION});
            let mut typed = body.clone();
            typed["eventType"] = json!("MANUAL_REVIEW_APPROVED");
            assert_eq!(outcome(&event(segment, &typed)), outcome(&event(segment, &body)), "{segment}");
        }
    }

    /// Before it was read, its id was made of the whole body.
    #[test]
    fn a_status_in_another_member_goes_by_the_whole_body_as_before() {
        let body = by_integrators(&json!("ONBOARDING_FINISHED")).to_string();
        let id = event_on("onboarding-status", &body).event_id;
        assert_eq!(id.as_str(), format!("onboarding-status:{}", sha256_hex(body.as_bytes())));
    }
}

mod references {
    use super::*;

    #[test]
    fn a_reference_of_a_thousand_characters_is_kept_whole() {
        for character in ["x", "é", "🔑"] {
            let reference = character.repeat(1000);
            let body = json!({"interviewId": SESSION, "externalId": reference, "customerId": reference});
            let (event, payload) = event_and_payload_on("session-started", body.to_string());
            let subject = Subject { reference: Some(reference.clone()), provider_user_id: Some(reference) };
            assert_eq!((&event.subject, event.remarks.len()), (&subject, 0));
            assert_eq!(event_on("session-started", payload).subject, subject);
        }
    }

    #[test]
    fn a_reference_that_must_be_left_out_leaves_a_remark_and_the_event() {
        for sent in [json!("x".repeat(4001)), json!({"id": 1}), json!(true)] {
            let event = event("session-succeeded", &json!({"interviewId": SESSION, "externalId": sent}));
            assert_eq!(
                (event.subject.reference, event.remarks),
                (None, vec!["left_out:externalId".to_owned()]),
                "{sent}"
            );
            assert!(event.decision.is_some());
        }
    }
}

mod sessions {
    use super::*;

    fn session_on(segment: &str, body: &Value) -> Result<String, Unreadable> {
        read_on(segment, body.to_string()).map(|_| event(segment, body).session.session_id.as_str().to_owned())
    }

    #[test]
    fn an_interview_has_any_of_three_names_on_every_path() {
        for (segment, _) in every_kind() {
            for name in ["interviewId", "InterviewId", "sessionId"] {
                let body = json!({name: SESSION, "requestId": "r", "customerId": "c"});
                assert_eq!(session_on(segment, &body).as_deref(), Ok(SESSION), "{segment} {name}");
            }
        }
    }

    #[test]
    fn several_names_must_agree() {
        for (one, other) in [("interviewId", "InterviewId"), ("interviewId", "sessionId"), ("InterviewId", "sessionId")]
        {
            let same = json!({one: SESSION, other: SESSION});
            assert_eq!(session_on("onboarding-status", &same).as_deref(), Ok(SESSION));
            let blank = json!({one: " ", other: SESSION});
            assert_eq!(session_on("onboarding-status", &blank).as_deref(), Ok(SESSION), "blank is missing");
            let differs = json!({one: SESSION, other: "another"});
            assert_eq!(session_on("onboarding-status", &differs), Err(Unreadable::Ambiguous(one)));
        }
        let third = json!({"interviewId": SESSION, "InterviewId": SESSION, "sessionId": "another"});
        assert_eq!(session_on("watchlist", &third), Err(Unreadable::Ambiguous("interviewId")));
    }

    #[test]
    fn a_proof_of_payment_is_filed_under_its_request_where_there_is_no_interview() {
        let body = json!({"requestId": "72456dc1", "rfcIssuer": "SAMPLE"});
        assert_eq!(session_on("proof-of-payment", &body).as_deref(), Ok("request:72456dc1"));
        let with_interview = json!({"requestId": "72456dc1", "interviewId": SESSION});
        assert_eq!(session_on("proof-of-payment", &with_interview).as_deref(), Ok(SESSION));
    }

    #[test]
    fn an_authentication_is_filed_under_its_customer_where_there_is_no_interview() {
        let body = json!({"customerId": "67460a99", "interviewId": ""});
        let event = event("authentication", &body);
        assert_eq!(event.session.session_id.as_str(), "customer:67460a99");
        assert_eq!(event.subject.provider_user_id.as_deref(), Some("67460a99"));
    }

    #[test]
    fn nothing_else_stands_in_for_an_interview() {
        let body = json!({"requestId": "r", "customerId": "c", "externalId": "e", "clientId": "i", "id": "x",
            "interview": SESSION, "INTERVIEWID": SESSION, "session": {"interviewId": SESSION}});
        for (segment, _) in every_kind() {
            if !matches!(segment, "proof-of-payment" | "authentication") {
                assert_eq!(session_on(segment, &body), Err(Unreadable::NoSessionId), "{segment}");
            }
        }
        assert_eq!(session_on("proof-of-payment", &json!({"customerId": "c"})), Err(Unreadable::NoSessionId));
        assert_eq!(session_on("authentication", &json!({"requestId": "r"})), Err(Unreadable::NoSessionId));
        assert_eq!(session_on("authentication", &json!({"customerId": " "})), Err(Unreadable::NoSessionId));
    }

    #[test]
    fn an_interview_is_any_text() {
        for id in ["6", "a/b", "Ä-ö", "🔑", "request-1", &"x".repeat(1024)] {
            assert_eq!(session_on("session-started", &json!({"interviewId": id})).as_deref(), Ok(id));
        }
        assert_eq!(session_on("session-started", &json!({"interviewId": 12_345})).as_deref(), Ok("12345"));
        for unusable in ["x".repeat(1025), "\\ud800".into()] {
            let body = format!(r#"{{"interviewId":"{unusable}"}}"#);
            assert_eq!(read_on("session-started", body), Err(Unreadable::UnusableId("interviewId")));
        }
        let long = json!({"requestId": "x".repeat(1024 - "request:".len() + 1)});
        assert_eq!(session_on("proof-of-payment", &long), Err(Unreadable::UnusableId("requestId")));
    }
}

mod event_ids {
    use super::*;

    fn id(segment: &str, body: &str) -> String {
        event_on(segment, body).event_id.to_string()
    }

    fn assert_all_differ(ids: impl IntoIterator<Item = String>) {
        let ids: Vec<String> = ids.into_iter().collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{ids:#?}");
    }

    #[test]
    fn a_status_of_a_session_is_one_fact_however_it_is_written() {
        for (segment, name, session) in [
            ("onboarding-status", "onboardingStatus", "interviewId"),
            ("ine-scraping", "ScrapingStatus", "InterviewId"),
        ] {
            let first = id(segment, &json!({session: SESSION, name: "FINISHED"}).to_string());
            let digest = first.strip_prefix(&format!("{segment}:")).unwrap();
            assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
            for copy in [
                json!({"sessionId": SESSION, name: "FINISHED"}).to_string(),
                json!({session: SESSION, name: "FINISHED", "flowId": "f", "externalId": "e"}).to_string(),
                format!(" {{ \"{name}\" : \"FINI\\u0053HED\" ,\n \"{session}\" : \"{SESSION}\" }} "),
            ] {
                assert_eq!(id(segment, &copy), first, "{copy}");
            }
            assert_all_differ([
                first,
                id(segment, &json!({session: SESSION, name: "IN_PROGRESS"}).to_string()),
                id(segment, &json!({session: SESSION, name: "SOMETHING_NEW"}).to_string()),
                id(segment, &json!({session: "another", name: "FINISHED"}).to_string()),
                id(segment, &json!({session: format!("{SESSION}F"), name: "INISHED"}).to_string()),
                id(segment, &json!({session: SESSION}).to_string()),
            ]);
        }
    }

    #[test]
    fn without_a_status_the_whole_body_counts() {
        for (segment, name) in [("onboarding-status", "onboardingStatus"), ("ine-scraping", "ScrapingStatus")] {
            for missing in [json!({"interviewId": SESSION}), json!({"interviewId": SESSION, name: " "})] {
                let body = missing.to_string();
                assert_eq!(id(segment, &body), format!("{segment}:{}", sha256_hex(body.as_bytes())));
            }
        }
    }

    #[test]
    fn every_other_kind_goes_by_the_whole_body() {
        for (segment, body) in every_kind() {
            if matches!(segment, "onboarding-status" | "ine-scraping") {
                continue;
            }
            let body = body.to_string();
            assert_eq!(id(segment, &body), format!("{segment}:{}", sha256_hex(body.as_bytes())));
            assert_all_differ([id(segment, &body), id(segment, &format!("{body} "))]);
        }
    }

    #[test]
    fn one_body_on_two_paths_is_two_facts() {
        let body = json!({"interviewId": SESSION, "onboardingStatus": "X", "ScrapingStatus": "X"}).to_string();
        assert_all_differ(every_kind().map(|(segment, _)| id(segment, &body)));
    }

    #[test]
    fn a_stage_before_the_path_makes_no_other_fact() {
        let body = json!({"interviewId": SESSION, "onboardingStatus": "EXPIRED"}).to_string();
        // `/incode/production/incode/…`: what stands before the last `/incode/` does not matter.
        assert_eq!(id("production/incode/onboarding-status", &body), id("onboarding-status", &body));
        assert_eq!(event_on("production/incode/onboarding-status", &body), event_on("onboarding-status", &body));
    }
}

mod unreadable {
    use super::*;

    #[test]
    fn what_is_no_json_object_is_kept_for_an_operator() {
        for (segment, _) in every_kind() {
            assert_eq!(read_on(segment, ""), Err(Unreadable::Empty));
            assert_eq!(read_on(segment, "<html>"), Err(Unreadable::NotJson { at: 0 }));
            assert_eq!(read_on(segment, b"{\"interviewId\":\"\xff\"}"), Err(Unreadable::NotJson { at: 16 }));
            assert_eq!(read_on(segment, "[".repeat(1_000_000)), Err(Unreadable::TooDeep));
            for body in ["null", "[]", "\"x\"", "1", "true", r#"[{"interviewId":"x"}]"#] {
                assert_eq!(read_on(segment, body), Err(Unreadable::NotAnObject), "{segment} {body}");
            }
        }
    }

    #[test]
    fn a_member_that_matters_must_not_occur_twice() {
        for (segment, member) in [
            ("onboarding-status", "onboardingStatus"),
            ("ine-scraping", "ScrapingStatus"),
            ("authentication", "overallStatus"),
            ("authentication", "errorCode"),
            ("authentication", "spoofAttempt"),
            ("face-authentication", "overallStatus"),
            ("session-succeeded", "interviewId"),
            ("session-succeeded", "InterviewId"),
            ("session-succeeded", "sessionId"),
            ("watchlist", "externalId"),
            ("watchlist", "customerId"),
        ] {
            for doubled in [format!(r#""{member}":"a","{member}":"b""#), format!(r#""{member}":"a","{member}":"a""#)] {
                let other = if member.ends_with("nterviewId") { "sessionId" } else { "interviewId" };
                let other = if member == "sessionId" { "requestId" } else { other };
                let body = format!(r#"{{"{other}":"a",{doubled}}}"#);
                assert_eq!(read_on(segment, body), Err(Unreadable::Ambiguous(member)), "{segment}");
            }
        }
        let escaped = r#"{"interviewId":"a","onboardingStatus":"UNKNOWN","onboarding\u0053tatus":"EXPIRED"}"#;
        assert_eq!(read_on("onboarding-status", escaped), Err(Unreadable::Ambiguous("onboardingStatus")));
        assert!(read_on("watchlist", r#"{"interviewId":"a","ref":"1","ref":"2"}"#).is_ok(), "what does not matter may");
    }
}

mod payloads {
    use super::*;

    #[test]
    fn no_token_and_no_api_key_is_stored_whatever_the_kind() {
        for (segment, mut body) in every_kind() {
            let secrets = json!({"token": "canary-1", "interviewToken": "canary-2", "apiKey": "canary-3"});
            body["nested"] = json!({"list": [secrets]});
            for (name, value) in secrets.as_object().unwrap() {
                body[name] = value.clone();
            }
            let (_, payload) = event_and_payload_on(segment, body.to_string());
            assert!(!payload.contains("canary"), "{segment}: {payload}");
            for name in ["token", "interviewToken", "apiKey"] {
                assert!(!payload.contains(name), "{segment}: {name}");
            }
            assert!(payload.contains(r#""nested":{"list":[{}]}"#), "{segment}: {payload}");
        }
    }

    #[test]
    fn what_is_stored_reads_as_the_webhook_did() {
        for (segment, body) in every_kind() {
            let (first, payload) = event_and_payload_on(segment, body.to_string());
            let again = event_on(segment, &payload);
            assert_eq!((again.name, again.session, again.checks), (first.name, first.session, first.checks));
            assert_eq!((again.decision, again.stage), (first.decision, first.stage), "{segment}");
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
            for (segment, _) in every_kind() {
                let path = format!("/incode/{segment}");
                let answer = Incode::answer(&path, disposition);
                assert_eq!(answer.status, status, "{disposition:?}");
                let expected = match (status, segment) {
                    (200, "ine-scraping") => json!({"success": "true"}),
                    (200, _) => json!({"success": true}),
                    (401, _) => json!({"error": {"code": "unauthorized"}}),
                    (404, _) => json!({"message": "Not Found"}),
                    _ => json!({"error": {"code": "unavailable"}}),
                };
                assert_eq!(serde_json::from_str::<Value>(answer.body).unwrap(), expected, "{path} {disposition:?}");
                assert_eq!(Incode::answer(&format!("/production{path}"), disposition), answer);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(segment in "onboarding-status|authentication|[a-z-]{1,9}", body: Vec<u8>) {
        let _ = read_on(&segment, body);
    }

    #[test]
    fn whatever_a_status_is_only_the_known_ones_decide(status in "[A-Z_]{1,30}|.*") {
        let body = json!({"interviewId": SESSION, "onboardingStatus": status});
        let event = event("onboarding-status", &body);
        let decides = matches!(&*status, "MANUAL_REVIEW_APPROVED" | "MANUAL_REVIEW_REJECTED" | "EXPIRED");
        prop_assert_eq!(event.decision.is_some(), decides);
    }

    #[test]
    fn no_further_member_changes_what_a_status_says(name in "[a-zA-Z]{1,12}|.{0,8}", value in "PASS|FAIL|EXPIRED|.*") {
        let known = ["interviewId", "InterviewId", "sessionId", "onboardingStatus", "externalId", "externalCustomerId",
            "customerId", "ref", "flowId", "requestId", "faceMatch", "timestamp", "completedAt"];
        prop_assume!(!known.contains(&&*name));
        let mut body = json!({"interviewId": SESSION, "onboardingStatus": "ONBOARDING_FINISHED"});
        let first = event("onboarding-status", &body);
        body[&*name] = json!(value);
        prop_assert_eq!(event("onboarding-status", &body), first);
    }
}
