//! The benchmark's measuring part: starts built functions, and whatever is compared with them, under a Lambda Runtime API
//! and with an AWS on this machine, and says what they took.
//!
//! Tasks come on standard input, and what was measured goes to standard output: JSON, an object in each line, whose `kind`
//! says what it is. The Python package beside it (`python -m bench`) writes the tasks, and makes tables of the results.
//!
//! | task | what is measured | results |
//! |---|---|---|
//! | `lives` | processes of several programs in turns, each from its start to its end | `start`, `phase`, `failed` |
//! | `burst` | many events at once, over several processes | `burst` |
//! | `instructions` | what callgrind counts of one event, for a program that a script runs under it | `instructions`, `failed` |
//!
//! `LOGS` is a folder for the processes' logs, without which they go nowhere.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool: what can't be ends it, and it speaks on the terminal"
)]
#![expect(clippy::cast_precision_loss, reason = "counts and sizes that are measured are far below 2^52")]

mod aws;
mod burst;
mod expression;
mod instructions;
mod lives;
mod table;

use aws::Aws;
use burst::Burst;
use instructions::Instructions;
use lives::Lives;
use serde::{Deserialize, Serialize};
use std::io;

/// A line of standard input.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Task {
    Lives(Lives),
    Burst(Burst),
    Instructions(Instructions),
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let aws = Aws::start().await;
    for line in io::stdin().lines() {
        match serde_json::from_str(&line.unwrap()).expect("a task") {
            Task::Lives(lives) => lives.measure(&aws).await,
            Task::Burst(burst) => burst.measure(&aws).await,
            Task::Instructions(instructions) => instructions.measure(&aws).await,
        }
    }
}

fn tell(result: &impl Serialize) {
    println!("{}", serde_json::to_string(result).unwrap());
}
