//! What is stored, read back: a record, events, a notification, each on a line of its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use verdict_fuzz::record;
use verdict_sessions::{Notification, Session, SessionEvent};

/// More events than a table has seen.
const MANY: u64 = u64::MAX / 2;

fuzz_target!(|text: &str| {
    let (mut session, mut events) = (None, Vec::new());
    for line in text.lines() {
        if let Ok(event) = serde_json::from_str::<SessionEvent>(line) {
            events.push(event);
        } else if let Ok(stored) = serde_json::from_str::<Session>(line) {
            record::check_stored(&stored);
            drop((stored.status(), serde_json::to_string(&stored.view()).expect("JSON")));
            session = Some(stored).filter(|it| it.events.max(it.version).max(it.notifications) < MANY);
        } else if let Ok(notification) = serde_json::from_str::<Notification>(line) {
            record::check_stored(&notification);
            drop(serde_json::to_string(&notification.cloud_event()).expect("JSON"));
        }
    }
    if let Some(key) = events.first().map(|event: &SessionEvent| event.session.clone()) {
        events.retain(|event| event.session == key);
        // In the order of arrival, as a record is rebuilt.
        events.sort_by(|a, b| (a.received_at, &a.event_id).cmp(&(b.received_at, &b.event_id)));
        let folded = record::fold(session.clone(), &events);
        record::check_rebuilt(&folded, &events, session.is_none());
    }
});
