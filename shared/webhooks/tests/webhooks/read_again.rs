//! What is stored of a webhook says the same when it is read once more: so a record can be rebuilt from it.

use crate::{treezor::genuine as treezor, veriff::genuine as veriff, wultra::genuine as wultra};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{fs, path::Path};
use verdict_sessions::{EventId, Outcome, Provider, SessionEvent, SessionId, SessionKey, Timestamp};
use verdict_webhooks::{
    Genuine, PAYLOAD_LIMIT, Part, Reading, Unreadable,
    incode::{Finding, SCORE_PATH, STATUS_PATH, recurrence},
    read, read_again, sha256_hex,
};

/// The fewest samples that hold events.
const FEWEST: usize = 120;

fn arrival() -> Timestamp {
    Timestamp::parse(veriff::ARRIVAL).unwrap()
}

/// The webhooks in `events/`, taken to be genuine.
fn samples() -> Vec<(String, Genuine)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    Provider::ALL.into_iter().flat_map(|provider| samples_in(&folder.join(provider.as_str()), provider)).collect()
}

fn samples_in(folder: &Path, provider: Provider) -> Vec<(String, Genuine)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.display().to_string(), genuine(provider, &fs::read_to_string(&file).unwrap()))).collect()
}

fn genuine(provider: Provider, event: &str) -> Genuine {
    let event: Value = serde_json::from_str(event).unwrap();
    let text = event["body"].as_str().unwrap_or_default();
    let body =
        if event["isBase64Encoded"] == json!(true) { STANDARD.decode(text).unwrap() } else { text.as_bytes().to_vec() };
    let digest = sha256_hex(&body);
    Genuine::from_our_queue(provider, event["rawPath"].as_str().unwrap().to_owned(), arrival(), body, digest)
}

/// The one event of a webhook, and what is stored of it.
fn only(reading: Result<Reading, Unreadable>) -> (SessionEvent, String) {
    let Ok(Reading::Events { events, parts }) = reading else { panic!("{reading:?}") };
    let [event] = <[_; 1]>::try_from(events).expect("one event");
    (event, parts[0].payload.clone())
}

#[test]
fn every_sample_s_stored_payload_gives_the_same_events() {
    let mut read_as_events = 0;
    for (name, genuine) in samples() {
        let Ok(Reading::Events { events, parts }) = read(&genuine) else { continue };
        for (event, Part { payload, .. }) in events.into_iter().zip(parts) {
            assert_eq!(read_again(&event, genuine.path(), &payload), Ok(Some(event.clone())), "{name}");
        }
        read_as_events += 1;
    }
    assert!(read_as_events >= FEWEST, "{read_as_events}");
}

#[test]
fn every_answer_of_incode_s_api_gives_the_same_event() {
    let session =
        SessionKey { provider: Provider::Incode, session_id: SessionId::new("68a5c3e2f1d4b7a9c0e8f3d2").unwrap() };
    for status in ["ONBOARDING_FINISHED", "MANUAL_REVIEW_APPROVED", "EXPIRED", "NEVER_HEARD_OF"] {
        let body = json!({"onboardingStatus": status}).to_string();
        let Finding { event, payload, .. } = Finding::of_status(&session, body.as_bytes(), arrival()).unwrap();
        let event = event.unwrap();
        assert_eq!(read_again(&event, STATUS_PATH, &payload), Ok(Some(event.clone())), "{status}");
        // Said once more after something else, it is a fact with an id and an arrival of its own.
        let again = recurrence(event, Timestamp::parse("2026-06-14T00:00:00Z").unwrap());
        assert_eq!(read_again(&again, STATUS_PATH, &payload), Ok(Some(again.clone())), "{status}");
    }
    for score in ["OK", "FAIL", "WARN", "MANUAL_FAIL", "NEVER_HEARD_OF"] {
        let body = json!({"overall": {"status": score, "value": "93.1"}}).to_string();
        let Finding { event, payload, .. } = Finding::of_score(&session, body.as_bytes(), arrival()).unwrap();
        let event = event.unwrap();
        assert_eq!(read_again(&event, SCORE_PATH, &payload), Ok(Some(event.clone())), "{score}");
    }
}

#[test]
fn what_an_older_reader_made_of_a_webhook_is_put_right_and_keeps_its_id_and_arrival() {
    for (name, genuine) in samples() {
        let Ok(Reading::Events { events, parts }) = read(&genuine) else { continue };
        for (event, Part { payload, .. }) in events.into_iter().zip(parts) {
            let mut older = event.clone();
            "older".clone_into(&mut older.name);
            (older.stage, older.decision, older.remark) = (None, None, None);
            (older.occurred_at, older.emitted_at, older.attempt_id) = (None, None, None);
            older.checks.clear();
            older.detail.insert("older".into(), "yes".into());
            assert_eq!(read_again(&older, genuine.path(), &payload), Ok(Some(event)), "{name}");
        }
    }
}

