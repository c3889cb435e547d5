//! What the crash points and the fault matrix share: the webhooks that they are about, and how they are counted.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]
#![expect(clippy::explicit_write, reason = "what `eprintln!` prints, the test runner keeps to itself")]

use std::{
    collections::BTreeMap,
    fmt::Display,
    io::{Write as _, stderr},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};
use verdict_sessions::{Outcome, Provider, SessionKey, Stage, Timestamp};
use verdict_simulation::{Broken, Clock, Fault, Sent, Service, Webhook, World};

/// Two at a time: more would not be faster on the machines that run this.
const THREADS: usize = 2;

/// A webhook, and what came of its sessions before.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Delivered before, and acknowledged.
    pub(crate) before: Vec<Webhook>,
    pub(crate) webhook: Webhook,
}

/// One webhook of every kind. Two of them meet a session that has been decided before.
pub(crate) fn cases() -> Vec<Case> {
    let clock = minutes_before_the_run;
    let case = |name: &str, before: Vec<Webhook>, webhook| Case { name: name.to_owned(), before, webhook };
    let mut cases = Vec::new();
    for provider in Provider::ALL {
        let progress = Webhook::progress(provider, "1001", Stage::Submitted, clock(9), "attempt-1");
        let decision = Webhook::decision(provider, "1001", Outcome::Approved, clock(3), "attempt-1");
        cases.push(case(&format!("{provider} progress"), vec![], progress.clone()));
        cases.push(case(&format!("{provider} decision"), vec![progress], decision));
        cases.push(case(&format!("{provider} unreadable"), vec![], Webhook::unreadable(provider)));
    }
    let older = Webhook::decision(Provider::Veriff, "1001", Outcome::ResubmissionRequested, clock(8), "attempt-1");
    let newer = Webhook::decision(Provider::Veriff, "1001", Outcome::Approved, clock(2), "attempt-2");
    cases.push(case("veriff later decision", vec![older.clone()], newer.clone()));
    cases.push(case("veriff late decision", vec![newer], older));
    let users = [
        ("1001", Outcome::Declined, clock(4)),
        ("1002", Outcome::Approved, clock(6)),
        ("1002", Outcome::Approved, clock(9)),
        ("1002", Outcome::Declined, clock(5)),
    ];
    let users = Webhook::reviews_of_users(&users, clock(4));
    let review = Webhook::decision(Provider::Treezor, "1002", Outcome::Review, clock(7), "");
    cases.push(case("treezor several reviews of several users", vec![review], users));
    cases
}

/// A time before a run begins.
pub(crate) fn minutes_before_the_run(minutes: u64) -> Timestamp {
    let run = Clock::EPOCH;
    Timestamp::from_unix(i64::try_from(run - minutes * 60).unwrap(), 0).unwrap()
}

/// Whether a provider takes it for done.
pub(crate) fn is_success(status: i64) -> bool {
    (200..300).contains(&status)
}

/// What works off what others left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consumer {
    Relay,
    Replay,
    Poller,
    /// The replay, with requests to send again what was told.
    Resend,
}

impl Consumer {
    /// Has it run once. A run that fails is repeated with the next.
    pub(crate) async fn run_once(self, world: &World) {
        match self {
            Self::Relay => drop(world.run_relay().await),
            Self::Replay | Self::Resend => drop(world.run_replay().await),
            Self::Poller => drop(world.run_poller().await),
        }
    }
}

