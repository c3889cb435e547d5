//! The fault matrix: every call of every function, gone wrong in every way, for once, for a while and for good.

mod support;

use futures_util::future::join_all;
use std::{fmt, ops::Range, time::Duration};
use support::{Backlog, Case, Consumer, Tally, all_of, backlogs, cases, is_success};
use verdict_sessions::Provider;
use verdict_simulation::{Fault, Lasting, Sent, Webhook, World, failing, simulate};

/// How often, and how, the provider sends a webhook that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deliveries {
    Once,
    /// And again right after.
    Twice,
    /// Twenty times at the same time.
    Many,
}

const LASTING: [Lasting; 3] = [Lasting::Calls(1), Lasting::Calls(3), Lasting::ForGood];

/// How many copies come at the same time.
const COPIES: usize = 20;

/// How long the answers of the concurrent copies take, so that their calls overtake each other.
const LATENCY: Range<Duration> = Duration::from_millis(1)..Duration::from_millis(30);

/// A provider gives up on an answer after five seconds.
const PATIENCE: Duration = Duration::from_secs(4);

/// Longer than any call takes effect after its caller gave up on it.
const AFTER_ALL_IS_LATE: Duration = Duration::from_secs(40);

/// One run, as a failure names it.
struct Run<'c> {
    case: &'c str,
    call: usize,
    fault: Fault,
    lasting: Lasting,
    deliveries: Option<Deliveries>,
}

impl Run<'_> {
    /// Another seed for each call.
    fn seed(&self) -> u64 {
        self.call as u64
    }
}

impl fmt::Display for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, call, fault, lasting, deliveries } = self;
        write!(f, "{case}: call {call}: {fault:?}, {lasting:?}, {deliveries:?}")
    }
}

/// Delivers a webhook and says whether it was acknowledged; what was is durable at that moment, and in time.
async fn delivered(world: &World, webhook: &Webhook) -> bool {
    let began = world.clock.since_epoch();
    let response = world.deliver(webhook).await;
    let took = world.clock.since_epoch() - began;
    assert!(took < PATIENCE, "answered after {took:?}");
    let is_acknowledged = is_success(response.status);
    assert!(!is_acknowledged || world.is_durable(webhook), "acknowledged and nowhere");
    is_acknowledged
}

/// What is sent before, each acknowledged.
async fn prepare(world: &World, case: &Case) {
    for webhook in &case.before {
        assert!(delivered(world, webhook).await);
        world.pass(Duration::from_secs(1)).await;
    }
}

/// Lets what is late take effect, too, and all that waits be worked off.
async fn settle(world: &World) {
    world.line.mend();
    world.pass(AFTER_ALL_IS_LATE).await;
    assert!(world.settle().await, "something waits for ever");
}

/// Has one call go wrong while a webhook is received. Says whether there was such a call.
fn receiver_meets(case: &Case, run: &Run<'_>, deliveries: Deliveries, tally: &mut Tally) -> bool {
    simulate(run.seed(), async |world| {
        prepare(&world, case).await;
        let begin = world.line.call_count();
        world.line.fail(failing(run.call, run.fault, run.lasting));
        let mut is_acknowledged = match deliveries {
            Deliveries::Once | Deliveries::Twice => delivered(&world, &case.webhook).await,
            Deliveries::Many => {
                world.line.take_time(LATENCY);
                let copies = (0..COPIES).map(|_| delivered(&world, &case.webhook));
                join_all(copies).await.contains(&true)
            }
        };
        if world.line.calls()[begin..].iter().all(|call| call.fault.is_none()) {
            return false;
        }
        if deliveries == Deliveries::Twice {
            if run.lasting == Lasting::ForGood {
                world.line.mend();
            }
            is_acknowledged |= delivered(&world, &case.webhook).await;
        }
        world.line.mend();
        // The provider goes on until it is heard; Wultra, and who sends once, does not.
        if !is_acknowledged && deliveries != Deliveries::Once {
            is_acknowledged = delivered(&world, &case.webhook).await;
            assert!(is_acknowledged, "{run}: refused when nothing was the matter any more");
        }
        settle(&world).await;
        let mut sent = Sent { sure: case.before.iter().collect(), ..Sent::default() };
        if is_acknowledged { &mut sent.sure } else { &mut sent.possible }.push(&case.webhook);
        tally.check(run, world.broken_promises(&sent));
        true
    })
}

