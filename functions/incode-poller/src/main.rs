//! Every minute, and SQS `wake-up`: asks Incode about sessions that have gone quiet or wait for a decision.

mod incode_api;

use incode_api::IncodeApi;
use verdict_pipeline::{Environment, Error, cron};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let tls = environment.tls()?;
    let poller = environment.poller(move |access| IncodeApi::new(access, tls.clone())).await?;
    cron::serve_with_queue(
        async |deadline| poller.check(deadline).await,
        async |invocation| poller.run(invocation).await,
        async |batch, invocation| poller.take(batch, invocation).await,
    )
    .await
}
