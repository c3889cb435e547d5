//! Every minute: asks Incode about sessions that have gone quiet or wait for a decision.

use verdict_pipeline::{Environment, Error, Poller, schedule};
use verdict_webhooks::incode::Incode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let incode = environment.credentials("INCODE_CREDENTIALS", Incode::from_json)?;
    let poller = Poller::new(incode.api(), environment.sessions_table()?, environment.decisions_queue()?)?;
    schedule::serve(async |now, deadline| poller.run(now, deadline).await).await
}
