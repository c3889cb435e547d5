//! For any set of events, any order and any repetition gives an equal record, and the last
//! notification says what the record says.

use crate::events::{at, attempt, event};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::collections::{BTreeSet, HashSet};
use verdict_sessions::{
    Check, CheckOutcome, Decision, EventId, Kind, Notification, Outcome, Provider, ReasonCode, SequenceBase, Session,
    SessionEvent, Stage, Subject,
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

const CHECKS: [CheckOutcome; 7] = [
    CheckOutcome::Pending,
    CheckOutcome::Passed,
    CheckOutcome::Failed,
    CheckOutcome::Flagged,
    CheckOutcome::Error,
    CheckOutcome::Captured,
    CheckOutcome::Cancelled,
];

fn codes() -> impl Strategy<Value = Vec<ReasonCode>> {
    vec(select(vec!["101", "102", "103"]).prop_map(|code| ReasonCode::new(code).unwrap()), 0..3)
}

/// Few values of everything, so that ties, copies and conflicts are common.
fn any_event() -> impl Strategy<Value = SessionEvent> {
    let providers = select(vec![Provider::Veriff, Provider::Treezor]).prop_flat_map(|provider| {
        let is_treezor = provider == Provider::Treezor;
        (
            Just(provider),
            select(if is_treezor { vec![Kind::KycReview, Kind::Identification] } else { vec![Kind::Verification] }),
        )
    });
    let times =
        (0..8_u64, option::of(prop_oneof![0..4_u64, 0..1000_u64]), option::of(0..3_u64), prop::bool::weighted(0.2));
    let attempts = option::of(select(vec!["first", "second", "third"]));
    let decisions = option::of((select(&OUTCOMES[..]), codes(), option::of(0..9_u64)));
    let stages = option::of(select(vec![Stage::New, Stage::Started, Stage::Submitted]));
    let checks = option::of((select(vec!["watchlist", "registry"]), select(&CHECKS[..]), codes()));
    let subjects = (option::of(select(vec!["r-1", "u-1"])), option::of(select(vec!["u-1", "u-2"])));
    (providers, times, attempts, decisions, stages, checks, subjects).prop_map(
        |(
            (provider, kind),
            (received, occurred, emitted, undated),
            attempt_id,
            decision,
            stage,
            check,
            (reference, user),
        )| {
            let mut event = SessionEvent {
                kind,
                occurred_at: occurred.filter(|_| !undated).map(at),
                emitted_at: emitted.map(at),
                undated,
                attempt_id: attempt_id.map(attempt),
                stage,
                decision: decision.map(|(outcome, codes, shown)| Decision {
                    decided_at: shown.map(at),
                    ..Decision::new(outcome).with_codes(codes)
                }),
                checks: check
                    .map(|(name, outcome, reason_codes)| {
                        (name.to_owned(), Check { reason_codes, ..Check::new(outcome) })
                    })
                    .into_iter()
                    .collect(),
                subject: Subject { reference: reference.map(str::to_owned), provider_user_id: user.map(str::to_owned) },
                ..event("replaced below", received)
            };
            event.session.provider = provider;
            event
        },
    )
}

/// A set of events, and a list of positions in it: an order with repetitions that leaves none out.
pub(crate) fn any_history() -> impl Strategy<Value = (Vec<SessionEvent>, Vec<usize>)> {
    vec(any_event(), 1..9)
        .prop_map(|mut events| {
            let (provider, kind) = (events[0].session.provider, events[0].kind);
            for (number, event) in events.iter_mut().enumerate() {
                (event.session.provider, event.kind) = (provider, kind);
                event.event_id = EventId::new(format!("e{number}")).unwrap();
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

/// Many checks of up to 64 sorts, some with much detail and some with little.
fn crowded_history() -> impl Strategy<Value = (Vec<SessionEvent>, Vec<usize>)> {
    let checked = (0..60_usize, 0..200_u64, select(&CHECKS[..]), select(vec![0, 1, 8, 16]));
    let event = checked.prop_map(|(name, when, outcome, codes)| {
        let reason_codes = (0..codes).map(|code| ReasonCode::new(&format!("{code:064}")).unwrap()).collect();
        let mut check = Check { reason_codes, ..Check::new(outcome) };
        for value in 0..codes {
            check.detail.insert(&format!("member{value}"), &"x".repeat(64)).unwrap();
        }
        SessionEvent { checks: [(format!("document:{name}"), check)].into(), ..event("replaced below", when) }
    });
    vec(event, 80..160).prop_flat_map(|mut events| {
        for (number, event) in events.iter_mut().enumerate() {
            event.event_id = EventId::new(format!("e{number}")).unwrap();
        }
        let all: Vec<usize> = (0..events.len()).collect();
        (Just(events), Just(all).prop_shuffle())
    })
}

/// What the table does: each event once, then fold.
pub(crate) fn record<'e>(events: impl IntoIterator<Item = &'e SessionEvent>) -> (Session, Vec<Notification>) {
    let (mut known, mut session, mut notifications) = (HashSet::new(), None, Vec::new());
    for event in events {
        if known.insert(&event.event_id) {
            let applied = Session::apply(session.as_ref(), event, SequenceBase::default());
            notifications.extend(applied.notification);
            session = Some(applied.session);
        }
    }
    (session.expect("at least one event"), notifications)
}

/// The record without what tells of the order of arrival.
fn comparable(session: &Session) -> Session {
    let (first_event_at, last_event_at) = (at(0), at(0));
    Session { version: 0, notifications: 0, first_event_at, last_event_at, status_since: None, ..session.clone() }
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
        // A decision that is gone was withdrawn, if it was ever told.
        prop_assert_eq!(
            last.filter(|last| last.outcome.is_some()).map(|last| (last.outcome, &last.attempt_id)),
            standing.map(|standing| (Some(standing.decision.outcome), &standing.attempt_id))
        );
        prop_assert_eq!(last.is_some_and(|last| last.outcome.is_none()), last.is_some() && standing.is_none());
        let told: BTreeSet<_> = last.iter().flat_map(|last| &last.reason_codes).collect();
        let codes = standing.iter().flat_map(|standing| standing.decision.all_reason_codes()).collect();
        prop_assert!(told.is_empty() || told == codes, "told {told:?} of {codes:?}");
        let sequences: Vec<u64> = notifications.iter().map(|notification| notification.sequence).collect();
        prop_assert_eq!(sequences, (1..=shuffled.notifications).collect::<Vec<_>>());
        for pair in notifications.windows(2) {
            prop_assert_eq!(pair[1].previous_outcome, pair[0].outcome);
        }
    }

    #[test]
    fn a_decision_is_never_replaced_by_an_earlier_one((events, order) in any_history()) {
        let (mut known, mut session) = (HashSet::new(), None::<Session>);
        for event in order.iter().map(|&position| &events[position]).filter(|event| known.insert(&event.event_id)) {
            let after = Session::apply(session.as_ref(), event, SequenceBase::default()).session;
            let time = |session: &Session| session.decision.as_ref().map(|kept| (kept.rank.at, kept.rank.emitted_at));
            let is_withdrawn = after.has_several_users;
            prop_assert!(is_withdrawn || session.as_ref().and_then(time) <= time(&after));
            prop_assert!(!is_withdrawn || after.decision.is_none());
            session = Some(after);
        }
    }

    #[test]
    fn the_record_survives_being_stored((events, _) in any_history()) {
        let (session, _) = record(&events);
        let stored = serde_json::to_string(&session).unwrap();
        prop_assert_eq!(serde_json::from_str::<Session>(&stored).unwrap(), session);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// More codes and details than a record holds.
    #[test]
    fn what_is_left_out_of_a_full_record_does_not_depend_on_the_order((events, order) in crowded_history()) {
        let (straight, _) = record(&events);
        let (shuffled, _) = record(order.iter().map(|&position| &events[position]));
        prop_assert_eq!(comparable(&shuffled), comparable(&straight));
    }
}
