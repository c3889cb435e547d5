//! How single events fold, case by case.

use crate::events::{at, attempt, decision, event, stage};
use verdict_sessions::{
    Check, CheckOutcome, Notification, Outcome, Session, SessionEvent, Stage, Status, Subject, Timestamp,
};

fn fold(events: &[SessionEvent]) -> (Session, Vec<Notification>) {
    let (mut session, mut notifications) = (None, Vec::new());
    for event in events {
        let applied = Session::apply(session.as_ref(), event);
        notifications.extend(applied.notification);
        session = Some(applied.session);
    }
    (session.expect("at least one event"), notifications)
}

fn status(events: &[SessionEvent]) -> Status {
    fold(events).0.status()
}

#[test]
fn an_event_that_shows_nothing_makes_a_new_session() {
    let (session, notifications) = fold(&[event("a", 0)]);
    assert_eq!((session.status(), session.events, session.version), (Status::New, 1, 1));
    assert_eq!((session.attempts, notifications), (vec![], vec![]));
}

#[test]
fn stages_go_forward_and_never_back() {
    let (started, submitted) = (stage("a", 0, "t", Stage::Started), stage("b", 1, "t", Stage::Submitted));
    assert_eq!(status(std::slice::from_ref(&started)), Status::Started);
    assert_eq!(status(&[started.clone(), submitted.clone()]), Status::Submitted);
    assert_eq!(status(&[submitted, started]), Status::Submitted);
}

#[test]
fn a_late_stage_does_not_undo_a_decision() {
    let events = [decision("a", 10, "t", Outcome::Approved, None), stage("b", 20, "t", Stage::Submitted)];
    let (session, notifications) = fold(&events);
    assert_eq!(session.status(), Status::Decided);
    assert_eq!(notifications.len(), 1);
}

#[test]
fn an_older_decision_is_recorded_and_changes_nothing() {
    let approved = decision("a", 10, "t", Outcome::Approved, None);
    let older = SessionEvent { received_at: at(99), ..decision("b", 5, "t", Outcome::Declined, Some("102")) };
    let (before, _) = fold(std::slice::from_ref(&approved));
    let (after, notifications) = fold(&[approved, older]);
    assert_eq!((after.decision, after.events), (before.decision, 2));
    assert_eq!(notifications.len(), 1);
}

