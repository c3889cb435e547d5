//! For `make compare`: plays worlds of webhooks, and prints all that is seen of them as JSON lines, in an order that
//! doesn't depend on what runs side by side: each answer, item and message, each record, event and history as callers
//! read it, and each item once more after a rebuild.
//!
//! The worlds come on standard input, a step in each line (`tests/compare/plan.py`). Random ones of the simulation's own
//! webhooks follow, and what the fixtures of stored items hold. SQS's ids are left out: they say in which order
//! messages of different sessions were sent.

#![expect(clippy::unwrap_used, reason = "what can't be is a bug in the simulation, and ends it")]

use fastrand::Rng;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    env,
    fs::File,
    io::{self, BufWriter, Write},
    os::fd::AsFd as _,
    time::Duration,
};
use verdict_pipeline::{IntakeMessage, gateway::Response};
use verdict_sessions::{CheckOutcome, Outcome, Provider, SessionKey, Stage, Timestamp};
use verdict_simulation::{Call, Clock, DynamoDb, Fault, Service, Webhook, World, simulate, stored};

/// The pause between two deliveries. Each comes at the beginning of a minute, however long the one before took.
const MINUTE: Duration = Duration::from_mins(1);

/// How many minutes a world goes on after its last delivery: whatever failed for a while is made up for by then.
const AFTERWARDS: u32 = 30;

/// The number of random worlds.
const RANDOM: u64 = 24;

/// The headers of an answer that may say something.
const HEADERS: [&str; 5] =
    ["content-type", "x-verdict-outcome", "x-verdict-session", "retry-after", "www-authenticate"];

const QUEUES: [&str; 3] = ["IntakeQueue", "QuarantineQueue", "WakeUpQueue"];

/// A step of a world.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Step {
    /// A webhook comes, as an API Gateway event.
    Deliver { name: String, provider: Provider, event: Value },
    /// From here on, until the last webhook has come, this service is away.
    Lose(Lost),
    /// From here on Incode's API has to confirm what a webhook decides.
    Confirm,
    /// From here on Incode's API knows how a session scored.
    Score { session: String, outcome: Outcome },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Lost {
    Table,
    Queues,
}

/// A line of the plan: a step, and the world that it belongs to.
#[derive(Deserialize)]
struct Planned {
    world: String,
    #[serde(flatten)]
    step: Step,
}

/// The lines about one world.
struct Lines<'o> {
    world: &'o str,
    output: &'o mut dyn Write,
}

fn main() -> io::Result<()> {
    let mut output = BufWriter::new(take_standard_output()?);
    let seed = env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut worlds: Vec<(String, Vec<Step>)> = Vec::new();
    for line in io::stdin().lines() {
        let Planned { world, step } = serde_json::from_str(&line?)?;
        match worlds.last_mut().filter(|(name, _)| *name == world) {
            Some((_, steps)) => steps.push(step),
            None => worlds.push((world, vec![step])),
        }
    }
    worlds.extend((0..RANDOM).map(|number| (format!("random {number}"), random(number))));
    for (world, steps) in &worlds {
        let mut lines = Lines { world, output: &mut output };
        simulate(seed, async |world| play(&world, steps, &mut lines).await)?;
    }
    for (path, text) in stored::today().files() {
        Lines { world: "fixtures", output: &mut output }.add("file", path, &unpacked(text))?;
    }
    output.flush()
}

async fn play(world: &World, steps: &[Step], lines: &mut Lines<'_>) -> io::Result<()> {
    for step in steps {
        until_next_minute(world).await;
        match step {
            Step::Deliver { name, provider, event } => {
                let response = world.deliver(&Webhook::of_event(*provider, event)).await;
                lines.add("answer", name, &answer(&response))?;
            }
            Step::Lose(lost) => {
                let service = match lost {
                    Lost::Table => Service::DynamoDb,
                    Lost::Queues => Service::Sqs,
                };
                world.network.fail(move |call: &Call| (call.service == service).then_some(Fault::FailBefore));
            }
            Step::Confirm => world.confirm_decisions(true),
            Step::Score { session, outcome } => world.fake_incode.close(session, *outcome),
        }
    }
    world.network.mend();
    for _ in 0..AFTERWARDS {
        until_next_minute(world).await;
        while world.run_replay().await > 0 {}
        world.run_relay().await.unwrap();
        world.run_poller().await.unwrap();
    }
    lines.all_of(world).await?;
    rebuild(world, lines).await
}

