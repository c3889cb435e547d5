//! A fake of Incode's API: how far sessions are and how they scored, for the poller to ask.

use crate::Clock;
use serde_json::json;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::pending,
    rc::Rc,
    time::Duration,
};
use tokio::task::yield_now;
use verdict_pipeline::{ApiError, ProviderApi};
use verdict_sessions::{Outcome, SessionId};
use verdict_webhooks::incode::{SCORE_PATH, STATUS_PATH};

/// The API's answers. Clones are the same fake.
#[derive(Clone)]
pub struct FakeIncode {
    clock: Clock,
    /// How the sessions scored that everything is handed in for, by id.
    scores: Rc<RefCell<BTreeMap<String, Outcome>>>,
    /// What else it knows of sessions, by id.
    known: Rc<RefCell<BTreeMap<String, Known>>>,
    /// What it has answered of those.
    answers: Rc<RefCell<Vec<Answered>>>,
    mood: Rc<Cell<Mood>>,
}

/// What it knows of a session: not more than its status, before there is a score.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Incode's word for it.
    pub status: &'static str,
    /// How it scored, if it has.
    pub outcome: Option<Outcome>,
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) path: String,
    pub(crate) session: String,
    pub(crate) body: String,
    /// When that was true.
    pub(crate) at: Duration,
}

/// How it takes questions.
#[derive(Clone, Copy, Default)]
enum Mood {
    #[default]
    Answers,
    /// It says nothing.
    Hangs,
    /// It wants fewer of them, for so long.
    WantsFewer(Duration),
}

impl FakeIncode {
    pub(crate) fn start(clock: Clock) -> Self {
        Self { clock, scores: Rc::default(), known: Rc::default(), answers: Rc::default(), mood: Rc::default() }
    }

    /// From now on a session has come to an end there, which only the API tells.
    pub fn close(&self, session: &str, outcome: Outcome) {
        self.scores.borrow_mut().insert(session.to_owned(), outcome);
    }

    /// From now on it knows this of a session. Whether it is ever asked is up to the functions.
    pub fn know(&self, session: &str, known: Known) {
        self.known.borrow_mut().insert(session.to_owned(), known);
    }

    /// Returns whether it knows of a session how that scored.
    pub(crate) fn has_scored(&self, session: &str) -> bool {
        self.known.borrow().get(session).is_some_and(|known| known.outcome.is_some())
    }

    /// What it has answered, of sessions that it has come to know by `know`.
    pub(crate) fn answers(&self) -> Vec<Answered> {
        self.answers.borrow().clone()
    }

    /// From now on it says nothing.
    pub(crate) fn hang(&self) {
        self.mood.set(Mood::Hangs);
    }

    /// From now on it wants fewer questions, for so long.
    pub(crate) fn want_fewer(&self, pause: Duration) {
        self.mood.set(Mood::WantsFewer(pause));
    }

    /// Whether nothing has come to an end there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scores.borrow().is_empty()
    }
}

impl ProviderApi for FakeIncode {
    /// Somebody else may run before it hears, and once more before its answer is there.
    async fn get(&self, path: &str, session: &SessionId) -> Result<Vec<u8>, ApiError> {
        yield_now().await;
        match self.mood.get() {
            Mood::Answers => {}
            Mood::Hangs => pending().await,
            Mood::WantsFewer(pause) => return Err(ApiError::TooManyRequests { retry_after: Some(pause) }),
        }
        let known = self.known.borrow().get(session.as_str()).copied();
        if let Some(Known { status, outcome }) = known {
            let body = match path {
                STATUS_PATH => json!({"onboardingStatus": status}).to_string(),
                SCORE_PATH => outcome.map_or_else(|| json!({"overall": {"status": "UNKNOWN"}}).to_string(), score),
                other => panic!("nothing is asked at {other}"),
            };
            let (path, session, at) = (path.to_owned(), session.to_string(), self.clock.since_epoch());
            self.answers.borrow_mut().push(Answered { path, session, body: body.clone(), at });
            yield_now().await;
            return Ok(body.into());
        }
        let outcome = self.scores.borrow().get(session.as_str()).copied().ok_or(ApiError::Refused(404))?;
        yield_now().await;
        Ok(match path {
            STATUS_PATH => json!({"onboardingStatus": "ONBOARDING_FINISHED"}).to_string(),
            SCORE_PATH => score(outcome),
            other => panic!("nothing is asked at {other}"),
        }
        .into())
    }
}

/// A score as the API answers it.
pub(crate) fn score(outcome: Outcome) -> String {
    let status = match outcome {
        Outcome::Approved => "OK",
        Outcome::Declined => "FAIL",
        Outcome::Review => "WARN",
        other => panic!("no score claim {other:?}"),
    };
    json!({"overall": {"status": status}}).to_string()
}
