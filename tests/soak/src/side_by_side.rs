//! Two releases side by side on one table and one set of queues, as during a deployment; then a rollback, in which
//! only the older one runs; then today's alone.
//!
//! Webhooks of all providers go to the receivers of both, some of a session at the same time. The relays of both run,
//! and processes are killed right after they wrote an outbox entry, or right after SQS took its message. In the end
//! every message must have come, in order, and none that was on record as told when a phase began may have been sent
//! again.

mod heard;
mod mischief;
mod release;
mod story;

use crate::{
    faults::Faults,
    http,
    sender::event,
    soak::{Settings, variables},
    stores::{DECISIONS, INTAKE, Message, Stores},
};
use heard::Heard;
use mischief::Mischief;
use release::Release;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use story::Story;
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};
use verdict_simulation::Webhook;

/// The names of the releases.
const BEFORE: &str = "before";
const TODAY: &str = "today";

/// The number of stories that go on at the same time.
const MAX_CONCURRENT_STORIES: usize = 16;

/// The pause between two runs of a relay, in the place of a minute.
const RELAY_EVERY: Duration = Duration::from_secs(1);

/// The tries that a provider gives a webhook, at the most.
const TRIES: usize = 6;

/// The pause between two tries.
const RETRY_PAUSE: Duration = Duration::from_millis(300);

/// The time in which an outbox must become empty once no webhook comes: the relay leaves an entry to its function for
/// ten seconds.
const SETTLED_WITHIN: Duration = Duration::from_mins(1);

/// Both releases, and what they share.
pub(crate) struct SideBySide {
    stores: Arc<Stores>,
    mischief: Arc<Mischief>,
    address: String,
    settings: Settings,
    before: PathBuf,
    stories: Vec<Story>,
    heard: Mutex<Heard>,
    /// Webhooks that were acknowledged.
    acknowledged: Mutex<Vec<Webhook>>,
    sent: AtomicUsize,
}

impl SideBySide {
    /// Runs, tells how it went in one line, and says whether it went well.
    pub(crate) async fn run(settings: Settings, before: PathBuf) -> bool {
        let stores = Arc::new(Stores::new(Faults::new(0.0, settings.seed)));
        let mischief = Arc::new(Mischief::new(stores.clone(), settings.seed));
        let (listener, address) = http::listen().await;
        let answering = {
            let mischief = mischief.clone();
            tokio::spawn(http::serve(listener, move |request| mischief.clone().answer(request)))
        };
        let side_by_side = Arc::new(Self {
            stories: Story::tell_all(settings.seed, settings.webhooks),
            stores,
            mischief,
            address,
            settings,
            before,
            heard: Mutex::default(),
            acknowledged: Mutex::default(),
            sent: AtomicUsize::new(0),
        });
        let is_well = side_by_side.live_through().await;
        answering.abort();
        is_well
    }

    async fn live_through(self: &Arc<Self>) -> bool {
        let (before, today) = (self.before.clone(), self.settings.binaries.clone());
        self.phase(0, &[(BEFORE, &before), (TODAY, &today)], None).await;
        let left_behind = self.stores.table().outbox_entries();
        let after_rollback = self.phase(1, &[(BEFORE, &before)], Some(SETTLED_WITHIN)).await;
        let in_the_end = self.phase(2, &[(TODAY, &today)], Some(SETTLED_WITHIN)).await;
        self.report(left_behind, after_rollback + in_the_end)
    }

