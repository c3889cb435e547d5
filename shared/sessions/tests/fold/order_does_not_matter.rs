//! For any set of events, any order and any repetition gives an equal record, and the last
//! notification says what the record says.

use crate::events::{at, attempt, event};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::collections::HashSet;
use verdict_sessions::{
    Check, CheckOutcome, Decision, Notification, Outcome, ReasonCode, Session, SessionEvent, Stage, Subject,
};

const OUTCOMES: [Outcome; 7] = [
    Outcome::Approved,
    Outcome::Declined,
    Outcome::Expired,
    Outcome::Abandoned,
    Outcome::Failed,
    Outcome::Review,
    Outcome::ResubmissionRequested,
];

/// Few values of everything, so that ties, copies and conflicts are common.
fn any_event() -> impl Strategy<Value = SessionEvent> {
    let times = (0..8_u64, option::of(0..1000_u64), option::of(0..3_u64));
    let attempts = option::of(select(vec!["first", "second", "third"]));
    let decisions = option::of((select(&OUTCOMES[..]), option::of(select(vec!["101", "102"]))));
    let stages = option::of(select(vec![Stage::New, Stage::Started, Stage::Submitted]));
    let checks =
        option::of((select(vec!["watchlist", "registry"]), select(vec![CheckOutcome::Passed, CheckOutcome::Failed])));
    let references = option::of(select(vec!["r-1", "r-2"]));
    (times, attempts, decisions, stages, checks, references).prop_map(
        |((received, occurred, emitted), attempt_id, decision, stage, check, reference)| SessionEvent {
            occurred_at: occurred.map(at),
            emitted_at: emitted.map(at),
            attempt_id: attempt_id.map(attempt),
            stage,
            decision: decision.map(|(outcome, code)| Decision {
                reason_code: code.and_then(ReasonCode::new),
                ..Decision::new(outcome)
            }),
            checks: check.map(|(name, outcome)| (name.to_owned(), Check::new(outcome))).into_iter().collect(),
            subject: Subject { reference: reference.map(str::to_owned), provider_user_id: None },
            ..event("replaced below", received)
        },
    )
}

/// A set of events, and a list of positions in it: an order with repetitions that leaves none out.
pub(crate) fn any_history() -> impl Strategy<Value = (Vec<SessionEvent>, Vec<usize>)> {
    vec(any_event(), 1..9)
        .prop_map(|mut events| {
            for (number, event) in events.iter_mut().enumerate() {
                event.event_id = verdict_sessions::EventId::new(format!("e{number}")).unwrap();
            }
            events
        })
        .prop_flat_map(|events| {
            let all: Vec<usize> = (0..events.len()).collect();
            let copies = vec(0..events.len(), 0..6);
            let order = copies.prop_flat_map(move |copies| Just([all.clone(), copies].concat()).prop_shuffle());
            (Just(events), order)
        })
}

/// What the table does: each event once, then fold.
pub(crate) fn record<'e>(events: impl IntoIterator<Item = &'e SessionEvent>) -> (Session, Vec<Notification>) {
    let (mut known, mut session, mut notifications) = (HashSet::new(), None, Vec::new());
    for event in events {
        if known.insert(&event.event_id) {
            let applied = Session::apply(session.as_ref(), event);
            notifications.extend(applied.notification);
            session = Some(applied.session);
        }
    }
    (session.expect("at least one event"), notifications)
}

/// The record without what tells of the order of arrival.
fn comparable(session: &Session) -> Session {
    Session { version: 0, notifications: 0, first_event_at: at(0), last_event_at: at(0), ..session.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_repetition_gives_an_equal_record((events, order) in any_history()) {
        let (straight, _) = record(&events);
        let (shuffled, notifications) = record(order.iter().map(|&position| &events[position]));
        prop_assert_eq!(comparable(&shuffled), comparable(&straight));
        prop_assert_eq!(shuffled.status(), straight.status());

        let standing = shuffled.decision.as_ref().map(|kept| &kept.value);
        let last = notifications.last();
        prop_assert_eq!(
            last.map(|last| (last.outcome, &last.reason_code, &last.attempt_id)),
            standing.map(|standing| (standing.decision.outcome, &standing.decision.reason_code, &standing.attempt_id))
        );
        let sequences: Vec<u64> = notifications.iter().map(|notification| notification.sequence).collect();
        prop_assert_eq!(sequences, (1..=shuffled.notifications).collect::<Vec<_>>());
        for pair in notifications.windows(2) {
            prop_assert_eq!(pair[1].previous_outcome, Some(pair[0].outcome));
            prop_assert!(pair[0].decided_at <= pair[1].decided_at, "a decision was replaced by an earlier one");
        }
    }

    #[test]
    fn the_record_survives_being_stored((events, _) in any_history()) {
        let (session, _) = record(&events);
        let stored = serde_json::to_string(&session).unwrap();
        prop_assert_eq!(serde_json::from_str::<Session>(&stored).unwrap(), session);
    }
}
