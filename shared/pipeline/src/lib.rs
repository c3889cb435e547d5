//! The AWS side: how webhooks get in, where their facts are kept, and how decisions get out.
//!
//! One webhook's way: `gateway` takes the event that API Gateway makes of a request; `receive` has it proved and answers;
//! `record` reads it, records its events in the `table`, and has the `publisher` send what is due to the `queues`. What the
//! table can't take waits on the intake queue as a `queued_webhook`, for `replay`, which also rebuilds sessions (`rebuild`).
//! The `relay` publishes what others left, the `poller` asks Incode. `environment` makes all of these.

mod decisions;
mod deliveries;
mod environment;
mod lambda;
mod poll_attempt;
mod poll_plan;
mod poller;
mod provider_api;
mod store;
pub mod telemetry;
mod time;

pub use decisions::relay::Relay;
pub use deliveries::{
    receive::Receiver,
    replay::{self, Replay},
};
pub use environment::{Environment, StartError};
pub use lambda::{
    cron,
    doctor::{Doctor, Started},
    gateway,
    path_segment::path_segment,
};
pub use lambda_runtime::Error;
pub use poller::Poller;
pub use provider_api::{ApiError, ProviderApi};
pub use store::{
    aws_error::AwsError,
    queued_webhook::{ForeignMessage, IntakeMessage, QueuedWebhook, RebuildRequest},
    table::{SessionsTable, error::TableError, items::Payload, lookups::Page, record::Recorded},
};
pub use time::deadline::{Deadline, Elapsed};
