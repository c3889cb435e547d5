//! How single events fold, case by case.

use crate::events::{at, attempt, decision, event, stage};
use verdict_sessions::{
    Check, CheckOutcome, Decision, Kind, Notification, Outcome, Provider, ReasonCode, Refolded, Remark, SequenceBase,
    Session, SessionEvent, SessionId, SessionKey, Stage, Status, Subject, Timestamp, Withdrawal,
};

fn fold(events: &[SessionEvent]) -> (Session, Vec<Notification>) {
    let (mut session, mut notifications) = (None, Vec::new());
    for event in events {
        let applied = Session::apply(session.as_ref(), event, SequenceBase::default());
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

/// Every order of three.
fn orders<T: Clone>([a, b, c]: [T; 3]) -> [[T; 3]; 6] {
    [[&a, &b, &c], [&a, &c, &b], [&b, &a, &c], [&b, &c, &a], [&c, &a, &b], [&c, &b, &a]]
        .map(|order| order.map(T::clone))
}

fn standing(events: &[SessionEvent]) -> Outcome {
    fold(events).0.standing_outcome().unwrap()
}

#[test]
fn of_one_time_a_final_decision_stands_and_of_several_the_more_cautious_whatever_their_ids() {
    use Outcome::{Abandoned, Approved, Declined, Expired, Failed, ResubmissionRequested, Review};
    let by_caution = [ResubmissionRequested, Review, Approved, Abandoned, Expired, Failed, Declined];
    for (place, more) in by_caution.into_iter().enumerate() {
        for less in &by_caution[..place] {
            for [id, other] in [["a", "b"], ["b", "a"]] {
                let (one, two) = (decision(id, 10, "t", *less, None), decision(other, 10, "t", more, None));
                assert_eq!(standing(&[one.clone(), two.clone()]), more, "{less:?}, {more:?}");
                assert_eq!(standing(&[two, one]), more, "{more:?}, {less:?}");
            }
        }
    }
}

#[test]
fn a_decision_sent_later_stands_even_if_one_of_the_same_time_is_more_cautious() {
    let sent = |id: &str, sent: u64, outcome| SessionEvent {
        emitted_at: Some(at(sent)),
        ..decision(id, 10, "t", outcome, None)
    };
    assert_eq!(standing(&[sent("a", 20, Outcome::Approved), sent("b", 19, Outcome::Declined)]), Outcome::Approved);
}

#[test]
fn of_one_time_the_greater_event_id_counts_if_nothing_else_tells_decisions_apart() {
    let declined = |id, code| decision(id, 10, "t", Outcome::Declined, Some(code));
    for events in orders([declined("a", "103"), declined("c", "101"), declined("b", "102")]) {
        assert_eq!(fold(&events).0.decision.unwrap().value.decision.reason_code.unwrap().as_str(), "101");
    }
}

fn checked(id: &str, when: u64, outcome: CheckOutcome) -> SessionEvent {
    SessionEvent { checks: [("face".to_owned(), Check::new(outcome))].into(), ..event(id, when) }
}

fn face(events: &[SessionEvent]) -> CheckOutcome {
    fold(events).0.checks["face"].value.outcome
}

#[test]
fn of_one_time_the_more_cautious_result_of_a_check_counts_even_beside_a_final_decision() {
    use CheckOutcome::{Cancelled, Error, Failed, Flagged, Passed, Pending};
    let by_caution = [Passed, Pending, Cancelled, Error, Flagged, Failed];
    for (place, more) in by_caution.into_iter().enumerate() {
        for less in &by_caution[..place] {
            let final_too =
                SessionEvent { decision: Some(Decision::new(Outcome::Approved)), ..checked("z", 10, *less) };
            assert_eq!(face(&[checked("a", 10, more), final_too.clone()]), more, "{more:?}, {less:?}");
            assert_eq!(face(&[final_too, checked("a", 10, more)]), more, "{less:?}, {more:?}");
        }
    }
}

#[test]
fn what_was_only_captured_replaces_no_result_and_every_result_replaces_it() {
    let (early, late) = (checked("a", 10, CheckOutcome::Passed), checked("b", 20, CheckOutcome::Captured));
    assert_eq!(face(&[early.clone(), late.clone()]), CheckOutcome::Passed);
    assert_eq!(face(&[late.clone(), early]), CheckOutcome::Passed);
    assert_eq!(face(&[checked("a", 10, CheckOutcome::Pending), late]), CheckOutcome::Pending);
    let (first, second) = (checked("a", 10, CheckOutcome::Captured), checked("b", 20, CheckOutcome::Captured));
    assert_eq!(fold(&[second, first]).0.checks["face"].rank.at, at(20));
}

/// An event whose provider's times are all blank.
fn undated(event: SessionEvent) -> SessionEvent {
    SessionEvent { occurred_at: None, undated: true, ..event }
}

#[test]
fn what_has_only_blank_times_counts_from_before_everything_that_has_one() {
    let (dated, blank) = (checked("a", 10, CheckOutcome::Passed), undated(checked("b", 99, CheckOutcome::Pending)));
    assert_eq!(face(&[dated.clone(), blank.clone()]), CheckOutcome::Passed);
    assert_eq!(face(&[blank, dated]), CheckOutcome::Passed);

    let sent = |id: &str, sent: u64, outcome| SessionEvent {
        emitted_at: Some(at(sent)),
        ..undated(decision(id, 50, "t", outcome, None))
    };
    for events in
        orders([sent("c", 20, Outcome::Approved), sent("a", 30, Outcome::Declined), sent("b", 30, Outcome::Approved)])
    {
        assert_eq!(standing(&events), Outcome::Declined);
    }
    let of_old = decision("d", 1, "t", Outcome::Review, None);
    assert_eq!(standing(&[sent("a", 30, Outcome::Declined), of_old]), Outcome::Review);
}

#[test]
fn what_has_only_blank_times_is_shown_as_of_when_it_was_sent_or_arrived() {
    let sent = SessionEvent { emitted_at: Some(at(30)), ..undated(decision("a", 50, "t", Outcome::Review, None)) };
    let checked = undated(checked("b", 60, CheckOutcome::Passed));
    let (session, notifications) = fold(&[sent, checked]);
    assert_eq!(session.attempts[0].since, at(30));
    let view = serde_json::to_value(session.view()).unwrap();
    assert_eq!(view["decision"]["decidedAt"], "2026-06-13T00:00:30Z");
    assert_eq!(view["checks"]["face"]["at"], "2026-06-13T00:01:00Z");
    assert_eq!(notifications[0].decided_at, Some(at(30)));
    assert_eq!(session.decision.unwrap().rank.at, Timestamp::FIRST);
}

#[test]
fn the_time_of_a_decision_to_show_orders_nothing_and_is_never_later_than_its_arrival() {
    let shown = |id: &str, decided: u64, shown: u64, outcome| {
        let mut event = SessionEvent { received_at: at(100), ..decision(id, decided, "t", outcome, None) };
        event.decision = event.decision.map(|decision| Decision { decided_at: Some(at(shown)), ..decision });
        event
    };
    let (session, notifications) = fold(&[shown("a", 10, 90, Outcome::Review), shown("b", 20, 50, Outcome::Approved)]);
    assert_eq!(session.standing_outcome(), Some(Outcome::Approved));
    let time = "2026-06-13T00:00:50Z";
    assert_eq!(serde_json::to_value(session.view()).unwrap()["decision"]["decidedAt"], time);
    let event = serde_json::to_value(notifications[1].cloud_event()).unwrap();
    assert_eq!((&event["time"], &event["data"]["decidedAt"]), (&time.into(), &time.into()));
    assert_eq!(fold(&[shown("a", 10, 101, Outcome::Review)]).1[0].decided_at, Some(at(100)));
}

#[test]
fn the_same_outcome_again_is_no_news_but_another_code_or_attempt_is() {
    let due = |second: SessionEvent| fold(&[decision("a", 10, "t", Outcome::Declined, Some("102")), second]).1.len();
    assert_eq!(due(decision("b", 20, "t", Outcome::Declined, Some("102"))), 1);
    assert_eq!(due(decision("b", 20, "t", Outcome::Declined, Some("103"))), 2);
    assert_eq!(due(decision("b", 20, "u", Outcome::Declined, Some("102"))), 2);
}

/// A decision for several reasons.
fn because(id: &str, when: u64, codes: &[&str]) -> SessionEvent {
    let codes = codes.iter().map(|code| ReasonCode::new(code).unwrap()).collect();
    let declined = decision(id, when, "t", Outcome::Declined, None);
    SessionEvent { decision: declined.decision.map(|decision| decision.with_codes(codes)), ..declined }
}

#[test]
fn reasons_are_compared_as_a_set_and_are_no_news_of_a_decision_that_had_none() {
    let is_news =
        |before: &[&str], after: &[&str]| fold(&[because("a", 10, before), because("b", 20, after)]).1.len() == 2;
    for (before, after) in
        [(&["1", "2"][..], &["2", "1"][..]), (&["1"], &["1"]), (&[], &["1", "2"]), (&["1"], &["1", "1"])]
    {
        assert!(!is_news(before, after), "{before:?}, {after:?}");
    }
    for (before, after) in [(&["1"][..], &["1", "2"][..]), (&["1", "2"], &["2"]), (&["1"], &["2"]), (&["1"], &[])] {
        assert!(is_news(before, after), "{before:?}, {after:?}");
    }
}

#[test]
fn a_message_has_all_reasons_and_details_and_the_first_reason_by_itself() {
    let mut declined = because("a", 10, &["102", "101"]);
    if let Some(decision) = &mut declined.decision {
        decision.detail.insert("riskScore", "0.75").unwrap();
    }
    let message = serde_json::to_value(fold(&[declined]).1[0].cloud_event()).unwrap();
    assert_eq!(message["data"]["reasonCodes"], serde_json::json!(["102", "101"]));
    assert_eq!(
        (&message["data"]["reasonCode"], &message["data"]["detail"]["riskScore"]),
        (&"102".into(), &"0.75".into())
    );
}

/// Its outbox may still hold it.
#[test]
fn a_message_of_release_0_1_has_its_reason_as_a_list_too() {
    let (_, notifications) = fold(&[because("a", 10, &["102"])]);
    let mut stored = serde_json::to_value(&notifications[0]).unwrap();
    let stored_by_0_1 = stored.as_object_mut().unwrap();
    stored_by_0_1.retain(|name, _| name != "reasonCodes" && name != "detail");
    let read: Notification = serde_json::from_value(stored).unwrap();
    assert_eq!(
        serde_json::to_value(read.cloud_event()).unwrap(),
        serde_json::to_value(notifications[0].cloud_event()).unwrap()
    );
}

fn told(id: &str, when: u64, reference: Option<&str>, user: &str) -> SessionEvent {
    let session = SessionKey { provider: Provider::Treezor, session_id: SessionId::new("user:7").unwrap() };
    let subject = Subject { reference: reference.map(str::to_owned), provider_user_id: Some(user.to_owned()) };
    SessionEvent { session, subject, ..event(id, when) }
}

#[test]
fn without_a_reference_of_yours_a_user_of_treezor_is_known_by_treezor_s_name() {
    let (session, _) = fold(&[told("a", 10, None, "7")]);
    assert_eq!((session.reference(), &session.reference), (Some("7"), &None));
    let (session, _) = fold(&[told("b", 5, Some("customer-1"), "7"), told("a", 10, None, "7")]);
    assert_eq!(session.reference(), Some("customer-1"));
    let others = SessionEvent { subject: told("a", 10, None, "7").subject, ..event("a", 10) };
    assert_eq!(fold(&[others]).0.reference(), None, "only Treezor's");
}

/// Release 0.1 read Treezor's name for the user as your reference.
#[test]
fn your_reference_wins_over_a_later_event_that_only_repeats_treezor_s_name() {
    let (tagged, repeating) = (told("b", 5, Some("customer-1"), "7"), told("a", 10, Some("7"), "7"));
    assert_eq!(fold(&[tagged.clone(), repeating.clone()]).0.reference(), Some("customer-1"));
    assert_eq!(fold(&[repeating.clone(), tagged.clone()]).0.reference(), Some("customer-1"));

    let (mut recorded, _) = fold(std::slice::from_ref(&repeating));
    recorded.reference.clone_from(&recorded.provider_user_id);
    assert_eq!(
        recorded.rebuild(&[repeating], SequenceBase::default(), Withdrawal::Refused),
        Ok(Refolded::Same),
        "what is shown stays"
    );
    assert_eq!(
        Session::apply(Some(&recorded), &tagged, SequenceBase::default()).session.reference(),
        Some("customer-1")
    );
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
    assert_eq!(fold(&[expired]).1[0].decided_at, Some(at(42)));
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

/// A check with as many codes and details as there may be.
fn detailed(number: usize, when: u64) -> SessionEvent {
    let mut check = Check::new(CheckOutcome::Passed);
    check.reason_codes = (0..16).map(|code| ReasonCode::new(&format!("{code:064}")).unwrap()).collect();
    for value in 0..16 {
        check.detail.insert(&format!("member{value:02}"), &"x".repeat(64)).unwrap();
    }
    SessionEvent { checks: [(format!("document:{number}"), check)].into(), ..event(&format!("e{number}"), when) }
}

#[test]
fn the_oldest_checks_lose_their_codes_and_details_if_they_do_not_all_fit() {
    let events: Vec<_> = (0..64).map(|number| detailed(number, u64::try_from(number).unwrap())).collect();
    let (session, _) = fold(&events);
    let view = serde_json::to_value(session.view()).unwrap();
    let has_detail = |number: usize| {
        let check = &view["checks"][format!("document:{number}")];
        let sizes = (check["reasonCodes"].as_array().unwrap().len(), check["detail"].as_object().unwrap().len());
        assert!([(0, 0), (16, 16)].contains(&sizes), "{check}");
        sizes.0 > 0
    };
    let first = (0..64).find(|number| has_detail(*number)).unwrap();
    assert!((first..64).all(has_detail), "the latest have all of it");
    assert_eq!(64 - first, 28, "each takes 2176 bytes of 60 KB");
    assert_eq!(view["remarks"], serde_json::json!(["left_out:checkDetails"]));
    assert_eq!(serde_json::to_value(fold(&events[40..]).0.view()).unwrap()["remarks"], serde_json::json!([]));
}

#[test]
fn a_record_holds_the_first_kilobyte_of_a_check_s_reason() {
    let mut long = checked("a", 10, CheckOutcome::Failed);
    long.checks.get_mut("face").unwrap().reason = Some(format!("x{}", "é".repeat(1000)));
    assert_eq!(fold(&[long]).0.checks["face"].value.reason, Some(format!("x{}", "é".repeat(511))));
}

#[test]
fn an_event_shows_all_that_there_may_be() {
    let mut declined = because("a", 10, &["102"]);
    declined.remarks = vec!["time_unreadable:decisionTime".into()];
    let plain =
        SessionEvent { decision: None, checks: checked("b", 0, CheckOutcome::Passed).checks, ..undated(event("b", 5)) };
    let views = [declined, plain].map(|event| serde_json::to_value(event.view()).unwrap());
    assert_eq!(
        views[0]["decision"],
        serde_json::json!({"outcome": "declined", "reasonCode": "102", "reasonCodes": ["102"], "reason": null,
            "detail": {}, "decidedAt": null})
    );
    assert_eq!(
        (&views[0]["remarks"][0], &views[0]["undated"]),
        (&"time_unreadable:decisionTime".into(), &false.into())
    );
    let face = serde_json::json!({"outcome": "passed", "reason": null, "reasonCodes": [], "detail": {}});
    assert_eq!((&views[1]["checks"]["face"], &views[1]["remarks"]), (&face, &serde_json::json!([])));
    assert_eq!((&views[1]["effectiveAt"], &views[1]["undated"]), (&"0001-01-01T00:00:00Z".into(), &true.into()));
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
            "statusSince": "2026-06-13T00:38:30Z", "attemptId": "e30122d1", "subject": {"reference": "12345678", "providerUserId": null},
            "decision": {"outcome": "declined", "final": true, "reasonCode": "102", "reasonCodes": ["102"], "detail": {},
                "reason": "Suspected document tampering", "decidedAt": "2026-06-13T00:38:30Z", "attemptId": "e30122d1"},
            "checks": {"watchlist": {"outcome": "passed", "reason": null, "reasonCodes": [], "detail": {},
                "at": "2026-06-13T00:40:00Z"}},
            "remarks": [], "events": 2, "notifications": 2, "version": 2,
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
                "reasonCodes": ["102"], "detail": {}, "correction": false, "decidedAt": "2026-06-13T00:38:30Z",
                "reference": "12345678", "providerUserId": null, "checks": {}},
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
        (stage("s", 0, "t", Stage::Started), stage("s", 0, "t", Stage::Submitted)),
        (checked(CheckOutcome::Passed), checked(CheckOutcome::Failed)),
    ] {
        assert!(other.contradicts(&first) && first.contradicts(&other), "{other:?}");
    }
    for (first, other) in [
        (decided, event("d", 0)),
        (checked(CheckOutcome::Passed), event("c", 0)),
        (stage("s", 0, "t", Stage::Started), event("s", 0)),
    ] {
        assert!(event("d", 0).contradicts(&first), "{first:?}");
        assert!(SessionEvent { name: "other".into(), ..first }.contradicts(&other), "{other:?}");
    }
}

/// The recorded event may be an earlier release's, and its copy is read by today's.
#[test]
fn a_copy_in_which_more_is_read_by_now_is_no_other_fact() {
    let silent = event("a", 0);
    let unread = SessionEvent { remark: Some(Remark::Unrecognised), ..silent.clone() };
    let started = SessionEvent { stage: Some(Stage::Started), ..checked("a", 0, CheckOutcome::Passed) };
    let decided = SessionEvent { name: "read".into(), ..decision("a", 0, "t", Outcome::Approved, Some("1")) };
    let withdrawn = SessionEvent { stage: Some(Stage::Started), ..unread.clone() };
    for (recorded, copy) in [
        (&checked("a", 0, CheckOutcome::Passed), &started),
        (&silent, &started),
        (&unread, &decided),
        (&decision("a", 0, "t", Outcome::Declined, None), &withdrawn),
        (&decision("a", 0, "t", Outcome::Approved, None), &decision("a", 0, "t", Outcome::Approved, Some("1"))),
    ] {
        assert!(!copy.contradicts(recorded), "{recorded:?}, {copy:?}");
    }
    for (recorded, other) in [(&silent, &decided), (&started, &decided)] {
        assert!(other.contradicts(recorded), "{recorded:?}, {other:?}");
    }
}

/// An event of an identification that names a user.
fn identified(id: &str, when: u64, user: Option<&str>, outcome: Option<Outcome>) -> SessionEvent {
    let told = outcome.map_or_else(|| event(id, when), |outcome| decision(id, when, "t", outcome, None));
    let subject = Subject { reference: None, provider_user_id: user.map(str::to_owned) };
    SessionEvent { kind: Kind::Identification, subject, ..told }
}

#[test]
fn an_identification_of_two_users_decides_nothing_in_every_order() {
    let events = [
        identified("a", 0, Some("7"), Some(Outcome::Approved)),
        identified("b", 5, None, Some(Outcome::Review)),
        identified("c", 9, Some("8"), None),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (session, notifications) = fold(&order.map(|position| events[position].clone()));
        assert_eq!((session.standing_outcome(), session.has_several_users), (None, true), "{order:?}");
        assert_eq!(session.remarks(), ["inconsistent:providerUserId"]);
        let last = notifications.last().map(|notification| notification.outcome);
        assert!(last.is_none_or(|outcome| outcome.is_none()), "what was told was withdrawn: {order:?}");
    }
    let (session, _) = fold(&events[..2]);
    assert_eq!((session.standing_outcome(), session.remarks().len()), (Some(Outcome::Review), 0), "one user");
}

#[test]
fn a_decision_that_stood_is_withdrawn_at_once_when_a_second_user_comes() {
    let (session, notifications) = fold(&[
        identified("a", 0, Some("7"), Some(Outcome::Approved)),
        identified("b", 5, Some("8"), Some(Outcome::Approved)),
        identified("c", 9, Some("7"), Some(Outcome::Approved)),
    ]);
    let told: Vec<_> = notifications.iter().map(|told| (told.sequence, told.outcome, told.correction)).collect();
    assert_eq!(told, [(1, Some(Outcome::Approved), false), (2, None, false)]);
    assert_eq!((session.standing_outcome(), session.events, session.notifications), (None, 3, 2));
    assert_eq!(notifications[1].previous_outcome, Some(Outcome::Approved));
    assert!(notifications[1].withdrawn_at.is_some());
}

#[test]
fn a_review_of_a_user_and_an_onboarding_may_name_its_user_anew() {
    for kind in [Kind::KycReview, Kind::Onboarding, Kind::Verification] {
        let events = [("a", "7"), ("b", "8")]
            .map(|(id, user)| SessionEvent { kind, ..identified(id, 0, Some(user), Some(Outcome::Approved)) });
        let (session, _) = fold(&events);
        assert_eq!((session.standing_outcome(), session.has_several_users), (Some(Outcome::Approved), false));
    }
}

#[test]
fn a_second_reading_decides_nothing_and_has_neither_checks_nor_a_person() {
    let event = identified("a", 0, Some("7"), Some(Outcome::Approved));
    let checks = [("document:1".to_owned(), Check::new(CheckOutcome::Passed))].into();
    let second = SessionEvent { checks, ..event }.as_second_reading();
    assert!(second.is_second_reading() && second.decision.is_none() && second.checks.is_empty());
    assert_eq!(second.subject, Subject::default());
    assert_eq!(second.clone().as_second_reading(), second);
}
