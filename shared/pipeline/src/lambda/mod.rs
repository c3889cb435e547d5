//! Lambda: events in, answers out. For HTTP requests (`gateway`), for what a cron schedule starts (`cron`), and for the
//! doctor's question.

pub mod cron;
pub(crate) mod doctor;
pub mod gateway;
pub(crate) mod path_segment;
pub mod query;