/// All that can go wrong with any call, by how long.
fn troubles(lasting: &[Lasting]) -> Vec<(Fault, Lasting)> {
    Fault::ALL.iter().flat_map(|fault| lasting.iter().map(|lasting| (*fault, *lasting))).collect()
}

#[test]
fn whatever_goes_wrong_with_any_call_of_a_receiver() {
    let cases = cases();
    let mut work = Vec::new();
    for case in &cases {
        for (fault, lasting) in troubles(&LASTING) {
            work.push((case, fault, lasting, Deliveries::Once));
            // What passes by itself leaves a copy nothing to do.
            if lasting != Lasting::Calls(1) && case.webhook.provider != Provider::Wultra {
                work.push((case, fault, lasting, Deliveries::Twice));
            }
        }
    }
    all_of("faults of receivers' calls", &work, |(case, fault, lasting, deliveries), tally| {
        let meets = |call: &usize| {
            let run =
                Run { case: &case.name, call: *call, fault: *fault, lasting: *lasting, deliveries: Some(*deliveries) };
            receiver_meets(case, &run, *deliveries, tally)
        };
        (0..).take_while(meets).for_each(drop);
    });
}

#[test]
fn whatever_goes_wrong_while_many_copies_arrive_at_once() {
    let cases = cases();
    let cases = cases.iter().filter(|case| {
        ["veriff later decision", "incode decision", "treezor several users"].contains(&case.name.as_str())
    });
    let mut work = Vec::new();
    for case in cases {
        for (fault, lasting) in troubles(&[Lasting::Calls(3), Lasting::ForGood]) {
            work.push((case, fault, lasting));
        }
    }
    all_of("faults among 20 copies at once", &work, |(case, fault, lasting), tally| {
        let meets = |call: &usize| {
            let deliveries = Deliveries::Many;
            let run =
                Run { case: &case.name, call: *call, fault: *fault, lasting: *lasting, deliveries: Some(deliveries) };
            receiver_meets(case, &run, deliveries, tally)
        };
        // Every other round of the copies: their first calls, their third …
        (0..).step_by(2 * COPIES).take_while(meets).for_each(drop);
    });
}

/// Has one call go wrong while the relay or the replay runs. Says whether there was such a call.
fn consumer_meets(backlog: &Backlog, run: &Run<'_>, tally: &mut Tally) -> bool {
    simulate(run.seed(), async |world| {
        backlog.pile_up_in(&world).await;
        let begin = world.line.call_count();
        world.line.fail(failing(run.call, run.fault, run.lasting));
        match backlog.consumer {
            // A run that fails is repeated with the next.
            Consumer::Relay => drop(world.run_relay().await),
            Consumer::Replay => drop(world.run_replay().await),
        }
        if world.line.calls()[begin..].iter().all(|call| call.fault.is_none()) {
            return false;
        }
        settle(&world).await;
        tally.check(run, world.broken_promises(&backlog.sent()));
        true
    })
}

#[test]
fn whatever_goes_wrong_with_any_call_of_relay_and_replay() {
    let backlogs = backlogs();
    let mut work = Vec::new();
    for backlog in &backlogs {
        for (fault, lasting) in troubles(&LASTING) {
            work.push((backlog, fault, lasting));
        }
    }
    all_of("faults of relay's and replay's calls", &work, |(backlog, fault, lasting), tally| {
        let meets = |call: &usize| {
            let run = Run { case: backlog.name, call: *call, fault: *fault, lasting: *lasting, deliveries: None };
            consumer_meets(backlog, &run, tally)
        };
        (0..).take_while(meets).for_each(drop);
    });
}
