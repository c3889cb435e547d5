//! A moment whose age is known even to a process that was frozen since.

use super::clock;
use std::time::Duration;
use tokio::time::Instant;
use verdict_sessions::Timestamp;

/// A moment, by the monotonic clock and by the wall clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    monotonic: Instant,
    wall: Timestamp,
}

impl Moment {
    /// This moment.
    pub(crate) fn now() -> Self {
        Self { monotonic: Instant::now(), wall: clock::now() }
    }

    /// The moment by the monotonic clock.
    pub(crate) fn monotonic(self) -> Instant {
        self.monotonic
    }

    /// The time since then, by the clock that shows more: while Lambda freezes a process, one of them may stand still.
    pub(crate) fn age(self) -> Duration {
        let wall = Duration::from_secs(clock::now().seconds_since(self.wall));
        self.monotonic.elapsed().max(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_that_shows_more_says_how_old_a_moment_is() {
        let now = Moment::now();
        assert!(now.age() < Duration::from_mins(1));
        let before = now.monotonic().checked_sub(Duration::from_secs(90)).unwrap();
        assert!(Moment { monotonic: before, ..now }.age() >= Duration::from_secs(90));
        let wall = Timestamp::from_unix(now.wall.unix_seconds() - 90, 0).unwrap();
        assert!(Moment { wall, ..now }.age() >= Duration::from_secs(90));
        let ahead = now.wall.plus(Duration::from_hours(1));
        assert!(Moment { wall: ahead, ..now }.age() < Duration::from_mins(1));
    }
}
