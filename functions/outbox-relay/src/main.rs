//! Every minute: publishes notifications that a crashed function left in the outbox.

use verdict_pipeline::{Environment, Error, cron};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let relay = environment.relay()?;
    environment.connect().await?;
    cron::serve(async |invocation| relay.run(invocation.now, invocation.deadline).await).await
}
