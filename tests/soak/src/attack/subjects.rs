//! Webhooks of many subjects, copies of them, and a refusal: what each costs in calls and bytes, and whether the largest
//! is done within `replay`'s time.

use super::{Target, outcome};
use crate::{
    soak::{Settings, record},
    stores::{INTAKE, Traffic},
};
use serde_json::json;
use std::time::{Duration, Instant};
use verdict_sessions::Provider;
use verdict_simulation::Webhook;

/// The time that one run of `replay` has.
const REPLAY_TIMEOUT: Duration = Duration::from_secs(30);

/// The most runs of `replay` that a webhook may take.
const MOST_RUNS: usize = 3;

const COUNTS: [usize; 5] = [1, 3, 40, 400, 3000];

/// A user with as much as Treezor tells of one.
fn users(count: usize) -> Webhook {
    let user = |number: usize| {
        json!({"userId": number.to_string(), "userTag": format!("customer-{number}"), "userStatus": "VALIDATED",
            "firstname": "Sample", "lastname": "Specimen", "birthday": "1990-01-01", "address1": "1 Sample Street",
            "postcode": "75001", "city": "Paris", "country": "FR", "kycReview": "2", "kycLevel": "2",
            "codeStatus": "110009", "modifiedDate": "2026-06-12 09:30:00"})
    };
    let users: Vec<_> = (0..count).map(user).collect();
    Webhook::with_payload(
        r#""webhook":"user.kycreview","webhook_id":"1","webhook_created_at":17812566000000,"object":"user","object_id":"0""#,
        &json!({"users": users}).to_string(),
    )
}

fn documents(count: usize) -> Webhook {
    let document = |number: usize| {
        json!({"documentId": number.to_string(), "userId": "7", "documentStatus": "VALIDATED", "documentType": "PASSPORT",
            "fileName": "sample.pdf", "codeStatus": "600003", "modifiedDate": "2026-06-12 09:30:00"})
    };
    let documents: Vec<_> = (0..count).map(document).collect();
    Webhook::with_payload(
        r#""webhook":"document.update","webhook_id":"1","object":"document","object_id":"0""#,
        &json!({"documents": documents}).to_string(),
    )
}

pub(super) async fn run(settings: &Settings) -> bool {
    println!("{:24} {:>8} {:>7} {:10} {:>5} {:>7}  calls", "webhook", "bytes", "written", "outcome", "runs", "s");
    let mut is_well = true;
    for count in COUNTS {
        is_well &= sent(settings, &format!("{count} users"), &users(count)).await;
    }
    for count in COUNTS {
        let is_done = sent(settings, &format!("{count} documents of one"), &documents(count)).await;
        // Events of one session are recorded one after the other: thousands of them take several runs.
        is_well &= is_done || count > 400;
    }
    let mut forged = users(400);
    let at = forged.body.len() / 2;
    forged.body[at] ^= 1;
    is_well && refused(settings, &forged).await
}

/// Sends a webhook and then a copy of it. Says whether all of it is recorded, and the copy wrote nothing.
async fn sent(settings: &Settings, name: &str, webhook: &Webhook) -> bool {
    let target = Target::new(settings).await;
    let receiver = target.receiver(Provider::Treezor, 1);
    let replay = target.function("replay", REPLAY_TIMEOUT, 1);
    let begun = Instant::now();
    let answer = outcome(&receiver, webhook).await;
    let mut runs = 0;
    let mut is_done = answer == "recorded";
    while !is_done && runs < MOST_RUNS {
        let messages = target.stores.receive(INTAKE);
        let records: Vec<_> = messages.iter().map(record).collect();
        let Ok(answer) = replay.invoke(json!({"Records": records}).to_string()).await else { break };
        runs += 1;
        is_done = String::from_utf8_lossy(&answer) == r#"{"batchItemFailures":[]}"#;
        for message in messages {
            // It would come again only after a pause.
            if is_done {
                target.stores.delete(INTAKE, &message.receipt);
            } else {
                target.stores.show(INTAKE, &message.receipt);
            }
        }
    }
    print(name, webhook, &answer, runs, begun, &target.stores.take_traffic());
    let begun = Instant::now();
    let answer = outcome(&receiver, webhook).await;
    let traffic = target.stores.take_traffic();
    print("  a copy", webhook, &answer, 0, begun, &traffic);
    // So large a webhook's copy may take longer than a provider waits.
    is_done && (traffic.written == 0 || answer == "spooled")
}

async fn refused(settings: &Settings, webhook: &Webhook) -> bool {
    let target = Target::new(settings).await;
    let receiver = target.receiver(Provider::Treezor, 1);
    let begun = Instant::now();
    let answer = outcome(&receiver, webhook).await;
    let traffic = target.stores.take_traffic();
    print("a refusal", webhook, &answer, 0, begun, &traffic);
    answer == "refused" && traffic.calls.is_empty()
}

fn print(name: &str, webhook: &Webhook, outcome: &str, runs: usize, begun: Instant, traffic: &Traffic) {
    let calls: Vec<String> = traffic.calls.iter().map(|(operation, count)| format!("{count} {operation}")).collect();
    let (bytes, took) = (webhook.body.len(), begun.elapsed().as_secs_f64());
    println!("{name:24} {bytes:>8} {:>7} {outcome:10} {runs:>5} {took:>7.2}  {}", traffic.written, calls.join(", "));
}
