//! `POST /wultra/process/event`: all of Wultra's events.

use verdict_pipeline::{Environment, Error, Receiver, gateway};
use verdict_webhooks::wultra::Wultra;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let receiver = Receiver::new(
        environment.credentials("WULTRA_CREDENTIALS", Wultra::from_json)?,
        environment.processor()?,
        environment.intake_queue()?,
        environment.quarantine_queue()?,
    );
    gateway::serve(async |request| receiver.receive(request).await).await
}
