//! `POST /veriff/decisions`: Veriff's decisions, watchlist results and other families.

use verdict_pipeline::{Environment, Error, Receiver, gateway};
use verdict_webhooks::veriff::Veriff;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let receiver = Receiver::new(
        environment.credentials("VERIFF_CREDENTIALS", Veriff::from_json)?,
        environment.processor()?,
        environment.intake_queue()?,
        environment.quarantine_queue()?,
    );
    gateway::serve(async |request| receiver.receive(request).await).await
}
