//! Facts: each value of each enumeration in the providers' contracts, and each webhook that they print, from what was
//! sent to what consumers are told. The table is printed, also if the test passes.

use crate::{known_ids::printed, printed::summary};
use serde_json::{Value, json};
use std::{fmt::Write as _, io::Write as _};
use verdict_sessions::{Provider, SequenceBase, Session, SessionEvent, SessionId, SessionKey, Timestamp};
use verdict_webhooks::{Genuine, Reading, incode::Finding, read, sha256_hex};

/// Veriff's `status` of a decision, with its code.
const VERIFF_DECISIONS: [(&str, Option<u32>, &str); 8] = [
    ("approved", Some(9001), "decided approved, told"),
    ("approved", None, "decided approved, told"),
    ("declined", Some(9102), "decided declined, told"),
    ("resubmission_requested", Some(9103), "awaiting_resubmission resubmission_requested, told"),
    ("expired", Some(9104), "decided expired, told"),
    ("abandoned", Some(9104), "decided abandoned, told"),
    ("abandoned", Some(9121), "decided abandoned, told"),
    ("review", Some(9121), "in_review review, told"),
];

/// Veriff's progress, by code and action.
const VERIFF_EVENTS: [(u32, &str, &str); 8] = [
    (7001, "started", "started"),
    (7002, "submitted", "submitted"),
    (7005, "submitted", "new"),
    (7007, "waiting_complete", "new"),
    (7008, "waiting_continued", "new"),
    (7009, "flow_finished", "new"),
    (7010, "flow_cancelled", "new"),
    (7011, "document_type_other_selected", "new"),
];

/// Incode's `onboardingStatus`.
const INCODE_STATUSES: [(&str, &str); 9] = [
    ("ID_VALIDATION_FINISHED", "started, document captured"),
    ("ID_VALIDATION_FINISHED_SECOND_ID", "started, document captured"),
    ("POST_PROCESSING_FINISHED", "started, document captured"),
    ("FACE_VALIDATION_FINISHED", "started, face captured"),
    ("GOVERNMENT_VALIDATION_FINISHED", "new, government captured"),
    ("ONBOARDING_FINISHED", "submitted"),
    ("MANUAL_REVIEW_APPROVED", "decided approved, told"),
    ("MANUAL_REVIEW_REJECTED", "decided declined, told"),
    ("EXPIRED", "decided expired, told"),
];

/// Incode's webhooks whose path says what they are.
const INCODE_PATHS: [(&str, &str); 12] = [
    ("session-started", "started"),
    ("session-progress", "new"),
    ("session-succeeded", "decided approved, told"),
    ("session-failed", "decided declined, told"),
    ("session-pending-review", "in_review review, told"),
    ("identity-enrolled", "new"),
    ("video-selfie", "started, video_selfie captured"),
    ("watchlist", "new, watchlist captured"),
    ("face-authentication", "started, face_authentication passed"),
    ("authentication", "started, authentication passed"),
    ("work-history", "new, work_history captured"),
    ("proof-of-payment", "new, proof_of_payment captured"),
];

/// The overall status of Incode's score.
const INCODE_SCORES: [(&str, &str); 8] = [
    ("OK", "decided approved, told"),
    ("MANUAL_OK", "decided approved, told"),
    ("FAIL", "decided declined, told"),
    ("MANUAL_FAIL", "decided declined, told"),
    ("WARN", "in_review review, told"),
    ("MANUAL", "in_review review, told"),
    ("MANUAL_PENDING", "in_review review, told"),
    ("UNKNOWN", "no event"),
];

/// Treezor's `kycReview`.
const TREEZOR_REVIEWS: [(u32, &str); 8] = [
    (0, "new"),
    (1, "in_review review, told"),
    (2, "decided approved, told"),
    (3, "decided declined, told"),
    (4, "new"),
    (5, "new"),
    (6, "in_review review, told"),
    (7, "in_review review, told"),
];

/// Treezor's `result` of an identification.
const TREEZOR_RESULTS: [(&str, &str); 11] = [
    ("START", "submitted"),
    ("STARTED", "submitted"),
    ("CHECK_PENDING", "in_review review, told"),
    ("REVIEW_PENDING", "in_review review, told"),
    ("FRAUD_SUSPICION_PENDING", "in_review review, told"),
    ("SUCCESS", "decided approved, told"),
    ("SUCCESS_DATA_CHANGED", "decided approved, told"),
    ("SUCCESS_DATA_CHANGE", "decided approved, told"),
    ("CANCELED", "decided declined, told"),
    ("FRAUD_SUSPICION_CONFIRMED", "decided declined, told"),
    ("ABORTED", "decided abandoned, told"),
];

/// Treezor's `documentStatus`.
const TREEZOR_DOCUMENTS: [(&str, &str); 3] = [
    ("PENDING", "started, document:1 pending"),
    ("VALIDATED", "started, document:1 passed"),
    ("CANCELED", "started, document:1 cancelled"),
];

/// Wultra's `status` of a check.
const WULTRA_CHECKS: [(&str, &str); 3] = [("ACCEPTED", "passed"), ("REJECTED", "failed"), ("FAILED", "error")];

