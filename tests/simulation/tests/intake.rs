//! What waits on intake: the evidence that travels with it, times that can't be, and bodies that unpack to more than a
//! webhook can have.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::{io::Write as _, time::Duration};
use verdict_sessions::{Outcome, Provider, SessionKey, Stage, Timestamp};
use verdict_simulation::{Call, DynamoDb, Fault, Service, Webhook, World, simulate};
use verdict_webhooks::sha256_hex;

async fn outcome(world: &World, webhook: &Webhook) -> String {
    world.deliver(webhook).await.header("x-verdict-outcome").unwrap_or_default().to_owned()
}

fn approval(world: &World, provider: Provider, session: &str) -> Webhook {
    Webhook::decision(provider, session, Outcome::Approved, world.clock.now(), "attempt-1")
}

/// A webhook, and the message that it becomes while the table is away: in a world of its own.
fn spooled(provider: Provider, session: &str) -> (Webhook, Value) {
    simulate(1, async |world| {
        let webhook = approval(&world, provider, session);
        world.network.fail(|call: &Call| (call.service == Service::DynamoDb).then_some(Fault::FailBefore));
        assert_eq!(outcome(&world, &webhook).await, "spooled");
        let message = world.waiting().pop().unwrap();
        (webhook, message)
    })
}

/// The evidence of the one event that a message is recorded as.
async fn replayed(world: &World, webhook: &Webhook, message: &Value) -> Value {
    world.put_on_intake(&message.to_string());
    assert_eq!(world.run_replay().await, 1);
    event_items(world, &webhook.claims[0].session).remove(0)
}

/// The event items of a session, as they are stored, by arrival.
fn event_items(world: &World, session: &str) -> Vec<Value> {
    let of_session = format!("SESSION#{session}");
    let items = world.network.with_dynamodb(DynamoDb::items).into_iter().map(Value::Object);
    let is_event =
        |item: &Value| item["pk"] == of_session.as_str() && item["sk"].as_str().unwrap().starts_with("EVENT#");
    let mut events: Vec<_> = items.filter(is_event).collect();
    events.sort_by_key(|item| item["event"]["receivedAt"].as_str().unwrap().to_owned());
    events
}

fn key(session: &str) -> SessionKey {
    let (provider, id) = session.split_once('/').unwrap();
    SessionKey::named(provider, id).unwrap()
}

fn packed(body: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    BASE64_STANDARD.encode(encoder.finish().unwrap())
}

#[test]
fn an_event_keeps_the_same_evidence_whether_it_came_at_once_or_by_way_of_intake() {
    for provider in Provider::ALL {
        let (webhook, message) = spooled(provider, "1001");
        let at_once = simulate(1, async |world| {
            assert_eq!(outcome(&world, &webhook).await, "recorded");
            event_items(&world, &webhook.claims[0].session).remove(0)["evidence"].take()
        });
        assert_eq!(at_once["bodySha256"], sha256_hex(&webhook.body), "{provider}");
        assert!(at_once["credentials"].as_array().is_some_and(|matched| !matched.is_empty()), "{at_once}");
        let is_signed = [Provider::Veriff, Provider::Treezor].contains(&provider);
        assert_eq!(at_once["signature"].is_string(), is_signed, "{at_once}");
        let later = simulate(1, async |world| replayed(&world, &webhook, &message).await);
        assert_eq!(later["evidence"], at_once, "{provider}");
    }
}

/// An earlier release wrote the message: what it knows is the digest.
#[test]
fn a_message_without_evidence_is_recorded_with_the_digest_of_its_body() {
    let (webhook, mut message) = spooled(Provider::Wultra, "1001");
    message.as_object_mut().unwrap().remove("evidence").unwrap();
    let event = simulate(1, async |world| replayed(&world, &webhook, &message).await);
    assert_eq!(event["evidence"], json!({"bodySha256": sha256_hex(&webhook.body)}));
}

