//! The rotation of each provider's secret while genuine webhooks come, and many times as many forged ones.
//!
//! An operator adds a secret, the provider switches to it as late as `add` says, the operator promotes it and removes the
//! old one: nothing genuine may be refused, and the old secret is of no use soon after. Then the provider switches at
//! once, and it is counted how many are refused. Then Secrets Manager is away, and then gives a version of no use: nothing
//! may be refused. Last, with the usual time to live, it is counted what forgeries cause in calls.

use super::{Target, outcome};
use crate::{
    clock::since_epoch,
    faults::Service,
    lambda::Function,
    soak::{Settings, variables},
    variable,
};
use fastrand::Rng;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};
use verdict_sessions::{Outcome, Provider, Timestamp};
use verdict_simulation::Webhook;

/// The time to live of credentials during a rotation, in seconds.
const TTL: u64 = 5;

/// The usual time to live, in seconds.
const USUAL_TTL: u64 = 300;

/// The time after `add`, beside the time to live, after which the provider may switch.
const MARGIN: Duration = Duration::from_secs(30);

/// The pause between two genuine webhooks: 20 a second.
const GENUINE_EVERY: Duration = Duration::from_millis(50);

/// The pause between two forged ones: 10,000 a minute.
const FORGED_EVERY: Duration = Duration::from_millis(6);

/// The processes that receive them, each of which counts alone.
const PROCESSES: usize = 2;

/// The calls of one process in a minute that forgeries may cause.
const CALLS_BY_FORGERIES: u64 = 2;

/// The longest that a webhook may be under way: what counts for a time bound is when it was sent.
const UNDER_WAY: Duration = Duration::from_millis(500);

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:verdict/rotation-AbCdEf";

pub(super) async fn run(settings: &Settings) -> bool {
    let duration = Duration::from_secs(variable("DURATION", 60));
    println!(
        "{:8} {:24} {:>8} {:>8} {:>7} {:>9} {:>7} {:>6}  calls of Secrets Manager",
        "provider", "part", "genuine", "refused", "failed", "forged", "let in", "s"
    );
    let mut is_well = true;
    for provider in Provider::ALL {
        is_well &= Rotation::start(settings, provider, TTL).await.rotate(duration).await;
        is_well &= Rotation::start(settings, provider, USUAL_TTL).await.flood(duration).await;
    }
    is_well
}

/// One provider, whose webhooks come from now on.
struct Rotation {
    provider: Provider,
    ttl: u64,
    target: Target,
    load: Arc<Load>,
    /// Dropped, it ends the load.
    _sending: JoinSet<()>,
}

/// What is sent.
struct Load {
    provider: Provider,
    functions: Vec<Function>,
    /// The secret that the provider proves its webhooks with, and the counts of the part that is under way.
    now: Mutex<(String, Arc<Counts>)>,
    rng: Mutex<Rng>,
}

/// What became of what was sent in one part.
#[derive(Default)]
struct Counts {
    genuine: Mutex<BTreeMap<String, usize>>,
    forged: Mutex<BTreeMap<String, usize>>,
}

impl Rotation {
    async fn start(settings: &Settings, provider: Provider, ttl: u64) -> Self {
        let target = Target::new(settings).await;
        let mut rng = Rng::with_seed(settings.seed);
        let first = secret(&mut rng);
        put(&target, provider, &[&first]);
        let function =
            |process: usize| target.receiver_with(provider, 1, by_arn(&target.address, provider, ttl, process));
        let functions = (0..PROCESSES).map(function).collect();
        let now = Mutex::new((first, Arc::default()));
        let load = Arc::new(Load { provider, functions, now, rng: Mutex::new(rng) });
        // Both have started before anything counts.
        for function in &load.functions {
            assert_eq!(outcome(function, &load.genuine()).await, "recorded", "{provider}");
        }
        target.stores.take_secret_calls();
        let mut sending = JoinSet::new();
        sending.spawn(load.clone().send_genuine());
        sending.spawn(load.clone().send_forged());
        Self { provider, ttl, target, load, _sending: sending }
    }

