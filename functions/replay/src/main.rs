//! SQS `intake`: records the genuine webhooks that could not be stored when they came, rebuilds sessions, and sends
//! messages again.

use verdict_pipeline::{Environment, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let replay = environment.replay()?;
    environment.connect().await?;
    replay.serve().await
}
