//! The time by which work must be done.

use std::{future::Future, time::Duration};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

/// The time by which an invocation, or a part of it, must be done.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

/// The deadline has passed. The work that was under way may or may not have taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("out of time")]
pub struct Elapsed;

impl Deadline {
    /// The deadline that is `budget` from now.
    #[must_use]
    pub fn after(budget: Duration) -> Self {
        Self(Instant::now() + budget)
    }

    /// The earlier of two deadlines.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The deadline that is `reserve` before this one, and so leaves time for what comes after.
    #[must_use]
    pub fn before(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or_else(Instant::now))
    }

    /// The time that is left.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Does the work, or drops it if the deadline comes first.
    ///
    /// # Errors
    /// [`Elapsed`] if the deadline came first.
    pub async fn bound<T>(self, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        timeout_at(self.0, work).await.map_err(|_| Elapsed)
    }

    /// Does work that can fail, or drops it if the deadline comes first.
    ///
    /// # Errors
    /// The work's own, which say by `From<Elapsed>` that the deadline came first.
    pub async fn try_bound<T, E: From<Elapsed>>(self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.bound(work).await?
    }
}
