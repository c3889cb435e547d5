//! Attacks on the functions' own binaries that take too long for the tests, each of which prints its figures: `ATTACK=`
//! names one.
//!
//! | `ATTACK` | what it does |
//! |---|---|
//! | `bodies` | sends the worst bodies within each provider's limit, each to a new process, and measures memory and CPU time |
//! | `subjects` | sends webhooks of many subjects, copies of them, and as many webhooks of one, and counts calls, bytes, units and CPU time |
//! | `refusals` | sends forged webhooks of several lengths, and measures what refusing one costs |
//! | `rotation` | rotates each provider's secret in Secrets Manager while genuine and forged webhooks come, takes Secrets Manager away, and puts a version of no use |
//! | `captor` | sends one captured request of Treezor's in thousands of envelopes, 40 at a time, and a genuine refusal in the midst |
//!
//! `LATENCY_MS` is the time that a store takes for an answer, and `DURATION` the seconds of each longer part of `rotation`.

pub(crate) mod bodies;
mod captor;
mod refusals;
mod rotation;
mod subjects;

use crate::{
    faults::Faults,
    http,
    lambda::{Deployment, Failed, Function},
    sender::event,
    soak::{Settings, variables},
    stores::Stores,
    variable,
};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use verdict_sessions::Provider;
use verdict_simulation::Webhook;

/// Runs an attack, tells how it went, and says whether everything held.
pub(crate) async fn run(name: &str, settings: Settings) -> bool {
    match name {
        "bodies" => bodies::run(&settings).await,
        "subjects" => subjects::run(&settings).await,
        "refusals" => refusals::run(&settings).await,
        "captor" => captor::run(&settings).await,
        "rotation" => rotation::run(&settings).await,
        _ => panic!("no attack is called {name}"),
    }
}

/// Empty stores, and functions in front of them.
struct Target {
    stores: Arc<Stores>,
    address: String,
    binaries: PathBuf,
    logs: Option<PathBuf>,
    answering: JoinHandle<std::io::Error>,
}

impl Target {
    async fn new(settings: &Settings) -> Self {
        let stores = Stores::new(Faults::new(0.0, settings.seed)).metered();
        let stores = Arc::new(stores.with_latency(Duration::from_millis(variable("LATENCY_MS", 0))));
        let (listener, address) = http::listen().await;
        let answering = {
            let stores = stores.clone();
            tokio::spawn(http::serve(listener, move |request| stores.clone().answer(request)))
        };
        let (binaries, logs) = (settings.binaries.clone(), settings.logs.clone());
        Self { stores, address, binaries, logs, answering }
    }

    fn function(&self, name: &'static str, timeout: Duration, processes: usize) -> Function {
        self.function_with(name, timeout, processes, variables(&self.address))
    }

    fn function_with(
        &self,
        name: &'static str,
        timeout: Duration,
        processes: usize,
        variables: BTreeMap<String, String>,
    ) -> Function {
        let (binaries, logs) = (self.binaries.clone(), self.logs.clone());
        Function::start(Deployment { name: name.to_owned(), timeout, processes, binaries, variables, logs })
    }

    /// The function that receives a provider's webhooks.
    fn receiver(&self, provider: Provider, processes: usize) -> Function {
        self.receiver_with(provider, processes, variables(&self.address))
    }

    /// The same with variables of its own.
    fn receiver_with(&self, provider: Provider, processes: usize, variables: BTreeMap<String, String>) -> Function {
        let name = match provider {
            Provider::Veriff => "veriff-decisions",
            Provider::Incode => "incode-webhooks",
            Provider::Treezor => "treezor-webhooks",
            Provider::Wultra => "wultra-events",
        };
        self.function_with(name, Duration::from_secs(10), processes, variables)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

/// What `x-verdict-outcome` says of a webhook.
async fn outcome(function: &Function, webhook: &Webhook) -> String {
    let answer = match function.invoke(event(webhook)).await {
        Ok(answer) => serde_json::from_slice(&answer).unwrap_or(Value::Null),
        Err(Failed::Died) => return "died".to_owned(),
        Err(Failed::Said(error)) => return format!("failed: {error}"),
    };
    answer["headers"]["x-verdict-outcome"].as_str().unwrap_or_default().to_owned()
}
