//! Folding events into a session.
//!
//! Every member of the record is a maximum or a minimum over the set of events, so applying the same
//! events in any order gives an equal record. What is left out of that equality is what tells of the
//! order itself: `version`, `notifications`, `status_since` and the arrival times.

use crate::{
    AttemptId, Check, CheckChange, Decision, Detail, Notification, Rank, Ranked, RankedCheck, SequenceBase, Session,
    SessionEvent, Stage, Timestamp,
    session::{Attempt, AttemptDecision},
};
use std::collections::BTreeMap;
use thiserror::Error;

/// The number of checks that a session keeps: the latest. Enough for every provider's own, and a bound on the record's
/// size.
const CHECKS_KEPT: usize = 64;

/// The number of attempts that a session keeps: the youngest. Providers allow about ten; the bound is there so
/// that no stream of events can grow the record past what DynamoDB stores. It is the one exception to
/// the rule above: an attempt that was dropped is forgotten, so that its next event makes it young again.
const ATTEMPTS_KEPT: usize = 512;

/// The most bytes that the codes and details of all checks take together. With those of the decision, for which the rest
/// of 64 KB is left, they then fit in what DynamoDB stores, whatever else is in the record.
const DETAILS_KEPT: usize = 60 * 1024;

/// The result of applying one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The record after the event.
    pub session: Session,
    /// The notification to publish, if the decision changed, or a check of a session that is decided.
    pub notification: Option<Notification>,
}

/// The result of folding all events of a session anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refolded {
    /// The record as it is.
    Same,
    /// The record as it is. Only `status_since` was missing.
    Indexed(Box<Session>),
    /// Another record.
    Changed(Box<Applied>),
}

/// The permission of a rebuild to withdraw a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// The rebuild is refused if it would.
    Refused,
    /// It may, and does so at this time.
    At(Timestamp),
}

/// A reason why a record can't be rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum NotRebuilt {
    /// Nothing to make it of.
    #[error("the session has no events")]
    NoEvents,
    /// A decision that was notified would be gone.
    #[error("the decision would be withdrawn, which has to be asked for")]
    DecisionWithdrawn,
}

impl Session {
    /// Folds one event into the record; `before` is `None` for the first event of a session.
    ///
    /// One event makes at most one notification: of the decision if that changed; else of checks that changed, if a
    /// final decision stands.
    ///
    /// The caller sees to it that an event is applied once: a copy would be counted again in `events`.
    #[must_use]
    pub fn apply(before: Option<&Self>, event: &SessionEvent, base: SequenceBase) -> Applied {
        let mut session = before.map_or_else(|| Self::empty(event), Self::without_user_id_as_reference);
        session.fold(event);
        session.status_since = Some(session.status_since_after(before, event));

        let changes = if is_news(before.and_then(decided), decided(&session)) {
            Some(Vec::new())
        } else {
            let none = BTreeMap::new();
            let checks = before.map_or(&none, |before| &before.checks);
            session.told_of(|| CheckChange::between(checks, &session.checks))
        };
        let notification = changes.map(|changes| session.notify(before, base, changes, event.received_at));
        Applied { session, notification }
    }

    /// The record that its events make when all of them are folded anew, say after a reader was corrected.
    ///
    /// `version` and `notifications` go on from the record, for they count what has happened. Where the decision
    /// changes, or the outcome of a check of a session that is decided, what to tell the world says that it is a
    /// correction. What was only added, reasons or checks, is no change: the earlier reader didn't read it.
    ///
    /// # Errors
    /// [`NotRebuilt`] if there is no record to put in its place.
    pub fn rebuild(
        &self,
        events: &[SessionEvent],
        base: SequenceBase,
        withdrawal: Withdrawal,
    ) -> Result<Refolded, NotRebuilt> {
        let mut session = Self::folded_by_arrival(events).ok_or(NotRebuilt::NoEvents)?;
        session.version = self.version;
        session.notifications = self.notifications;
        let is_status_known = self.status_since.is_some() && session.status() == self.status();
        session.status_since = if is_status_known { self.status_since } else { session.status_since };
        let before = Self { status_since: session.status_since, ..self.without_user_id_as_reference() };
        if session == before {
            return Ok(if self.status_since.is_some() { Refolded::Same } else { Refolded::Indexed(Box::new(before)) });
        }
        session.version += 1;
        let changes = if is_correction(decided(self), decided(&session)) {
            Some(Vec::new())
        } else {
            session.told_of(|| CheckChange::corrections(&self.checks, &session.checks))
        };
        let now = match (changes.is_some() && session.decision.is_none(), withdrawal) {
            (true, Withdrawal::Refused) => return Err(NotRebuilt::DecisionWithdrawn),
            (_, Withdrawal::At(now)) => now,
            (false, Withdrawal::Refused) => session.last_event_at,
        };
        let notification =
            changes.map(|changes| Notification { correction: true, ..session.notify(Some(self), base, changes, now) });
        Ok(Refolded::Changed(Box::new(Applied { session, notification })))
    }

