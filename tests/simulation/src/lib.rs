//! The whole of Verdict in one process and one thread, with a clock that moves only while every task waits.
//!
//! It runs the functions' own code and the real AWS SDK, as deployed; under them a simulated [`Network`] that can fail
//! in every way a network can, and at its end a DynamoDB, an SQS and a Secrets Manager in memory. A run is a [`World`], made from a seed:
//! the same seed gives the same run. So a test can end a function at any point where it waits, or let any of its calls
//! go wrong, thousands of times a minute, and look at what is left.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what can't be is a bug in the simulation, and ends it"
)]

mod checker;
mod clock;
mod crash;
mod dynamodb;
mod fake_incode;
mod histories;
mod history;
pub mod model;
mod network;
mod plain_table;
mod promises;
mod resends;
mod samples;
mod secrets_manager;
mod sqs;
pub mod stored;
mod template;
mod webhooks;
mod world;

pub use clock::Clock;
pub use crash::{frozen, polled};
pub use dynamodb::DynamoDb;
pub use fake_incode::{FakeIncode, Known};
pub use histories::{Tally, histories, one as one_history};
pub use history::{Counts, History, after_history, history, history_on, seed_of};
pub use network::{Answer, Call, Change, Fault, Lasting, Network, Service, Snapshot, Transaction, WriteUnits, failing};
pub use promises::{Broken, Sent};
pub use secrets_manager::SecretsManager;
pub use sqs::{Accepted, QueueSettings, Sqs};
pub use webhooks::{Claim, Webhook, credentials};
pub use world::{Record, World, simulate, simulate_on};
