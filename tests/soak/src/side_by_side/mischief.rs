//! What stands between the functions and the stores: kills processes right after a call took effect, so that they never
//! learn of it, and counts what is sent to the decisions queue.

use super::{
    heard::id,
    release::{Release, access_key},
    text,
};
use crate::{
    http,
    lambda::Sandbox,
    stores::{DECISIONS, Stores},
};
use bytes::Bytes;
use fastrand::Rng;
use hyper::Request;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;
use verdict_simulation::Sqs;

/// Of so many outbox entries, one is the last thing that its process wrote.
const KILLED_AFTER_COMMIT: usize = 10;

/// Of so many messages, one is the last thing that its process sent.
const KILLED_AFTER_SENDING: usize = 20;

/// The time in which a process that is to die has died.
const DEATH: Duration = Duration::from_secs(5);

/// Stands between functions and stores.
pub(super) struct Mischief {
    stores: Arc<Stores>,
    sandboxes: Mutex<BTreeMap<String, Arc<Sandbox>>>,
    rng: Mutex<Rng>,
    pub(super) kills: AtomicUsize,
    pub(super) sends: Mutex<Sends>,
}

/// The messages that were sent to the decisions queue, copies included, which SQS mostly drops.
#[derive(Default)]
pub(super) struct Sends {
    ids: BTreeSet<String>,
    /// How many each release sent, copies included.
    by_release: BTreeMap<String, usize>,
    /// Those that were on record as told when the phase began.
    history: BTreeSet<String>,
    pub(super) copies: usize,
    pub(super) from_history: usize,
}

/// A call after which the process may be killed.
enum Call {
    /// A transaction with an outbox entry in it.
    Commit,
    /// A message to the decisions queue.
    Send(String),
}

impl Call {
    fn of(request: &Request<Bytes>) -> Option<Self> {
        let target = request.headers().get("x-amz-target")?.to_str().ok()?;
        let body: Value = serde_json::from_slice(request.body()).ok()?;
        match target {
            "DynamoDB_20120810.TransactWriteItems" => {
                let mut writes = body["TransactItems"].as_array()?.iter();
                let is_entry = |write: &Value| text(&write["Put"]["Item"]["sk"]["S"]).starts_with("NOTIFICATION#");
                writes.any(is_entry).then_some(Self::Commit)
            }
            "AmazonSQS.SendMessage" if body["QueueUrl"] == Sqs::url(DECISIONS) => {
                let message: Value = serde_json::from_str(text(&body["MessageBody"])).ok()?;
                Some(Self::Send(id(&message["data"])))
            }
            _ => None,
        }
    }
}

impl Mischief {
    pub(super) fn new(stores: Arc<Stores>, seed: u64) -> Self {
        let rng = Mutex::new(Rng::with_seed(seed));
        Self { stores, sandboxes: Mutex::default(), rng, kills: AtomicUsize::new(0), sends: Mutex::default() }
    }

    /// Begins a phase, with these messages on record as told.
    pub(super) fn begin(&self, history: BTreeSet<String>) {
        self.sends.lock().unwrap().history = history;
    }

    /// Gets to know a release's processes.
    pub(super) fn know(&self, release: &Release) {
        self.sandboxes.lock().unwrap().extend(release.sandboxes.clone());
    }

    /// Has the stores answer a call, unless its process dies first.
    pub(super) async fn answer(self: Arc<Self>, request: Request<Bytes>) -> http::Answer {
        let call = Call::of(&request);
        let key = access_key(&request).map(str::to_owned);
        let answer = self.stores.clone().answer(request).await?;
        let Some(call) = call.filter(|_| answer.status() == 200) else { return Some(answer) };
        if let Some(sandbox) = self.to_be_killed(&call, key.as_deref()) {
            self.kills.fetch_add(1, Ordering::Relaxed);
            sandbox.kill();
            sleep(DEATH).await;
        }
        Some(answer)
    }

    fn to_be_killed(&self, call: &Call, key: Option<&str>) -> Option<Arc<Sandbox>> {
        let one_of = match call {
            Call::Commit => KILLED_AFTER_COMMIT,
            Call::Send(id) => {
                self.sends.lock().unwrap().add(id, key.and_then(|key| key.split('.').next()).unwrap_or_default());
                KILLED_AFTER_SENDING
            }
        };
        let is_chosen = self.rng.lock().unwrap().usize(..one_of) == 0;
        let sandboxes = self.sandboxes.lock().unwrap();
        let sandbox = sandboxes.get(key.expect("calls are signed")).expect("every process has a key of its own");
        is_chosen.then(|| sandbox.clone())
    }
}

impl Sends {
    /// The number of messages that a release sent.
    pub(super) fn by(&self, release: &str) -> usize {
        self.by_release.get(release).copied().unwrap_or(0)
    }

    fn add(&mut self, id: &str, release: &str) {
        *self.by_release.entry(release.to_owned()).or_default() += 1;
        self.from_history += usize::from(self.history.contains(id));
        self.copies += usize::from(!self.ids.insert(id.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_counted_and_those_of_what_was_told_before_apart() {
        let mut sends = Sends::default();
        for id in ["veriff/a/1", "veriff/a/1", "veriff/a/2"] {
            sends.add(id, "today");
        }
        assert_eq!((sends.copies, sends.from_history), (1, 0));
        sends.history = BTreeSet::from(["veriff/a/2".to_owned()]);
        for id in ["veriff/a/2", "veriff/a/3"] {
            sends.add(id, "today");
        }
        assert_eq!((sends.copies, sends.from_history), (2, 1));
        assert_eq!((sends.by("today"), sends.by("before")), (5, 0));
    }
}
