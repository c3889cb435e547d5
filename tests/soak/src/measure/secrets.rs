//! What credentials by ARN cost beside credentials by variable: starts, first answers, warm answers and memory of
//! functions that take turns, so that a busy machine slows all of them alike.
//!
//! Everything that a function calls is here, over TLS with a certificate of this run, beside the certificates of the
//! machine: reading those is a part of a cold start.
//!
//! `STARTS` is how often each is started, `LATENCY_MS` the time that Secrets Manager and the stores take for an answer,
//! `BASELINE` a folder with the functions of an earlier release. The certificate is made by `openssl`.

use super::tell;
use crate::{
    certificate::{bundle, certified},
    clock::since_epoch,
    faults::Faults,
    http::{self, Tls},
    lambda::{Deployment, Failed, Function},
    process::{cpu, peak, process},
    sender::event,
    soak::{Settings, variables},
    statistics::Quantiles,
    stores::Stores,
    variable,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    env, fs, io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::sleep};
use verdict_sessions::{Outcome, Provider, Timestamp};
use verdict_simulation::{SecretsManager, Webhook, credentials};

/// The functions that are measured.
const FUNCTIONS: [(&str, Provider); 2] = [("veriff-decisions", Provider::Veriff), ("wultra-events", Provider::Wultra)];

/// The webhooks that each process gets after its first.
const WARM: usize = 60;

/// How a function comes by its credentials.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Variable,
    Arn,
}

/// A build of the functions, and how they come by their credentials.
struct Variant {
    name: &'static str,
    binaries: PathBuf,
    way: Way,
}

/// What the starts of one variant of one function took.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    function: &'static str,
    variant: &'static str,
    starts: usize,
    latency_ms: u64,
    binary_bytes: u64,
    /// From the process's start to its first question for an invocation.
    start_ms: Quantiles,
    start_cpu_ms: Quantiles,
    /// The first answer.
    first_ms: Quantiles,
    first_cpu_ms: Quantiles,
    /// The answers after it.
    warm_ms: Quantiles,
    warm_cpu_ms: Quantiles,
    peak_mib: Quantiles,
    /// The calls to Secrets Manager that a process made.
    calls: f64,
}

/// What one process took.
struct Life {
    start: (f64, f64),
    first: (f64, f64),
    warm: Vec<f64>,
    warm_cpu: f64,
    peak: f64,
    calls: usize,
}

pub(super) async fn run(settings: &Settings) -> bool {
    let aws = Aws::new(settings).await;
    let variants = variants(settings);
    for (function, provider) in FUNCTIONS {
        let mut lives: Vec<Vec<Life>> = variants.iter().map(|_| Vec::new()).collect();
        for _ in 0..variable("STARTS", 40) {
            for (variant, lives) in variants.iter().zip(&mut lives) {
                match aws.live(function, provider, variant).await {
                    Ok(life) => lives.push(life),
                    Err(problem) => {
                        eprintln!("{function}, {}: {problem}", variant.name);
                        return false;
                    }
                }
            }
        }
        for (variant, lives) in variants.iter().zip(&lives) {
            tell(&taken(function, variant, lives, aws.latency));
        }
    }
    true
}

fn variants(settings: &Settings) -> Vec<Variant> {
    let today = |name, way| Variant { name, binaries: settings.binaries.clone(), way };
    let baseline = env::var_os("BASELINE").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let baseline = baseline.map(|binaries| Variant { name: "baseline", binaries, way: Way::Variable });
    baseline.into_iter().chain([today("variable", Way::Variable), today("ARN", Way::Arn)]).collect()
}

fn taken(function: &'static str, variant: &Variant, lives: &[Life], latency: Duration) -> Taken {
    let of = |number: fn(&Life) -> f64| Quantiles::of(lives.iter().map(number));
    Taken {
        function,
        variant: variant.name,
        starts: lives.len(),
        latency_ms: u64::try_from(latency.as_millis()).unwrap(),
        binary_bytes: fs::metadata(variant.binaries.join(function)).unwrap().len(),
        start_ms: of(|life| life.start.0),
        start_cpu_ms: of(|life| life.start.1),
        first_ms: of(|life| life.first.0),
        first_cpu_ms: of(|life| life.first.1),
        warm_ms: Quantiles::of(lives.iter().flat_map(|life| life.warm.iter().copied())),
        warm_cpu_ms: of(|life| life.warm_cpu),
        peak_mib: of(|life| life.peak),
        calls: lives.iter().map(|life| life.calls as f64).sum::<f64>() / lives.len() as f64,
    }
}

/// What the functions call: the stores, and Secrets Manager.
struct Aws {
    address: String,
    certificates: PathBuf,
    secrets: Arc<Mutex<SecretsManager>>,
    latency: Duration,
    webhooks: AtomicUsize,
    answering: JoinHandle<io::Error>,
}

