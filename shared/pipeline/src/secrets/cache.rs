//! A cache of what was made of one secret. It is fetched when the function starts, again once it is older than its time
//! to live, and when something doesn't match it.
//!
//! Everything happens within invocations: Lambda freezes a process between them, and a task of its own with it. A fetch
//! that an invocation doesn't wait for goes on with the next one.

use super::{
    credentials::Unavailable,
    fault::{Fault, Problem},
    report::Report,
    secret::{Secret, Stage, Version},
};
use crate::time::{
    deadline::{Deadline, Elapsed},
    moment::Moment,
};
use futures_util::{
    FutureExt as _,
    future::{Either, LocalBoxFuture, Shared, select},
};
use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    time::Duration,
};
use tokio::time::{Instant, sleep_until, timeout};
use verdict_sessions::Provider;

/// The longest that an answer waits for a fetch beside it.
const GRACE: Duration = Duration::from_millis(100);

/// The longest that a function waits for its first credentials when it starts. The webhook that has made Lambda start it
/// waits, too, and its provider gives up after 5 s in all.
const START_LIMIT: Duration = Duration::from_millis(1500);

/// The longest that an invocation waits for credentials.
const WAIT_LIMIT: Duration = Duration::from_secs(2);

/// The time that is kept back for what comes after: proving and recording a webhook, or putting it on a queue.
const RESERVE: Duration = Duration::from_millis(1800);

/// The pause before the next call while there are no credentials.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// The shortest time between two fetches after mismatches: what forgeries can cause is two calls a minute.
const MISMATCH_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause after a fetch that failed, while there are credentials.
const FAILURE_PAUSE: Duration = Duration::from_secs(30);

/// The reason of which there is no answer to tell.
const NO_ANSWER: &str = "unreachable";

/// The settings of a cache.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// The provider whose credentials they are.
    pub(crate) provider: Provider,
    /// The variable that names the secret.
    pub(crate) variable: &'static str,
    /// The age at which credentials are fetched again.
    pub(crate) ttl: Duration,
}

/// The cache.
pub(super) struct Cache<T> {
    secret: Secret,
    settings: Settings,
    read: Box<Read<T>>,
    held: RefCell<Option<Held<T>>>,
    fetch: RefCell<Option<Fetch>>,
    /// The last fetch that was answered, whether or not the answer can be used.
    answered: Cell<Option<Moment>>,
    /// The last fetch, if it failed.
    failed: Cell<Option<Moment>>,
    /// The last fetch after a mismatch.
    mismatch: Cell<Option<Instant>>,
}

/// Makes something of a secret's text.
type Read<T> = dyn Fn(&str) -> Result<T, Problem>;

/// Credentials that count.
struct Held<T> {
    credentials: Rc<T>,
    /// The version that they were made of.
    version: String,
    /// When Secrets Manager was last asked for them, and gave them.
    confirmed: Moment,
}

/// A fetch that is under way.
struct Fetch {
    begun: Moment,
    answer: Answer,
}

/// Several may wait for one answer.
type Answer = Shared<LocalBoxFuture<'static, Result<Rc<Version>, Fault>>>;

/// The reason for which there are no credentials.
enum Missing {
    /// Secrets Manager doesn't give any.
    Fault(Fault),
    /// What it gives can't be used.
    Problem(Problem),
}

impl Missing {
    const fn code(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.code(),
            Self::Problem(problem) => problem.code,
        }
    }
}

impl<T> Cache<T> {
    pub(super) fn new(secret: Secret, settings: Settings, read: Box<Read<T>>) -> Self {
        Self {
            secret,
            settings,
            read,
            held: RefCell::default(),
            fetch: RefCell::default(),
            answered: Cell::default(),
            failed: Cell::default(),
            mismatch: Cell::default(),
        }
    }

