//! `POST /veriff/events`: the progress of Veriff's sessions.
//!
//! A function of its own, so that a limit on its concurrency keeps a storm of progress events from
//! starving decisions.

use verdict_pipeline::{Environment, Error, gateway};
use verdict_webhooks::veriff::Veriff;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let receiver = environment.receiver(Veriff::from_json).await?;
    gateway::serve(async |request| receiver.receive(request).await).await
}