#[test]
fn a_later_decision_replaces_outcome_code_and_reason_together() {
    let mut declined = decision("a", 10, "t", Outcome::Declined, Some("102"));
    if let Some(decision) = &mut declined.decision {
        decision.reason = Some("said earlier".into());
    }
    let (session, notifications) = fold(&[declined, decision("b", 20, "t", Outcome::Approved, None)]);
    let decided = session.decision.unwrap().value.decision;
    assert_eq!((decided.outcome, decided.reason_code, decided.reason), (Outcome::Approved, None, None));
    assert_eq!(notifications[1].previous_outcome, Some(Outcome::Declined));
    assert_eq!(notifications.iter().map(|n| n.sequence).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn at_the_same_time_a_final_decision_wins_and_then_the_greater_event_id() {
    let review = decision("z", 10, "t", Outcome::Review, None);
    let (declined, approved) =
        (decision("a", 10, "t", Outcome::Declined, None), decision("b", 10, "t", Outcome::Approved, None));
    for events in [[&review, &declined, &approved], [&approved, &declined, &review], [&declined, &approved, &review]] {
        let (session, _) = fold(&events.map(Clone::clone));
        assert_eq!(session.decision.unwrap().value.decision.outcome, Outcome::Approved);
    }
}

#[test]
fn the_same_outcome_again_is_no_news_but_another_code_or_attempt_is() {
    let due = |second: SessionEvent| fold(&[decision("a", 10, "t", Outcome::Declined, Some("102")), second]).1.len();
    assert_eq!(due(decision("b", 20, "t", Outcome::Declined, Some("102"))), 1);
    assert_eq!(due(decision("b", 20, "t", Outcome::Declined, Some("103"))), 2);
    assert_eq!(due(decision("b", 20, "u", Outcome::Declined, Some("102"))), 2);
}

#[test]
fn a_session_is_in_review_until_a_final_decision() {
    let mut events = vec![
        stage("a", 0, "first", Stage::Submitted),
        decision("b", 10, "first", Outcome::Review, None),
        stage("c", 20, "second", Stage::Started),
    ];
    assert_eq!(status(&events), Status::InReview);
    events.push(decision("d", 30, "first", Outcome::Declined, None));
    assert_eq!(status(&events), Status::Decided);
}

#[test]
fn a_session_waits_for_resubmission_until_a_younger_attempt_shows_a_stage() {
    let mut events = vec![
        stage("a", 0, "first", Stage::Submitted),
        decision("b", 10, "first", Outcome::ResubmissionRequested, Some("201")),
    ];
    assert_eq!(status(&events), Status::AwaitingResubmission);
    events.push(stage("c", 20, "second", Stage::Started));
    assert_eq!(status(&events), Status::Started);
    events.push(stage("d", 30, "second", Stage::Submitted));
    assert_eq!(status(&events), Status::Submitted);
    assert_eq!(fold(&events).0.current_attempt().unwrap().id, Some(attempt("second")));
    events.push(decision("e", 40, "second", Outcome::Approved, None));
    assert_eq!(status(&events), Status::Decided);
}

#[test]
fn a_younger_attempt_that_was_only_decided_has_not_begun() {
    let events = [
        stage("a", 0, "first", Stage::Submitted),
        decision("b", 10, "second", Outcome::Review, None),
        decision("c", 20, "first", Outcome::ResubmissionRequested, None),
    ];
    assert_eq!(status(&events), Status::AwaitingResubmission);
}

#[test]
fn a_retry_of_an_old_stage_makes_its_attempt_no_younger() {
    let events = [
        stage("a", 0, "first", Stage::Started),
        decision("b", 10, "first", Outcome::ResubmissionRequested, None),
        stage("c", 5000, "first", Stage::Submitted),
    ];
    assert_eq!(status(&events), Status::AwaitingResubmission);
}

#[test]
fn what_comes_without_an_attempt_id_is_an_attempt_of_its_own() {
    let mut decided = decision("b", 10, "unused", Outcome::ResubmissionRequested, None);
    decided.attempt_id = None;
    let events = [stage("a", 0, "first", Stage::Submitted), decided, stage("c", 20, "second", Stage::Started)];
    assert_eq!(status(&events[..2]), Status::AwaitingResubmission);
    assert_eq!(status(&events), Status::Started);
}

#[test]
fn a_date_in_the_future_counts_at_most_five_minutes_ahead() {
    let mut fast = decision("a", 0, "t", Outcome::Declined, None);
    fast.occurred_at = Timestamp::parse("2999-01-01T00:00:00Z");
    assert_eq!(fast.effective_at(), at(300));
    let (session, _) = fold(&[fast, decision("b", 301, "t", Outcome::Approved, None)]);
    assert_eq!(session.decision.unwrap().value.decision.outcome, Outcome::Approved);
}

#[test]
fn without_a_time_of_its_own_an_event_counts_from_its_arrival() {
    let mut expired = decision("a", 0, "t", Outcome::Expired, None);
    (expired.occurred_at, expired.received_at) = (None, at(42));
    assert_eq!(fold(&[expired]).1[0].decided_at, at(42));
}

#[test]
fn at_the_same_time_the_decision_sent_later_counts() {
    let sent = |id: &str, emitted: Option<u64>, outcome: Outcome| SessionEvent {
        emitted_at: emitted.map(at),
        ..decision(id, 10, "t", outcome, None)
    };
    let events = [
        sent("z", Some(20), Outcome::Approved),
        sent("y", Some(30), Outcome::Review),
        sent("x", None, Outcome::Declined),
    ];
    let (session, _) = fold(&events);
    assert_eq!(session.decision.unwrap().value.decision.outcome, Outcome::Review);
}

#[test]
fn a_time_of_sending_in_the_future_counts_at_most_five_minutes_ahead() {
    let sent = |id: &str, emitted: &str, outcome: Outcome| SessionEvent {
        emitted_at: Timestamp::parse(emitted),
        ..decision(id, 10, "t", outcome, None)
    };
    let events =
        [sent("z", "2999-01-01T00:00:00Z", Outcome::Declined), sent("y", "2026-06-13T00:05:11Z", Outcome::Approved)];
    assert_eq!(fold(&events).0.decision.unwrap().rank.emitted_at, Some(at(310)));
}

#[test]
fn the_latest_of_each_check_and_of_each_id_counts() {
    let saying = |id: &str, when: u64, outcome: CheckOutcome, reference: Option<&str>| SessionEvent {
        checks: [("watchlist".to_owned(), Check::new(outcome))].into(),
        subject: Subject { reference: reference.map(str::to_owned), provider_user_id: None },
        ..event(id, when)
    };
    let events = [
        saying("a", 20, CheckOutcome::Flagged, Some("new")),
        saying("b", 10, CheckOutcome::Passed, Some("old")),
        saying("c", 30, CheckOutcome::Flagged, None),
    ];
    let (session, notifications) = fold(&events);
    assert_eq!(session.checks["watchlist"].value.outcome, CheckOutcome::Flagged);
    assert_eq!(session.checks["watchlist"].rank.at, at(30));
    assert_eq!(session.reference.unwrap().value, "new");
    assert_eq!(notifications, []);
}

#[test]
fn a_session_keeps_its_64_latest_checks() {
    let checking = |n: u64| SessionEvent {
        checks: [(format!("document:{n}"), Check::new(CheckOutcome::Passed))].into(),
        ..event(&format!("e{n}"), n)
    };
    let (session, _) = fold(&(0..100).rev().map(checking).collect::<Vec<_>>());
    assert_eq!(session.checks.len(), 64);
    assert!(session.checks.contains_key("document:99") && !session.checks.contains_key("document:35"));
}

#[test]
fn the_view_is_what_the_interface_promises() {
    let mut declined = decision("a", 2310, "e30122d1", Outcome::Declined, Some("102"));
    declined.subject.reference = Some("12345678".into());
    if let Some(decision) = &mut declined.decision {
        decision.reason = Some("Suspected document tampering".into());
    }
    let watchlist = SessionEvent {
        checks: [("watchlist".to_owned(), Check::new(CheckOutcome::Passed))].into(),
        ..event("b", 2400)
    };
    let (session, notifications) = fold(&[declined, watchlist]);
    let view: serde_json::Value = serde_json::to_value(session.view()).unwrap();
    assert_eq!(
        view,
        serde_json::json!({
            "provider": "veriff", "sessionId": "s-1", "kind": "verification", "status": "decided",
            "attemptId": "e30122d1", "subject": {"reference": "12345678", "providerUserId": null},
            "decision": {"outcome": "declined", "final": true, "reasonCode": "102",
                "reason": "Suspected document tampering", "decidedAt": "2026-06-13T00:38:30Z", "attemptId": "e30122d1"},
            "checks": {"watchlist": {"outcome": "passed", "reason": null, "at": "2026-06-13T00:40:00Z"}},
            "events": 2, "notifications": 1, "version": 2,
            "firstEventAt": "2026-06-13T00:38:30Z", "lastEventAt": "2026-06-13T00:40:00Z",
        })
    );
    assert_eq!(
        serde_json::to_value(notifications[0].cloud_event()).unwrap(),
        serde_json::json!({
            "specversion": "1.0", "id": "veriff/s-1/1", "source": "/sessions/veriff", "type": "verdict.decision.v1",
            "subject": "s-1", "time": "2026-06-13T00:38:30Z", "datacontenttype": "application/json",
            "data": {"provider": "veriff", "sessionId": "s-1", "kind": "verification", "attemptId": "e30122d1",
                "sequence": 1, "outcome": "declined", "final": true, "previousOutcome": null, "reasonCode": "102",
                "correction": false, "decidedAt": "2026-06-13T00:38:30Z", "reference": "12345678",
                "providerUserId": null},
        })
    );
}

#[test]
fn copies_of_a_fact_differ_in_nothing_that_counts() {
    let check = |outcome| Check { reason: Some("as the provider puts it".into()), ..Check::new(outcome) };
    let checked = |outcome| SessionEvent { checks: [("face".to_owned(), check(outcome))].into(), ..event("c", 0) };
    let decided = decision("d", 0, "t", Outcome::Approved, None);
    for (first, copy) in [
        (event("a", 0), SessionEvent { name: "other".into(), ..event("a", 9) }),
        (decided.clone(), SessionEvent { received_at: at(9), ..decided.clone() }),
        (decided.clone(), decision("d", 3, "t", Outcome::Approved, Some("102"))),
        (checked(CheckOutcome::Passed), SessionEvent { received_at: at(9), ..checked(CheckOutcome::Passed) }),
    ] {
        assert!(!copy.contradicts(&first), "{copy:?}");
    }
    for (first, other) in [
        (decided.clone(), decision("d", 0, "t", Outcome::Declined, None)),
        (decided, event("d", 0)),
        (stage("s", 0, "t", Stage::Started), stage("s", 0, "t", Stage::Submitted)),
        (checked(CheckOutcome::Passed), checked(CheckOutcome::Failed)),
        (checked(CheckOutcome::Passed), event("c", 0)),
    ] {
        assert!(other.contradicts(&first) && first.contradicts(&other), "{other:?}");
    }
}
