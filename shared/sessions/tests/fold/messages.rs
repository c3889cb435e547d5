//! Messages: what is told of a change, and of which changes nothing is told.

use crate::{
    events::{at, attempt, decision, event, stage},
    order_does_not_matter::{any_history, record},
};
use proptest::{prelude::*, sample::select};
use std::collections::BTreeMap;
use verdict_sessions::{
    Check, CheckOutcome, Decision, Detail, EventId, NotRebuilt, Notification, NotificationType, Outcome, ReasonCode,
    Refolded, SequenceBase, Session, SessionEvent, Stage, Status, Subject, Withdrawal,
};

fn codes(texts: &[&str]) -> Vec<ReasonCode> {
    texts.iter().map(|text| ReasonCode::new(text).unwrap()).collect()
}

fn checked(id: &str, when: u64, name: &str, outcome: CheckOutcome, because: &[&str]) -> SessionEvent {
    let check = Check { reason_codes: codes(because), ..Check::new(outcome) };
    SessionEvent { occurred_at: Some(at(when)), checks: [(name.to_owned(), check)].into(), ..event(id, when) }
}

fn approved(id: &str, when: u64) -> SessionEvent {
    decision(id, when, "t", Outcome::Approved, None)
}

fn declined(id: &str, when: u64, because: &[&str]) -> SessionEvent {
    let event = decision(id, when, "t", Outcome::Declined, None);
    SessionEvent { decision: Some(Decision::new(Outcome::Declined).with_codes(codes(because))), ..event }
}

/// The message that each event makes.
fn messages(events: &[SessionEvent]) -> Vec<Option<Notification>> {
    let mut session = None;
    let fold = |event| {
        let applied = Session::apply(session.as_ref(), event, SequenceBase::default());
        session = Some(applied.session);
        applied.notification
    };
    events.iter().map(fold).collect()
}

/// The message that the last event makes.
fn last(events: &[SessionEvent]) -> Option<Notification> {
    messages(events).pop().flatten()
}

/// The type of the message that each event makes.
fn types(events: &[SessionEvent]) -> Vec<Option<NotificationType>> {
    messages(events).iter().map(|message| message.as_ref().map(Notification::notification_type)).collect()
}

#[test]
fn a_hit_on_a_watchlist_after_an_approval_is_told_with_the_decision_that_stands() {
    let approved = approved("b", 5);
    let events = [
        checked("a", 1, "watchlist", CheckOutcome::Passed, &[]),
        approved.clone(),
        checked("c", 9, "watchlist", CheckOutcome::Flagged, &["sanctions"]),
    ];
    assert_eq!(types(&events), [None, Some(NotificationType::Decision), Some(NotificationType::Check)]);
    let message = last(&events).unwrap();
    assert_eq!((message.outcome, message.previous_outcome), (Some(Outcome::Approved), Some(Outcome::Approved)));
    assert_eq!((message.is_final, message.correction, message.sequence), (true, false, 2));
    assert_eq!((message.attempt_id.clone(), message.decided_at), (approved.attempt_id, Some(at(5))));
    assert_eq!(message.checks, [("watchlist".to_owned(), CheckOutcome::Flagged)].into());
    let [change] = &message.changes[..] else { panic!("{:?}", message.changes) };
    assert_eq!((&*change.check, change.outcome), ("watchlist", Some(CheckOutcome::Flagged)));
    assert_eq!((change.previous_outcome, change.at), (Some(CheckOutcome::Passed), at(9)));
    assert_eq!(change.reason_codes, codes(&["sanctions"]));
    assert_eq!(serde_json::to_value(message.cloud_event()).unwrap()["time"], "2026-06-13T00:00:09Z");
}

#[test]
fn a_hit_on_another_list_is_told_and_the_same_hit_again_is_not() {
    let flagged = |id, when, lists: &[&str]| checked(id, when, "watchlist", CheckOutcome::Flagged, lists);
    let events = [
        approved("a", 0),
        flagged("b", 1, &["pep"]),
        flagged("c", 2, &["pep", "sanctions"]),
        flagged("d", 3, &["sanctions", "pep"]),
        flagged("e", 4, &["sanctions"]),
    ];
    let check = Some(NotificationType::Check);
    assert_eq!(types(&events), [Some(NotificationType::Decision), check, check, None, check]);
    let told = last(&events[..3]).unwrap();
    assert_eq!(told.changes[0].reason_codes, codes(&["pep", "sanctions"]));
    assert_eq!(told.changes[0].previous_outcome, Some(CheckOutcome::Flagged));
}