#[test]
fn a_polled_answer_has_its_digest_as_evidence_and_nobody_who_vouches() {
    simulate(1, async |world| {
        let started =
            Webhook::progress(Provider::Incode, "5f0c7a3e0000400080000003", Stage::Submitted, world.clock.now(), "");
        assert_eq!(outcome(&world, &started).await, "recorded");
        world.fake_incode.close("5f0c7a3e0000400080000003", Outcome::Approved);
        world.pass(Duration::from_hours(1)).await;
        world.run_poller().await.unwrap();
        let events = event_items(&world, &started.claims[0].session);
        let polled: Vec<_> = events.iter().filter(|item| item["event"]["decision"].is_object()).collect();
        assert_eq!(polled.len(), 1, "{events:?}");
        let evidence = polled[0]["evidence"].as_object().unwrap();
        assert_eq!(evidence.keys().collect::<Vec<_>>(), ["bodySha256"]);
        assert_eq!(evidence["bodySha256"].as_str().unwrap().len(), 64);
    });
}

/// A rebuild writes an event anew if a corrected reader reads another one.
#[test]
fn a_rebuild_replaces_an_event_and_keeps_its_evidence() {
    simulate(1, async |world| {
        let webhook = approval(&world, Provider::Veriff, "1001");
        let session = webhook.claims[0].session.clone();
        assert_eq!(outcome(&world, &webhook).await, "recorded");
        let recorded = event_items(&world, &session).remove(0);
        assert!(recorded["evidence"]["signature"].is_string(), "{recorded}");
        // As an earlier reader would have read it.
        for item in world.network.with_dynamodb(DynamoDb::typed_items) {
            let misread = Value::Object(item).to_string().replace(r#"{"S":"approved"}"#, r#"{"S":"declined"}"#);
            world.network.with_dynamodb(|table| table.put(&serde_json::from_str(&misread).unwrap()));
        }
        assert_eq!(event_items(&world, &session)[0]["event"]["decision"]["outcome"], "declined");
        world.request_rebuild(key(&session));
        assert_eq!(world.run_replay().await, 1);
        assert_eq!(event_items(&world, &session), [recorded]);
    });
}

/// Incode's webhooks have no time of their own, so that the arrival orders them.
#[test]
fn a_time_of_arrival_that_can_not_be_is_that_of_the_message() {
    let (webhook, message) = spooled(Provider::Incode, "1001");
    for (claimed, counts) in [(-36_500, 0), (-1, 0), (1, 1), (59, 59), (61, 60), (36_500, 60)] {
        simulate(1, async |world| {
            let days_ago =
                |days: i64| Timestamp::from_unix(world.clock.now().unix_seconds() - days * 24 * 60 * 60, 0).unwrap();
            let message = with(&message, "receivedAt", &json!(days_ago(claimed)));
            let event = replayed(&world, &webhook, &message).await;
            let received_at = Timestamp::parse(event["event"]["receivedAt"].as_str().unwrap()).unwrap();
            let (counts, claimed) = (days_ago(counts), days_ago(claimed));
            let is_near = received_at.seconds_since(counts) + counts.seconds_since(received_at) <= 1;
            assert!(is_near, "{claimed} counts as {received_at}, not as {counts}");
        });
    }
}

fn with(message: &Value, member: &str, value: &Value) -> Value {
    let mut message = message.clone();
    message[member] = value.clone();
    message
}

#[test]
fn a_body_that_unpacks_to_more_than_lambda_delivers_is_refused_and_the_others_are_recorded() {
    let [(first, before), (last, after)] = ["1001", "1002"].map(|session| spooled(Provider::Wultra, session));
    let bomb = with(&before, "body", &packed(&vec![b' '; 33_000_000]).into());
    assert!(bomb.to_string().len() < 64 * 1024, "a small message");
    simulate(1, async |world| {
        for message in [&before, &bomb, &after] {
            world.put_on_intake(&message.to_string());
        }
        assert_eq!(world.run_replay().await, 3);
        for webhook in [&first, &last] {
            assert!(world.record(&webhook.claims[0].session).session.is_some());
        }
        // It stays until SQS puts it in quarantine, like anything else that Verdict didn't write.
        assert_eq!(world.waiting(), [bomb]);
        assert!(world.quarantined().is_empty());
    });
}
