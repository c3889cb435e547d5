//! Items and messages of every release: today's code must read them, and write them again with every member and value
//! kept.
//!
//! The fixtures are in `tests/stored/`; its README.md says how they are made, and what to do if a test here fails.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

mod messages;
mod reading;
mod rebuilds;
mod today;
mod writing;

use serde_json::Value;
use std::{collections::BTreeMap, fmt::Display, time::Duration};
use verdict_sessions::{SessionId, SessionKey};
use verdict_simulation::{
    DynamoDb, World, simulate,
    stored::{Fixtures, Partition, lost, releases},
};

/// The time at which the fixtures are read, counted from the first arrival in them: everything that waits is due, and
/// the poller hasn't given anything up.
const LATER: Duration = Duration::from_hours(2);

/// The number of problems that a failure shows.
const SHOWN: usize = 10;

/// The objections of a check.
type Problems = Vec<String>;

/// Runs a check on every release's fixtures, and fails with all that it objects to.
fn on_every_release(check: impl Fn(&Fixtures) -> Problems) {
    let mut problems = Vec::new();
    for release in releases() {
        let found = check(&Fixtures::of(&release));
        problems.extend(found.into_iter().map(|problem| format!("tests/stored/{release}/{problem}")));
    }
    assert!(problems.is_empty(), "{}", shown(&problems));
}

/// Problems as text. A change of form concerns many items at once, so the first few are enough.
fn shown(problems: &[String]) -> String {
    let first = problems.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
    match problems.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first}\nand {more} more"),
    }
}

/// Runs a check on every session of every release, in a world whose table holds all of the release's items.
fn on_every_session(check: &impl AsyncFn(&World, &Partition) -> Problems) {
    on_every_release(|fixtures| {
        with_items(fixtures, async |world, partitions| {
            let mut problems = Vec::new();
            for partition in partitions {
                let found = check(&world, &partition).await;
                problems.extend(found.into_iter().map(|problem| format!("table/{}: {problem}", partition.name)));
            }
            problems
        })
    });
}

/// Runs something in a world whose table holds a release's items.
fn with_items<T>(fixtures: &Fixtures, run: impl AsyncFnOnce(World, Vec<Partition>) -> T) -> T {
    simulate(1, async |world| {
        let partitions = fixtures.partitions();
        assert!(!partitions.is_empty());
        world.network.with_dynamodb(|table| partitions.iter().for_each(|partition| partition.put(table)));
        world.pass(LATER).await;
        run(world, partitions).await
    })
}

/// Returns true for the fixtures of the newest release, which today's code must read as its own.
fn is_newest(fixtures: &Fixtures) -> bool {
    *fixtures == newest()
}

/// The fixtures of the newest release.
fn newest() -> Fixtures {
    Fixtures::of(&releases().pop().unwrap())
}

/// The losses between two values, each with the place of the value.
fn lost_at(place: impl Display, before: &Value, after: &Value) -> Problems {
    lost(before, after).iter().map(|lost| format!("{place}: {lost}")).collect()
}

/// The paths of losses.
fn paths(lost: &[String]) -> Vec<&str> {
    lost.iter().map(|lost| lost.split_once(": ").unwrap().0).collect()
}

/// The session that an item belongs to.
fn session_of(item: &Value) -> SessionKey {
    key(item["pk"]["S"].as_str().unwrap().strip_prefix("SESSION#").unwrap())
}

/// The session that `{provider}/{sessionId}` names.
fn key(text: &str) -> SessionKey {
    let (provider, id) = text.split_once('/').unwrap();
    SessionKey { provider: provider.parse().unwrap(), session_id: SessionId::new(id).unwrap() }
}

/// The items in the table, by partition and sort key.
fn contents(world: &World) -> BTreeMap<(String, String), Value> {
    let items = world.network.with_dynamodb(DynamoDb::typed_items).into_iter().map(Value::Object);
    items.map(|item| (place(&item), item)).collect()
}

/// An item's partition and sort key.
fn place(item: &Value) -> (String, String) {
    let [pk, sk] = ["pk", "sk"].map(|name| item[name]["S"].as_str().unwrap().to_owned());
    (pk, sk)
}
