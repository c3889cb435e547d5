//! Every function, ended at every point where it waits.
//!
//! A function's future is polled so and so often and then dropped, as a process that dies there, for every number of
//! polls until it ends by itself. Calls let others run before they take effect and once more before their answer is
//! there, so that no two points fall together. After that the provider sends its webhook again, or it does not, and
//! the schedule goes on.

use crate::support::{Backlog, Case, Tally, all_of, backlogs, cases, is_success};
use std::{fmt, time::Duration};
use verdict_sessions::Provider;
use verdict_simulation::{Fault, Sent, Service, World, polled, simulate};

/// What is the matter while a function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    Fair,
    /// The table is out of reach, so that webhooks go to intake.
    NoTable,
    /// SQS is out of reach, so that nothing is published.
    NoQueues,
}

impl Weather {
    const ALL: [Self; 3] = [Self::Fair, Self::NoTable, Self::NoQueues];

    fn set_in(self, world: &World) {
        let service = match self {
            Self::Fair => return world.network.mend(),
            Self::NoTable => Service::DynamoDb,
            Self::NoQueues => Service::Sqs,
        };
        world.network.fail(move |call| (call.service == service).then_some(Fault::FailBefore));
    }
}

/// More often than any function is polled before it ends.
const MOST_POLLS: usize = 10_000;

/// What happens after the function has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// The provider sends the webhook again.
    Redelivered,
    /// Nobody does.
    Forgotten,
}

/// One run, as a failure names it.
struct Run<'c> {
    case: &'c str,
    weather: Weather,
    after: After,
    polls: usize,
}

impl fmt::Display for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?}, {:?}) dead at poll {}", self.case, self.weather, self.after, self.polls)
    }
}

/// Ends a receiver at poll `polls`. Says whether it was done by then.
fn receiver_dies(case: &Case, weather: Weather, after: After, polls: usize, tally: &mut Tally) -> bool {
    simulate(polls as u64, async |world| {
        for webhook in &case.before {
            assert!(is_success(world.deliver(webhook).await.status()));
            world.pass(Duration::from_secs(1)).await;
        }
        weather.set_in(&world);
        let answered = polled(world.deliver(&case.webhook), polls).await;
        let is_acknowledged = answered.as_ref().is_some_and(|response| is_success(response.status()));
        if is_acknowledged {
            assert!(world.is_durable(&case.webhook), "{}: acknowledged and nowhere", case.name);
        }
        world.pass(Duration::from_secs(1)).await;
        world.network.mend();
        if after == After::Redelivered {
            assert!(is_success(world.deliver(&case.webhook).await.status()), "{}: sent again", case.name);
        }
        assert!(world.settle().await, "{}: something waits for ever", case.name);
        let mut sent = Sent { sure: case.before.iter().collect(), ..Sent::default() };
        if is_acknowledged || after == After::Redelivered {
            sent.sure.push(&case.webhook);
        } else {
            sent.possible.push(&case.webhook);
        }
        tally.check(Run { case: &case.name, weather, after, polls }, world.broken_promises(&sent));
        answered.is_some()
    })
}

#[test]
fn a_receiver_that_dies_anywhere_loses_doubles_and_reverses_nothing() {
    let mut work = Vec::new();
    let cases = cases();
    for case in &cases {
        for weather in Weather::ALL {
            for after in [After::Redelivered, After::Forgotten] {
                // Wultra sends nothing twice.
                if after == After::Forgotten || case.webhook.provider != Provider::Wultra {
                    work.push((case, weather, after));
                }
            }
        }
    }
    all_of("crash points of receivers", &work, |(case, weather, after), tally| {
        let points = (1..MOST_POLLS).find(|polls| receiver_dies(case, *weather, *after, *polls, tally)).unwrap();
        tally.count("points", points);
    });
}

/// Ends the relay, the replay or the poller at poll `polls`. Says whether it was done by then.
fn consumer_dies(backlog: &Backlog, weather: Weather, polls: usize, tally: &mut Tally) -> bool {
    simulate(polls as u64, async |world| {
        backlog.pile_up_in(&world).await;
        weather.set_in(&world);
        let is_done = polled(backlog.consumer.run_once(&world), polls).await.is_some();
        world.pass(Duration::from_secs(1)).await;
        world.network.mend();
        assert!(world.settle().await, "{}: something waits for ever", backlog.name);
        let run = Run { case: backlog.name, weather, after: After::Forgotten, polls };
        let mut broken = world.broken_promises(&backlog.sent());
        broken.extend(world.interleaved_resends());
        tally.check(run, broken);
        is_done
    })
}

#[test]
fn a_relay_replay_or_poller_that_dies_anywhere_loses_doubles_and_reverses_nothing() {
    let backlogs = backlogs();
    let mut work = Vec::new();
    for backlog in &backlogs {
        work.extend(Weather::ALL.map(|weather| (backlog, weather)));
    }
    all_of("crash points of relay, replay and poller", &work, |(backlog, weather), tally| {
        let points = (1..MOST_POLLS).find(|polls| consumer_dies(backlog, *weather, *polls, tally)).unwrap();
        tally.count("points", points);
    });
}
