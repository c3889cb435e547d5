//! A time limit for work that must not take longer than its input is long.

use std::time::{Duration, Instant};

/// Does some work in a time that is long for an unoptimised build on a busy machine, and that anything worse than linear
/// exceeds by far.
pub(crate) fn in_time<T>(work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    done
}
