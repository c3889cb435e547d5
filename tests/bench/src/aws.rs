//! AWS, as far as functions call it: DynamoDB, SQS and Secrets Manager on this machine, each over TLS on a port of its own.
//! They hold items and messages, honour conditions, and count what comes.

use crate::table::{SESSIONS, Tables};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    env, fs,
    future::ready,
    io,
    ops::AddAssign,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use verdict_simulation::{Answer, Clock, DynamoDb, QueueSettings, SecretsManager, Sqs};
use verdict_soak::{
    certificate::{bundle, certified},
    http::{self, Tls},
    lambda::record,
    meter::{Bill, asking_for_capacity},
};

/// The queues, by their resources' names in the template.
const QUEUES: [&str; 5] =
    ["DecisionsQueue", "DecisionsDeadLetterQueue", "IntakeQueue", "QuarantineQueue", "WakeUpQueue"];

/// The queues that functions are told of, by the variable that names each.
const QUEUE_VARIABLES: [(&str, &str); 4] = [
    ("DECISIONS_QUEUE_URL", "DecisionsQueue"),
    ("INTAKE_QUEUE_URL", "IntakeQueue"),
    ("QUARANTINE_QUEUE_URL", "QuarantineQueue"),
    ("WAKE_UP_QUEUE_URL", "WakeUpQueue"),
];

/// A service that is called.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Service {
    DynamoDb,
    Sqs,
    SecretsManager,
}

impl Service {
    const ALL: [Self; 3] = [Self::DynamoDb, Self::Sqs, Self::SecretsManager];

    /// The variable that tells an SDK where it is.
    const fn variable(self) -> &'static str {
        match self {
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Sqs => "AWS_ENDPOINT_URL_SQS",
            Self::SecretsManager => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        }
    }
}

/// The calls of one operation.
#[derive(Clone, Copy, Default)]
pub(crate) struct Calls {
    pub(crate) count: usize,
    /// The bytes of the requests' bodies.
    pub(crate) sent_bytes: usize,
    /// The bytes of the answers' bodies.
    pub(crate) received_bytes: usize,
    /// The time that the answers took to make.
    pub(crate) answering: Duration,
}

impl AddAssign for Calls {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.answering += other.answering;
    }
}

/// The services, which end with it.
pub(crate) struct Aws {
    /// The file with the servers' certificate.
    certificate: PathBuf,
    /// The same beside the machine's own roots.
    bundle: PathBuf,
    /// Where each service is.
    endpoints: BTreeMap<&'static str, String>,
    tls: Vec<Tls>,
    state: Arc<State>,
    /// Dropped, it ends the servers.
    _servers: JoinSet<io::Error>,
}

struct State {
    tables: Mutex<Tables>,
    queues: Mutex<Sqs>,
    secrets: Mutex<SecretsManager>,
    /// The service that refuses every call, if there is one.
    away: Mutex<Option<Service>>,
    calls: Mutex<BTreeMap<String, Calls>>,
    /// A table in the place of the others that says what its calls cost, and what they have cost so far.
    metered: Mutex<Option<(DynamoDb, Bill)>>,
}

impl Aws {
    pub(crate) async fn start() -> Self {
        let certificate = env::temp_dir().join(format!("bench-{}.pem", std::process::id()));
        let roots = certificate.with_extension("roots.pem");
        let acceptor = certified(&certificate);
        bundle(&certificate, &roots);
        let state = Arc::new(State::new());
        let (mut servers, mut endpoints, mut tls) = (JoinSet::new(), BTreeMap::new(), Vec::new());
        for service in Service::ALL {
            let (listener, address) = http::listen().await;
            let secured = Tls::new(acceptor.clone());
            let answering = state.clone();
            let answer = move |request| ready(answering.answer(service, request));
            servers.spawn(http::serve_over(Some(secured.clone()), listener, answer));
            endpoints.insert(service.variable(), address.replace("127.0.0.1", "https://localhost"));
            tls.push(secured);
        }
        Self { certificate, bundle: roots, endpoints, tls, state, _servers: servers }
    }

    /// Has the tables hold this and nothing else, and empties the queues.
    pub(crate) fn restore(&self, tables: &Tables) {
        *self.state.tables.lock().unwrap() = tables.clone();
        *self.state.queues.lock().unwrap() = queues();
        self.take_calls();
    }

    /// Has an empty table that says what its calls cost take the place of the tables, or gives it up.
    pub(crate) fn meter(&self, is_metered: bool) {
        let table = || (DynamoDb::with_sessions_table(SESSIONS), Bill::default());
        *self.state.metered.lock().unwrap() = is_metered.then(table);
    }

    /// What the calls have cost since it was last taken, if the table says so.
    pub(crate) fn take_bill(&self) -> Option<Bill> {
        self.state.metered.lock().unwrap().as_mut().map(|(_, bill)| std::mem::take(bill))
    }

