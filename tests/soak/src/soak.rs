//! One run: everything that goes on at the same time, and its end.

use crate::{
    audit::Audit,
    clock::since_epoch,
    faults::{Faults, Service},
    http,
    lambda::{Deployment, Failed, Function, Sandbox},
    ledger::Ledger,
    memory::Memory,
    sender::{Counts, Sender, Told},
    stores::{DECISIONS, INTAKE, Message, QUARANTINE, Stores, TABLE},
    story::Story,
    violations::{Kind, Violations},
};
use fastrand::Rng;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};
use verdict_sessions::{Provider, Timestamp};
use verdict_simulation::{Sqs, credentials};

/// How many stories are told at the same time.
const STORIES_AT_A_TIME: usize = 32;

/// How many processes each function that receives webhooks has.
const RECEIVERS: usize = 4;

/// How many processes `replay` has.
const REPLAYS: usize = 2;

/// The pause between two runs of the relay, in the place of a minute.
const RELAY_EVERY: Duration = Duration::from_secs(3);

/// After so many webhooks a process is killed.
const KILL_EVERY: usize = 10_000;

/// After so many webhooks a store goes away for a moment: the table, then the queues, then both.
const OUTAGE_EVERY: usize = 5_000;

/// How long after the last webhook everything has to have settled: a message that a killed `replay` held comes back after
/// three minutes.
const SETTLED_WITHIN: Duration = Duration::from_mins(8);

/// What a run is made with.
pub(crate) struct Settings {
    pub(crate) webhooks: usize,
    pub(crate) faults: f64,
    pub(crate) seed: u64,
    pub(crate) binaries: PathBuf,
    pub(crate) logs: Option<PathBuf>,
}

/// A run.
pub(crate) struct Soak {
    settings: Settings,
    /// When the stories begin: well in the past, for no event may lie in the future.
    start: Timestamp,
    stores: Arc<Stores>,
    sender: Sender,
    replay: Function,
    relay: Function,
    stories: AtomicUsize,
    told: Mutex<BTreeMap<usize, Told>>,
    ledger: Mutex<Ledger>,
    memory: Mutex<Memory>,
    kills: AtomicUsize,
    violations: Violations,
}

impl Soak {
    /// Runs, tells how it went, and says whether it went well.
    pub(crate) async fn run(settings: Settings) -> bool {
        let begun = Instant::now();
        let stores = Arc::new(Stores::new(Faults::new(settings.faults, settings.seed)));
        let (listener, address) = http::listen().await;
        let answering = {
            let stores = stores.clone();
            tokio::spawn(http::serve(listener, move |request| stores.clone().answer(request)))
        };
        let soak = Arc::new(Self::new(settings, stores, &address));
        let mut background = soak.background();
        soak.tell_stories().await;
        let took = begun.elapsed();
        soak.stores.faults.stop();
        soak.settle().await;
        background.shutdown().await;
        soak.reckon();
        answering.abort();
        soak.report(took)
    }

    fn new(settings: Settings, stores: Arc<Stores>, address: &str) -> Self {
        let variables = variables(address);
        let function = |name: &str, timeout, processes| {
            Function::start(Deployment {
                name: name.to_owned(),
                timeout: Duration::from_secs(timeout),
                processes,
                binaries: settings.binaries.clone(),
                variables: variables.clone(),
                logs: settings.logs.clone(),
            })
        };
        let routes = [
            ("/veriff/events", "veriff-events"),
            ("/veriff/decisions", "veriff-decisions"),
            ("/incode/", "incode-webhooks"),
            ("/treezor", "treezor-webhooks"),
            ("/wultra/", "wultra-events"),
        ];
        let routes = routes.into_iter().map(|(path, name)| (path, function(name, 10, RECEIVERS))).collect();
        let today = since_epoch().as_secs();
        Self {
            start: Timestamp::from_unix(i64::try_from(today).unwrap() - 86_400, 0).unwrap(),
            stores,
            sender: Sender { routes, counts: Counts::default() },
            replay: function("replay", 30, REPLAYS),
            relay: function("outbox-relay", 50, 1),
            settings,
            stories: AtomicUsize::new(0),
            told: Mutex::default(),
            ledger: Mutex::default(),
            memory: Mutex::default(),
            kills: AtomicUsize::new(0),
            violations: Violations::default(),
        }
    }

