//! SQS `intake`: records the genuine webhooks that could not be stored when they came, and rebuilds sessions.

use verdict_pipeline::{Environment, Error, Replay};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    // Whether Incode is polled, the poller knows: without credentials for the API it leaves the schedule alone.
    let processor = environment.processor()?.with_polls(true);
    Replay::new(processor, environment.intake_queue()?, environment.quarantine_queue()?).serve().await
}
