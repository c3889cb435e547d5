//! The tests of the simulation, in one program: linked once, and side by side.

mod calls;
mod consumer;
mod crash_points;
mod faults;
mod frozen_drainer;
mod full_records;
mod genuine_webhooks;
mod growth;
mod histories;
mod intake;
mod lists;
mod many_subjects;
mod read_committed;
mod resends;
mod secrets;
mod sequence_base;
mod stored_items;
mod support;
mod treezor_parts;
mod wake_up;
mod write_units;

use std::{collections::BTreeSet, fs};

/// A file that isn't named above would be no test at all.
#[test]
fn every_file_of_tests_is_among_them() {
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).expect("the folder of this file");
    let found: BTreeSet<_> = files
        .map(|file| file.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .filter(|name| name != "main")
        .collect();
    let named = include_str!("main.rs").lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    assert_eq!(named.map(str::to_owned).collect::<BTreeSet<_>>(), found);
}
