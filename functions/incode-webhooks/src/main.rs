//! `POST /incode/{webhook}`: all of Incode's webhooks, each kind on a path of its own.

use verdict_pipeline::{Environment, Error, gateway};
use verdict_webhooks::incode::Incode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let receiver = environment.receiver(Incode::from_json).await?;
    gateway::serve(async |request| receiver.receive(request).await).await
}
