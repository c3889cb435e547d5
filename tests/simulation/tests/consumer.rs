//! A consumer that follows the one rule, and what it knows in the end: whatever failed, and whatever was redriven from the
//! dead-letter queue.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use serde_json::{Value, json};
use std::time::Duration;
use verdict_sessions::{CheckOutcome, Outcome, Provider};
use verdict_simulation::{Sqs, Webhook, World, simulate};

const QUEUE: &str = "DecisionsQueue";
const DEAD_LETTERS: &str = "DecisionsDeadLetterQueue";
const SESSION: &str = "veriff/s";

/// Longer than a message that was received is hidden.
const HIDDEN: Duration = Duration::from_secs(61);

/// What a consumer keeps of the session: the latest message.
#[derive(Default)]
struct Consumer {
    last: u64,
    data: Value,
    handled: Vec<u64>,
    dropped: Vec<u64>,
}

impl Consumer {
    /// The rule: what is not above the last one that was handled is dropped. It looks at no type.
    fn take(&mut self, data: Value) {
        let sequence = sequence_of(&data);
        if sequence <= self.last {
            self.dropped.push(sequence);
            return;
        }
        self.last = sequence;
        self.data = data;
        self.handled.push(sequence);
    }

    /// Receives until nothing is left. It can't handle the message of that sequence.
    async fn work(&mut self, world: &World, unable: Option<u64>) {
        loop {
            let received = receive(world);
            if received.is_empty() {
                return;
            }
            // Stops at the first message that it can't handle: the later ones of the session come again.
            for (data, receipt) in received {
                if Some(sequence_of(&data)) == unable {
                    break;
                }
                self.take(data);
                call(world, "DeleteMessage", &json!({"QueueUrl": Sqs::url(QUEUE), "ReceiptHandle": receipt}));
            }
            world.pass(HIDDEN).await;
        }
    }

    /// What it believes of the decision and of the checks is what the record has.
    fn knows(&self, world: &World) {
        let session = world.record(SESSION).session.unwrap();
        let decision = &session["decision"]["value"];
        assert_eq!([&self.data["outcome"], &self.data["attemptId"]], [&decision["outcome"], &decision["attemptId"]]);
        let checks = session["checks"].as_object().unwrap().iter();
        let checks: Value = checks.map(|(name, check)| (name.clone(), check["value"]["outcome"].clone())).collect();
        assert_eq!(self.data["checks"], checks);
    }
}

fn sequence_of(data: &Value) -> u64 {
    data["sequence"].as_u64().unwrap()
}

fn call(world: &World, operation: &str, request: &Value) -> Value {
    let answer = world.network.with_sqs(|sqs| sqs.answer(operation, request.to_string().as_bytes()));
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn receive(world: &World) -> Vec<(Value, Value)> {
    let answer = call(world, "ReceiveMessage", &json!({"QueueUrl": Sqs::url(QUEUE), "MaxNumberOfMessages": 10}));
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    let data = |message: &Value| {
        let mut event: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
        (event["data"].take(), message["ReceiptHandle"].clone())
    };
    messages.iter().map(data).collect()
}

fn dead_letters(world: &World) -> Vec<u64> {
    let held = world.network.with_sqs(|sqs| sqs.held(DEAD_LETTERS));
    held.iter().map(|body| sequence_of(&serde_json::from_str::<Value>(body).unwrap()["data"])).collect()
}

async fn decide(world: &World, outcome: Outcome, attempt: &str) {
    send(world, &Webhook::decision(Provider::Veriff, "s", outcome, world.clock.now(), attempt)).await;
}

async fn look_up(world: &World, lists: &[&str]) {
    let outcome = if lists.is_empty() { CheckOutcome::Passed } else { CheckOutcome::Flagged };
    send(world, &Webhook::watchlist("s", outcome, lists, world.clock.now(), "3")).await;
}

async fn check_registry(world: &World) {
    send(world, &Webhook::registry("s", world.clock.now(), "3")).await;
}

async fn send(world: &World, webhook: &Webhook) {
    assert_eq!(world.deliver(webhook).await.status(), 200);
    world.pass(Duration::from_secs(1)).await;
}

/// The consumer can't handle the message of this sequence, which goes to the dead letters after ten receipts; it handles
/// the next one; then the dead letter is redriven.
fn redriven(unable: u64, prepare: impl AsyncFnOnce(&World), next: impl AsyncFnOnce(&World)) -> Vec<u64> {
    simulate(1, async |world| {
        let mut consumer = Consumer::default();
        prepare(&world).await;
        consumer.work(&world, Some(unable)).await;
        assert_eq!(consumer.handled, (1..unable).collect::<Vec<_>>());
        assert_eq!(dead_letters(&world), [unable]);
        next(&world).await;
        consumer.work(&world, None).await;
        consumer.knows(&world);
        assert_eq!(world.network.with_sqs(|sqs| sqs.redrive_dead_letters(DEAD_LETTERS, QUEUE)), 1);
        consumer.work(&world, None).await;
        consumer.knows(&world);
        assert!(dead_letters(&world).is_empty());
        assert_eq!(consumer.dropped, [unable]);
        consumer.handled
    })
}

#[test]
fn a_decision_that_is_redriven_after_a_newer_one_changes_nothing() {
    let prepare = async |world: &World| {
        for (attempt, outcome) in (1..=5).zip([Outcome::Declined, Outcome::Approved].into_iter().cycle()) {
            decide(world, outcome, &attempt.to_string()).await;
        }
    };
    let handled = redriven(5, prepare, async |world| decide(world, Outcome::Approved, "6").await);
    assert_eq!(handled, [1, 2, 3, 4, 6]);
}

/// Message 5 tells of a hit, and message 6 of another check alone: it tells of the hit, too.
#[test]
fn a_check_that_is_redriven_after_another_one_is_known_already() {
    let prepare = async |world: &World| {
        decide(world, Outcome::Review, "1").await;
        decide(world, Outcome::Declined, "2").await;
        decide(world, Outcome::Approved, "3").await;
        look_up(world, &[]).await;
        look_up(world, &["sanctions"]).await;
    };
    let handled = redriven(5, prepare, async |world| check_registry(world).await);
    assert_eq!(handled, [1, 2, 3, 4, 6]);
}

/// Message 5 is a decision, and message 6 a check that changed after it: it tells of the decision, too.
#[test]
fn a_decision_that_is_redriven_after_a_check_is_known_already() {
    let prepare = async |world: &World| {
        for (attempt, outcome) in ["0", "1", "2", "3"].into_iter().zip([
            Outcome::Review,
            Outcome::Declined,
            Outcome::Review,
            Outcome::Declined,
        ]) {
            decide(world, outcome, attempt).await;
        }
        decide(world, Outcome::Approved, "4").await;
    };
    let handled = redriven(5, prepare, async |world| look_up(world, &["sanctions"]).await);
    assert_eq!(handled, [1, 2, 3, 4, 6]);
}
