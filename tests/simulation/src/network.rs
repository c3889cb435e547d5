//! The network between the SDK and the stores, and all that can go wrong on it.

use crate::{DynamoDb, SecretsManager, Sqs, dynamodb::plain_item};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::Frame;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeSet,
    fmt, io,
    ops::Range,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{task::yield_now, time::sleep};

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_hours(1);

/// How late a call that its caller has given up on may still take effect.
const LATE: Duration = Duration::from_secs(30);

/// The operations that read.
const READS: [&str; 3] = ["GetItem", "BatchGetItem", "Query"];

/// The operations that write one item.
const SINGLE_WRITES: [&str; 3] = ["PutItem", "UpdateItem", "DeleteItem"];

/// The answer of a store.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON.
    pub body: String,
}

impl Answer {
    /// An error as AWS' JSON protocols write it.
    pub(crate) fn error(namespace: &str, code: &str, message: &str) -> Self {
        Self { status: 400, body: json!({"__type": format!("{namespace}#{code}"), "message": message}).to_string() }
    }
}

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// SQS.
    Sqs,
    /// Secrets Manager.
    SecretsManager,
}

/// What can go wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection fails before the request is through: nothing happened.
    FailBefore,
    /// It took effect; then the connection failed.
    AnswerLost,
    /// Too much at once, in the service's own words.
    Throttled,
    /// The same, as a transaction says it of its items. Another call is throttled plainly.
    CancelledByThrottling,
    /// A transaction meets another one on the same item, or a single write does. Another call is throttled plainly.
    CancelledByConflict,
    /// No answer within anybody's patience; nothing happened.
    Stalled,
    /// No answer within anybody's patience; it took effect.
    StalledApplied,
    /// No answer within anybody's patience; it takes effect half a minute later, when nobody waits for it any more.
    AppliedLate,
    /// It took effect; the answer breaks off half way through its body.
    CutMidBody,
    /// The service fails; nothing happened.
    ServerError,
    /// The service fails; it took effect all the same.
    ServerErrorApplied,
    /// The credentials have expired: no repetition helps.
    CredentialsExpired,
    /// The service finds fault with this very request: no repetition helps, and others get through.
    Invalid,
    /// A batch of reads is answered in part: some of its keys are left for another time, whether or not there is such
    /// an item. Another call is throttled plainly.
    Unprocessed,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::FailBefore,
        Self::AnswerLost,
        Self::Throttled,
        Self::CancelledByThrottling,
        Self::CancelledByConflict,
        Self::Stalled,
        Self::StalledApplied,
        Self::AppliedLate,
        Self::CutMidBody,
        Self::ServerError,
        Self::ServerErrorApplied,
        Self::CredentialsExpired,
        Self::Invalid,
        Self::Unprocessed,
    ];

    /// Whether an operation can meet it in a way of its own.
    #[must_use]
    pub fn concerns(self, operation: &str) -> bool {
        match self {
            Self::CancelledByThrottling => operation == "TransactWriteItems",
            Self::CancelledByConflict => operation == "TransactWriteItems" || SINGLE_WRITES.contains(&operation),
            Self::Unprocessed => operation == "BatchGetItem",
            _ => true,
        }
    }

    /// As an operation meets it.
    fn of(self, operation: &str) -> Self {
        if self == Self::Unprocessed && !self.concerns(operation) { Self::Throttled } else { self }
    }

    /// Whether the call takes effect, at once.
    const fn is_applied(self) -> bool {
        matches!(
            self,
            Self::AnswerLost | Self::StalledApplied | Self::CutMidBody | Self::ServerErrorApplied | Self::Unprocessed
        )
    }
}

/// How long something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// For so many calls of the service.
    Calls(usize),
    /// Until the network is mended.
    ForGood,
}

/// A plan by which calls go wrong: the service of the call with this index, counted from when the plan was made, and
/// for so many of its calls from there.
pub fn failing(index: usize, fault: Fault, lasting: Lasting) -> impl FnMut(&Call) -> Option<Fault> + Send + 'static {
    let mut first = None;
    let mut service = None;
    let mut left = match lasting {
        Lasting::Calls(calls) => calls,
        Lasting::ForGood => usize::MAX,
    };
    move |call| {
        let first = *first.get_or_insert(call.index);
        if call.index - first == index {
            service = Some(call.service);
        }
        if service != Some(call.service) || left == 0 {
            return None;
        }
        left -= 1;
        Some(fault)
    }
}

