//! `POST /incode/{webhook}`: all of Incode's webhooks, each kind on a path of its own.

use verdict_pipeline::{Environment, Error, Receiver, gateway};
use verdict_webhooks::incode::Incode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let incode = environment.credentials("INCODE_CREDENTIALS", Incode::from_json)?;
    let processor = environment.processor()?.with_polls(incode.api().is_some());
    let receiver = Receiver::new(incode, processor, environment.intake_queue()?, environment.quarantine_queue()?);
    gateway::serve(async |request| receiver.receive(request).await).await
}