#[test]
fn a_second_reading_stays_one() {
    let user = r#"{"users":[{"userId":7,"userTag":"customer-1","kycReview":2}]}"#;
    let (event, payload) = only(treezor::read(treezor::signed(r#""webhook":"user.kycreview""#, user)));
    let second = event.clone().as_second_reading();
    assert!(event.decision.is_some() && second.decision.is_none());
    assert_eq!(read_again(&second, "/treezor", &payload), Ok(Some(second.clone())));
    assert_eq!(read_again(&event, "/treezor", &payload), Ok(Some(event)));
}

#[test]
fn an_id_that_was_made_of_the_whole_body_stays() {
    // The image is not stored, so the digest of what is stored is another.
    let image = STANDARD.encode([0xff; 3000]);
    let body = json!({"processId": "p", "type": "PROCESS_FINISHED", "image": image,
        "eventData": {"process": {"status": "FINISHED"}}});
    let (event, payload) = only(wultra::read(body.to_string()));
    assert!(!payload.contains(&image));
    assert!(event.event_id.as_str().starts_with("body:"), "{}", event.event_id);
    assert_eq!(read_again(&event, "/wultra/process/event", &payload), Ok(Some(event.clone())));
}

#[test]
fn a_payload_that_tells_of_another_session_gives_nothing() {
    let (event, payload) = only(wultra::read(r#"{"processId":"p","type":"FINISHED"}"#));
    let payload = payload.replace(r#""p""#, r#""q""#);
    assert_eq!(read_again(&event, "/wultra/process/event", &payload), Ok(None));
}

#[test]
fn a_payload_that_can_t_be_read_any_more_says_so() {
    let (event, _) = only(wultra::read(r#"{"processId":"p","type":"FINISHED"}"#));
    let unreadable = read_again(&event, "/wultra/process/event", r#"{"type":"FINISHED"}"#);
    assert_eq!(unreadable, Err(Unreadable::NoSessionId));
}

#[test]
fn what_was_cut_away_takes_no_decision_with_it() {
    let long = "two words ".repeat(PAYLOAD_LIMIT / 10);
    let (path, body) = (
        "/wultra/process/event",
        json!({"processId": "p", "type": "PROCESS_FINISHED", "eventData": {"long": long, "process": {"status": "FINISHED"}}}),
    );
    let (event, payload) = only(wultra::read(body.to_string()));
    assert_eq!(event.decision.as_ref().map(|decision| decision.outcome), Some(Outcome::Approved));
    assert!(payload.contains(r#""kind":"cut""#), "{payload}");
    assert_eq!(read_again(&event, path, &payload), Ok(None));
}

#[test]
fn what_was_cut_away_does_no_harm_where_it_said_nothing() {
    let long = "two words ".repeat(PAYLOAD_LIMIT / 10);
    let body = json!({"processId": "p", "type": "PROCESS_FINISHED", "long": long,
        "eventData": {"process": {"status": "FINISHED"}}});
    let (event, payload) = only(wultra::read(body.to_string()));
    assert!(payload.contains(r#""kind":"cut""#), "{payload}");
    assert_eq!(read_again(&event, "/wultra/process/event", &payload), Ok(Some(event.clone())));
}

#[test]
fn of_a_payload_that_was_cut_altogether_nothing_can_be_read() {
    let members = (0..40_000).map(|number| format!(r#","m{number}":{number}"#)).collect::<Vec<_>>().concat();
    let (event, payload) = only(veriff::read_on("/veriff/events", format!(r#"{{"id":"s"{members}}}"#)));
    assert!(payload.starts_with(r#"{"kind":"cut""#), "{payload}");
    assert_eq!(read_again(&event, "/veriff/events", &payload), Err(Unreadable::NoSessionId));
}

#[test]
fn an_answer_s_path_means_something_to_incode_alone() {
    let (recorded, _) = only(wultra::read(r#"{"processId":"p","type":"FINISHED"}"#));
    let answer = r#"{"processId":"p","type":"FINISHED","onboardingStatus":"EXPIRED","overall":{"status":"FAIL"}}"#;
    for source in [STATUS_PATH, SCORE_PATH] {
        assert_eq!(read_again(&recorded, source, answer), Ok(Some(recorded.clone())), "{source}");
    }
}

/// What the first release stored of a webhook with several subjects holds all of them: place and session don't say
/// which one an event is.
#[test]
fn one_of_several_events_is_found_by_its_id_of_today_or_of_the_first_release() {
    let users = r#"{"users":[{"userId":7,"kycReview":2},{"userId":7,"kycReview":3},{"userId":8,"kycReview":2}]}"#;
    let body = treezor::signed(r#""webhook":"user.kycreview""#, users);
    let Ok(Reading::Events { events, parts }) = treezor::read(&body) else { panic!() };
    for (event, part) in events.iter().zip(&parts) {
        assert_eq!(read_again(event, "/treezor", &body), Ok(Some(event.clone())));
        let former = SessionEvent { event_id: part.former_id.clone().unwrap(), ..event.clone() };
        assert_eq!(read_again(&former, "/treezor", &body), Ok(Some(former.clone())));
        let unknown = SessionEvent { event_id: EventId::new("another:2").unwrap(), ..event.clone() };
        assert_eq!(read_again(&unknown, "/treezor", &body), Ok(None));
        // Its own part holds nothing else, so that it is found there whatever its id is made of.
        assert_eq!(read_again(&unknown, "/treezor", &part.payload), Ok(Some(unknown.clone())));
    }

    let (event, payload) = only(wultra::read(r#"{"processId":"p","type":"FINISHED"}"#));
    let another = SessionEvent { event_id: EventId::new("another:2").unwrap(), ..event };
    assert_eq!(read_again(&another, "/wultra/process/event", &payload), Ok(Some(another.clone())));
}