/// One call of the SDK: each of its tries is one.
#[derive(Clone, Debug)]
pub struct Call {
    /// How many calls came before it.
    pub index: usize,
    /// Who was called.
    pub service: Service,
    /// What for, such as `GetItem`.
    pub operation: String,
    /// The region that it was signed for.
    pub region: String,
    /// The length of its body.
    pub bytes: usize,
    /// The length of the store's answer; 0 if the store wasn't reached.
    pub answer_bytes: usize,
    /// The write units that it took, if the network [meters](Network::meter).
    pub write_units: WriteUnits,
    /// What went wrong with it.
    pub fault: Option<Fault>,
    /// Whether the store did it.
    pub is_applied: bool,
}

/// What DynamoDB bills for a write, in units. Whole numbers: a write has no halves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteUnits {
    /// Of the table: one for each KB of each item, twice that in a transaction.
    pub table: u64,
    /// Of its indexes.
    pub indexes: u64,
}

impl WriteUnits {
    /// What the emulator says that a call consumed.
    fn of(answer: &Answer) -> Self {
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let consumed = match &answer["ConsumedCapacity"] {
            Value::Array(tables) => tables.clone(),
            table => vec![table.clone()],
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and not many")]
        let units = |consumed: &Value| consumed["CapacityUnits"].as_f64().unwrap_or_default() as u64;
        let indexes = |consumed: &Value| {
            let indexes = consumed["GlobalSecondaryIndexes"].as_object();
            indexes.into_iter().flat_map(Map::values).map(units).sum::<u64>()
        };
        Self {
            table: consumed.iter().map(|consumed| units(&consumed["Table"])).sum(),
            indexes: consumed.iter().map(indexes).sum(),
        }
    }
}

/// A transaction that took effect.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// When, since the start of Unix time.
    pub at: Duration,
    /// The sequence base of the function that wrote it.
    pub base: u64,
    /// The items that it put, as plain JSON, in its own order.
    pub puts: Vec<Map<String, Value>>,
    /// The sort keys of the items that it deleted.
    pub deletes: Vec<String>,
}

impl Transaction {
    /// The first item that it put whose sort key starts so.
    #[must_use]
    pub fn put(&self, prefix: &str) -> Option<&Map<String, Value>> {
        self.all_put(prefix).next()
    }

    /// All items that it put whose sort keys start so.
    pub fn all_put(&self, prefix: &str) -> impl Iterator<Item = &Map<String, Value>> {
        self.puts.iter().filter(move |item| item["sk"].as_str().is_some_and(|sk| sk.starts_with(prefix)))
    }

    /// The partition key of its session.
    ///
    /// # Panics
    /// If it put nothing.
    #[must_use]
    pub fn pk(&self) -> &str {
        self.puts[0]["pk"].as_str().unwrap()
    }
}

/// A copy of the table, and how many changes there had been by then.
#[derive(Clone, Debug)]
pub struct Snapshot {
    items: Vec<Map<String, Value>>,
    changes: usize,
}

/// What happened to the table.
#[derive(Clone, Debug)]
pub enum Change {
    /// A transaction took effect.
    Committed(Transaction),
    /// The table was restored.
    Restored {
        /// It is as it was after so many changes.
        to: usize,
        /// When that was, since the start of Unix time.
        at: Duration,
    },
}

/// The network. Clones are the same network.
#[derive(Clone)]
pub struct Network(Arc<Mutex<State>>);

type Plan = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

struct State {
    dynamodb: DynamoDb,
    sqs: Sqs,
    secrets_manager: SecretsManager,
    plan: Option<Plan>,
    calls: Vec<Call>,
    changes: Vec<Change>,
    /// The tokens of transactions that took effect: a repetition under the same token commits nothing.
    tokens: BTreeSet<String>,
    latency: Range<Duration>,
    is_metered: bool,
    /// The sort key of items that queries do not see.
    hidden: Option<String>,
}