    async fn rotate(self, duration: Duration) -> bool {
        let old = self.load.signing();
        let new = self.secret();
        let mut is_well = self.part("as add says", 0, self.rotate_in_time(&old, &new)).await;
        is_well &= self.removed(&new, &old).await;
        let last = self.secret();
        self.part("the provider at once", usize::MAX, self.switch_at_once(&new, &last)).await;
        is_well &= self.part("Secrets Manager away", 0, self.lose_secrets_manager(duration)).await;
        is_well &= self.part("a version of no use", 0, self.put_nonsense(duration.min(Duration::from_secs(20)))).await;
        is_well
    }

    async fn flood(self, duration: Duration) -> bool {
        self.part("usual time to live", 0, sleep(duration)).await
    }

    /// `add`; the provider switches when it may; `promote`.
    async fn rotate_in_time(&self, old: &str, new: &str) {
        sleep(Duration::from_secs(self.ttl)).await;
        self.put(&[old, new]);
        sleep(Duration::from_secs(self.ttl) + MARGIN).await;
        self.load.sign_with(new);
        self.put(&[new, old]);
        sleep(Duration::from_secs(2 * self.ttl)).await;
    }

    /// `remove`: says how long after it the removed secret was last of use.
    async fn removed(&self, new: &str, old: &str) -> bool {
        self.put(&[new]);
        let removed = Instant::now();
        let mut last = Duration::ZERO;
        while removed.elapsed() < Duration::from_secs(2 * self.ttl) {
            for function in &self.load.functions {
                let sent = removed.elapsed();
                if outcome(function, &self.load.webhook(old)).await != "refused" {
                    last = last.max(sent);
                }
            }
            sleep(Duration::from_millis(100)).await;
        }
        let is_well = last <= Duration::from_secs(self.ttl) + UNDER_WAY;
        println!(
            "{:8} the removed secret was last of use {:.1} s after it was removed",
            self.provider,
            last.as_secs_f64()
        );
        is_well
    }

    async fn switch_at_once(&self, old: &str, new: &str) {
        self.put(&[old, new]);
        self.load.sign_with(new);
        sleep(Duration::from_secs(3 * self.ttl)).await;
    }

    async fn lose_secrets_manager(&self, duration: Duration) {
        self.target.stores.faults.begin_outage_of(&[Service::SecretsManager], duration);
        sleep(duration).await;
    }

    async fn put_nonsense(&self, duration: Duration) {
        self.target.stores.put_secret(ARN, r#"{"secrets":["#);
        sleep(duration).await;
    }

    /// Does one part, prints what became of what was sent meanwhile, and says whether no more were refused than may be,
    /// nothing else went wrong, and Secrets Manager wasn't called too often.
    async fn part(&self, name: &str, may_be_refused: usize, part: impl Future<Output = ()>) -> bool {
        let counts = self.load.begin_part();
        self.target.stores.take_secret_calls();
        let begun = Instant::now();
        part.await;
        let elapsed = begun.elapsed();
        let calls: Vec<u32> = self.target.stores.take_secret_calls().into_values().collect();
        // What is under way is counted, too.
        self.load.begin_part();
        sleep(UNDER_WAY).await;
        let (genuine, forged) = (counts.genuine.lock().unwrap().clone(), counts.forged.lock().unwrap().clone());
        let of = |counts: &BTreeMap<String, usize>, outcome: &str| counts.get(outcome).copied().unwrap_or_default();
        let sum = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        let (refused, let_in) = (of(&genuine, "refused"), sum(&forged) - of(&forged, "refused"));
        let failed = sum(&genuine) - refused - of(&genuine, "recorded");
        let most_calls = calls.iter().max().copied().unwrap_or_default();
        println!(
            "{:8} {name:24} {:>8} {refused:>8} {failed:>7} {:>9} {let_in:>7} {:>6.1}  {calls:?} by process, at most {:.1} a minute",
            self.provider.as_str(),
            sum(&genuine),
            sum(&forged),
            elapsed.as_secs_f64(),
            f64::from(most_calls) * 60.0 / elapsed.as_secs_f64(),
        );
        let most = elapsed.as_secs() / self.ttl + CALLS_BY_FORGERIES * (elapsed.as_secs() / 60 + 1) + 1;
        let is_seldom = u64::from(most_calls) <= most;
        refused <= may_be_refused && failed == 0 && let_in == 0 && is_seldom && sum(&genuine) > 0 && sum(&forged) > 0
    }

    fn put(&self, secrets: &[&str]) {
        put(&self.target, self.provider, secrets);
    }

    fn secret(&self) -> String {
        secret(&mut self.load.rng.lock().unwrap())
    }
}

impl Load {
    fn signing(&self) -> String {
        self.now.lock().unwrap().0.clone()
    }

