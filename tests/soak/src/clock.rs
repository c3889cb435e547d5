//! The wall clock, which the soak shares with the functions' processes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the time since the start of Unix time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the soak runs on the machine's own time")]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
