//! Sessions of several webhooks, in every order in which they can arrive.

use verdict_sessions::{CheckOutcome, Outcome, SequenceBase, Session, SessionEvent, Status, Timestamp};

/// What a session ends as: its status, its decision, and its checks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) status: Status,
    pub(crate) decision: Option<Outcome>,
    pub(crate) checks: Vec<(String, CheckOutcome)>,
}

/// The session that events end in, which is the same in every order.
pub(crate) fn in_all_orders(events: &[SessionEvent]) -> (Ending, Session) {
    let orders = orders(events.len());
    let sessions: Vec<_> = orders.iter().map(|order| session(events, order)).collect();
    let endings: Vec<_> = sessions.iter().map(ending).collect();
    assert!(endings.iter().all(|other| *other == endings[0]), "{endings:#?}");
    (ending(&sessions[0]), sessions[0].clone())
}

/// Applies the events in an order, one a second.
fn session(events: &[SessionEvent], order: &[usize]) -> Session {
    let arrival = |place: usize| Timestamp::from_unix(1_790_000_000 + i64::try_from(place).unwrap(), 0).unwrap();
    let arrive =
        |(place, index): (usize, &usize)| SessionEvent { received_at: arrival(place), ..events[*index].clone() };
    let session = order.iter().enumerate().map(arrive).fold(None, |before: Option<Session>, event| {
        Some(Session::apply(before.as_ref(), &event, SequenceBase::default()).session)
    });
    session.unwrap()
}

fn ending(session: &Session) -> Ending {
    let checks = session.checks.iter().map(|(name, check)| (name.clone(), check.value.outcome)).collect();
    Ending { status: session.status(), decision: session.standing_outcome(), checks }
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let with_last =
        |order: Vec<usize>| (0..count).map(move |place| [&order[..place], &[last], &order[place..]].concat());
    orders(last).into_iter().flat_map(with_last).collect()
}
