//! For `make contract`: messages, records and events as readers see them, one in each line of standard output, from the
//! histories of a seed (`SEED`, default: 1) until there are enough of each (`COUNT`, default: 1000).

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{self, BufWriter, Write as _},
    os::fd::AsFd as _,
};
use verdict_sessions::{Session, SessionEvent};
use verdict_simulation::{DynamoDb, World, after_history, seed_of};

/// The kinds, by which each line names what it holds.
const KINDS: [&str; 3] = ["message", "session", "event"];

fn main() -> io::Result<()> {
    let mut lines = BufWriter::new(take_standard_output()?);
    let (seed, enough) = (number("SEED").unwrap_or(1), number("COUNT").unwrap_or(1000));
    let mut counts = BTreeMap::from(KINDS.map(|kind| (kind, 0)));
    for index in 0.. {
        if counts.values().all(|count| *count >= enough) {
            break;
        }
        for (kind, value) in after_history(DynamoDb::with_plain_sessions_table(), seed_of(seed, index), seen) {
            writeln!(lines, "{}", json!({ kind: value }))?;
            *counts.entry(kind).or_default() += 1;
        }
    }
    lines.flush()
}

/// All that readers see of a world.
fn seen(world: &World) -> Vec<(&'static str, Value)> {
    let mut seen: Vec<_> = world.published().into_iter().map(|message| ("message", message)).collect();
    for record in world.records().into_values() {
        seen.extend(record.session.map(|session| ("session", json!(read::<Session>(session).view()))));
        seen.extend(record.events.into_values().map(|event| ("event", json!(read::<SessionEvent>(event).view()))));
    }
    seen
}

#[expect(clippy::panic, reason = "what was stored is readable")]
fn read<T: DeserializeOwned>(stored: Value) -> T {
    serde_json::from_value(stored).unwrap_or_else(|error| panic!("not readable: {error}"))
}

/// The functions print a line for each delivery on standard output. That goes nowhere here; what was standard output is
/// ours.
fn take_standard_output() -> io::Result<File> {
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
    Ok(File::from(output))
}

/// What a variable of the environment says, if it is a number.
fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.trim().parse().ok()
}
