//! DynamoDB, SQS and Secrets Manager over HTTP, and the faults in between.

use crate::{
    faults::{Fault, Faults, LATE, Service},
    http,
    lambda::record,
    meter::{Bill, asking_for_capacity},
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use serde_json::{Map, Value, json, value::RawValue};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::sleep;
use verdict_simulation::{Answer, Clock, DynamoDb, QueueSettings, SecretsManager, Sqs};

/// The table's name.
pub(crate) const TABLE: &str = "sessions";
/// The queues, by their resources' names in the template.
pub(crate) const DECISIONS: &str = "DecisionsQueue";
/// See [`DECISIONS`].
pub(crate) const INTAKE: &str = "IntakeQueue";
/// See [`DECISIONS`].
pub(crate) const QUARANTINE: &str = "QuarantineQueue";
/// See [`DECISIONS`].
pub(crate) const WAKE_UP: &str = "WakeUpQueue";
const DECISIONS_DEAD_LETTERS: &str = "DecisionsDeadLetterQueue";

/// The stores.
pub(crate) struct Stores {
    pub(crate) faults: Faults,
    dynamodb: DynamoDb,
    tokens: Mutex<Tokens>,
    /// The partitions that transactions wrote to. The emulator can be asked for all items, too, but sorts them anew for
    /// each page of its answer.
    written: Mutex<BTreeSet<String>>,
    sqs: Mutex<Sqs>,
    secrets: Mutex<SecretsManager>,
    /// The calls of Secrets Manager, by the access key that signed them.
    secret_calls: Mutex<BTreeMap<String, u32>>,
    /// The time that an answer takes.
    latency: Mutex<Duration>,
    traffic: Mutex<Traffic>,
    is_metered: bool,
}

/// The calls that came, the bytes of those that write to the table, and what all of them cost.
#[derive(Default)]
pub(crate) struct Traffic {
    /// How many, by operation.
    pub(crate) calls: BTreeMap<String, usize>,
    pub(crate) written: usize,
    /// Empty if the stores aren't metered.
    pub(crate) bill: Bill,
}

/// A message that was received.
pub(crate) struct Message {
    pub(crate) receipt: String,
    pub(crate) body: String,
    /// All of it, as the API gives it.
    pub(crate) json: Map<String, Value>,
}

impl Message {
    pub(crate) fn id(&self) -> &str {
        self.json["MessageId"].as_str().unwrap()
    }

    /// The message as its event source mapping hands it over.
    pub(crate) fn record(&self) -> Value {
        record(&self.json)
    }
}

impl Stores {
    /// Empty ones, as the template has them.
    pub(crate) fn new(faults: Faults) -> Self {
        let mut sqs = Sqs::new(Clock::start());
        for name in [DECISIONS, DECISIONS_DEAD_LETTERS, INTAKE, QUARANTINE, WAKE_UP] {
            sqs.create(name, QueueSettings::of_template(name));
        }
        let dynamodb = DynamoDb::with_sessions_table(TABLE);
        Self {
            faults,
            dynamodb,
            tokens: Mutex::default(),
            written: Mutex::default(),
            sqs: Mutex::new(sqs),
            secrets: Mutex::default(),
            secret_calls: Mutex::default(),
            latency: Mutex::default(),
            traffic: Mutex::default(),
            is_metered: false,
        }
    }

    /// The same, each of whose answers takes that long.
    pub(crate) fn with_latency(self, latency: Duration) -> Self {
        self.set_latency(latency);
        self
    }

    /// The same, counting what AWS would bill.
    pub(crate) fn metered(self) -> Self {
        Self { is_metered: true, ..self }
    }

    /// From now on each answer takes that long.
    pub(crate) fn set_latency(&self, latency: Duration) {
        *self.latency.lock().unwrap() = latency;
    }

    /// The calls since they were last taken.
    pub(crate) fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut *self.traffic.lock().unwrap())
    }

    /// Puts a new version of a secret.
    pub(crate) fn put_secret(&self, arn: &str, text: &str) {
        self.secrets.lock().unwrap().put(arn, text);
    }

    /// The calls of Secrets Manager since they were last taken, by the access key that signed them.
    pub(crate) fn take_secret_calls(&self) -> BTreeMap<String, u32> {
        std::mem::take(&mut *self.secret_calls.lock().unwrap())
    }

    /// Answers a function's call, if at all.
    pub(crate) async fn answer(self: Arc<Self>, request: Request<Bytes>) -> http::Answer {
        let target = request.headers().get("x-amz-target")?.to_str().ok()?;
        let (service, operation) = match target.split_once('.')? {
            ("DynamoDB_20120810", operation) => (Service::DynamoDb, operation.to_owned()),
            ("AmazonSQS", operation) => (Service::Sqs, operation.to_owned()),
            ("secretsmanager", operation) => (Service::SecretsManager, operation.to_owned()),
            _ => return None,
        };
        if service == Service::SecretsManager {
            let caller = access_key(&request).unwrap_or_default().to_owned();
            *self.secret_calls.lock().unwrap().entry(caller).or_default() += 1;
        }
        let body = request.into_body();
        self.traffic.lock().unwrap().count(&operation, body.len());
        let latency = *self.latency.lock().unwrap();
        if !latency.is_zero() {
            sleep(latency).await;
        }
        let answer = match self.faults.next(service) {
            None => self.call(service, &operation, &body),
            Some(Fault::ServerError) => server_error(),
            Some(Fault::Conflict) if operation == "TransactWriteItems" => conflict(),
            Some(Fault::Conflict | Fault::Throttled) => throttled(service),
            Some(Fault::ClosedBefore) => return None,
            Some(Fault::ClosedAfter) => {
                self.call(service, &operation, &body);
                return None;
            }
            Some(Fault::AnsweredLate) => {
                let answer = self.call(service, &operation, &body);
                sleep(LATE).await;
                answer
            }
            Some(Fault::AppliedLate) => {
                // A task of its own: its caller hangs up before.
                let stores = self.clone();
                let late = async move {
                    sleep(LATE).await;
                    stores.call(service, &operation, &body)
                };
                tokio::spawn(late).await.ok()?
            }
        };
        let response = Response::builder().status(answer.status).header("content-type", "application/x-amz-json-1.0");
        response.body(Full::from(answer.body)).ok()
    }

    fn call(&self, service: Service, operation: &str, request: &[u8]) -> Answer {
        match service {
            Service::DynamoDb if self.is_metered => {
                let answer = self.ask_table(operation, &asking_for_capacity(request));
                self.traffic.lock().unwrap().bill.add_table(operation, &answer.body);
                answer
            }
            Service::DynamoDb => self.ask_table(operation, request),
            Service::Sqs => {
                if self.is_metered {
                    self.traffic.lock().unwrap().bill.add_queue(request);
                }
                self.sqs.lock().unwrap().answer(operation, request)
            }
            Service::SecretsManager => self.secrets.lock().unwrap().answer(operation, request),
        }
    }

    fn ask_table(&self, operation: &str, request: &[u8]) -> Answer {
        match operation {
            "TransactWriteItems" => self.transact(request),
            _ => self.dynamodb.answer(operation, request),
        }
    }

    /// A transaction takes effect once under its token. The emulator would see to that, too, but keeps every token for
    /// ten minutes and goes through all of them with each transaction, which under load takes longer than the transaction.
    fn transact(&self, request: &[u8]) -> Answer {
        let mut transaction: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(request).unwrap();
        let token = transaction.remove("ClientRequestToken").map(|token| token.get().to_owned());
        let request = serde_json::to_vec(&transaction).unwrap();
        // Held throughout: a second try may come while the first is under way.
        let mut tokens = self.tokens.lock().unwrap();
        if let Some(answer) = token.as_ref().and_then(|token| tokens.known.get(token)) {
            return answer.clone();
        }
        let answer = self.dynamodb.answer("TransactWriteItems", &request);
        if answer.status == 200 {
            let writes: Value = serde_json::from_str(transaction["TransactItems"].get()).unwrap();
            let partition = writes[0]["Put"]["Item"]["pk"]["S"].as_str().expect("a transaction begins with a put");
            self.written.lock().unwrap().insert(partition.to_owned());
            if let Some(token) = token {
                tokens.keep(token, answer.clone());
            }
        }
        answer
    }

    /// The partitions that hold events.
    pub(crate) fn written(&self) -> BTreeSet<String> {
        self.written.lock().unwrap().clone()
    }

    /// What the table holds, past the faults.
    pub(crate) fn table(&self) -> &DynamoDb {
        &self.dynamodb
    }

    fn ask_queue(&self, operation: &str, queue: &str, mut request: Value) -> Value {
        request["QueueUrl"] = json!(Sqs::url(queue));
        let answer = self.sqs.lock().unwrap().answer(operation, request.to_string().as_bytes());
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Receives up to ten messages, past the faults.
    pub(crate) fn receive(&self, queue: &str) -> Vec<Message> {
        let mut answer = self.ask_queue("ReceiveMessage", queue, json!({"MaxNumberOfMessages": 10}));
        let Value::Array(messages) = answer["Messages"].take() else { return Vec::new() };
        let message = |json| {
            let Value::Object(json) = json else { unreachable!("a message is an object") };
            let text = |name: &str| json[name].as_str().unwrap().to_owned();
            Message { receipt: text("ReceiptHandle"), body: text("Body"), json }
        };
        messages.into_iter().map(message).collect()
    }

    /// Deletes a message that was received, past the faults.
    pub(crate) fn delete(&self, queue: &str, receipt: &str) {
        self.ask_queue("DeleteMessage", queue, json!({"ReceiptHandle": receipt}));
    }

    /// Shows a message that was received again at once.
    pub(crate) fn show(&self, queue: &str, receipt: &str) {
        self.ask_queue("ChangeMessageVisibility", queue, json!({"ReceiptHandle": receipt, "VisibilityTimeout": 0}));
    }

    /// The bodies of all that a queue ever took, in order.
    pub(crate) fn accepted(&self, queue: &str) -> Vec<String> {
        self.sqs.lock().unwrap().accepted(queue).into_iter().map(|message| message.body).collect()
    }

    /// The bodies of what is in a queue, in flight or not.
    pub(crate) fn held(&self, queue: &str) -> Vec<String> {
        self.sqs.lock().unwrap().held(queue)
    }
}