impl Network {
    /// A network to these stores, in order.
    #[must_use]
    pub fn new(dynamodb: DynamoDb, sqs: Sqs) -> Self {
        let state = State {
            dynamodb,
            sqs,
            secrets_manager: SecretsManager::default(),
            plan: None,
            calls: Vec::new(),
            changes: Vec::new(),
            tokens: BTreeSet::new(),
            latency: Range::default(),
            is_metered: false,
            hidden: None,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The network as the SDK's HTTP client.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// From now on calls go wrong by this plan, which is asked once for each.
    pub fn fail(&self, plan: impl FnMut(&Call) -> Option<Fault> + Send + 'static) {
        self.state().plan = Some(Box::new(plan));
    }

    /// From now on nothing goes wrong.
    pub fn mend(&self) {
        self.state().plan = None;
    }

    /// From now on each way of a call takes a random time of this range, so that calls overtake each other. Before,
    /// it takes none; a call still lets others run before it takes effect, and once more before its answer is there.
    pub fn take_time(&self, latency: Range<Duration>) {
        self.state().latency = latency;
    }

    /// From now on each call says what write units it takes. The emulator counts them; a plain table doesn't.
    pub fn meter(&self) {
        self.state().is_metered = true;
    }

    /// From now on queries do not see items with this sort key, as a query may miss what is only just being written; a
    /// look at the single item does. `None`: they see everything.
    pub fn hide_from_queries(&self, sk: Option<&str>) {
        self.state().hidden = sk.map(str::to_owned);
    }

    /// All calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Those after so many.
    #[must_use]
    pub fn calls_after(&self, count: usize) -> Vec<Call> {
        self.state().calls[count..].to_vec()
    }

    /// How many calls there have been.
    #[must_use]
    pub fn call_count(&self) -> usize {
        self.state().calls.len()
    }

    /// What has been committed, in order, and when the table was restored.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        self.state().changes.clone()
    }

    /// How many changes there have been.
    #[must_use]
    pub fn change_count(&self) -> usize {
        self.state().changes.len()
    }

    /// The transactions that recorded events, in order.
    #[must_use]
    pub fn recordings(&self) -> Vec<Transaction> {
        let changes = self.changes().into_iter();
        let committed = changes.filter_map(|change| match change {
            Change::Committed(transaction) => Some(transaction),
            Change::Restored { .. } => None,
        });
        committed.filter(|transaction| transaction.put("EVENT#").is_some()).collect()
    }

    /// Copies the table.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state();
        Snapshot { items: state.dynamodb.typed_items(), changes: state.changes.len() }
    }

    /// Has the table be again as it was.
    pub fn restore(&self, snapshot: &Snapshot) {
        let mut state = self.state();
        state.dynamodb.restore(&snapshot.items);
        let at = state.sqs.now();
        state.changes.push(Change::Restored { to: snapshot.changes, at });
    }

    /// Looks at the table directly.
    pub fn with_dynamodb<T>(&self, look: impl FnOnce(&DynamoDb) -> T) -> T {
        look(&self.state().dynamodb)
    }

    /// Looks at the queues directly.
    pub fn with_sqs<T>(&self, look: impl FnOnce(&mut Sqs) -> T) -> T {
        look(&mut self.state().sqs)
    }

    /// Looks at the secrets directly.
    pub fn with_secrets_manager<T>(&self, look: impl FnOnce(&mut SecretsManager) -> T) -> T {
        look(&mut self.state().secrets_manager)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    async fn carry(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = Request::of(&request);
        let (index, fault) = self.state().begin(&request);
        self.travel().await;
        let answer = match fault {
            None => Some(self.state().apply(index, &request)),
            Some(fault) if fault.is_applied() => Some(self.state().apply(index, &request)),
            Some(_) => None,
        };
        self.travel().await;
        let Some(fault) = fault else { return Ok(response(answer.expect("it was applied"))) };
        match fault {
            Fault::FailBefore | Fault::AnswerLost => Err(broken()),
            Fault::Unprocessed => Ok(response(request.processed_in_part(&answer.expect("it was applied")))),
            Fault::Throttled => Ok(response(throttled(request.service))),
            Fault::CancelledByThrottling => Ok(response(request.cancelled("ThrottlingError"))),
            Fault::CancelledByConflict => Ok(response(request.cancelled("TransactionConflict"))),
            Fault::ServerError | Fault::ServerErrorApplied => Ok(response(Answer {
                status: 500,
                body: json!({"__type": "InternalServerError", "message": "it was not you"}).to_string(),
            })),
            Fault::CredentialsExpired => {
                Ok(response(Answer::error("com.amazon.coral.service", "ExpiredTokenException", "expired")))
            }
            Fault::Invalid => {
                Ok(response(Answer::error("com.amazon.coral.validate", "ValidationException", "not like this")))
            }
            Fault::CutMidBody => Ok(cut(answer.expect("it was applied"))),
            Fault::Stalled | Fault::StalledApplied => {
                sleep(FOR_EVER).await;
                Err(broken())
            }
            Fault::AppliedLate => {
                // Nobody waits for it: the caller drops this future long before.
                tokio::spawn(async move {
                    sleep(LATE).await;
                    self.state().apply(index, &request);
                });
                sleep(FOR_EVER).await;
                Err(broken())
            }
        }
    }

    /// One way. Whoever drops a call does so before it took effect, or after that and before its answer.
    async fn travel(&self) {
        let latency = self.state().latency.clone();
        if latency.is_empty() {
            yield_now().await;
        } else {
            let spread = latency.end.saturating_sub(latency.start);
            sleep(latency.start + spread.mul_f64(fastrand::f64())).await;
        }
    }
}

impl State {
    fn begin(&mut self, request: &Request) -> (usize, Option<Fault>) {
        let mut call = Call {
            index: self.calls.len(),
            service: request.service,
            operation: request.operation.clone(),
            region: request.region.clone(),
            bytes: request.body.len(),
            answer_bytes: 0,
            write_units: WriteUnits::default(),
            fault: None,
            is_applied: false,
        };
        call.fault = self.plan.as_mut().and_then(|plan| plan(&call)).map(|fault| fault.of(&call.operation));
        let begun = (call.index, call.fault);
        self.calls.push(call);
        begun
    }

