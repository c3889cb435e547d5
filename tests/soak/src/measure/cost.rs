//! What invocations cost: the events of each row of a plan go to the functions' own binaries, one after the other, while
//! the stores count what AWS would bill.

use super::tell;
use crate::{
    faults::Faults,
    http,
    lambda::{Deployment, Failed, Function},
    meter::Bill,
    process::{cpu, process},
    soak::{Settings, variables},
    statistics::Quantiles,
    stores::{Stores, WAKE_UP},
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    future::ready,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};
use verdict_sessions::Provider;
use verdict_simulation::{Sqs, credentials};

/// The functions that a plan may name, and how long each may take, in seconds.
const FUNCTIONS: [(&str, u64); 8] = [
    ("incode-poller", 50),
    ("incode-webhooks", 10),
    ("outbox-relay", 50),
    ("sessions-api", 10),
    ("treezor-webhooks", 10),
    ("veriff-decisions", 10),
    ("veriff-events", 10),
    ("wultra-events", 10),
];

/// How many of a row's events are sent before anything is measured.
const WARM_UP: usize = 10;

/// How many of a row's events, the last, meet slow stores: what they take longer says how often a function waits.
const SLOW: usize = 5;

/// The time that slow stores take for an answer.
const LATENCY: Duration = Duration::from_millis(100);

/// The pause in which a function that has answered gets ready for the next event.
const BREATH: Duration = Duration::from_millis(20);

/// A row of the plan.
#[derive(Deserialize)]
struct Row {
    name: String,
    function: String,
    /// What is sent before, and to which function.
    before: Vec<(String, Box<RawValue>)>,
    /// What is measured. `None`: the messages that the poller has been woken with meanwhile, each as a batch of its own.
    events: Option<Vec<Box<RawValue>>>,
    /// A text that every answer holds.
    answer: String,
}

/// What a row's events took, each.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    name: String,
    function: String,
    /// How many events were measured.
    events: usize,
    event_bytes: f64,
    cpu_ms: f64,
    /// With stores that answer at once, on this machine.
    wall_ms: Quantiles,
    /// How often the function waited for a store; calls that are made side by side are one wait.
    waits: f64,
    calls: BTreeMap<String, f64>,
    /// Calls to Incode's API.
    api_calls: f64,
    #[serde(flatten)]
    bill: Bill,
    stored_bytes: f64,
    log_bytes: f64,
    log_lines: f64,
    /// The metrics that were printed, each with its dimensions.
    metrics: BTreeSet<String>,
}

pub(super) async fn run(settings: &Settings) -> bool {
    let place = Place::new(settings).await;
    for line in io::stdin().lines() {
        let row = serde_json::from_str(&line.unwrap()).expect("a row of the plan");
        match place.measure(row).await {
            Ok(taken) => tell(&taken),
            Err(problem) => {
                eprintln!("{problem}");
                return false;
            }
        }
    }
    true
}

/// The functions, a process each, and what they call.
struct Place {
    stores: Arc<Stores>,
    functions: BTreeMap<&'static str, Function>,
    logs: PathBuf,
    /// How often Incode's API was called.
    api_calls: Arc<AtomicUsize>,
    /// Dropped, it ends the servers.
    _servers: JoinSet<io::Error>,
}

impl Place {
    async fn new(settings: &Settings) -> Self {
        let stores = Arc::new(Stores::new(Faults::new(0.0, settings.seed)).metered());
        let mut servers = JoinSet::new();
        let (listener, address) = http::listen().await;
        let answering = stores.clone();
        servers.spawn(http::serve(listener, move |request| answering.clone().answer(request)));
        let (listener, api) = http::listen().await;
        let api_calls = Arc::new(AtomicUsize::new(0));
        let counted = api_calls.clone();
        servers.spawn(http::serve(listener, move |request| {
            counted.fetch_add(1, Ordering::Relaxed);
            ready(incode(&request))
        }));
        let logs =
            settings.logs.clone().unwrap_or_else(|| env::temp_dir().join(format!("cost-{}", std::process::id())));
        fs::create_dir_all(&logs).unwrap();
        let mut variables = variables(&address);
        variables.extend(more_variables(&api));
        let function = |(name, timeout): (&'static str, u64)| {
            let (binaries, variables, logs) = (settings.binaries.clone(), variables.clone(), Some(logs.clone()));
            let timeout = Duration::from_secs(timeout);
            let deployment = Deployment { name: name.to_owned(), timeout, processes: 1, binaries, variables, logs };
            (name, Function::start(deployment))
        };
        let functions = FUNCTIONS.map(function).into();
        Self { stores, functions, logs, api_calls, _servers: servers }
    }

