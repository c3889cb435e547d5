//! The AWS side: how a delivery gets in, where its facts are kept, and how decisions get out.
//!
//! One webhook's way: `gateway` takes the event that API Gateway makes of a request; `receive`
//! proves, reads, records, publishes and answers; `table` is the record, `outbox` what is still to be
//! published, `queues` where it goes. `sessions_api` reads records, `environment` holds what a function
//! is configured with, `schedule` runs what a clock starts.

mod aws_error;
mod clock;
mod deadline;
mod environment;
pub mod gateway;
mod incode_api;
pub mod outbox;
mod polling;
mod queues;
mod receive;
pub mod schedule;
mod sessions_api;
mod table;
mod telemetry;
mod token_endpoint;

pub use aws_error::AwsError;
pub use deadline::{Deadline, Elapsed};
pub use environment::{Environment, StartError};
pub use lambda_runtime::Error;
pub use polling::{PollSchedule, Poller};
pub use queues::{DecisionsQueue, QuarantineError, QuarantineQueue};
pub use receive::Receiver;
pub use sessions_api::SessionsApi;
pub use table::{Page, Payload, Recorded, SessionsTable, TableError};
pub use token_endpoint::token_endpoint;