    fn apply(&mut self, index: usize, request: &Request) -> Answer {
        let answer = match request.service {
            Service::DynamoDb if request.operation == "Query" => {
                without(self.hidden.as_deref(), self.dynamodb.answer("Query", &request.body))
            }
            Service::DynamoDb if self.is_metered => {
                self.dynamodb.answer(&request.operation, &asking_for_capacity(&request.body))
            }
            Service::DynamoDb => self.dynamodb.answer(&request.operation, &request.body),
            Service::Sqs => self.sqs.answer(&request.operation, &request.body),
            Service::SecretsManager => self.secrets_manager.answer(&request.operation, &request.body),
        };
        let call = &mut self.calls[index];
        call.is_applied = answer.status == 200;
        call.answer_bytes = answer.body.len();
        if self.is_metered && request.service == Service::DynamoDb && !READS.contains(&request.operation.as_str()) {
            call.write_units = WriteUnits::of(&answer);
        }
        if call.is_applied && request.is_transaction() {
            let transaction: Value = serde_json::from_slice(&request.body).unwrap();
            let token = transaction["ClientRequestToken"].as_str().unwrap_or_default().to_owned();
            if self.tokens.insert(token) {
                self.changes.push(Change::Committed(Transaction::of(&transaction, self.sqs.now(), request.base)));
            }
        }
        answer
    }
}

/// A request that also asks what it consumes, of the table and of each index.
fn asking_for_capacity(request: &[u8]) -> Vec<u8> {
    let mut request: Value = serde_json::from_slice(request).unwrap();
    request["ReturnConsumedCapacity"] = json!("INDEXES");
    request.to_string().into_bytes()
}

/// A query's answer without the items that are hidden from it.
fn without(hidden: Option<&str>, answer: Answer) -> Answer {
    let Some(hidden) = hidden else { return answer };
    let mut body: Value = serde_json::from_str(&answer.body).unwrap();
    if let Some(items) = body["Items"].as_array_mut() {
        items.retain(|item| item["sk"]["S"] != hidden);
    }
    Answer { body: body.to_string(), ..answer }
}

impl Transaction {
    fn of(transaction: &Value, at: Duration, base: u64) -> Self {
        let writes = transaction["TransactItems"].as_array().unwrap();
        let puts = writes.iter().filter_map(|write| write["Put"]["Item"].as_object().map(plain_item)).collect();
        let deletes = writes.iter().filter_map(|write| Some(write["Delete"]["Key"]["sk"]["S"].as_str()?.to_owned()));
        Self { at, base, puts, deletes: deletes.collect() }
    }
}

/// A request, as far as a store looks at it.
struct Request {
    service: Service,
    operation: String,
    region: String,
    /// The sequence base of the function that sends it.
    base: u64,
    body: Vec<u8>,
}

/// The host that a function of a sequence base calls: so the network knows of each call where it comes from.
pub(crate) fn endpoint(base: u64) -> String {
    format!("http://127.0.0.1:4566/base-{base}.x")
}

fn base_of(uri: &str) -> u64 {
    let base = uri.split_once("/base-").and_then(|(_, rest)| rest.split_once('.')).map(|(base, _)| base);
    base.map_or(0, |base| base.parse().unwrap())
}

/// The region in a signature's scope: `…Credential={key}/{day}/{region}/{service}/aws4_request, …`.
fn region_of(signature: &str) -> &str {
    let scope = signature.split_once("Credential=").map_or("", |(_, scope)| scope);
    scope.split('/').nth(2).unwrap_or_default()
}

impl Request {
    fn of(request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target").expect("the JSON protocols name the operation");
        let (service, operation) = target.split_once('.').unwrap();
        let service = match service {
            "DynamoDB_20120810" => Service::DynamoDb,
            "AmazonSQS" => Service::Sqs,
            "secretsmanager" => Service::SecretsManager,
            other => panic!("nobody here is called {other}"),
        };
        let body = request.body().bytes().expect("bodies are in memory").to_vec();
        let signature = request.headers().get("authorization").unwrap_or_default();
        Self {
            service,
            operation: operation.to_owned(),
            region: region_of(signature).to_owned(),
            base: base_of(request.uri()),
            body,
        }
    }

