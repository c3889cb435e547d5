//! The write units of a webhook, as DynamoDB bills them: one for each KB of each item, twice that in a transaction, and
//! those of the indexes. They are counted on each provider's samples, for an ordinary session.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use serde_json::Value;
use std::time::Duration;
use verdict_sessions::Provider;
use verdict_simulation::{Webhook, World, WriteUnits, credentials, simulate};

/// A provider's ordinary session: the samples of its progress, its decision, and the decision that replaces that; and what
/// each of them writes.
const ORDINARY: [(&str, [(&str, Kind); 3]); 4] = [
    (
        "ede448f5-34a7-417a-9306-c4fd68ded06d",
        [
            ("veriff/event-submitted", Kind { recording: 6, payload: 2, told: 0, poll: 0, indexes: 2 }),
            ("veriff/decision-approved", Kind { recording: 10, payload: 2, told: 4, poll: 0, indexes: 4 }),
            ("veriff/decision-declined", Kind { recording: 14, payload: 4, told: 4, poll: 0, indexes: 3 }),
        ],
    ),
    (
        "3eaabe171d8a4eace693ae2d",
        [
            ("incode/id-validation-finished", Kind { recording: 6, payload: 2, told: 0, poll: 1, indexes: 3 }),
            ("incode/manual-review-approved", Kind { recording: 12, payload: 2, told: 4, poll: 0, indexes: 4 }),
            ("incode/manual-review-rejected", Kind { recording: 14, payload: 2, told: 4, poll: 0, indexes: 3 }),
        ],
    ),
    (
        "6461002",
        [
            ("treezor/document-update-validated", Kind { recording: 6, payload: 2, told: 0, poll: 0, indexes: 2 }),
            ("treezor/user-kycreview-validated", Kind { recording: 14, payload: 4, told: 4, poll: 0, indexes: 4 }),
            ("treezor/user-kycreview-refused", Kind { recording: 16, payload: 4, told: 4, poll: 0, indexes: 3 }),
        ],
    ),
    (
        "548c513f-e375-422f-94e5-466d7a6e06da",
        [
            ("wultra/document-accepted", Kind { recording: 8, payload: 4, told: 0, poll: 0, indexes: 2 }),
            ("wultra/process-finished", Kind { recording: 10, payload: 2, told: 4, poll: 0, indexes: 4 }),
            ("wultra/process-failed", Kind { recording: 12, payload: 2, told: 4, poll: 0, indexes: 3 }),
        ],
    ),
];

/// The samples' own sessions and references, which become those of the decision, and the times that make the last decision the latest.
const SESSIONS: [&str; 8] = [
    "74b6838b-7f2f-4ce5-a46a-6b836bc04400",
    "f5223ba9-2de3-4e0f-93a3-58536a228ce0",
    "56670b141509bb0a9bf13331",
    "13e783e7eb04b39b68b4aef7",
    "6461023",
    "6461003",
    "c40ecab9-675e-4b62-8a38-164cee508fb7",
    "e17a0f04-713d-4f90-888d-9904e8e79332",
];
const REFERENCES: [(&str, &str); 6] = [
    ("customer-1002", "customer-1010"),
    ("customer-1011", "customer-1010"),
    ("customer-1102", "customer-1107"),
    ("customer-1108", "customer-1107"),
    ("customer-1125", "customer-1137"),
    ("customer-1138", "customer-1137"),
];
const LATER: [(&str, &str, &str); 2] = [
    ("veriff/decision-declined", "2026-06-12T09:20:00.104233Z", "2026-06-12T09:40:00.104233Z"),
    ("treezor/user-kycreview-refused", "2026-06-12 09:30:00", "2026-06-12 09:40:00"),
];

/// The write units of one webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    /// The transaction that records the event, without its indexes.
    recording: u64,
    /// The payload's part of that: it is as long as the provider writes it.
    payload: u64,
    /// The transaction that turns the outbox entry into what was told.
    told: u64,
    /// The poll schedule, without its index.
    poll: u64,
    /// All indexes.
    indexes: u64,
}

