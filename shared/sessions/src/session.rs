//! The session record.
//!
//! Stored as it stands: `shared/pipeline/src/store/table/items.rs` says how it may change.

use crate::{
    AttemptId, Check, CheckOutcome, Decision, EventId, Outcome, SessionKey, Stage, Timestamp, caution::Caution,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The sort of verification run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A Veriff session.
    Verification,
    /// An Incode or Wultra process.
    Onboarding,
    /// Treezor's review of a user.
    KycReview,
    /// One identification at Treezor.
    Identification,
}

/// The status of a session. Derived from the record, never stored as its truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Verdict knows the session, and the person hasn't begun.
    New,
    /// The person has begun.
    Started,
    /// The person has handed everything in.
    Submitted,
    /// A human looks at it: the decision that stands has the outcome `review`.
    InReview,
    /// The person is asked to try again and has not begun.
    AwaitingResubmission,
    /// A final decision stands.
    Decided,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::New, Self::Started, Self::Submitted, Self::InReview, Self::AwaitingResubmission, Self::Decided];

    /// The word used in records and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Started => "started",
            Self::Submitted => "submitted",
            Self::InReview => "in_review",
            Self::AwaitingResubmission => "awaiting_resubmission",
            Self::Decided => "decided",
        }
    }
}

/// The times and the name of an event, by which it wins over another: the later; at the same time the one sent later,
/// where the provider says; of decisions, a final one. What is alike in all of that is ordered by the caution of the
/// values, and only then by event id, so that every order of arrival ends alike ([`Ranked`], [`RankedCheck`]).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rank {
    /// The event's effective time.
    pub at: Timestamp,
    /// The time at which the event was sent out, if the provider tells it apart.
    pub emitted_at: Option<Timestamp>,
    /// True if it holds a final decision.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// The event.
    pub event_id: EventId,
}

/// A value, and the rank of the event that it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranked<T> {
    /// The value that won.
    pub value: T,
    /// The rank of that event.
    pub rank: Rank,
}

/// The latest of a check, and the rank of the event that it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RankedCheck {
    /// The check. Its reason is at most [`REASON_LIMIT`](Self::REASON_LIMIT) bytes; the event has all of it.
    pub value: Check,
    /// The rank of that event.
    pub rank: Rank,
    /// The time to show, if it isn't the one that the check counts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_at: Option<Timestamp>,
    /// True if its codes and details were left out, so that the record stays small. The event has them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_cut: bool,
    /// The most bytes of codes and details that an event has told of this check, if that is more than `value` has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest: Option<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Ranked<AttemptDecision> {
    /// The time of the decision, as shown.
    #[must_use]
    pub fn decided_at(&self) -> Timestamp {
        self.value.decision.decided_at.unwrap_or(self.rank.at)
    }

    /// The order of decisions: the greater one stands.
    pub(crate) fn order(&self) -> impl Ord {
        let Rank { at, emitted_at, is_final, event_id } = &self.rank;
        (*at, *emitted_at, *is_final, Caution::of_decision(self.value.decision.outcome), event_id)
    }
}

impl RankedCheck {
    /// The longest reason in a record, in bytes.
    pub const REASON_LIMIT: usize = 1024;

    /// The time of the check, as shown.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.shown_at.unwrap_or(self.rank.at)
    }

    /// The order of checks: the greater one counts. Without a result, a check is below all that have one.
    pub(crate) fn order(&self) -> impl Ord {
        let Rank { at, emitted_at, event_id, .. } = &self.rank;
        let outcome = self.value.outcome;
        (outcome != CheckOutcome::Captured, *at, *emitted_at, Caution::of_check(outcome), event_id)
    }

    /// The bytes that its codes and details may take, however much of them is here.
    pub(crate) fn room(&self) -> usize {
        self.largest.unwrap_or(0).max(self.value.detail_size())
    }
}

/// One try within a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// `None` for everything that came without an attempt id: an attempt of its own.
    pub id: Option<AttemptId>,
    /// Its earliest stage or decision, so that a retry months later makes nothing young again.
    pub since: Timestamp,
    /// The furthest stage it has shown.
    pub stage: Stage,
}