    /// What goes on beside the webhooks.
    fn background(self: &Arc<Self>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(self.clone().tick());
        for _ in 0..REPLAYS {
            tasks.spawn(self.clone().feed_replay());
        }
        tasks.spawn(self.clone().consume());
        tasks.spawn(self.clone().watch());
        tasks.spawn(self.clone().make_mischief());
        tasks
    }

    fn sent(&self) -> usize {
        self.sender.counts.sent.load(Ordering::Relaxed)
    }

    fn sandboxes(&self) -> impl Iterator<Item = &Arc<Sandbox>> {
        self.sender.routes.values().chain([&self.replay, &self.relay]).flat_map(Function::sandboxes)
    }

    async fn tell_stories(self: &Arc<Self>) {
        let mut tellers = JoinSet::new();
        for _ in 0..STORIES_AT_A_TIME {
            let soak = self.clone();
            tellers.spawn(async move {
                while soak.sent() < soak.settings.webhooks {
                    let number = soak.stories.fetch_add(1, Ordering::Relaxed);
                    let told = soak.sender.send(&soak.story(number)).await;
                    soak.told.lock().unwrap().insert(number, told);
                }
            });
        }
        while let Some(ended) = tellers.join_next().await {
            ended.expect("telling a story does not fail");
        }
    }

    fn story(&self, number: usize) -> Story {
        Story::tell(self.settings.seed, number, self.start)
    }

    /// The relay's schedule.
    async fn tick(self: Arc<Self>) {
        loop {
            sleep(RELAY_EVERY).await;
            // A run fails while the table is away; the next makes it good.
            let _ = self.relay.invoke("{}").await;
        }
    }

    /// The event source mapping of `replay`.
    async fn feed_replay(self: Arc<Self>) {
        loop {
            let messages = self.stores.receive(INTAKE);
            if messages.is_empty() {
                sleep(Duration::from_millis(200)).await;
                continue;
            }
            let records: Vec<Value> = messages.iter().map(Message::record).collect();
            let answer = match self.replay.invoke(json!({"Records": records}).to_string()).await {
                Ok(answer) => answer,
                // What it has received comes back when its visibility timeout ends.
                Err(Failed::Died) => continue,
                Err(Failed::Said(error)) => {
                    self.violations.add(Kind::Wrong, format!("replay failed: {error}"));
                    continue;
                }
            };
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            let failures = answer["batchItemFailures"].as_array().expect("a batch is answered in this form");
            let stay: BTreeSet<_> = failures.iter().filter_map(|failure| failure["itemIdentifier"].as_str()).collect();
            for message in messages.iter().filter(|message| !stay.contains(message.id())) {
                self.stores.delete(INTAKE, &message.receipt);
            }
        }
    }