/// Delivers a webhook, and returns what it wrote.
async fn units(world: &World, webhook: &Webhook) -> Kind {
    let before = world.network.call_count();
    let response = world.deliver(webhook).await;
    assert_eq!(response.header("x-verdict-outcome"), Some("recorded"), "{}", response.body());
    let calls = world.network.calls_after(before);
    let transactions: Vec<WriteUnits> =
        calls.iter().filter(|call| call.operation == "TransactWriteItems").map(|call| call.write_units).collect();
    Kind {
        recording: transactions[0].table,
        payload: payload_units(world),
        poll: calls.iter().filter(|call| call.operation == "UpdateItem").map(|call| call.write_units.table).sum(),
        told: transactions.get(1).map_or(0, |units| units.table),
        indexes: calls.iter().map(|call| call.write_units.indexes).sum(),
    }
}

/// The units of the payload that was written last.
fn payload_units(world: &World) -> u64 {
    let last = world.network.recordings().pop().unwrap();
    let payload = last.put("PAYLOAD#").unwrap();
    let size = |(name, value): (&String, &Value)| {
        name.len() + value.as_str().map_or_else(|| value.to_string().len() / 2 + 2, str::len)
    };
    2 * payload.iter().map(size).sum::<usize>().div_ceil(1024) as u64
}

/// A sample of a session, as its provider would send it.
fn sample(name: &str, session: &str) -> Webhook {
    let webhook = Webhook::sample(name);
    let mut body = String::from_utf8(webhook.body.clone()).unwrap();
    for other in SESSIONS {
        body = body.replace(other, session);
    }
    for (other, reference) in REFERENCES {
        body = body.replace(other, reference);
    }
    for (_, time, later) in LATER.into_iter().filter(|(of, ..)| *of == name) {
        body = body.replace(time, later);
    }
    if webhook.provider == Provider::Treezor && body.as_bytes() != webhook.body {
        return signed_again(&body);
    }
    let keys = credentials(webhook.provider);
    let is_signed = webhook.provider == Provider::Veriff;
    let webhook = Webhook { body: body.into_bytes(), ..webhook };
    if is_signed { webhook.proved_by(keys) } else { webhook }
}

/// Treezor's webhook with another payload: signed as it stands, in the form that PHP gives it.
fn signed_again(body: &str) -> Webhook {
    let (envelope, rest) = body.split_once(r#""object_payload":"#).unwrap();
    let payload = &rest[..rest.rfind(r#"]},""#).unwrap() + 2];
    let members = envelope.rsplit('{').next().unwrap().trim_end_matches(',');
    Webhook::with_payload(members, payload)
}

#[test]
fn an_ordinary_session_takes_these_write_units() {
    let mut different = Vec::new();
    for (session, webhooks) in ORDINARY {
        simulate(1, async |world| {
            world.network.meter();
            for (name, expected) in webhooks {
                world.pass(Duration::from_mins(1)).await;
                let found = units(&world, &sample(name, session)).await;
                if found != expected {
                    different.push(format!("{name}: {found:?}, not {expected:?}"));
                }
            }
            assert_eq!(world.records().len(), 1, "{session}");
        });
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// What a payload takes is up to its provider; an event, a record and an outbox entry are up to Verdict.
#[test]
fn beside_a_payload_progress_takes_4_units_and_a_first_decision_8_and_2_for_each_check_of_another_reading() {
    for (_, [(_, progress), (name, decision), _]) in ORDINARY {
        let checks = if name.starts_with("incode/") || name.starts_with("treezor/") { 2 } else { 0 };
        assert_eq!(progress.recording - progress.payload, 4);
        assert_eq!(decision.recording - decision.payload, 8 + checks, "{name}");
    }
}