    async fn measure(&self, row: Row) -> Result<Taken, String> {
        self.empty_wake_up_queue();
        for (function, event) in &row.before {
            self.invoke(function, event.get(), "recorded").await?;
        }
        let events = row
            .events
            .map_or_else(|| self.wake_ups(), |events| events.into_iter().map(|event| event.get().to_owned()).collect());
        let (warm_up, rest) = events.split_at(WARM_UP);
        let (measured, slow) = rest.split_at(rest.len() - SLOW);
        let (function, answer) = (&*row.function, &*row.answer);
        self.send(function, warm_up, answer).await?;
        let before = self.look(function);
        self.stores.take_traffic();
        let quick = self.send(function, measured, answer).await?;
        let (traffic, after) = (self.stores.take_traffic(), self.look(function));
        self.stores.set_latency(LATENCY);
        let slow = self.send(function, slow, answer).await?;
        self.stores.set_latency(Duration::ZERO);
        let each = |sum: f64| sum / measured.len() as f64;
        let log = &after.log[before.log.len()..];
        Ok(Taken {
            events: measured.len(),
            event_bytes: each(measured.iter().map(String::len).sum::<usize>() as f64),
            cpu_ms: each(after.cpu - before.cpu) * 1000.0,
            waits: waits(&quick, &slow),
            wall_ms: Quantiles::of(quick),
            calls: traffic.calls.into_iter().map(|(operation, count)| (operation, each(count as f64))).collect(),
            api_calls: each((after.api_calls - before.api_calls) as f64),
            bill: traffic.bill.map(each),
            stored_bytes: each(after.stored_bytes as f64 - before.stored_bytes as f64),
            log_bytes: each(log.len() as f64),
            log_lines: each(log.lines().count() as f64),
            metrics: metrics(&after.log),
            name: row.name,
            function: row.function,
        })
    }