/// Reads every session again: what a rebuild would change, and the items after it.
async fn rebuild(world: &World, lines: &mut Lines<'_>) -> io::Result<()> {
    let sessions = sessions(world);
    let reports = world.preview_rebuild(sessions.clone()).await;
    lines.add("preview", "rebuild", &reports)?;
    for session in sessions {
        world.request_rebuild(session);
    }
    while world.run_replay().await > 0 {}
    world.run_relay().await.unwrap();
    lines.items("item after a rebuild", world)
}

impl Lines<'_> {
    fn add(&mut self, kind: &str, name: &str, value: &Value) -> io::Result<()> {
        let mut value = value.clone();
        leave_out_message_ids(&mut value);
        writeln!(self.output, "{}", json!({"world": self.world, "kind": kind, "name": name, "value": value}))
    }

    /// All that is seen of a world.
    async fn all_of(&mut self, world: &World) -> io::Result<()> {
        self.items("item", world)?;
        self.messages(world)?;
        for session in sessions(world) {
            self.read(world, &session).await?;
        }
        Ok(())
    }

    fn items(&mut self, kind: &str, world: &World) -> io::Result<()> {
        for item in world.network.with_dynamodb(DynamoDb::typed_items) {
            let name = format!("{} {}", text(&item["pk"]), text(&item["sk"]));
            self.add(kind, &name, &Value::Object(item))?;
        }
        Ok(())
    }

    /// The decisions queue's messages, of one session after the other, and what the other queues hold.
    fn messages(&mut self, world: &World) -> io::Result<()> {
        let mut decisions = world.network.with_sqs(|sqs| sqs.accepted("DecisionsQueue"));
        decisions.sort_by(|a, b| a.group.cmp(&b.group));
        for message in decisions {
            let body: Value = serde_json::from_str(&message.body)?;
            let name = text_of(&body["id"]).to_owned();
            let whole = json!({"text": message.body, "body": body, "attributes": message.attributes,
                "group": message.group, "deduplicationId": message.deduplication_id, "trace": message.trace});
            self.add("message", &name, &whole)?;
        }
        for queue in QUEUES {
            let held = world.network.with_sqs(|sqs| sqs.held(queue));
            let mut held: Vec<Value> = held.iter().map(|body| unpacked(body)).collect();
            held.sort_by_key(Value::to_string);
            for message in held {
                self.add("held", queue, &message)?;
            }
        }
        Ok(())
    }

    /// A session as callers of the sessions API read it.
    async fn read(&mut self, world: &World, key: &SessionKey) -> io::Result<()> {
        let (table, name) = (world.table(), key.to_string());
        let session = table.session(key).await.unwrap().unwrap();
        self.add("record as read", &name, &json!(session.view()))?;
        let (mut cursor, mut pages) = (None::<String>, 0);
        while pages == 0 || cursor.is_some() {
            let page = table.events(key, cursor.as_deref()).await.unwrap().unwrap();
            let events: Vec<_> = page.items.iter().map(|event| json!(event.view())).collect();
            self.add("events as read", &name, &json!(events))?;
            (cursor, pages) = (page.next, pages + 1);
        }
        let history = table.history(key, None).await.unwrap().unwrap();
        let told: Vec<_> = history.page.items.iter().map(|told| json!(told.view())).collect();
        self.add("history as read", &name, &json!({"begins": history.begins, "told": told}))
    }
}

fn answer(response: &Response) -> Value {
    let headers = HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), json!(response.header(name)?))));
    json!({"status": response.status(), "headers": headers.collect::<Map<_, _>>(), "body": response.body()})
}

/// The sessions that have a record, by key.
fn sessions(world: &World) -> Vec<SessionKey> {
    let records = world.records().into_iter().filter(|(_, record)| record.session.is_some());
    let key = |name: String| name.split_once('/').and_then(|(provider, id)| SessionKey::named(provider, id));
    records.map(|(name, _)| key(name).unwrap()).collect()
}