impl Traffic {
    fn count(&mut self, operation: &str, bytes: usize) {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        if ["TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"].contains(&operation) {
            self.written += bytes;
        }
    }
}

/// How long a transaction's token is remembered: all of the SDK's tries come within four seconds.
const TOKEN_KEPT: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Tokens {
    known: HashMap<String, Answer>,
    by_age: VecDeque<(Instant, String)>,
}

impl Tokens {
    fn keep(&mut self, token: String, answer: Answer) {
        while self.by_age.front().is_some_and(|(at, _)| at.elapsed() > TOKEN_KEPT) {
            let Some((_, old)) = self.by_age.pop_front() else { break };
            self.known.remove(&old);
        }
        self.by_age.push_back((Instant::now(), token.clone()));
        self.known.insert(token, answer);
    }
}

/// The access key that signed a call: `…Credential={key}/{day}/{region}/{service}/aws4_request, …`.
fn access_key(request: &Request<Bytes>) -> Option<&str> {
    let signature = request.headers().get("authorization")?.to_str().ok()?;
    signature.split_once("Credential=")?.1.split('/').next()
}

fn error(status: u16, body: &Value) -> Answer {
    Answer { status, body: body.to_string() }
}

fn server_error() -> Answer {
    error(500, &json!({"__type": "InternalServerError", "message": "it was not you"}))
}

fn throttled(service: Service) -> Answer {
    let kind = match service {
        Service::DynamoDb => "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        Service::Sqs => "com.amazonaws.sqs#RequestThrottled",
        Service::SecretsManager => "ThrottlingException",
    };
    error(400, &json!({"__type": kind, "message": "too much at once"}))
}

/// The reasons come in the order of the writes. Of an event's, the third is the session, which everybody writes; what
/// was told has two.
fn conflict() -> Answer {
    let reasons = ["None", "None", "TransactionConflict"].map(|code| json!({"Code": code}));
    error(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled",
            "CancellationReasons": reasons,
        }),
    )
}
