//! One history: a few sessions, what their providers send of them, and everything that can get in its way, all drawn
//! from one seed; and whether the world ends as the model has it.
//!
//! The calls take random times, so that whatever is under way at once overtakes each other in every way.

use crate::{
    Call, Claim, DynamoDb, Fault, Known, Network, Service, Snapshot, Webhook, World,
    checker::{SentWebhook, Taken, check, is_unconfirmed},
    crash::{frozen, polled},
    model::{Fact, exercised},
    resends::RESENT,
    webhooks::Said,
    world::{DECISIONS, simulate_on},
};
use futures_util::{FutureExt as _, StreamExt as _, future::LocalBoxFuture, stream::FuturesUnordered};
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    ops::AddAssign,
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until};
use verdict_sessions::{CheckOutcome, Outcome, Provider, SessionId, SessionKey, Stage, Timestamp};

/// Longer than a call that nobody waits for any more may take to take effect.
const AFTERMATH: Duration = Duration::from_secs(35);

/// How often the world may go round, a minute each, before it counts as one that never settles.
const ROUNDS: usize = 600;

/// What came of a history.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What is not as it must be, in words.
    pub violations: Vec<String>,
    /// SHA-256 over how it ended: the records, and every notification that was published.
    pub digest: [u8; 32],
    /// What happened in it.
    pub counts: Counts,
    /// What happened in it, step by step.
    pub trace: Vec<String>,
}

/// What happened, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<&'static str, u64>);

impl Counts {
    fn add(&mut self, name: &'static str, count: usize) {
        *self.0.entry(name).or_default() += u64::try_from(count).unwrap();
    }
}

impl AddAssign<&Counts> for Counts {
    fn add_assign(&mut self, other: &Counts) {
        for (name, count) in &other.0 {
            *self.0.entry(name).or_default() += count;
        }
    }
}

/// Lives through the history of a seed. The same seed gives the same history.
#[must_use]
pub fn history(seed: u64) -> History {
    history_on(DynamoDb::with_plain_sessions_table(), seed)
}

/// The same on a table, which should be empty. It makes no difference which.
#[must_use]
pub fn history_on(table: DynamoDb, seed: u64) -> History {
    simulate_on(table, seed, async |world| {
        let run = Run::new(&world, Plan::draw(&world));
        run.live().boxed_local().await;
        run.check()
    })
}

/// What is left on a table when the history of a seed is over.
pub fn after_history<T>(table: DynamoDb, seed: u64, look: impl FnOnce(&World) -> T) -> T {
    simulate_on(table, seed, async |world| {
        Run::new(&world, Plan::draw(&world)).live().boxed_local().await;
        look(&world)
    })
}

