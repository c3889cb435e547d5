//! `POST /incode/oauth/token`: the token endpoint that Incode calls before it sends webhooks.
//!
//! It reads credentials and nothing else: no table, no queue.

mod token_edge;

use verdict_pipeline::{Environment, Error, gateway};
use verdict_sessions::Provider;
use verdict_webhooks::incode::TokenEndpoint;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let endpoint = environment.credentials(Provider::Incode, TokenEndpoint::from_json).await?;
    gateway::serve(async |request| token_edge::answer(&endpoint, request).await).await
}
