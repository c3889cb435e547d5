//! One run: the functions, the network under them, and the stores at its end.

use crate::{
    Clock, DynamoDb, FakeIncode, Network, QueueSettings, Sqs, Webhook, network::endpoint, webhooks::credentials,
};
use serde_json::{Map, Value, json};
use std::{
    cell::{self, Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{runtime, sync::OnceCell, time::sleep};
use verdict_pipeline::{
    Deadline, Environment, IntakeMessage, Poller, RebuildRequest, Receiver, Relay, Replay, ResendRequest, RunError,
    SessionsTable, TableError, cron,
    gateway::{Request, RequestId, Response},
    preview, replay,
};
use verdict_sessions::{Provider, SessionKey, Timestamp, Trace};
use verdict_webhooks::{Delivery, incode::Incode, treezor::Treezor, veriff::Veriff, wultra::Wultra};

/// How long a function that receives webhooks takes at most, as the gateway's adapter has it.
const RECEIVE_BUDGET: Duration = Duration::from_millis(3800);

/// How long one run of what a schedule starts takes at most.
const SCHEDULED_BUDGET: Duration = Duration::from_secs(45);

/// How long one run of the replay takes at most.
const REPLAY_BUDGET: Duration = Duration::from_secs(25);

/// How many messages the event source mapping hands to one run of the replay.
const REPLAY_BATCH: usize = 10;

/// The pause between two runs of what a schedule starts.
const SCHEDULE: Duration = Duration::from_mins(1);

/// How many times a world may go round before it counts as one that never settles.
const ROUNDS: usize = 120;

const TABLE: &str = "sessions";
/// What a session's partition key starts with.
pub(crate) const SESSION: &str = "SESSION#";
pub(crate) const DECISIONS: &str = "DecisionsQueue";
pub(crate) const INTAKE: &str = "IntakeQueue";
pub(crate) const QUARANTINE: &str = "QuarantineQueue";
pub(crate) const WAKE_UP: &str = "WakeUpQueue";

/// Every queue of the template, by its resource's name.
static QUEUE_SETTINGS: LazyLock<[(&str, QueueSettings); 5]> = LazyLock::new(|| {
    [DECISIONS, "DecisionsDeadLetterQueue", INTAKE, QUARANTINE, WAKE_UP]
        .map(|name| (name, QueueSettings::of_template(name)))
});

/// Runs a world of its own, on a clock of its own. The same seed gives the same run.
pub fn simulate<T>(seed: u64, run: impl AsyncFnOnce(World) -> T) -> T {
    simulate_on(DynamoDb::with_sessions_table(TABLE), seed, run)
}

/// The same on a table, which should be empty.
pub fn simulate_on<T>(table: DynamoDb, seed: u64, run: impl AsyncFnOnce(World) -> T) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    fastrand::seed(seed);
    runtime.block_on(async { run(World::start(table)).await })
}

/// Everything.
pub struct World {
    /// The network to table and queues.
    pub network: Network,
    /// The time.
    pub clock: Clock,
    /// Whom the poller asks.
    pub fake_incode: FakeIncode,
    deployed: RefCell<Rc<Functions>>,
    deployment: Cell<Deployment>,
    requests: Cell<u64>,
}

/// What a deployment sets.
#[derive(Clone, Copy, Default)]
struct Deployment {
    /// The base of sequences.
    base: u64,
    /// Whether Incode's API has to confirm what a webhook decides.
    confirms: bool,
}

/// The functions of one deployment. Each is started when it is first invoked.
struct Functions {
    environment: Environment,
    veriff: OnceCell<Receiver<Veriff>>,
    incode: OnceCell<Receiver<Incode>>,
    treezor: OnceCell<Receiver<Treezor>>,
    wultra: OnceCell<Receiver<Wultra>>,
    replay: cell::OnceCell<Replay>,
    relay: cell::OnceCell<Relay>,
    poller: OnceCell<Poller<FakeIncode>>,
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
    /// What was told, by sequence: each item whole.
    pub told: BTreeMap<u64, Value>,
}

impl World {
    fn start(table: DynamoDb) -> Self {
        let clock = Clock::start();
        let mut sqs = Sqs::new(clock);
        for (name, settings) in QUEUE_SETTINGS.iter() {
            sqs.create(name, settings.clone());
        }
        let network = Network::new(table, sqs);
        Self {
            deployed: RefCell::new(Rc::new(Functions::deploy(&network, Deployment::default()))),
            deployment: Cell::default(),
            network,
            clock,
            fake_incode: FakeIncode::start(clock),
            requests: Cell::new(0),
        }
    }

    /// Deploys the functions anew, with this base of sequences. What is under way goes on with the one before.
    pub fn raise_base(&self, base: u64) {
        self.deploy(Deployment { base, ..self.deployment.get() });
    }

    /// The same, with Incode's API having to confirm what a webhook decides, or not.
    pub fn confirm_decisions(&self, confirms: bool) {
        self.deploy(Deployment { confirms, ..self.deployment.get() });
    }

    /// Whether Incode's API has to confirm what a webhook decides.
    #[must_use]
    pub fn confirms_decisions(&self) -> bool {
        self.deployment.get().confirms
    }

    fn deploy(&self, deployment: Deployment) {
        self.deployment.set(deployment);
        *self.deployed.borrow_mut() = Rc::new(Functions::deploy(&self.network, deployment));
    }

    fn deployed(&self) -> Rc<Functions> {
        self.deployed.borrow().clone()
    }

    /// The environment of functions that are deployed beside the others: theirs, with some variables changed. A blank one
    /// counts as missing.
    #[must_use]
    pub fn environment(&self, changes: &[(&str, &str)]) -> Environment {
        let changes: BTreeMap<_, _> =
            changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let variables = variables(Deployment { base: 0, confirms: true });
        let variables = move |name: &str| changes.get(name).cloned().or_else(|| variables(name));
        Environment::new(variables, self.network.http_client()).unwrap()
    }

    /// Delivers a webhook to its function, as the gateway does.
    pub async fn deliver(&self, webhook: &Webhook) -> Response {
        let functions = self.deployed();
        // On the heap: it is large, and there are layers around it here.
        Box::pin(functions.deliver(webhook.provider, self.request(webhook))).await
    }

    /// A webhook as the gateway hands it to a function.
    #[must_use]
    pub fn request(&self, webhook: &Webhook) -> Request {
        self.requests.update(|requests| requests + 1);
        let headers = webhook.headers.iter().cloned().collect();
        Request {
            id: RequestId::from(format!("request-{}", self.requests.get())),
            deadline: Deadline::after(RECEIVE_BUDGET),
            now: self.clock.now(),
            query: webhook.query.clone(),
            path_parameters: BTreeMap::new(),
            route: "$default".to_owned(),
            caller: None,
            is_cold_start: false,
            trace: Some(trace_of(self.clock.now())),
            delivery: Delivery::new("POST", &webhook.path, headers, webhook.body.clone())
                .with_query(webhook.query.clone()),
        }
    }

    /// An invocation of what a schedule or a queue starts.
    #[must_use]
    pub fn scheduled(&self) -> cron::Invocation {
        cron::Invocation { now: self.clock.now(), deadline: Deadline::after(SCHEDULED_BUDGET), trace: None }
    }

    /// Runs the relay once.
    ///
    /// # Errors
    /// As the relay's.
    pub async fn run_relay(&self) -> Result<(), TableError> {
        let functions = self.deployed();
        let relay = functions.relay.get_or_init(|| functions.environment.relay().unwrap());
        relay.run(self.clock.now(), Deadline::after(SCHEDULED_BUDGET)).await
    }

    /// Runs the poller once.
    ///
    /// # Errors
    /// As the poller's.
    pub async fn run_poller(&self) -> Result<(), RunError> {
        let functions = self.deployed();
        let poller = functions.poller(&self.fake_incode).await;
        poller.run(self.scheduled()).await
    }

    /// Hands messages of the wake-up queue to the poller.
    pub async fn wake_poller(&self, bodies: &[&str]) {
        let functions = self.deployed();
        let poller = functions.poller(&self.fake_incode).await;
        let message = |(number, body): (usize, &&str)| json!({"messageId": number.to_string(), "body": body});
        let batch = json!({"Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>()});
        let answer = poller.take(serde_json::from_value(batch).unwrap(), self.scheduled()).await;
        assert!(answer.batch_item_failures.is_empty(), "the poller leaves a message on its queue");
    }

    /// Does once what the event source mapping does: receives what is there, hands it to the replay, and deletes what
    /// that is done with. Says how many messages it received.
    pub async fn run_replay(&self) -> usize {
        self.run_replay_of(REPLAY_BATCH).await
    }

    /// The same with at most so many messages.
    pub async fn run_replay_of(&self, most: usize) -> usize {
        let batch = json!({"QueueUrl": Sqs::url(INTAKE), "MaxNumberOfMessages": most});
        let mut received = self.call_sqs("ReceiveMessage", &batch);
        let Value::Array(messages) = received["Messages"].take() else { return 0 };
        let invocation = json!({"Records": messages.iter().map(as_event_record).collect::<Vec<_>>()});
        let invocation = serde_json::from_value(invocation).unwrap();
        let deadline = Deadline::after(REPLAY_BUDGET);
        let answer = self.deployed().replay().answer(invocation, self.clock.now(), deadline).await;
        let Ok(replay::Answer::Batch(answer)) = answer else { panic!("a batch is answered as one") };
        for message in &messages {
            if !answer.batch_item_failures.iter().any(|failure| message["MessageId"] == failure.item_identifier) {
                let done = json!({"QueueUrl": Sqs::url(INTAKE), "ReceiptHandle": message["ReceiptHandle"]});
                self.call_sqs("DeleteMessage", &done);
            }
        }
        messages.len()
    }

    /// Puts an operator's wish to have a session read again on intake.
    pub fn request_rebuild(&self, session: SessionKey) {
        self.request_rebuild_that(session, false);
    }

    /// The same, which may withdraw a decision.
    pub fn request_rebuild_that(&self, session: SessionKey, withdraw: bool) {
        let request = IntakeMessage::Rebuild(RebuildRequest { session, withdraw, reason: None });
        self.put_on_intake(&serde_json::to_string(&request).unwrap());
    }

    /// Puts an operator's wish to have sent again what was told of a session on intake.
    pub fn request_resend(&self, session: SessionKey, from: u64, request_id: Option<&str>) {
        let request_id = request_id.map(str::to_owned);
        let request = IntakeMessage::Resend(ResendRequest { session, from, reason: None, request_id });
        self.put_on_intake(&serde_json::to_string(&request).unwrap());
    }

    /// Puts a message on intake.
    pub fn put_on_intake(&self, body: &str) {
        self.call_sqs("SendMessage", &json!({"QueueUrl": Sqs::url(INTAKE), "MessageBody": body}));
    }

    /// The report of `rebuild-preview` on what a rebuild of these sessions would change.
    ///
    /// # Panics
    /// If it makes a call that its role doesn't allow.
    pub async fn preview_rebuild(&self, sessions: Vec<SessionKey>) -> Value {
        let question = preview::Invocation::Preview(preview::Question { sessions, withdraw: false });
        let preview = self.deployed().environment.rebuild_preview().unwrap();
        let before = self.network.call_count();
        let answer = preview.answer(question, self.clock.now(), Deadline::after(REPLAY_BUDGET)).await;
        let calls = self.network.calls_after(before).into_iter().map(|call| call.operation);
        let more: Vec<_> = calls.filter(|operation| !["GetItem", "Query"].contains(&operation.as_str())).collect();
        assert!(more.is_empty(), "a preview reads alone: {more:?}");
        json!(answer)
    }

    /// The table, as a function has it.
    #[must_use]
    pub fn table(&self) -> SessionsTable {
        self.deployed().environment.sessions_table().unwrap()
    }

    /// A call that is not the functions' own: nothing goes wrong with it.
    fn call_sqs(&self, operation: &str, request: &Value) -> Value {
        let answer = self.network.with_sqs(|sqs| sqs.answer(operation, request.to_string().as_bytes()));
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Lets time pass, and whatever is under way with it.
    pub async fn pass(&self, time: Duration) {
        sleep(time).await;
    }

    /// Lets the schedule and the event source mapping run until nothing waits, and says whether that came about.
    pub async fn settle(&self) -> bool {
        for _ in 0..ROUNDS {
            if self.is_settled() {
                return true;
            }
            self.pass(SCHEDULE).await;
            while self.run_replay().await > 0 {}
            // A run that failed is repeated with the next round.
            let _ = self.run_relay().await;
            if !self.fake_incode.is_empty() {
                let _ = self.run_poller().await;
            }
        }
        self.is_settled()
    }

    /// Whether nothing waits, neither to be published nor to be replayed; nor to be polled, where there is somebody to
    /// be asked; nor to be confirmed, where there is somebody who knows.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let is_polled = self.fake_incode.is_empty() || self.network.with_dynamodb(DynamoDb::poll_entries) == 0;
        let is_scored = |poll: &Map<String, Value>| {
            let session = text(poll, "pk").trim_start_matches(SESSION).trim_start_matches("incode/");
            poll.get("pollConfirms").is_some() && self.fake_incode.has_scored(session)
        };
        let is_confirmed = !self.polls().iter().any(is_scored);
        is_polled
            && is_confirmed
            && self.network.with_dynamodb(DynamoDb::outbox_entries) == 0
            && self.waiting().is_empty()
    }

    /// The poll schedule.
    fn polls(&self) -> Vec<Map<String, Value>> {
        if self.network.with_dynamodb(DynamoDb::poll_entries) == 0 {
            return Vec::new();
        }
        let items = self.network.with_dynamodb(DynamoDb::items);
        items.into_iter().filter(|item| text(item, "sk") == "POLL").collect()
    }

    /// Whether a session on the poll schedule is due.
    #[must_use]
    pub fn is_poll_due(&self) -> bool {
        let now = self.clock.now().sortable();
        self.polls().iter().any(|poll| *text(poll, "dueAt") <= *now)
    }

    /// What waits on intake.
    #[must_use]
    pub fn waiting(&self) -> Vec<Value> {
        let held = self.network.with_sqs(|sqs| sqs.held(INTAKE));
        held.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    /// What the table holds, by session (`{provider}/{sessionId}`).
    #[must_use]
    pub fn records(&self) -> BTreeMap<String, Record> {
        let mut records: BTreeMap<String, Record> = BTreeMap::new();
        for item in self.network.with_dynamodb(DynamoDb::items) {
            // What is no session's is the pause of the polls, and what a payload is bound to, which may come before the
            // session of the user whom it is written down with.
            if text(&item, "sk").starts_with("BOUND#") {
                continue;
            }
            if let Some(key) = text(&item, "pk").strip_prefix(SESSION).map(str::to_owned) {
                records.entry(key).or_default().take(item);
            }
        }
        records
    }

    /// What the table holds of a session.
    #[must_use]
    pub fn record(&self, session: &str) -> Record {
        let items = self.network.with_dynamodb(|table| table.items_of(&format!("{SESSION}{session}")));
        items.into_iter().fold(Record::default(), |mut record, item| {
            record.take(item);
            record
        })
    }

    /// The notifications that the queue took, in order, with their `CloudEvents` envelope.
    #[must_use]
    pub fn published(&self) -> Vec<Value> {
        let accepted = self.network.with_sqs(|sqs| sqs.accepted(DECISIONS));
        accepted.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
    }

    /// What is in quarantine.
    #[must_use]
    pub fn quarantined(&self) -> Vec<Value> {
        let held = self.network.with_sqs(|sqs| sqs.held(QUARANTINE));
        held.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }
}

impl Functions {
    fn deploy(network: &Network, deployment: Deployment) -> Self {
        Self {
            environment: Environment::new(variables(deployment), network.http_client()).unwrap(),
            veriff: OnceCell::new(),
            incode: OnceCell::new(),
            treezor: OnceCell::new(),
            wultra: OnceCell::new(),
            replay: cell::OnceCell::new(),
            relay: cell::OnceCell::new(),
            poller: OnceCell::new(),
        }
    }

    async fn deliver(&self, provider: Provider, request: Request) -> Response {
        let environment = &self.environment;
        match provider {
            Provider::Veriff => {
                let make = async || environment.receiver(Veriff::from_json).await.unwrap();
                self.veriff.get_or_init(make).await.receive(request).await
            }
            Provider::Incode => {
                let make = async || environment.receiver(Incode::from_json).await.unwrap();
                self.incode.get_or_init(make).await.receive(request).await
            }
            Provider::Treezor => {
                let make = async || environment.receiver(Treezor::from_json).await.unwrap();
                self.treezor.get_or_init(make).await.receive(request).await
            }
            Provider::Wultra => {
                let make = async || environment.receiver(Wultra::from_json).await.unwrap();
                self.wultra.get_or_init(make).await.receive(request).await
            }
        }
    }

    fn replay(&self) -> &Replay {
        self.replay.get_or_init(|| self.environment.replay().unwrap())
    }

    async fn poller(&self, api: &FakeIncode) -> &Poller<FakeIncode> {
        let api = api.clone();
        let make = async || self.environment.poller(move |_access| Ok(api.clone())).await.unwrap();
        self.poller.get_or_init(make).await
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
            Some(("TOLD", sequence)) => {
                self.told.insert(sequence.parse().unwrap(), Value::Object(item));
            }
            // The poll schedule and the latest resend: what they hold is no part of the record.
            _ => {}
        }
    }
}

fn text<'i>(item: &'i Map<String, Value>, name: &str) -> &'i str {
    item[name].as_str().unwrap()
}

/// A received message as the event source mapping writes it.
/// The trace of a webhook that arrived at this time.
pub(crate) fn trace_of(arrival: Timestamp) -> Trace {
    let (seconds, millis) = (arrival.unix_seconds(), arrival.millis_since(Timestamp::EPOCH));
    Trace::from_header(&format!("Root=1-{seconds:08x}-{millis:024x};Parent={millis:016x};Sampled=1")).unwrap()
}

fn as_event_record(message: &Value) -> Value {
    json!({
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:eu-west-1:123456789012:{INTAKE}"),
        "awsRegion": "eu-west-1",
    })
}

/// The functions' environment, as the template gives it.
fn variables(Deployment { base, confirms }: Deployment) -> impl Fn(&str) -> Option<String> + 'static {
    static WORLDS: AtomicU64 = AtomicU64::new(0);
    let world = WORLDS.fetch_add(1, Ordering::Relaxed);
    move |name| {
        Some(match name {
            // The SDK keeps one budget of retries for each region in the whole process: no two worlds share one.
            "AWS_REGION" => format!("simulation-{world}"),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "simulated".to_owned(),
            "AWS_ENDPOINT_URL" => endpoint(base),
            "SEQUENCE_BASE" if base > 0 => base.to_string(),
            "SESSIONS_TABLE" => TABLE.to_owned(),
            "DECISIONS_QUEUE_URL" => Sqs::url(DECISIONS),
            "INTAKE_QUEUE_URL" => Sqs::url(INTAKE),
            "QUARANTINE_QUEUE_URL" => Sqs::url(QUARANTINE),
            "WAKE_UP_QUEUE_URL" => Sqs::url(WAKE_UP),
            "VERIFF_CREDENTIALS" => credentials(Provider::Veriff).to_string(),
            "INCODE_CREDENTIALS" => {
                let mut credentials = credentials(Provider::Incode).clone();
                credentials["confirmDecisions"] = confirms.into();
                credentials.to_string()
            }
            "TREEZOR_CREDENTIALS" => credentials(Provider::Treezor).to_string(),
            "WULTRA_CREDENTIALS" => credentials(Provider::Wultra).to_string(),
            _ => return None,
        })
    }
}