/// The seed of one history of many.
#[must_use]
pub fn seed_of(seed: u64, index: u64) -> u64 {
    // The finaliser of SplitMix64: neighbours have nothing in common.
    let mut mixed = seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What is going to happen.
struct Plan {
    webhooks: Vec<Sending>,
    /// How often, of a thousand, a run of a function dies, and how often it is frozen.
    crashes: u32,
    freezes: u32,
    trouble: Trouble,
    /// When sessions are read again, and whether that may withdraw a decision.
    rebuilds: Vec<(Duration, SessionKey, bool)>,
    /// When what was told of a session is sent again, from which sequence on, and how often that is asked for.
    resends: Vec<(Duration, SessionKey, u64, usize)>,
    /// When the base of sequences is raised, and to what.
    bases: Vec<(Duration, u64)>,
    /// Whether Incode's API has to confirm what a webhook decides, and when that is turned round.
    confirms: bool,
    flips: Vec<Duration>,
    /// What Incode comes to know of sessions, and when. Of others nobody there has heard.
    known: Vec<(Duration, String, Known)>,
    /// When the table is copied that is restored when all is over, if it is. All webhooks are sent again then.
    copied_at: Option<Duration>,
}

/// One webhook, and when it is sent: the times of its copies, each of which the provider sends again where it has to.
struct Sending {
    webhook: Webhook,
    at: Vec<Duration>,
    /// When it is sent again after the table was restored.
    again_at: Duration,
}

/// The base of sequences after a restore: above all that a history reaches.
const BASE_AFTER_RESTORE: u64 = 1_000_000;

/// What goes wrong with calls, and until when.
#[derive(Clone)]
struct Trouble {
    /// How often, of a thousand calls.
    faults: u32,
    /// Which.
    kinds: Vec<Fault>,
    outages: Vec<Outage>,
    until: Duration,
}

/// A service that is out altogether.
#[derive(Clone)]
struct Outage {
    service: Service,
    fault: Fault,
    from: Duration,
    until: Duration,
}

fn one_of<T: Copy>(choices: &[T]) -> T {
    choices[fastrand::usize(..choices.len())]
}

/// A random time below `limit`.
fn within(limit: Duration) -> Duration {
    limit.mul_f64(fastrand::f64())
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Plan {
    fn draw(world: &World) -> Self {
        let span = one_of(&[millis(20), seconds(2), seconds(60), seconds(1200)]);
        let is_crowded = fastrand::u8(..CROWDED) == 0;
        let sessions: Vec<(Provider, String)> = if is_crowded {
            vec![(Provider::Treezor, "1001".to_owned())]
        } else {
            (0..one_of(&[1, 1, 2, 3, 4])).map(session).collect()
        };
        let mut webhooks = webhooks(&sessions, span, world.clock.now());
        if is_crowded {
            webhooks.extend(documents("1001", span, world.clock.now()));
        }
        let trouble = Trouble::draw(span);
        world.network.take_time(millis(0)..one_of(&[millis(3), millis(20), millis(200)]));
        // What a full record has dropped depends on the order, and a rebuild may find it again.
        let rebuilds = if is_crowded { 0 } else { one_of(&[0, 0, 0, 0, 1, 2]) };
        let rebuilds = (0..rebuilds).map(|_| (within(span * 2), key(&sessions), fastrand::bool())).collect();
        let mut resends: Vec<_> = (0..one_of(&[0, 0, 1, 2, 3])).map(|_| resend(&sessions, span)).collect();
        resends.sort_unstable_by_key(|(at, ..)| *at);
        let mut bases: Vec<_> =
            (0..one_of(&[0, 0, 0, 1, 2])).map(|_| (within(span * 2), one_of(&[1, 3, 10, 1000]))).collect();
        bases.sort_unstable();
        let copied_at = (fastrand::u8(..6) == 0).then(|| within(span * 2));
        let (crashes, freezes) = (one_of(&[0, 50, 250]), one_of(&[0, 0, 30]));
        let plan = Self {
            webhooks,
            crashes,
            freezes,
            trouble,
            rebuilds,
            resends,
            bases,
            confirms: false,
            flips: Vec::new(),
            known: Vec::new(),
            copied_at,
        };
        let of_incode: Vec<&String> =
            sessions.iter().filter(|(of, _)| *of == Provider::Incode).map(|(_, id)| id).collect();
        if of_incode.is_empty() || fastrand::bool() { plan } else { plan.confirming(&of_incode, span) }
    }

    /// Returns whether every function runs to its end, and every call goes well.
    fn is_calm(&self) -> bool {
        let is_untroubled = self.trouble.faults == 0 && self.trouble.outages.is_empty();
        is_untroubled && self.crashes == 0 && self.freezes == 0 && self.copied_at.is_none()
    }

    /// The same with an API at Incode that is asked, mostly to confirm what webhooks decide.
    fn confirming(self, sessions: &[&String], span: Duration) -> Self {
        let mut flips: Vec<_> = (0..one_of(&[0, 0, 1, 2])).map(|_| within(span * 2)).collect();
        flips.sort_unstable();
        let known = sessions.iter().flat_map(|session| known(session, span)).collect();
        Self { confirms: fastrand::u8(..4) > 0, flips, known, ..self }
    }
}

/// What Incode comes to know of a session: nothing of one in four, which nobody has started; else how it scored in the
/// end.
fn known(session: &str, span: Duration) -> Vec<(Duration, String, Known)> {
    if fastrand::u8(..4) == 0 {
        return Vec::new();
    }
    let outcome = |is_last| {
        if is_last {
            Some(one_of(&[Outcome::Approved, Outcome::Declined]))
        } else {
            one_of(&[None, Some(Outcome::Review), Some(Outcome::Approved)])
        }
    };
    let mut times: Vec<_> = (0..one_of(&[1, 1, 2, 3])).map(|_| within(span * 2)).collect();
    times.sort_unstable();
    let count = times.len();
    let known = |(number, at)| {
        let status = one_of(&["UNKNOWN", "FACE_VALIDATION_FINISHED"]);
        (at, session.to_owned(), Known { status, outcome: outcome(number + 1 == count) })
    };
    times.into_iter().enumerate().map(known).collect()
}

/// One history of so many is of a session with more checks than its record keeps.
const CROWDED: u8 = 150;

/// More documents of one user than a record keeps checks.
fn documents(user: &str, span: Duration, start: Timestamp) -> Vec<Sending> {
    let results = [CheckOutcome::Pending, CheckOutcome::Passed, CheckOutcome::Failed, CheckOutcome::Cancelled];
    let document = |number: usize| {
        let first = within(span);
        let at = start.plus(seconds(fastrand::u64(..20)));
        let webhook = Webhook::document_called(&number.to_string(), user, one_of(&results), Some(at), number);
        Sending { webhook, at: vec![first], again_at: within(span) }
    };
    (1..=fastrand::usize(60..70)).map(document).collect()
}

/// A provider and the id of a session there; one in eight is such that neither queue nor header takes it as it is.
fn session(index: usize) -> (Provider, String) {
    let id = 1001 + index;
    (one_of(&Provider::ALL), if fastrand::u8(..8) == 0 { format!("é/ {id}") } else { id.to_string() })
}

fn key(sessions: &[(Provider, String)]) -> SessionKey {
    let (provider, id) = &sessions[fastrand::usize(..sessions.len())];
    let id = if *provider == Provider::Treezor { format!("user:{id}") } else { id.clone() };
    SessionKey { provider: *provider, session_id: SessionId::new(id).unwrap() }
}

/// A request to send again what was told, at times twice under the same id.
fn resend(sessions: &[(Provider, String)], span: Duration) -> (Duration, SessionKey, u64, usize) {
    (within(span * 2), key(sessions), one_of(&[0, 1, 1, 2, 3]), one_of(&[0, 0, 1, 2]))
}

fn webhooks(sessions: &[(Provider, String)], span: Duration, start: Timestamp) -> Vec<Sending> {
    let mut times = Vec::new();
    let mut sendings: Vec<Sending> = Vec::new();
    for nonce in 0..fastrand::usize(3..=one_of(&[4, 4, 5, 6, 8, 20])) {
        let first = within(span);
        let at = happened(&mut times, start.plus(first));
        let webhook = webhook(sessions, at, nonce);
        if sendings.iter().any(|sending| is_same_fact(&sending.webhook, &webhook)) {
            continue;
        }
        let copies = if webhook.provider == Provider::Wultra { 0 } else { one_of(&[0, 0, 0, 1, 1, 3]) };
        let later = one_of(&[millis(0), millis(30), seconds(60), seconds(7200)]);
        let at = std::iter::once(first).chain((0..copies).map(|_| first + within(later))).collect();
        // One in eight comes only after a restore, if there is one.
        let at = if fastrand::u8(..8) == 0 { Vec::new() } else { at };
        for _ in 0..captures(&webhook) {
            let webhook = captured(&webhook, fastrand::u16(..));
            sendings.push(Sending { webhook, at: vec![first + within(later)], again_at: within(span) });
        }
        sendings.push(Sending { webhook, at, again_at: within(span) });
    }
    sendings
}

/// How often somebody who has captured a webhook sends its payload in an envelope of his own.
fn captures(webhook: &Webhook) -> usize {
    let is_signed_in_part = webhook.provider == Provider::Treezor && !webhook.claims.is_empty();
    if is_signed_in_part { one_of(&[0, 0, 1, 2]) } else { 0 }
}

/// A webhook of Treezor's in another envelope: with another id and time, perhaps under a name that has its payload read
/// another way, and a liveness perhaps under another identification.
fn captured(webhook: &Webhook, nonce: u16) -> Webhook {
    let body: Value = serde_json::from_slice(&webhook.body).unwrap();
    let names: &[&str] = match body["webhook"].as_str() {
        Some("user.kycrequest" | "user.kycreview") => &["user.kycrequest", "user.kycreview"],
        Some("document.update") => &["document.update", "document.create", "document.cancel"],
        _ => &["kycliveness.update", "kycliveness.create"],
    };
    let name = one_of(names);
    let mut members = json!({"webhook": name, "webhook_id": nonce, "new": nonce,
        "webhook_created_at": fastrand::u64(1_781_000_000..1_900_000_000)});
    let mut claims = webhook.claims.clone();
    if name.starts_with("user.") {
        let is_request = name == "user.kycrequest";
        for claim in &mut claims {
            claim.stage = is_request.then_some(Stage::Submitted);
            claim.outcome = if is_request { None } else { outcome_of(&body, &claim.session) };
        }
    }
    if name.starts_with("kycliveness.") && fastrand::bool() {
        let other = one_of(&["9001", "9002"]);
        members["object_id"] = other.into();
        claims[0].session = format!("treezor/identification:{other}");
    }
    Webhook { claims, ..webhook.in_another_envelope(&members) }
}

/// How a user's review is decided by what a payload says.
fn outcome_of(body: &Value, session: &str) -> Option<Outcome> {
    let users = body["object_payload"]["users"].as_array()?;
    let user =
        users.iter().find(|user| user["userId"].as_str().is_some_and(|id| session.ends_with(&format!(":{id}"))))?;
    match user["kycReview"].as_str()? {
        "2" => Some(Outcome::Approved),
        "3" => Some(Outcome::Declined),
        "6" => Some(Outcome::Review),
        _ => None,
    }
}

/// Whether the second would be taken for a copy of the first: the same body; at Treezor, the same but for when it was
/// sent; and at Veriff, which gives no id, the same but for the reason.
fn is_same_fact(one: &Webhook, other: &Webhook) -> bool {
    let plain = |webhook: &Webhook| {
        let claim = webhook.claims.iter().cloned();
        claim.map(|claim| Claim { reason_codes: Vec::new(), check_codes: Vec::new(), ..claim }).collect::<Vec<_>>()
    };
    let signed = |webhook: &Webhook| {
        let body: Value = serde_json::from_slice(&webhook.body).unwrap_or_default();
        (body["webhook"].clone(), body["object_payload"].clone())
    };
    one.body == other.body
        || match (one.provider, other.provider) {
            (Provider::Veriff, Provider::Veriff) => plain(one) == plain(other),
            (Provider::Treezor, Provider::Treezor) => signed(one) == signed(other),
            _ => false,
        }
}

/// When something happened that is told `now`: mostly a little before, at times long ago, ahead of our clock, or just
/// when something else did.
fn happened(times: &mut Vec<Timestamp>, now: Timestamp) -> Timestamp {
    if !times.is_empty() && fastrand::u8(..3) > 0 {
        return one_of(times);
    }
    let ago = one_of(&[0, 0, 10, 20, 3600, 86_400, -60, -7200]);
    let at = Timestamp::from_unix(now.unix_seconds() - ago, 0).unwrap();
    times.push(at);
    at
}

fn webhook(sessions: &[(Provider, String)], at: Timestamp, nonce: usize) -> Webhook {
    let (provider, id) = &sessions[fastrand::usize(..sessions.len())];
    let provider = *provider;
    // Incode's webhooks hold no time: what is no copy differs in the flow.
    let attempt = if provider == Provider::Incode { format!("flow-{nonce}") } else { one_of(&["1", "2", "3"]).into() };
    match fastrand::u8(..100) {
        0..5 => Webhook::unreadable_saying(provider, &format!("nothing-{nonce}")),
        5..60 if provider == Provider::Treezor => treezor(sessions, id, at, nonce),
        5..35 if provider == Provider::Incode => {
            Webhook::authentication(id, one_of(&[None, None, Some(true), Some(false)]), nonce)
        }
        5..30 if provider == Provider::Veriff => {
            let lists: &[&str] = one_of(&[&[], &[], &["sanctions"], &["pep"], &["pep", "sanctions"]]);
            let is_passed = lists.is_empty() && fastrand::bool();
            let outcome = if is_passed { CheckOutcome::Passed } else { CheckOutcome::Flagged };
            Webhook::watchlist(id, outcome, lists, at, &attempt)
        }
        15..45 if provider == Provider::Wultra => {
            Webhook::check(provider, id, one_of(&[CheckOutcome::Passed, CheckOutcome::Failed]), at, &attempt)
        }
        25..45 => {
            let stage = one_of(&[Stage::Started, Stage::Submitted]);
            // Of a session's being finished, Incode's flow is no part: it is one fact.
            let is_finished = provider == Provider::Incode && stage == Stage::Submitted;
            Webhook::progress(provider, id, stage, at, if is_finished { "flow" } else { &attempt })
        }
        _ => {
            let outcome = one_of(Webhook::outcomes(provider));
            let reason = one_of(&[None, Some("102"), Some("106")]).filter(|_| gives_reasons(provider, outcome));
            Webhook::decision_because(reason, provider, id, outcome, at, &attempt)
        }
    }
}

/// What only Treezor says: of several users, of a user's documents, of identifications, and all that with blank times.
fn treezor(sessions: &[(Provider, String)], id: &str, at: Timestamp, nonce: usize) -> Webhook {
    let said = Said {
        at: one_of(&[None, Some(at)]),
        sent: at.plus(one_of(&[seconds(0), seconds(0), seconds(10), seconds(3600)])),
        tag: one_of(&[None, None, Some("tag-1"), Some("tag-2")]),
    };
    let outcome = one_of(Webhook::outcomes(Provider::Treezor));
    match fastrand::u8(..10) {
        0 => {
            let of_treezor = sessions.iter().filter(|(of, _)| *of == Provider::Treezor);
            Webhook::decisions_of_users(&of_treezor.map(|(_, id)| id.as_str()).collect::<Vec<_>>(), outcome, at)
        }
        1 => Webhook::review_requested(id, said),
        2..5 => Webhook::review(id, outcome, said),
        5..8 => {
            let results = [CheckOutcome::Pending, CheckOutcome::Passed, CheckOutcome::Failed, CheckOutcome::Cancelled];
            Webhook::document(id, one_of(&results), said.at, nonce)
        }
        _ => {
            let codes: &[&str] = one_of(&[&[], &["1312"], &["2401"], &["1312", "2401"], &["2401", "1312"]]);
            let is_declined = !codes.is_empty() || fastrand::bool();
            // At times another user's comes under the same identification.
            let user = if fastrand::u8(..4) == 0 { "7" } else { id };
            Webhook::liveness_of(user, id, is_declined, codes, at)
        }
    }
}

/// Whether the provider gives reasons for such a decision.
fn gives_reasons(provider: Provider, outcome: Outcome) -> bool {
    match provider {
        Provider::Veriff => true,
        Provider::Wultra => outcome == Outcome::Failed,
        Provider::Incode | Provider::Treezor => false,
    }
}

impl Trouble {
    fn draw(span: Duration) -> Self {
        let until = span + one_of(&[seconds(5), seconds(120), seconds(5400)]);
        let kinds = if fastrand::bool() { Fault::ALL.to_vec() } else { vec![one_of(&Fault::ALL)] };
        let mut outages = Vec::new();
        for (service, one_in) in [(Service::DynamoDb, 4), (Service::Sqs, 6)] {
            if fastrand::u8(..one_in) == 0 {
                let from = within(span);
                let lasts = one_of(&[seconds(2), seconds(30), seconds(600), seconds(3600)]);
                let fault = one_of(&[
                    Fault::FailBefore,
                    Fault::Throttled,
                    Fault::Stalled,
                    Fault::ServerError,
                    Fault::CredentialsExpired,
                ]);
                outages.push(Outage { service, fault, from, until: from + lasts });
            }
        }
        Self { faults: one_of(&[0, 10, 50, 300]), kinds, outages, until }
    }

    /// When nothing goes wrong any more.
    fn end(&self) -> Duration {
        self.outages.iter().map(|outage| outage.until).chain([self.until]).max().unwrap_or_default()
    }

    /// Lets it begin.
    fn begin(self, network: &Network) {
        let start = Instant::now();
        network.fail(move |call| self.strike(call, start.elapsed()));
    }

    fn strike(&self, call: &Call, now: Duration) -> Option<Fault> {
        let is_out = |outage: &&Outage| outage.service == call.service && (outage.from..outage.until).contains(&now);
        if let Some(outage) = self.outages.iter().find(is_out) {
            return Some(outage.fault);
        }
        let strikes = now < self.until && fastrand::u32(..1000) < self.faults;
        strikes.then(|| one_of(&self.kinds))
    }
}

fn name_of(fault: Fault) -> &'static str {
    match fault {
        Fault::FailBefore => "fault: failed before",
        Fault::AnswerLost => "fault: answer lost",
        Fault::Throttled => "fault: throttled",
        Fault::CancelledByThrottling => "fault: cancelled by throttling",
        Fault::CancelledByConflict => "fault: cancelled by conflict",
        Fault::Stalled => "fault: stalled",
        Fault::StalledApplied => "fault: stalled, applied",
        Fault::AppliedLate => "fault: applied late",
        Fault::CutMidBody => "fault: cut mid body",
        Fault::ServerError => "fault: server error",
        Fault::ServerErrorApplied => "fault: server error, applied",
        Fault::CredentialsExpired => "fault: credentials expired",
        Fault::Invalid => "fault: found invalid",
        Fault::Unprocessed => "fault: processed in part",
    }
}

/// The messages that a history may tell, by type.
const TYPES: [(&str, &str); 2] = [("decisions told", "verdict.decision.v1"), ("checks told", "verdict.check.v1")];

/// How long a provider waits before it sends a webhook again that was not acknowledged, by how often it has done so;
/// `None`: no more.
fn retry_after(provider: Provider, tries: usize) -> Option<Duration> {
    match provider {
        Provider::Veriff => (tries < 7 * 24).then_some(Duration::from_hours(1)),
        Provider::Incode => [30_000, 75_000, 187_500, 468_750, 1_171_880].get(tries).map(|pause| millis(*pause)),
        Provider::Treezor => (tries < 30).then_some(Duration::from_mins(1)),
        Provider::Wultra => None,
    }
}

/// A history while it happens.
struct Run<'w> {
    world: &'w World,
    plan: Plan,
    start: Instant,
    /// Whether the providers have nothing more to send.
    is_over: Cell<bool>,
    /// For each webhook, when its copies arrived, and whether what it decides had to be confirmed then.
    arrivals: RefCell<Vec<BTreeSet<(Timestamp, bool)>>>,
    /// For each webhook, how much there was whenever it was answered with 2xx.
    acknowledged: RefCell<Vec<Vec<Taken>>>,
    /// The copy of the table that is restored in the end, if it is.
    copy: RefCell<Option<Snapshot>>,
    is_restored: Cell<bool>,
    violations: RefCell<Vec<String>>,
    counts: RefCell<Counts>,
    trace: RefCell<Vec<String>>,
}