#[test]
fn a_check_that_is_new_after_the_decision_is_told() {
    let message = last(&[approved("a", 0), checked("b", 1, "face", CheckOutcome::Failed, &[])]).unwrap();
    assert_eq!((message.changes[0].previous_outcome, message.changes[0].outcome), (None, Some(CheckOutcome::Failed)));
}

#[test]
fn of_a_check_nothing_is_told_while_no_final_decision_stands() {
    let failed = |id, when| checked(id, when, "face", CheckOutcome::Failed, &[]);
    let review = decision("a", 0, "t", Outcome::Review, None);
    let again = decision("a", 0, "t", Outcome::ResubmissionRequested, None);
    for events in [vec![failed("b", 1)], vec![review, failed("b", 1)], vec![again, failed("b", 1)]] {
        assert_eq!(last(&events), None, "{events:?}");
    }
    // With the next decision, its outcome is.
    let message = last(&[failed("a", 0), approved("b", 1)]).unwrap();
    assert_eq!(message.checks, [("face".to_owned(), CheckOutcome::Failed)].into());
    assert!(message.changes.is_empty());
}

#[test]
fn a_check_that_loses_is_not_told() {
    let events = [
        approved("a", 0),
        checked("b", 9, "face", CheckOutcome::Passed, &[]),
        checked("c", 3, "face", CheckOutcome::Failed, &[]),
    ];
    assert_eq!(types(&events)[2], None);
}

#[test]
fn a_decision_that_changes_with_a_check_makes_one_message_of_the_decision() {
    let both =
        SessionEvent { checks: checked("b", 1, "face", CheckOutcome::Failed, &[]).checks, ..declined("b", 1, &[]) };
    let message = last(&[approved("a", 0), both]).unwrap();
    assert_eq!((message.notification_type(), message.sequence), (NotificationType::Decision, 2));
    assert_eq!(message.checks, [("face".to_owned(), CheckOutcome::Failed)].into());
    assert!(message.changes.is_empty());
}

#[test]
fn codes_of_a_decision_that_had_none_are_told_with_a_check_that_changes_beside_them() {
    let added = declined("b", 1, &["102"]);
    assert_eq!(last(&[declined("a", 0, &[]), added.clone()]), None);
    let both = SessionEvent { checks: checked("b", 1, "face", CheckOutcome::Failed, &[]).checks, ..added };
    let message = last(&[declined("a", 0, &[]), both]).unwrap();
    assert_eq!(message.notification_type(), NotificationType::Check);
    assert_eq!((message.reason_codes, message.decided_at), (codes(&["102"]), Some(at(1))));
}

#[test]
fn several_checks_of_one_event_are_told_in_one_message_of_the_latest_time() {
    let mut event = checked("b", 7, "face", CheckOutcome::Failed, &[]);
    event.checks.insert("document".to_owned(), Check::new(CheckOutcome::Passed));
    let message = last(&[approved("a", 9), event]).unwrap();
    let names: Vec<_> = message.changes.iter().map(|change| &*change.check).collect();
    assert_eq!((names, message.time()), (vec!["document", "face"], at(7)));
}

#[test]
fn a_check_that_makes_room_for_a_newer_one_is_told_to_be_gone() {
    let document =
        |number: u64| checked(&format!("d{number}"), number, &format!("document:{number}"), CheckOutcome::Passed, &[]);
    let mut events: Vec<_> = (1..=64).map(document).collect();
    events.extend([approved("z", 70), document(80)]);
    let message = last(&events).unwrap();
    let changes: Vec<_> = message.changes.iter().map(|change| (&*change.check, change.outcome, change.at)).collect();
    assert_eq!(changes, [("document:80", Some(CheckOutcome::Passed), at(80)), ("document:1", None, at(1))]);
    assert_eq!((message.checks.len(), message.checks.contains_key("document:1")), (64, false));
    // One that is older than all of them is dropped at once.
    assert_eq!(last(&[events, vec![checked("e", 0, "document:0", CheckOutcome::Passed, &[])]].concat()), None);
}

