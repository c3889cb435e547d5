//! Functions that a schedule starts.

use crate::{Deadline, clock};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use std::time::Duration;
use verdict_sessions::Timestamp;

/// How long a run may take: the next one is a minute away.
const BUDGET: Duration = Duration::from_secs(45);

/// Runs `work` for every tick of the schedule until Lambda ends the process.
///
/// # Errors
/// When the Lambda Runtime API can't be reached. An error of `work` fails that run alone, so that
/// Lambda counts it.
pub async fn serve<W, E>(work: W) -> Result<(), Error>
where
    W: AsyncFn(Timestamp, Deadline) -> Result<(), E>,
    E: std::error::Error + Send + Sync + 'static,
{
    let work = &work;
    let run = async |tick: LambdaEvent<IgnoredAny>| {
        Box::pin(work(clock::now(), clock::deadline(&tick.context, BUDGET))).await.map_err(Error::from)
    };
    lambda_runtime::run(service_fn(run)).await
}
