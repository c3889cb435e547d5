//! The messages on the wake-up queue.
//!
//! How they may change: as those of [`queued_webhook`](super::queued_webhook), except that a message that can't be read
//! is dropped. For a session on the schedule that does no harm, since the poller's next run finds it there.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use verdict_sessions::{SessionKey, Timestamp};

/// A message on the wake-up queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum WakeUp {
    /// A session on the schedule is due.
    Due(DuePoll),
    /// Your own service, or an operator, wants a session asked about. `Finding::of_poll_request` reads the rest.
    Poll,
}

/// A session on the schedule, and since when it is due: only as long as the schedule says the same, it still is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DuePoll {
    /// The session.
    #[serde(flatten)]
    pub(crate) session: SessionKey,
    /// The time at which it became due.
    pub(crate) due_at: Timestamp,
}

/// A message of neither form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a message for the poller")]
pub(crate) struct NoWakeUp;

impl WakeUp {
    /// Reads a message's body.
    ///
    /// # Errors
    /// [`NoWakeUp`].
    pub(crate) fn read(body: &str) -> Result<Self, NoWakeUp> {
        serde_json::from_str(body).map_err(|_| NoWakeUp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_is_due_is_written_as_it_is_read() {
        let text = r#"{"kind":"due","provider":"incode","sessionId":"s 1","dueAt":"2026-06-13T00:38:30.861285Z"}"#;
        let Ok(WakeUp::Due(due)) = WakeUp::read(text) else { panic!("{text}") };
        assert_eq!(due.session.to_string(), "incode/s 1");
        assert_eq!(due.due_at.sortable(), "2026-06-13T00:38:30.861285000Z");
        assert_eq!(serde_json::to_string(&WakeUp::Due(due)).unwrap(), text);
    }

    #[test]
    fn a_poll_request_is_known_by_its_kind() {
        assert_eq!(WakeUp::read(r#"{"kind":"poll","interviewId":"i","reference":"r"}"#), Ok(WakeUp::Poll));
        assert_eq!(WakeUp::read(r#"{"interviewId":7,"kind":"poll"}"#), Ok(WakeUp::Poll));
    }

    #[test]
    fn everything_else_is_no_message_for_the_poller() {
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#""poll""#,
            r#"{"kind":"rebuild","provider":"incode","sessionId":"s"}"#,
            r#"{"kind":"due","provider":"incode","sessionId":"s"}"#,
            r#"{"kind":"due","provider":"incode","sessionId":"s","dueAt":"now"}"#,
            r#"{"kind":"due","provider":"nobody","sessionId":"s","dueAt":"2026-06-13T00:38:30Z"}"#,
        ] {
            assert_eq!(WakeUp::read(text), Err(NoWakeUp), "{text}");
        }
    }
}
