//! What Wultra's webhooks mean, type by type.

use super::genuine::{ARRIVAL, read};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use verdict_sessions::{
    CheckOutcome, Detail, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent, Stage, Timestamp,
};
use verdict_webhooks::{Disposition, Reading, Refusal, WebhookSource, sha256_hex, wultra::Wultra};

const EVENT: &str = "8f0d649e-a688-4ead-8581-fc2b67e88be4";
const PROCESS: &str = "8b2dfae4-d955-4d8f-a95b-2d9c5a4b0e26";
const VERIFICATION: &str = "d3827099-3b6c-4df9-887d-4eac402fc4f9";

/// The one event that a webhook is.
fn event_in(body: &Value) -> SessionEvent {
    match read(body.to_string()) {
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

/// An event with its nulls written out, as Wultra sends it.
fn event(event_type: &str, data: &Value) -> Value {
    json!({"id": EVENT, "timestamp": "2026-04-23T14:30:00Z", "type": event_type, "userId": "customer-1",
        "externalUserId": "person-1", "processId": PROCESS, "processType": "onboarding",
        "identityVerificationId": VERIFICATION, "eventData": data})
}

fn document(changes: Value) -> Value {
    let verification = json!({"documentVerificationId": "verification-1", "documentId": "document-1",
        "status": "ACCEPTED", "rejectReason": null, "errorDetail": null, "provider": "Microblink", "score": 8,
        "documentVerificationResult": {"type": "ID_CARD", "country": "CZ",
            "data": {"surname": "SAMPLE", "givenNames": null, "dateOfBirth": "1989-00-00", "placeOfBirth": null,
                "sex": null, "nationality": null, "personalNumber": null, "documentNumber": "000000000",
                "dateOfIssue": null, "dateOfExpiry": "0000-00-00", "authority": null},
            "images": [{"type": "Front", "data": "AAAA"}], "rawData": {}}});
    event("DOCUMENT_VERIFICATION_FINISHED", &json!({"documentVerification": with(verification, changes)}))
}

fn documents(changes: Value) -> Value {
    let verification = json!({"documentVerificationId": "verification-1", "status": "ACCEPTED", "rejectReason": null,
        "errorDetail": null, "provider": "Microblink", "documentIds": ["document-1", "document-2"]});
    event("FINAL_DOCUMENT_VERIFICATION_FINISHED", &json!({"finalDocumentVerification": with(verification, changes)}))
}

fn presence(changes: Value) -> Value {
    let check = json!({"status": "ACCEPTED", "rejectReason": null, "errorDetail": null, "provider": "iProov",
        "score": 10, "presenceCheckResult": {"frame": "AAAA"}});
    event("PRESENCE_CHECK_FINISHED", &json!({"presenceCheck": with(check, changes)}))
}

fn process(changes: Value) -> Value {
    let process = json!({"status": "FINISHED", "errorDetail": null,
        "deviceData": {"locale": "EN", "ipAddress": null, "httpUserAgent": null, "fdsData": {}}});
    event("PROCESS_FINISHED", &json!({"process": with(process, changes)}))
}

type Checked = (fn(Value) -> Value, &'static str, &'static str);

/// The types that report a check, how the event is called, and the check.
const CHECKS: [Checked; 3] = [
    (document, "document_verification_finished", "document:document-1"),
    (documents, "final_document_verification_finished", "documents"),
    (presence, "presence_check_finished", "presence"),
];

/// The name, the outcome and the reason of an event's only check.
type Outlined<'a> = Vec<(&'a str, CheckOutcome, Option<&'a str>)>;

fn check<'a>(name: &'a str, outcome: CheckOutcome, reason: Option<&'a str>) -> Outlined<'a> {
    vec![(name, outcome, reason)]
}

fn outlined(event: &SessionEvent) -> Outlined<'_> {
    event.checks.iter().map(|(name, check)| (name.as_str(), check.outcome, check.reason.as_deref())).collect()
}

/// The codes and the details of an event's only check.
fn codes_and_details(event: &SessionEvent) -> (Vec<&str>, Vec<(&str, &str)>) {
    let [check] = event.checks.values().collect::<Vec<_>>()[..] else { panic!("{event:?}") };
    (check.reason_codes.iter().map(ReasonCode::as_str).collect(), check.detail.iter().collect())
}

fn check_names(body: &Value) -> Vec<String> {
    event_in(body).checks.into_keys().collect()
}

fn outcome(event: &SessionEvent) -> Option<Outcome> {
    event.decision.as_ref().map(|decision| decision.outcome)
}

fn detail<const N: usize>(members: [(&str, &str); N]) -> BTreeMap<String, String> {
    members.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Recorded, and that is all; except that a check shows that the person has started.
fn assert_no_effect(body: &Value, name: &str, remark: Remark) {
    let event = event_in(body);
    assert_eq!((event.name.as_str(), event.remark), (name, Some(remark)), "{body}");
    let is_check = name.ends_with("verification_finished") || name.starts_with("presence");
    assert_eq!((&event.decision, event.stage), (&None, is_check.then_some(Stage::Started)), "{body}");
    assert!(event.checks.is_empty(), "{body}");
    assert_eq!(event.session.session_id.as_str(), PROCESS, "{body}");
}

mod envelopes {
    use super::*;

    #[test]
    fn an_event_says_who_what_and_when() {
        let event = event_in(&process(json!({})));
        assert_eq!(event.session.to_string(), format!("wultra/{PROCESS}"));
        assert_eq!((event.session.provider, event.kind), (Provider::Wultra, Kind::Onboarding));
        assert_eq!((event.attempt_id, event.stage, event.emitted_at), (None, None, None));
        assert_eq!(event.occurred_at, Some(time("2026-04-23T14:30:00Z")));
        assert_eq!(event.received_at, time(ARRIVAL));
        assert_eq!(event.subject.reference.as_deref(), Some("customer-1"));
        assert_eq!(event.subject.provider_user_id.as_deref(), Some("person-1"));
        assert_eq!(event.detail, detail([("identityVerificationId", VERIFICATION), ("processType", "onboarding")]));
    }

    #[test]
    fn nulls_are_written_out_and_mean_nothing() {
        let nulls = json!({"id": null, "timestamp": null, "userId": null, "externalUserId": null, "processType": null,
            "identityVerificationId": null});
        let event = event_in(&with(process(json!({})), nulls));
        assert_eq!((event.occurred_at, outcome(&event)), (None, Some(Outcome::Approved)));
        assert_eq!((event.subject.reference, event.subject.provider_user_id), (None, None));
        assert!(event.detail.is_empty() && event.event_id.as_str().starts_with("body:"));
    }

    #[test]
    fn the_time_counts_in_every_form_that_is_a_point_in_time() {
        for (sent, expected) in [
            (json!("2026-04-23T14:30:00Z"), "2026-04-23T14:30:00Z"),
            (json!("2026-04-23T14:30:00.1Z"), "2026-04-23T14:30:00.1Z"),
            (json!("2026-04-23T14:30:00.123456789Z"), "2026-04-23T14:30:00.123456789Z"),
            (json!("2026-04-23T16:30:00.123+02:00"), "2026-04-23T14:30:00.123Z"),
            (json!("2026-04-23T16:30:00,123+0200"), "2026-04-23T14:30:00.123Z"),
            (json!("2026-04-23 14:30:00"), "2026-04-23T14:30:00Z"),
            (json!("2026-04-23T14:30:00"), "2026-04-23T14:30:00Z"),
            (json!("2016-12-31T23:59:60Z"), "2016-12-31T23:59:59.999999999Z"),
            (json!(1_776_954_600), "2026-04-23T14:30:00Z"),
            (json!(1_776_954_600.5), "2026-04-23T14:30:00.5Z"),
            (json!("1776954600"), "2026-04-23T14:30:00Z"),
            (json!(1_776_954_600_123_u64), "2026-04-23T14:30:00.123Z"),
            (json!("1776954600123"), "2026-04-23T14:30:00.123Z"),
        ] {
            let event = event_in(&with(process(json!({})), json!({"timestamp": sent})));
            assert_eq!((event.occurred_at, event.remarks), (Some(time(expected)), vec![]), "{sent}");
        }
    }

    #[test]
    fn no_date_fails_a_delivery_and_one_that_can_t_be_read_leaves_a_remark() {
        let seen = |sent: &Value| {
            let event = event_in(&with(process(json!({})), json!({"timestamp": sent})));
            assert_eq!((event.occurred_at, outcome(&event)), (None, Some(Outcome::Approved)), "{sent}");
            assert!(!event.undated, "{sent}: it counts from its arrival");
            event.remarks
        };
        for blank in [Value::Null, json!(""), json!("0000-00-00"), json!(0)] {
            assert_eq!(seen(&blank), Vec::<String>::new(), "{blank}");
        }
        for sent in [
            json!("1989-00-00"),
            json!("2026-04-23"),
            json!("23. 4. 2026"),
            json!("9999-99-99T99:99:99Z"),
            json!(-1),
            json!(1e300),
            json!([2026, 4, 23, 14, 30]),
            json!({"seconds": 1}),
            json!(true),
        ] {
            assert_eq!(seen(&sent), ["time_unreadable:timestamp"], "{sent}");
        }
    }

    #[test]
    fn a_reference_of_a_thousand_characters_is_whole_and_one_too_long_is_left_out_with_a_remark() {
        let event = |id: Value| event_in(&with(process(json!({})), json!({"userId": id, "externalUserId": id})));
        let long = "🔑".repeat(1000);
        let whole = event(json!(long));
        assert_eq!(whole.subject.reference.as_deref(), Some(&*long));
        assert_eq!((whole.subject.provider_user_id.as_deref(), whole.remarks), (Some(&*long), vec![]));
        for odd in [json!("u".repeat(5000)), json!({"id": "u"}), json!(true)] {
            let event = event(odd);
            assert_eq!(event.subject, verdict_sessions::Subject::default());
            assert_eq!(event.remarks, ["left_out:userId", "left_out:externalUserId"]);
            assert_eq!(outcome(&event), Some(Outcome::Approved));
        }
    }

    #[test]
    fn details_that_are_no_codes_show_their_type_and_length() {
        let body = with(
            presence(json!({"provider": "Canary Person"})),
            json!({"processType": "é".repeat(129), "identityVerificationId": 7}),
        );
        let expected =
            detail([("provider", "string(13)"), ("processType", "string(129)"), ("identityVerificationId", "7")]);
        assert_eq!(event_in(&body).detail, expected);
    }
}

mod checks {
    use super::*;

    #[test]
    fn each_status_is_an_outcome_with_its_reason() {
        let reasons = json!({"rejectReason": "a reason", "errorDetail": "an error"});
        for (body, name, checked) in CHECKS {
            for (status, expected, reason) in [
                ("ACCEPTED", CheckOutcome::Passed, None),
                ("REJECTED", CheckOutcome::Failed, Some("a reason")),
                ("FAILED", CheckOutcome::Error, Some("an error")),
            ] {
                let event = event_in(&body(with(reasons.clone(), json!({"status": status}))));
                assert_eq!((event.name.as_str(), event.remark), (name, None), "{status}");
                assert_eq!(outlined(&event), check(checked, expected, reason), "{name} {status}");
                assert_eq!((&event.decision, event.stage), (&None, Some(Stage::Started)), "{name} {status}");
            }
        }
    }

    #[test]
    fn without_a_reason_there_is_none() {
        for (body, _, checked) in CHECKS {
            for blank in [Value::Null, json!(""), json!(" "), json!({"text": "x"}), json!(["x"])] {
                let rejected =
                    event_in(&body(json!({"status": "REJECTED", "rejectReason": blank, "errorDetail": "x"})));
                assert_eq!(outlined(&rejected), check(checked, CheckOutcome::Failed, None), "{blank}");
                let failed = event_in(&body(json!({"status": "FAILED", "errorDetail": blank, "rejectReason": "x"})));
                assert_eq!(outlined(&failed), check(checked, CheckOutcome::Error, None), "{blank}");
            }
        }
    }

    #[test]
    fn a_reason_is_free_text_kept_up_to_1024_characters() {
        for (body, _, checked) in CHECKS {
            let text = "[\"Document expired\", {\"more\": 1}]";
            let event = event_in(&body(json!({"status": "REJECTED", "rejectReason": text})));
            assert_eq!(outlined(&event), check(checked, CheckOutcome::Failed, Some(text)));
            let event = event_in(&body(json!({"status": "FAILED", "errorDetail": "é".repeat(1025)})));
            assert_eq!(outlined(&event), check(checked, CheckOutcome::Error, Some(&"é".repeat(1024))));
        }
    }

    #[test]
    fn an_unknown_status_is_recorded_and_has_no_effect() {
        for (body, name, _) in CHECKS {
            for status in [
                json!("PENDING"),
                json!("accepted"),
                json!("Accepted"),
                json!(" ACCEPTED"),
                json!("ACCEPTED\u{0}"),
                json!("АCCEPTED"),
                json!("FINISHED"),
                json!("String"),
                json!(1),
                json!(true),
                json!(["ACCEPTED"]),
                json!({"value": "ACCEPTED"}),
                json!(""),
                Value::Null,
            ] {
                assert_no_effect(&body(json!({"status": status})), name, Remark::Unrecognised);
            }
            let event = event_in(&body(json!({"status": "PENDING"})));
            assert_eq!(event.detail["status"], "PENDING");
        }
    }

    #[test]
    fn a_documents_check_is_named_after_the_document() {
        let long = "d".repeat(129);
        for (document_id, verification_id, expected) in [
            (json!("d-1"), json!("v-1"), "document:d-1"),
            (json!("d-1"), Value::Null, "document:d-1"),
            (json!(7), json!("v-1"), "document:7"),
            (Value::Null, json!("v-1"), "document:v-1"),
            (json!(""), json!("v-1"), "document:v-1"),
            (json!(" "), json!(7), "document:7"),
            (json!({}), json!("v-1"), "document:v-1"),
            (Value::Null, Value::Null, "document"),
            (json!(""), json!(" "), "document"),
            (json!(&long[1..]), Value::Null, &format!("document:{}", &long[1..])),
            (json!(long), Value::Null, &format!("document:{}", sha256_hex(long.as_bytes()))),
        ] {
            let body = document(json!({"documentId": document_id, "documentVerificationId": verification_id}));
            assert_eq!(check_names(&body), [expected], "{body}");
        }
        let missing = json!({"documentVerification": {"status": "ACCEPTED"}});
        assert_eq!(check_names(&event("DOCUMENT_VERIFICATION_FINISHED", &missing)), ["document"]);
    }

    #[test]
    fn the_score_decides_nothing() {
        for (body, ..) in CHECKS {
            for score in [json!(0), json!(10), json!(1e300), json!("8"), json!({}), Value::Null] {
                let event = event_in(&body(json!({"score": score})));
                assert_eq!(outlined(&event), outlined(&event_in(&body(json!({})))), "{score}");
            }
        }
        let rejected = event_in(&presence(json!({"status": "REJECTED", "score": 10})));
        assert_eq!(outlined(&rejected), check("presence", CheckOutcome::Failed, None));
    }

    #[test]
    fn the_provider_is_told_in_whatever_case() {
        for (body, ..) in CHECKS {
            for provider in ["iProov", "IPROOV", "iproov", "Some_other-one.2"] {
                assert_eq!(event_in(&body(json!({"provider": provider}))).detail["provider"], provider);
            }
            assert!(!event_in(&body(json!({"provider": null}))).detail.contains_key("provider"));
        }
    }

    #[test]
    fn results_come_in_every_shape_and_say_nothing_more() {
        let expected = event_in(&document(json!({})));
        for result in [
            Value::Null,
            json!({}),
            json!([]),
            json!("text"),
            json!({"rawData": {"status": "REJECTED", "documentVerification": {"status": "FAILED"}}}),
            json!({"rawData": r#"{"status":"REJECTED","token":"x"}"#}),
            json!({"rawData": "{not json"}),
            json!({"rawData": null, "images": null, "data": null}),
            json!({"images": [{"type": "FRONT", "data": null}, {"type": "front"}, {}, null]}),
            json!({"type": null, "country": 7, "data": {"surname": {"latin": "SAMPLE"}}}),
        ] {
            let event = event_in(&document(json!({"documentVerificationResult": result})));
            assert_eq!((outlined(&event), event.remark), (outlined(&expected), None), "{result}");
        }
        for result in [Value::Null, json!({}), json!({"frame": null}), json!("frame")] {
            let body = presence(json!({"presenceCheckResult": result}));
            assert_eq!(event_in(&body), event_in(&presence(json!({}))), "{result}");
        }
        for ids in [Value::Null, json!([]), json!([null, 1, "x"]), json!("x")] {
            let event = event_in(&documents(json!({"documentIds": ids})));
            assert_eq!((outlined(&event), event.remark), (outlined(&event_in(&documents(json!({})))), None), "{ids}");
        }
    }
}

mod processes {
    use super::*;

    #[test]
    fn a_finished_process_approves() {
        let event = event_in(&process(json!({})));
        assert_eq!((event.name.as_str(), event.remark), ("process_finished", None));
        let decision = event.decision.unwrap();
        assert_eq!((decision.outcome, decision.reason, decision.reason_code), (Outcome::Approved, None, None));
        assert!(event.checks.is_empty());
    }

    #[test]
    fn a_failed_process_failed_for_its_reason() {
        for (sent, reason, code) in [
            (json!("maxProcessErrorScoreExceeded"), Some("maxProcessErrorScoreExceeded"), true),
            (json!("error.process-2_x"), Some("error.process-2_x"), true),
            (json!("The documents do not match"), Some("The documents do not match"), false),
            (json!("chybí"), Some("chybí"), false),
            (json!("a".repeat(65)), Some("a".repeat(65).as_str()), false),
            (json!(17), Some("17"), true),
            (json!(""), None, false),
            (json!({"code": 1}), None, false),
            (Value::Null, None, false),
        ] {
            let event = event_in(&process(json!({"status": "FAILED", "errorDetail": sent})));
            let decision = event.decision.unwrap();
            assert_eq!((decision.outcome, event.remark), (Outcome::Failed, None), "{sent}");
            assert_eq!(decision.reason.as_deref(), reason, "{sent}");
            assert_eq!(decision.reason_code, reason.filter(|_| code).and_then(ReasonCode::new), "{sent}");
        }
    }

    #[test]
    fn an_unknown_status_decides_nothing() {
        for status in [
            json!("REJECTED"),
            json!("ACCEPTED"),
            json!("VERIFICATION_IN_PROGRESS"),
            json!("finished"),
            json!("Finished"),
            json!("FINISHED "),
            json!("FІNISHED"),
            json!(true),
            json!(["FINISHED"]),
            json!(""),
            Value::Null,
        ] {
            assert_no_effect(&process(json!({"status": status})), "process_finished", Remark::Unrecognised);
        }
        let missing = event("PROCESS_FINISHED", &json!({"process": {}}));
        assert_no_effect(&missing, "process_finished", Remark::Unrecognised);
    }

    #[test]
    fn what_is_told_of_the_device_changes_nothing() {
        let expected = event_in(&process(json!({})));
        for body in [
            process(json!({"deviceData": null})),
            process(json!({"deviceData": {"locale": null, "fdsData": {"status": "FAILED"}}})),
            process(json!({"deviceData": {"ipAddress": "198.51.100.7", "fdsData": "text"}})),
            process(json!({"mobileData": {"clientIPAddress": "198.51.100.7"}})),
        ] {
            let event = event_in(&body);
            assert_eq!((&event.decision, &event.checks), (&expected.decision, &expected.checks), "{body}");
        }
    }

    #[test]
    fn up_to_release_2_1_the_type_alone_approves() {
        let legacy = without(without(event("FINISHED", &json!({})), "id"), "timestamp");
        for body in [
            with(
                legacy.clone(),
                json!({"eventData": {"locale": "en", "clientIPAddress": null, "httpUserAgent": null}}),
            ),
            with(without(legacy.clone(), "eventData"), json!({"data": {"language": "en"}})),
            with(legacy.clone(), json!({"eventData": null})),
            without(legacy.clone(), "eventData"),
            with(legacy.clone(), json!({"eventData": {"process": {"status": "FINISHED"}}})),
        ] {
            let event = event_in(&body);
            assert_eq!(
                (outcome(&event), event.remark, event.occurred_at),
                (Some(Outcome::Approved), None, None),
                "{body}"
            );
            assert_eq!(event.event_id.as_str(), format!("body:{}", sha256_hex(body.to_string().as_bytes())));
        }
        assert_eq!(event_in(&legacy).name, "finished");
    }

    #[test]
    fn one_of_the_old_type_that_speaks_of_another_status_approves_nothing() {
        let failed = event("FINISHED", &json!({"process": {"status": "FAILED", "errorDetail": "x"}}));
        assert_eq!(outcome(&event_in(&failed)), Some(Outcome::Failed));
        for process in [json!({"status": "PENDING"}), json!({"status": null}), json!({})] {
            let body = event("FINISHED", &json!({"process": process}));
            assert_no_effect(&body, "process_finished", Remark::Unrecognised);
        }
    }
}

mod contradictions {
    use super::*;

    #[test]
    fn without_what_its_type_promises_an_event_has_no_effect() {
        for (event_type, name, member) in [
            ("DOCUMENT_VERIFICATION_FINISHED", "document_verification_finished", "documentVerification"),
            (
                "FINAL_DOCUMENT_VERIFICATION_FINISHED",
                "final_document_verification_finished",
                "finalDocumentVerification",
            ),
            ("PRESENCE_CHECK_FINISHED", "presence_check_finished", "presenceCheck"),
            ("PROCESS_FINISHED", "process_finished", "process"),
        ] {
            for data in [
                json!({}),
                Value::Null,
                json!([]),
                json!("text"),
                json!({member: null}),
                json!({member: []}),
                json!({member: "ACCEPTED"}),
                json!({"status": "FINISHED"}),
                json!({"another": {"status": "ACCEPTED"}}),
                json!({member.to_uppercase(): {"status": "FINISHED"}}),
            ] {
                assert_no_effect(&event(event_type, &data), name, Remark::Inconsistent);
            }
            assert_no_effect(&without(event(event_type, &Value::Null), "eventData"), name, Remark::Inconsistent);
            let beside = with(event(event_type, &json!({})), json!({member: {"status": "FINISHED"}}));
            assert_no_effect(&beside, name, Remark::Inconsistent);
        }
    }

    #[test]
    fn only_the_data_of_its_own_type_counts() {
        let data = json!({"process": {"status": "FINISHED"}, "presenceCheck": {"status": "ACCEPTED"},
            "documentVerification": {"documentId": "d", "status": "REJECTED"},
            "finalDocumentVerification": {"status": "FAILED"}});
        let finished = |event_type| event_in(&event(event_type, &data));
        assert_eq!(
            outlined(&finished("DOCUMENT_VERIFICATION_FINISHED")),
            check("document:d", CheckOutcome::Failed, None)
        );
        assert_eq!(
            outlined(&finished("FINAL_DOCUMENT_VERIFICATION_FINISHED")),
            check("documents", CheckOutcome::Error, None)
        );
        assert_eq!(outlined(&finished("PRESENCE_CHECK_FINISHED")), check("presence", CheckOutcome::Passed, None));
        let process = event_in(&event("PROCESS_FINISHED", &data));
        assert_eq!((outcome(&process), process.checks.len()), (Some(Outcome::Approved), 0));
    }
}

mod unfamiliar {
    use super::*;

    #[test]
    fn an_unknown_type_is_recorded_and_has_no_effect() {
        let data = json!({"process": {"status": "FINISHED"}, "presenceCheck": {"status": "ACCEPTED"}});
        for event_type in [
            json!("SOMETHING_STARTED"),
            json!("process_finished"),
            json!("Process_Finished"),
            json!("PROCESS_FINISHED "),
            json!("finished"),
            json!("PRОCESS_FINISHED"),
            json!(7),
            json!(["PROCESS_FINISHED"]),
            json!({}),
            json!(""),
            Value::Null,
        ] {
            let body = with(event("", &data), json!({"type": event_type}));
            assert_no_effect(&body, "unrecognised", Remark::Unrecognised);
        }
        assert_no_effect(&without(event("", &data), "type"), "unrecognised", Remark::Unrecognised);
    }

    #[test]
    fn its_type_is_told_if_it_is_a_code_and_else_what_it_is() {
        for (event_type, shown) in [
            (json!("SOMETHING_STARTED"), "SOMETHING_STARTED"),
            (json!("Canary Person"), "string(13)"),
            (json!("é".repeat(129)), "string(129)"),
            (json!(["a"]), "array(1)"),
            (Value::Null, "missing(0)"),
        ] {
            let event = event_in(&with(event("", &json!({})), json!({"type": event_type})));
            assert_eq!(event.detail["type"], shown);
        }
    }

    #[test]
    fn an_unknown_status_is_told_likewise() {
        for (body, ..) in CHECKS.into_iter().chain([(process as fn(Value) -> Value, "", "")]) {
            for (status, shown) in [(json!("PENDING"), "PENDING"), (json!("Canary Person"), "string(13)")] {
                assert_eq!(event_in(&body(json!({"status": status}))).detail["status"], shown);
            }
        }
    }

    #[test]
    fn what_stands_in_the_place_of_promised_data_is_told_likewise() {
        let event = |data| event_in(&event("PRESENCE_CHECK_FINISHED", &json!({"presenceCheck": data})));
        assert_eq!(event(json!("Canary Person")).detail["presenceCheck"], "string(13)");
        assert_eq!(event(json!([])).detail["presenceCheck"], "array(0)");
        assert_eq!(event(Value::Null).detail["presenceCheck"], "missing(0)");
    }
}

mod details {
    use super::*;

    #[test]
    fn each_check_has_the_details_of_its_kind() {
        let onboarding = ("processType", "onboarding");
        for (body, expected) in [
            (document(json!({})), vec![("country", "CZ"), ("documentType", "ID_CARD"), onboarding, ("score", "8")]),
            (document(json!({"score": 0, "documentVerificationResult": null})), vec![onboarding, ("score", "0")]),
            (documents(json!({})), vec![("documentId1", "document-1"), ("documentId2", "document-2"), onboarding]),
            // Its score is 10 for a rejected person, too.
            (presence(json!({"status": "REJECTED", "score": 10})), vec![onboarding]),
        ] {
            let event = event_in(&body);
            assert_eq!(codes_and_details(&event), (vec![], expected), "{body}");
            assert_eq!(event.remarks, Vec::<String>::new(), "{body}");
        }
    }

    #[test]
    fn a_decision_says_what_type_of_process_it_is_of() {
        for body in [process(json!({})), process(json!({"status": "FAILED"})), event("FINISHED", &json!({}))] {
            let decision = event_in(&body).decision.unwrap();
            assert_eq!(decision.detail.iter().collect::<Vec<_>>(), [("processType", "onboarding")], "{body}");
        }
        let unnamed = event_in(&without(process(json!({})), "processType")).decision.unwrap();
        assert_eq!(unnamed.detail, Detail::empty());
    }

    #[test]
    fn of_many_documents_the_first_sixteen_are_named_and_long_ids_are_left_out() {
        let named = |ids: Value| {
            let event = event_in(&documents(json!({"documentIds": ids})));
            let ids: Vec<String> = codes_and_details(&event)
                .1
                .into_iter()
                .filter(|(name, _)| name.starts_with("documentId"))
                .map(|(_, id)| id.to_owned())
                .collect();
            (ids, event.remarks)
        };
        let many: Vec<_> = (0..40).map(|number| format!("d-{number:02}")).collect();
        let (mut ids, remarks) = named(json!(many));
        ids.sort();
        assert_eq!(ids, many[..16]);
        assert_eq!(remarks, ["cut:documentIds", "left_out:processType"]);

        let fits = "d".repeat(64);
        let (ids, remarks) = named(json!([fits, "d".repeat(65), "Canary Person", null, {"id": "x"}, 7]));
        assert_eq!((ids, remarks), (vec![fits, "7".to_owned()], vec!["left_out:documentIds".to_owned()]));
    }

    #[test]
    fn the_codes_in_a_reason_are_reason_codes_of_the_check() {
        let reason = "Rejected by provider [W001 Document expired, I002 Blurred]";
        for (body, ..) in CHECKS {
            let rejected = event_in(&body(json!({"status": "REJECTED", "rejectReason": reason})));
            assert_eq!(codes_and_details(&rejected).0, ["W001", "I002"]);
            assert_eq!(outlined(&rejected)[0].2, Some(reason));
            for text in ["documentVerificationRejected", "Document data crosscheck failed for fields: [surname]"] {
                let rejected = event_in(&body(json!({"status": "REJECTED", "rejectReason": text})));
                assert_eq!(codes_and_details(&rejected).0, Vec::<&str>::new(), "{text}");
            }
            let accepted = event_in(&body(json!({"rejectReason": reason})));
            assert_eq!((codes_and_details(&accepted).0, outlined(&accepted)[0].2), (vec![], None));
        }
    }

    /// Members that may become a detail, with text in them that is none.
    #[test]
    fn free_text_in_an_allowed_member_vanishes_with_a_remark() {
        let canary = "Canary Person, born 1970";
        for (body, member) in [
            (document(json!({"score": canary})), "score"),
            (document(json!({"documentVerificationResult": {"type": canary}})), "documentVerificationResult.type"),
            (
                document(json!({"documentVerificationResult": {"country": canary}})),
                "documentVerificationResult.country",
            ),
            (documents(json!({"documentIds": [canary]})), "documentIds"),
            (with(process(json!({})), json!({"processType": canary})), "processType"),
        ] {
            let event = event_in(&body);
            assert_eq!(event.remarks, [format!("left_out:{member}")], "{member}");
            assert_eq!(event.remark, None, "{member}");
            assert!(!format!("{:?} {:?}", event.checks, event.decision).contains(canary), "{member}");
        }
    }
}

mod event_ids {
    use super::*;

    fn id(body: &str) -> String {
        match read(body) {
            Ok(Reading::Events { events, .. }) => events[0].event_id.to_string(),
            other => panic!("{body}: {other:?}"),
        }
    }

    fn with_id(id: &str) -> String {
        format!(r#"{{"id":{id},"processId":"p","type":"PROCESS_FINISHED"}}"#)
    }

    #[test]
    fn an_event_goes_by_its_id_however_it_is_written() {
        for body in [
            with_id(r#""e-1""#),
            with_id(r#""\u0065-1""#),
            r#" { "type":"FINISHED", "processId":"p", "id" : "e-1", "more":1 } "#.into(),
        ] {
            assert_eq!(id(&body), "id:e-1", "{body}");
        }
        assert_eq!(id(&with_id("7")), "id:7");
    }

    #[test]
    fn without_an_id_an_event_goes_by_its_bytes() {
        for blank in ["null", r#""""#, r#"" ""#, "{}", "[]", "true"] {
            let body = with_id(blank);
            assert_eq!(id(&body), format!("body:{}", sha256_hex(body.as_bytes())), "{blank}");
        }
    }

    #[test]
    fn an_id_that_is_too_long_or_no_text_goes_by_a_digest_of_it() {
        let spelled = |text: &str| format!("\"{text}\"");
        // With its prefix, as long as an event id may be.
        let fits = ".".repeat(509);
        assert_eq!(id(&with_id(&spelled(&fits))), format!("id:{fits}"));
        for odd in
            [".".repeat(510), "é".repeat(255), "?".repeat(5000), r"\ud83d".into(), r"a\udd11".into(), r"\udd11".into()]
        {
            let expected = format!("id_digest:{}", sha256_hex(spelled(&odd).as_bytes()));
            assert_eq!(id(&with_id(&spelled(&odd))), expected, "{odd}");
        }
    }

    #[test]
    fn no_two_ids_are_the_same_event() {
        let digest = sha256_hex(b"x");
        let ids: Vec<String> = [
            r#""e-1""#,
            r#""e-2""#,
            r#""E-1""#,
            r#"" e-1""#,
            "1",
            "1.0",
            "null",
            r#""\ud83d""#,
            r#""\udd11""#,
            &format!("\"{digest}\""),
            &format!("\"body:{digest}\""),
            &format!("\"{}\"", ".".repeat(600)),
            &format!("\"{}\"", ".".repeat(601)),
        ]
        .map(|spelled| id(&with_id(spelled)))
        .into();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:#?}");
    }
}

mod answers {
    use super::*;

    #[test]
    fn only_what_is_refused_or_failed_is_not_a_200() {
        for (disposition, status, error_code) in [
            (Disposition::Recorded, 200, None),
            (Disposition::Duplicate, 200, None),
            (Disposition::Ignored, 200, None),
            (Disposition::Quarantined, 200, None),
            (Disposition::Refused(Refusal::AuthorizationMissing), 401, Some("ERROR_UNAUTHORIZED")),
            (Disposition::Refused(Refusal::PathUnknown), 404, Some("ERROR_GENERIC")),
            (Disposition::Failed, 503, Some("ERROR_GENERIC")),
        ] {
            let answer = Wultra::answer("/wultra/process/event", disposition);
            assert_eq!(answer.status, status, "{disposition:?}");
            let body: Value = serde_json::from_str(answer.body).unwrap();
            assert_eq!(body["errorCode"].as_str(), error_code, "{disposition:?}");
            assert_eq!(body["message"].is_string(), error_code.is_some(), "{disposition:?}");
            assert!(error_code.is_some() || answer.body == "{}", "{disposition:?}");
        }
    }
}
