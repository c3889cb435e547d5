//! Folding events into a session record.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test whose input can't be made has failed")]

mod cases;
mod events;
mod messages;
mod order_does_not_matter;
mod rebuild;