/// The JSON of a text, in which a webhook's body is unpacked: another version of gzip may pack it otherwise.
fn unpacked(text: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).unwrap();
    if let Ok(IntakeMessage::Webhook(queued)) = IntakeMessage::read(text) {
        value["body"] = String::from_utf8_lossy(queued.restore().unwrap().body()).into();
    }
    value
}

fn leave_out_message_ids(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(id) = members.get_mut("messageId") {
                *id = if id.is_string() { json!("…") } else { json!({"S": "…"}) };
            }
            members.values_mut().for_each(leave_out_message_ids);
        }
        Value::Array(values) => values.iter_mut().for_each(leave_out_message_ids),
        _ => {}
    }
}

async fn until_next_minute(world: &World) {
    let past = world.clock.since_epoch().as_nanos() % MINUTE.as_nanos();
    world.pass(MINUTE.saturating_sub(Duration::from_nanos(u64::try_from(past).unwrap()))).await;
}

/// Webhooks of three sessions of each provider in a random order, some of them several times.
fn random(number: u64) -> Vec<Step> {
    let mut rng = Rng::with_seed(number);
    let provider = Provider::ALL[usize::try_from(number).unwrap() % Provider::ALL.len()];
    let mut sent: Vec<Webhook> = Vec::new();
    (0..30)
        .map(|place| {
            let is_copy = !sent.is_empty() && rng.u8(..4) == 0;
            let webhook = if is_copy { sent[rng.usize(..sent.len())].clone() } else { any_webhook(provider, &mut rng) };
            sent.push(webhook.clone());
            Step::Deliver { name: format!("{place}"), provider, event: event_of(&webhook) }
        })
        .collect()
}

fn any_webhook(provider: Provider, rng: &mut Rng) -> Webhook {
    const ATTEMPTS: [&str; 2] = ["attempt-1", "attempt-2"];
    const LISTS: [&[&str]; 3] = [&["pep"], &["sanctions"], &["pep", "sanctions"]];
    let session = ["1001", "1002", "1003"][rng.usize(..3)];
    let attempt = ATTEMPTS[rng.usize(..2)];
    let at = Timestamp::from_unix(i64::try_from(Clock::EPOCH).unwrap() - rng.i64(0..40) * 60, 0).unwrap();
    let outcomes = Webhook::outcomes(provider);
    let stage = [Stage::Started, Stage::Submitted][rng.usize(..2)];
    match (rng.u8(..5), provider) {
        (0, _) => Webhook::progress(provider, session, stage, at, attempt),
        (1, Provider::Veriff) => {
            Webhook::watchlist(session, CheckOutcome::Flagged, LISTS[rng.usize(..LISTS.len())], at, attempt)
        }
        (2, Provider::Veriff) => Webhook::check(provider, session, CheckOutcome::Passed, at, attempt),
        (1 | 2, Provider::Wultra) => {
            let outcome = [CheckOutcome::Passed, CheckOutcome::Failed][rng.usize(..2)];
            Webhook::check(provider, session, outcome, at, attempt)
        }
        (1 | 2, Provider::Incode) => Webhook::login(session, CheckOutcome::Passed, rng.usize(..4)),
        (1, Provider::Treezor) => Webhook::document(session, CheckOutcome::Passed, Some(at), rng.usize(..4)),
        (2, Provider::Treezor) => {
            let outcome = outcomes[rng.usize(..outcomes.len())];
            Webhook::decisions_of_users(&["1001", "1002", "1003"], outcome, at)
        }
        _ => Webhook::decision(provider, session, outcomes[rng.usize(..outcomes.len())], at, attempt),
    }
}

/// A webhook as the part of an API Gateway event that is looked at.
fn event_of(webhook: &Webhook) -> Value {
    let members = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<BTreeMap<_, _>>();
    json!({"rawPath": webhook.path, "queryStringParameters": members(&webhook.query),
        "headers": members(&webhook.headers), "body": String::from_utf8(webhook.body.clone()).unwrap()})
}

/// A string with DynamoDB's type.
fn text(typed: &Value) -> &str {
    text_of(&typed["S"])
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The functions print a line for each delivery on standard output. That goes nowhere here; what was standard output is
/// the player's.
fn take_standard_output() -> io::Result<File> {
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
    Ok(File::from(output))
}