    /// The answer to a batch of reads without some of its keys, one at the least, which it names.
    fn processed_in_part(&self, answer: &Answer) -> Answer {
        let request: Value = serde_json::from_slice(&self.body).unwrap();
        let mut body: Value = serde_json::from_str(&answer.body).unwrap();
        for (table, wanted) in request["RequestItems"].as_object().unwrap() {
            let mut left = wanted["Keys"].as_array().unwrap().clone();
            fastrand::shuffle(&mut left);
            left.truncate(fastrand::usize(1..=left.len()));
            let is_left = |item: &Value| left.iter().any(|key| key["pk"] == item["pk"] && key["sk"] == item["sk"]);
            body["Responses"][table].as_array_mut().unwrap().retain(|item| !is_left(item));
            body["UnprocessedKeys"][table] = wanted.clone();
            body["UnprocessedKeys"][table]["Keys"] = json!(left);
        }
        Answer { body: body.to_string(), status: answer.status }
    }

    fn is_transaction(&self) -> bool {
        self.operation == "TransactWriteItems"
    }

    /// What a transaction answers when it was cancelled for one of its items.
    fn cancelled(&self, reason: &str) -> Answer {
        if !self.is_transaction() {
            let is_write = SINGLE_WRITES.contains(&self.operation.as_str());
            return if is_write && reason == "TransactionConflict" { conflict() } else { throttled(self.service) };
        }
        let transaction: Value = serde_json::from_slice(&self.body).unwrap();
        let writes = transaction["TransactItems"].as_array().unwrap().len();
        // Any of its items: the session is one that everybody writes, and an outbox entry one that others look at.
        let place = fastrand::usize(..writes);
        let reasons: Vec<Value> =
            (0..writes).map(|write| json!({"Code": if write == place { reason } else { "None" }})).collect();
        let body = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled",
            "CancellationReasons": reasons,
        });
        Answer { status: 400, body: body.to_string() }
    }
}

/// What a single write answers while a transaction has the item.
fn conflict() -> Answer {
    let namespace = "com.amazonaws.dynamodb.v20120810";
    Answer::error(namespace, "TransactionConflictException", "Transaction is ongoing for the item")
}

fn throttled(service: Service) -> Answer {
    match service {
        Service::DynamoDb => {
            let namespace = "com.amazonaws.dynamodb.v20120810";
            Answer::error(namespace, "ProvisionedThroughputExceededException", "The level of throughput was exceeded.")
        }
        Service::Sqs => Answer::error("com.amazonaws.sqs", "RequestThrottled", "The request was throttled."),
        Service::SecretsManager => {
            Answer::error("com.amazonaws.secretsmanager", "ThrottlingException", "Rate exceeded")
        }
    }
}

fn broken() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())
}

fn response(answer: Answer) -> HttpResponse {
    with_body(answer.status, SdkBody::from(answer.body))
}

fn with_body(status: u16, body: SdkBody) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), body);
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}

/// A response whose connection breaks half way through its body.
fn cut(answer: Answer) -> HttpResponse {
    let mut body = Bytes::from(answer.body);
    body.truncate(body.len() / 2);
    with_body(answer.status, SdkBody::from_body_1_x(CutBody(Some(body))))
}

/// Half a body, then the end of the connection.
struct CutBody(Option<Bytes>);

impl http_body::Body for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(half) => Ok(Frame::data(half)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }))
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().carry(request))
    }
}

impl HttpClient for Network {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}