    /// Has a function handle events one by one. Returns the milliseconds that each took.
    async fn send(&self, function: &str, events: &[String], answer: &str) -> Result<Vec<f64>, String> {
        let mut took = Vec::new();
        for event in events {
            let begun = Instant::now();
            self.invoke(function, event, answer).await?;
            took.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        sleep(BREATH).await;
        Ok(took)
    }

    async fn invoke(&self, name: &str, event: &str, expected: &str) -> Result<(), String> {
        let function = self.functions.get(name).ok_or_else(|| format!("no function {name} is measured"))?;
        match function.invoke(event.to_owned()).await {
            Ok(answer) if String::from_utf8_lossy(&answer).contains(expected) => Ok(()),
            Ok(answer) => Err(format!("{name} answered {}, not {expected}", String::from_utf8_lossy(&answer))),
            Err(Failed::Died) => Err(format!("{name} died")),
            Err(Failed::Said(error)) => Err(format!("{name} failed: {error}")),
        }
    }

    /// The messages on the wake-up queue, each as the batch that its event source would make of it.
    fn wake_ups(&self) -> Vec<String> {
        let mut batches = Vec::new();
        loop {
            let messages = self.stores.receive(WAKE_UP);
            if messages.is_empty() {
                return batches;
            }
            for message in messages {
                batches.push(json!({"Records": [message.record()]}).to_string());
                self.stores.delete(WAKE_UP, &message.receipt);
            }
        }
    }

    fn empty_wake_up_queue(&self) {
        self.wake_ups();
    }

    fn look(&self, function: &str) -> Look {
        Look {
            cpu: cpu(process(&self.functions[function])),
            log: fs::read_to_string(self.logs.join(format!("{function}.log"))).unwrap_or_default(),
            stored_bytes: self.stores.table().stored_bytes(),
            api_calls: self.api_calls.load(Ordering::Relaxed),
        }
    }
}

/// What was seen at one time.
struct Look {
    /// CPU time of the function, in seconds.
    cpu: f64,
    /// Everything that the function has printed.
    log: String,
    stored_bytes: usize,
    api_calls: usize,
}

/// What differs from the soak: the wake-up queue, Incode's API, and the names that log lines hold in a deployment.
fn more_variables(api: &str) -> BTreeMap<String, String> {
    let mut incode = credentials(Provider::Incode).clone();
    incode["api"]["baseUrl"] = json!(format!("http://{api}"));
    BTreeMap::from([
        ("WAKE_UP_QUEUE_URL".to_owned(), Sqs::url(WAKE_UP)),
        ("INCODE_CREDENTIALS".to_owned(), incode.to_string()),
        ("VERDICT_VERSION".to_owned(), "v0.2.0-3-gabcdef0".to_owned()),
        ("VERDICT_NAMESPACE".to_owned(), "verdict".to_owned()),
    ])
}

/// Incode's API: every session is finished, and has a score with every section that a score may have.
fn incode(request: &Request<Bytes>) -> http::Answer {
    let test = |key: &str| json!({"value": "100", "status": "OK", "key": key});
    let quality = ["alignment", "tamperCheck", "screenIdLiveness", "paperIdLiveness"].map(test);
    let specific = ["expirationDateValidity", "firstNameMatch", "lastNameMatch", "birthDateMatch"].map(test);
    let section = || json!({"overall": {"value": "99.1", "status": "OK"}, "score": {"value": "99.1", "status": "OK"}});
    let answer = match request.uri().path() {
        "/executive/log-in" => json!({"token": "a-token-of-incodes-0123456789"}),
        path if path.ends_with("/status") => json!({"onboardingStatus": "ONBOARDING_FINISHED"}),
        _ => json!({
            "idValidation": {"photoSecurityAndQuality": quality, "idSpecific": specific, "customFields": [],
                "overall": test("overall")},
            "liveness": section(), "faceRecognition": section(), "idOcrConfidence": section(),
            "overall": {"value": "98.0", "status": "OK"},
        }),
    };
    Response::builder().header("content-type", "application/json").body(Full::from(answer.to_string())).ok()
}

/// How often a function waits for a store, from the milliseconds that it takes with stores that are quick and slow. The
/// least of them are compared: a busy machine adds to all others.
fn waits(quick: &[f64], slow: &[f64]) -> f64 {
    let least = |took: &[f64]| took.iter().copied().fold(f64::INFINITY, f64::min);
    ((least(slow) - least(quick)) / (LATENCY.as_secs_f64() * 1000.0)).max(0.0).round()
}

/// The metrics in a log: each line says which of its members are metrics, and by what they are grouped.
fn metrics(log: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
            let dimensions = directive["Dimensions"][0].as_array().into_iter().flatten().filter_map(Value::as_str);
            let mut group: Vec<String> =
                dimensions.map(|name| format!("{name}={}", line[name].as_str().unwrap_or_default())).collect();
            for metric in directive["Metrics"].as_array().into_iter().flatten() {
                group.push(metric["Name"].as_str().unwrap_or_default().to_owned());
                found.insert(group.join(" "));
                group.pop();
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_what_slow_stores_add() {
        assert_eq!(waits(&[1.5, 30.0], &[190.0, 203.0, 450.0]).to_string(), "2");
        assert_eq!(waits(&[3.0], &[1.0]).to_string(), "0");
    }

    #[test]
    fn metrics_are_told_with_their_dimensions_each_once() {
        let line = r#"{"provider":"veriff","recorded":1,"took":7,"_aws":{"CloudWatchMetrics":[{"Dimensions":[["provider"]],"Metrics":[{"Name":"recorded"},{"Name":"took"}]}]}}"#;
        let relay =
            r#"{"relayed":0,"_aws":{"CloudWatchMetrics":[{"Dimensions":[[]],"Metrics":[{"Name":"relayed"}]}]}}"#;
        let found = metrics(&format!("{line}\nno JSON\n{line}\n{relay}\n"));
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["provider=veriff recorded", "provider=veriff took", "relayed"]
        );
    }
}
