//! What takes long: a drainer that is frozen while others go on, a consumer that holds a message, a table that is out
//! for an hour.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use tokio::{
    join,
    time::{Instant, sleep_until},
};
use verdict_sessions::{Outcome, Provider, Session};
use verdict_simulation::{
    Call, Fault, Service, Sqs, Webhook, World, frozen,
    model::{self, Fact},
    simulate,
};

/// Longer than SQS knows a copy for one, or a call waits.
const FREEZE: Duration = Duration::from_mins(6);

const SESSION: &str = "veriff/s";

fn out(service: Service, fault: Fault) -> impl FnMut(&Call) -> Option<Fault> + Send + 'static {
    move |call| (call.service == service).then_some(fault)
}

/// The session's decision number `n`, which counts from now.
fn decision(world: &World, n: u32) -> Webhook {
    let outcome = if n.is_multiple_of(2) { Outcome::Approved } else { Outcome::Declined };
    Webhook::decision(Provider::Veriff, "s", outcome, world.clock.now(), &n.to_string())
}

async fn decide(world: &World, n: u32) {
    assert_eq!(world.deliver(&decision(world, n)).await.status(), 200);
}

/// Two decisions are committed and not published, and the relay may take them on.
async fn leave_two_in_the_outbox(world: &World) {
    world.network.fail(out(Service::Sqs, Fault::FailBefore));
    decide(world, 1).await;
    world.pass(Duration::from_secs(1)).await;
    decide(world, 2).await;
    world.network.mend();
    world.pass(Duration::from_secs(15)).await;
    assert_eq!(world.record(SESSION).outbox.len(), 2);
}

/// Newer decisions are committed, and everything is published, until the frozen one is back.
async fn others_go_on(world: &World) {
    world.pass(Duration::from_secs(1)).await;
    decide(world, 3).await;
    world.pass(Duration::from_secs(330)).await;
    decide(world, 4).await;
    let _ = world.run_relay().await;
    world.pass(FREEZE).await;
}

/// Sees to it that everything is published, that new ids came in order, and says how many were repeated.
async fn repeated(world: &World, point: usize) -> usize {
    assert!(world.settle().await, "frozen at {point}");
    let due = world.record(SESSION).session.unwrap()["notifications"].as_u64().unwrap();
    let published = world.published();
    let mut known = BTreeSet::new();
    let new: Vec<u64> = published
        .iter()
        .map(|event| event["data"]["sequence"].as_u64().unwrap())
        .filter(|n| known.insert(*n))
        .collect();
    assert_eq!(new, (1..=due).collect::<Vec<_>>(), "frozen at {point}");
    published.len() - new.len()
}

/// Freezes a function wherever it waits, one point after the other: `run` says whether it got that far. Says how many
/// points there were, and at how many of them an id was repeated.
fn freeze_everywhere(run: &impl AsyncFn(&World, usize) -> bool) -> (usize, usize) {
    let mut repetitions = 0;
    for point in 1.. {
        let (was_frozen, repeated) = simulate(1, async |world| {
            let was_frozen = run(&world, point).await;
            (was_frozen, repeated(&world, point).await)
        });
        if !was_frozen {
            return (point - 1, repetitions);
        }
        repetitions += usize::from(repeated > 0);
    }
    unreachable!("a run ends")
}

#[test]
fn a_relay_that_is_frozen_repeats_at_worst() {
    let (points, repetitions) = freeze_everywhere(&async |world, point| {
        leave_two_in_the_outbox(world).await;
        let ((_, was_frozen), ()) = join!(frozen(world.run_relay(), point, FREEZE), others_go_on(world));
        was_frozen
    });
    assert!(points > 20, "{points}");
    assert!(repetitions > 0, "no freeze was long enough to repeat anything");
}

#[test]
fn a_webhook_that_is_frozen_while_it_publishes_repeats_at_worst() {
    let (points, repetitions) = freeze_everywhere(&async |world, point| {
        leave_two_in_the_outbox(world).await;
        let webhook = decision(world, 7);
        let ((_, was_frozen), ()) = join!(frozen(world.deliver(&webhook), point, FREEZE), others_go_on(world));
        was_frozen
    });
    assert!(points > 10, "{points}");
    assert!(repetitions > 0, "no freeze was long enough to repeat anything");
}

