//! The soak: the functions' own binaries under load for a long time, while calls fail, stores go away and processes are
//! killed. In the end nothing may be lost, wrong, doubled or backwards, and no process may have grown.
//!
//! With `ATTACK`, the name of an attack, it instead tries that on the functions: see `attack`.
//!
//! With `MEASURE`, the name of a measurement, it instead measures what the functions take: see `measure`.
//!
//! With `BEFORE`, a folder with the functions of an earlier release, it instead runs that release and today's side by side
//! on one table and queues: see `side_by_side`.
//!
//! `WEBHOOKS` is how many are sent, `FAULTS` the share of calls to the stores that go wrong, `SEED` what stories are made
//! from, `BINARIES` the folder of the functions, where that is not this binary's own, `LOGS` a folder for their logs.
//!
//! One process holds it all: the stores and Lambda's Runtime API over HTTP, providers, consumer and the reckoning. What
//! it keeps in memory is the table, and a few numbers for each webhook.
//!
//! `tests/bench` uses the public modules: Lambda's Runtime API, HTTP over TLS, and what the kernel says of a process.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool: what can't be ends it, and it speaks on the terminal"
)]
#![expect(clippy::cast_precision_loss, reason = "counts and sizes that are measured are far below 2^52")]

mod attack;
mod audit;
pub mod certificate;
pub mod clock;
mod faults;
pub mod http;
pub mod lambda;
mod ledger;
mod measure;
mod memory;
pub mod meter;
pub mod process;
mod sender;
mod side_by_side;
mod soak;
pub mod statistics;
mod stores;
mod story;
mod violations;

use side_by_side::SideBySide;
use soak::{Settings, Soak};
use std::{env, str::FromStr};
use tokio::signal::unix::{SignalKind, signal};

/// Does what the variables say, and says whether all went well. A signal ends it.
pub async fn run() -> bool {
    let binaries = env::var_os("BINARIES").map_or_else(
        || env::current_exe().unwrap().parent().expect("a binary lies in a folder").to_owned(),
        Into::into,
    );
    let before = env::var_os("BEFORE").filter(|folder| !folder.is_empty());
    let name = |variable| env::var(variable).ok().filter(|name| !name.is_empty());
    let (attack, measurement) = (name("ATTACK"), name("MEASURE"));
    let webhooks = match (&attack, &before) {
        (Some(_), _) => 10_000,
        (None, Some(_)) => 1000,
        (None, None) => 200_000,
    };
    let settings = Settings {
        webhooks: variable("WEBHOOKS", webhooks),
        faults: variable("FAULTS", 0.05),
        seed: variable("SEED", 1),
        binaries,
        logs: env::var_os("LOGS").map(Into::into),
    };
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    // Whatever comes first: what is dropped takes the functions' processes with it.
    let run = async {
        match (attack, measurement, before) {
            (Some(attack), ..) => attack::run(&attack, settings).await,
            (None, Some(measurement), _) => measure::run(&measurement, settings).await,
            (None, None, Some(before)) => SideBySide::run(settings, before.into()).await,
            (None, None, None) => Soak::run(settings).await,
        }
    };
    tokio::select! {
        is_well = run => is_well,
        _ = tokio::signal::ctrl_c() => false,
        _ = terminated.recv() => false,
    }
}

/// A number from a variable, or the default if there is no such variable.
pub fn variable<T: FromStr>(name: &str, default: T) -> T {
    match env::var(name) {
        Err(_) => default,
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    }
}
