//! `POST /treezor`: all of Treezor's webhooks.

use verdict_pipeline::{Environment, Error, gateway};
use verdict_webhooks::treezor::Treezor;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let receiver = environment.receiver(Treezor::from_json).await?;
    gateway::serve(async |request| receiver.receive(request).await).await
}