/// What a consumer of decisions is given: which sessions' messages, and the first one's receipt.
fn receive(world: &World, at_most: usize) -> Vec<(String, Value)> {
    let request = json!({"QueueUrl": Sqs::url("DecisionsQueue"), "MaxNumberOfMessages": at_most});
    let answer = world.network.with_sqs(|sqs| sqs.answer("ReceiveMessage", request.to_string().as_bytes()));
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let id = |body: &Value| {
        serde_json::from_str::<Value>(body.as_str().unwrap()).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    messages.iter().map(|message| (id(&message["Body"]), message["ReceiptHandle"].clone())).collect()
}

fn ids(received: &[(String, Value)]) -> Vec<&str> {
    received.iter().map(|(id, _)| id.as_str()).collect()
}

#[test]
fn a_consumer_that_holds_a_message_holds_up_its_session_alone() {
    simulate(1, async |world| {
        for (session, outcome) in [("a", Outcome::Review), ("a", Outcome::Approved), ("b", Outcome::Declined)] {
            let webhook = Webhook::decision(Provider::Veriff, session, outcome, world.clock.now(), "1");
            assert_eq!(world.deliver(&webhook).await.status(), 200);
            world.pass(Duration::from_secs(1)).await;
        }
        let held = receive(&world, 1);
        assert_eq!(ids(&held), ["veriff/a/1"]);
        assert_eq!(ids(&receive(&world, 10)), ["veriff/b/1"]);
        assert_eq!(ids(&receive(&world, 10)), [""; 0]);
        let done = json!({"QueueUrl": Sqs::url("DecisionsQueue"), "ReceiptHandle": held[0].1});
        world.network.with_sqs(|sqs| sqs.answer("DeleteMessage", done.to_string().as_bytes()));
        assert_eq!(ids(&receive(&world, 10)), ["veriff/a/2"]);
    });
}

/// Nobody sends these again, so all of them have to be taken in while the table is out.
#[test]
fn five_hundred_events_of_wultra_outlast_an_hour_without_the_table() {
    const EVENTS: u32 = 500;
    const OUTAGE: Duration = Duration::from_hours(1);
    for fault in [Fault::FailBefore, Fault::Stalled, Fault::Throttled] {
        simulate(1, async |world| {
            world.network.fail(out(Service::DynamoDb, fault));
            let start = Instant::now();
            let sending = async {
                let mut sent = Vec::new();
                for n in 0..EVENTS {
                    let outcome = if n.is_multiple_of(3) { Outcome::Failed } else { Outcome::Approved };
                    let arrived_at = world.clock.now();
                    let webhook = Webhook::decision(Provider::Wultra, &n.to_string(), outcome, arrived_at, "");
                    let answer = world.deliver(&webhook).await;
                    assert_eq!(answer.status(), 200, "{fault:?}");
                    assert_eq!(answer.header("x-verdict-outcome"), Some("spooled"), "{fault:?}");
                    sent.push((webhook.claims[0].clone(), arrived_at));
                    sleep_until(start + OUTAGE / EVENTS * (n + 1)).await;
                }
                sent
            };
            let replaying = async {
                while start.elapsed() < OUTAGE {
                    world.run_replay().await;
                    world.pass(Duration::from_secs(5)).await;
                }
            };
            let (sent, ()) = join!(sending, replaying);
            assert_eq!(world.network.change_count(), 0, "the table was out");
            world.network.mend();
            assert!(world.settle().await, "{fault:?}");

            let records = world.records();
            assert_eq!(records.len(), sent.len(), "{fault:?}");
            for (claim, arrived_at) in sent {
                let record = &records[&claim.session];
                let event = record.events.values().next().unwrap();
                let outcome = event["decision"]["outcome"].as_str();
                assert_eq!(outcome, claim.outcome.map(Outcome::as_str), "{fault:?}");
                assert_eq!(event["receivedAt"], json!(arrived_at), "{fault:?}");
                let read = |record: Value| serde_json::from_value::<Session>(record).unwrap();
                let session = read(record.session.clone().unwrap());
                assert_eq!(session, read(model::record(&[Fact::of(event)])), "{fault:?}");
            }
            let ids: BTreeSet<String> = world.published().iter().map(|event| event["id"].to_string()).collect();
            assert_eq!((ids.len(), world.published().len()), (500, 500), "{fault:?}");
            assert_eq!((world.waiting().len(), world.quarantined().len()), (0, 0), "{fault:?}");
        });
    }
}
