//! Lambda, as far as a function sees it: its environment, the Runtime API, and that it may be killed at any time.
//!
//! The Runtime API: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use crate::{clock::since_epoch, http, process::cpu};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    process::Command,
    sync::{Mutex as AsyncMutex, Notify, mpsc, oneshot},
    task::JoinSet,
    time::sleep,
};

/// How a function is deployed.
#[derive(Clone)]
pub struct Deployment {
    /// The binary's name.
    pub name: String,
    /// How long an invocation may take, as the template has it.
    pub timeout: Duration,
    /// How many processes there are: each takes one invocation at a time.
    pub processes: usize,
    /// The folder of the binaries.
    pub binaries: PathBuf,
    /// The function's own variables.
    pub variables: BTreeMap<String, String>,
    /// The folder where each process's log goes; without one it goes nowhere.
    pub logs: Option<PathBuf>,
}

/// A function. Its processes end with it.
pub struct Function {
    queue: mpsc::Sender<Invocation>,
    sandboxes: Vec<Arc<Sandbox>>,
    /// Dropped, it ends the processes.
    _alive: JoinSet<()>,
}

/// Why an invocation came to nothing.
pub enum Failed {
    /// The process died over it.
    Died,
    /// The function said so, in its own words.
    Said(String),
}

struct Invocation {
    event: Bytes,
    answer: oneshot::Sender<Result<Bytes, Failed>>,
}

/// What a process is at work on. Whoever drops it tells the caller that it failed.
struct Current {
    request: String,
    since: Instant,
    answer: oneshot::Sender<Result<Bytes, Failed>>,
}

/// Where one process of a function lives, and after it the next.
pub struct Sandbox {
    deployment: Arc<Deployment>,
    queue: Arc<AsyncMutex<mpsc::Receiver<Invocation>>>,
    current: Mutex<Option<Current>>,
    kill: Notify,
    life: Mutex<Life>,
}

/// What became of the processes of a sandbox.
#[derive(Clone, Default)]
pub struct Life {
    /// The process that lives now.
    pub process: Option<u32>,
    /// How its start went, once it has asked for an invocation.
    pub start: Option<Start>,
    /// What no function should do: end by itself, take longer than it may.
    pub misbehaved: Vec<String>,
}

/// The start of a process, up to its first question for an invocation.
#[derive(Clone, Copy)]
pub struct Start {
    /// The time.
    pub took: Duration,
    /// CPU time, in seconds.
    pub cpu: f64,
}

/// The pause before a process takes the place of one that ended by itself.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Tells invocations apart.
static REQUESTS: AtomicU64 = AtomicU64::new(1);

impl Function {
    /// Starts the processes.
    #[must_use]
    pub fn start(deployment: Deployment) -> Self {
        let deployment = Arc::new(deployment);
        let (queue, invocations) = mpsc::channel(1);
        let invocations = Arc::new(AsyncMutex::new(invocations));
        let sandbox = |_| {
            Arc::new(Sandbox {
                deployment: deployment.clone(),
                queue: invocations.clone(),
                current: Mutex::default(),
                kill: Notify::new(),
                life: Mutex::default(),
            })
        };
        let sandboxes: Vec<_> = (0..deployment.processes).map(sandbox).collect();
        let alive = sandboxes.iter().cloned().map(Sandbox::stay_alive).collect();
        Self { queue, sandboxes, _alive: alive }
    }