    /// Fetches the first credentials.
    ///
    /// # Errors
    /// The [`Problem`] if neither the current version nor the one before can be used.
    pub(super) async fn start(&self) -> Result<(), Problem> {
        let (reason, problem) = match Deadline::after(START_LIMIT).bound(self.first()).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(Missing::Problem(problem))) => return Err(problem),
            Ok(Err(Missing::Fault(fault))) => (fault.code(), fault.to_string()),
            Err(Elapsed) => (NO_ANSWER, Elapsed.to_string()),
        };
        self.report().not_fetched(reason, &problem);
        Ok(())
    }

    /// Returns the credentials, or waits for the first ones. Those that are much too old are a process's that was idle:
    /// it waits a moment for newer ones.
    ///
    /// # Errors
    /// [`Unavailable`] if there are none in time.
    pub(super) async fn get(&self, deadline: Deadline) -> Result<Rc<T>, Unavailable> {
        if self.is_due() && self.age().is_some_and(|age| age > 2 * self.settings.ttl) {
            let _ = timeout(GRACE, self.refresh()).await;
        }
        if let Some(credentials) = self.held() {
            return Ok(credentials);
        }
        let reason = match by(deadline).bound(self.first()).await {
            Ok(Ok(credentials)) => return Ok(credentials),
            Ok(Err(missing)) => missing.code(),
            Err(Elapsed) => NO_ANSWER,
        };
        self.report().unavailable(reason);
        Err(Unavailable { variable: self.settings.variable, reason })
    }

    /// Returns whether the credentials are due to be fetched again, or are being fetched.
    pub(super) fn is_due(&self) -> bool {
        let is_old = || self.answered.get().is_none_or(|answered| answered.age() >= self.settings.ttl);
        self.held.borrow().is_some() && (self.is_under_way() || (is_old() && !self.has_just_failed()))
    }

    /// Fetches the credentials again beside some work, and waits for that a moment longer.
    pub(super) async fn refresh_beside<R>(&self, work: impl Future<Output = R>) -> R {
        match select(pin!(self.refresh()), pin!(work)).await {
            Either::Left((_, work)) => work.await,
            Either::Right((result, refresh)) => {
                let _ = timeout(GRACE, refresh).await;
                result
            }
        }
    }

    /// Returns whether there are newer credentials, or a fetch may find some.
    pub(super) fn may_find_newer_than(&self, credentials: &Rc<T>) -> bool {
        let is_long_ago = || self.mismatch.get().is_none_or(|last| last.elapsed() >= MISMATCH_PAUSE);
        let may_fetch = || is_long_ago() && !self.has_just_failed();
        self.held_other_than(credentials).is_some() || self.is_under_way() || may_fetch()
    }

    /// Returns newer credentials than those that something didn't match, if there are any, or a fetch finds some in time.
    pub(super) async fn newer_than(&self, credentials: &Rc<T>, deadline: Deadline) -> Option<Rc<T>> {
        if self.held_other_than(credentials).is_none() && self.may_find_newer_than(credentials) {
            if !self.is_under_way() {
                self.mismatch.set(Some(Instant::now()));
            }
            let _ = by(deadline).bound(self.refresh()).await;
        }
        self.held_other_than(credentials)
    }

    /// Fetches until there are credentials, or until it is clear that the next call would fail, too.
    async fn first(&self) -> Result<Rc<T>, Missing> {
        loop {
            if let Some(credentials) = self.held() {
                return Ok(credentials);
            }
            let last = [self.answered.get(), self.failed.get()].into_iter().flatten().map(Moment::monotonic).max();
            if let Some(last) = last {
                sleep_until(last + RETRY_PAUSE).await;
            }
            match self.refresh().await {
                Err(Missing::Problem(problem)) => self.fall_back(problem).await?,
                Err(Missing::Fault(fault)) if !fault.is_transient() => return Err(Missing::Fault(fault)),
                _ => {}
            }
        }
    }

    /// Takes the version before the current one, which has a problem.
    async fn fall_back(&self, current: Problem) -> Result<(), Missing> {
        let begun = Moment::now();
        let previous = match self.secret.version(Stage::Previous).await {
            Ok(version) => self.adopt(&version, begun).map_err(|problem| problem.text),
            Err(fault) if fault.is_not_found() => Err("there is none".to_owned()),
            Err(fault) => return Err(Missing::Fault(fault)),
        };
        previous.map_err(|previous| {
            let text = format!("AWSCURRENT: {}; AWSPREVIOUS: {previous}", current.text);
            Missing::Problem(Problem { text, ..current })
        })
    }

    /// Fetches the current version, or waits for the fetch that is under way. The first that has its answer takes it in.
    async fn refresh(&self) -> Result<(), Missing> {
        let (begun, answer) = self.fetch();
        let fetched = answer.clone().await;
        match self.fetch.borrow_mut().take_if(|fetch| fetch.answer.ptr_eq(&answer)) {
            Some(_) => self.take_in(begun, fetched),
            None => Ok(()),
        }
    }

    fn fetch(&self) -> (Moment, Answer) {
        let current = || self.secret.version(Stage::Current).map(|fetched| fetched.map(Rc::new));
        let begin = || Fetch { begun: Moment::now(), answer: current().boxed_local().shared() };
        let mut fetch = self.fetch.borrow_mut();
        let Fetch { begun, answer } = fetch.get_or_insert_with(begin);
        (*begun, answer.clone())
    }

    fn take_in(&self, begun: Moment, fetched: Result<Rc<Version>, Fault>) -> Result<(), Missing> {
        self.failed.set(fetched.is_err().then_some(begun));
        match fetched {
            Ok(version) => {
                self.answered.set(Some(begun));
                self.adopt(&version, begun).map_err(Missing::Problem)
            }
            Err(fault) => {
                if let Some(age) = self.age() {
                    self.report().stale(&fault, age);
                }
                Err(Missing::Fault(fault))
            }
        }
    }

    /// Makes credentials of a version, unless they are made of it already. If it has a problem, those that count stay.
    fn adopt(&self, version: &Version, begun: Moment) -> Result<(), Problem> {
        if let Some(held) = self.held.borrow_mut().as_mut().filter(|held| held.version == version.id) {
            held.confirmed = begun;
            return Ok(());
        }
        match version.text().and_then(|text| (self.read)(text)) {
            Ok(credentials) => {
                let held = Held { credentials: Rc::new(credentials), version: version.id.clone(), confirmed: begun };
                if self.held.replace(Some(held)).is_some() {
                    self.report().renewed(&version.id);
                }
                Ok(())
            }
            Err(problem) => {
                self.report().invalid(&version.id, &problem);
                Err(problem)
            }
        }
    }

    /// Returns whether the last fetch failed so short a time ago that the next one waits.
    fn has_just_failed(&self) -> bool {
        self.failed.get().is_some_and(|failed| failed.age() < self.settings.ttl.min(FAILURE_PAUSE))
    }

    fn is_under_way(&self) -> bool {
        self.fetch.borrow().is_some()
    }

    fn held(&self) -> Option<Rc<T>> {
        self.held.borrow().as_ref().map(|held| held.credentials.clone())
    }

    fn held_other_than(&self, credentials: &Rc<T>) -> Option<Rc<T>> {
        self.held().filter(|held| !Rc::ptr_eq(held, credentials))
    }

    /// The time since Secrets Manager last gave the credentials that count.
    fn age(&self) -> Option<Duration> {
        self.held.borrow().as_ref().map(|held| held.confirmed.age())
    }

    const fn report(&self) -> Report {
        let Settings { provider, variable, .. } = self.settings;
        Report { provider, variable }
    }
}

/// The time by which a fetch must be done that an invocation waits for.
fn by(deadline: Deadline) -> Deadline {
    deadline.before(RESERVE).min(Deadline::after(WAIT_LIMIT))
}
