//! How long an invocation may take.

use std::{future::Future, time::Duration};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

/// The time by which an invocation must be done.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

/// The deadline has passed; what was under way may or may not have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("out of time")]
pub struct Elapsed;

impl Deadline {
    /// `budget` from now.
    #[must_use]
    pub fn after(budget: Duration) -> Self {
        Self(Instant::now() + budget)
    }

    /// The earlier of two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// A deadline `reserve` before this one, to leave time for what comes after.
    #[must_use]
    pub fn before(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or_else(Instant::now))
    }

    /// What is left of it.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Does the work, or gives up on it when the time has come.
    ///
    /// # Errors
    /// [`Elapsed`] when the time came first.
    pub async fn bound<T>(self, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        timeout_at(self.0, work).await.map_err(|_| Elapsed)
    }
}
