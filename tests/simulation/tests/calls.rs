//! The calls to AWS that a webhook costs, counted at the SDK's edge: they don't grow with the age of its session.

use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use verdict_sessions::{CheckOutcome, Outcome, Provider, Stage};
use verdict_simulation::{DynamoDb, Fault, Webhook, World, simulate_on};

/// The events and messages of a session that is old.
const MANY: u32 = 500;

const COPY: [&str; 1] = ["BatchGetItem"];
const NEWS: [&str; 2] = ["BatchGetItem", "TransactWriteItems"];
const SCHEDULED: [&str; 3] = ["BatchGetItem", "TransactWriteItems", "UpdateItem"];
const WOKEN: [&str; 4] = ["BatchGetItem", "TransactWriteItems", "UpdateItem", "SendMessage"];
const TOLD: [&str; 4] = ["BatchGetItem", "TransactWriteItems", "SendMessage", "TransactWriteItems"];

/// Delivers a webhook, and returns the calls that it cost.
async fn calls(world: &World, webhook: &Webhook) -> Vec<String> {
    let before = world.network.call_count();
    assert_eq!(world.deliver(webhook).await.status(), 200);
    world.pass(Duration::from_secs(1)).await;
    world.network.calls_after(before).into_iter().map(|call| call.operation).collect()
}

/// Runs something on a session of Veriff that is new, and on one that has had many decisions and checks.
fn young_and_old(run: &impl AsyncFn(&World, &dyn Fn(Outcome, u32) -> Webhook)) {
    for age in [0, MANY] {
        simulate_on(DynamoDb::with_plain_sessions_table(), 1, async |world| {
            for number in 1..=age {
                let outcome = if number % 2 == 0 { Outcome::Approved } else { Outcome::Declined };
                let now = world.clock.now();
                let webhook = Webhook::decision(Provider::Veriff, "s", outcome, now, "before");
                assert_eq!(calls(&world, &webhook).await, TOLD, "{number}");
            }
            assert_eq!(world.published().len(), age as usize);
            let start = world.clock.now();
            let decision = |outcome, second: u32| {
                let at = start.plus(Duration::from_secs(second.into()));
                Webhook::decision(Provider::Veriff, "s", outcome, at, "now")
            };
            run(&world, &decision).await;
        });
    }
}

#[test]
fn a_copy_costs_one_read() {
    young_and_old(&async |world, decision| {
        let decided = decision(Outcome::Approved, 0);
        calls(world, &decided).await;
        assert_eq!(calls(world, &decided).await, COPY);
    });
}

#[test]
fn a_new_event_costs_two_calls() {
    young_and_old(&async |world, decision| {
        let started = Webhook::progress(Provider::Veriff, "s", Stage::Started, world.clock.now(), "now");
        assert_eq!(calls(world, &started).await, NEWS);
        calls(world, &decision(Outcome::Approved, 5)).await;
        assert_eq!(calls(world, &decision(Outcome::Declined, 1)).await, NEWS, "one that loses is not told");
    });
}

#[test]
fn a_decision_costs_four_calls_and_so_does_the_one_that_replaces_it() {
    young_and_old(&async |world, decision| {
        assert_eq!(calls(world, &decision(Outcome::Review, 0)).await, TOLD);
        assert_eq!(calls(world, &decision(Outcome::Approved, 1)).await, TOLD);
    });
}

#[test]
fn a_check_that_is_told_costs_four_calls() {
    young_and_old(&async |world, decision| {
        calls(world, &decision(Outcome::Approved, 0)).await;
        for lists in [&["pep"][..], &["pep", "sanctions"]] {
            let hit = Webhook::watchlist("s", CheckOutcome::Flagged, lists, world.clock.now(), "now");
            assert_eq!(calls(world, &hit).await, TOLD);
        }
    });
}

/// Keys that a batch of reads leaves for another time say nothing of their items: nothing is written before all are read.
#[test]
fn what_is_not_processed_is_asked_for_again_and_never_taken_as_absent() {
    for seed in 0..20 {
        simulate_on(DynamoDb::with_plain_sessions_table(), seed, async |world| {
            let decision =
                |outcome, attempt| Webhook::decision(Provider::Veriff, "s", outcome, world.clock.now(), attempt);
            let first = decision(Outcome::Review, "1");
            calls(&world, &first).await;
            for (webhook, then) in [(&first, &[][..]), (&decision(Outcome::Approved, "2"), &TOLD[1..])] {
                let mut left = 3;
                world.network.fail(move |call| {
                    left -= usize::from(left > 0 && call.operation == "BatchGetItem");
                    (left > 0).then_some(Fault::Unprocessed).filter(|fault| fault.concerns(&call.operation))
                });
                let calls = calls(&world, webhook).await;
                let reads = calls.iter().take_while(|call| **call == "BatchGetItem").count();
                assert_eq!(
                    (reads, &calls[reads..]),
                    (3, &then.iter().map(|call| (*call).to_owned()).collect::<Vec<_>>()[..])
                );
            }
        });
    }
}

