//! The fault matrix: every call of every function, gone wrong in every way, for once, for a while and for good.

use crate::support::{Backlog, Case, Tally, all_of, backlogs, cases, is_success, minutes_before_the_run};
use futures_util::future::join_all;
use std::{fmt, mem, ops::Range, time::Duration};
use tokio::time::Instant;
use verdict_sessions::{Outcome, Provider, Stage};
use verdict_simulation::{Call, DynamoDb, Fault, Lasting, Sent, Service, Webhook, World, failing, simulate_on};

/// How often, and how, the provider sends a webhook that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deliveries {
    Once,
    /// And again right after.
    Twice,
}

const LASTING: [Lasting; 3] = [Lasting::Calls(1), Lasting::Calls(3), Lasting::ForGood];

/// How many webhooks come at the same time.
const CROWD: usize = 20;

/// How long each way of a call takes when many come at the same time, so that their calls overtake each other.
const LATENCY: Range<Duration> = Duration::from_millis(1)..Duration::from_millis(30);

/// A provider gives up on an answer after five seconds.
const PATIENCE: Duration = Duration::from_secs(4);

/// About a third of the time that a run of replay has: what one of three messages may take.
const SHARE: Duration = Duration::from_secs(8);

/// Longer than any call takes effect after its caller gave up on it.
const AFTER_ALL_IS_LATE: Duration = Duration::from_secs(40);

/// A world on the plain table: there are thousands of them here.
fn simulated<T>(seed: u64, run: impl AsyncFnOnce(World) -> T) -> T {
    simulate_on(DynamoDb::with_plain_sessions_table(), seed, run)
}

/// One run, as a failure names it.
struct Run<'c> {
    case: &'c str,
    trouble: Trouble,
    deliveries: Option<Deliveries>,
}

impl Run<'_> {
    /// Another seed for each call.
    fn seed(&self) -> u64 {
        self.trouble.call as u64
    }
}

impl fmt::Display for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, trouble: Trouble { call, fault, lasting }, deliveries } = self;
        write!(f, "{case}: call {call}: {fault:?}, {lasting:?}")?;
        deliveries.map_or(Ok(()), |deliveries| write!(f, ", delivered {deliveries:?}"))
    }
}

/// Delivers a webhook and says whether it was acknowledged; what was is durable at that moment, and in time.
async fn delivered(world: &World, webhook: &Webhook) -> bool {
    let began = world.clock.since_epoch();
    let response = world.deliver(webhook).await;
    let took = world.clock.since_epoch().saturating_sub(began);
    assert!(took < PATIENCE, "answered after {took:?}");
    let is_acknowledged = is_success(response.status());
    assert!(!is_acknowledged || world.is_durable(webhook), "acknowledged and nowhere");
    is_acknowledged
}

/// Sends what comes before, each acknowledged.
async fn prepare(world: &World, case: &Case) {
    for webhook in &case.before {
        assert!(delivered(world, webhook).await);
        world.pass(Duration::from_secs(1)).await;
    }
}

/// Lets what is late take effect, too, and all that waits be worked off.
async fn settle(world: &World) {
    world.network.mend();
    world.pass(AFTER_ALL_IS_LATE).await;
    assert!(world.settle().await, "something waits for ever");
}

/// A way for one call to go wrong.
#[derive(Clone, Copy)]
struct Trouble {
    call: usize,
    fault: Fault,
    lasting: Lasting,
}

/// Every way for some calls to go wrong, by the operations that they are for.
fn troubles(operations: &[String], lasting: &[Lasting]) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for (call, operation) in operations.iter().enumerate() {
        for fault in Fault::ALL {
            if fault.concerns(operation) {
                troubles.extend(lasting.iter().map(|lasting| Trouble { call, fault, lasting: *lasting }));
            }
        }
    }
    troubles
}

