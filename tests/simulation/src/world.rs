//! One run: the functions, the line under them, and the stores at its end.

use crate::{Clock, DynamoDb, Line, QueueSettings, Sqs, Webhook, webhooks::credentials};
use serde_json::{Map, Value};
use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{runtime, time::sleep};
use verdict_pipeline::{
    Deadline, DecisionsQueue, Environment, PollSchedule, Receiver, SessionsTable, TableError,
    gateway::{Request, RequestId, Response},
    outbox,
};
use verdict_sessions::Provider;
use verdict_webhooks::{Delivery, incode::Incode, treezor::Treezor, veriff::Veriff, wultra::Wultra};

/// How long a function that receives webhooks takes at most, as the gateway's adapter has it.
const RECEIVE_BUDGET: Duration = Duration::from_millis(3800);

/// How long one run of the relay takes at most.
const RELAY_BUDGET: Duration = Duration::from_secs(45);

/// The pause between two runs of what a schedule starts.
const SCHEDULE: Duration = Duration::from_mins(1);

/// How many times a world may go round before it counts as one that never settles.
const ROUNDS: usize = 120;

const TABLE: &str = "sessions";
const DECISIONS: &str = "DecisionsQueue";
const QUARANTINE: &str = "QuarantineQueue";
/// Every queue of the template, by its resource's name.
const QUEUES: [&str; 4] = [DECISIONS, "DecisionsDeadLetterQueue", QUARANTINE, "IntakeQueue"];

/// Runs a world of its own, on a clock of its own. The same seed gives the same run.
pub fn simulate<T>(seed: u64, run: impl AsyncFnOnce(World) -> T) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    fastrand::seed(seed);
    runtime.block_on(async { run(World::start()).await })
}

/// Everything.
pub struct World {
    /// The line to table and queues.
    pub line: Line,
    /// The time.
    pub clock: Clock,
    veriff: Receiver<Veriff>,
    incode: Receiver<Incode>,
    treezor: Receiver<Treezor>,
    wultra: Receiver<Wultra>,
    table: SessionsTable,
    decisions: DecisionsQueue,
    requests: Cell<u64>,
}

/// What the table holds of a session, as plain JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The session's record, where there is one.
    pub session: Option<Value>,
    /// The events, by id.
    pub events: BTreeMap<String, Value>,
    /// The ids of the events whose payloads are there.
    pub payloads: Vec<String>,
    /// What waits to be published, by sequence.
    pub outbox: BTreeMap<u64, Value>,
}

impl World {
    fn start() -> Self {
        let clock = Clock::start();
        let mut sqs = Sqs::new(clock);
        for name in QUEUES {
            if let Some(settings) = QueueSettings::of_template(name) {
                sqs.create(name, settings);
            }
        }
        let line = Line::new(DynamoDb::with_sessions_table(TABLE), sqs);
        let environment = Environment::new(variables(), line.http_client()).unwrap();
        let table = environment.sessions_table().unwrap();
        let decisions = environment.decisions_queue().unwrap();
        let quarantine = environment.quarantine_queue().unwrap();
        let incode = environment.credentials("INCODE_CREDENTIALS", Incode::from_json).unwrap();
        let polls = PollSchedule::new(table.clone(), incode.api().is_some());
        let veriff = environment.credentials("VERIFF_CREDENTIALS", Veriff::from_json).unwrap();
        let treezor = environment.credentials("TREEZOR_CREDENTIALS", Treezor::from_json).unwrap();
        let wultra = environment.credentials("WULTRA_CREDENTIALS", Wultra::from_json).unwrap();
        Self {
            veriff: Receiver::new(veriff, table.clone(), decisions.clone(), quarantine.clone()),
            incode: Receiver::new(incode, table.clone(), decisions.clone(), quarantine.clone()).with_polls(polls),
            treezor: Receiver::new(treezor, table.clone(), decisions.clone(), quarantine.clone()),
            wultra: Receiver::new(wultra, table.clone(), decisions.clone(), quarantine),
            line,
            clock,
            table,
            decisions,
            requests: Cell::new(0),
        }
    }

    /// Delivers a webhook to its function, as the gateway does.
    pub async fn deliver(&self, webhook: &Webhook) -> Response {
        let request = self.request(webhook);
        match webhook.provider {
            Provider::Veriff => self.veriff.receive(request).await,
            Provider::Incode => self.incode.receive(request).await,
            Provider::Treezor => self.treezor.receive(request).await,
            Provider::Wultra => self.wultra.receive(request).await,
        }
    }