    /// Has these releases run while one part of every story is told. Returns how many outbox entries are left, if it
    /// waits for the outbox to become empty.
    async fn phase(
        self: &Arc<Self>,
        part: usize,
        releases: &[(&'static str, &Path)],
        settled: Option<Duration>,
    ) -> usize {
        self.mischief.begin(self.told());
        let start = |(name, binaries): &(&'static str, &Path)| {
            let release = Release::start(name, binaries, &variables(&self.address), self.settings.logs.as_ref());
            self.mischief.know(&release);
            Arc::new(release)
        };
        let releases: Vec<_> = releases.iter().map(start).collect();
        let mut background: JoinSet<()> =
            releases.iter().map(|release| self.clone().keep_going(release.clone())).collect();
        self.tell(part, &releases).await;
        let left = match settled {
            Some(within) => self.settle(within).await,
            None => 0,
        };
        // What a relay is at work on ends before the release does: the next phase begins with nothing under way.
        for release in &releases {
            release.stop();
        }
        while background.join_next().await.is_some() {}
        self.consume();
        left
    }

    /// Tells one part of every story.
    async fn tell(self: &Arc<Self>, part: usize, releases: &[Arc<Release>]) {
        let places = Arc::new(Semaphore::new(MAX_CONCURRENT_STORIES));
        let mut tellers = JoinSet::new();
        for number in 0..self.stories.len() {
            let place = places.clone().acquire_owned().await.unwrap();
            let (side_by_side, releases) = (self.clone(), releases.to_vec());
            tellers.spawn(async move {
                side_by_side.tell_one(number, part, &releases).await;
                drop(place);
            });
        }
        while let Some(ended) = tellers.join_next().await {
            ended.expect("telling a story does not fail");
        }
    }

    async fn tell_one(&self, number: usize, part: usize, releases: &[Arc<Release>]) {
        let story = &self.stories[number];
        let webhooks = story.part(part);
        // Alternately, beginning with either.
        let deliver =
            |(place, webhook): (usize, _)| self.deliver(webhook, &releases[(number + place) % releases.len()]);
        let deliveries = webhooks.iter().enumerate().map(deliver);
        if story.is_at_once(part) {
            futures_util::future::join_all(deliveries).await;
        } else {
            for delivery in deliveries {
                delivery.await;
            }
        }
    }

    async fn deliver(&self, webhook: &Webhook, release: &Release) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        for _ in 0..TRIES {
            if let Ok(answer) = release.receive(&webhook.path, event(webhook)).await {
                let answer: Value = serde_json::from_slice(&answer).unwrap();
                if answer["statusCode"] == 200 {
                    self.acknowledged.lock().unwrap().push(webhook.clone());
                    return;
                }
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    /// The schedule of a release's relay, and the event source of its replay.
    async fn keep_going(self: Arc<Self>, release: Arc<Release>) {
        let mut relayed = Instant::now();
        while !release.is_stopped() {
            sleep(Duration::from_millis(50)).await;
            self.consume();
            self.feed(&release).await;
            if relayed.elapsed() > RELAY_EVERY {
                relayed = Instant::now();
                // A relay that is killed leaves its work to the next run.
                let _ = release.relay().await;
            }
        }
    }

    async fn feed(&self, release: &Release) {
        let messages = self.stores.receive(INTAKE);
        if messages.is_empty() {
            return;
        }
        let records: Vec<Value> = messages.iter().map(Message::record).collect();
        let Ok(answer) = release.replay(json!({"Records": records}).to_string()).await else { return };
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let failures = answer["batchItemFailures"].as_array().expect("a batch is answered in this form");
        let stay: BTreeSet<_> = failures.iter().map(|failure| text(&failure["itemIdentifier"])).collect();
        for message in messages.iter().filter(|message| !stay.contains(message.id())) {
            self.stores.delete(INTAKE, &message.receipt);
        }
    }

    /// Waits until the outbox is empty, and returns how many entries are left in it.
    async fn settle(&self, within: Duration) -> usize {
        let begun = Instant::now();
        loop {
            let left = self.stores.table().outbox_entries() + self.stores.held(INTAKE).len();
            if left == 0 || begun.elapsed() > within {
                return left;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// What there is on the decisions queue.
    fn consume(&self) {
        loop {
            let messages = self.stores.receive(DECISIONS);
            if messages.is_empty() {
                return;
            }
            for message in messages {
                self.heard.lock().unwrap().take(&message.body);
                self.stores.delete(DECISIONS, &message.receipt);
            }
        }
    }

    /// The ids of the notifications that are on record as told.
    fn told(&self) -> BTreeSet<String> {
        let items = self.stores.written().into_iter().flat_map(|pk| self.stores.table().items_of(&pk));
        items
            .filter(|item| text(&item["sk"]).starts_with("TOLD#"))
            .map(|item| heard::id(&item["notification"]))
            .collect()
    }

    fn report(&self, left_behind: usize, stuck: usize) -> bool {
        let heard = self.heard.lock().unwrap();
        let records: BTreeMap<_, _> =
            self.stores.written().into_iter().map(|pk| (pk.clone(), self.record(&pk))).collect();
        let lost = self.webhooks_lost() + records.values().map(|record| heard.missing(record)).sum::<usize>();
        let wrong = records.values().filter(|record| !heard.is_right(record)).count();
        let Mischief { kills, sends, .. } = &*self.mischief;
        let sends = sends.lock().unwrap();
        println!(
            "side by side: webhooks {} (acknowledged {}), sessions {}, messages {}, sent by the release before {}, by \
             today's {}, left in the outbox at the rollback {left_behind}, in the history {}, kills {}; lost {lost}, out \
             of order {}, wrong {wrong}, stuck {stuck}, resent from history {}, copies {}",
            self.sent.load(Ordering::Relaxed),
            self.acknowledged.lock().unwrap().len(),
            records.len(),
            heard.messages(),
            sends.by(BEFORE),
            sends.by(TODAY),
            self.told().len(),
            kills.load(Ordering::Relaxed),
            heard.out_of_order,
            sends.from_history,
            sends.copies,
        );
        lost + heard.out_of_order + wrong + stuck + sends.from_history == 0
    }

    /// The webhooks that were acknowledged, and that the table doesn't have.
    fn webhooks_lost(&self) -> usize {
        let acknowledged = self.acknowledged.lock().unwrap();
        let is_lost = |webhook: &&Webhook| webhook.claims.iter().any(|claim| !self.has(&claim.session, webhook));
        acknowledged.iter().filter(is_lost).count()
    }

    fn has(&self, session: &str, webhook: &Webhook) -> bool {
        let body: Value = serde_json::from_slice(&webhook.body).unwrap();
        let is_it = |payload: &str| serde_json::from_str::<Value>(payload).is_ok_and(|payload| payload == body);
        let items = self.stores.table().items_of(&format!("SESSION#{session}"));
        items.iter().any(|item| item.get("payload").is_some_and(|payload| is_it(text(payload))))
    }

    /// A session's record.
    fn record(&self, pk: &str) -> Value {
        let items = self.stores.table().items_of(pk);
        let state = items.into_iter().find(|item| item["sk"] == "STATE");
        state.map(|state| state["session"].clone()).unwrap_or_default()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