impl<'w> Run<'w> {
    fn new(world: &'w World, plan: Plan) -> Self {
        let webhooks = plan.webhooks.len();
        Self {
            world,
            plan,
            start: Instant::now(),
            is_over: Cell::new(false),
            arrivals: RefCell::new(vec![BTreeSet::new(); webhooks]),
            acknowledged: RefCell::new(vec![Vec::new(); webhooks]),
            copy: RefCell::default(),
            is_restored: Cell::new(false),
            violations: RefCell::default(),
            counts: RefCell::default(),
            trace: RefCell::default(),
        }
    }

    async fn live(&self) {
        self.plan.trouble.clone().begin(&self.world.network);
        let webhooks = self.plan.webhooks.iter().enumerate();
        let sendings = webhooks.flat_map(|(index, sending)| sending.at.iter().map(move |at| (index, *at)));
        self.world.confirm_decisions(self.plan.confirms);
        let meanwhile = [
            self.rebuild().boxed_local(),
            self.resend().boxed_local(),
            self.raise_bases().boxed_local(),
            self.copy().boxed_local(),
            self.flip().boxed_local(),
            self.learn().boxed_local(),
        ];
        self.go_through(sendings, meanwhile).await;
        if let Some(copy) = self.copy.take() {
            self.tell(|| "the table is restored".to_owned());
            self.count("restores", 1);
            self.world.network.restore(&copy);
            self.is_restored.set(true);
            self.raise_base(BASE_AFTER_RESTORE);
            let now = self.start.elapsed();
            let webhooks = self.plan.webhooks.iter().enumerate();
            self.go_through(webhooks.map(|(index, sending)| (index, now + sending.again_at)), []).await;
        }
    }