/// What waits when a consumer starts.
pub(crate) struct Backlog {
    pub(crate) name: &'static str,
    pub(crate) consumer: Consumer,
    webhooks: Vec<Webhook>,
    /// What Incode's API has to tell of sessions besides.
    scores: Vec<(&'static str, Outcome)>,
    /// The same as it is recorded.
    answers: Vec<Webhook>,
    /// Which of Veriff's sessions an operator wants sent again, and from which sequence on.
    resends: Vec<(&'static str, u64)>,
}

impl Backlog {
    fn new(
        name: &'static str,
        consumer: Consumer,
        webhooks: Vec<Webhook>,
        scores: Vec<(&'static str, Outcome)>,
    ) -> Self {
        let answers = scores.iter().map(|(session, outcome)| Webhook::score(session, *outcome)).collect();
        Self { name, consumer, webhooks, scores, answers, resends: Vec::new() }
    }

    fn resending(self, resends: Vec<(&'static str, u64)>) -> Self {
        Self { resends, ..self }
    }

    /// Has the webhooks delivered while the service that would take them further refuses, and waits until the consumer
    /// takes them on.
    pub(crate) async fn pile_up_in(&self, world: &World) {
        let refusing = match self.consumer {
            Consumer::Relay => Some(Service::Sqs),
            Consumer::Replay => Some(Service::DynamoDb),
            Consumer::Poller | Consumer::Resend => None,
        };
        world.network.fail(move |call| (Some(call.service) == refusing).then_some(Fault::CredentialsExpired));
        for webhook in &self.webhooks {
            assert!(is_success(world.deliver(webhook).await.status()));
            world.pass(Duration::from_secs(1)).await;
        }
        for (session, outcome) in &self.scores {
            world.fake_incode.close(session, *outcome);
        }
        world.network.mend();
        world.pass(Duration::from_secs(15)).await;
        for (session, from) in &self.resends {
            world.request_resend(SessionKey::named("veriff", session).unwrap(), *from, None);
        }
    }

    /// All was acknowledged, and all that is asked for is told.
    pub(crate) fn sent(&self) -> Sent<'_> {
        Sent { sure: self.webhooks.iter().chain(&self.answers).collect(), ..Sent::default() }
    }
}

/// The notifications of two sessions, two of one of them; the webhooks of the same, all on intake; two sessions that
/// have finished, and wait for their score; what was told of sessions, and two requests for one of them.
pub(crate) fn backlogs() -> [Backlog; 4] {
    let decision = |provider, outcome, minute| {
        Webhook::decision(provider, "1001", outcome, minutes_before_the_run(minute), "attempt-1")
    };
    let webhooks = vec![
        decision(Provider::Veriff, Outcome::Review, 5),
        decision(Provider::Veriff, Outcome::Approved, 4),
        decision(Provider::Incode, Outcome::Review, 3),
    ];
    let finished = ["1001", "1002"].map(|session| {
        Webhook::progress(Provider::Incode, session, Stage::Submitted, minutes_before_the_run(5), "flow")
    });
    let scores = vec![("1001", Outcome::Approved), ("1002", Outcome::Declined)];
    [
        Backlog::new("relay", Consumer::Relay, webhooks.clone(), vec![]),
        Backlog::new("replay", Consumer::Replay, webhooks.clone(), vec![]),
        Backlog::new("poller", Consumer::Poller, finished.into(), scores),
        Backlog::new("resend", Consumer::Resend, webhooks, vec![]).resending(vec![("1001", 1), ("1001", 2)]),
    ]
}

/// What many runs came to.
#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<&'static str, usize>,
    /// Which run broke what.
    broken: Vec<(String, Broken)>,
}

impl Tally {
    pub(crate) fn count(&mut self, what: &'static str, times: usize) {
        *self.counts.entry(what).or_default() += times;
    }

    pub(crate) fn check(&mut self, run: impl Display, broken: Vec<Broken>) {
        self.count("runs", 1);
        self.broken.extend(broken.into_iter().map(|broken| (run.to_string(), broken)));
    }

    fn merge(&mut self, other: Self) {
        for (what, times) in other.counts {
            self.count(what, times);
        }
        self.broken.extend(other.broken);
    }

    fn broken_as(&self, is_so: impl Fn(&Broken) -> bool) -> usize {
        self.broken.iter().filter(|(_, broken)| is_so(broken)).count()
    }

    /// Prints the counts, past the test harness, which would show them only of a test that fails; then fails for a
    /// promise that was not kept.
    pub(crate) fn conclude(self, title: &str, took: Duration) {
        let counts: Vec<String> = self.counts.iter().map(|(what, times)| format!("{times} {what}")).collect();
        writeln!(
            stderr(),
            "{title}: {}: lost {}, doubled {}, backwards {}, half {}, stranded {} ({:.0} s)",
            counts.join(", "),
            self.broken_as(|broken| matches!(broken, Broken::Lost(_))),
            self.broken_as(|broken| matches!(broken, Broken::Doubled(_))),
            self.broken_as(|broken| matches!(broken, Broken::Backwards(_))),
            self.broken_as(|broken| matches!(broken, Broken::Half(_))),
            self.broken_as(|broken| matches!(broken, Broken::Stranded(_))),
            took.as_secs_f64(),
        )
        .unwrap();
        let shown: Vec<String> = self.broken.iter().take(20).map(|(run, broken)| format!("{run}: {broken}")).collect();
        assert!(shown.is_empty(), "{} promises broken, such as\n{}", self.broken.len(), shown.join("\n"));
    }
}

/// Does all the work, two pieces at a time, and adds up what it came to.
pub(crate) fn all_of<W: Sync>(title: &str, work: &[W], one: impl Fn(&W, &mut Tally) + Sync) {
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut tally = Tally::default();
        while let Some(piece) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            one(piece, &mut tally);
        }
        tally
    };
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            tally.merge(worker.join().unwrap());
        }
    });
    tally.conclude(title, started.elapsed());
}