    /// The record that `self` is, with the time since which it has its status, from its recorded events. `None` without
    /// events.
    #[must_use]
    pub fn indexed(&self, events: &[SessionEvent]) -> Option<Self> {
        let status_since = Self::folded_by_arrival(events)?.status_since;
        Some(Self { status_since, ..self.clone() })
    }

    /// Folds events by their arrival: what little of a record depends on the order then depends on it as it did when
    /// they came.
    fn folded_by_arrival(events: &[SessionEvent]) -> Option<Self> {
        let mut events: Vec<_> = events.iter().collect();
        events.sort_by(|a, b| (a.received_at, &a.event_id).cmp(&(b.received_at, &b.event_id)));
        let mut session = Self::empty(events.first()?);
        let mut status = None;
        for event in &events {
            session.fold(event);
            if status.replace(session.status()) != Some(session.status()) {
                session.status_since = Some(event.received_at);
            }
        }
        Some(session)
    }

    /// The time since which the record has its status, after an event.
    fn status_since_after(&self, before: Option<&Self>, event: &SessionEvent) -> Timestamp {
        match before {
            // If it isn't known when the status was entered, it was not later than the last event.
            Some(before) if before.status() == self.status() => before.status_since.unwrap_or(before.last_event_at),
            _ => event.received_at,
        }
    }

    /// Changes of checks, if they are worth a notification: a final decision stands.
    fn told_of(&self, changes: impl FnOnce() -> Vec<CheckChange>) -> Option<Vec<CheckChange>> {
        self.has_final_decision().then(changes).filter(|changes| !changes.is_empty())
    }

    /// Takes the next sequence, and makes the notification of the standing state and of the checks that changed.
    fn notify(
        &mut self,
        before: Option<&Self>,
        base: SequenceBase,
        changes: Vec<CheckChange>,
        now: Timestamp,
    ) -> Notification {
        self.notifications = base.after(self.notifications);
        let notification = Notification::of(self, before.and_then(Self::standing_outcome));
        let withdrawn_at = self.decision.is_none().then_some(now);
        Notification { changes, withdrawn_at, ..notification }.bounded()
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
            status_since: None,
            has_several_users: false,
        }
    }

    /// The record without a reference that only repeats the provider's name for the person: release 0.1 folded that in.
    fn without_user_id_as_reference(&self) -> Self {
        let is_user_id = self.key.provider.user_id_stands_in() && self.reference == self.provider_user_id;
        Self { reference: self.reference.clone().filter(|_| !is_user_id), ..self.clone() }
    }

    fn fold(&mut self, event: &SessionEvent) {
        let rank = Rank {
            at: event.effective_at(),
            emitted_at: event.effectively_emitted_at(),
            is_final: event.decision.as_ref().is_some_and(|decision| decision.outcome.is_final()),
            event_id: event.event_id.clone(),
        };

        self.has_several_users |= self.is_of_another_user_than(event);
        if event.stage.is_some() || event.decision.is_some() {
            self.fold_attempt(event.attempt_id.as_ref(), event.shown_at(), event.stage.unwrap_or_default());
        }
        if let Some(decision) = &event.decision {
            self.fold_decision(decision, event, &rank);
        }
        if let Some(reference) = event.told_reference() {
            keep_greater(&mut self.reference, reference.clone(), &rank);
        }
        if let Some(user) = &event.subject.provider_user_id {
            keep_greater(&mut self.provider_user_id, user.clone(), &rank);
        }
        for (name, check) in &event.checks {
            self.fold_check(name, check, event, &rank);
        }
        if self.has_several_users {
            self.decision = None;
        }
        drop_oldest_checks(&mut self.checks);
        cut_oldest_checks(&mut self.checks);

        self.events += 1;
        self.version += 1;
        self.first_event_at = self.first_event_at.min(event.received_at);
        self.last_event_at = self.last_event_at.max(event.received_at);
    }

    /// Returns whether an event of an identification names another user than the events before. Once one does, no user
    /// is identified, in whatever order they came.
    fn is_of_another_user_than(&self, event: &SessionEvent) -> bool {
        let known = self.provider_user_id.as_ref().map(|user| &user.value);
        event.identified_user().zip(known).is_some_and(|(user, known)| user != known)
    }

    fn fold_decision(&mut self, decision: &Decision, event: &SessionEvent, rank: &Rank) {
        let shown_at = decision.decided_at.map_or(event.shown_at(), |at| at.min(event.received_at));
        let decision = Decision { decided_at: unless_same(shown_at, rank.at), ..decision.clone() };
        let value = AttemptDecision { decision, attempt_id: event.attempt_id.clone() };
        let decided = Ranked { value, rank: rank.clone() };
        if self.decision.as_ref().is_none_or(|kept| kept.order() < decided.order()) {
            self.decision = Some(decided);
        }
    }

    fn fold_check(&mut self, name: &str, check: &Check, event: &SessionEvent, rank: &Rank) {
        let value = Check { reason: check.reason.as_deref().map(shortened), ..check.clone() };
        let shown_at = unless_same(event.shown_at(), rank.at);
        let told = RankedCheck { value, rank: rank.clone(), shown_at, is_cut: false, largest: None };
        let kept = self.checks.remove(name);
        let room = kept.as_ref().map_or(0, RankedCheck::room).max(told.room());
        let latest = match kept {
            Some(kept) if kept.order() > told.order() => kept,
            _ => told,
        };
        let largest = Some(room).filter(|room| *room > latest.value.detail_size());
        self.checks.insert(name.to_owned(), RankedCheck { largest, ..latest });
    }

    fn fold_attempt(&mut self, id: Option<&AttemptId>, at: Timestamp, stage: Stage) {
        match self.attempts.iter_mut().find(|attempt| attempt.id.as_ref() == id) {
            Some(attempt) => {
                attempt.since = attempt.since.min(at);
                attempt.stage = attempt.stage.max(stage);
            }
            None => self.attempts.push(Attempt { id: id.cloned(), since: at, stage }),
        }
        // Sorted, so that records are equal as they stand, whatever the order of arrival.
        self.attempts.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        self.attempts.drain(..self.attempts.len().saturating_sub(ATTEMPTS_KEPT));
    }
}