/// All that is known of one verification run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its key.
    #[serde(flatten)]
    pub key: SessionKey,
    /// The sort of session.
    pub kind: Kind,
    /// Your own name for the person: the latest that was not blank. [`reference()`](Self::reference) is what is shown.
    pub reference: Option<Ranked<String>>,
    /// The provider's name for the person: the latest that was not blank.
    pub provider_user_id: Option<Ranked<String>>,
    /// The winning decision, and the attempt it belongs to.
    pub decision: Option<Ranked<AttemptDecision>>,
    /// Every attempt that has shown a stage or a decision.
    pub attempts: Vec<Attempt>,
    /// The latest of each check, by name.
    pub checks: BTreeMap<String, RankedCheck>,
    /// The number of events that have been applied.
    pub events: u64,
    /// The sequence of the last notification; 0 if there was none.
    pub notifications: u64,
    /// Grows by one with every event; what concurrent writers compare.
    pub version: u64,
    /// The earliest arrival.
    pub first_event_at: Timestamp,
    /// The latest arrival.
    pub last_event_at: Timestamp,
    /// The arrival of the event that brought the status. It depends on the order of events, so it is no part of what
    /// makes two records alike. `None` if a release that didn't know it wrote the record last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_since: Option<Timestamp>,
    /// True if it is an identification whose events name different users: then it decides nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub has_several_users: bool,
}

/// A decision within an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptDecision {
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// The attempt that it decides.
    pub attempt_id: Option<AttemptId>,
}

impl Session {
    /// Your own name for the person, if an event has told one; else the provider's, if that
    /// [stands in](crate::Provider::user_id_stands_in) for it.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        let told = self.reference.as_ref().map(|reference| reference.value.as_str());
        told.or_else(|| self.provider_user_id().filter(|_| self.key.provider.user_id_stands_in()))
    }

    /// The provider's name for the person, if an event has told one.
    #[must_use]
    pub fn provider_user_id(&self) -> Option<&str> {
        self.provider_user_id.as_ref().map(|user| user.value.as_str())
    }

    /// Remarks for operators on the record: an open list of codes, each with the member it is about.
    #[must_use]
    pub fn remarks(&self) -> Vec<&'static str> {
        let is_cut = self.checks.values().any(|check| check.is_cut);
        let remarks = [(is_cut, "left_out:checkDetails"), (self.has_several_users, "inconsistent:providerUserId")];
        remarks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, remark)| remark).collect()
    }

    /// The outcome of the standing decision, if there is a decision.
    #[must_use]
    pub fn standing_outcome(&self) -> Option<Outcome> {
        self.decision.as_ref().map(|decision| decision.value.decision.outcome)
    }

    /// Returns whether a final decision stands.
    #[must_use]
    pub fn has_final_decision(&self) -> bool {
        self.standing_outcome().is_some_and(Outcome::is_final)
    }

    /// The youngest attempt: the one that began last.
    #[must_use]
    pub fn current_attempt(&self) -> Option<&Attempt> {
        self.attempts.iter().max_by_key(|attempt| attempt.age_rank())
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> Status {
        let Some(Ranked { value, .. }) = &self.decision else {
            return self.current_attempt().map_or(Status::New, |attempt| attempt.stage.into());
        };
        match value.decision.outcome {
            Outcome::Review => Status::InReview,
            Outcome::ResubmissionRequested => self
                .attempt_begun_after(value.attempt_id.as_ref())
                .map_or(Status::AwaitingResubmission, |attempt| attempt.stage.into()),
            _ => Status::Decided,
        }
    }

    /// The youngest attempt that is younger than `decided` and has shown a stage.
    fn attempt_begun_after(&self, decided: Option<&AttemptId>) -> Option<&Attempt> {
        let decided = self.attempts.iter().find(|attempt| attempt.id.as_ref() == decided)?;
        self.attempts
            .iter()
            .filter(|attempt| attempt.stage > Stage::New && attempt.age_rank() > decided.age_rank())
            .max_by_key(|attempt| attempt.age_rank())
    }
}

impl Attempt {
    fn age_rank(&self) -> (Timestamp, Option<&AttemptId>) {
        (self.since, self.id.as_ref())
    }
}

impl From<Stage> for Status {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::New => Self::New,
            Stage::Started => Self::Started,
            Stage::Submitted => Self::Submitted,
        }
    }
}