/// One fact, and the events that it is read as.
struct Fact {
    sent: String,
    events: Vec<SessionEvent>,
    expected: Option<String>,
}

fn arrival() -> Timestamp {
    Timestamp::parse("2026-06-13T00:40:00Z").unwrap()
}

fn events(provider: Provider, path: &str, body: Vec<u8>) -> Vec<SessionEvent> {
    let digest = sha256_hex(&body);
    match read(&Genuine::from_our_queue(provider, path.to_owned(), arrival(), body, digest)) {
        Ok(Reading::Events { events, .. }) => events,
        _ => Vec::new(),
    }
}

fn fact(provider: Provider, path: &str, sent: String, body: &Value, expected: impl Into<String>) -> Fact {
    Fact { sent, events: events(provider, path, body.to_string().into_bytes()), expected: Some(expected.into()) }
}

fn of_veriff() -> Vec<Fact> {
    let fact = |sent, body, expected: &str| fact(Provider::Veriff, "/veriff/decisions", sent, &body, expected);
    let decisions = VERIFF_DECISIONS.into_iter().map(|(status, code, expected)| {
        let verification = json!({"id": "s", "attemptId": "a", "status": status, "code": code, "decisionTime": null});
        let code = code.map_or_else(|| "null".to_owned(), |code| code.to_string());
        fact(format!("decision {status} {code}"), json!({"status": "success", "verification": verification}), expected)
    });
    let progress = VERIFF_EVENTS.into_iter().map(|(code, action, expected)| {
        let body = json!({"id": "s", "attemptId": "a", "feature": "selfid", "code": code, "action": action});
        fact(format!("event {code} {action}"), body, expected)
    });
    let words = VERIFF_DECISIONS.into_iter().filter(|(.., code, _)| *code != Some(9104)).filter_map(
        |(status, code, expected)| {
            let data = json!({"verification": {"decision": status}});
            let body = json!({"eventType": "fullauto", "sessionId": "s", "attemptId": "a", "data": data});
            (code.is_some() && status != "review").then(|| fact(format!("fullauto {status}"), body, expected))
        },
    );
    let watchlists = [("no_match", "passed"), ("possible_match", "flagged")].map(|(status, outcome)| {
        let body = json!({"checkType": "initial_result", "sessionId": "s", "attemptId": "a", "matchStatus": status});
        fact(format!("watchlist {status}"), body, &format!("new, watchlist {outcome}"))
    });
    decisions.chain(progress).chain(words).chain(watchlists).collect()
}

fn of_incode() -> Vec<Fact> {
    let statuses = INCODE_STATUSES.into_iter().map(|(status, expected)| {
        let body = json!({"interviewId": "s", "onboardingStatus": status});
        fact(Provider::Incode, "/incode/onboarding-status", format!("onboardingStatus {status}"), &body, expected)
    });
    let paths = INCODE_PATHS.into_iter().map(|(segment, expected)| {
        let body = json!({"interviewId": "s", "requestId": "r", "customerId": "c", "overallStatus": "PASS"});
        fact(Provider::Incode, &format!("/incode/{segment}"), format!("path {segment}"), &body, expected)
    });
    let logins = [("PASS", "passed"), ("FAIL", "failed")].map(|(status, outcome)| {
        let body = json!({"interviewId": "s", "overallStatus": status});
        let expected = format!("started, authentication {outcome}");
        fact(Provider::Incode, "/incode/authentication", format!("authentication {status}"), &body, expected)
    });
    let ine = [("IN_PROGRESS", "new"), ("FINISHED", "new, ine captured")].map(|(status, expected)| {
        let body = json!({"InterviewId": "s", "ScrapingStatus": status});
        fact(Provider::Incode, "/incode/ine-scraping", format!("ine {status}"), &body, expected)
    });
    let scores = INCODE_SCORES.into_iter().map(|(status, expected)| {
        let body = json!({"overall": {"status": status}}).to_string();
        let session = SessionId::new("s").unwrap();
        let session = SessionKey { provider: Provider::Incode, session_id: session };
        let finding = Finding::of_score(&session, body.as_bytes(), arrival()).unwrap();
        Fact {
            sent: format!("score {status}"),
            events: finding.event.into_iter().collect(),
            expected: Some(expected.to_owned()),
        }
    });
    statuses.chain(paths).chain(logins).chain(ine).chain(scores).collect()
}