    /// Has the next free process handle an event.
    ///
    /// # Errors
    /// The reason why it came to nothing.
    pub async fn invoke(&self, event: impl Into<Bytes>) -> Result<Bytes, Failed> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Invocation { event: event.into(), answer }).await.map_err(|_| Failed::Died)?;
        answered.await.unwrap_or(Err(Failed::Died))
    }

    /// Waits until its first process has started, and says how that went.
    pub async fn started(&self) -> Start {
        loop {
            if let Some(start) = self.sandboxes[0].life().start {
                return start;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Where its processes live.
    #[must_use]
    pub fn sandboxes(&self) -> &[Arc<Sandbox>] {
        &self.sandboxes
    }
}

impl Sandbox {
    /// The function's name.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.deployment.name
    }

    /// What became of its processes so far.
    #[must_use]
    pub fn life(&self) -> Life {
        self.locked_life().clone()
    }

    /// Whether its process is at work.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.current().is_some()
    }

    /// Kills the process as the kernel does: with no word to it. Another takes its place.
    pub fn kill(&self) {
        self.kill.notify_one();
    }

    async fn stay_alive(self: Arc<Self>) {
        loop {
            let end = self.live().await;
            self.current().take();
            self.locked_life().process = None;
            self.locked_life().start = None;
            if let Some(end) = end {
                self.locked_life().misbehaved.push(end);
                // It may well do so again at once.
                sleep(RESTART_PAUSE).await;
            }
        }
    }

    /// One process, from its start to its end. Says why, where it was not killed.
    async fn live(self: &Arc<Self>) -> Option<String> {
        let (listener, address) = http::listen().await;
        let begun = Instant::now();
        let mut process = self.command(&address).spawn().expect("the functions are built");
        self.locked_life().process = process.id();
        let answer = {
            let sandbox = self.clone();
            move |request| sandbox.clone().answer(begun, request)
        };
        let end = tokio::select! {
            error = http::serve(listener, answer) => Some(format!("its Runtime API failed: {error}")),
            status = process.wait() => Some(format!("ended by itself: {status:?}")),
            () = self.overdue() => Some(format!("took longer than {:?}", self.deployment.timeout)),
            () = self.kill.notified() => None,
        };
        let _ = process.kill().await;
        end.map(|end| format!("{}: {end}", self.function()))
    }

    fn command(&self, runtime_api: &str) -> Command {
        let Deployment { name, timeout: _, binaries, variables, logs, .. } = &*self.deployment;
        let mut command = Command::new(binaries.join(name));
        command.env_clear().envs(variables).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.envs([
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", name),
            ("AWS_LAMBDA_LOG_STREAM_NAME", name),
        ]);
        if let Some(logs) = logs {
            let log = OpenOptions::new().create(true).append(true).open(logs.join(format!("{name}.log"))).unwrap();
            command.stdout(log.try_clone().unwrap()).stderr(log);
        }
        command
    }

    /// Ends when an invocation has taken longer than it may.
    async fn overdue(&self) {
        loop {
            sleep(Duration::from_millis(500)).await;
            if self.current().as_ref().is_some_and(|current| current.since.elapsed() > self.deployment.timeout) {
                return;
            }
        }
    }

    /// The Runtime API.
    async fn answer(self: Arc<Self>, begun: Instant, request: Request<Bytes>) -> http::Answer {
        let path = request.uri().path().strip_prefix("/2018-06-01/runtime/")?.to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["invocation", "next"] => {
                self.has_started(begun);
                self.next().await
            }
            ["invocation", id, "response"] => self.end(id, Ok(request.into_body())),
            ["invocation", id, "error"] => self.end(id, Err(Failed::Said(text(request.body())))),
            _ => {
                self.locked_life().misbehaved.push(format!("{}: {path}: {}", self.function(), text(request.body())));
                accepted()
            }
        }
    }

    fn end(&self, request: &str, answer: Result<Bytes, Failed>) -> http::Answer {
        if let Some(current) = self.current().take_if(|current| current.request == request) {
            // A caller who has gone is none of the function's matters.
            let _ = current.answer.send(answer);
        }
        accepted()
    }

    /// Notes the start of a process that asks for its first invocation.
    fn has_started(&self, begun: Instant) {
        let took = begun.elapsed();
        let mut life = self.locked_life();
        if life.start.is_none() {
            life.start = life.process.map(|process| Start { took, cpu: cpu(process) });
        }
    }

    async fn next(&self) -> http::Answer {
        let Invocation { event, answer } = self.queue.lock().await.recv().await?;
        let request = format!("{:08x}-0000-4000-8000-000000000000", REQUESTS.fetch_add(1, Ordering::Relaxed));
        let deadline = since_epoch() + self.deployment.timeout;
        *self.current() = Some(Current { request: request.clone(), since: Instant::now(), answer });
        Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", request)
            .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
            .header(
                "lambda-runtime-trace-id",
                "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
            )
            .header(
                "lambda-runtime-invoked-function-arn",
                format!("arn:aws:lambda:eu-west-1:123456789012:function:{}", self.function()),
            )
            .body(Full::new(event))
            .ok()
    }

    fn current(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap()
    }

    fn locked_life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap()
    }
}

/// A message as the event source mapping hands it over: the members that SQS' API gives, in lower case.
#[must_use]
pub fn record(message: &Map<String, Value>) -> Value {
    let lower = |name: &str| name[..1].to_lowercase() + &name[1..];
    message.iter().map(|(name, value)| (lower(name), value.clone())).collect::<Map<_, _>>().into()
}

fn accepted() -> http::Answer {
    Response::builder().status(202).body(Full::default()).ok()
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
