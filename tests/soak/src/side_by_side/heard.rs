//! The consumer: remembers which sequences of each session came, and in which order they first did.

use super::text;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the consumer heard.
#[derive(Default)]
pub(super) struct Heard {
    sessions: BTreeMap<String, OfSession>,
    /// Messages that came before one that their session told earlier.
    pub(super) out_of_order: usize,
}

#[derive(Default)]
struct OfSession {
    came: BTreeSet<u64>,
    /// What the message with the greatest sequence said.
    latest: Value,
}

impl OfSession {
    fn last(&self) -> u64 {
        self.came.last().copied().unwrap_or(0)
    }
}

impl Heard {
    /// Takes a message's body.
    pub(super) fn take(&mut self, body: &str) {
        let mut message: Value = serde_json::from_str(body).expect("a message is JSON");
        let data = message["data"].take();
        let sequence = data["sequence"].as_u64().expect("a message has a sequence");
        let session = self.sessions.entry(session(&data)).or_default();
        if session.came.contains(&sequence) {
            return;
        }
        // Every session's messages are numbered from 1, without a gap.
        self.out_of_order += usize::from(sequence != session.last() + 1);
        if sequence > session.last() {
            session.latest = data;
        }
        session.came.insert(sequence);
    }

    /// The number of messages, without copies.
    pub(super) fn messages(&self) -> usize {
        self.sessions.values().map(|session| session.came.len()).sum()
    }

    /// The number of messages that a session's record counts and that never came.
    pub(super) fn missing(&self, record: &Value) -> usize {
        let none = BTreeSet::new();
        let came = self.sessions.get(&session(record)).map_or(&none, |session| &session.came);
        (1..=record["notifications"].as_u64().unwrap_or(0)).filter(|sequence| !came.contains(sequence)).count()
    }

    /// Returns whether the latest message of a session tells the decision that its record has, and no message came that
    /// the record doesn't count.
    pub(super) fn is_right(&self, record: &Value) -> bool {
        let Some(heard) = self.sessions.get(&session(record)) else { return record["decision"].is_null() };
        let decided = &record["decision"]["value"];
        heard.latest["outcome"] == decided["outcome"]
            && heard.latest["attemptId"] == decided["attemptId"]
            && record["notifications"].as_u64() == Some(heard.last())
    }
}

/// The id of a notification: `{provider}/{sessionId}/{sequence}`.
pub(super) fn id(notification: &Value) -> String {
    format!("{}/{}", session(notification), notification["sequence"])
}

fn session(of: &Value) -> String {
    format!("{}/{}", text(&of["provider"]), text(&of["sessionId"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn heard(messages: &[(u64, &str)]) -> Heard {
        let mut heard = Heard::default();
        for (sequence, outcome) in messages {
            let data = json!({"provider": "veriff", "sessionId": "s", "sequence": sequence, "outcome": outcome,
                "attemptId": null});
            heard.take(&json!({"data": data}).to_string());
        }
        heard
    }

    fn record(outcome: &str, notifications: u64) -> Value {
        json!({"provider": "veriff", "sessionId": "s", "notifications": notifications,
            "decision": {"value": {"outcome": outcome, "attemptId": null}}})
    }

    #[test]
    fn messages_in_order_are_well_and_copies_count_once() {
        let heard = heard(&[(1, "review"), (1, "review"), (2, "approved"), (1, "review")]);
        assert_eq!((heard.out_of_order, heard.messages()), (0, 2));
        assert_eq!(heard.missing(&record("approved", 2)), 0);
        assert!(heard.is_right(&record("approved", 2)));
    }

    #[test]
    fn a_message_that_overtakes_is_noticed() {
        assert_eq!(heard(&[(2, "approved")]).out_of_order, 1);
        assert_eq!(heard(&[(1, "review"), (3, "approved"), (2, "declined")]).out_of_order, 2);
    }

    #[test]
    fn a_message_that_never_came_is_noticed_and_so_is_another_outcome() {
        let heard = heard(&[(1, "review"), (2, "approved")]);
        assert_eq!(heard.missing(&record("approved", 4)), 2);
        assert!(!heard.is_right(&record("approved", 3)));
        assert!(!heard.is_right(&record("declined", 2)));
        assert!(!Heard::default().is_right(&record("declined", 0)));
    }
}
