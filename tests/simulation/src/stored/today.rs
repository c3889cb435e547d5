//! The fixtures as today's code writes them.

use super::{
    EXPECTED, Fixtures, TABLE,
    stories::{self, Story},
};
use crate::{
    Call, DynamoDb, Fault, Service, Webhook, World, simulate,
    world::{DECISIONS, INTAKE, QUARANTINE, SESSION, WAKE_UP},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use verdict_pipeline::TableError;
use verdict_sessions::{SessionKey, Timestamp};

/// The seed of every run.
pub(super) const SEED: u64 = 1;

/// Longer than an outbox entry is left to the function that wrote it.
const RELAY_IS_DUE: Duration = Duration::from_secs(15);

/// Makes all fixtures: runs the functions with fixed times and ids, and reads what they leave in the table and the
/// queues.
///
/// # Panics
/// If a function answers otherwise than a story expects.
#[must_use]
pub fn today() -> Fixtures {
    let mut fixtures = Fixtures::default();
    for story in stories::sessions() {
        simulate(SEED, async |world| {
            add_session(&mut fixtures, &world, &story).await;
            if story.name == stories::WOKEN {
                fixtures.insert(format!("wake-up/{}.json", story.name), only_message(&world, WAKE_UP));
            }
        });
        for (number, webhook) in (1..).zip(story.webhooks()) {
            let message = simulate(SEED, async |world| spooled(&world, webhook).await);
            fixtures.insert(format!("copies/{}-{number}.json", story.name), message);
        }
    }
    for (name, webhook) in stories::spooled() {
        simulate(SEED, async |world| add_spooled(&mut fixtures, &world, name, &webhook).await);
    }
    simulate(SEED, async |world| {
        world.confirm_decisions(true);
        let webhook = stories::unconfirmed("5f0c7a3e0000400080000008");
        add_spooled(&mut fixtures, &world, "incode-to-be-confirmed", &webhook).await;
    });
    for (name, webhook) in stories::quarantined() {
        simulate(SEED, async |world| add_quarantined(&mut fixtures, &world, name, &webhook).await);
    }
    simulate(SEED, async |world| {
        world.request_rebuild(stories::rebuilt());
        fixtures.insert("intake/rebuild/message.json".to_owned(), only_message(&world, INTAKE));
    });
    simulate(SEED, async |world| {
        world.request_resend(stories::resent(), 2, Some("request-2"));
        fixtures.insert("intake/resend/message.json".to_owned(), only_message(&world, INTAKE));
    });
    fixtures.insert("wake-up/request.json".to_owned(), format!("{}\n", stories::POLL_REQUEST));
    fixtures
}

/// A session and its events, as callers of the sessions API see them.
///
/// # Errors
/// [`TableError`].
///
/// # Panics
/// If there is no such session.
pub async fn as_read(world: &World, key: &SessionKey) -> Result<Value, TableError> {
    let table = world.table();
    let session = table.session(key).await?.unwrap_or_else(|| panic!("there is no {key}"));
    let events = table.events(key, None).await?.expect("no cursor is refused");
    assert_eq!(events.next, None, "{key} has more events than one page");
    let events: Vec<_> = events.items.iter().map(|event| json!(event.view())).collect();
    Ok(json!({"session": session.view(), "events": events}))
}

/// Adds the items that a story leaves, and the session's messages on the decisions queue.
pub(super) async fn add_session(fixtures: &mut Fixtures, world: &World, story: &Story) {
    story.run(world).await;
    let (partitions, other): (BTreeMap<_, _>, BTreeMap<_, _>) =
        partitions(world).into_iter().partition(|(pk, _)| pk.starts_with(SESSION));
    for (name, item) in other.into_values().flat_map(named) {
        fixtures.insert_json(format!("polls/{name}.json"), &item);
    }
    let (mut partitions, bindings): (BTreeMap<_, _>, BTreeMap<_, _>) =
        partitions.into_iter().partition(|(_, items)| items.iter().any(|item| item["sk"]["S"] == "STATE"));
    // What a payload is bound to may stand in the partition of a session that isn't there: it goes with the first that
    // is.
    if let Some((_, first)) = partitions.iter_mut().next() {
        first.extend(bindings.into_values().flatten());
    }
    let several = partitions.len() > 1;
    for (number, (pk, items)) in (1..).zip(partitions) {
        let folder = if several { format!("{}-{number}", story.name) } else { story.name.to_owned() };
        for (name, item) in named(items) {
            fixtures.insert_json(format!("{TABLE}/{folder}/{name}.json"), &item);
        }
        let expected = as_read(world, &session_key(&pk)).await.unwrap();
        fixtures.insert_json(format!("{TABLE}/{folder}/{EXPECTED}.json"), &expected);
    }
    world.network.mend();
    world.pass(RELAY_IS_DUE).await;
    world.run_relay().await.unwrap();
    for (number, message) in (1..).zip(world.network.with_sqs(|sqs| sqs.accepted(DECISIONS))) {
        fixtures.insert(format!("decisions/{}-{number}.json", story.name), format!("{}\n", message.body));
    }
}

/// Delivers a webhook while the table is out, and returns the message that then waits on intake.
async fn spooled(world: &World, webhook: &Webhook) -> String {
    world.network.fail(|call: &Call| (call.service == Service::DynamoDb).then_some(Fault::FailBefore));
    assert_eq!(stories::deliver(world, webhook).await, "spooled", "{}", webhook.path);
    only_message(world, INTAKE)
}

/// Adds a message on intake, and the sessions that it is recorded as.
async fn add_spooled(fixtures: &mut Fixtures, world: &World, name: &str, webhook: &Webhook) {
    fixtures.insert(format!("intake/{name}/message.json"), spooled(world, webhook).await);
    world.network.mend();
    assert!(world.settle().await, "{name}");
    let mut expected = BTreeMap::new();
    for session in partitions(world).keys().map(|pk| session_key(pk)) {
        expected.insert(session.to_string(), as_read(world, &session).await.unwrap());
    }
    fixtures.insert_json(format!("intake/{name}/{EXPECTED}.json"), &json!(expected));
}

async fn add_quarantined(fixtures: &mut Fixtures, world: &World, name: &str, webhook: &Webhook) {
    assert_eq!(stories::deliver(world, webhook).await, "quarantined", "{name}");
    fixtures.insert(format!("quarantine/{name}.json"), only_message(world, QUARANTINE));
}

/// The body of the one message in a queue.
fn only_message(world: &World, queue: &str) -> String {
    let held = world.network.with_sqs(|sqs| sqs.held(queue));
    let [body] = &held[..] else { panic!("{queue} holds {} messages", held.len()) };
    format!("{body}\n")
}

/// The items of each session, by partition key.
fn partitions(world: &World) -> BTreeMap<String, Vec<Value>> {
    let mut partitions: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for item in world.network.with_dynamodb(DynamoDb::typed_items) {
        let pk = item["pk"]["S"].as_str().unwrap().to_owned();
        partitions.entry(pk).or_default().push(Value::Object(item));
    }
    partitions
}

fn session_key(pk: &str) -> SessionKey {
    let (provider, id) = pk.strip_prefix(SESSION).unwrap().split_once('/').unwrap();
    SessionKey { provider: provider.parse().unwrap(), session_id: id.to_owned().try_into().unwrap() }
}

/// Each item under its sort key, with the event's number, by arrival, in place of its id.
fn named(items: Vec<Value>) -> Vec<(String, Value)> {
    let mut events: Vec<_> = items.iter().filter_map(arrival).collect();
    events.sort();
    let number = |id: &str| events.iter().position(|(_, of)| of == id).map_or(0, |place| place + 1);
    let name = |item: &Value| match item["sk"]["S"].as_str().unwrap().split_once('#') {
        Some((sort @ ("EVENT" | "PAYLOAD" | "BOUND"), id)) => format!("{sort}-{}", number(id)),
        Some((sort, sequence)) => format!("{sort}-{sequence}"),
        None => item["sk"]["S"].as_str().unwrap().to_owned(),
    };
    let names: Vec<String> = items.iter().map(name).collect();
    names.into_iter().zip(items).collect()
}

/// An event's arrival and its id.
fn arrival(item: &Value) -> Option<(Timestamp, String)> {
    let id = item["sk"]["S"].as_str()?.strip_prefix("EVENT#")?;
    Some((Timestamp::parse(item["event"]["M"]["receivedAt"]["S"].as_str()?)?, id.to_owned()))
}
