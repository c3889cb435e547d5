//! What Treezor's webhooks mean, payload by payload.

use super::genuine::{ARRIVAL, read, signed};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use verdict_sessions::{
    Check, CheckOutcome, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent, Stage, Timestamp,
};
use verdict_webhooks::{Ignored, Reading, Unreadable, sha256_hex};

const USER: &str = "6461762";
const IDENTIFICATION: &str = "b00ecdec-b721-55c4-8e20-ef3625616926";
const DOCUMENT: &str = "8123456";

/// Every event there is.
const EVENTS: [&str; 17] = [
    "user.kycrequest",
    "user.kycreview",
    "kycreview.request",
    "kycreview.result",
    "document.create",
    "document.update",
    "document.cancel",
    "kycliveness.create",
    "kycliveness.update",
    "qes.created",
    "qes.processing",
    "qes.aborted",
    "qes.finalized",
    "videoConference.created",
    "videoConference.processing",
    "videoConference.aborted",
    "videoConference.finalized",
];

/// A payload in its envelope, the payload signed.
fn body(envelope: &Value, payload: &Value) -> String {
    let members = envelope.to_string();
    signed(members.strip_prefix('{').unwrap().strip_suffix('}').unwrap(), &payload.to_string())
}

fn reading(envelope: &Value, payload: &Value) -> Result<Reading, Unreadable> {
    read(body(envelope, payload))
}

fn events_in(envelope: &Value, payload: &Value) -> Vec<SessionEvent> {
    match reading(envelope, payload) {
        Ok(Reading::Events { events, .. }) => events,
        other => panic!("{envelope} {payload}: {other:?}"),
    }
}

/// The one event that a webhook is.
fn event_in(envelope: &Value, payload: &Value) -> SessionEvent {
    <[_; 1]>::try_from(events_in(envelope, payload)).expect("one event")[0].clone()
}

/// The one event that a payload is under a name.
fn event(name: &str, payload: &Value) -> SessionEvent {
    let object_id = if name.starts_with("kycliveness.") { json!(IDENTIFICATION) } else { Value::Null };
    event_in(&json!({"webhook": name, "object_id": object_id}), payload)
}

/// An object with some members replaced or added.
fn with(mut object: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        object[name] = value;
    }
    object
}

fn user(changes: Value) -> Value {
    with(
        json!({"userId": USER, "userStatus": "VALIDATED", "clientId": "516899", "parentUserId": null, "firstname": "SAMPLE",
            "birthday": "1989-00-00", "email": "sample@example.com", "legalRegistrationDate": "0000-00-00", "kycLevel": "2",
            "kycReview": "2", "kycReviewComment": "30-05-2026 - 16:11:02Level : REGULAR et Review : VALIDATED",
            "createdDate": "2026-05-18 12:21:04", "modifiedDate": "2026-05-18 12:21:12", "codeStatus": "110009"}),
        changes,
    )
}

fn users(changes: Value) -> Value {
    json!({"users": [user(changes)]})
}

fn review(changes: Value) -> Value {
    with(
        json!({"userId": 1, "clientId": 1234, "distributionCountry": "FR", "kycLevel": 1, "kycReview": 2,
            "kycReviewComment": "foo", "kycStatus": "VALIDATED", "kycReviewType": "ONBOARDING", "codeStatus": "110006",
            "informationStatus": "KYC status VALIDATED", "lastRequestDatetime": "2026-02-25T11:06:39Z",
            "lastReviewDatetime": "2026-02-25T15:06:39Z", "nextReviewDate": "2031-02-25"}),
        changes,
    )
}

fn document(changes: Value) -> Value {
    with(
        json!({"documentId": DOCUMENT, "documentTag": "LP'6C7`VGnRE", "userId": USER, "userFirstname": "SAMPLE",
            "name": "sample.pdf", "documentStatus": "PENDING", "documentTypeId": "17", "documentType": "PASSPORT",
            "createdDate": "2026-05-18 22:55:13", "modifiedDate": "2026-05-18 20:55:24", "codeStatus": "600003"}),
        changes,
    )
}

fn documents(changes: Value) -> Value {
    json!({"documents": [document(changes)]})
}

fn liveness(changes: Value) -> Value {
    with(
        json!({"kyc-status": "processed", "comment": "SAMPLE", "user_id": "2440234", "started-at": "2026-06-10T07:10:47.824723Z",
            "updated-at": "2026-06-10T07:15:18.856843Z", "score": 1, "identity": {"last-name": "SAMPLE"}}),
        changes,
    )
}

fn identification(changes: Value) -> Value {
    with(
        json!({"userId": "4137216", "result": "SUCCESS", "identificationTime": "2026-06-11T09:16:23+02:00",
            "identId": "TST-TWLYB", "transactionNumber": IDENTIFICATION, "type": "APP",
            "identity": {"firstname": "SAMPLE", "issuingPlace": "STADT KÖLN"}}),
        changes,
    )
}

/// A payload of the shape that an event's name promises.
fn payload_of(name: &str) -> Value {
    match name.split_once('.').unwrap().0 {
        "user" => users(json!({})),
        "kycreview" => review(json!({})),
        "document" => documents(json!({})),
        "kycliveness" => liveness(json!({})),
        _ => identification(json!({})),
    }
}

