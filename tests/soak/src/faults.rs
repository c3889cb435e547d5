//! What goes wrong with calls to the stores.

use fastrand::Rng;
use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How late an answer is that is late: beyond the functions' patience with one try, which is a second.
pub(crate) const LATE: Duration = Duration::from_millis(1500);

/// How long a store stays away: long enough that functions give up on it, not so long that providers do.
const OUTAGE: Duration = Duration::from_secs(3);

/// Of so many faults one is a late answer: those cost time.
const LATE_ONES: usize = 40;

/// What can go wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The service fails; nothing happened.
    ServerError,
    /// Too much at once; nothing happened.
    Throttled,
    /// A transaction meets another one, says the service; nothing happened. Other calls are throttled.
    Conflict,
    /// The connection is closed; nothing happened.
    ClosedBefore,
    /// It took effect; then the connection is closed.
    ClosedAfter,
    /// It took effect; the answer is late.
    AnsweredLate,
    /// It takes effect late, when its caller has long tried again.
    AppliedLate,
}

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    DynamoDb,
    Sqs,
    SecretsManager,
}

/// Decides which calls go wrong.
pub(crate) struct Faults {
    rate: f64,
    is_on: AtomicBool,
    injected: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    outage: Option<(&'static [Service], Instant)>,
}

impl Faults {
    /// `rate` is the share of the calls that go wrong.
    pub(crate) fn new(rate: f64, seed: u64) -> Self {
        let state = State { rng: Rng::with_seed(seed), outage: None };
        Self { rate, is_on: AtomicBool::new(true), injected: AtomicUsize::new(0), state: Mutex::new(state) }
    }

    /// What goes wrong with the next call of a service.
    pub(crate) fn next(&self, service: Service) -> Option<Fault> {
        if !self.is_on.load(Ordering::Relaxed) {
            return None;
        }
        let fault = self.state().next(service, self.rate)?;
        self.injected.fetch_add(1, Ordering::Relaxed);
        Some(fault)
    }

    /// From now on, for a moment, these services do nothing.
    pub(crate) fn begin_outage(&self, services: &'static [Service]) {
        self.begin_outage_of(services, OUTAGE);
    }

    /// The same for a time of one's own.
    pub(crate) fn begin_outage_of(&self, services: &'static [Service], time: Duration) {
        self.state().outage = Some((services, Instant::now() + time));
    }

    /// From now on nothing goes wrong.
    pub(crate) fn stop(&self) {
        self.is_on.store(false, Ordering::Relaxed);
    }

    /// How many calls went wrong so far.
    pub(crate) fn injected(&self) -> usize {
        self.injected.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn next(&mut self, service: Service, rate: f64) -> Option<Fault> {
        if let Some((out, until)) = self.outage {
            if Instant::now() >= until {
                self.outage = None;
            } else if out.contains(&service) {
                return Some(Fault::ServerError);
            }
        }
        if self.rng.f64() >= rate {
            return None;
        }
        if self.rng.usize(..LATE_ONES) == 0 {
            return Some(if self.rng.bool() { Fault::AnsweredLate } else { Fault::AppliedLate });
        }
        let quick = [Fault::ServerError, Fault::Throttled, Fault::Conflict, Fault::ClosedBefore, Fault::ClosedAfter];
        self.rng.choice(quick)
    }
}
