//! The AWS side: how webhooks get in, where their facts are kept, and how decisions get out.
//!
//! The rooms, from the top down. Each imports only from rooms below it, by the module's path:
//!
//! | room | what it does |
//! |---|---|
//! | `environment` | reads a function's variables and makes its clients and workers |
//! | `polling` | asks a provider's API about sessions that wait |
//! | `deliveries` | receives, records, replays and rebuilds |
//! | `decisions` | publishes notifications, and relays what was left |
//! | `lambda` | turns Lambda's events into requests, and answers into responses |
//! | `secrets` | what was made of credentials, which may be in a secret that changes |
//! | `store` | the table and the queues |
//! | `http` | the HTTP client of the calls to AWS |
//! | `telemetry` | the log and the metrics |
//! | `time` | the wall clock, deadlines, pauses |
//!
//! One webhook's way: `lambda::gateway` takes the event that API Gateway makes of a request; `deliveries::receive` has
//! it proved and answers; `deliveries::record` reads it, records its events in `store::table`, and has
//! `decisions::publisher` send what is due to `store::queues`. What the table can't take waits on the intake queue as a
//! `store::queued_webhook`, for `deliveries::replay`.

mod decisions;
mod deliveries;
mod environment;
mod http;
mod lambda;
mod polling;
mod secrets;
mod store;
pub mod telemetry;
mod time;

pub use decisions::relay::Relay;
pub use deliveries::{
    preview::{self, RebuildPreview},
    receive::Receiver,
    replay::{self, Replay},
};
pub use environment::{Environment, StartError};
pub use lambda::{
    cron,
    doctor::{Doctor, Started},
    gateway,
    path_segment::{event_segment, path_segment},
    query,
};
pub use lambda_runtime::Error;
pub use polling::{
    poller::{Poller, RunError},
    provider_api::{ApiError, ProviderApi},
};
pub use secrets::credentials::{Credentials, Unavailable};
pub use store::{
    aws_error::AwsError,
    queued_webhook::{ForeignMessage, IntakeMessage, QueuedWebhook, RebuildRequest, ResendRequest},
    table::{
        SessionsTable,
        error::TableError,
        items::Payload,
        lookups::{
            Page,
            payload::{FoundPayload, StoredPayload},
            standing::ByStatus,
            told::{History, Told, ToldView},
        },
        outbox::OutboxEntry,
        record::{Due, FirstCopy, Recorded, Source},
    },
};
pub use time::deadline::{Deadline, Elapsed};
