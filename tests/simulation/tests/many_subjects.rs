//! Webhooks of many subjects: what they leave in the table and on the queue is what as many webhooks of one leave.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json, value::RawValue};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::join;
use verdict_simulation::{Call, DynamoDb, Fault, Service, Webhook, World, simulate_on, stored::Fixtures};

const HISTORIES: u64 = 18;

/// A webhook of several subjects: the members around its payload, the list in that, and what it says of each.
#[derive(Clone, Debug)]
struct Told {
    members: String,
    list: &'static str,
    subjects: Vec<String>,
}

impl Told {
    fn webhook(&self) -> Webhook {
        Webhook::with_payload(&self.members, &format!(r#"{{"{}":[{}]}}"#, self.list, self.subjects.join(",")))
    }

    /// As many webhooks of one subject.
    fn one_by_one(&self) -> Vec<Webhook> {
        let one = |subject: &String| Self { subjects: vec![subject.clone()], ..self.clone() }.webhook();
        self.subjects.iter().map(one).collect()
    }
}

fn one_of<T: Copy>(choices: &[T]) -> T {
    choices[fastrand::usize(..choices.len())]
}

fn at() -> String {
    one_of(&["2026-06-12 09:30:00", "2026-06-12 09:30:01", "2026-06-11 23:59:59", "0000-00-00 00:00:00"]).to_owned()
}

/// A review of one of so many users.
fn user(users: usize) -> String {
    let tag = one_of(&["customer-1", "customer-2", ""]);
    let review = fastrand::u8(..8).to_string();
    json!({"userId": fastrand::usize(..users).to_string(), "userTag": tag, "kycReview": review, "modifiedDate": at()})
        .to_string()
}

/// A document of one of so many users.
fn document(users: usize) -> String {
    let status = one_of(&["PENDING", "VALIDATED", "REFUSED", "CANCELED", "LOST"]);
    let (user, id) = (fastrand::usize(..users).to_string(), fastrand::usize(..90).to_string());
    let code = one_of(&["", "600003", "600004"]);
    json!({"documentId": id, "userId": user, "documentStatus": status, "codeStatus": code, "modifiedDate": at()})
        .to_string()
}

/// What webhooks say: of few users much, of many little, and at times the same again, under the same name or another.
/// `captured` is what the table knows from another release.
fn told(captured: &BTreeMap<&'static str, Vec<String>>) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for number in 0..fastrand::usize(2..6) {
        let (list, names) = one_of(&[
            ("users", ["user.kycreview", "user.kycrequest"]),
            ("documents", ["document.update", "document.create"]),
        ]);
        let users = one_of(&[1, 1, 3, 150]);
        let subject = |_| match captured.get(list).filter(|_| fastrand::u8(..3) == 0) {
            Some(captured) => captured[fastrand::usize(..captured.len())].clone(),
            None if list == "users" => user(users),
            None => document(users),
        };
        let mut subjects: Vec<String> = (0..one_of(&[2, 9, 9, 40, 70])).map(subject).collect();
        let before = all.iter().filter(|told| told.list == list).flat_map(|told| told.subjects.clone());
        let before: Vec<_> = before.filter(|_| fastrand::u8(..6) == 0).collect();
        subjects.extend(before);
        let members = format!(r#""webhook":"{}","webhook_id":"{number}","object":"x""#, one_of(&names));
        all.push(Told { members, list, subjects });
    }
    all
}

/// The subjects of payloads that release 0.1 stored, as they are written, by list.
fn captured(fixtures: &Fixtures) -> BTreeMap<&'static str, Vec<String>> {
    let mut captured: BTreeMap<_, Vec<String>> = BTreeMap::new();
    let items = fixtures.partitions().into_iter().filter(|partition| partition.name.starts_with("treezor"));
    for payload in items.flat_map(|partition| partition.items).filter(|(name, _)| name.starts_with("PAYLOAD")) {
        let text = payload.1["payload"]["S"].as_str().unwrap().to_owned();
        for list in ["users", "documents"] {
            let Some((_, rest)) = text.split_once(&format!(r#""{list}":"#)) else { continue };
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
            values.next().unwrap().unwrap();
            let subjects: Vec<&RawValue> = serde_json::from_str(&rest[..values.byte_offset()]).unwrap();
            captured.entry(list).or_default().extend(subjects.iter().map(|subject| subject.get().to_owned()));
        }
    }
    captured
}

/// What is left of a run: all items, and the messages of each session in their order. Without what tells of the request
/// that something came with, or of the time at which SQS took a message.
type Left = (BTreeMap<String, Value>, BTreeMap<String, Vec<Value>>);

fn left(world: &World) -> Left {
    let items = world.network.with_dynamodb(DynamoDb::typed_items).into_iter().map(|mut item: Map<String, Value>| {
        item.retain(|name, _| !["evidence", "toldAt", "messageId"].contains(&name.as_str()));
        (format!("{} {}", item["pk"], item["sk"]), Value::Object(item))
    });
    let mut messages: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for message in world.published() {
        messages.entry(message["data"]["sessionId"].to_string()).or_default().push(message);
    }
    (items.collect(), messages)
}

/// Delivers webhooks to a table that may hold sessions of another release.
fn deliver(webhooks: &[Vec<Webhook>], before: Option<&Fixtures>, faults: impl FnOnce(&World)) -> Left {
    let table = if before.is_some() {
        DynamoDb::with_sessions_table("sessions")
    } else {
        DynamoDb::with_plain_sessions_table()
    };
    simulate_on(table, 1, async |world| {
        if let Some(fixtures) = before {
            world.network.with_dynamodb(|table| fixtures.partitions().iter().for_each(|items| items.put(table)));
        }
        world.pass(Duration::from_hours(2)).await;
        faults(&world);
        let start = tokio::time::Instant::now();
        for (number, webhooks) in (1..).zip(webhooks) {
            for webhook in webhooks {
                let response = world.deliver(webhook).await;
                let outcome = response.header("x-verdict-outcome").unwrap_or_default();
                assert!(["recorded", "duplicate", "spooled"].contains(&outcome), "{outcome}");
            }
            // Before the next, what waits is recorded, since events are folded in the order in which they come.
            world.network.mend();
            assert!(world.settle().await);
            tokio::time::sleep_until(start + number * Duration::from_hours(1)).await;
        }
        left(&world)
    })
}

fn assert_same(one: &Left, other: &Left, seed: u64) {
    for (key, item) in &one.0 {
        assert_eq!(Some(item), other.0.get(key), "{seed}: {key}");
    }
    assert_eq!(one.0.keys().collect::<Vec<_>>(), other.0.keys().collect::<Vec<_>>(), "{seed}");
    assert_eq!(one.1, other.1, "{seed}");
}

fn fixtures(seed: u64) -> Option<Fixtures> {
    seed.is_multiple_of(3).then(|| Fixtures::of("0.1"))
}

fn story(seed: u64) -> (Vec<Told>, Option<Fixtures>) {
    let fixtures = fixtures(seed);
    fastrand::seed(seed);
    (told(&fixtures.as_ref().map(captured).unwrap_or_default()), fixtures)
}

#[test]
fn a_webhook_of_many_subjects_leaves_what_as_many_of_one_leave() {
    for seed in 0..HISTORIES {
        let (told, fixtures) = story(seed);
        let together: Vec<_> = told.iter().map(|told| vec![told.webhook()]).collect();
        let apart: Vec<_> = told.iter().map(Told::one_by_one).collect();
        let together = deliver(&together, fixtures.as_ref(), |_| {});
        assert_same(&together, &deliver(&apart, fixtures.as_ref(), |_| {}), seed);
    }
}

#[test]
fn whatever_goes_wrong_a_webhook_of_many_subjects_leaves_the_same() {
    const FAULTS: [Fault; 6] = [
        Fault::AnswerLost,
        Fault::CancelledByConflict,
        Fault::CancelledByThrottling,
        Fault::ServerErrorApplied,
        Fault::FailBefore,
        Fault::Unprocessed,
    ];
    for seed in 0..HISTORIES / 3 {
        let (told, fixtures) = story(seed);
        let webhooks: Vec<_> = told.iter().map(|told| vec![told.webhook()]).collect();
        let share = one_of(&[2, 5, 20]);
        let faulty = deliver(&webhooks, fixtures.as_ref(), |world| {
            let is_of_table = |call: &Call| call.service == Service::DynamoDb;
            world.network.fail(move |call| (is_of_table(call) && fastrand::u8(..share) == 0).then(|| one_of(&FAULTS)));
        });
        assert_same(&faulty, &deliver(&webhooks, fixtures.as_ref(), |_| {}), seed);
    }
}

#[test]
fn webhooks_of_the_same_subjects_at_the_same_time_count_each_event_once() {
    for seed in 0..20 {
        simulate_on(DynamoDb::with_plain_sessions_table(), seed, async |world| {
            let subjects: Vec<String> = (0..70).map(|_| user(3)).collect();
            let members = |number: u8| format!(r#""webhook":"user.kycreview","webhook_id":"{number}""#);
            let webhooks = [1, 2, 3].map(|number| {
                let mut subjects = subjects.clone();
                fastrand::shuffle(&mut subjects);
                subjects.truncate(50);
                Told { members: members(number), list: "users", subjects }
            });
            world.network.take_time(Duration::from_millis(1)..Duration::from_millis(15));
            let sent = webhooks.each_ref().map(Told::webhook);
            let answers = join!(world.deliver(&sent[0]), world.deliver(&sent[1]), world.deliver(&sent[2]));
            assert_eq!([answers.0.status(), answers.1.status(), answers.2.status()], [200; 3]);
            assert!(world.settle().await);
            let told: BTreeSet<&String> = webhooks.iter().flat_map(|told| &told.subjects).collect();
            let records = ["0", "1", "2"].map(|user| world.record(&format!("treezor/user:{user}")));
            let events: usize = records.iter().map(|record| record.events.len()).sum();
            assert_eq!(events, told.len(), "{seed}");
            for record in records {
                let session = record.session.unwrap();
                assert_eq!(session["events"], json!(record.events.len()), "{seed}");
                assert_eq!(session["notifications"], json!(record.told.len()), "{seed}");
                let sequences = world.published().into_iter().map(|message| message["data"].clone());
                let own = sequences.filter(|data| data["sessionId"] == session["sessionId"]);
                let mut told: Vec<u64> = own.map(|data| data["sequence"].as_u64().unwrap()).collect();
                told.dedup();
                assert_eq!(told, (1..=record.told.len() as u64).collect::<Vec<_>>(), "{seed}");
            }
        });
    }
}

#[test]
fn if_a_message_of_several_cant_be_published_those_after_it_are_left_to_the_relay() {
    simulate_on(DynamoDb::with_plain_sessions_table(), 1, async |world| {
        let review = |review: u8| json!({"userId": "7", "kycReview": review.to_string(), "modifiedDate": format!("2026-06-12 09:30:0{review}")});
        let told = Told {
            members: r#""webhook":"user.kycreview""#.to_owned(),
            list: "users",
            subjects: [1, 2, 3].map(|number| review(number).to_string()).into(),
        };
        let mut sent = 0;
        world.network.fail(move |call: &Call| {
            sent += usize::from(call.operation == "SendMessage");
            (call.operation == "SendMessage" && sent == 2).then_some(Fault::Invalid)
        });
        world.deliver(&told.webhook()).await;
        let sequences = || world.published().iter().map(|told| told["data"]["sequence"].clone()).collect::<Vec<_>>();
        assert_eq!((sequences(), world.record("treezor/user:7").outbox.len()), (vec![json!(1)], 2));
        world.network.mend();
        assert!(world.settle().await);
        assert_eq!(sequences(), [1, 2, 3].map(|sequence| json!(sequence)));
    });
}
