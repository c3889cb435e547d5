//! `POST /wultra/process/event`: all of Wultra's events.

use verdict_pipeline::{Environment, Error, gateway};
use verdict_webhooks::wultra::Wultra;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let receiver = environment.receiver(Wultra::from_json).await?;
    gateway::serve(async |request| receiver.receive(request).await).await
}
