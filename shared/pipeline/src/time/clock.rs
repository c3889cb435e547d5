//! The wall clock, read in this one place: everything else is told the time. `clippy.toml` holds that.

use super::deadline::Deadline;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use verdict_sessions::Timestamp;

/// The part of Lambda's own time that is kept back, so that the answer still gets out.
const LAMBDA_RESERVE: Duration = Duration::from_millis(250);

/// Returns the time, to the microsecond: as fine as providers' own times.
pub(crate) fn now() -> Timestamp {
    let since_epoch = since_epoch();
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or_default();
    Timestamp::from_unix(seconds, since_epoch.subsec_micros() * 1000).unwrap_or(Timestamp::EPOCH)
}

/// The time as it goes on from when an invocation was told it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Timestamp,
    since: Instant,
}

impl Clock {
    /// A clock that shows `start` now.
    pub(crate) fn at(start: Timestamp) -> Self {
        Self { start, since: Instant::now() }
    }

    /// Returns the time, to the microsecond.
    pub(crate) fn now(self) -> Timestamp {
        let micros = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.start.plus(Duration::from_micros(micros))
    }
}

/// Returns the deadline that is `budget` from now, or shortly before Lambda ends the invocation if that comes earlier.
/// Lambda's end is in milliseconds of Unix time; a tool that invokes locally may give none (0).
pub(crate) fn deadline(lambdas_end: u64, budget: Duration) -> Deadline {
    let ours = Deadline::after(budget);
    match Duration::from_millis(lambdas_end).checked_sub(since_epoch()) {
        Some(left) => ours.min(Deadline::after(left).before(LAMBDA_RESERVE)),
        None => ours,
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocations_time_goes_on_from_where_it_was_told_it() {
        let start = Timestamp::from_unix(1_781_308_800, 0).unwrap();
        let begun = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
        let now = Clock { start, since: begun }.now();
        assert!(now.seconds_since(start) >= 2 && now.seconds_since(start) < 3600, "{now}");
        assert!(Clock::at(start).now().seconds_since(start) < 3600);
    }

    #[tokio::test]
    async fn the_deadline_is_ours_or_lambdas_whichever_is_earlier() {
        let budget = Duration::from_secs(5);
        let left = |lambda: Duration| {
            let end = u64::try_from(lambda.as_millis()).unwrap();
            deadline(end, budget).remaining()
        };
        let soon = left(since_epoch() + Duration::from_secs(3));
        assert!(soon > Duration::from_secs(1) && soon < Duration::from_secs(3), "{soon:?}");
        assert!(left(since_epoch() + Duration::from_mins(1)) > Duration::from_secs(4));
        assert!(left(Duration::ZERO) > Duration::from_secs(4), "a tool that gives no deadline");
    }
}
