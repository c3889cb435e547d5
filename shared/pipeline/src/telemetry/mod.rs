//! The telemetry of a function: a log of JSON lines on standard output, and metrics among them.

mod deployment;
pub(crate) mod line;
pub(crate) mod log;

pub(crate) use deployment::trace;
pub use deployment::version;
pub use line::{Line, shown, shown_event, shown_reference};
