//! Folding all events of a session anew, after a reader was corrected.

use crate::{
    events::{at, decision, event, stage},
    order_does_not_matter::{any_history, record},
};
use proptest::prelude::*;
use verdict_sessions::{
    Applied, NotRebuilt, Outcome, ReasonCode, Refolded, SequenceBase, Session, SessionEvent, Stage, Withdrawal,
};

fn folded(events: &[SessionEvent]) -> Session {
    record(events).0
}

fn rebuild(session: &Session, events: &[SessionEvent]) -> Result<Refolded, NotRebuilt> {
    session.rebuild(events, SequenceBase::default(), Withdrawal::Refused)
}

fn rebuilt(session: &Session, events: &[SessionEvent]) -> Applied {
    let Ok(Refolded::Changed(applied)) = rebuild(session, events) else { unreachable!("it is another record") };
    *applied
}

proptest! {
    #[test]
    fn what_is_read_as_before_makes_the_record_that_there_is((events, order) in any_history()) {
        let record = record(order.iter().map(|position| &events[*position])).0;
        prop_assert_eq!(rebuild(&record, &events), Ok(Refolded::Same));
    }
}

#[test]
fn a_decision_that_reads_otherwise_is_notified_as_a_correction() {
    let (started, approved) = (stage("a", 0, "t", Stage::Started), decision("b", 5, "t", Outcome::Approved, None));
    let before = folded(&[started.clone(), approved]);
    let corrected = decision("b", 5, "t", Outcome::Declined, Some("102"));

    let applied = rebuilt(&before, &[started.clone(), corrected.clone()]);
    let notification = applied.notification.expect("a correction");
    assert!(notification.correction && notification.is_final);
    assert_eq!((notification.sequence, notification.outcome), (2, Some(Outcome::Declined)));
    assert_eq!(notification.previous_outcome, Some(Outcome::Approved));
    assert_eq!((applied.session.version, applied.session.notifications, applied.session.events), (3, 2, 2));
    assert_eq!(rebuild(&applied.session, &[corrected, started]), Ok(Refolded::Same), "once is enough");
}

#[test]
fn what_leaves_the_decision_alone_replaces_the_record_and_notifies_nobody() {
    let approved = decision("b", 5, "t", Outcome::Approved, None);
    let before = folded(&[event("a", 0), approved.clone()]);
    let applied = rebuilt(&before, &[stage("a", 0, "t", Stage::Submitted), approved]);
    assert_eq!(applied.notification, None);
    assert_eq!((applied.session.version, applied.session.notifications), (3, 1));
    assert_eq!(applied.session.attempts[0].stage, Stage::Submitted);
}

#[test]
fn a_decision_that_comes_of_the_past_for_the_first_time_is_a_correction_too() {
    let before = folded(&[event("a", 0)]);
    let applied = rebuilt(&before, &[decision("a", 0, "t", Outcome::Review, None)]);
    let notification = applied.notification.expect("a correction");
    assert_eq!((notification.sequence, notification.previous_outcome, notification.correction), (1, None, true));
}

#[test]
fn a_rebuild_tells_of_reasons_taken_back_and_not_of_those_that_were_only_added() {
    let declined = |codes: &[&str]| {
        let declined = decision("a", 0, "t", Outcome::Declined, None);
        let codes = codes.iter().map(|code| ReasonCode::new(code).unwrap()).collect();
        SessionEvent { decision: declined.decision.map(|decision| decision.with_codes(codes)), ..declined }
    };
    for (before, after, is_told) in [
        (&[][..], &["1", "2"][..], false),
        (&["1"], &["1", "2"], false),
        (&["1"], &["2", "1"], false),
        (&["1", "2"], &["2"], true),
        (&["1"], &["2"], true),
    ] {
        let applied = rebuilt(&folded(&[declined(before)]), &[declined(after)]);
        assert_eq!(applied.notification.is_some(), is_told, "{before:?}, {after:?}");
        assert_eq!(applied.session.notifications, if is_told { 2 } else { 1 });
    }
    let of_another = decision("a", 0, "u", Outcome::Declined, None);
    assert!(rebuilt(&folded(&[declined(&[])]), &[of_another]).notification.is_some());
}

#[test]
fn a_decision_is_never_taken_away() {
    let before = folded(&[decision("a", 0, "t", Outcome::Approved, None)]);
    assert_eq!(rebuild(&before, &[event("a", 0)]), Err(NotRebuilt::DecisionWithdrawn));
    assert_eq!(rebuild(&before, &[]), Err(NotRebuilt::NoEvents));
}

#[test]
fn the_arrival_times_are_those_of_the_events() {
    let late = SessionEvent { received_at: at(50), ..event("b", 1) };
    let before = folded(&[late.clone(), event("a", 0)]);
    let applied = rebuilt(&before, &[late, stage("a", 0, "t", Stage::Started)]).session;
    assert_eq!((applied.first_event_at, applied.last_event_at), (before.first_event_at, at(50)));
}