/// The operations that a function calls when nothing is the matter.
fn operations_of(run: impl AsyncFnOnce(&World) -> usize) -> Vec<String> {
    simulated(0, async |world| {
        let begin = run(&world).await;
        world.network.calls().split_off(begin).into_iter().map(|call| call.operation).collect()
    })
}

fn operations_of_receiver(case: &Case) -> Vec<String> {
    operations_of(async |world| {
        prepare(world, case).await;
        let begin = world.network.call_count();
        delivered(world, &case.webhook).await;
        begin
    })
}

/// Has a call go wrong while a webhook is received.
fn receiver_meets(case: &Case, trouble: Trouble, deliveries: Deliveries, tally: &mut Tally) {
    let run = Run { case: &case.name, trouble, deliveries: Some(deliveries) };
    simulated(run.seed(), async |world| {
        prepare(&world, case).await;
        world.network.fail(failing(trouble.call, trouble.fault, trouble.lasting));
        let mut is_acknowledged = delivered(&world, &case.webhook).await;
        if deliveries == Deliveries::Twice {
            if trouble.lasting == Lasting::ForGood {
                world.network.mend();
            }
            is_acknowledged |= delivered(&world, &case.webhook).await;
        }
        world.network.mend();
        // A provider that sends twice goes on until it is heard.
        if !is_acknowledged && deliveries == Deliveries::Twice {
            is_acknowledged = delivered(&world, &case.webhook).await;
            assert!(is_acknowledged, "{run}: refused when nothing was the matter any more");
        }
        settle(&world).await;
        let mut sent = Sent { sure: case.before.iter().collect(), ..Sent::default() };
        if is_acknowledged { &mut sent.sure } else { &mut sent.possible }.push(&case.webhook);
        tally.check(run, world.broken_promises(&sent));
    });
}

#[test]
fn whatever_goes_wrong_with_any_call_of_a_receiver() {
    let cases = cases();
    let mut work = Vec::new();
    for case in &cases {
        for trouble in troubles(&operations_of_receiver(case), &LASTING) {
            work.push((case, trouble, Deliveries::Once));
            // What passes by itself leaves a copy nothing to do; Wultra sends nothing twice.
            if trouble.lasting != Lasting::Calls(1) && case.webhook.provider != Provider::Wultra {
                work.push((case, trouble, Deliveries::Twice));
            }
        }
    }
    all_of("faults of receivers' calls", &work, |(case, trouble, deliveries), tally| {
        receiver_meets(case, *trouble, *deliveries, tally);
    });
}