    fn sign_with(&self, secret: &str) {
        secret.clone_into(&mut self.now.lock().unwrap().0);
    }

    fn begin_part(&self) -> Arc<Counts> {
        let counts = Arc::<Counts>::default();
        self.now.lock().unwrap().1 = counts.clone();
        counts
    }

    fn genuine(&self) -> Webhook {
        self.webhook(&self.signing())
    }

    /// A webhook that is new each time, proved with a secret.
    fn webhook(&self, secret: &str) -> Webhook {
        let session = self.rng.lock().unwrap().u32(1_000_000..).to_string();
        let at = Timestamp::from_unix(i64::try_from(since_epoch().as_secs()).unwrap() - 1, 0).unwrap();
        let webhook = Webhook::decision(self.provider, &session, Outcome::Approved, at, "1");
        webhook.proved_by(&keys(self.provider, &[secret]))
    }

    async fn send_genuine(self: Arc<Self>) {
        self.clone().send(GENUINE_EVERY, Self::genuine, |counts| &counts.genuine).await;
    }

    async fn send_forged(self: Arc<Self>) {
        let forged = |load: &Self| {
            let guessed = secret(&mut load.rng.lock().unwrap());
            load.webhook(&guessed)
        };
        self.clone().send(FORGED_EVERY, forged, |counts| &counts.forged).await;
    }

    /// Sends a webhook at each tick, to the processes in turn, and counts what becomes of it.
    async fn send(
        self: Arc<Self>,
        every: Duration,
        make: impl Fn(&Self) -> Webhook,
        count: fn(&Counts) -> &Mutex<BTreeMap<String, usize>>,
    ) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut under_way = JoinSet::new();
        for number in 0_usize.. {
            ticks.tick().await;
            let (load, webhook, counts) = (self.clone(), make(&self), self.now.lock().unwrap().1.clone());
            under_way.spawn(async move {
                let outcome = outcome(&load.functions[number % PROCESSES], &webhook).await;
                *count(&counts).lock().unwrap().entry(outcome).or_default() += 1;
            });
            while under_way.try_join_next().is_some() {}
        }
    }
}

/// A secret that nobody guesses.
fn secret(rng: &mut Rng) -> String {
    format!("{:032x}", rng.u128(..))
}

fn put(target: &Target, provider: Provider, secrets: &[&str]) {
    target.stores.put_secret(ARN, &keys(provider, secrets).to_string());
}

/// A provider's credentials, with the list that rotates.
fn keys(provider: Provider, secrets: &[&str]) -> Value {
    match provider {
        Provider::Veriff => json!({"secrets": secrets}),
        Provider::Incode => json!({"headers": {"x-incode-secret": secrets}}),
        Provider::Treezor => json!({"secrets": secrets, "urlTokens": ["6b1f0d8e4a7c92b35e08d1f6c4a97b20"]}),
        Provider::Wultra => {
            let login = |secret: &&str| json!({"username": "wultra", "password": secret});
            json!({"basic": secrets.iter().map(login).collect::<Vec<_>>()})
        }
    }
}

/// The variables of one process, whose calls are known by its access key.
fn by_arn(address: &str, provider: Provider, ttl: u64, process: usize) -> BTreeMap<String, String> {
    let mut variables = variables(address);
    let credentials = format!("{}_CREDENTIALS", provider.as_str().to_uppercase());
    variables.remove(&credentials);
    variables.insert(format!("{credentials}_ARN"), ARN.to_owned());
    variables.insert("SECRET_TTL_SECONDS".to_owned(), ttl.to_string());
    variables.insert("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), format!("http://{address}"));
    variables.insert("AWS_ACCESS_KEY_ID".to_owned(), format!("process-{process}"));
    variables
}
