//! The base of sequences: raised after the table was restored to an earlier time, so that what is told from then on is above
//! what consumers have seen, and still in order.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use serde_json::Value;
use std::time::Duration;
use verdict_sessions::{Outcome, Provider};
use verdict_simulation::{Call, DynamoDb, Fault, Service, Webhook, World, simulate, simulate_on};

const SESSION: &str = "veriff/s";
const BASE: u64 = 1000;

async fn decide(world: &World, outcome: Outcome, attempt: &str) {
    let webhook = Webhook::decision(Provider::Veriff, "s", outcome, world.clock.now(), attempt);
    assert_eq!(world.deliver(&webhook).await.status(), 200);
    world.pass(Duration::from_secs(1)).await;
}

fn lose_queues(world: &World) {
    world.network.fail(|call: &Call| (call.service == Service::Sqs).then_some(Fault::FailBefore));
}

/// Lets the relay take on what waits.
async fn relay(world: &World) {
    world.network.mend();
    world.pass(Duration::from_secs(15)).await;
    world.run_relay().await.unwrap();
}

fn sequences(world: &World) -> Vec<u64> {
    world.published().iter().map(|event| event["data"]["sequence"].as_u64().unwrap()).collect()
}

/// What a consumer has handled that follows the one rule.
fn handled(world: &World) -> Vec<(u64, String)> {
    let mut handled: Vec<(u64, String)> = Vec::new();
    for event in world.published() {
        let sequence = event["data"]["sequence"].as_u64().unwrap();
        if handled.last().is_none_or(|(last, _)| sequence > *last) {
            handled.push((sequence, event["data"]["outcome"].as_str().unwrap().to_owned()));
        }
    }
    handled
}

fn of_outbox(world: &World, member: &str) -> Vec<Value> {
    let items = world.network.with_dynamodb(DynamoDb::items);
    let entries = items.into_iter().filter(|item| item["sk"].as_str().unwrap().starts_with("NOTIFICATION#"));
    entries.map(|item| item.get(member).cloned().unwrap_or_default()).collect()
}

#[test]
fn what_is_decided_after_a_restore_is_above_what_the_consumer_saw() {
    for table in [DynamoDb::with_sessions_table("sessions"), DynamoDb::with_plain_sessions_table()] {
        simulate_on(table, 1, async |world| {
            decide(&world, Outcome::Review, "1").await;
            let copy = world.network.snapshot();
            decide(&world, Outcome::Declined, "2").await;
            decide(&world, Outcome::Approved, "3").await;
            world.network.restore(&copy);
            assert_eq!(world.record(SESSION).session.unwrap()["notifications"], 1);

            world.raise_base(BASE);
            decide(&world, Outcome::Declined, "4").await;
            let handled = handled(&world);
            assert_eq!(handled.last().unwrap(), &(BASE + 1, "declined".to_owned()), "{handled:?}");
            decide(&world, Outcome::Approved, "5").await;
            assert_eq!(sequences(&world), [1, 2, 3, BASE + 1, BASE + 2]);
            let record = world.record(SESSION);
            assert_eq!(record.told.keys().copied().collect::<Vec<_>>(), [1, BASE + 1, BASE + 2]);
            assert!(record.outbox.is_empty());
        });
    }
}

/// That is what the base is for.
#[test]
fn without_a_base_the_consumer_would_drop_what_is_decided_after_a_restore() {
    simulate(1, async |world| {
        decide(&world, Outcome::Review, "1").await;
        let copy = world.network.snapshot();
        decide(&world, Outcome::Approved, "2").await;
        world.network.restore(&copy);
        world.pass(Duration::from_mins(6)).await;
        decide(&world, Outcome::Declined, "3").await;
        assert_eq!(handled(&world).last().unwrap(), &(2, "approved".to_owned()));
    });
}

#[test]
fn an_outbox_goes_out_in_order_across_the_jump() {
    simulate(1, async |world| {
        decide(&world, Outcome::Review, "1").await;
        decide(&world, Outcome::Declined, "2").await;
        lose_queues(&world);
        decide(&world, Outcome::Approved, "3").await;
        world.raise_base(BASE);
        decide(&world, Outcome::Declined, "4").await;
        decide(&world, Outcome::Approved, "5").await;
        assert_eq!(world.record(SESSION).outbox.keys().copied().collect::<Vec<_>>(), [3, BASE + 1, BASE + 2]);
        assert_eq!(of_outbox(&world, "follows"), [Value::from(3), Value::Null, Value::Null], "only the jump is told");
        relay(&world).await;
        assert_eq!(sequences(&world), [1, 2, 3, BASE + 1, BASE + 2]);
    });
}

#[test]
fn the_last_before_the_jump_is_published_first_though_a_query_does_not_see_it_yet() {
    simulate(1, async |world| {
        lose_queues(&world);
        decide(&world, Outcome::Review, "1").await;
        world.raise_base(BASE);
        decide(&world, Outcome::Approved, "2").await;
        world.network.hide_from_queries(Some("NOTIFICATION#1"));
        relay(&world).await;
        assert_eq!(sequences(&world), [0; 0]);
        world.network.hide_from_queries(None);
        world.run_relay().await.unwrap();
        assert_eq!(sequences(&world), [1, BASE + 1]);
    });
}

/// The check of the transaction is on the last before the jump, so that it isn't published from memory but drained.
#[test]
fn a_decision_across_the_jump_is_drained_behind_the_last_before_it() {
    simulate(1, async |world| {
        lose_queues(&world);
        decide(&world, Outcome::Review, "1").await;
        world.network.mend();
        world.raise_base(BASE);
        decide(&world, Outcome::Approved, "2").await;
        assert_eq!(sequences(&world), [1, BASE + 1]);
        assert!(world.record(SESSION).outbox.is_empty());
    });
}

/// As while the functions of two deployments run side by side.
#[test]
fn a_function_that_does_not_know_the_base_goes_on_behind_it() {
    simulate(1, async |world| {
        for (attempt, base) in [("1", 0), ("2", BASE), ("3", 0), ("4", BASE), ("5", 7)] {
            world.raise_base(base);
            let outcome = if base == 0 { Outcome::Declined } else { Outcome::Approved };
            decide(&world, outcome, attempt).await;
        }
        assert_eq!(sequences(&world), [1, BASE + 1, BASE + 2, BASE + 3, BASE + 4]);
    });
}
