//! What a function made of a provider's credentials, wherever they are.

use super::{
    cache::{Cache, Settings},
    fault::Problem,
    secret::Secret,
};
use crate::time::deadline::Deadline;
use std::{fmt, rc::Rc};
use thiserror::Error;

/// What was made of a provider's credentials. Those that are in a secret are fetched again from time to time.
/// Clones are the same credentials.
pub struct Credentials<T>(Place<T>);

enum Place<T> {
    Variable(Rc<T>),
    Secret(Rc<Cache<T>>),
}

impl<T> Clone for Credentials<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Place::Variable(credentials) => Place::Variable(credentials.clone()),
            Place::Secret(cache) => Place::Secret(cache.clone()),
        })
    }
}

/// There are no credentials: their secret could not be fetched since the function started.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the secret that {variable} names can't be fetched: {reason}")]
pub struct Unavailable {
    pub(super) variable: &'static str,
    pub(super) reason: &'static str,
}

impl<T> Credentials<T> {
    /// Credentials that stay as they are.
    pub(crate) fn fixed(credentials: T) -> Self {
        Self(Place::Variable(Rc::new(credentials)))
    }

    /// Credentials in a secret, which `read` reads. Nothing is fetched yet.
    pub(crate) fn in_secret(
        secret: Secret,
        settings: Settings,
        read: impl Fn(&str) -> Result<T, Problem> + 'static,
    ) -> Self {
        Self(Place::Secret(Rc::new(Cache::new(secret, settings, Box::new(read)))))
    }

    /// Fetches the credentials when the function starts. If Secrets Manager can't be reached within a moment, the
    /// function starts without.
    ///
    /// # Errors
    /// The [`Problem`] if no version of the secret can be used.
    pub(crate) async fn start(&self) -> Result<(), Problem> {
        match &self.0 {
            Place::Variable(_) => Ok(()),
            Place::Secret(cache) => cache.start().await,
        }
    }

    /// Returns the credentials. If there are none yet, fetches them, as long as the deadline leaves time for what comes
    /// after.
    ///
    /// # Errors
    /// [`Unavailable`] if they can't be fetched.
    pub async fn get(&self, deadline: Deadline) -> Result<Rc<T>, Unavailable> {
        match &self.0 {
            Place::Variable(credentials) => Ok(credentials.clone()),
            Place::Secret(cache) => cache.get(deadline).await,
        }
    }

    /// Returns credentials that are newer than these, which something didn't match. Fetches them at most twice a minute,
    /// however often that is asked.
    pub async fn newer_than(&self, credentials: &Rc<T>, deadline: Deadline) -> Option<Rc<T>> {
        match &self.0 {
            Place::Variable(_) => None,
            Place::Secret(cache) => cache.newer_than(credentials, deadline).await,
        }
    }

    /// Tries something with the credentials, and after a mismatch once more with newer ones, if there are any.
    ///
    /// # Errors
    /// [`Unavailable`] if there are no credentials.
    pub async fn attempt<I: Clone, R>(
        &self,
        input: I,
        deadline: Deadline,
        attempt: impl Fn(&T, I) -> R,
        is_mismatch: impl Fn(&R) -> bool,
    ) -> Result<R, Unavailable> {
        let credentials = self.get(deadline).await?;
        // The input may have 6 MB: it is copied only if newer credentials may come, and the copy is gone with a match.
        let spare = self.may_find_newer_than(&credentials).then(|| input.clone());
        let result = attempt(&credentials, input);
        let Some(input) = spare.filter(|_| is_mismatch(&result)) else { return Ok(result) };
        match self.newer_than(&credentials, deadline).await {
            Some(newer) => Ok(attempt(&newer, input)),
            None => Ok(result),
        }
    }

    fn may_find_newer_than(&self, credentials: &Rc<T>) -> bool {
        match &self.0 {
            Place::Variable(_) => false,
            Place::Secret(cache) => cache.may_find_newer_than(credentials),
        }
    }

    /// Does work. If the credentials are due to be fetched again, does that beside the work, which it holds up by a
    /// moment at most.
    pub async fn beside<R>(&self, work: impl Future<Output = R>) -> R {
        match &self.0 {
            Place::Secret(cache) if cache.is_due() => cache.refresh_beside(work).await,
            _ => work.await,
        }
    }
}

/// Says nothing of the credentials.
impl<T> fmt::Debug for Credentials<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
