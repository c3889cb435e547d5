//! `POST /incode/{webhook}`: all of Incode's webhooks, each kind on a path of its own.

use verdict_pipeline::{Environment, Error, PollSchedule, Receiver, gateway};
use verdict_webhooks::incode::Incode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::start()?;
    let incode = environment.credentials("INCODE_CREDENTIALS", Incode::from_json)?;
    let table = environment.sessions_table()?;
    let polls = PollSchedule::new(table.clone(), incode.api().is_some());
    let receiver =
        Receiver::new(incode, table, environment.decisions_queue()?, environment.quarantine_queue()?).with_polls(polls);
    gateway::serve(async |request| receiver.receive(request).await).await
}
