//! How one webhook was handled.

use verdict_sessions::{Remark, SessionKey};
use verdict_webhooks::Disposition;

/// The way in which one webhook was handled.
#[derive(Debug)]
pub(crate) struct Handling {
    pub(crate) disposition: Disposition,
    pub(crate) reason: Option<&'static str>,
    /// The first session in it.
    pub(crate) session: Option<SessionKey>,
    /// The first event in it: `{provider}/{sessionId}/{eventId}`.
    pub(crate) event_key: Option<String>,
    pub(crate) remarks: Vec<Remark>,
    /// Copies that came later than any retry.
    pub(crate) late_copies: usize,
    /// Duplicates that contradict the event recorded under their id.
    pub(crate) reused_ids: usize,
}

impl Handling {
    pub(crate) fn of(disposition: Disposition) -> Self {
        Self {
            disposition,
            reason: None,
            session: None,
            event_key: None,
            remarks: Vec::new(),
            late_copies: 0,
            reused_ids: 0,
        }
    }

    pub(crate) fn because(disposition: Disposition, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..Self::of(disposition) }
    }
}
