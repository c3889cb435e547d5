//! The rule by which recorded events put their session on the poll schedule.

use crate::{
    store::{
        queues::WakeUpQueue,
        table::{
            SessionsTable,
            error::TableError,
            polls::{Cause, PollReason, ScheduledPoll},
            record::FirstCopy,
        },
        wake_up::DuePoll,
    },
    time::deadline::Deadline,
};
use std::time::Duration;
use verdict_sessions::{Provider, SessionEvent, Stage, Timestamp, Trace};
use verdict_webhooks::incode::ApiAccess;

/// Incode retries a failed webhook for about 32 minutes. A copy that comes later is not a retry, and a webhook that has
/// not come by then never will.
const RETRIES_END: Duration = Duration::from_mins(40);

/// The longest that waking the poller may hold up the answer.
const WAKE_LIMIT: Duration = Duration::from_millis(200);

/// Keeps the poll schedule up to date with the events that webhooks bring, and wakes the poller for what is due at once.
#[derive(Clone, Debug)]
pub(crate) struct PollSchedule {
    table: SessionsTable,
    /// Without it, the poller's next run finds what is due.
    wake_up: Option<WakeUpQueue>,
    /// True if the poller has credentials for the API. Without them, late copies are only counted.
    is_polled: bool,
}

/// What an event makes of the schedule.
#[derive(Default)]
struct Scheduled {
    is_late_copy: bool,
    /// The time at which it made the session due, if that is at once.
    due_at: Option<Timestamp>,
}

impl PollSchedule {
    /// Makes the schedule. `is_polled` says whether the poller has credentials for the API.
    pub(crate) fn new(table: SessionsTable, wake_up: Option<WakeUpQueue>, is_polled: bool) -> Self {
        Self { table, wake_up, is_polled }
    }

    /// Schedules a poll if a recorded event asks for one. Returns whether the event is a copy, of `first`, that came
    /// later than any retry.
    ///
    /// # Errors
    /// [`TableError`]. The webhook must then come again: else its session might never be polled.
    pub(crate) async fn after(
        &self,
        event: &SessionEvent,
        first: Option<&FirstCopy>,
        trace: Option<Trace>,
        deadline: Deadline,
    ) -> Result<bool, TableError> {
        let scheduled = deadline.try_bound(self.update(event, first)).await?;
        if let Some(due_at) = scheduled.due_at {
            self.wake_poller(event, due_at, trace).await;
        }
        Ok(scheduled.is_late_copy)
    }

    async fn update(&self, event: &SessionEvent, first: Option<&FirstCopy>) -> Result<Scheduled, TableError> {
        if event.session.provider != Provider::Incode {
            return Ok(Scheduled::default());
        }
        let now = event.received_at;
        let is_late_copy = first.is_some_and(|first| first.event.received_at.plus(RETRIES_END) < now);
        let not_scheduled = Scheduled { is_late_copy, due_at: None };
        if !self.is_polled || !ApiAccess::knows_more_than(event) {
            return Ok(not_scheduled);
        }
        let told = [Some(event), first.map(|first| &first.event)];
        let has_to_confirm = told.into_iter().flatten().any(ApiAccess::has_to_confirm);
        let (reason, due_at) = match event {
            _ if is_late_copy || has_to_confirm => (PollReason::Recheck, now),
            SessionEvent { decision: Some(decision), .. } if decision.outcome.is_final() => return Ok(not_scheduled),
            SessionEvent { stage: Some(Stage::Submitted), .. } | SessionEvent { decision: Some(_), .. } => {
                (PollReason::Decision, now)
            }
            _ => (PollReason::Quiet, now.plus(RETRIES_END)),
        };
        if first.is_some_and(|first| is_in_place(first, reason, has_to_confirm, is_late_copy, now)) {
            return Ok(not_scheduled);
        }
        let cause = match first {
            _ if has_to_confirm => Cause::Unconfirmed,
            Some(_) => Cause::Copy,
            None => Cause::News,
        };
        let is_changed = self.table.schedule_poll(&event.session, reason, cause, now, due_at).await?;
        Ok(Scheduled { due_at: Some(due_at).filter(|due_at| is_changed && *due_at == now), ..not_scheduled })
    }

    /// Has the poller ask now. If that fails or takes long, its next run asks: the session is on the schedule.
    async fn wake_poller(&self, event: &SessionEvent, due_at: Timestamp, trace: Option<Trace>) {
        let Some(queue) = &self.wake_up else { return };
        let due = DuePoll { session: event.session.clone(), due_at };
        match Deadline::after(WAKE_LIMIT).bound(queue.send(due, trace)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "could not wake the poller; left to its next run"),
            Err(_elapsed) => tracing::warn!("waking the poller took too long; left to its next run"),
        }
    }
}

/// Returns whether the session of a copy needs no other place. If the copy is late, only one that is due now will do; if
/// not, the session may have got what it needs already.
fn is_in_place(first: &FirstCopy, reason: PollReason, has_to_confirm: bool, is_late: bool, now: Timestamp) -> bool {
    let has_got_it = if has_to_confirm { first.is_answered() } else { first.is_decided };
    let will_do = |poll: ScheduledPoll| match (has_to_confirm, is_late) {
        (true, false) => poll.has_to_confirm,
        (true, true) => poll.has_to_confirm && poll.will_do(reason, now),
        (false, _) => poll.will_do(reason, now),
    };
    !is_late && has_got_it || first.poll.is_some_and(will_do)
}
