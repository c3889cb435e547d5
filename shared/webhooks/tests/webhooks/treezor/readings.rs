//! What Treezor's webhooks mean, payload by payload.

use super::genuine::{ARRIVAL, proved, read, signed};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use verdict_sessions::{
    Check, CheckOutcome, Decision, Detail, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent, Stage, Subject,
    Timestamp,
};
use verdict_webhooks::{Ignored, Reading, Refusal, Unreadable, sha256_hex};

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

fn subject(reference: Option<&str>, user: &str) -> Subject {
    Subject { reference: reference.map(str::to_owned), provider_user_id: Some(user.to_owned()) }
}

/// The codes and the details of a decision.
fn codes_and_details(decision: &Decision) -> (Vec<&str>, Vec<(&str, &str)>) {
    (decision.all_reason_codes().iter().map(ReasonCode::as_str).collect(), decision.detail.iter().collect())
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

mod samples {
    use super::*;

    /// Stage, decision, code and reason of an event, those that it has.
    fn summary(event: &SessionEvent) -> String {
        let stage = event.stage.map(|stage| if stage == Stage::Started { "started" } else { "submitted" });
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
            ("document.create", documents(json!({})), "started"),
            ("document.update", documents(json!({})), "started"),
            ("document.cancel", documents(json!({"documentStatus": "CANCELED"})), "started"),
            ("kycliveness.create", liveness(json!({"kyc-status": "processing"})), "submitted"),
            ("kycliveness.update", refused, "declined 1312 No full front view; Another identity"),
            ("qes.created", started(), "submitted"),
            ("qes.processing", identification(json!({"result": "CHECK_PENDING"})), "review"),
            ("qes.aborted", ended("ABORTED", "3002", "USER_CANCELLATION"), "abandoned 3002 USER_CANCELLATION"),
            (
                "qes.finalized",
                identification(json!({"result": "SUCCESS_DATA_CHANGED"})),
                "approved SUCCESS_DATA_CHANGED",
            ),
            ("qes.finalized", ended("CANCELED", "3201", "WARNING_SELFIE"), "declined 3201 WARNING_SELFIE"),
            ("videoConference.created", started(), "submitted"),
            ("videoConference.processing", identification(json!({"result": "REVIEW_PENDING"})), "review"),
            (
                "videoConference.aborted",
                ended("ABORTED", "", "STALLED_TIMEOUT"),
                "abandoned STALLED_TIMEOUT STALLED_TIMEOUT",
            ),
            (
                "videoConference.finalized",
                identification(json!({"result": "SUCCESS_DATA_CHANGED"})),
                "approved SUCCESS_DATA_CHANGED",
            ),
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
        assert_eq!(event.subject, subject(None, USER));
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
            assert_eq!(event.subject, subject(None, user), "{name}");
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
    fn what_is_stored_is_the_payload_minimised_in_what_is_known_of_the_envelope() {
        let envelope = json!({"webhook": "qes.finalized", "accessToken": "canary", "photo": "QUJD".repeat(100)});
        let payload = identification(json!({"accessToken": "canary", "photo": "QUJD".repeat(100)}));
        let Ok(Reading::Events { parts, .. }) = reading(&envelope, &payload) else { panic!() };
        let mut stored: Value = serde_json::from_str(&parts[0].payload).unwrap();
        let photo = stored["object_payload"].as_object_mut().unwrap().remove("photo").unwrap();
        assert_eq!(photo["bytes"], 300);
        assert_eq!(stored, json!({"webhook": "qes.finalized", "object_payload": identification(json!({}))}));
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
        let again = user(json!({"firstname": "Other"}));
        let payload = json!({"users": [user(json!({})), user(json!({"userId": "7", "kycReview": "3"})), again]});
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
                let mut detail_of_check = Detail::default();
                detail_of_check.insert("documentType", "PASSPORT").unwrap();
                let check = Check {
                    reason: Some("600003".into()),
                    reason_codes: vec![ReasonCode::new("600003").unwrap()],
                    detail: detail_of_check,
                    ..Check::new(expected)
                };
                assert_eq!(event.checks, BTreeMap::from([(format!("document:{DOCUMENT}"), check)]), "{status}");
                let started = Some(Stage::Started);
                assert_eq!((event.stage, outcome(&event), event.remark), (started, None, None), "{status}");
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

mod subjects {
    use super::*;

    #[test]
    fn a_user_tag_is_the_reference_and_an_event_without_one_says_nothing_of_it() {
        for (tag, reference) in [
            (json!("customer-1"), Some("customer-1")),
            (json!("é".repeat(1000)), Some(&*"é".repeat(1000))),
            (json!(7), Some("7")),
            (json!(""), None),
            (json!(" "), None),
            (json!(null), None),
        ] {
            let user = event("user.kycreview", &users(json!({"userTag": tag})));
            assert_eq!((user.subject, user.remarks), (subject(reference, USER), vec![]), "{tag}");
        }
        for name in EVENTS.into_iter().filter(|name| !name.starts_with("user.")) {
            assert_eq!(event(name, &payload_of(name)).subject.reference, None, "{name}");
        }
    }

    #[test]
    fn a_tag_that_is_no_text_or_too_long_is_left_out_with_a_remark_and_decides_all_the_same() {
        for tag in [json!(["customer-1"]), json!(true), json!("x".repeat(5000))] {
            let user = event("user.kycreview", &users(json!({"userTag": tag})));
            assert_eq!(user.subject, subject(None, USER), "{tag}");
            assert_eq!(user.remarks, ["left_out:userTag"], "{tag}");
            assert_eq!(outcome(&user), Some(Outcome::Approved), "{tag}");
        }
    }
}

mod details {
    use super::*;

    #[test]
    fn a_review_says_what_was_granted() {
        for (name, payload, expected) in [
            (
                "user.kycreview",
                users(json!({"isFreezed": "0"})),
                vec![("codeStatus", "110009"), ("isFreezed", "0"), ("kycLevel", "2")],
            ),
            (
                "kycreview.result",
                review(json!({})),
                vec![
                    ("codeStatus", "110006"),
                    ("kycLevel", "1"),
                    ("kycReviewType", "ONBOARDING"),
                    ("nextReviewDate", "2031-02-25"),
                ],
            ),
            (
                "kycreview.result",
                review(json!({"kycLevel": "LIGHT", "nextReviewDate": null, "codeStatus": ""})),
                vec![("kycLevel", "LIGHT"), ("kycReviewType", "ONBOARDING")],
            ),
        ] {
            let event = event(name, &payload);
            let decision = event.decision.as_ref().unwrap();
            assert_eq!(codes_and_details(decision), (vec![], expected), "{name}");
            assert_eq!(event.remarks, Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_blank_date_of_the_next_review_is_no_detail_and_not_odd() {
        for blank in [json!("0000-00-00"), json!("0000-00-00 00:00:00"), json!(""), json!(null)] {
            let event = event("kycreview.result", &review(json!({"nextReviewDate": blank})));
            let (_, details) = codes_and_details(event.decision.as_ref().unwrap());
            assert!(details.iter().all(|(name, _)| *name != "nextReviewDate"), "{blank}");
            assert_eq!(event.remarks, Vec::<String>::new(), "{blank}");
        }
    }

    /// Members that may become a detail or a code, with text in them that is neither.
    #[test]
    fn free_text_in_an_allowed_member_vanishes_with_a_remark() {
        let canary = "Canary Person, born 1970";
        for member in ["kycLevel", "kycReviewType", "codeStatus", "isFreezed", "nextReviewDate"] {
            let event = event("kycreview.result", &review(json!({member: canary})));
            assert_eq!(event.remarks, [format!("left_out:{member}")], "{member}");
            assert_eq!(outcome(&event), Some(Outcome::Approved), "{member}");
            assert!(!format!("{event:?}").contains(canary), "{member}");
        }
        let document = event("document.update", &documents(json!({"documentType": canary})));
        assert_eq!(
            (document.remarks.as_slice(), document.checks.len()),
            (&["left_out:documentType".to_owned()][..], 1)
        );
        assert!(!format!("{document:?}").contains(canary));
    }

    #[test]
    fn an_unfamiliar_value_shows_its_type_and_length_unless_it_is_a_code() {
        let canary = "Canary Person";
        for (name, payload, member) in [
            ("user.kycreview", users(json!({"kycReview": canary})), "kycReview"),
            ("kycreview.result", review(json!({"kycStatus": canary})), "kycStatus"),
            ("document.update", documents(json!({"documentStatus": canary})), "documentStatus"),
            ("document.update", documents(json!({"documentId": [1, 2]})), "documentId"),
            ("kycliveness.update", liveness(json!({"kyc-status": canary})), "kyc-status"),
            ("kycliveness.update", liveness(json!({"score": canary})), "score"),
            ("qes.finalized", identification(json!({"result": canary})), "result"),
            ("qes.Canary Person", identification(json!({})), "webhook"),
        ] {
            let event = event(name, &payload);
            let expected = match member {
                "documentId" => "array(2)",
                "webhook" => "string(17)",
                _ => "string(13)",
            };
            assert_eq!(event.detail[member], expected, "{name} {member}");
            assert!(!format!("{event:?}").contains(canary), "{name} {member}");
        }
        for (payload, shown) in
            [(json!({"result": "NEVER_HEARD_OF"}), "NEVER_HEARD_OF"), (json!({"result": null}), "missing(0)")]
        {
            let event = event("qes.finalized", &identification(payload));
            assert_eq!((event.remark, event.detail["result"].as_str()), (Some(Remark::Unrecognised), shown));
        }
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
            (details(json!(""), json!("STALLED_TIMEOUT")), Some("STALLED_TIMEOUT"), Some("STALLED_TIMEOUT")),
            (details(json!(""), json!("Timed out")), None, Some("Timed out")),
            (details(json!("3201"), json!("STALLED_TIMEOUT")), Some("3201"), Some("STALLED_TIMEOUT")),
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

    const REFUSAL: &str = r#"{"meta": {"count": 1}, "reasons": [{"reason-code": "1312"}]}"#;

    /// The outcome, the stage and the remark of a processed liveness.
    fn processed(changes: Value) -> (Option<Outcome>, Option<Stage>, Option<Remark>) {
        let event = event("kycliveness.update", &liveness(changes));
        (outcome(&event), event.stage, event.remark)
    }

    #[test]
    fn only_a_score_of_one_approves_a_liveness_and_only_nought_or_a_refusal_declines_it() {
        let refusal: Value = serde_json::from_str(REFUSAL).unwrap();
        for score in [json!(1), json!("1"), json!(1.0), json!("1.0"), json!("1.00"), json!("1."), json!(" 1 ")] {
            assert_eq!(processed(json!({"score": score})), (Some(Outcome::Approved), None, None), "{score}");
        }
        for score in [json!(0), json!("0"), json!(0.0), json!("0.00")] {
            let expected = (Some(Outcome::Declined), None, None);
            assert_eq!(processed(json!({"score": score})), expected, "{score}");
            assert_eq!(processed(json!({"score": score, "refusal-details": refusal})), expected, "{score}");
        }
        for missing in [json!(null), json!(""), json!([1]), json!(true)] {
            let declined = processed(json!({"score": missing, "refusal-details": refusal}));
            assert_eq!(declined, (Some(Outcome::Declined), None, None), "{missing}");
        }
    }

    #[test]
    fn a_score_that_is_neither_one_nor_nought_decides_nothing() {
        for score in [
            json!(null),
            json!(""),
            json!(0.99),
            json!(-1),
            json!("11"),
            json!("1.01"),
            json!("1e0"),
            json!(".0"),
            json!(10),
            json!(true),
            json!([1]),
            json!("passed"),
        ] {
            let expected = (None, Some(Stage::Started), Some(Remark::Unrecognised));
            assert_eq!(processed(json!({"score": score})), expected, "{score}");
            for empty in [json!(null), json!({}), json!({"meta": {"count": 0}, "reasons": []}), json!([]), json!("")] {
                assert_eq!(processed(json!({"score": score, "refusal-details": empty})), expected, "{score} {empty}");
            }
        }
        let event = event("kycliveness.update", &json!({"kyc-status": "processed", "user_id": 7}));
        assert_eq!((outcome(&event), event.remark), (None, Some(Remark::Unrecognised)));
        assert_eq!(event.detail, detail([("kyc-status", "processed"), ("score", "missing(0)")]));
    }

    #[test]
    fn a_refusal_is_never_approved() {
        for refusal in [
            serde_json::from_str(REFUSAL).unwrap(),
            json!({"reasons": [{}]}),
            json!({"meta": {"count": 2}}),
            json!({"reasons": {"reason-code": "1312"}}),
            json!("refused"),
            json!(["1312"]),
        ] {
            let expected = (Some(Outcome::Declined), None, Some(Remark::Inconsistent));
            assert_eq!(processed(json!({"score": 1, "refusal-details": refusal})), expected, "{refusal}");
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
    fn all_reasons_of_a_refusal_count_in_their_order() {
        let entry = |code: Value, message: Value| json!({"reason-code": code, "reason-message": message});
        for (reasons, codes, message) in [
            (
                json!([entry(json!("1312"), json!("a")), entry(json!("2401"), json!("b"))]),
                vec!["1312", "2401"],
                Some("a; b"),
            ),
            (json!([entry(json!(1312), json!(null)), entry(json!("1312"), json!("b"))]), vec!["1312"], Some("b")),
            (json!([entry(json!(""), json!("a"))]), vec![], Some("a")),
            (json!([]), vec![], None),
            (json!(["1312"]), vec![], None),
            (json!({"reason-code": "1312"}), vec!["1312"], None),
            (json!(null), vec![], None),
        ] {
            let changes = json!({"score": 0, "refusal-details": {"reasons": reasons}});
            let event = event("kycliveness.update", &liveness(changes));
            assert_eq!(outcome(&event), Some(Outcome::Declined), "{reasons}");
            assert_eq!(reason(&event), message, "{reasons}");
            assert_eq!(codes_and_details(event.decision.as_ref().unwrap()).0, codes, "{reasons}");
        }
    }

    #[test]
    fn of_too_many_reasons_the_first_sixteen_are_taken_and_what_is_no_code_is_left_out() {
        let reasons: Vec<_> = (0..40).map(|number| json!({"reason-code": format!("{}", 1300 + number)})).collect();
        let changes = json!({"score": 0, "refusal-details": {"reasons": reasons}});
        let refused = event("kycliveness.update", &liveness(changes));
        let (codes, _) = codes_and_details(refused.decision.as_ref().unwrap());
        assert_eq!((codes.len(), codes[0], codes[15]), (16, "1300", "1315"));
        assert_eq!(refused.remarks, ["cut:refusal-details.reasons"]);

        let changes = json!({"score": 0, "refusal-details": {"reasons": [{"reason-code": "Sample Person"}]}});
        let refused = event("kycliveness.update", &liveness(changes));
        assert_eq!(codes_and_details(refused.decision.as_ref().unwrap()).0, Vec::<&str>::new());
        assert_eq!(refused.remarks, ["left_out:refusal-details.reasons"]);
    }

    #[test]
    fn a_success_with_other_data_than_declared_says_so_to_consumers() {
        for result in ["SUCCESS_DATA_CHANGED", "SUCCESS_DATA_CHANGE"] {
            let event = event("qes.finalized", &identification(json!({"result": result})));
            let decision = event.decision.as_ref().unwrap();
            assert_eq!(codes_and_details(decision), (vec![result], vec![("identification", "qes")]));
        }
        let reason = json!({"reasonDetails": {"reasonCode": "3201", "reasonMessage": "WARNING"}});
        let event =
            event("qes.finalized", &identification(json!({"result": "SUCCESS_DATA_CHANGED", "reason": reason})));
        assert_eq!(codes_and_details(event.decision.as_ref().unwrap()).0, ["SUCCESS_DATA_CHANGED", "3201"]);
    }

    #[test]
    fn a_decision_says_which_kind_of_identification_it_is_of() {
        for (name, payload, expected) in [
            ("kycliveness.update", liveness(json!({})), vec![("identification", "liveness")]),
            ("qes.finalized", identification(json!({})), vec![("identification", "qes")]),
            ("qes.sample", identification(json!({})), vec![("identification", "qes")]),
            ("videoConference.finalized", identification(json!({})), vec![("identification", "video")]),
            // A name that promises something else doesn't tell.
            ("kycliveness.update", identification(json!({})), vec![]),
        ] {
            let event = event(name, &payload);
            assert_eq!(codes_and_details(event.decision.as_ref().unwrap()).1, expected, "{name}");
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
                assert_eq!(event.detail["webhook"], name, "{payload}");
                let session = if payload.get("users").is_some() || payload.get("documents").is_some() {
                    "user:6461762".into()
                } else if payload.get("kycReview").is_some() {
                    "user:1".into()
                } else {
                    format!("identification:{IDENTIFICATION}")
                };
                assert_eq!(event.session.session_id.as_str(), session, "{name} {payload}");
                // A request's name makes none of what is no request.
                let started = payload.get("documents").map(|_| Stage::Started);
                assert_eq!(event.stage, started, "{name} {payload}");
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
            let shown = match &payload {
                Value::Object(members) => format!("object({})", members.len()),
                Value::Array(items) => format!("array({})", items.len()),
                _ => "null(0)".to_owned(),
            };
            assert_eq!(event.detail["object_payload"], shown, "{name} {payload}");
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
                let shown = object_id.as_str().map_or_else(|| object_id.to_string(), str::to_owned);
                let envelope = json!({"webhook": name, "object_id": object_id});
                assert_eq!(events_in(&envelope, &payload)[0].detail["object_id"], shown, "{name}");
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
    }

    /// What is signed lacks nothing: who has captured such a webhook could have it quarantined without end.
    #[test]
    fn an_identification_whose_id_only_the_envelope_could_tell_is_refused_without_it() {
        for (name, payload) in [
            ("kycliveness.update", liveness(json!({}))),
            ("qes.finalized", identification(json!({"transactionNumber": ""}))),
        ] {
            let long = "7".repeat(1024);
            let of = |id: &Value| signed(&format!(r#""webhook":"{name}","object_id":{id}"#), &payload.to_string());
            for id in [json!(" "), json!(null), json!({"id": "7"}), json!(["7"]), json!(true), json!(long)] {
                assert_eq!(proved(of(&id)).err(), Some(Refusal::EnvelopeUnreadable), "{name}: {id}");
            }
            let without = signed(&format!(r#""webhook":"{name}""#), &payload.to_string());
            assert_eq!(proved(without).err(), Some(Refusal::EnvelopeUnreadable), "{name}");
            for id in [json!("7"), json!(7), json!("é/ 7")] {
                assert!(matches!(read(of(&id)), Ok(Reading::Events { .. })), "{name}: {id}");
            }
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

    /// Name, payload with a time, and the member that it stands in.
    fn timed(time: &Value) -> [(&'static str, Value, &'static str); 6] {
        [
            ("user.kycreview", users(json!({"modifiedDate": time})), "modifiedDate"),
            ("document.update", documents(json!({"modifiedDate": time})), "modifiedDate"),
            ("kycreview.result", review(json!({"lastReviewDatetime": time})), "lastReviewDatetime"),
            ("kycreview.request", review(json!({"lastRequestDatetime": time})), "lastRequestDatetime"),
            ("kycliveness.create", liveness(json!({"updated-at": time})), "updated-at"),
            ("qes.created", identification(json!({"identificationTime": time})), "identificationTime"),
        ]
    }

    #[test]
    fn every_time_is_read_in_every_spelling() {
        for (spelled, expected) in [
            (json!("2026-05-18 12:21:12"), "2026-05-18T12:21:12Z"),
            (json!("2026-05-18T12:21:12"), "2026-05-18T12:21:12Z"),
            (json!("2026-05-18T14:21:12+0200"), "2026-05-18T12:21:12Z"),
            (json!("2026-05-18T12:21:12,25Z"), "2026-05-18T12:21:12.25Z"),
            (json!("2025-12-31T23:59:60Z"), "2025-12-31T23:59:59.999999999Z"),
            (json!(1_779_106_872), "2026-05-18T12:21:12Z"),
            (json!(1_779_106_872.5), "2026-05-18T12:21:12.5Z"),
            (json!("1779106872500"), "2026-05-18T12:21:12.5Z"),
        ] {
            for (name, payload, _) in timed(&spelled) {
                assert_eq!(occurred_at(name, &payload), Some(time(expected)), "{name} {spelled}");
            }
        }
    }

    #[test]
    fn what_is_no_time_leaves_a_remark_and_the_time_of_creation() {
        for none in
            [json!("1989-00-00"), json!("2026-05-18"), json!("yesterday"), json!([]), json!("2026-05-18 25:00:00")]
        {
            for (name, payload, member) in timed(&none) {
                assert_eq!(occurred_at(name, &payload), None, "{name} {none}");
                let event = event(name, &payload);
                assert_eq!(
                    (event.remarks, event.undated),
                    (vec![format!("time_unreadable:{member}")], false),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn of_a_payload_whose_times_are_all_blank_the_event_is_undated() {
        for blank in [json!(null), json!(""), json!("0000-00-00 00:00:00"), json!("0000-00-00")] {
            for (name, payload) in [
                ("user.kycreview", users(json!({"modifiedDate": blank}))),
                ("document.update", documents(json!({"modifiedDate": blank}))),
                ("kycreview.result", review(json!({"lastReviewDatetime": blank, "lastRequestDatetime": blank}))),
                ("kycliveness.create", liveness(json!({"updated-at": blank, "started-at": blank}))),
                ("qes.created", identification(json!({"identificationTime": blank}))),
            ] {
                assert_eq!(occurred_at(name, &payload), None, "{name} {blank}");
                let event = event(name, &payload);
                assert_eq!((event.undated, event.remarks), (true, vec![]), "{name} {blank}");
            }
            for (name, payload) in [
                ("kycreview.result", review(json!({"lastReviewDatetime": blank}))),
                ("kycliveness.create", liveness(json!({"updated-at": blank}))),
            ] {
                assert_eq!(occurred_at(name, &payload), None, "{name} {blank}");
                assert!(!event(name, &payload).undated, "{name} {blank}: the other time says something");
            }
        }
        for name in EVENTS {
            assert!(!event(name, &payload_of(name)).undated, "{name}");
        }
        let bare = json!({"result": "SUCCESS", "transactionNumber": IDENTIFICATION});
        assert!(!event("qes.finalized", &bare).undated, "a payload that prints no time leaves none blank");
    }

    #[test]
    fn the_creation_of_a_document_is_told_in_french_time() {
        let created = |date: Value| documents(json!({"modifiedDate": "0000-00-00 00:00:00", "createdDate": date}));
        for (date, expected) in [
            ("2026-05-18 22:55:13", "2026-05-18T20:55:13Z"),
            ("2026-01-18 01:55:13", "2026-01-17T23:55:13Z"),
            ("2026-05-18T22:55:13Z", "2026-05-18T22:55:13Z"),
        ] {
            let event = event("document.create", &created(json!(date)));
            assert_eq!((event.occurred_at, event.undated), (Some(time(expected)), true), "{date}");
        }
        let modified = documents(json!({"createdDate": "2026-05-18 09:00:00"}));
        assert_eq!(occurred_at("document.create", &modified), Some(time("2026-05-18T20:55:24Z")), "it was modified");
        let changed = created(json!("2026-05-18 22:55:13"));
        assert_eq!(occurred_at("document.update", &changed), None, "when it was changed isn't told");
        let unreadable = event("document.create", &created(json!("in May")));
        assert_eq!(
            (unreadable.occurred_at, unreadable.remarks),
            (None, vec!["time_unreadable:createdDate".to_owned()])
        );
    }

    /// When the decision of a webhook was made, as shown, if that isn't the time that it counts from.
    fn decided_at(created_at: &Value, name: &str, payload: &Value) -> Option<Timestamp> {
        let event = event_in(&json!({"webhook": name, "object_id": "o", "webhook_created_at": created_at}), payload);
        event.decision.unwrap().decided_at
    }

    #[test]
    fn a_user_s_decision_is_shown_as_of_the_later_of_the_user_s_data_and_the_webhook() {
        let modified = |date: &str| users(json!({"modifiedDate": date}));
        for (created_at, date, expected) in [
            // Sent days after the data changed.
            (json!(1_780_000_000), "2026-05-18 12:21:12", Some("2026-05-28T20:26:40Z")),
            (json!(1_770_000_000), "2026-05-18 12:21:12", None),
            (Value::Null, "2026-05-18 12:21:12", None),
            // Neither is later than the arrival.
            (json!(1_900_000_000), "2026-05-18 12:21:12", Some(ARRIVAL)),
            (Value::Null, "2030-01-01 00:00:00", Some(ARRIVAL)),
            (json!(1_780_000_000), "0000-00-00 00:00:00", None),
        ] {
            let found = decided_at(&created_at, "user.kycreview", &modified(date));
            assert_eq!(found, expected.map(time), "{created_at} {date}");
        }
        for (name, payload) in [
            ("kycreview.result", review(json!({}))),
            ("kycliveness.update", liveness(json!({}))),
            ("qes.finalized", identification(json!({}))),
        ] {
            assert_eq!(
                decided_at(&json!(1_781_000_000), name, &payload),
                None,
                "{name}: its own time is the decision's"
            );
        }
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
            ("1771583207.5", "2026-02-20T10:26:47.5Z"),
            ("1.771583207e9", "2026-02-20T10:26:47Z"),
            ("\" 1771583207 \"", "2026-02-20T10:26:47Z"),
            ("\"2026-02-20T10:26:47Z\"", "2026-02-20T10:26:47Z"),
        ] {
            assert_eq!(emitted_at(created_at), (Some(time(expected)), vec![]), "{created_at}");
        }
        for blank in ["0", "\"0000000000\"", "\"00000000000000\"", "\"\"", "null"] {
            assert_eq!(emitted_at(blank), (None, vec![]), "{blank}");
        }
        for created_at in [
            "-1",
            "177158320",
            "17715832071",
            "177158320712",
            "177158320712345",
            "17715832071234567890",
            "\"+771583207\"",
            "\"-771583207\"",
            "\"1771583\u{a0}7\"",
            "true",
            "[1771583207]",
            "-1771583207",
            "\"177158320٣\"",
            "1e400",
        ] {
            let remark = "time_unreadable:webhook_created_at".to_owned();
            assert_eq!(emitted_at(created_at), (None, vec![remark]), "{created_at}");
        }
    }

    fn emitted_at(created_at: &str) -> (Option<Timestamp>, Vec<String>) {
        let members = format!(r#""webhook":"qes.created","webhook_created_at":{created_at}"#);
        let payload = r#"{"result":"STARTED","transactionNumber":"t"}"#;
        let Ok(Reading::Events { events, .. }) = read(signed(&members, payload)) else { panic!("{created_at}") };
        assert_eq!(events[0].occurred_at, events[0].emitted_at, "{created_at}");
        (events[0].emitted_at, events[0].remarks.clone())
    }
}