/// The decision that stands, with the attempt that it decides.
fn decided(session: &Session) -> Option<&AttemptDecision> {
    session.decision.as_ref().map(|decided| &decided.value)
}

/// Returns whether a consumer would act on the change: on another outcome, another attempt or other reasons. Reasons for a
/// decision that had none are none.
fn is_news(before: Option<&AttemptDecision>, after: Option<&AttemptDecision>) -> bool {
    let (Some(old), Some(new)) = (before, after) else { return before.is_some() || after.is_some() };
    let has_reasons = !old.decision.all_reason_codes().is_empty();
    is_correction(before, after) || has_reasons && !old.decision.has_all_codes_of(&new.decision)
}

/// Returns whether a consumer would act on the change, if it comes from reading the past again: on another outcome, another
/// attempt, or a reason taken back.
fn is_correction(before: Option<&AttemptDecision>, after: Option<&AttemptDecision>) -> bool {
    let (Some(old), Some(new)) = (before, after) else { return before.is_some() || after.is_some() };
    (old.decision.outcome, &old.attempt_id) != (new.decision.outcome, &new.attempt_id)
        || !new.decision.has_all_codes_of(&old.decision)
}

/// A time to show beside the one that something counts from.
fn unless_same(shown_at: Timestamp, counts_from: Timestamp) -> Option<Timestamp> {
    Some(shown_at).filter(|shown_at| *shown_at != counts_from)
}

fn keep_greater<T>(kept: &mut Option<Ranked<T>>, value: T, rank: &Rank) {
    if kept.as_ref().is_none_or(|kept| kept.rank < *rank) {
        *kept = Some(Ranked { value, rank: rank.clone() });
    }
}

/// A check's reason, as long as a record holds it.
fn shortened(reason: &str) -> String {
    reason[..reason.floor_char_boundary(RankedCheck::REASON_LIMIT)].to_owned()
}

fn drop_oldest_checks(checks: &mut BTreeMap<String, RankedCheck>) {
    while checks.len() > CHECKS_KEPT {
        let oldest = checks.iter().min_by(|a, b| (a.1.order(), a.0).cmp(&(b.1.order(), b.0)));
        oldest.map(|(name, _)| name.clone()).and_then(|name| checks.remove(&name));
    }
}

/// Leaves codes and details out of the oldest checks, so that those of all fit in [`DETAILS_KEPT`].
///
/// What counts is how much each has ever needed. So what is left out here is left out in every order of events: a
/// check's younger ones can only become more, and need more. (A check that was dropped for being one too many is
/// forgotten here, too.)
fn cut_oldest_checks(checks: &mut BTreeMap<String, RankedCheck>) {
    if checks.values().map(RankedCheck::room).sum::<usize>() <= DETAILS_KEPT {
        return;
    }
    let mut checks: Vec<_> = checks.iter_mut().collect();
    checks.sort_by(|a, b| (b.1.order(), b.0).cmp(&(a.1.order(), a.0)));
    let mut needed = 0;
    for (_, check) in checks {
        let room = check.room();
        needed += room;
        if needed > DETAILS_KEPT && check.value.detail_size() > 0 {
            let value = Check { reason_codes: Vec::new(), detail: Detail::empty(), ..check.value.clone() };
            *check = RankedCheck { value, is_cut: true, largest: Some(room), ..check.clone() };
        }
    }
}
