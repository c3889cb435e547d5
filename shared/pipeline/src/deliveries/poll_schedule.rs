//! The rule by which recorded events put their session on the poll schedule.

use crate::{
    store::table::{
        SessionsTable,
        error::TableError,
        polls::{Cause, PollReason},
    },
    time::deadline::Deadline,
};
use std::time::Duration;
use verdict_sessions::{Provider, SessionEvent, Stage};
use verdict_webhooks::incode::ApiAccess;

/// Incode retries a failed webhook for about 32 minutes. A copy that comes later is not a retry, and a webhook that has
/// not come by then never will.
const RETRIES_END: Duration = Duration::from_mins(40);

/// Keeps the poll schedule up to date with the events that webhooks bring.
#[derive(Clone, Debug)]
pub(crate) struct PollSchedule {
    table: SessionsTable,
    /// True if the poller has credentials for the API. Without them, late copies are only counted.
    is_polled: bool,
}

impl PollSchedule {
    /// Makes the schedule. `is_polled` says whether the poller has credentials for the API.
    pub(crate) fn new(table: SessionsTable, is_polled: bool) -> Self {
        Self { table, is_polled }
    }

    /// Schedules a poll if a recorded event asks for one. Returns whether the event is a copy, of `first`, that came
    /// later than any retry.
    ///
    /// # Errors
    /// [`TableError`]. The webhook must then come again: else its session might never be polled.
    pub(crate) async fn after(
        &self,
        event: &SessionEvent,
        first: Option<&SessionEvent>,
        deadline: Deadline,
    ) -> Result<bool, TableError> {
        deadline.try_bound(self.update(event, first)).await
    }

    async fn update(&self, event: &SessionEvent, first: Option<&SessionEvent>) -> Result<bool, TableError> {
        if event.session.provider != Provider::Incode {
            return Ok(false);
        }
        let now = event.received_at;
        let is_late_copy = first.is_some_and(|first| first.received_at.plus(RETRIES_END) < now);
        if !self.is_polled || !ApiAccess::knows_more_than(event) {
            return Ok(is_late_copy);
        }
        let (reason, due_at) = match event {
            _ if is_late_copy => (PollReason::Recheck, now),
            SessionEvent { decision: Some(decision), .. } if decision.outcome.is_final() => return Ok(false),
            SessionEvent { stage: Some(Stage::Submitted), .. } | SessionEvent { decision: Some(_), .. } => {
                (PollReason::Decision, now)
            }
            _ => (PollReason::Quiet, now.plus(RETRIES_END)),
        };
        let cause = if first.is_some() { Cause::Copy } else { Cause::News };
        self.table.schedule_poll(&event.session, reason, cause, now, due_at).await?;
        Ok(is_late_copy)
    }
}
