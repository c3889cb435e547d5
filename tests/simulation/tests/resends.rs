//! Sending again what was told: what a consumer sees of it, and what becomes of requests that meet each other, a crash or
//! an outage.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use serde_json::Value;
use std::time::Duration;
use verdict_sessions::{Outcome, Provider, SessionKey};
use verdict_simulation::{Accepted, DynamoDb, Fault, Sent, Service, Webhook, World, polled, simulate};

const QUEUE: &str = "DecisionsQueue";
const OUTCOMES: [Outcome; 3] = [Outcome::Review, Outcome::Approved, Outcome::Declined];

/// Longer than SQS drops copies.
const AFTER_DEDUPLICATION: Duration = Duration::from_secs(301);

fn key(session: &str) -> SessionKey {
    SessionKey::named("veriff", session).unwrap()
}

/// Has so many decisions told of a session, and returns their webhooks.
async fn tell(world: &World, session: &str, count: usize) -> Vec<Webhook> {
    let mut sent = Vec::new();
    for (number, outcome) in (1..=count).zip(OUTCOMES.into_iter().cycle()) {
        let attempt = format!("attempt-{number}");
        let webhook = Webhook::decision(Provider::Veriff, session, outcome, world.clock.now(), &attempt);
        assert_eq!(world.deliver(&webhook).await.status(), 200);
        world.pass(Duration::from_secs(1)).await;
        sent.push(webhook);
    }
    sent
}

/// The messages that the decisions queue has taken.
fn accepted(world: &World) -> Vec<Accepted> {
    world.network.with_sqs(|sqs| sqs.accepted(QUEUE))
}

/// Those of them that were sent again, as session and sequence.
fn resent(world: &World) -> Vec<String> {
    let resent = accepted(world).into_iter().filter(|message| message.attributes.contains_key("resent"));
    let id =
        |message: Accepted| serde_json::from_str::<Value>(&message.body).unwrap()["id"].as_str().unwrap().to_owned();
    resent.map(id).collect()
}

/// The item that says whose turn it is.
fn turn(world: &World) -> Option<Value> {
    let items = world.network.with_dynamodb(DynamoDb::items);
    items.into_iter().find(|item| item["sk"] == "RESEND").map(Value::Object)
}

/// Lets all end, and checks that nothing was lost, invented, or sent in another order.
async fn end_well(world: &World, sent: &[Webhook]) {
    world.network.mend();
    assert!(world.settle().await, "something waits for ever");
    assert_eq!(world.broken_promises(&Sent { sure: sent.iter().collect(), ..Sent::default() }), []);
    assert_eq!(world.interleaved_resends(), []);
}

#[test]
fn what_was_told_is_sent_again_from_the_asked_sequence_to_the_last_byte_for_byte() {
    simulate(1, async |world| {
        let sent = tell(&world, "s", 4).await;
        let first = accepted(&world);
        world.request_resend(key("s"), 2, None);
        assert_eq!(world.run_replay().await, 1);
        assert_eq!(resent(&world), ["veriff/s/2", "veriff/s/3", "veriff/s/4"]);
        for (again, before) in accepted(&world)[4..].iter().zip(&first[1..]) {
            assert_eq!((&again.body, &again.group, &again.trace), (&before.body, &before.group, &before.trace));
            assert!(again.body.contains("traceparent") && again.trace.is_some(), "{again:?}");
            assert_ne!(again.deduplication_id, before.deduplication_id);
            let mut attributes = again.attributes.clone();
            assert_eq!(attributes.remove("resent").as_deref(), Some("true"));
            assert_eq!(attributes, before.attributes);
        }
        end_well(&world, &sent).await;
    });
}

#[test]
fn ten_comes_after_nine() {
    simulate(1, async |world| {
        let sent = tell(&world, "s", 12).await;
        world.request_resend(key("s"), 8, None);
        assert_eq!(world.run_replay().await, 1);
        assert_eq!(resent(&world), [8, 9, 10, 11, 12].map(|sequence| format!("veriff/s/{sequence}")));
        end_well(&world, &sent).await;
    });
}

#[test]
fn a_request_that_is_received_again_sends_nothing_more_and_a_new_one_does() {
    simulate(1, async |world| {
        let sent = tell(&world, "s", 2).await;
        for (id, pause, count) in [
            (Some("a"), Duration::ZERO, 2),
            (Some("a"), Duration::ZERO, 2),
            (Some("a"), AFTER_DEDUPLICATION, 2),
            (Some("b"), Duration::ZERO, 4),
            (None, Duration::ZERO, 6),
            (None, Duration::ZERO, 8),
        ] {
            world.pass(pause).await;
            world.request_resend(key("s"), 1, id);
            assert_eq!(world.run_replay().await, 1);
            assert_eq!(resent(&world).len(), count, "{id:?}");
            assert!(world.waiting().is_empty());
        }
        end_well(&world, &sent).await;
    });
}

/// SQS has taken the second message, and its answer got lost. A consumer may have handled it before it went back: so it
/// has to be sent again, and can be only when it is known to be told.
#[test]
fn what_is_due_is_left_to_the_relay_and_a_request_waits_for_it() {
    simulate(1, async |world| {
        let mut sent = tell(&world, "s", 1).await;
        world.network.fail(|call| (call.service == Service::Sqs).then_some(Fault::ServerErrorApplied));
        let webhook = Webhook::decision(Provider::Veriff, "s", Outcome::Declined, world.clock.now(), "later");
        assert_eq!(world.deliver(&webhook).await.status(), 200);
        sent.push(webhook);
        world.network.mend();
        assert_eq!((accepted(&world).len(), world.record("veriff/s").outbox.len()), (2, 1));
        world.request_resend(key("s"), 1, None);
        assert_eq!(world.run_replay().await, 1);
        assert_eq!((resent(&world).len(), world.waiting().len(), turn(&world)), (0, 1, None));
        assert_eq!(world.record("veriff/s").outbox.len(), 1, "it is the relay's");
        end_well(&world, &sent).await;
        assert_eq!(resent(&world), ["veriff/s/1", "veriff/s/2"]);
    });
}