fn outcome(event: &SessionEvent) -> Option<Outcome> {
    event.decision.as_ref().map(|decision| decision.outcome)
}

fn reason_code(event: &SessionEvent) -> Option<&str> {
    event.decision.as_ref().and_then(|decision| decision.reason_code.as_ref()).map(ReasonCode::as_str)
}

fn reason(event: &SessionEvent) -> Option<&str> {
    event.decision.as_ref().and_then(|decision| decision.reason.as_deref())
}

fn detail<const N: usize>(members: [(&str, &str); N]) -> BTreeMap<String, String> {
    members.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

mod samples {
    use super::*;

    /// Stage, decision, code and reason of an event, those that it has.
    fn summary(event: &SessionEvent) -> String {
        let stage = event.stage.map(|_| "submitted");
        let parts = [stage, outcome(event).map(Outcome::as_str), reason_code(event), reason(event)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// The webhooks that Treezor prints, with other people in them.
    #[test]
    fn every_printed_webhook_means_what_the_contract_says() {
        let started = || identification(json!({"result": "STARTED", "identificationTime": ""}));
        let ended = |result: &str, code: &str, message: &str| {
            let reason = json!({"reasonDetails": {"reasonCode": code, "reasonMessage": message}});
            identification(json!({"result": result, "reason": reason}))
        };
        let refused = liveness(json!({"score": 0, "refusal-details": {"meta": {"count": 2}, "reasons": [
            {"reason-code": "1312", "reason-message": "No full front view"},
            {"reason-code": "2401", "reason-message": "Another identity"}]}}));
        for (name, payload, expected) in [
            ("user.kycrequest", users(json!({"kycReview": "1", "kycReviewComment": ""})), "submitted"),
            ("user.kycreview", users(json!({"kycReviewComment": "30-05-2026 - Level"})), "approved 30-05-2026 - Level"),
            ("kycreview.request", review(json!({"kycReview": 1, "kycStatus": "PENDING"})), "submitted"),
            ("kycreview.result", review(json!({})), "approved foo"),
            ("document.create", documents(json!({})), ""),
            ("document.update", documents(json!({})), ""),
            ("document.cancel", documents(json!({"documentStatus": "CANCELED"})), ""),
            ("kycliveness.create", liveness(json!({"kyc-status": "processing"})), "submitted"),
            ("kycliveness.update", refused, "declined 1312 No full front view"),
            ("qes.created", started(), "submitted"),
            ("qes.processing", identification(json!({"result": "CHECK_PENDING"})), "review"),
            ("qes.aborted", ended("ABORTED", "3002", "USER_CANCELLATION"), "abandoned 3002 USER_CANCELLATION"),
            ("qes.finalized", identification(json!({"result": "SUCCESS_DATA_CHANGED"})), "approved"),
            ("qes.finalized", ended("CANCELED", "3201", "WARNING_SELFIE"), "declined 3201 WARNING_SELFIE"),
            ("videoConference.created", started(), "submitted"),
            ("videoConference.processing", identification(json!({"result": "REVIEW_PENDING"})), "review"),
            ("videoConference.aborted", ended("ABORTED", "", "STALLED_TIMEOUT"), "abandoned STALLED_TIMEOUT"),
            ("videoConference.finalized", identification(json!({"result": "SUCCESS_DATA_CHANGED"})), "approved"),
            ("videoConference.finalized", ended("CANCELED", "3201", "WARNING"), "declined 3201 WARNING"),
        ] {
            let event = event(name, &payload);
            assert_eq!((event.name.as_str(), event.remark), (name, None));
            let session = match name.split_once('.').unwrap().0 {
                "user" | "document" => format!("user:{USER}"),
                "kycreview" => "user:1".into(),
                _ => format!("identification:{IDENTIFICATION}"),
            };
            assert_eq!(event.session.session_id.as_str(), session, "{name}");
            assert_eq!(summary(&event), expected, "{name}");
            assert_eq!(event.checks.len(), usize::from(name.starts_with("document.")), "{name}");
        }
    }

    #[test]
    fn an_event_says_who_what_and_when() {
        let envelope = json!({"webhook": "user.kycreview", "webhook_id": "w", "object": "user", "object_id": USER,
            "webhook_created_at": 17_813_106_045_123_u64});
        let event = event_in(&envelope, &users(json!({})));
        assert_eq!(event.session.to_string(), format!("treezor/user:{USER}"));
        assert_eq!((event.session.provider, event.kind), (Provider::Treezor, Kind::KycReview));
        assert_eq!((event.attempt_id, event.received_at), (None, time(ARRIVAL)));
        assert_eq!(event.subject.reference.as_deref(), Some(USER));
        assert_eq!(event.subject.provider_user_id.as_deref(), Some(USER));
        assert_eq!(event.occurred_at, Some(time("2026-05-18T12:21:12Z")));
        assert_eq!(event.emitted_at, Some(time("2026-06-13T00:30:04.5123Z")));
        assert_eq!(event.detail, detail([("kycReview", "2"), ("kycLevel", "2"), ("codeStatus", "110009")]));
    }

    #[test]
    fn an_identification_is_a_session_of_its_own_about_the_same_user() {
        for (name, user) in
            [("qes.finalized", "4137216"), ("videoConference.finalized", "4137216"), ("kycliveness.update", "2440234")]
        {
            let event = event(name, &payload_of(name));
            assert_eq!(event.session.to_string(), format!("treezor/identification:{IDENTIFICATION}"), "{name}");
            assert_eq!(event.kind, Kind::Identification, "{name}");
            assert_eq!(event.subject.reference.as_deref(), Some(user), "{name}");
            assert_eq!(event.subject.provider_user_id.as_deref(), Some(user), "{name}");
        }
    }

    #[test]
    fn a_wrapped_webhook_means_the_same() {
        for name in EVENTS {
            let flat =
                body(&json!({"webhook": name, "webhook_id": "w", "object_id": IDENTIFICATION}), &payload_of(name));
            let wrapped = format!(r#"{{"messageId":"m","webhookId":"w","webhook":{flat},"clientId":"516899"}}"#);
            let (Ok(Reading::Events { events, .. }), Ok(Reading::Events { events: unwrapped, .. })) =
                (read(wrapped), read(flat))
            else {
                panic!("{name}")
            };
            assert_eq!(events, unwrapped, "{name}");
        }
    }

    #[test]
    fn an_unsigned_review_means_the_same() {
        for name in ["kycreview.request", "kycreview.result"] {
            let unsigned = json!({"webhook": name, "object_id": "1", "object": "kyc", "webhook_created_at": 1_771_583_207,
                "object_payload": review(json!({}))});
            let Ok(Reading::Events { events, .. }) = read(unsigned.to_string()) else { panic!("{name}") };
            let envelope = json!({"webhook": name, "object_id": "1", "webhook_created_at": 1_771_583_207});
            assert_eq!(events, [event_in(&envelope, &review(json!({})))], "{name}");
        }
    }

    #[test]
    fn what_is_stored_is_the_whole_webhook_minimised() {
        let envelope = json!({"webhook": "qes.finalized", "accessToken": "canary", "photo": "QUJD".repeat(100)});
        let Ok(Reading::Events { payload, .. }) = reading(&envelope, &identification(json!({}))) else { panic!() };
        let stored: Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(stored["object_payload"], identification(json!({})));
        assert_eq!(stored["photo"]["bytes"], 300);
        assert!(stored.get("accessToken").is_none() && stored["object_payload_signature"].is_string());
    }
}

mod reviews {
    use super::*;

    /// By the number: the decision, and whether it is known.
    const REVIEWS: [(&str, Option<Outcome>, Option<Remark>); 10] = [
        ("0", None, None),
        ("1", Some(Outcome::Review), None),
        ("2", Some(Outcome::Approved), None),
        ("3", Some(Outcome::Declined), None),
        ("4", None, None),
        ("5", None, None),
        ("6", Some(Outcome::Review), None),
        ("7", Some(Outcome::Review), None),
        ("8", None, Some(Remark::Unrecognised)),
        ("22", None, Some(Remark::Unrecognised)),
    ];

    #[test]
    fn the_number_decides_in_both_families_as_number_and_as_text() {
        for (number, expected, remark) in REVIEWS {
            let as_number: Value = number.parse::<u8>().unwrap().into();
            for spelled in [json!(number), as_number] {
                let user = event("user.kycreview", &users(json!({"kycReview": spelled})));
                assert_eq!((outcome(&user), user.remark), (expected, remark), "{number}");
                let review = event("kycreview.result", &review(json!({"kycReview": spelled, "kycStatus": null})));
                assert_eq!((outcome(&review), review.remark), (expected, remark), "{number}");
                assert_eq!((user.stage, review.stage), (None, None), "{number}");
                assert_eq!((reason_code(&user), reason_code(&review)), (None, None), "{number}");
                assert_eq!(user.detail["kycReview"], number);
            }
        }
    }

    #[test]
    fn a_request_submits_and_decides_nothing() {
        for (number, _, remark) in REVIEWS {
            for (name, payload) in [
                ("user.kycrequest", users(json!({"kycReview": number}))),
                ("kycreview.request", review(json!({"kycReview": number, "kycStatus": null}))),
            ] {
                let event = event(name, &payload);
                assert_eq!((event.stage, outcome(&event)), (Some(Stage::Submitted), None), "{name} {number}");
                assert_eq!(event.remark, remark, "{name} {number}");
            }
        }
    }

    #[test]
    fn the_word_beside_the_number_must_not_say_otherwise() {
        for (status, agreeing) in [
            ("VALIDATED", &["2"][..]),
            ("REFUSED", &["3"]),
            ("PENDING", &["0", "1", "4", "5", "6", "7", "8", "22"]),
            ("SAMPLE", &["0", "1", "2", "3", "4", "5", "6", "7", "8", "22"]),
        ] {
            for (number, expected, remark) in REVIEWS {
                let event = event("kycreview.result", &review(json!({"kycReview": number, "kycStatus": status})));
                if agreeing.contains(&number) {
                    assert_eq!((outcome(&event), event.remark), (expected, remark), "{status} {number}");
                } else {
                    assert_eq!(
                        (outcome(&event), event.remark),
                        (None, Some(Remark::Inconsistent)),
                        "{status} {number}"
                    );
                }
                assert_eq!(event.detail["kycStatus"], status);
            }
        }
    }

    #[test]
    fn what_is_no_number_of_a_review_decides_nothing() {
        for review in
            [json!(null), json!(""), json!(true), json!("VALIDATED"), json!(2.5), json!([2]), json!({"kycReview": 2})]
        {
            let event = event("user.kycreview", &users(json!({"kycReview": review})));
            assert_eq!((outcome(&event), event.remark), (None, Some(Remark::Unrecognised)), "{review}");
        }
    }

    #[test]
    fn several_users_are_several_sessions() {
        let payload =
            json!({"users": [user(json!({})), user(json!({"userId": "7", "kycReview": "3"})), user(json!({}))]});
        let events = events_in(&json!({"webhook": "user.kycreview", "object_id": "7"}), &payload);
        let found: Vec<_> =
            events.iter().map(|event| (event.session.session_id.as_str(), outcome(event), event.remark)).collect();
        let approved = ("user:6461762", Some(Outcome::Approved), None);
        assert_eq!(found, [approved, ("user:7", Some(Outcome::Declined), None), approved]);
    }

    #[test]
    fn a_comment_is_bounded() {
        let event = event("user.kycreview", &users(json!({"kycReviewComment": "é".repeat(5000)})));
        assert_eq!(reason(&event).unwrap().chars().count(), 1024);
    }
}

mod documents {
    use super::*;

    #[test]
    fn a_document_is_a_check_of_its_users_session() {
        for (status, expected) in [
            ("PENDING", CheckOutcome::Pending),
            ("VALIDATED", CheckOutcome::Passed),
            ("REFUSED", CheckOutcome::Failed),
            ("CANCELED", CheckOutcome::Cancelled),
        ] {
            for name in ["document.create", "document.update", "document.cancel"] {
                let event = event(name, &documents(json!({"documentStatus": status})));
                let check = Check { reason: Some("600003".into()), ..Check::new(expected) };
                assert_eq!(event.checks, BTreeMap::from([(format!("document:{DOCUMENT}"), check)]), "{status}");
                assert_eq!((event.stage, outcome(&event), event.remark), (None, None, None), "{status}");
                assert_eq!((event.session.session_id.as_str(), event.kind), ("user:6461762", Kind::KycReview));
                assert_eq!(event.detail, detail([("documentStatus", status)]));
            }
        }
    }

    #[test]
    fn a_document_without_a_known_status_or_an_id_checks_nothing() {
        for changes in [
            json!({"documentStatus": "SAMPLE"}),
            json!({"documentStatus": null}),
            json!({"documentStatus": "pending"}),
            json!({"documentId": null}),
            json!({"documentId": " "}),
        ] {
            let event = event("document.update", &documents(changes.clone()));
            assert!(event.checks.is_empty(), "{changes}");
            assert_eq!(event.remark, Some(Remark::Unrecognised), "{changes}");
        }
    }

    #[test]
    fn several_documents_are_several_events_of_one_session() {
        let payload = json!({"documents": [document(json!({})), document(json!({"documentId": 9, "documentStatus": "VALIDATED"}))]});
        let events = events_in(&json!({"webhook": "document.update", "object_id": DOCUMENT}), &payload);
        let found: Vec<_> = events.iter().map(|event| event.checks.keys().next().unwrap().as_str()).collect();
        assert_eq!(found, ["document:8123456", "document:9"]);
        assert!(
            events.iter().all(|event| event.session.session_id.as_str() == "user:6461762" && event.remark.is_none())
        );
        assert_ne!(events[0].event_id, events[1].event_id);
    }

    #[test]
    fn a_document_id_too_long_for_a_name_gives_its_digest() {
        let named = |id: &str| {
            let payload = documents(json!({"documentId": id}));
            let events = events_in(&json!({"webhook": "document.update", "object_id": DOCUMENT}), &payload);
            events[0].checks.keys().next().unwrap().clone()
        };
        assert_eq!(named(&"9".repeat(128)), format!("document:{}", "9".repeat(128)));
        assert_eq!(named(&"9".repeat(129)), format!("document:{}", sha256_hex("9".repeat(129).as_bytes())));
    }
}

mod identifications {
    use super::*;

    #[test]
    fn each_result_has_its_meaning_under_every_event_of_both_families() {
        let results = [
            ("STARTED", Some(Stage::Submitted), None, None),
            ("START", Some(Stage::Submitted), None, None),
            ("CHECK_PENDING", None, Some(Outcome::Review), None),
            ("REVIEW_PENDING", None, Some(Outcome::Review), None),
            ("FRAUD_SUSPICION_PENDING", None, Some(Outcome::Review), None),
            ("SUCCESS", None, Some(Outcome::Approved), None),
            ("SUCCESS_DATA_CHANGED", None, Some(Outcome::Approved), None),
            ("SUCCESS_DATA_CHANGE", None, Some(Outcome::Approved), None),
            ("CANCELED", None, Some(Outcome::Declined), None),
            ("FRAUD_SUSPICION_CONFIRMED", None, Some(Outcome::Declined), None),
            ("ABORTED", None, Some(Outcome::Abandoned), None),
            ("SAMPLE", None, None, Some(Remark::Unrecognised)),
            ("success", None, None, Some(Remark::Unrecognised)),
        ];
        for name in EVENTS.into_iter().filter(|name| name.starts_with("qes.") || name.starts_with("videoConference.")) {
            for (result, stage, expected, remark) in results {
                let event = event(name, &identification(json!({"result": result})));
                assert_eq!((event.stage, outcome(&event), event.remark), (stage, expected, remark), "{name} {result}");
                assert_eq!(event.detail, detail([("result", result)]), "{name}");
            }
        }
    }

    #[test]
    fn a_result_that_is_none_decides_nothing() {
        for result in [json!(null), json!(""), json!(true), json!(["SUCCESS"])] {
            let event = event("qes.finalized", &identification(json!({"result": result})));
            assert_eq!(
                (outcome(&event), event.stage, event.remark),
                (None, None, Some(Remark::Unrecognised)),
                "{result}"
            );
        }
    }

    #[test]
    fn any_part_of_a_reason_may_be_missing_or_odd() {
        let details =
            |code: Value, message: Value| json!({"reasonDetails": {"reasonCode": code, "reasonMessage": message}});
        for (why, code, message) in [
            (details(json!("3201"), json!("WARNING")), Some("3201"), Some("WARNING")),
            (details(json!(3201), json!("")), Some("3201"), None),
            (details(json!(""), json!("STALLED_TIMEOUT")), None, Some("STALLED_TIMEOUT")),
            (details(json!("two words"), json!(null)), None, None),
            (json!({"reasonDetails": null}), None, None),
            (json!({"reasonDetails": []}), None, None),
            (json!("WARNING"), None, None),
            (json!(null), None, None),
        ] {
            let event = event("qes.finalized", &identification(json!({"result": "CANCELED", "reason": why})));
            assert_eq!((reason_code(&event), reason(&event)), (code, message), "{why}");
        }
    }

    #[test]
    fn a_liveness_is_decided_by_its_score() {
        for score in [json!(1), json!("1"), json!(1.0), json!("1.0"), json!("1.00"), json!("1.")] {
            let event = event("kycliveness.update", &liveness(json!({"score": score})));
            assert_eq!((outcome(&event), event.remark), (Some(Outcome::Approved), None), "{score}");
        }
        for score in [
            json!(0),
            json!("0"),
            json!(0.99),
            json!(-1),
            json!("11"),
            json!("1.01"),
            json!("1e0"),
            json!(".0"),
            json!(10),
            json!(null),
            json!(""),
            json!(true),
            json!([1]),
        ] {
            let event = event("kycliveness.update", &liveness(json!({"score": score})));
            assert_eq!((outcome(&event), event.remark), (Some(Outcome::Declined), None), "{score}");
        }
    }

    #[test]
    fn a_liveness_under_way_is_submitted_whatever_its_score() {
        for name in ["kycliveness.create", "kycliveness.update"] {
            let event = event(name, &liveness(json!({"kyc-status": "processing"})));
            assert_eq!((event.stage, outcome(&event), event.remark), (Some(Stage::Submitted), None, None), "{name}");
            assert_eq!(event.detail, detail([("kyc-status", "processing"), ("score", "1")]));
        }
        for status in [json!("SAMPLE"), json!("PROCESSED"), json!(null), json!("")] {
            let event = event("kycliveness.update", &liveness(json!({"kyc-status": status})));
            assert_eq!((event.stage, outcome(&event)), (None, None), "{status}");
            assert_eq!(event.remark, Some(Remark::Unrecognised), "{status}");
            assert_eq!(
                event.occurred_at,
                Some(time("2026-06-10T07:15:18.856843Z")),
                "{status}: a liveness all the same"
            );
        }
    }

    #[test]
    fn the_first_reason_of_a_refusal_counts() {
        let entry = |code: Value, message: Value| json!({"reason-code": code, "reason-message": message});
        for (reasons, code, message) in [
            (json!([entry(json!("1312"), json!("a")), entry(json!("2401"), json!("b"))]), Some("1312"), Some("a")),
            (json!([entry(json!(1312), json!(null))]), Some("1312"), None),
            (json!([]), None, None),
            (json!(["1312"]), None, None),
            (json!({"reason-code": "1312"}), None, None),
            (json!(null), None, None),
        ] {
            let changes = json!({"score": 0, "refusal-details": {"reasons": reasons}});
            let event = event("kycliveness.update", &liveness(changes));
            assert_eq!(outcome(&event), Some(Outcome::Declined), "{reasons}");
            assert_eq!((reason_code(&event), reason(&event)), (code, message), "{reasons}");
        }
    }
}

mod names {
    use super::*;

    #[test]
    fn other_families_are_ignored_whatever_they_hold() {
        for name in [
            "payin.create",
            "card.update",
            "transaction.create",
            "user.update",
            "user.create",
            "user.kycreviews",
            "user.KYCREVIEW",
            "user.",
            "user",
            "kycreview",
            "Kycreview.result",
            "documents.create",
            "videoconference.finalized",
            "qes",
            ".",
            ".qes",
            "sample",
            "xqes.finalized",
            "beneficiary.kycreview",
        ] {
            for payload in
                [users(json!({})), identification(json!({})), json!({"payins": [{}]}), json!(null), json!([])]
            {
                let envelope = json!({"webhook": name, "object_id": IDENTIFICATION});
                assert_eq!(reading(&envelope, &payload), Ok(Reading::Nothing(Ignored::OtherFamily)), "{name}");
            }
        }
    }

    #[test]
    fn a_new_event_of_a_known_family_is_read_by_its_payload() {
        for (name, shown) in [
            ("kycreview.sample", "kycreview.unrecognised"),
            ("document.sample", "document.unrecognised"),
            ("kycliveness.sample", "kycliveness.unrecognised"),
            ("qes.", "qes.unrecognised"),
            ("qes.finalized.sample", "qes.unrecognised"),
            ("videoConference.FINALIZED", "videoConference.unrecognised"),
        ] {
            let event = event(name, &payload_of(name));
            assert_eq!((event.name.as_str(), event.remark), (shown, Some(Remark::Unrecognised)), "{name}");
            assert_eq!(event.detail["webhook"], name);
            assert_eq!(outcome(&event).is_some(), !name.starts_with("document."), "{name}");
        }
    }

    #[test]
    fn a_webhook_without_a_name_is_read_by_its_payload() {
        for name in [json!(null), json!(""), json!(" "), json!(true), json!(["qes.finalized"])] {
            let event = event_in(&json!({"webhook": name}), &identification(json!({})));
            assert_eq!((event.name.as_str(), event.remark), ("unrecognised", Some(Remark::Unrecognised)), "{name}");
            assert_eq!(outcome(&event), Some(Outcome::Approved), "{name}");
        }
    }

    #[test]
    fn what_the_payload_says_counts_under_every_other_name() {
        let payloads =
            [users(json!({})), review(json!({})), documents(json!({})), liveness(json!({})), identification(json!({}))];
        let mut mismatches = 0;
        for name in EVENTS {
            for payload in &payloads {
                if *payload == payload_of(name) {
                    continue;
                }
                let envelope = json!({"webhook": name, "object_id": if payload.get("kyc-status").is_some() { IDENTIFICATION } else { "" }});
                let event = event_in(&envelope, payload);
                assert_eq!(event.remark, Some(Remark::Inconsistent), "{name} {payload}");
                let session = if payload.get("users").is_some() || payload.get("documents").is_some() {
                    "user:6461762".into()
                } else if payload.get("kycReview").is_some() {
                    "user:1".into()
                } else {
                    format!("identification:{IDENTIFICATION}")
                };
                assert_eq!(event.session.session_id.as_str(), session, "{name} {payload}");
                // A request's name makes none of what is no request.
                assert_eq!(event.stage, None, "{name} {payload}");
                let expected = payload.get("documents").is_none().then_some(Outcome::Approved);
                assert_eq!(outcome(&event), expected, "{name} {payload}");
                mismatches += 1;
            }
        }
        assert_eq!(mismatches, 17 * 4);
    }

    #[test]
    fn of_several_shapes_the_first_counts() {
        let mut payload = users(json!({"kycReview": "3"}));
        for more in [documents(json!({})), liveness(json!({})), identification(json!({})), review(json!({}))] {
            payload = with(payload, more);
        }
        let event = event("user.kycreview", &payload);
        assert_eq!((event.session.session_id.as_str(), outcome(&event)), ("user:6461762", Some(Outcome::Declined)));
    }

    #[test]
    fn an_unknown_payload_is_filed_under_the_id_that_it_holds() {
        for (name, payload, session) in [
            ("user.kycreview", json!({"userId": "7", "new": 1}), "user:7"),
            ("document.create", json!({"user_id": 7}), "user:7"),
            ("kycreview.result", json!({"userId": "7", "users": {}}), "user:7"),
            ("qes.finalized", json!({"transactionNumber": "t", "userId": "7"}), "identification:t"),
            ("qes.finalized", json!({"userId": "7"}), "identification:o"),
            ("kycliveness.update", json!(null), "identification:o"),
            ("kycliveness.update", json!([1]), "identification:o"),
        ] {
            let event = event_in(&json!({"webhook": name, "object_id": "o"}), &payload);
            assert_eq!(event.session.session_id.as_str(), session, "{name} {payload}");
            assert_eq!(
                (event.remark, event.stage, outcome(&event)),
                (Some(Remark::Unrecognised), None, None),
                "{name}"
            );
        }
    }
}

mod ids {
    use super::*;

    fn remark(name: &str, object_id: &Value, payload: &Value) -> Option<Remark> {
        let events = events_in(&json!({"webhook": name, "object_id": object_id}), payload);
        assert!(events.iter().all(|event| name.starts_with("document.") || event.decision.is_some()));
        events[0].remark
    }

    /// Name, payload, the id that the envelope repeats.
    fn objects() -> [(&'static str, Value, &'static str); 4] {
        [
            ("user.kycreview", users(json!({})), USER),
            ("kycreview.result", review(json!({})), "1"),
            ("document.update", documents(json!({})), DOCUMENT),
            ("qes.finalized", identification(json!({})), IDENTIFICATION),
        ]
    }

    #[test]
    fn the_envelopes_id_may_be_missing_or_agree() {
        for (name, payload, id) in objects() {
            for object_id in [json!(id), json!(null), json!(""), json!(" "), json!([])] {
                assert_eq!(remark(name, &object_id, &payload), None, "{name}");
            }
        }
        assert_eq!(remark("kycreview.result", &json!(1), &review(json!({}))), None, "a number is its text");
    }

    #[test]
    fn another_id_in_the_envelope_is_remarked_and_changes_nothing() {
        for (name, payload, id) in objects() {
            for object_id in [json!("another"), json!(2), json!(format!("{id}0")), json!(format!("{id}x"))] {
                assert_eq!(remark(name, &object_id, &payload), Some(Remark::Inconsistent), "{name}");
                let events = events_in(&json!({"webhook": name, "object_id": object_id}), &payload);
                assert_eq!(events[0].session, events_in(&json!({"webhook": name}), &payload)[0].session, "{name}");
            }
        }
    }

    #[test]
    fn redacted_ids_say_nothing() {
        for (name, payload, _) in objects() {
            for object_id in ["8XXXX", "b00ecdec-b721-55c4-8e20-ef36xx616926", "1Xx"] {
                assert_eq!(remark(name, &json!(object_id), &payload), None, "{name}");
            }
        }
        assert_eq!(remark("user.kycreview", &json!("7"), &users(json!({"userId": "1XXXXXX"}))), None);
        assert_eq!(remark("qes.finalized", &json!("7"), &identification(json!({"transactionNumber": "b0xx"}))), None);
    }

    #[test]
    fn without_a_transaction_the_envelopes_id_names_an_identification() {
        for blank in [json!(null), json!(""), json!(" ")] {
            let envelope = json!({"webhook": "qes.finalized", "object_id": "o"});
            let event = event_in(&envelope, &identification(json!({"transactionNumber": blank})));
            assert_eq!((event.session.session_id.as_str(), event.remark), ("identification:o", None), "{blank}");
        }
    }

    #[test]
    fn numbers_keep_their_spelling() {
        let payload = r#"{"userId":90071992547409930001,"kycReview":2}"#;
        let Ok(Reading::Events { events, .. }) = read(signed(r#""webhook":"kycreview.result""#, payload)) else {
            panic!()
        };
        assert_eq!(events[0].session.session_id.as_str(), "user:90071992547409930001");
    }

    #[test]
    fn a_user_without_an_id_among_others_spoils_the_webhook() {
        for payload in [
            users(json!({"userId": null})),
            users(json!({"userId": " "})),
            users(json!({"userId": {}})),
            json!({"users": [user(json!({})), {}]}),
            json!({"users": [null]}),
            json!({"users": []}),
            documents(json!({"userId": ""})),
            json!({"documents": []}),
            review(json!({"userId": null})),
            json!({}),
            json!(null),
            json!({"users": {}}),
        ] {
            let envelope = json!({"webhook": "user.kycreview", "object_id": USER});
            assert_eq!(reading(&envelope, &payload), Err(Unreadable::NoSessionId), "{payload}");
        }
        for (name, payload) in [
            ("kycliveness.update", liveness(json!({}))),
            ("qes.finalized", identification(json!({"transactionNumber": ""}))),
        ] {
            assert_eq!(
                reading(&json!({"webhook": name, "object_id": " "}), &payload),
                Err(Unreadable::NoSessionId),
                "{name}"
            );
        }
    }

    #[test]
    fn an_id_that_no_record_can_have_is_unusable() {
        let reading = |id: &str| {
            let payload = format!(r#"{{"kycReview":2,"userId":"{id}"}}"#);
            read(signed(r#""webhook":"kycreview.result""#, &payload))
        };
        assert!(matches!(reading(&"7".repeat(1024 - "user:".len())), Ok(Reading::Events { .. })));
        assert_eq!(reading(&"7".repeat(1025 - "user:".len())), Err(Unreadable::UnusableId("userId")));
        assert_eq!(reading("\\ud83d"), Err(Unreadable::UnusableId("userId")));
    }
}

mod times {
    use super::*;

    const CREATED_AT: u64 = 1_771_583_207;

    /// When an event of a payload happened, by a webhook that was created at another time.
    fn occurred_at(name: &str, payload: &Value) -> Option<Timestamp> {
        let envelope = json!({"webhook": name, "object_id": "o", "webhook_created_at": CREATED_AT});
        let event = event_in(&envelope, payload);
        assert_eq!(event.emitted_at, Timestamp::from_unix(1_771_583_207, 0));
        event.occurred_at.filter(|at| Some(*at) != event.emitted_at)
    }

    #[test]
    fn the_time_inside_the_payload_counts() {
        for (name, payload, expected) in [
            ("user.kycrequest", users(json!({})), "2026-05-18T12:21:12Z"),
            ("user.kycreview", users(json!({})), "2026-05-18T12:21:12Z"),
            ("kycreview.request", review(json!({})), "2026-02-25T11:06:39Z"),
            ("kycreview.result", review(json!({})), "2026-02-25T15:06:39Z"),
            ("kycreview.sample", review(json!({})), "2026-02-25T15:06:39Z"),
            ("document.update", documents(json!({})), "2026-05-18T20:55:24Z"),
            ("kycliveness.update", liveness(json!({})), "2026-06-10T07:15:18.856843Z"),
            ("qes.finalized", identification(json!({})), "2026-06-11T07:16:23Z"),
            ("videoConference.created", identification(json!({})), "2026-06-11T07:16:23Z"),
        ] {
            assert_eq!(occurred_at(name, &payload), Some(time(expected)), "{name}");
        }
    }

    #[test]
    fn what_is_no_time_leaves_the_time_of_creation() {
        for none in [
            json!(null),
            json!(""),
            json!("0000-00-00 00:00:00"),
            json!("0000-00-00"),
            json!("2026-05-18"),
            json!("yesterday"),
            json!(1_771_583_208),
            json!("1771583208"),
            json!([]),
            json!("2026-05-18 25:00:00"),
        ] {
            assert_eq!(occurred_at("user.kycreview", &users(json!({"modifiedDate": none}))), None, "{none}");
            assert_eq!(occurred_at("document.create", &documents(json!({"modifiedDate": none}))), None, "{none}");
            assert_eq!(occurred_at("kycreview.result", &review(json!({"lastReviewDatetime": none}))), None, "{none}");
            assert_eq!(occurred_at("kycreview.request", &review(json!({"lastRequestDatetime": none}))), None, "{none}");
            assert_eq!(occurred_at("kycliveness.create", &liveness(json!({"updated-at": none}))), None, "{none}");
            assert_eq!(
                occurred_at("qes.created", &identification(json!({"identificationTime": none}))),
                None,
                "{none}"
            );
        }
        let event = event("qes.created", &identification(json!({"identificationTime": ""})));
        assert_eq!((event.occurred_at, event.emitted_at, event.effective_at()), (None, None, time(ARRIVAL)));
    }

    #[test]
    fn only_a_modified_date_may_lack_its_zone() {
        let local = json!("2026-05-18 12:21:12");
        assert_eq!(occurred_at("kycreview.result", &review(json!({"lastReviewDatetime": local}))), None);
        assert_eq!(occurred_at("qes.finalized", &identification(json!({"identificationTime": local}))), None);
        assert_eq!(occurred_at("kycliveness.update", &liveness(json!({"updated-at": local}))), None);
    }

    #[test]
    fn a_modified_date_with_a_zone_is_taken_at_its_word() {
        let payload = users(json!({"modifiedDate": "2026-05-18T12:21:12+02:00"}));
        assert_eq!(occurred_at("user.kycreview", &payload), Some(time("2026-05-18T10:21:12Z")));
    }

    #[test]
    fn the_number_of_digits_tells_the_unit_of_a_creation() {
        for (created_at, expected) in [
            ("1771583207", "2026-02-20T10:26:47Z"),
            ("\"1771583207\"", "2026-02-20T10:26:47Z"),
            ("1771583207123", "2026-02-20T10:26:47.123Z"),
            ("\"1771583207123\"", "2026-02-20T10:26:47.123Z"),
            ("17715832071234", "2026-02-20T10:26:47.1234Z"),
            ("\"17715832071234\"", "2026-02-20T10:26:47.1234Z"),
            ("1724061955000", "2024-08-19T10:05:55Z"),
            ("9999999999", "2286-11-20T17:46:39Z"),
            ("\"0000000000\"", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(emitted_at(created_at), Some(time(expected)), "{created_at}");
        }
        for created_at in [
            "0",
            "-1",
            "177158320",
            "17715832071",
            "177158320712",
            "177158320712345",
            "17715832071234567890",
            "1771583207.5",
            "1.771583207e9",
            "\"+771583207\"",
            "\"-771583207\"",
            "\" 1771583207\"",
            "\"1771583207 \"",
            "\"1771583\u{a0}7\"",
            "\"2026-02-20T10:26:47Z\"",
            "\"\"",
            "null",
            "true",
            "[1771583207]",
            "-1771583207",
            "\"177158320٣\"",
            "1e400",
        ] {
            assert_eq!(emitted_at(created_at), None, "{created_at}");
        }
    }

    fn emitted_at(created_at: &str) -> Option<Timestamp> {
        let members = format!(r#""webhook":"qes.created","webhook_created_at":{created_at}"#);
        let payload = r#"{"result":"STARTED","transactionNumber":"t"}"#;
        let Ok(Reading::Events { events, .. }) = read(signed(&members, payload)) else { panic!("{created_at}") };
        assert_eq!(events[0].occurred_at, events[0].emitted_at, "{created_at}");
        events[0].emitted_at
    }
}
