//! Says what a rebuild of sessions would change, for an operator who asks. Its role can only read.

use verdict_pipeline::{Environment, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    environment.rebuild_preview()?.serve().await
}
