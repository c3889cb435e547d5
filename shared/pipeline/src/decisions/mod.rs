//! Decisions on their way out: from the outboxes in the table to SQS.

pub(crate) mod publisher;
pub(crate) mod relay;
