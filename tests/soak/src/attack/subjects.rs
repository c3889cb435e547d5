//! Webhooks of many subjects, copies of them, as many webhooks of one subject, and a refusal: what each costs in calls,
//! bytes, units and CPU time, and whether the largest is done within `replay`'s time.

use super::{Target, outcome};
use crate::{
    lambda::Function,
    meter::Bill,
    process::{cpu, process},
    soak::Settings,
    stores::{INTAKE, Message, Traffic},
};
use serde_json::json;
use std::{
    ops::Range,
    time::{Duration, Instant},
};
use verdict_sessions::Provider;
use verdict_simulation::Webhook;

/// The time that one run of `replay` has.
const REPLAY_TIMEOUT: Duration = Duration::from_secs(30);

/// The most runs of `replay` that a webhook may take.
const MOST_RUNS: usize = 3;

const COUNTS: [usize; 6] = [1, 3, 40, 300, 1000, 3000];

/// The most subjects that are sent one by one, too.
const MOST_APART: usize = 1000;

/// A user with as much as Treezor tells of one.
fn users(numbers: Range<usize>) -> Webhook {
    let user = |number: usize| {
        json!({"userId": number.to_string(), "userTag": format!("customer-{number}"), "userStatus": "VALIDATED",
            "firstname": "Sample", "lastname": "Specimen", "birthday": "1990-01-01", "address1": "1 Sample Street",
            "postcode": "75001", "city": "Paris", "country": "FR", "kycReview": "2", "kycLevel": "2",
            "codeStatus": "110009", "modifiedDate": "2026-06-12 09:30:00"})
    };
    let users: Vec<_> = numbers.map(user).collect();
    Webhook::with_payload(
        r#""webhook":"user.kycreview","webhook_id":"1","webhook_created_at":17812566000000,"object":"user","object_id":"0""#,
        &json!({"users": users}).to_string(),
    )
}

fn documents(numbers: Range<usize>) -> Webhook {
    let document = |number: usize| {
        json!({"documentId": number.to_string(), "userId": "7", "documentStatus": "VALIDATED", "documentType": "PASSPORT",
            "fileName": "sample.pdf", "codeStatus": "600003", "modifiedDate": "2026-06-12 09:30:00"})
    };
    let documents: Vec<_> = numbers.map(document).collect();
    Webhook::with_payload(
        r#""webhook":"document.update","webhook_id":"1","object":"document","object_id":"0""#,
        &json!({"documents": documents}).to_string(),
    )
}

pub(super) async fn run(settings: &Settings) -> bool {
    println!(
        "{:28} {:>8} {:>7} {:>7} {:>7} {:10} {:>5} {:>7} {:>7}  calls",
        "webhook", "bytes", "written", "units", "read", "outcome", "runs", "s", "CPU s"
    );
    let mut is_well = true;
    for (name, webhook) in [("users", users as fn(_) -> _), ("documents of one", documents)] {
        for count in COUNTS {
            is_well &= sent(settings, &format!("{count} {name}"), &webhook(0..count)).await;
            if (2..=MOST_APART).contains(&count) {
                let apart: Vec<_> = (0..count).map(|number| webhook(number..number + 1)).collect();
                is_well &= sent_apart(settings, &format!("  {count} webhooks of one"), &apart).await;
            }
        }
    }
    let mut forged = users(0..400);
    let at = forged.body.len() / 2;
    forged.body[at] ^= 1;
    is_well && refused(settings, &forged).await
}

/// Sends a webhook and then a copy of it. Says whether all of it is recorded, and the copy wrote nothing.
async fn sent(settings: &Settings, name: &str, webhook: &Webhook) -> bool {
    let target = Target::new(settings).await;
    let receiver = target.receiver(Provider::Treezor, 1);
    let replay = target.function("replay", REPLAY_TIMEOUT, 1);
    let before = Before::of(&target, &[&receiver, &replay]);
    let answer = outcome(&receiver, webhook).await;
    let mut runs = 0;
    let mut is_done = answer == "recorded";
    while !is_done && runs < MOST_RUNS {
        let messages = target.stores.receive(INTAKE);
        let records: Vec<_> = messages.iter().map(Message::record).collect();
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
    before.print(name, webhook.body.len(), &answer, runs);
    let before = Before::of(&target, &[&receiver]);
    let answer = outcome(&receiver, webhook).await;
    let traffic = before.print("  a copy", webhook.body.len(), &answer, 0);
    // So large a webhook's copy may take longer than a provider waits.
    is_done && (traffic.written == 0 || answer == "spooled")
}

/// Sends webhooks one after the other. Says whether all are recorded.
async fn sent_apart(settings: &Settings, name: &str, webhooks: &[Webhook]) -> bool {
    let target = Target::new(settings).await;
    let receiver = target.receiver(Provider::Treezor, 1);
    let before = Before::of(&target, &[&receiver]);
    let mut is_done = true;
    for webhook in webhooks {
        is_done &= outcome(&receiver, webhook).await == "recorded";
    }
    before.print(name, webhooks.iter().map(|webhook| webhook.body.len()).sum(), "recorded", 0);
    is_done
}

async fn refused(settings: &Settings, webhook: &Webhook) -> bool {
    let target = Target::new(settings).await;
    let receiver = target.receiver(Provider::Treezor, 1);
    let before = Before::of(&target, &[&receiver]);
    let answer = outcome(&receiver, webhook).await;
    let traffic = before.print("a refusal", webhook.body.len(), &answer, 0);
    answer == "refused" && traffic.calls.is_empty()
}

/// What was there before something was sent.
struct Before<'t> {
    target: &'t Target,
    functions: Vec<&'t Function>,
    begun: Instant,
    cpu: f64,
}

impl<'t> Before<'t> {
    fn of(target: &'t Target, functions: &[&'t Function]) -> Self {
        target.stores.take_traffic();
        Self { target, functions: functions.to_vec(), begun: Instant::now(), cpu: cpu_of(functions) }
    }

    /// Prints what it has cost.
    fn print(self, name: &str, bytes: usize, outcome: &str, runs: usize) -> Traffic {
        let (took, cpu) = (self.begun.elapsed().as_secs_f64(), cpu_of(&self.functions) - self.cpu);
        let traffic = self.target.stores.take_traffic();
        let calls: Vec<String> =
            traffic.calls.iter().map(|(operation, count)| format!("{count} {operation}")).collect();
        let (written, Bill { write_units, read_units, .. }) = (traffic.written, &traffic.bill);
        println!(
            "{name:28} {bytes:>8} {written:>7} {write_units:>7} {read_units:>7} {outcome:10} {runs:>5} {took:>7.2} {cpu:>7.2}  {}",
            calls.join(", ")
        );
        traffic
    }
}

/// The CPU time of functions so far, in seconds.
fn cpu_of(functions: &[&Function]) -> f64 {
    functions.iter().map(|function| cpu(process(function))).sum()
}