/// Webhooks that come at the same time: copies of one, and all that is ever said of a session, twice.
fn crowds() -> [(&'static str, Vec<Webhook>); 3] {
    let copies = |webhook: Webhook| vec![webhook; CROWD];
    let mut session = Vec::new();
    for (attempt, minute) in [("attempt-1", 20), ("attempt-2", 10)] {
        let (veriff, at) = (Provider::Veriff, minutes_before_the_run);
        for stage in [Stage::Started, Stage::Submitted] {
            session.push(Webhook::progress(veriff, "1001", stage, at(minute), attempt));
        }
        for (outcome, later) in [(Outcome::Review, 1), (Outcome::Approved, 2), (Outcome::Declined, 3)] {
            session.push(Webhook::decision(veriff, "1001", outcome, at(minute - later), attempt));
        }
    }
    let users = ["1001", "1002", "1003"];
    [
        (
            "copies of a decision",
            copies(Webhook::decision(Provider::Incode, "1001", Outcome::Approved, minutes_before_the_run(1), "")),
        ),
        (
            "copies for several users",
            copies(Webhook::decisions_of_users(&users, Outcome::Declined, minutes_before_the_run(1))),
        ),
        ("a whole session", [session.clone(), session].concat()),
    ]
}

/// Delivers all at the same time, and says of each whether it was acknowledged.
async fn crowd_in(world: &World, crowd: &[Webhook]) -> Vec<bool> {
    world.network.take_time(LATENCY);
    join_all(crowd.iter().map(|webhook| delivered(world, webhook))).await
}

/// Has a call go wrong while many webhooks come at the same time.
fn crowd_meets(name: &str, crowd: &[Webhook], trouble: Trouble, tally: &mut Tally) {
    let run = Run { case: name, trouble, deliveries: None };
    simulated(run.seed(), async |world| {
        world.network.fail(failing(trouble.call, trouble.fault, trouble.lasting));
        let acknowledged = crowd_in(&world, crowd).await;
        world.network.mend();
        for (webhook, is_acknowledged) in crowd.iter().zip(acknowledged) {
            assert!(is_acknowledged || delivered(&world, webhook).await, "{run}: refused when nothing was the matter");
        }
        settle(&world).await;
        let sent = Sent { sure: crowd.iter().collect(), ..Sent::default() };
        tally.check(run, world.broken_promises(&sent));
    });
}

#[test]
fn whatever_goes_wrong_while_many_webhooks_arrive_at_once() {
    let crowds = crowds();
    let mut work = Vec::new();
    for (name, crowd) in &crowds {
        let operations = operations_of(async |world| {
            crowd_in(world, crowd).await;
            0
        });
        let troubles = troubles(&operations, &[Lasting::Calls(3), Lasting::ForGood]);
        // One call of every other round.
        let troubles = troubles.into_iter().filter(|trouble| trouble.call % (2 * CROWD) == 0);
        work.extend(troubles.map(|trouble| (name, crowd, trouble)));
    }
    all_of("faults among 20 webhooks at once", &work, |(name, crowd, trouble), tally| {
        crowd_meets(name, crowd, *trouble, tally);
    });
}

fn operations_of_consumer(backlog: &Backlog) -> Vec<String> {
    operations_of(async |world| {
        backlog.pile_up_in(world).await;
        let begin = world.network.call_count();
        backlog.consumer.run_once(world).await;
        begin
    })
}

/// Has a call go wrong while the relay, the replay or the poller runs.
fn consumer_meets(backlog: &Backlog, trouble: Trouble, tally: &mut Tally) {
    let run = Run { case: backlog.name, trouble, deliveries: None };
    simulated(run.seed(), async |world| {
        backlog.pile_up_in(&world).await;
        world.network.fail(failing(trouble.call, trouble.fault, trouble.lasting));
        backlog.consumer.run_once(&world).await;
        settle(&world).await;
        let mut broken = world.broken_promises(&backlog.sent());
        broken.extend(world.interleaved_resends());
        tally.check(run, broken);
    });
}

#[test]
fn whatever_goes_wrong_with_any_call_of_relay_replay_and_poller() {
    let backlogs = backlogs();
    let mut work = Vec::new();
    for backlog in &backlogs {
        let troubles = troubles(&operations_of_consumer(backlog), &LASTING);
        work.extend(troubles.into_iter().map(|trouble| (backlog, trouble)));
    }
    all_of("faults of relay's, replay's and poller's calls", &work, |(backlog, trouble), tally| {
        consumer_meets(backlog, *trouble, tally);
    });
}

/// How many of the three messages of a batch are still there after the replay has met this.
async fn left_by(world: &World, backlog: &Backlog, plan: impl FnMut(&Call) -> Option<Fault> + Send + 'static) -> usize {
    backlog.pile_up_in(world).await;
    world.network.fail(plan);
    backlog.consumer.run_once(world).await;
    let left = world.waiting().len();
    settle(world).await;
    assert_eq!(world.broken_promises(&backlog.sent()), []);
    left
}

/// What the table finds fault with in one of them says nothing of the others, which are recorded in the same run; what
/// concerns all has the rest of the batch put off untried.
#[test]
fn a_message_that_the_table_finds_fault_with_holds_up_itself_alone() {
    let [_, backlog, ..] = backlogs();
    let operations = operations_of_consumer(&backlog);
    let first_transaction = operations.iter().position(|operation| operation == "TransactWriteItems").unwrap();
    for (fault, left) in [(Fault::Invalid, 1), (Fault::CredentialsExpired, 3)] {
        simulated(1, async |world| {
            let plan = failing(first_transaction, fault, Lasting::Calls(1));
            assert_eq!(left_by(&world, &backlog, plan).await, left, "{fault:?}");
        });
    }
}

/// The first message takes all the time that it has: since others write its session all the time, or since the table
/// says nothing.
#[test]
fn a_message_whose_session_is_in_demand_holds_up_itself_alone() {
    let [_, backlog, ..] = backlogs();
    for (fault, left) in [(Fault::CancelledByConflict, 1), (Fault::Stalled, 3)] {
        simulated(1, async |world| {
            let mut first = None;
            let plan = move |call: &Call| {
                let now = Instant::now();
                let is_early = call.operation == "TransactWriteItems" && now < *first.get_or_insert(now) + SHARE;
                is_early.then_some(fault)
            };
            assert_eq!(left_by(&world, &backlog, plan).await, left, "{fault:?}");
        });
    }
}

/// A webhook that speaks of so many users.
fn approval_of(users: usize) -> Webhook {
    let users: Vec<String> = (0..users).map(|user| user.to_string()).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    Webhook::decisions_of_users(&users, Outcome::Approved, minutes_before_the_run(1))
}

/// Each way of a call takes ten milliseconds here: one after the other they would take a quarter of a minute, and be put
/// off for ever.
#[test]
fn a_webhook_that_speaks_of_hundreds_is_recorded_at_once() {
    let webhook = approval_of(300);
    simulated(1, async |world| {
        world.network.take_time(Duration::from_millis(10)..Duration::from_millis(11));
        let answer = world.deliver(&webhook).await;
        assert_eq!((answer.status(), answer.header("x-verdict-outcome")), (200, Some("recorded")));
        assert_eq!(answer.header("x-verdict-session"), Some("treezor/user:0"));
        settle(&world).await;
        assert_eq!(world.broken_promises(&Sent { sure: vec![&webhook], ..Sent::default() }), []);
    });
}

/// The table finds fault with what it should write of one user. The webhook waits for that, and the others don't: more of
/// them than are recorded at a time.
#[test]
fn a_session_that_the_table_finds_fault_with_holds_up_no_other_of_its_webhook() {
    let webhook = approval_of(40);
    simulated(1, async |world| {
        let mut is_first = true;
        world.network.fail(move |call| {
            (call.operation == "TransactWriteItems" && mem::take(&mut is_first)).then_some(Fault::Invalid)
        });
        let answer = world.deliver(&webhook).await;
        assert_eq!(answer.header("x-verdict-outcome"), Some("spooled"));
        assert_eq!(world.records().len(), 39);
        settle(&world).await;
        assert_eq!(world.broken_promises(&Sent { sure: vec![&webhook], ..Sent::default() }), []);
    });
}

/// The poller records through the same code as the receivers, so that publishing has the same limit. Without one, it would
/// take as long as all of the SDK's tries.
#[test]
fn a_queue_that_stalls_holds_up_a_poll_no_longer_than_a_webhook() {
    let [_, _, backlog, _] = backlogs();
    let seconds = simulated(1, async |world| {
        backlog.pile_up_in(&world).await;
        world.network.fail(|call| (call.service == Service::Sqs).then_some(Fault::Stalled));
        let began = world.clock.since_epoch();
        world.run_poller().await.unwrap();
        let took = world.clock.since_epoch().saturating_sub(began);
        assert_eq!(world.published(), [""; 0]);
        settle(&world).await;
        assert_eq!(world.broken_promises(&backlog.sent()), []);
        took.as_secs()
    });
    assert_eq!(seconds, 1);
}