    /// The consumer of the decisions.
    async fn consume(self: Arc<Self>) {
        loop {
            self.consume_what_is_there();
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn consume_what_is_there(&self) {
        loop {
            let messages = self.stores.receive(DECISIONS);
            if messages.is_empty() {
                return;
            }
            for message in messages {
                self.ledger.lock().unwrap().take(&message.body, &self.violations);
                self.stores.delete(DECISIONS, &message.receipt);
            }
        }
    }

    /// Looks at the processes' memory, and tells now and then how far it is.
    async fn watch(self: Arc<Self>) {
        let begun = Instant::now();
        for second in 1_u64.. {
            sleep(Duration::from_secs(1)).await;
            for sandbox in self.sandboxes() {
                self.memory.lock().unwrap().look(sandbox);
            }
            if second % 30 == 0 {
                let elapsed = begun.elapsed().as_secs();
                eprintln!("{elapsed} s: webhooks {}, {}; {}", self.sent(), self.counts(), self.violations.summary());
            }
        }
    }

    /// Kills processes at work, and takes stores away.
    async fn make_mischief(self: Arc<Self>) {
        let mut rng = Rng::with_seed(self.settings.seed);
        let (mut killed, mut outages) = (0, 0);
        while self.sent() < self.settings.webhooks {
            sleep(Duration::from_millis(5)).await;
            if self.sent() / KILL_EVERY > killed {
                killed += 1;
                self.kill_one_at_work(&mut rng).await;
            }
            if self.settings.faults > 0.0 && self.sent() / OUTAGE_EVERY > outages {
                let away: &'static [Service] = match outages % 3 {
                    0 => &[Service::DynamoDb],
                    1 => &[Service::Sqs],
                    _ => &[Service::DynamoDb, Service::Sqs],
                };
                self.stores.faults.begin_outage(away);
                outages += 1;
            }
        }
    }

    async fn kill_one_at_work(&self, rng: &mut Rng) {
        let sandboxes: Vec<_> = self.sandboxes().collect();
        loop {
            // Somewhere on its way.
            sleep(Duration::from_micros(rng.u64(..5000))).await;
            if let Some(sandbox) = rng.choice(&sandboxes).filter(|sandbox| sandbox.is_busy()) {
                sandbox.kill();
                self.kills.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Waits until relay and replay have nothing left to do.
    async fn settle(&self) {
        let begun = Instant::now();
        loop {
            let (intake, outbox) = (self.stores.held(INTAKE).len(), self.stores.table().outbox_entries());
            if intake + outbox == 0 {
                return;
            }
            if begun.elapsed() > SETTLED_WITHIN {
                self.violations.add(Kind::Lost, format!("{intake} messages are still on intake"));
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    fn reckon(&self) {
        self.consume_what_is_there();
        for sandbox in self.sandboxes() {
            for misbehaved in sandbox.life().misbehaved {
                self.violations.add(Kind::Wrong, misbehaved);
            }
        }
        for odd in self.sender.counts.odd.lock().unwrap().drain(..) {
            self.violations.add(Kind::Wrong, odd);
        }
        let ledger = self.ledger.lock().unwrap();
        let mut audit = Audit::begin(&self.stores, &ledger, &self.violations);
        for (number, told) in &*self.told.lock().unwrap() {
            audit.check(&self.story(*number), told);
        }
        audit.end();
    }

    fn report(&self, took: Duration) -> bool {
        let memory = self.memory.lock().unwrap();
        let ledger = self.ledger.lock().unwrap();
        for line in self.violations.lines() {
            println!("{line}");
        }
        let seconds = usize::try_from(took.as_secs()).unwrap().max(1);
        println!("webhooks {} in {seconds} s ({}/s), {}", self.sent(), self.sent() / seconds, self.counts());
        println!(
            "sessions' stories {}, notifications {}, repeated on the wire {}, in quarantine {}",
            self.told.lock().unwrap().len(),
            ledger.notifications,
            ledger.repeated,
            self.stores.held(QUARANTINE).len(),
        );
        println!("{}; {memory}", self.violations.summary());
        self.violations.is_empty() && memory.is_flat()
    }

    fn counts(&self) -> String {
        let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        let Counts { spooled, retried, given_up, .. } = &self.sender.counts;
        format!(
            "faults {} injected, kills {}, spooled {}, retried {}, given up {}",
            self.stores.faults.injected(),
            of(&self.kills),
            of(spooled),
            of(retried),
            of(given_up),
        )
    }
}

/// The functions' environment, as the template has it.
pub(crate) fn variables(address: &str) -> BTreeMap<String, String> {
    let variables = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID", "soak".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "soak".to_owned()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        // The local stack's credentials are accepted only where this is on the machine.
        ("AWS_ENDPOINT_URL", format!("http://{address}")),
        ("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{address}")),
        ("AWS_ENDPOINT_URL_SQS", format!("http://{address}")),
        ("SESSIONS_TABLE", TABLE.to_owned()),
        ("DECISIONS_QUEUE_URL", Sqs::url(DECISIONS)),
        ("INTAKE_QUEUE_URL", Sqs::url(INTAKE)),
        ("QUARANTINE_QUEUE_URL", Sqs::url(QUARANTINE)),
        ("PAYLOAD_RETENTION_DAYS", "400".to_owned()),
        ("VERDICT_LOG", "info".to_owned()),
    ]);
    let credentials = Provider::ALL.map(|provider| {
        (format!("{}_CREDENTIALS", provider.as_str().to_uppercase()), credentials(provider).to_string())
    });
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(credentials).collect()
}
