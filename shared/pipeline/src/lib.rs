//! The AWS side: how a delivery gets in, where its facts are kept, and how decisions get out.
//!
//! One webhook's way: `gateway` takes the event that API Gateway makes of a request; `receive`
//! proves it and answers; `process` reads, records and publishes; `table` is the record, `outbox` what is
//! still to be published, `queues` where it goes. What the table can't take waits as `kept` has it, for
//! `replay`, which also has sessions read again (`rebuild`). `sessions_api` reads records, `environment`
//! holds what a function is configured with, `schedule` runs what a clock starts, `doctor` answers whether a function did.

mod aws_error;
mod backoff;
mod clock;
mod deadline;
mod doctor;
mod environment;
pub mod gateway;
mod incode_api;
mod kept;
pub mod outbox;
mod polling;
mod process;
mod queues;
mod rebuild;
mod receive;
pub mod replay;
pub mod schedule;
mod sessions_api;
mod table;
mod telemetry;
mod token_endpoint;

pub use aws_error::AwsError;
pub use deadline::{Deadline, Elapsed};
pub use doctor::{Doctor, Started};
pub use environment::{Environment, StartError};
pub use incode_api::{ApiError, IncodeApi};
pub use kept::{IntakeMessage, KeptWebhook, NotKept, RebuildRequest};
pub use lambda_runtime::Error;
pub use polling::{Ask, Poller};
pub use process::Processor;
pub use queues::{DecisionsQueue, IntakeQueue, KeepError, QuarantineQueue};
pub use receive::Receiver;
pub use replay::Replay;
pub use sessions_api::SessionsApi;
pub use table::{Page, Payload, Recorded, SessionsTable, TableError};
pub use token_endpoint::token_endpoint;