    fn request(&self, webhook: &Webhook) -> Request {
        self.requests.update(|requests| requests + 1);
        let headers = webhook.headers.iter().cloned().collect();
        Request {
            id: RequestId::from(format!("request-{}", self.requests.get())),
            deadline: Deadline::after(RECEIVE_BUDGET),
            now: self.clock.now(),
            query: webhook.query.clone(),
            path_parameters: BTreeMap::new(),
            route: "$default".to_owned(),
            delivery: Delivery::new("POST", &webhook.path, headers, webhook.body.clone())
                .with_query(webhook.query.clone()),
        }
    }

    /// Runs the relay once.
    ///
    /// # Errors
    /// As the relay's.
    pub async fn run_relay(&self) -> Result<(), TableError> {
        outbox::relay(&self.table, &self.decisions, self.clock.now(), Deadline::after(RELAY_BUDGET)).await
    }

    /// Lets time pass, and whatever is under way with it.
    pub async fn pass(&self, time: Duration) {
        sleep(time).await;
    }

    /// Lets the schedule run until nothing waits to be published, and says whether that came about.
    pub async fn settle(&self) -> bool {
        for _ in 0..ROUNDS {
            if self.is_settled() {
                return true;
            }
            self.pass(SCHEDULE).await;
            // A run that failed is repeated with the next round.
            let _ = self.run_relay().await;
        }
        self.is_settled()
    }

    fn is_settled(&self) -> bool {
        self.records().values().all(|record| record.outbox.is_empty())
    }

    /// What the table holds, by session (`{provider}/{sessionId}`).
    #[must_use]
    pub fn records(&self) -> BTreeMap<String, Record> {
        let mut records: BTreeMap<String, Record> = BTreeMap::new();
        for item in self.line.with_dynamodb(DynamoDb::items) {
            let key = text(&item, "pk").strip_prefix("SESSION#").unwrap().to_owned();
            records.entry(key).or_default().take(item);
        }
        records
    }

    /// What the table holds of a session.
    #[must_use]
    pub fn record(&self, session: &str) -> Record {
        self.records().remove(session).unwrap_or_default()
    }

    /// The notifications that the queue took, in order, with their `CloudEvents` envelope.
    #[must_use]
    pub fn published(&self) -> Vec<Value> {
        let accepted = self.line.with_sqs(|sqs| sqs.accepted(DECISIONS));
        accepted.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
    }

    /// What is in quarantine.
    #[must_use]
    pub fn quarantined(&self) -> Vec<Value> {
        let held = self.line.with_sqs(|sqs| sqs.held(QUARANTINE));
        held.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }
}

impl Record {
    fn take(&mut self, mut item: Map<String, Value>) {
        let sk = text(&item, "sk").to_owned();
        match sk.split_once('#') {
            None if sk == "STATE" => self.session = item.remove("session"),
            Some(("EVENT", id)) => {
                self.events.insert(id.to_owned(), item["event"].take());
            }
            Some(("PAYLOAD", id)) => self.payloads.push(id.to_owned()),
            Some(("NOTIFICATION", sequence)) => {
                self.outbox.insert(sequence.parse().unwrap(), item["notification"].take());
            }
            // The poll schedule: what it holds is no part of the record.
            _ => {}
        }
    }
}

fn text<'i>(item: &'i Map<String, Value>, name: &str) -> &'i str {
    item[name].as_str().unwrap()
}

/// The functions' environment, as the template gives it.
fn variables() -> impl Fn(&str) -> Option<String> + 'static {
    static WORLDS: AtomicU64 = AtomicU64::new(0);
    let world = WORLDS.fetch_add(1, Ordering::Relaxed);
    move |name| {
        Some(match name {
            // The SDK keeps one budget of retries for each region in the whole process: no two worlds share one.
            "AWS_REGION" => format!("simulation-{world}"),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "simulated".to_owned(),
            "AWS_ENDPOINT_URL" => "https://aws.simulation.example".to_owned(),
            "SESSIONS_TABLE" => TABLE.to_owned(),
            "DECISIONS_QUEUE_URL" => Sqs::url(DECISIONS),
            "QUARANTINE_QUEUE_URL" => Sqs::url(QUARANTINE),
            "VERIFF_CREDENTIALS" => credentials(Provider::Veriff).to_string(),
            "INCODE_CREDENTIALS" => credentials(Provider::Incode).to_string(),
            "TREEZOR_CREDENTIALS" => credentials(Provider::Treezor).to_string(),
            "WULTRA_CREDENTIALS" => credentials(Provider::Wultra).to_string(),
            _ => return None,
        })
    }
}
