//! A few thousand histories against the model, and what was exercised in them. `make sim` lives through more.

use std::io::{self, Write as _};
use verdict_simulation::{DynamoDb, History, histories, history, history_on};

/// As many as a debug build on two busy cores lives through in about a minute.
const HISTORIES: u64 = 3000;

/// The seed is the same each time: what fails here fails again.
const SEED: u64 = 1;

/// What has to have happened, so that one sees that nothing has quietly stopped happening.
const EXERCISED: [&str; 46] = [
    "decisions of one time",
    "checks of one time",
    "captures beside results",
    "blank times",
    "several reasons",
    "calls",
    "webhooks",
    "deliveries",
    "recorded",
    "duplicate",
    "spooled",
    "quarantined",
    "failed",
    "no answer",
    "given up",
    "crashes",
    "freezes",
    "outages",
    "rebuilds",
    "relay runs",
    "replay runs",
    "notifications",
    "decisions told",
    "checks told",
    "checks that left a record",
    "copies of notifications",
    "bases",
    "restores",
    "flips",
    "poller runs",
    "answers of Incode",
    "unconfirmed",
    "fault: failed before",
    "fault: answer lost",
    "fault: throttled",
    "fault: cancelled by throttling",
    "fault: cancelled by conflict",
    "fault: stalled",
    "fault: stalled, applied",
    "fault: applied late",
    "fault: cut mid body",
    "fault: server error",
    "fault: server error, applied",
    "fault: credentials expired",
    "fault: found invalid",
    "fault: processed in part",
];

#[test]
fn every_history_ends_as_the_model_has_it() {
    // Not by the macros: the counts are to be seen where all goes well, too.
    let mut terminal = io::stderr();
    let tally = histories(SEED, HISTORIES, 2, |index, history| {
        let History { violations, trace, .. } = history;
        assert!(violations.is_empty(), "make sim SEED={SEED} HISTORY={index}: {violations:#?}\n{trace:#?}");
    });
    for (name, count) in &tally.counts.0 {
        writeln!(terminal, "{count:>12} {name}").unwrap();
    }
    writeln!(terminal, "{tally}").unwrap();
    assert_eq!(tally.violations, 0);
    let silent: Vec<_> =
        EXERCISED.iter().filter(|name| tally.counts.0.get(**name).is_none_or(|count| *count == 0)).collect();
    assert!(silent.is_empty(), "never happened: {silent:?}");
}

#[test]
fn the_same_seed_gives_the_same_histories_on_any_number_of_threads() {
    let line = |seed, threads| histories(seed, 40, threads, |_, _| {}).to_string();
    assert_eq!(line(7, 1), line(7, 3));
    assert_ne!(line(7, 1), line(8, 1));
}

/// The plain table, on which histories are fast, answers as the emulator does: or they would not go the same way.
#[test]
fn a_history_goes_the_same_way_on_the_emulator() {
    for seed in 0..60 {
        let (plain, emulated) = (history(seed), history_on(DynamoDb::with_sessions_table("sessions"), seed));
        assert_eq!(plain.trace, emulated.trace, "{seed}");
        assert_eq!((plain.digest, plain.counts), (emulated.digest, emulated.counts), "{seed}");
    }
}
