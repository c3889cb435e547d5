//! What a webhook, a run of the relay and a run of the poller cost as sessions grow old and many: calls and bytes, counted
//! at the SDK's edge.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]
#![expect(clippy::explicit_write, reason = "what `eprintln!` prints, the test runner keeps to itself")]

use serde_json::{Map, Value, json};
use std::{
    io::{self, Write as _},
    time::Duration,
};
use verdict_sessions::{CheckOutcome, Outcome, Provider, Stage, Timestamp};
use verdict_simulation::{DynamoDb, Fault, Service, Webhook, World, simulate_on};

/// The bytes by which numbers and times of another length change what a webhook sends and receives.
const SLACK: usize = 64;

/// The most bytes that a webhook of a session with all attempts and checks that a record keeps sends and receives: it
/// reads the record and writes it, within DynamoDB's limit for an item each.
const FULL: usize = 2 * 400 * 1024;

/// The calls that something made, and the bytes sent and received by them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cost {
    calls: Vec<String>,
    bytes: usize,
}

async fn cost<T>(world: &World, run: impl Future<Output = T>) -> Cost {
    let before = world.network.call_count();
    run.await;
    let calls = world.network.calls_after(before);
    let bytes = calls.iter().map(|call| call.bytes + call.answer_bytes).sum();
    Cost { calls: calls.into_iter().map(|call| call.operation).collect(), bytes }
}

/// Has one session get webhooks, and returns the cost of those with these numbers, counted from 1.
fn costs_of(noted: [u32; 2], webhook: impl Fn(u32, Timestamp) -> Webhook) -> [Cost; 2] {
    simulate_on(DynamoDb::with_plain_sessions_table(), 1, async |world| {
        let mut costs = Vec::new();
        for number in 1..=noted[1] {
            world.pass(Duration::from_secs(1)).await;
            let webhook = webhook(number, world.clock.now());
            let cost = cost(&world, async { assert_eq!(world.deliver(&webhook).await.status(), 200) }).await;
            if noted.contains(&number) {
                costs.push(cost);
            }
        }
        costs.try_into().unwrap()
    })
}

#[test]
fn a_session_with_a_thousand_events_costs_what_a_young_one_does() {
    let [young, old] = costs_of([11, 1001], |number, now| {
        let outcome = if number % 2 == 0 { Outcome::Approved } else { Outcome::Declined };
        Webhook::decision(Provider::Veriff, "s", outcome, now, "attempt")
    });
    assert_eq!(young.calls, ["BatchGetItem", "TransactWriteItems", "SendMessage", "TransactWriteItems"]);
    assert_eq!(old.calls, young.calls);
    assert!(old.bytes <= young.bytes + SLACK, "{} and {} bytes", young.bytes, old.bytes);
}

#[test]
fn a_session_with_more_attempts_than_a_record_keeps_costs_what_one_that_is_full_does() {
    let [full, old] = costs_of([520, 560], |number, now| {
        Webhook::progress(Provider::Veriff, "s", Stage::Started, now, &format!("attempt-{number:04}"))
    });
    tell("512 attempts", &full);
    assert_eq!((full.calls.len(), &old.calls), (2, &full.calls));
    assert!(old.bytes <= full.bytes + SLACK && full.bytes < FULL, "{} and {} bytes", full.bytes, old.bytes);
}

#[test]
fn a_session_with_more_checks_than_a_record_keeps_costs_what_one_that_is_full_does() {
    let [full, old] = costs_of([70, 140], |number, now| {
        let document = format!("{number:04}");
        Webhook::document_called(&document, "1001", CheckOutcome::Passed, Some(now), 1000)
    });
    tell("64 checks", &full);
    assert_eq!((full.calls.len(), &old.calls), (2, &full.calls));
    assert!(old.bytes <= full.bytes + SLACK && full.bytes < FULL, "{} and {} bytes", full.bytes, old.bytes);
}

#[test]
fn a_run_of_the_relay_costs_what_is_due_and_not_what_is_stored() {
    let [few, many] = [10, 10_000]
        .map(|stored| with_stored(stored, async |world| cost(world, async { world.run_relay().await.unwrap() }).await));
    assert_eq!(few.calls.iter().filter(|call| *call == "SendMessage").count(), DUE);
    assert_eq!(few, many);
}

#[test]
fn a_run_of_the_poller_costs_what_is_due_and_not_what_is_stored() {
    let [few, many] = [10, 10_000].map(|stored| {
        with_stored(stored, async |world| cost(world, async { world.run_poller().await.unwrap() }).await)
    });
    assert!(few.calls.len() > 5, "{few:?}");
    assert_eq!(few, many);
}

/// How many sessions have a message in the outbox, and how many are due to be polled.
const DUE: usize = 5;

/// Runs something in a world in which so many sessions are stored, all told and each on the poll schedule for later,
/// beside the few that are due.
fn with_stored<T>(stored: usize, run: impl AsyncFnOnce(&World) -> T) -> T {
    simulate_on(DynamoDb::with_plain_sessions_table(), 1, async |world| {
        deliver_due(&world).await;
        // One of Veriff's and one of Incode's: what they hold besides is looked at by neither.
        let mut like = world.network.with_dynamodb(DynamoDb::typed_items);
        like.retain(|item| item["sk"]["S"] == "POLL" || item["sk"]["S"] == "STATE");
        like.retain(|item| item["pk"]["S"].as_str().unwrap().ends_with('0'));
        for number in 0..stored / 2 {
            for item in &like {
                world.network.with_dynamodb(|table| table.put(&another(item, number)));
            }
        }
        world.pass(Duration::from_hours(1)).await;
        run(&world).await
    })
}

/// Delivers decisions while no queue answers, so that their messages stay in the outbox, and progress that has to be
/// asked about.
async fn deliver_due(world: &World) {
    world.network.fail(|call| (call.service == Service::Sqs).then_some(Fault::FailBefore));
    let now = world.clock.now();
    for number in 0..DUE {
        let (veriff, incode) = (format!("due-{number}"), format!("{number:024x}"));
        world.deliver(&Webhook::decision(Provider::Veriff, &veriff, Outcome::Approved, now, "attempt")).await;
        world.deliver(&Webhook::progress(Provider::Incode, &incode, Stage::Submitted, now, "flow")).await;
    }
    world.network.mend();
}

/// An item of another session, which isn't due for years.
fn another(item: &Map<String, Value>, number: usize) -> Value {
    let mut item = item.clone();
    let pk = item["pk"]["S"].as_str().unwrap();
    item.insert("pk".to_owned(), json!({"S": format!("{pk}-{number}")}));
    if item.contains_key("dueAt") {
        item.insert("dueAt".to_owned(), json!({"S": "2030-01-01T00:00:00.000000000Z"}));
    }
    Value::Object(item)
}

fn tell(what: &str, cost: &Cost) {
    writeln!(io::stderr(), "a webhook of a session with {what} sends and receives {} bytes", cost.bytes).unwrap();
}