    /// How many messages a queue has taken.
    pub(crate) fn accepted(&self, queue: &str) -> usize {
        self.state.queues.lock().unwrap().accepted_count(queue)
    }

    /// All that the tables hold.
    pub(crate) fn tables(&self) -> Tables {
        self.state.tables.lock().unwrap().clone()
    }

    /// Has a service refuse every call from now on, or none.
    pub(crate) fn set_away(&self, service: Option<Service>) {
        *self.state.away.lock().unwrap() = service;
    }

    /// Puts a secret.
    pub(crate) fn put_secret(&self, arn: &str, text: &str) {
        self.state.secrets.lock().unwrap().put(arn, text);
    }

    /// Takes the messages off a queue, each as the batch that its event source would make of it.
    pub(crate) fn batches(&self, queue: &str) -> Vec<String> {
        let mut batches = Vec::new();
        let request = json!({"QueueUrl": Sqs::url(queue), "MaxNumberOfMessages": 10}).to_string();
        loop {
            let answer = self.state.queues.lock().unwrap().answer("ReceiveMessage", request.as_bytes());
            let answer: Map<String, Value> = serde_json::from_str(&answer.body).unwrap();
            let messages = answer.get("Messages").and_then(Value::as_array).cloned().unwrap_or_default();
            if messages.is_empty() {
                return batches;
            }
            let messages = messages.iter().filter_map(Value::as_object);
            batches.extend(messages.map(|message| json!({"Records": [record(message)]}).to_string()));
        }
    }

    /// The variables that lead a function here.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let sqs = &self.endpoints[Service::Sqs.variable()];
        let queues = QUEUE_VARIABLES.map(|(variable, queue)| (variable, format!("{sqs}/123456789012/{queue}")));
        let endpoints = self.endpoints.iter().map(|(variable, url)| (*variable, url.clone()));
        let more = [
            // Credentials that are published are accepted only if this is on the machine.
            ("AWS_ENDPOINT_URL", self.endpoints[Service::DynamoDb.variable()].clone()),
            ("SSL_CERT_FILE", self.bundle.display().to_string()),
        ];
        endpoints.chain(queues).chain(more).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The file with the servers' certificate alone.
    pub(crate) fn certificate(&self) -> String {
        self.certificate.display().to_string()
    }

    /// The TLS handshakes so far.
    pub(crate) fn handshakes(&self) -> usize {
        self.tls.iter().map(Tls::handshakes).sum()
    }

    /// The calls by operation since they were last taken.
    pub(crate) fn take_calls(&self) -> BTreeMap<String, Calls> {
        std::mem::take(&mut *self.state.calls.lock().unwrap())
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.certificate);
        let _ = fs::remove_file(&self.bundle);
    }
}

impl State {
    fn new() -> Self {
        Self {
            tables: Mutex::default(),
            queues: Mutex::new(queues()),
            secrets: Mutex::default(),
            away: Mutex::default(),
            calls: Mutex::default(),
            metered: Mutex::default(),
        }
    }

    fn answer(&self, service: Service, request: Request<Bytes>) -> http::Answer {
        let target = request.headers().get("x-amz-target")?.to_str().ok()?;
        let operation = target.rsplit('.').next()?.to_owned();
        let request = request.into_body();
        let begun = Instant::now();
        let Answer { status, body } = match service {
            _ if *self.away.lock().unwrap() == Some(service) => refused(),
            Service::DynamoDb => self.ask_table(&operation, &request),
            Service::Sqs => self.queues.lock().unwrap().answer(&operation, &request),
            Service::SecretsManager => self.secrets.lock().unwrap().answer(&operation, &request),
        };
        let (sent_bytes, received_bytes) = (request.len(), body.len());
        self.count(operation, Calls { count: 1, sent_bytes, received_bytes, answering: begun.elapsed() });
        let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
        response.body(Full::from(body)).ok()
    }

    fn ask_table(&self, operation: &str, request: &[u8]) -> Answer {
        match &mut *self.metered.lock().unwrap() {
            None => self.tables.lock().unwrap().answer(operation, request),
            Some((table, bill)) => {
                let answer = table.answer(operation, &asking_for_capacity(request));
                bill.add_table(operation, &answer.body);
                answer
            }
        }
    }

    fn count(&self, operation: String, call: Calls) {
        *self.calls.lock().unwrap().entry(operation).or_default() += call;
    }
}

/// Empty queues, as the template has them.
fn queues() -> Sqs {
    let mut queues = Sqs::new(Clock::start());
    for queue in QUEUES {
        queues.create(queue, QueueSettings::of_template(queue));
    }
    queues
}

/// An answer after which no caller tries again.
fn refused() -> Answer {
    let body = json!({"__type": "com.amazon.coral.service#UnrecognizedClientException", "message": "not now"});
    Answer { status: 400, body: body.to_string() }
}
