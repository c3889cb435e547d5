//! Every minute: publishes what a function that died after its commit left in the outbox.

use verdict_pipeline::{Environment, Error, outbox, schedule};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let (table, decisions) = (environment.sessions_table()?, environment.decisions_queue()?);
    schedule::serve(async |now, deadline| outbox::relay(&table, &decisions, now, deadline).await).await
}
