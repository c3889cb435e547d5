//! Deliveries: what becomes of what a provider tells. `receive` takes its webhooks, `replay` those that waited on
//! intake, and `record` is the one way into the table, for answers to polls, too. `preview` says what a rebuild would
//! change, and `resend` sends again what was told.

pub(crate) mod handling;
pub(crate) mod poll_schedule;
pub mod preview;
pub(crate) mod quarantine;
pub(crate) mod rebuild;
pub(crate) mod receive;
pub(crate) mod record;
pub mod replay;
pub(crate) mod resend;
