//! `POST /treezor`: all of Treezor's webhooks.

use verdict_pipeline::{Environment, Error, Receiver, gateway};
use verdict_webhooks::treezor::Treezor;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let receiver = Receiver::new(
        environment.credentials("TREEZOR_CREDENTIALS", Treezor::from_json)?,
        environment.processor()?,
        environment.intake_queue()?,
        environment.quarantine_queue()?,
    );
    gateway::serve(async |request| receiver.receive(request).await).await
}
