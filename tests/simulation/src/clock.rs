//! The simulation's clock.

use std::time::Duration;
use tokio::time::Instant;
use verdict_sessions::Timestamp;

/// The wall clock of a run: it starts at the same moment each time, and moves with tokio's paused time.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// When every run begins, in seconds of Unix time: 2026-06-13T00:00:00Z.
    pub const EPOCH: u64 = 1_781_308_800;

    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start of Unix time.
    #[must_use]
    pub fn since_epoch(self) -> Duration {
        Duration::from_secs(Self::EPOCH) + self.0.elapsed()
    }

    /// The time, as handlers are told it.
    #[must_use]
    pub fn now(self) -> Timestamp {
        let now = self.since_epoch();
        Timestamp::from_unix(i64::try_from(now.as_secs()).unwrap(), now.subsec_nanos()).unwrap()
    }
}
