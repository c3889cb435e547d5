//! The plan of the next poll: for which reason, and after which pause.

use super::attempt::{AttemptError, PollResult};
use crate::store::table::polls::{Poll, PollReason};
use std::time::Duration;

/// The first pause of a session that waits for a decision; each one after is twice as long.
const FIRST_PAUSE: Duration = Duration::from_mins(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_hours(4);

/// The longest pause while the API is out of order.
const LONGEST_OUTAGE_PAUSE: Duration = Duration::from_mins(15);

/// Plans the next poll of a session after this one.
pub(crate) fn plan(poll: Poll, is_handed_in: bool, result: &Result<PollResult, AttemptError>) -> (Poll, Duration) {
    match result {
        Ok(result) => {
            let reason = if result.is_finished || is_handed_in { PollReason::Decision } else { PollReason::Quiet };
            let tries = if reason == poll.reason { poll.tries + 1 } else { 1 };
            let next = poll.as_of(reason, tries);
            (next, pause(&next))
        }
        // The session is not at fault.
        Err(AttemptError::Api(error)) if error.affects_all_sessions() => (poll, FIRST_PAUSE),
        Err(error) => {
            let next = poll.as_of(poll.reason, poll.tries + 1);
            let is_outage = matches!(error, AttemptError::Api(error) if error.is_outage());
            (next, if is_outage { pause(&next).min(LONGEST_OUTAGE_PAUSE) } else { pause(&next) })
        }
    }
}

/// The pause grows with every try. A session that has gone quiet starts further up: most of those were left for good.
fn pause(poll: &Poll) -> Duration {
    let doublings = poll.tries.saturating_sub(1) + if poll.reason == PollReason::Quiet { 5 } else { 0 };
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polling::provider_api::ApiError;
    use verdict_sessions::Timestamp;

    fn poll(reason: PollReason, tries: u32) -> Poll {
        Poll::taken(Timestamp::EPOCH).as_of(reason, tries)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as a poll gives it")]
    fn answered(is_finished: bool) -> Result<PollResult, AttemptError> {
        Ok(PollResult { news: 0, is_finished })
    }

    fn minutes(plan: &(Poll, Duration)) -> u64 {
        plan.1.as_secs() / 60
    }

    #[test]
    fn a_session_that_waits_for_a_decision_is_polled_after_twice_the_time_each_time() {
        let mut next = poll(PollReason::Decision, 0);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let planned = plan(next, true, &answered(true));
            pauses.push(minutes(&planned));
            next = planned.0;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]);
    }

    #[test]
    fn a_quiet_session_is_polled_less_often() {
        let first = plan(poll(PollReason::Quiet, 0), false, &answered(false));
        let second = plan(first.0, false, &answered(false));
        assert_eq!((minutes(&first), minutes(&second)), (32, 64));
    }

    #[test]
    fn a_quiet_session_that_has_finished_waits_for_a_decision_like_all_others() {
        let planned = plan(poll(PollReason::Quiet, 3), false, &answered(true));
        assert_eq!((planned.0.reason, planned.0.tries, minutes(&planned)), (PollReason::Decision, 1, 1));
    }

    #[test]
    fn a_recheck_is_over_once_it_is_answered_and_not_before() {
        let recheck = poll(PollReason::Recheck, 0);
        assert_eq!(plan(recheck, true, &answered(false)).0.reason, PollReason::Decision);
        assert_eq!(plan(recheck, true, &Err(ApiError::Timeout.into())).0.reason, PollReason::Recheck);
    }

    #[test]
    fn a_fault_that_affects_all_sessions_counts_against_none() {
        for error in [ApiError::Forbidden, ApiError::Unauthorised, ApiError::TooManyRequests { retry_after: None }] {
            let planned = plan(poll(PollReason::Decision, 7), true, &Err(error.into()));
            assert_eq!((planned.0.tries, minutes(&planned)), (7, 1), "{error}");
        }
    }

    #[test]
    fn an_outage_is_not_waited_out_for_hours() {
        let old = poll(PollReason::Decision, 9);
        assert_eq!(minutes(&plan(old, true, &Err(ApiError::Server(502).into()))), 15);
        assert_eq!(minutes(&plan(old, true, &Err(ApiError::Refused(404).into()))), 240);
    }
}
