//! Every minute, and SQS `wake-up`: asks Incode about sessions that have gone quiet or wait for a decision.

mod incode_api;

use incode_api::IncodeApi;
use verdict_pipeline::{Environment, Error, cron};
use verdict_sessions::Provider;
use verdict_webhooks::incode::Incode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let incode = environment.credentials(Provider::Incode, Incode::from_json)?;
    let poller = environment.poller(incode.api().map(IncodeApi::new).transpose()?)?;
    cron::serve_with_queue(
        async |now, deadline| poller.run(now, deadline).await,
        async |batch, now, deadline| poller.take(batch, now, deadline).await,
    )
    .await
}
