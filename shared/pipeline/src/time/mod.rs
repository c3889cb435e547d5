//! Time: the wall clock, deadlines, and the pauses between retries.

pub(crate) mod backoff;
pub(crate) mod clock;
pub(crate) mod deadline;
