//! What must hold of the record, and of what is told of it, whatever events make it.

use serde::{Serialize, de::DeserializeOwned};
use std::{collections::HashSet, fmt::Debug};
use verdict_sessions::{Applied, Attempt, Notification, Refolded, SequenceBase, Session, SessionEvent, Withdrawal};

/// Folds events, one after the other, into a record.
pub fn fold<'e>(before: Option<Session>, events: impl IntoIterator<Item = &'e SessionEvent>) -> Session {
    let session = events.into_iter().fold(before, |session, event| {
        check_stored(event);
        let Applied { session: after, notification } = Session::apply(session.as_ref(), event, SequenceBase::default());
        check_step(session.as_ref(), &after);
        check_stored(&after);
        if let Some(notification) = &notification {
            check_notification(notification, &after);
        }
        drop(serde_json::to_string(&after.view()).expect("a view is JSON"));
        Some(after)
    });
    session.expect("at least one event")
}

/// A record is rebuilt to one that stands: the same once more, and the one there was where `events` are all its events.
pub fn check_rebuilt(session: &Session, events: &[SessionEvent], are_all: bool) {
    let ids: HashSet<_> = events.iter().map(|event| &event.event_id).collect();
    let rebuild = |session: &Session| session.rebuild(events, SequenceBase::default(), Withdrawal::Refused);
    let Ok(Refolded::Changed(applied)) = rebuild(session) else { return };
    let Applied { session: rebuilt, notification } = *applied;
    assert!(!are_all || ids.len() < events.len(), "rebuilt to something else: {rebuilt:?}");
    check_stored(&rebuilt);
    assert_eq!(rebuilt.version, session.version + 1);
    if let Some(notification) = &notification {
        assert!(notification.correction);
        check_notification(notification, &rebuilt);
    }
    assert_eq!(rebuild(&rebuilt), Ok(Refolded::Same));
}

/// What is stored is read back as it was.
pub fn check_stored<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let stored = serde_json::to_string(value).expect("it can be stored");
    assert_eq!(serde_json::from_str::<T>(&stored).as_ref().ok(), Some(value), "{stored}");
}

/// Nothing goes back.
fn check_step(before: Option<&Session>, after: &Session) {
    let Some(before) = before else { return };
    assert_eq!((after.events, after.version), (before.events + 1, before.version + 1));
    assert!(after.first_event_at <= before.first_event_at && after.last_event_at >= before.last_event_at);
    // Of one time, the more cautious decision stands, whatever its event's id.
    let rank = |session: &Session| {
        let rank = &session.decision.as_ref()?.rank;
        Some((rank.at, rank.emitted_at, rank.is_final))
    };
    assert!(rank(after) >= rank(before), "a decision gave way to an older one");
    for attempt in &before.attempts {
        // One that is gone was the oldest of too many. A record that is not ours may have two of one id.
        let mut same = after.attempts.iter().filter(|other| other.id == attempt.id).peekable();
        let is_further = |same: &Attempt| same.stage >= attempt.stage && same.since <= attempt.since;
        assert!(same.peek().is_none() || same.any(is_further), "a stage went back");
    }
}

/// A notification says what the record says, and none of it in the provider's words.
fn check_notification(notification: &Notification, session: &Session) {
    check_stored(notification);
    let standing = session.decision.as_ref().map(|decision| &decision.value);
    assert_eq!(notification.outcome, session.standing_outcome());
    assert_eq!(notification.reason_code.as_ref(), standing.and_then(|standing| standing.decision.reason_code.as_ref()));
    assert_eq!(notification.attempt_id.as_ref(), standing.and_then(|standing| standing.attempt_id.as_ref()));
    let checks = session.checks.iter().map(|(name, check)| (name.clone(), check.value.outcome)).collect();
    assert_eq!(notification.checks, checks);
    assert_eq!(notification.sequence, session.notifications);
    drop(serde_json::to_string(&notification.cloud_event()).expect("a notification is JSON"));
}
