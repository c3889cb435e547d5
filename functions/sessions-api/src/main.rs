//! `GET /sessions…`: reads session records. The routes carry the IAM authorizer.

mod audit;
mod question;
mod routes;

use routes::SessionsApi;
use verdict_pipeline::{Environment, Error, gateway};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let api = SessionsApi::new(environment.sessions_table()?);
    environment.connect().await?;
    gateway::serve(async |request| api.answer(request).await).await
}
