//! Time: the wall clock, moments, deadlines, and the pauses between retries.

pub(crate) mod backoff;
pub(crate) mod clock;
pub(crate) mod deadline;
pub(crate) mod moment;
