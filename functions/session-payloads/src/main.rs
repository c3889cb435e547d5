//! `GET /sessions/…/payload`: reads the minimised payload of an event. The routes carry the IAM authorizer.
//!
//! A function of its own, since payloads hold personal data: readers of records need not see them.

mod routes;

use routes::SessionPayloads;
use verdict_pipeline::{Environment, Error, gateway};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let payloads = SessionPayloads::new(environment.sessions_table()?);
    environment.connect().await?;
    gateway::serve(async |request| payloads.answer(request).await).await
}
