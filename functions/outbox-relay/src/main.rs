//! Every minute: publishes what a function that died after its commit left in the outbox.

use verdict_pipeline::{Environment, Error, schedule};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let relay = environment.relay()?;
    schedule::serve(async |now, deadline| relay.run(now, deadline).await).await
}
