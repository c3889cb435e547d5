//! How an event folds into a session.
//!
//! Every member of the record is a maximum or a minimum over the set of events, so applying the same
//! events in any order gives an equal record. What is left out of that equality is what tells of the
//! order itself: `version`, `notifications` and the arrival times.

use crate::{
    AttemptId, Notification, Outcome, Rank, Ranked, ReasonCode, Session, SessionEvent, Stage,
    session::{Attempt, AttemptDecision},
};
use std::collections::BTreeMap;
use thiserror::Error;

/// How many checks a session keeps: the latest. Enough for every provider's own, and a bound on the record's size.
const CHECKS_KEPT: usize = 64;

/// How many attempts a session keeps: the youngest. Providers allow about ten; the bound is there so
/// that no stream of events can grow the record past what DynamoDB stores. It is the one exception to
/// the rule above: an attempt that was dropped is forgotten, so that its next event makes it young again.
const ATTEMPTS_KEPT: usize = 512;

/// What applying one event gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The record after the event.
    pub session: Session,
    /// The notification to publish, if the decision changed.
    pub notification: Option<Notification>,
}

/// Why a record can't be rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum NotRebuilt {
    /// Nothing to make it of.
    #[error("the session has no events")]
    NoEvents,
    /// A decision that was notified would be gone, and no notification can say so.
    #[error("the decision would be withdrawn, which no notification can say")]
    DecisionWithdrawn,
}

impl Session {
    /// Folds one event into the record; `before` is `None` for the first event of a session.
    ///
    /// The caller sees to it that an event is applied once: a copy would be counted again in `events`.
    #[must_use]
    pub fn apply(before: Option<&Self>, event: &SessionEvent) -> Applied {
        let mut session = before.cloned().unwrap_or_else(|| Self::empty(event));
        session.fold(event);

        let previous = before.and_then(decided);
        let notification = (decided(&session) != previous).then(|| {
            session.notifications += 1;
            Notification::of(&session, before.and_then(Self::standing_outcome))
        });
        Applied { notification: notification.flatten(), session }
    }

    /// The record that its events make when all of them are folded anew, say after a reader was corrected; `None`
    /// if that is the record as it is.
    ///
    /// `version` and `notifications` go on from the record, for they count what has happened. Where the decision
    /// changes, what to tell the world says that it is a correction.
    ///
    /// # Errors
    /// [`NotRebuilt`] if there is no record to put in its place.
    pub fn rebuild(&self, events: &[SessionEvent]) -> Result<Option<Applied>, NotRebuilt> {
        // By arrival: what little of a record depends on the order then depends on it as before.
        let mut events: Vec<_> = events.iter().collect();
        events.sort_by(|a, b| (a.received_at, &a.event_id).cmp(&(b.received_at, &b.event_id)));
        let first = events.first().ok_or(NotRebuilt::NoEvents)?;
        let mut session = Self::empty(first);
        for event in &events {
            session.fold(event);
        }
        session.version = self.version;
        session.notifications = self.notifications;
        if session == *self {
            return Ok(None);
        }
        session.version += 1;
        let previous = decided(self);
        if decided(&session) == previous {
            return Ok(Some(Applied { session, notification: None }));
        }
        session.notifications += 1;
        let notification = Notification::of(&session, self.standing_outcome());
        let notification = notification.ok_or(NotRebuilt::DecisionWithdrawn)?;
        Ok(Some(Applied { session, notification: Some(Notification { correction: true, ..notification }) }))
    }

    fn empty(event: &SessionEvent) -> Self {
        Self {
            key: event.session.clone(),
            kind: event.kind,
            reference: None,
            provider_user_id: None,
            decision: None,
            attempts: Vec::new(),
            checks: BTreeMap::new(),
            events: 0,
            notifications: 0,
            version: 0,
            first_event_at: event.received_at,
            last_event_at: event.received_at,
        }
    }

    fn fold(&mut self, event: &SessionEvent) {
        let rank = Rank {
            at: event.effective_at(),
            emitted_at: event.effectively_emitted_at(),
            is_final: event.decision.as_ref().is_some_and(|decision| decision.outcome.is_final()),
            event_id: event.event_id.clone(),
        };

        if event.stage.is_some() || event.decision.is_some() {
            self.fold_attempt(event.attempt_id.as_ref(), &rank, event.stage.unwrap_or_default());
        }
        if let Some(decision) = &event.decision {
            let value = AttemptDecision { decision: decision.clone(), attempt_id: event.attempt_id.clone() };
            keep_greater(&mut self.decision, value, &rank);
        }
        if let Some(reference) = &event.subject.reference {
            keep_greater(&mut self.reference, reference.clone(), &rank);
        }
        if let Some(user) = &event.subject.provider_user_id {
            keep_greater(&mut self.provider_user_id, user.clone(), &rank);
        }
        for (name, check) in &event.checks {
            let mut kept = self.checks.remove(name);
            keep_greater(&mut kept, check.clone(), &rank);
            self.checks.extend(kept.map(|kept| (name.clone(), kept)));
        }
        drop_oldest_checks(&mut self.checks);

        self.events += 1;
        self.version += 1;
        self.first_event_at = self.first_event_at.min(event.received_at);
        self.last_event_at = self.last_event_at.max(event.received_at);
    }

    fn fold_attempt(&mut self, id: Option<&AttemptId>, rank: &Rank, stage: Stage) {
        match self.attempts.iter_mut().find(|attempt| attempt.id.as_ref() == id) {
            Some(attempt) => {
                attempt.since = attempt.since.min(rank.at);
                attempt.stage = attempt.stage.max(stage);
            }
            None => self.attempts.push(Attempt { id: id.cloned(), since: rank.at, stage }),
        }
        // Sorted, so that records are equal as they stand, whatever the order of arrival.
        self.attempts.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        self.attempts.drain(..self.attempts.len().saturating_sub(ATTEMPTS_KEPT));
    }
}

/// What a consumer would act on: a change of any of these is worth a notification.
fn decided(session: &Session) -> Option<(Outcome, Option<&ReasonCode>, Option<&AttemptId>)> {
    let AttemptDecision { decision, attempt_id } = &session.decision.as_ref()?.value;
    Some((decision.outcome, decision.reason_code.as_ref(), attempt_id.as_ref()))
}

fn keep_greater<T>(kept: &mut Option<Ranked<T>>, value: T, rank: &Rank) {
    if kept.as_ref().is_none_or(|kept| kept.rank < *rank) {
        *kept = Some(Ranked { value, rank: rank.clone() });
    }
}

fn drop_oldest_checks<T>(checks: &mut BTreeMap<String, Ranked<T>>) {
    while checks.len() > CHECKS_KEPT {
        let oldest = checks.iter().min_by_key(|(name, check)| (&check.rank, *name)).map(|(name, _)| name.clone());
        oldest.and_then(|name| checks.remove(&name));
    }
}
