//! What must hold of the record, and of what is told of it, whatever events make it.

use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use verdict_sessions::{Applied, Notification, Session, SessionEvent};

/// Folds events, one after the other, into a record.
pub fn fold<'e>(before: Option<Session>, events: impl IntoIterator<Item = &'e SessionEvent>) -> Session {
    let session = events.into_iter().fold(before, |session, event| {
        check_stored(event);
        let Applied { session: after, notification } = Session::apply(session.as_ref(), event);
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
    let rank = |session: &Session| session.decision.as_ref().map(|decision| decision.rank.clone());
    assert!(rank(after) >= rank(before), "a decision gave way to an older one");
    for attempt in &before.attempts {
        let same = after.attempts.iter().find(|other| other.id == attempt.id);
        assert!(
            same.is_none_or(|same| same.stage >= attempt.stage && same.since <= attempt.since),
            "a stage went back"
        );
    }
}

/// A notification says what the record says, and none of it in the provider's words.
fn check_notification(notification: &Notification, session: &Session) {
    check_stored(notification);
    let standing = &session.decision.as_ref().expect("a notification tells of a decision").value;
    assert_eq!(notification.outcome, standing.decision.outcome);
    assert_eq!(
        (&notification.reason_code, &notification.attempt_id),
        (&standing.decision.reason_code, &standing.attempt_id)
    );
    assert_eq!(notification.sequence, session.notifications);
    drop(serde_json::to_string(&notification.cloud_event()).expect("a notification is JSON"));
}
