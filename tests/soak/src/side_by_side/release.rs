//! The functions of one release. Each process has a name of its own, which is also its access key: so a call to the
//! stores says which process made it.

use crate::lambda::{Deployment, Failed, Function, Sandbox};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The processes of each function that receives webhooks.
const RECEIVERS: usize = 2;

/// The functions that receive webhooks, by the path that leads to them.
const ROUTES: [(&str, &str); 5] = [
    ("/veriff/events", "veriff-events"),
    ("/veriff/decisions", "veriff-decisions"),
    ("/incode/", "incode-webhooks"),
    ("/treezor", "treezor-webhooks"),
    ("/wultra/", "wultra-events"),
];

/// A release's functions. Their processes end with it.
pub(super) struct Release {
    receivers: [(&'static str, Vec<Function>); 5],
    relay: Function,
    replay: Function,
    next: AtomicUsize,
    is_stopped: AtomicBool,
    /// By access key.
    pub(super) sandboxes: BTreeMap<String, Arc<Sandbox>>,
}

impl Release {
    pub(super) fn start(
        name: &str,
        binaries: &Path,
        variables: &BTreeMap<String, String>,
        logs: Option<&PathBuf>,
    ) -> Self {
        let mut sandboxes = BTreeMap::new();
        let mut start = |function: &'static str, timeout, place: usize| {
            let key = format!("{name}.{function}.{place}");
            let mut variables = variables.clone();
            variables.insert("AWS_ACCESS_KEY_ID".into(), key.clone());
            let started = Function::start(Deployment {
                name: function.to_owned(),
                timeout: Duration::from_secs(timeout),
                processes: 1,
                binaries: binaries.to_owned(),
                variables,
                logs: logs.cloned(),
            });
            sandboxes.insert(key, started.sandboxes()[0].clone());
            started
        };
        let receivers =
            ROUTES.map(|(path, function)| (path, (0..RECEIVERS).map(|place| start(function, 10, place)).collect()));
        let relay = start("outbox-relay", 50, 0);
        let replaying = start("replay", 30, 0);
        Self {
            receivers,
            relay,
            replay: replaying,
            next: AtomicUsize::new(0),
            is_stopped: AtomicBool::new(false),
            sandboxes,
        }
    }

    /// Has one of the processes that a path leads to handle a request.
    pub(super) async fn receive(&self, path: &str, event: String) -> Result<Bytes, Failed> {
        let (_, processes) =
            self.receivers.iter().find(|(start, _)| path.starts_with(start)).expect("every path leads to a function");
        processes[self.next.fetch_add(1, Ordering::Relaxed) % processes.len()].invoke(event).await
    }

    pub(super) async fn relay(&self) -> Result<Bytes, Failed> {
        self.relay.invoke("{}").await
    }

    pub(super) async fn replay(&self, batch: String) -> Result<Bytes, Failed> {
        self.replay.invoke(batch).await
    }

    /// From now on nothing new is given to its relay and replay.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }
}

/// The access key that a request to a store is signed with.
pub(super) fn access_key<T>(request: &hyper::Request<T>) -> Option<&str> {
    let authorization = request.headers().get("authorization")?.to_str().ok()?;
    authorization.split_once("Credential=")?.1.split('/').next()
}
