//! The fold against the model, past functions and stores: sessions with more checks than a record keeps, and with more codes
//! and details, which no history reaches in reasonable time.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use serde_json::{Value, json};
use std::io::{self, Write as _};
use verdict_sessions::{SequenceBase, Session, SessionEvent, Timestamp};
use verdict_simulation::model::{self, Fact};

const HISTORIES: u64 = 24;

fn one_of<T: Copy>(choices: &[T]) -> T {
    choices[fastrand::usize(..choices.len())]
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix(1_781_308_800 + second, 0).unwrap()
}

/// A check with so many codes and details.
fn check(size: usize) -> Value {
    let outcome = one_of(&["pending", "passed", "failed", "flagged", "error", "captured", "cancelled"]);
    let mut check = json!({"outcome": outcome, "reason": null});
    if size > 0 {
        let codes = (0..size).map(|code| format!("{:0>64}", code + fastrand::usize(..2)));
        let mut codes: Vec<String> = codes.collect();
        codes.dedup();
        check["reasonCodes"] = json!(codes);
        let detail = (0..size).map(|number| (format!("member{number}"), json!("x".repeat(64))));
        check["detail"] = Value::Object(detail.collect());
    }
    check
}

/// A few checks of so many, and at times a decision.
fn event(number: usize, names: usize, largest: usize) -> Value {
    let checks = (0..fastrand::usize(0..6)).map(|_| {
        let size = if fastrand::u8(..3) == 0 { fastrand::usize(..=largest) } else { largest };
        (format!("document:{:02}", fastrand::usize(..names)), check(size))
    });
    let checks: Value = Value::Object(checks.collect());
    let decision = (fastrand::u8(..8) == 0).then(|| {
        let outcome = one_of(&["approved", "declined", "review"]);
        json!({"outcome": outcome, "reasonCode": one_of(&[None, Some("102")]), "reason": null})
    });
    json!({
        "eventId": format!("e{number:03}"), "provider": "treezor", "sessionId": "s", "kind": "kyc_review", "name": "event",
        "attemptId": one_of(&[None, Some("1"), Some("2")]), "occurredAt": at(fastrand::i64(0..60)), "emittedAt": null,
        "receivedAt": at(100 + i64::try_from(number).unwrap()), "stage": null, "decision": decision, "checks": checks,
        "subject": {"reference": null, "providerUserId": "7"}, "remark": null, "detail": {},
    })
}

/// What became of one session: how many of its messages told of checks, of checks that left the record, and of cut ones.
#[derive(Default)]
struct Counts {
    checks: usize,
    gone: usize,
    cut: usize,
}

fn compare(seed: u64, counts: &mut Counts) {
    fastrand::seed(seed);
    let (names, largest) = (one_of(&[8, 60, 75, 90]), one_of(&[0, 1, 8, 16]));
    let events: Vec<Value> = (0..fastrand::usize(20..90)).map(|number| event(number, names, largest)).collect();
    let bases = [0, 0, 0, 5, 1000];
    let (mut session, mut told, mut facts) = (None, Vec::new(), Vec::new());
    for event in events {
        let base = one_of(&bases);
        facts.push(Fact::of(&event).above(base));
        let event: SessionEvent = serde_json::from_value(event).unwrap();
        let applied = Session::apply(session.as_ref(), &event, SequenceBase::new(base).unwrap());
        told.extend(applied.notification.map(|notification| json!(notification.cloud_event())));
        session = Some(applied.session);
    }
    let due = model::notifications(&facts);
    for (told, due) in told.iter().zip(&due) {
        assert_eq!(told, due, "{seed}");
    }
    assert_eq!(told.len(), due.len(), "{seed}");
    let record = json!(session);
    let by_model = model::record(&facts);
    for (name, check) in by_model["checks"].as_object().unwrap() {
        assert_eq!(&record["checks"][name], check, "{seed}: {name}");
    }
    assert_eq!(record, by_model, "{seed}");
    let changes = || told.iter().flat_map(|event| event["data"]["changes"].as_array().into_iter().flatten());
    counts.checks += told.iter().filter(|event| event["type"] == "verdict.check.v1").count();
    counts.gone += changes().filter(|change| change["outcome"].is_null()).count();
    counts.cut += record["checks"].as_object().unwrap().values().filter(|check| check["isCut"] == true).count();
}

#[test]
fn a_full_record_and_what_is_told_of_it_are_as_the_model_has_them() {
    let mut counts = Counts::default();
    (0..HISTORIES).for_each(|seed| compare(seed, &mut counts));
    let Counts { checks, gone, cut } = counts;
    writeln!(io::stderr(), "{HISTORIES} sessions: {checks} messages of checks, {gone} checks gone, {cut} cut").unwrap();
    assert!(checks > 100 && gone > 10 && cut > 50, "{checks}, {gone}, {cut}");
}