fn of_treezor() -> Vec<Fact> {
    let fact = |name: &str, sent, payload: Value, expected: &str| {
        let id = match name {
            "user.kycreview" => "7",
            "document.update" => "1",
            _ => "i",
        };
        let body = json!({"webhook": name, "webhook_id": "w", "object_id": id, "object_payload": payload});
        fact(Provider::Treezor, "/treezor", sent, &body, expected)
    };
    let reviews = TREEZOR_REVIEWS.into_iter().map(|(review, expected)| {
        let user = json!({"userId": "7", "kycReview": review.to_string(), "modifiedDate": "2026-06-12 09:00:00"});
        fact("user.kycreview", format!("kycReview {review}"), json!({"users": [user]}), expected)
    });
    let results = TREEZOR_RESULTS.into_iter().map(|(result, expected)| {
        let payload = json!({"userId": "7", "result": result, "transactionNumber": "i"});
        fact("qes.finalized", format!("result {result}"), payload, expected)
    });
    let documents = TREEZOR_DOCUMENTS.into_iter().map(|(status, expected)| {
        let document = json!({"documentId": "1", "userId": "7", "documentStatus": status});
        fact("document.update", format!("documentStatus {status}"), json!({"documents": [document]}), expected)
    });
    let liveness = [
        (json!({"kyc-status": "processing"}), "submitted"),
        (json!({"kyc-status": "processed", "score": 1}), "decided approved, told"),
        (json!({"kyc-status": "processed", "score": 0}), "decided declined, told"),
        (json!({"kyc-status": "processed"}), "started"),
    ];
    let liveness = liveness.map(|(said, expected)| {
        let mut payload = said.clone();
        payload["user_id"] = json!(7);
        fact("kycliveness.update", format!("liveness {said}"), payload, expected)
    });
    reviews.chain(results).chain(documents).chain(liveness).collect()
}

fn of_wultra() -> Vec<Fact> {
    let fact = |kind: &str, sent, data: Value, expected: &str| {
        let body = json!({"id": "e", "timestamp": "2026-06-12T09:00:00Z", "type": kind, "userId": "u", "processId": "s",
            "processType": "onboarding", "eventData": data});
        fact(Provider::Wultra, "/wultra/process/event", sent, &body, expected)
    };
    let checks = WULTRA_CHECKS.into_iter().flat_map(|(status, outcome)| {
        [
            ("DOCUMENT_VERIFICATION_FINISHED", "documentVerification", "document:1"),
            ("FINAL_DOCUMENT_VERIFICATION_FINISHED", "finalDocumentVerification", "documents"),
            ("PRESENCE_CHECK_FINISHED", "presenceCheck", "presence"),
        ]
        .map(|(kind, member, check)| {
            let data = json!({member: {"status": status, "documentId": "1"}});
            fact(kind, format!("{kind} {status}"), data, &format!("started, {check} {outcome}"))
        })
    });
    let processes =
        [("FINISHED", "decided approved, told"), ("FAILED", "decided failed, told")].map(|(status, expected)| {
            let data = json!({"process": {"status": status}});
            fact("PROCESS_FINISHED", format!("PROCESS_FINISHED {status}"), data, expected)
        });
    let before = fact("FINISHED", "FINISHED (2.1 and older)".into(), json!({"locale": "en"}), "decided approved, told");
    checks.chain(processes).chain([before]).collect()
}

/// The webhooks that a provider prints, as printed. What each says is asserted in the provider's own tests.
fn as_printed(provider: Provider) -> Vec<Fact> {
    let printed = printed(provider).into_iter();
    printed.map(|(sent, (path, body))| Fact { sent, events: events(provider, &path, body), expected: None }).collect()
}

/// What a first event makes of its session: the record's status, decision and checks, and whether consumers are told.
fn effect(event: &SessionEvent) -> String {
    let applied = Session::apply(None, event, SequenceBase::default());
    let record = serde_json::to_value(applied.session.view()).unwrap();
    let checks = record["checks"].as_object().unwrap().iter();
    let checks: Vec<_> = checks
        .map(|(name, check)| format!("{name} {}", check["outcome"].as_str().unwrap()))
        .filter(|_| record["decision"].is_null())
        .collect();
    let decided = record["decision"]["outcome"].as_str().map(|outcome| format!(" {outcome}")).unwrap_or_default();
    let told = applied.notification.map(|told| {
        let message = serde_json::to_value(told.cloud_event()).unwrap();
        assert_eq!(message["data"]["outcome"], record["decision"]["outcome"]);
        "told".to_owned()
    });
    let record = format!("{}{decided}", record["status"].as_str().unwrap());
    [record].into_iter().chain(checks).chain(told).collect::<Vec<_>>().join(", ")
}

#[test]
fn each_fact_reaches_event_record_and_message() {
    let mut table = String::from("\nfact | event | what it says | record and message\n");
    let mut wrong = Vec::new();
    let providers = [of_veriff(), of_incode(), of_treezor(), of_wultra()];
    for (provider, facts) in Provider::ALL.into_iter().zip(providers) {
        for Fact { sent, events, expected } in facts.into_iter().chain(as_printed(provider)) {
            let first = events.first();
            let effect = first.map_or_else(|| "no event".to_owned(), effect);
            let (name, says) = first.map_or_else(Default::default, |event| (event.name.clone(), summary(event)));
            writeln!(table, "{provider} {sent} | {name} | {says} | {effect}").unwrap();
            if expected.as_ref().is_some_and(|expected| *expected != effect) {
                wrong.push(format!("{provider} {sent}: {effect}, not {}", expected.unwrap_or_default()));
            }
        }
    }
    // Not a macro of the standard library's, whose output a test that passes keeps to itself.
    std::io::stdout().write_all(table.as_bytes()).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