impl Aws {
    async fn new(settings: &Settings) -> Self {
        let latency = Duration::from_millis(variable("LATENCY_MS", 0));
        let stores = Arc::new(Stores::new(Faults::new(0.0, settings.seed)).with_latency(latency));
        let (listener, address) = http::listen().await;
        let certificates = env::temp_dir().join(format!("certificates-{}.pem", std::process::id()));
        let tls = Tls::new(certified(&certificates));
        bundle(&certificates, &certificates);
        let secrets = Arc::new(Mutex::new(secrets()));
        let asked = secrets.clone();
        let answering = tokio::spawn(http::serve_over(Some(tls), listener, move |request| {
            answer(stores.clone(), asked.clone(), latency, request)
        }));
        let address = address.replace("127.0.0.1", "localhost");
        Self { address, certificates, secrets, latency, webhooks: AtomicUsize::new(0), answering }
    }

    /// One process, from its start to its end.
    async fn live(&self, name: &'static str, provider: Provider, variant: &Variant) -> Result<Life, String> {
        let asked = self.asked();
        let (binaries, variables) = (variant.binaries.clone(), self.variables(provider, variant.way));
        let timeout = Duration::from_secs(10);
        let function = Function::start(Deployment {
            name: name.to_owned(),
            timeout,
            processes: 1,
            binaries,
            variables,
            logs: None,
        });
        let start = function.started().await;
        let process = process(&function);
        let first = self.answered(&function, provider).await?;
        let first_cpu = cpu(process) - start.cpu;
        let (mut warm, before) = (Vec::new(), cpu(process));
        for _ in 0..WARM {
            warm.push(self.answered(&function, provider).await?);
        }
        Ok(Life {
            start: (start.took.as_secs_f64() * 1000.0, start.cpu * 1000.0),
            first: (first, first_cpu * 1000.0),
            warm,
            warm_cpu: (cpu(process) - before) * 1000.0 / WARM as f64,
            peak: peak(process),
            calls: self.asked() - asked,
        })
    }

    /// How often Secrets Manager was asked so far.
    fn asked(&self) -> usize {
        self.secrets.lock().unwrap().asked()
    }

    /// Sends a decision on a new session. Returns the milliseconds until its answer.
    async fn answered(&self, function: &Function, provider: Provider) -> Result<f64, String> {
        let session = format!("session-{}", self.webhooks.fetch_add(1, Ordering::Relaxed));
        let now = Timestamp::from_unix(i64::try_from(since_epoch().as_secs()).unwrap(), 0).unwrap();
        let event = event(&Webhook::decision(provider, &session, Outcome::Approved, now, "1"));
        let begun = Instant::now();
        let answer = function.invoke(event).await;
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        // The process gets ready for the next.
        sleep(Duration::from_millis(2)).await;
        match answer {
            Ok(answer) if String::from_utf8_lossy(&answer).contains("\"recorded\"") => Ok(took),
            Ok(answer) => Err(String::from_utf8_lossy(&answer).into_owned()),
            Err(Failed::Died) => Err("died".to_owned()),
            Err(Failed::Said(error)) => Err(error),
        }
    }

    fn variables(&self, provider: Provider, way: Way) -> BTreeMap<String, String> {
        let mut variables = variables(&self.address);
        for value in variables.values_mut() {
            *value = value.replace("http://localhost", "https://localhost");
        }
        variables.insert("SSL_CERT_FILE".to_owned(), self.certificates.display().to_string());
        if way == Way::Arn {
            let name = format!("{}_CREDENTIALS", provider.as_str().to_uppercase());
            variables.remove(&name);
            variables.insert(format!("{name}_ARN"), arn(provider));
        }
        variables
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.answering.abort();
        let _ = fs::remove_file(&self.certificates);
    }
}

fn arn(provider: Provider) -> String {
    format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{provider}-AbCdEf")
}

/// A Secrets Manager that holds each provider's credentials.
fn secrets() -> SecretsManager {
    let mut secrets = SecretsManager::default();
    for provider in Provider::ALL {
        secrets.put(&arn(provider), &credentials(provider).to_string());
    }
    secrets
}

async fn answer(
    stores: Arc<Stores>,
    secrets: Arc<Mutex<SecretsManager>>,
    latency: Duration,
    request: Request<Bytes>,
) -> http::Answer {
    let target = request.headers().get("x-amz-target")?.to_str().ok()?;
    let Some(("secretsmanager", operation)) = target.split_once('.') else { return stores.answer(request).await };
    let answer = secrets.lock().unwrap().answer(operation, request.body());
    sleep(latency).await;
    let response = Response::builder().status(answer.status).header("content-type", "application/x-amz-json-1.1");
    response.body(Full::from(answer.body)).ok()
}