    /// Sends webhooks while everything else goes on, until all is quiet.
    async fn go_through<'r>(
        &'r self,
        sendings: impl Iterator<Item = (usize, Duration)> + 'r,
        meanwhile: impl IntoIterator<Item = LocalBoxFuture<'r, ()>>,
    ) {
        self.is_over.set(false);
        let mut sending: FuturesUnordered<_> = sendings.map(|(index, at)| self.send(index, at)).collect();
        let send_all = async move {
            while sending.next().await.is_some() {}
            sleep_until(self.start + self.plan.trouble.end()).await;
            self.is_over.set(true);
        };
        let mut all: FuturesUnordered<LocalBoxFuture<'r, ()>> = meanwhile.into_iter().collect();
        all.push(send_all.boxed_local());
        all.push(self.relay().boxed_local());
        all.push(self.replay().boxed_local());
        all.push(self.replay().boxed_local());
        all.push(self.poll().boxed_local());
        while all.next().await.is_some() {}
        self.world.network.mend();
        self.world.pass(AFTERMATH).await;
        self.settle().await;
    }

    async fn raise_bases(&self) {
        for (at, base) in &self.plan.bases {
            sleep_until(self.start + *at).await;
            self.raise_base(*base);
        }
    }

    fn raise_base(&self, base: u64) {
        self.tell(|| format!("sequences go on above {base}"));
        self.count("bases", 1);
        self.world.raise_base(base);
    }

    async fn flip(&self) {
        for at in &self.plan.flips {
            sleep_until(self.start + *at).await;
            let confirms = !self.world.confirms_decisions();
            self.tell(|| format!("webhooks decide by themselves: {}", !confirms));
            self.count("flips", 1);
            self.world.confirm_decisions(confirms);
        }
    }

    /// What goes on at Incode.
    async fn learn(&self) {
        let mut known: Vec<_> = self.plan.known.iter().collect();
        known.sort_by_key(|(at, ..)| *at);
        for (at, session, known) in known {
            sleep_until(self.start + *at).await;
            self.tell(|| format!("incode/{session} is now {known:?}"));
            self.world.fake_incode.know(session, *known);
        }
    }

    async fn copy(&self) {
        if let Some(at) = self.plan.copied_at {
            sleep_until(self.start + at).await;
            self.tell(|| "the table is copied".to_owned());
            *self.copy.borrow_mut() = Some(self.world.network.snapshot());
        }
    }

    /// Sends a webhook as its provider does: again and again until it is acknowledged or the provider gives up.
    async fn send(&self, index: usize, at: Duration) {
        let webhook = &self.plan.webhooks[index].webhook;
        sleep_until(self.start + at).await;
        for tries in 0.. {
            self.arrivals.borrow_mut()[index].insert((self.world.clock.now(), self.world.confirms_decisions()));
            let answer = self.perhaps(self.world.deliver(webhook).boxed_local()).await;
            let outcome = answer.as_ref().and_then(|answer| answer.header("x-verdict-outcome")).unwrap_or("no answer");
            self.tell(|| format!("webhook {index}: {outcome}"));
            self.count("deliveries", 1);
            let known = ["recorded", "duplicate", "spooled", "quarantined", "failed", "no answer"];
            match known.into_iter().find(|known| *known == outcome) {
                Some(known) => self.count(known, 1),
                None => self.violated(format!("webhook {index} was {outcome}")),
            }
            if answer.is_some_and(|answer| (200..300).contains(&answer.status())) {
                self.acknowledged.borrow_mut()[index].push(Taken::of(&self.world.network));
                return;
            }
            let pause = retry_after(webhook.provider, tries);
            // What is sent again after a restore is sent by hand, until it is there.
            match pause.or_else(|| self.is_restored.get().then_some(seconds(60))) {
                Some(pause) => sleep(pause).await,
                None => break,
            }
        }
        self.count("given up", 1);
    }

    /// The relay's schedule, with two runs at once at times. A run that finds nothing to do is left out mostly.
    async fn relay(&self) {
        let mut looked_at = None;
        sleep(within(seconds(60))).await;
        while !self.is_over.get() {
            let calls = self.world.network.call_count();
            if looked_at != Some(calls) && (fastrand::u8(..16) == 0 || self.is_due()) {
                self.run("relay runs", || self.world.run_relay().boxed_local()).await;
                self.tell(|| "the relay has run".to_owned());
            }
            looked_at = Some(self.world.network.call_count());
            self.pause(seconds(60), seconds(300)).await;
        }
    }

    /// Runs a function, at times twice at once.
    async fn run<'r, R: 'r>(&'r self, runs: &'static str, run: impl Fn() -> LocalBoxFuture<'r, R>) {
        let once = || async { drop(self.perhaps(run()).await) };
        self.count(runs, 1);
        if fastrand::u8(..4) == 0 {
            self.count(runs, 1);
            tokio::join!(once(), once());
        } else {
            once().await;
        }
    }

    /// The poller's schedule, with two runs at once at times.
    async fn poll(&self) {
        if self.plan.known.is_empty() {
            return;
        }
        sleep(within(seconds(60))).await;
        while !self.is_over.get() {
            if self.world.is_poll_due() {
                self.run("poller runs", || self.world.run_poller().boxed_local()).await;
                self.tell(|| "the poller has run".to_owned());
            }
            self.pause(seconds(60), seconds(300)).await;
        }
    }

    fn is_due(&self) -> bool {
        self.world.network.with_dynamodb(DynamoDb::outbox_entries) > 0
    }

    /// The event source mapping of `replay`, of which two are at work.
    async fn replay(&self) {
        while !self.is_over.get() {
            if !self.world.waiting().is_empty() {
                let taken = self.perhaps(self.world.run_replay().boxed_local()).await;
                if taken != Some(0) {
                    self.count("replay runs", 1);
                    self.tell(|| format!("replay has taken {taken:?}"));
                }
            }
            self.pause(seconds(3), seconds(30)).await;
        }
    }

    /// Waits, not so long in the first minutes, when most happens.
    async fn pause(&self, at_first: Duration, later: Duration) {
        sleep(if self.start.elapsed() < seconds(180) { at_first } else { later }).await;
    }

    async fn rebuild(&self) {
        for (at, session, may_withdraw) in &self.plan.rebuilds {
            sleep_until(self.start + *at).await;
            self.tell(|| format!("{session} is to be rebuilt"));
            self.count("rebuilds", 1);
            self.world.request_rebuild_that(session.clone(), *may_withdraw);
        }
    }

    async fn resend(&self) {
        for (number, (at, session, from, named)) in self.plan.resends.iter().enumerate() {
            sleep_until(self.start + *at).await;
            self.tell(|| format!("{session} is to be sent again from {from}"));
            self.count("resends", 1);
            let id = format!("request-{number}");
            for _ in 0..(*named).max(1) {
                self.world.request_resend(session.clone(), *from, (*named > 0).then_some(&id));
            }
        }
    }

    /// A run of a function, which may die or be frozen at any point.
    async fn perhaps<T>(&self, run: LocalBoxFuture<'_, T>) -> Option<T> {
        let at = fastrand::usize(1..40);
        if fastrand::u32(..1000) < self.plan.crashes {
            let done = polled(run, at).await;
            if done.is_none() {
                self.count("crashes", 1);
            }
            done
        } else if fastrand::u32(..1000) < self.plan.freezes {
            let pause = seconds(60) + within(seconds(1200));
            let (done, was_frozen) = frozen(run, at, pause).await;
            self.count("freezes", usize::from(was_frozen));
            Some(done)
        } else {
            Some(run.await)
        }
    }

    /// Lets the schedules run until nothing waits any more.
    async fn settle(&self) {
        for _ in 0..ROUNDS {
            while self.world.run_replay().boxed_local().await > 0 {}
            if self.world.is_settled() {
                return;
            }
            self.world.pass(seconds(60)).await;
            if self.is_due() {
                // A run that fails shows in what is left.
                let _ = self.world.run_relay().boxed_local().await;
            }
            if !self.plan.known.is_empty() && self.world.is_poll_due() {
                let _ = self.world.run_poller().boxed_local().await;
            }
        }
        self.violated("it never settled".to_owned());
    }

    fn check(self) -> History {
        let webhooks = self.plan.webhooks.iter();
        let sent: Vec<SentWebhook<'_>> = webhooks
            .zip(self.arrivals.into_inner())
            .zip(self.acknowledged.into_inner())
            .map(|((sending, arrivals), acknowledged)| SentWebhook {
                webhook: &sending.webhook,
                arrivals,
                acknowledged,
            })
            .collect();
        let (mut violations, digest) = check(self.world, &sent);
        violations.extend(self.violations.into_inner());
        if self.plan.is_calm() {
            violations.extend(self.world.interleaved_resends().iter().map(ToString::to_string));
        }
        let mut counts = self.counts.into_inner();
        counts.add("webhooks", sent.len());
        counts.add("outages", self.plan.trouble.outages.len());
        let calls = self.world.network.calls();
        counts.add("calls", calls.len());
        for fault in calls.iter().filter_map(|call| call.fault) {
            counts.add(name_of(fault), 1);
        }
        counts.add("answers of Incode", self.world.fake_incode.answers().len());
        for record in self.world.records().values() {
            counts.add("unconfirmed", record.events.values().filter(|event| is_unconfirmed(event)).count());
            let facts: Vec<Fact> = record.events.values().map(Fact::of).collect();
            for (name, count) in exercised(&facts) {
                counts.add(name, count);
            }
        }
        let published = self.world.published();
        let notifications = published.iter().map(|event| event["id"].to_string()).collect::<BTreeSet<_>>().len();
        for (name, kind) in TYPES {
            let of_it: BTreeSet<String> =
                published.iter().filter(|event| event["type"] == kind).map(|event| event["id"].to_string()).collect();
            counts.add(name, of_it.len());
        }
        let is_gone = |change: &Value| change["outcome"].is_null();
        let changes = published.iter().flat_map(|event| event["data"]["changes"].as_array().into_iter().flatten());
        counts.add("checks that left a record", changes.filter(|change| is_gone(change)).count());
        counts.add("notifications", notifications);
        let accepted = self.world.network.with_sqs(|sqs| sqs.accepted(DECISIONS));
        let resent = accepted.iter().filter(|message| message.attributes.contains_key(RESENT)).count();
        counts.add("messages sent again", resent);
        counts.add("copies of notifications", published.len() - notifications - resent);
        History { violations, digest, counts, trace: self.trace.into_inner() }
    }

    fn tell(&self, step: impl FnOnce() -> String) {
        let at = self.start.elapsed().as_secs_f64();
        self.trace.borrow_mut().push(format!("{at:>10.3} s  {}", step()));
    }

    fn count(&self, name: &'static str, count: usize) {
        self.counts.borrow_mut().add(name, count);
    }

    fn violated(&self, what: String) {
        self.violations.borrow_mut().push(what);
    }
}
