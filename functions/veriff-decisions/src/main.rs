//! `POST /veriff/decisions`: Veriff's decisions, watchlist results and other families.

use verdict_pipeline::{Environment, Error, gateway};
use verdict_webhooks::veriff::Veriff;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let receiver = environment.receiver(Veriff::from_json).await?;
    gateway::serve(async |request| receiver.receive(request).await).await
}
