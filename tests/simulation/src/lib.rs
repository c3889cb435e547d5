//! The whole of Verdict in one process and one thread, with a clock that only moves while everybody waits.
//!
//! The functions' own code and the real AWS SDK, as deployed; under them, in place of the network, a [`Line`] that can
//! fail in every way a network can, and at its end a DynamoDB and an SQS in memory. A run is a [`World`], made from a
//! seed: the same seed gives the same run. So a test can end a function at any point where it waits, or let any of its
//! calls go wrong, thousands of times a minute, and look at what is left.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what can't be is a bug in the simulation, and ends it"
)]

mod clock;
mod crash;
mod desk;
mod dynamodb;
mod histories;
mod history;
mod judge;
mod line;
pub mod model;
mod plain_table;
mod promises;
mod samples;
mod sqs;
pub mod stored;
mod template;
mod webhooks;
mod world;

pub use clock::Clock;
pub use crash::{frozen, polled};
pub use desk::Desk;
pub use dynamodb::DynamoDb;
pub use histories::{Tally, histories, one as one_history};
pub use history::{Counts, History, history, history_on, seed_of};
pub use line::{Answer, Call, Commit, Fault, Lasting, Line, Service, failing};
pub use promises::{Broken, Sent};
pub use sqs::{Accepted, QueueSettings, Sqs};
pub use webhooks::{Says, Webhook, credentials};
pub use world::{Record, World, simulate, simulate_on};
