//! A fake of Incode's API: how far sessions are and how they scored, for the poller to ask.

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
#[derive(Clone, Default)]
pub struct FakeIncode {
    /// How the sessions scored that everything is handed in for, by id.
    scores: Rc<RefCell<BTreeMap<String, Outcome>>>,
    mood: Rc<Cell<Mood>>,
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
    /// From now on a session has come to an end there, which only the API tells.
    pub fn close(&self, session: &str, outcome: Outcome) {
        self.scores.borrow_mut().insert(session.to_owned(), outcome);
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
