//! What a captured webhook of Treezor's is good for, and whose data is stored where: at the functions, with the table.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use sha2::Sha256;
use std::{collections::BTreeMap, time::Duration};
use verdict_sessions::{Provider, SessionId, SessionKey};
use verdict_simulation::{
    DynamoDb, Webhook, World, credentials, simulate,
    stored::{Fixtures, Partition},
};

/// A webhook around a payload as it is written: what stands before and after it isn't signed.
fn webhook(members: &str, payload: &str) -> Webhook {
    let keys = credentials(Provider::Treezor);
    let secret = keys["secrets"][0].as_str().unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(payload);
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    let body = format!(r#"{{{members},"object_payload":{payload},"object_payload_signature":"{signature}"}}"#);
    let token = keys["urlTokens"][0].as_str().unwrap().to_owned();
    Webhook {
        provider: Provider::Treezor,
        path: "/treezor".into(),
        query: vec![("token".into(), token)],
        headers: Vec::new(),
        body: body.into_bytes(),
        claims: Vec::new(),
    }
}

/// The header that says what became of a webhook.
async fn outcome(world: &World, members: &str, payload: &str) -> String {
    let response = world.deliver(&webhook(members, payload)).await;
    response.header("x-verdict-outcome").unwrap_or_default().to_owned()
}

fn items(world: &World) -> BTreeMap<(String, String), Value> {
    let items = world.network.with_dynamodb(DynamoDb::typed_items).into_iter().map(Value::Object);
    let place = |item: &Value| ["pk", "sk"].map(|name| item[name]["S"].as_str().unwrap().to_owned());
    items.map(|item| (place(&item).into(), item)).collect()
}

/// The items that tell of facts: all but the ids of today and what payloads are bound to.
fn facts(world: &World) -> BTreeMap<(String, String), Value> {
    items(world).into_iter().filter(|((_, sk), _)| !sk.starts_with("SAME#") && !sk.starts_with("BOUND#")).collect()
}

/// The operations of the calls that a run makes.
async fn calls_of(world: &World, run: impl AsyncFnOnce()) -> Vec<String> {
    let before = world.network.call_count();
    run().await;
    world.network.calls().split_off(before).into_iter().map(|call| call.operation).collect()
}

/// The sessions of Treezor's that release 0.1 wrote, in a world of their own.
fn with_first_release<T>(run: impl AsyncFnOnce(World, Vec<Partition>) -> T) -> T {
    simulate(1, async |world| {
        let partitions = Fixtures::of("0.1").partitions().into_iter();
        let partitions: Vec<_> = partitions.filter(|partition| partition.name.starts_with("treezor")).collect();
        assert!(partitions.len() >= 8);
        world.network.with_dynamodb(|table| partitions.iter().for_each(|partition| partition.put(table)));
        world.pass(Duration::from_hours(2)).await;
        run(world, partitions).await
    })
}

/// The payloads that a release stored of a session: each with the name of its event, its object's id and the signed
/// part.
fn captured(partition: &Partition) -> Vec<(String, String, String)> {
    let payloads = partition.items.iter().filter(|(name, _)| name.starts_with("PAYLOAD"));
    payloads
        .map(|(_, item)| {
            let text = item["payload"]["S"].as_str().unwrap();
            let document: Value = serde_json::from_str(text).unwrap();
            let envelope = if document["webhook"].is_object() { &document["webhook"] } else { &document };
            let name = envelope["webhook"].as_str().unwrap_or_default().to_owned();
            let object_id = envelope["object_id"].as_str().unwrap_or_default().to_owned();
            (name, object_id, value_of(text, r#""object_payload":"#).to_owned())
        })
        .collect()
}

/// The value that follows some text, as it is written.
fn value_of<'t>(text: &'t str, before: &str) -> &'t str {
    let rest = text.split_once(before).unwrap().1;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
    values.next().unwrap().unwrap();
    &rest[..values.byte_offset()]
}

#[test]
fn what_release_0_1_recorded_is_known_whatever_is_put_around_it() {
    with_first_release(async |world, partitions| {
        let before = facts(&world);
        let mut sent = 0;
        for partition in &partitions {
            for (name, object_id, payload) in captured(partition) {
                for (webhook_id, more) in [("another", ""), ("third", r#","new":"canary""#)] {
                    let members = format!(
                        r#""webhook":"{name}","webhook_id":"{webhook_id}","webhook_created_at":1790000000,"object_id":"{object_id}"{more}"#
                    );
                    assert_eq!(outcome(&world, &members, &payload).await, "duplicate", "{}: {name}", partition.name);
                    // Known by now, it costs one read.
                    let calls = calls_of(&world, async || {
                        assert_eq!(outcome(&world, &members, &payload).await, "duplicate");
                    })
                    .await;
                    assert!(calls.iter().all(|operation| operation == "BatchGetItem"), "{calls:?}");
                    sent += 1;
                }
            }
        }
        assert!(sent >= 20, "{sent}");
        assert_eq!(facts(&world), before);
        assert!(world.published().is_empty());
    });
}

#[test]
fn a_rebuild_narrows_what_release_0_1_stored_and_finds_its_events_again() {
    with_first_release(async |world, partitions| {
        let sessions: Vec<_> = partitions.iter().map(session).collect();
        let preview = world.preview_rebuild(sessions.clone()).await;
        let narrowed = |report: &Value| report["narrowed"].as_u64().unwrap_or_default();
        let all: u64 = preview["sessions"].as_array().unwrap().iter().map(narrowed).sum();
        let payloads: usize = partitions.iter().map(|partition| captured(partition).len()).sum();
        // Each of them held a signature, at least.
        assert_eq!(usize::try_from(all).unwrap(), payloads, "{preview}");
        for session in &sessions {
            world.request_rebuild(session.clone());
        }
        world.settle().await;
        let stored = items(&world);
        for ((pk, sk), item) in
            stored.iter().filter(|((pk, sk), _)| pk.contains("treezor") && sk.starts_with("PAYLOAD"))
        {
            let text = item["payload"]["S"].as_str().unwrap();
            assert!(!text.contains("signature") && text.matches(r#""userId""#).count() <= 1, "{pk} {sk}: {text}");
            assert!(item["expiresAt"]["N"].is_string() && item["source"]["S"] == "/treezor");
        }
        let again = world.preview_rebuild(sessions).await;
        let outcomes: Vec<_> = again["sessions"].as_array().unwrap().iter().map(|report| &report["outcome"]).collect();
        assert!(outcomes.iter().all(|outcome| **outcome == "unchanged"), "{again}");
        // And what they came from is still known.
        let facts_before = facts(&world);
        for partition in &partitions {
            for (name, object_id, payload) in captured(partition) {
                let members = format!(r#""webhook":"{name}","webhook_id":"x","object_id":"{object_id}""#);
                assert_eq!(outcome(&world, &members, &payload).await, "duplicate", "{}", partition.name);
                if name.starts_with("kycliveness") {
                    let elsewhere = r#""webhook":"kycliveness.update","object_id":"elsewhere""#;
                    assert_eq!(outcome(&world, elsewhere, &payload).await, "duplicate", "{}", partition.name);
                }
            }
        }
        assert_eq!(facts(&world), facts_before);
    });
}

fn session(partition: &Partition) -> SessionKey {
    let pk = partition.items["STATE"]["pk"]["S"].as_str().unwrap();
    let (_, id) = pk.split_once('/').unwrap();
    SessionKey { provider: Provider::Treezor, session_id: SessionId::new(id).unwrap() }
}

fn liveness(user: &str) -> String {
    json!({"kyc-status": "processed", "score": 1, "user_id": user, "updated-at": "2026-06-12T09:15:18Z"}).to_string()
}

#[test]
fn a_captured_liveness_counts_under_its_first_identification_alone() {
    simulate(1, async |world| {
        let (first, other) = (
            r#""webhook":"kycliveness.update","object_id":"one""#,
            r#""webhook":"kycliveness.update","object_id":"two""#,
        );
        assert_eq!(outcome(&world, first, &liveness("7")).await, "recorded");
        let before = items(&world);
        let calls = calls_of(&world, async || {
            for members in [first, other, &other.replace("update", "create"), &other.replace("two", "three")] {
                assert_eq!(outcome(&world, members, &liveness("7")).await, "duplicate", "{members}");
            }
        })
        .await;
        assert_eq!(calls, ["BatchGetItem"; 4]);
        assert_eq!(items(&world), before);
        assert_eq!(before.keys().filter(|(_, sk)| sk == "STATE").count(), 1);
    });
}

#[test]
fn a_second_user_under_an_identification_withdraws_its_decision() {
    simulate(1, async |world| {
        let members = r#""webhook":"kycliveness.update","object_id":"one""#;
        for user in ["7", "8", "7"] {
            outcome(&world, members, &liveness(user)).await;
        }
        let told: Vec<_> = world.published().iter().map(|message| message["data"]["outcome"].clone()).collect();
        assert_eq!(told, [json!("approved"), Value::Null]);
        let record = world.record("treezor/identification:one").session.unwrap();
        assert_eq!((&record["decision"], &record["events"]), (&Value::Null, &json!(2)));
    });
}

#[test]
fn a_captured_request_read_as_a_review_decides_nothing() {
    simulate(1, async |world| {
        let user =
            json!({"users": [{"userId": "7", "kycReview": "2", "modifiedDate": "2026-05-18 12:21:12"}]}).to_string();
        assert_eq!(outcome(&world, r#""webhook":"user.kycrequest""#, &user).await, "recorded");
        for (name, expected) in
            [("user.kycreview", "recorded"), ("kycreview.request", "duplicate"), ("qes.new", "duplicate")]
        {
            let members = format!(r#""webhook":"{name}","webhook_id":"{name}""#);
            assert_eq!(outcome(&world, &members, &user).await, expected, "{name}");
        }
        let record = world.record("treezor/user:7");
        let session = record.session.unwrap();
        assert_eq!((&session["decision"], &session["events"]), (&Value::Null, &json!(2)));
        assert!(world.published().is_empty());
        // What is read again stays a second reading.
        let key = SessionKey { provider: Provider::Treezor, session_id: SessionId::new("user:7").unwrap() };
        let preview = world.preview_rebuild(vec![key]).await;
        assert_eq!(preview["sessions"][0]["outcome"], "unchanged", "{preview}");
    });
}

#[test]
fn a_captured_approval_without_a_time_undoes_no_refusal() {
    simulate(1, async |world| {
        let review = |review: u8| json!({"userId": 7, "kycReview": review}).to_string();
        let members =
            |sent: u32| format!(r#""webhook":"kycreview.result","webhook_id":"{sent}","webhook_created_at":{sent}"#);
        assert_eq!(outcome(&world, &members(1_781_308_700), &review(2)).await, "recorded");
        assert_eq!(outcome(&world, &members(1_781_308_800), &review(3)).await, "recorded");
        let before = items(&world);
        assert_eq!(outcome(&world, &members(1_781_308_801), &review(2)).await, "duplicate");
        assert_eq!(outcome(&world, r#""webhook":"kycreview.result","new":1"#, &review(2)).await, "duplicate");
        assert_eq!(items(&world), before);
        let session = world.record("treezor/user:7").session.unwrap();
        assert_eq!(session["decision"]["value"]["outcome"], "declined");
    });
}

#[test]
#[expect(clippy::print_stderr, reason = "the cost is worth seeing")]
fn nobody_s_data_is_stored_with_another_user_and_the_cost_is_linear() {
    for count in [3, 40, 300] {
        simulate(1, async |world| {
            let user = |number: usize| json!({"userId": number.to_string(), "firstname": format!("Canary{number:04}"), "kycReview": "2", "modifiedDate": "2026-05-18 12:21:12"});
            let payload = json!({"users": (0..count).map(user).collect::<Vec<_>>()}).to_string();
            assert_eq!(outcome(&world, r#""webhook":"user.kycreview","webhook_id":"w""#, &payload).await, "recorded");
            let payloads: Vec<_> = items(&world).into_iter().filter(|((_, sk), _)| sk.starts_with("PAYLOAD")).collect();
            assert_eq!(payloads.len(), count);
            let mut bytes = 0;
            for ((pk, _), item) in payloads {
                let text = item["payload"]["S"].as_str().unwrap();
                let number: usize = pk.split_once("user:").unwrap().1.parse().unwrap();
                assert!(text.contains(&format!("Canary{number:04}")) && text.matches("Canary").count() == 1, "{text}");
                bytes += text.len();
            }
            let calls = world.network.call_count();
            let copies = calls_of(&world, async || {
                assert_eq!(
                    outcome(&world, r#""webhook":"user.kycreview","webhook_id":"v""#, &payload).await,
                    "duplicate"
                );
            });
            let copies = copies.await.len();
            eprintln!(
                "{count} users, {} bytes: {bytes} of payloads stored, {calls} calls; a copy {copies} calls",
                payload.len()
            );
            assert!(bytes < 2 * payload.len() + 100 * count);
        });
    }
}