/// Reasons that were left out of a full record are unknown: another event's may be others.
#[test]
fn a_check_whose_reasons_were_cut_changes_with_the_event_it_comes_from() {
    let full = |id: &str, when, name: &str| {
        let because: Vec<String> = (0..ReasonCode::COUNT).map(|code| format!("{code:0>64}")).collect();
        checked(id, when, name, CheckOutcome::Flagged, &because.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let mut events = vec![full("first", 0, "oldest")];
    events.extend((1..=60).map(|number| full(&format!("d{number}"), number, &format!("document:{number}"))));
    events.push(approved("z", 70));
    let before = record(&events).0;
    assert!(before.checks["oldest"].is_cut);
    let copy_of_a_fact = full("another", 71, "oldest");
    let message = last(&[events.clone(), vec![copy_of_a_fact]].concat()).unwrap();
    assert_eq!(message.changes[0].check, "oldest");
    assert_eq!(last(&[events, vec![full("late", 69, "document:60")]].concat()), None, "what is known is compared");
}

// Rebuilds.

fn rebuild(before: &[SessionEvent], after: &[SessionEvent], withdrawal: Withdrawal) -> Result<Refolded, NotRebuilt> {
    record(before).0.rebuild(after, SequenceBase::default(), withdrawal)
}

fn corrected(before: &[SessionEvent], after: &[SessionEvent]) -> Option<Notification> {
    let rebuilt = rebuild(before, after, Withdrawal::Refused).unwrap();
    let Refolded::Changed(applied) = rebuilt else { unreachable!("another record: {rebuilt:?}") };
    applied.notification
}

#[test]
fn a_rebuild_tells_of_a_check_whose_outcome_changes_or_whose_reason_is_taken_back() {
    let with = |outcome, because: &[&str]| [approved("a", 0), checked("b", 1, "watchlist", outcome, because)];
    let (passed, flagged) = (CheckOutcome::Passed, CheckOutcome::Flagged);
    for (before, after, is_told) in [
        (with(passed, &[]), with(flagged, &[]), true),
        (with(flagged, &["pep"]), with(flagged, &["sanctions"]), true),
        (with(flagged, &["pep"]), with(flagged, &[]), true),
        (with(flagged, &[]), with(flagged, &["pep"]), false),
        (with(flagged, &["pep"]), with(flagged, &["sanctions", "pep"]), false),
    ] {
        let message = corrected(&before, &after);
        assert_eq!(message.is_some(), is_told, "{before:?}, {after:?}");
        let Some(message) = message else { continue };
        assert_eq!((message.notification_type(), message.correction), (NotificationType::Check, true));
        assert_eq!((message.sequence, message.outcome), (3, Some(Outcome::Approved)));
    }
}

#[test]
fn a_rebuild_tells_of_no_check_that_the_earlier_reader_did_not_read() {
    let after = [approved("a", 0), checked("b", 1, "watchlist", CheckOutcome::Flagged, &["pep"])];
    assert_eq!(corrected(&[approved("a", 0), event("b", 1)], &after), None);
}

#[test]
fn a_rebuild_tells_that_a_check_is_gone() {
    let before = [approved("a", 0), checked("b", 1, "watchlist", CheckOutcome::Flagged, &["pep"])];
    let message = corrected(&before, &[approved("a", 0), event("b", 1)]).unwrap();
    let [change] = &message.changes[..] else { panic!("{:?}", message.changes) };
    assert_eq!((change.outcome, change.previous_outcome), (None, Some(CheckOutcome::Flagged)));
    assert_eq!((change.at, change.reason_codes.len(), &change.detail), (at(1), 0, &Detail::empty()));
    assert_eq!((message.checks, message.outcome), (BTreeMap::new(), Some(Outcome::Approved)));
}

#[test]
fn a_rebuild_tells_of_no_check_while_no_final_decision_stands() {
    let with = |outcome| [decision("a", 0, "t", Outcome::Review, None), checked("b", 1, "face", outcome, &[])];
    assert_eq!(corrected(&with(CheckOutcome::Passed), &with(CheckOutcome::Failed)), None);
}

#[test]
fn a_decision_and_a_check_that_both_read_otherwise_make_one_message_of_the_decision() {
    let before = [approved("a", 0), checked("b", 1, "face", CheckOutcome::Passed, &[])];
    let message =
        corrected(&before, &[declined("a", 0, &[]), checked("b", 1, "face", CheckOutcome::Failed, &[])]).unwrap();
    assert_eq!((message.notification_type(), message.changes.len()), (NotificationType::Decision, 0));
    assert_eq!(message.checks["face"], CheckOutcome::Failed);
}

#[test]
fn a_decision_is_withdrawn_only_if_that_is_asked_for() {
    let before = [approved("a", 0), checked("b", 1, "face", CheckOutcome::Passed, &[])];
    let after = [event("a", 0), before[1].clone()];
    assert_eq!(rebuild(&before, &after, Withdrawal::Refused), Err(NotRebuilt::DecisionWithdrawn));
    let Ok(Refolded::Changed(applied)) = rebuild(&before, &after, Withdrawal::At(at(99))) else { panic!("no change") };
    assert_eq!((applied.session.decision.clone(), applied.session.status()), (None, Status::New));
    let message = applied.notification.unwrap();
    assert_eq!(message.notification_type(), NotificationType::DecisionWithdrawn);
    assert_eq!((message.outcome, message.previous_outcome), (None, Some(Outcome::Approved)));
    assert_eq!((message.is_final, message.correction, message.sequence), (false, true, 3));
    assert_eq!((message.withdrawn_at, message.time(), message.decided_at), (Some(at(99)), at(99), None));
    assert_eq!((message.attempt_id.clone(), message.reason_code.clone()), (None, None));
    assert_eq!(message.checks["face"], CheckOutcome::Passed);
    let data = serde_json::to_value(&message).unwrap();
    assert_eq!((&data["outcome"], &data["withdrawnAt"]), (&serde_json::Value::Null, &serde_json::json!(at(99))));
    // Once it is withdrawn, there is nothing to refuse, and the next decision follows none.
    let again = applied.session.rebuild(&after, SequenceBase::default(), Withdrawal::Refused);
    assert_eq!(again, Ok(Refolded::Same));
    let next = Session::apply(Some(&applied.session), &declined("c", 5, &[]), SequenceBase::default());
    let next = next.notification.unwrap();
    assert_eq!((next.previous_outcome, next.sequence, next.withdrawn_at), (None, 4, None));
}

#[test]
fn what_may_be_withdrawn_and_is_not_changes_as_ever() {
    let before = [approved("a", 0)];
    let Ok(Refolded::Changed(applied)) = rebuild(&before, &[declined("a", 0, &[])], Withdrawal::At(at(99))) else {
        panic!("no change")
    };
    assert_eq!(applied.notification.unwrap().withdrawn_at, None);
    assert_eq!(rebuild(&before, &before, Withdrawal::At(at(99))), Ok(Refolded::Same));
}

// Statuses.

/// The time since which a record has its status, after each event.
fn since(events: &[SessionEvent]) -> Vec<(Status, u64)> {
    let mut session = None;
    let fold = |event| {
        let after = Session::apply(session.as_ref(), event, SequenceBase::default()).session;
        let since = after.status_since.unwrap().seconds_since(at(0));
        session = Some(after.clone());
        (after.status(), since)
    };
    events.iter().map(fold).collect()
}

#[test]
fn a_status_counts_from_the_arrival_of_the_event_that_brought_it() {
    let arrived = |event: SessionEvent, received| SessionEvent { received_at: at(received), ..event };
    let events = [
        arrived(stage("a", 1, "t", Stage::Started), 10),
        arrived(stage("b", 1, "t", Stage::Started), 20),
        arrived(decision("c", 5, "t", Outcome::Review, None), 30),
        arrived(decision("d", 6, "t", Outcome::Review, None), 40),
        arrived(approved("e", 7), 50),
        arrived(declined("f", 8, &[]), 60),
        arrived(decision("g", 9, "t", Outcome::Review, None), 70),
    ];
    let (started, review, decided) = (Status::Started, Status::InReview, Status::Decided);
    assert_eq!(
        since(&events),
        [(started, 10), (started, 10), (review, 30), (review, 30), (decided, 50), (decided, 50), (review, 70)]
    );
}

#[test]
fn a_record_of_an_earlier_release_has_its_status_at_least_since_its_last_event() {
    let before = Session { status_since: None, ..record(&[approved("a", 5), event("b", 9)]).0 };
    let same = Session::apply(Some(&before), &event("c", 20), SequenceBase::default()).session;
    assert_eq!(same.status_since, Some(at(9)));
    let review = decision("c", 20, "t", Outcome::Review, None);
    let other = Session::apply(Some(&before), &review, SequenceBase::default()).session;
    assert_eq!(other.status_since, Some(at(20)));
}

#[test]
fn a_rebuild_keeps_the_time_of_a_status_that_stays_and_finds_one_that_is_missing() {
    let events = [approved("a", 5), event("b", 9)];
    let record = record(&events).0;
    let rebuild = |session: &Session, events: &[SessionEvent]| {
        session.rebuild(events, SequenceBase::default(), Withdrawal::Refused).unwrap()
    };
    let later = Session { status_since: Some(at(7)), ..record.clone() };
    assert_eq!(rebuild(&later, &events), Refolded::Same, "it is no part of a record's equality");
    let lacking = Session { status_since: None, ..record.clone() };
    assert_eq!(rebuild(&lacking, &events), Refolded::Indexed(Box::new(record.clone())));
    assert_eq!(lacking.indexed(&events), Some(record));
    assert_eq!(lacking.indexed(&[]), None);
    let Refolded::Changed(applied) = rebuild(&later, &[declined("a", 5, &[]), event("b", 9)]) else { panic!("same") };
    assert_eq!(applied.session.status_since, Some(at(7)), "it is decided as it was");
    let started = decision("a", 5, "t", Outcome::Review, None);
    let Refolded::Changed(applied) = rebuild(&later, &[started, event("b", 9)]) else { panic!("same") };
    assert_eq!(applied.session.status_since, Some(at(5)));
}

// Sizes.

/// The most that a message may take, as its limit is documented.
const LIMIT: usize = 240 * 1024;

/// JSON in ASCII, as SQS is sent it.
fn ascii_length(notification: &Notification) -> usize {
    let json = serde_json::to_string(&notification.cloud_event()).unwrap();
    json.chars().map(|character| if character.is_ascii() { 1 } else { 6 * character.len_utf16() }).sum()
}

/// A text of so many bytes at most, of characters that take much room in JSON.
fn wide(bytes: usize) -> impl Strategy<Value = String> {
    select(vec!["x", "\"", "\\", "\u{1}", "\u{7f}", "é", "\u{20ac}", "\u{1f512}"])
        .prop_map(move |character| character.repeat(bytes / character.len()))
}

fn full_check(outcome: CheckOutcome, codes: usize, value: &str) -> Check {
    let reason_codes = (0..codes).map(|code| ReasonCode::new(&format!("{code:0>64}")).unwrap()).collect();
    let mut check = Check { reason_codes, ..Check::new(outcome) };
    for number in 0..codes {
        let _ = check.detail.insert(&format!("aMemberOfThePayload{number}"), value);
    }
    check
}

/// A session with as many checks as there is room for, and a decision, then an event that changes many of them at once.
fn crowds() -> impl Strategy<Value = Vec<SessionEvent>> {
    let names = (wide(128), wide(64), wide(4000), wide(1000), 0..=16_usize);
    (names, 0..80_usize, 0..80_usize, prop::bool::ANY).prop_map(
        |((name, value, person, id, codes), first, then, decides)| {
            let checks = |count: usize, outcome| {
                let of = |number: usize| (format!("{number:02}{name}"), full_check(outcome, codes, &value));
                (0..count).map(of).collect::<BTreeMap<_, _>>()
            };
            let mut decided = approved("b", 2);
            decided.decision = decided.decision.map(|decision| Decision {
                detail: full_check(CheckOutcome::Passed, codes, &value).detail,
                ..decision
                    .with_codes((0..codes).map(|code| ReasonCode::new(&format!("{code:0>64}")).unwrap()).collect())
            });
            decided.subject = Subject { reference: Some(person.clone()), provider_user_id: Some(person) };
            decided.attempt_id = Some(attempt("t"));
            let many = SessionEvent { checks: checks(first, CheckOutcome::Passed), ..event("a", 1) };
            let changed = SessionEvent { checks: checks(then, CheckOutcome::Failed), ..event("c", 3) };
            let mut events = if decides { vec![many, changed, decided] } else { vec![many, decided, changed] };
            let session_id =
                verdict_sessions::SessionId::new(id.clone()).unwrap_or_else(|_| events[0].session.session_id.clone());
            for event in &mut events {
                event.session.session_id = session_id.clone();
            }
            events
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever is told fits, and has the decision, its reasons, and the outcome of each check and change.
    #[test]
    fn a_message_fits_and_lacks_nothing_that_counts(events in crowds()) {
        let (session, messages) = record(&events);
        for message in &messages {
            let length = ascii_length(message);
            prop_assert!(length <= LIMIT, "{length}");
        }
        let last = messages.last().unwrap();
        let standing = &session.decision.as_ref().unwrap().value.decision;
        prop_assert_eq!(last.outcome, Some(standing.outcome));
        prop_assert_eq!(&last.reason_codes[..], standing.all_reason_codes());
        let outcomes: BTreeMap<_, _> = session.checks.iter().map(|(name, check)| (name.clone(), check.value.outcome)).collect();
        prop_assert_eq!(&last.checks, &outcomes);
        for change in last.changes.iter().filter(|change| change.outcome.is_some()) {
            prop_assert_eq!(change.outcome, outcomes.get(&change.check).copied());
            let check = &session.checks[&change.check].value;
            // Left out whole or not at all, the details first.
            prop_assert!(change.detail == check.detail || change.detail.is_empty());
            prop_assert!(change.reason_codes == check.reason_codes || change.reason_codes.is_empty());
        }
        let lacks_codes = last.changes.iter().any(|change| {
            change.reason_codes.is_empty() && session.checks.get(&change.check).is_some_and(|check| !check.value.reason_codes.is_empty())
        });
        prop_assert!(!lacks_codes || last.changes.iter().all(|change| change.detail.is_empty()));
        let is_decision_cut = last.detail != standing.detail;
        prop_assert!(!is_decision_cut || last.changes.iter().all(|change| change.reason_codes.is_empty()));
    }

    #[test]
    fn the_last_message_knows_the_checks_of_a_session_that_is_decided((events, order) in any_history()) {
        let (session, messages) = record(order.iter().map(|position| &events[*position]));
        if session.has_final_decision() {
            let outcomes: BTreeMap<_, _> =
                session.checks.iter().map(|(name, check)| (name.clone(), check.value.outcome)).collect();
            prop_assert_eq!(&messages.last().unwrap().checks, &outcomes);
        }
    }

    #[test]
    fn an_event_makes_one_message_at_most_and_a_check_changes_from_what_was_told((events, _) in any_history()) {
        let mut told: Option<Notification> = None;
        let mut session = None;
        for event in &events {
            let applied = Session::apply(session.as_ref(), event, SequenceBase::default());
            let count = applied.notification.iter().count() as u64;
            prop_assert_eq!(applied.session.notifications, session.as_ref().map_or(0, |before: &Session| before.notifications) + count);
            if let Some(message) = applied.notification {
                for change in &message.changes {
                    prop_assert!(told.is_some(), "a final decision was told before");
                    let before = told.as_ref().unwrap().checks.get(&change.check).copied();
                    prop_assert_eq!(change.previous_outcome, before);
                }
                told = Some(message);
            }
            session = Some(applied.session);
        }
    }
}

/// Enough changes at once to be too much for a message, so that the property above is about something.
#[test]
fn details_and_then_codes_are_left_out_of_a_message_that_is_too_large() {
    let name = "\u{1f512}".repeat(32);
    let mut checks: BTreeMap<_, _> = (0..26)
        .map(|number| (format!("{number:02}{name}"), full_check(CheckOutcome::Failed, 16, &"\u{1}".repeat(64))))
        .collect();
    checks.extend((26..64).map(|number| (format!("{number:02}{name}"), Check::new(CheckOutcome::Passed))));
    let mut changed = SessionEvent { checks, ..event("b", 1) };
    let mut decided = approved("a", 0);
    let person = Some("\u{1f512}".repeat(1000));
    decided.subject = Subject { reference: person.clone(), provider_user_id: person };
    changed.event_id = EventId::new("b").unwrap();
    let message = last(&[decided, changed]).unwrap();
    let with_details = message.changes.iter().filter(|change| !change.detail.is_empty()).count();
    let with_codes = message.changes.iter().filter(|change| !change.reason_codes.is_empty()).count();
    assert!(with_details < 26 && with_codes >= with_details, "{with_details}, {with_codes}");
    assert_eq!((message.changes.len(), message.checks.len()), (64, 64));
    let length = ascii_length(&message);
    assert!((LIMIT / 2..=LIMIT).contains(&length), "{length}");
}