/// Incode's webhooks put their session on the poll schedule, and those that want an answer wake the poller.
#[test]
fn a_new_event_of_incode_costs_one_more_and_two_with_a_wake_up() {
    for age in [0, MANY] {
        simulate_on(DynamoDb::with_plain_sessions_table(), 1, async |world| {
            let login = |number: u32| Webhook::login("1001", CheckOutcome::Passed, number as usize);
            for number in 0..age {
                calls(&world, &login(number)).await;
            }
            let started = Webhook::progress(Provider::Incode, "1001", Stage::Started, world.clock.now(), "flow");
            assert_eq!(calls(&world, &started).await, SCHEDULED);
            assert_eq!(calls(&world, &started).await, COPY, "it is scheduled");
            let finished = Webhook::progress(Provider::Incode, "1001", Stage::Submitted, world.clock.now(), "flow");
            assert_eq!(calls(&world, &finished).await, WOKEN);
            assert_eq!(calls(&world, &finished).await, COPY, "it is scheduled");
            let approved = Webhook::decision(Provider::Incode, "1001", Outcome::Approved, world.clock.now(), "flow");
            assert_eq!(calls(&world, &approved).await, TOLD);
        });
    }
}

/// A webhook of Treezor's about users, each with one review.
fn users(from: usize, to: usize) -> Webhook {
    let user =
        |number: usize| json!({"userId": number.to_string(), "kycReview": "2", "modifiedDate": "2026-06-12 09:30:00"});
    let payload = json!({"users": (from..to).map(user).collect::<Vec<_>>()}).to_string();
    Webhook::with_payload(r#""webhook":"user.kycreview""#, &payload)
}

/// A webhook of Treezor's about documents of one user.
fn documents(count: usize) -> Webhook {
    let document =
        |number: usize| json!({"documentId": number.to_string(), "userId": "7", "documentStatus": "VALIDATED"});
    let payload = json!({"documents": (0..count).map(document).collect::<Vec<_>>()}).to_string();
    Webhook::with_payload(r#""webhook":"document.update""#, &payload)
}

/// How often each operation was called.
fn counted(calls: Vec<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for operation in calls {
        *counts.entry(operation).or_default() += 1;
    }
    counts
}

fn counts<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts.into_iter().map(|(operation, count)| (operation.to_owned(), count)).collect()
}

#[test]
fn a_webhook_of_300_users_costs_less_than_300_of_one() {
    simulate_on(DynamoDb::with_plain_sessions_table(), 1, async |world| {
        let bytes = |from: usize| world.network.calls_after(from).iter().map(|call| call.bytes).sum::<usize>();
        let together = users(0, 300);
        let expected = [("BatchGetItem", 3), ("SendMessage", 300), ("TransactWriteItems", 600)];
        assert_eq!(counted(calls(&world, &together).await), counts(expected));
        let (begun, bytes_together) = (world.network.call_count(), bytes(0));
        for number in 300..600 {
            assert_eq!(calls(&world, &users(number, number + 1)).await, TOLD);
        }
        assert!(bytes_together < bytes(begun), "{bytes_together} {}", bytes(begun));
        assert_eq!(counted(calls(&world, &together).await), counts([("BatchGetItem", 18)]), "a copy");
    });
}

#[test]
fn a_webhook_of_1000_documents_of_one_user_costs_60_calls_at_most() {
    simulate_on(DynamoDb::with_plain_sessions_table(), 1, async |world| {
        let expected = [("BatchGetItem", 27), ("TransactWriteItems", 27)];
        assert_eq!(counted(calls(&world, &documents(1000)).await), counts(expected));
        let record = world.record("treezor/user:7");
        assert_eq!((record.events.len(), &record.session.unwrap()["events"]), (1000, &json!(1000)));
        assert_eq!(counted(calls(&world, &documents(1000)).await), counts([("BatchGetItem", 53)]), "a copy");
    });
}

#[test]
fn several_decisions_of_one_webhook_are_written_together_and_told_in_their_order() {
    simulate_on(DynamoDb::with_plain_sessions_table(), 1, async |world| {
        let at = |second| world.clock.now().plus(Duration::from_secs(second));
        for (round, before, expected) in [(0, 0, [1, 2, 3]), (3, 3, [4, 5, 6])] {
            let outcomes = [Outcome::Review, Outcome::Approved, Outcome::Declined];
            let reviews: Vec<_> =
                outcomes.into_iter().zip(round..).map(|(outcome, second)| ("7", outcome, at(second))).collect();
            let webhook = Webhook::reviews_of_users(&reviews, at(9));
            let told = ["SendMessage", "TransactWriteItems"].repeat(3);
            assert_eq!(calls(&world, &webhook).await, [&NEWS[..], &told].concat());
            let told: Vec<_> =
                world.published().iter().skip(before).map(|told| told["data"]["sequence"].clone()).collect();
            assert_eq!(json!(told), json!(expected));
        }
    });
}