#[test]
fn a_request_for_what_was_never_told_sends_nothing_and_is_done() {
    simulate(1, async |world| {
        let sent = tell(&world, "s", 2).await;
        world.request_resend(key("unknown"), 1, None);
        world.request_resend(key("s"), 3, None);
        assert_eq!(world.run_replay().await, 2);
        assert!(world.waiting().is_empty());
        assert_eq!(resent(&world), [""; 0]);
        assert_eq!(turn(&world), None);
        end_well(&world, &sent).await;
    });
}

/// Two replays at work, two requests: each run waits between its messages, so that the other one could come in between.
#[test]
fn two_requests_for_one_session_take_one_after_the_other() {
    simulate(1, async |world| {
        let sent = tell(&world, "s", 5).await;
        world.network.take_time(Duration::from_millis(1)..Duration::from_millis(30));
        for id in ["a", "b"] {
            world.request_resend(key("s"), 1, Some(id));
        }
        // One message each.
        let (first, second) = tokio::join!(world.run_replay_of(1), world.run_replay_of(1));
        assert_eq!((first, second), (1, 1));
        assert_eq!((resent(&world).len(), world.waiting().len()), (5, 1), "one waits");
        end_well(&world, &sent).await;
        assert_eq!(resent(&world).len(), 10);
    });
}

#[test]
fn a_request_whose_function_died_goes_on_before_another_one_has_its_turn() {
    simulate(1, async |world| {
        let sent = tell(&world, "s", 5).await;
        world.request_resend(key("s"), 1, Some("a"));
        assert!(polled(world.run_replay_of(1), 20).await.is_none(), "it dies");
        let halfway = resent(&world).len();
        assert!((1..5).contains(&halfway), "{halfway}");
        world.request_resend(key("s"), 1, Some("b"));
        assert_eq!(world.run_replay_of(1).await, 1);
        assert_eq!((resent(&world).len(), world.waiting().len()), (halfway, 2), "the second one waits");
        end_well(&world, &sent).await;
        assert_eq!(resent(&world).len(), 10, "nothing is sent twice for one request");
    });
}

/// The first of ten messages has five seconds, of which a bit more than one is kept back: at twenty a second, that is less
/// than eighty.
#[test]
fn a_long_history_is_sent_in_several_runs_at_twenty_a_second() {
    simulate(1, async |world| {
        let sent = tell(&world, "s", 90).await;
        world.request_resend(key("s"), 1, Some("a"));
        for _ in 0..9 {
            world.request_rebuild(key("unknown"));
        }
        let began = world.clock.since_epoch();
        assert_eq!(world.run_replay().await, 10);
        let seconds = world.clock.since_epoch().saturating_sub(began).as_secs_f64();
        let first = resent(&world).len();
        assert!((70..80).contains(&first), "{first} in {seconds} s");
        assert!(seconds >= 3.5, "{first} in {seconds} s");
        assert_eq!((turn(&world).unwrap()["next"].as_u64(), world.waiting().len()), (Some(first as u64 + 1), 1));
        end_well(&world, &sent).await;
        assert_eq!(resent(&world).len(), 90);
    });
}

#[test]
fn a_loop_of_requests_comes_to_an_end() {
    simulate(1, async |world| {
        let sent = tell(&world, "s", 2).await;
        for _ in 0..30 {
            world.request_resend(key("s"), 2, None);
            assert_eq!(world.run_replay().await, 1);
            world.pass(Duration::from_mins(1)).await;
        }
        assert!(world.waiting().is_empty());
        assert_eq!(resent(&world).len(), 10);
        world.pass(Duration::from_hours(1)).await;
        world.request_resend(key("s"), 2, None);
        assert_eq!(world.run_replay().await, 1);
        assert_eq!(resent(&world).len(), 11);
        let refused = world.broken_promises(&Sent { sure: sent.iter().collect(), ..Sent::default() });
        assert_eq!(refused.len(), 20, "those that were refused: {refused:?}");
    });
}

#[test]
fn an_outage_of_the_table_or_of_sqs_puts_a_request_off() {
    for service in [Service::DynamoDb, Service::Sqs] {
        simulate(1, async |world| {
            let sent = tell(&world, "s", 3).await;
            world.request_resend(key("s"), 1, None);
            world.network.fail(move |call| (call.service == service).then_some(Fault::FailBefore));
            assert_eq!(world.run_replay().await, 1);
            assert_eq!((resent(&world).len(), world.waiting().len()), (0, 1), "{service:?}");
            end_well(&world, &sent).await;
            assert_eq!(resent(&world).len(), 3);
        });
    }
}

/// The latest resend is no part of the session: DynamoDB may delete it a day later.
#[test]
fn the_item_that_says_whose_turn_it_is_goes_by_itself() {
    simulate(1, async |world| {
        let sent = tell(&world, "s", 1).await;
        world.request_resend(key("s"), 1, Some("a"));
        assert_eq!(world.run_replay().await, 1);
        let turn = turn(&world).unwrap();
        let hours = (turn["expiresAt"].as_u64().unwrap() - world.clock.since_epoch().as_secs()) / 3600;
        assert_eq!((hours, &turn["request"]), (24, &"a".into()));
        end_well(&world, &sent).await;
    });
}
