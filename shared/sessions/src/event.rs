//! Events: the facts that a webhook tells of a session, in Verdict's words.
//!
//! Stored as it stands: `shared/pipeline/src/store/table/items.rs` says how it may change.

use crate::{AttemptId, Decision, Detail, EventId, Kind, Outcome, ReasonCode, SessionKey, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// The progress of the person within one attempt. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Stage {
    #[default]
    New,
    Started,
    Submitted,
}

/// The result of one named part of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Under way.
    Pending,
    /// Nothing found against the person.
    Passed,
    /// Something found against the person.
    Failed,
    /// Something a human should look at.
    Flagged,
    /// The check itself broke.
    Error,
    /// The provider has the data, and gave no result.
    Captured,
    /// Called off.
    Cancelled,
}

/// One check, as an event tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// The result.
    pub outcome: CheckOutcome,
    /// The reason, in the provider's words.
    pub reason: Option<String>,
    /// The reasons, for machines: at most [`ReasonCode::COUNT`], in the provider's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason_codes: Vec<ReasonCode>,
    /// Values worth routing by.
    #[serde(default, skip_serializing_if = "Detail::is_empty")]
    pub detail: Detail,
}

impl Check {
    /// A result without a reason.
    #[must_use]
    pub const fn new(outcome: CheckOutcome) -> Self {
        Self { outcome, reason: None, reason_codes: Vec::new(), detail: Detail::empty() }
    }

    /// Returns whether the codes of another check's reasons are among this one's.
    pub(crate) fn has_all_codes_of(&self, other: &Self) -> bool {
        ReasonCode::are_all_in(&other.reason_codes, &self.reason_codes)
    }

    /// The bytes of its codes and details.
    #[must_use]
    pub fn detail_size(&self) -> usize {
        self.reason_codes.iter().map(|code| code.as_str().len()).sum::<usize>() + self.detail.size()
    }
}

/// A remark for operators, beyond the content of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// A type or value that this version does not know: recorded. It has no effect itself; what is known beside it
    /// counts.
    Unrecognised,
    /// Its parts contradict each other: recorded. It never approves, unless everything that contradicts it is
    /// unsigned: an unsigned part must not take the effect of a signed one away.
    Inconsistent,
}

impl Remark {
    /// The word used in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unrecognised => "unrecognised",
            Self::Inconsistent => "inconsistent",
        }
    }
}

/// Whom a session is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// Your own name for the person: at most 4000 bytes of UTF-8.
    #[cfg_attr(feature = "schema", schemars(length(max = 4000)))]
    pub reference: Option<String>,
    /// The provider's name for the person: at most 4000 bytes of UTF-8.
    #[cfg_attr(feature = "schema", schemars(length(max = 4000)))]
    pub provider_user_id: Option<String>,
}

/// One fact about one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionEvent {
    /// Equal for every copy of the same fact.
    pub event_id: EventId,
    /// The session it is about.
    #[serde(flatten)]
    pub session: SessionKey,
    /// The sort of session.
    pub kind: Kind,
    /// The provider's name for what happened, such as `decision.approved`.
    pub name: String,
    /// The try it belongs to, if the provider says.
    pub attempt_id: Option<AttemptId>,
    /// The time at which it happened, by the provider's clock.
    pub occurred_at: Option<Timestamp>,
    /// The time at which the provider sent it first, if it tells that apart from when it happened: among
    /// events of one effective time the one sent later counts.
    pub emitted_at: Option<Timestamp>,
    /// The time of arrival.
    pub received_at: Timestamp,
    /// The stage it shows.
    pub stage: Option<Stage>,
    /// The decision that it tells of.
    pub decision: Option<Decision>,
    /// The checks it reports, by name.
    pub checks: BTreeMap<String, Check>,
    /// Whom it is about.
    pub subject: Subject,
    /// A remark for operators.
    pub remark: Option<Remark>,
    /// More remarks for operators: an open list of codes, each with the member it is about, such as
    /// `time_unreadable:decisionTime`. The word before the colon names a metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// True if its provider printed its times and left all of them blank: it then counts from before every event that
    /// has a time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub undated: bool,
    /// Other short values worth showing, such as why a person left. Bounded by who makes the event.
    pub detail: BTreeMap<String, String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The longest time after its arrival at which an event may claim to have happened. A provider's clock may be a
/// little fast; a date in the far future would otherwise freeze its session for good.
const FUTURE_TOLERANCE: Duration = Duration::from_mins(5);

/// The remark on an event that is a second reading.
const SECOND_READING: &str = "second_reading:object_payload";

/// The remark on an event whose decision isn't confirmed.
const UNCONFIRMED: &str = "unconfirmed:decision";

impl SessionEvent {
    /// The event as a second reading of a payload: of what was recorded under another name, which isn't signed. It
    /// decides nothing, its checks don't count, and it says nothing of the person: under a later time that isn't signed
    /// either, an old name would win.
    #[must_use]
    pub fn as_second_reading(mut self) -> Self {
        if !self.is_second_reading() {
            self.remarks.push(SECOND_READING.to_owned());
        }
        Self { decision: None, checks: BTreeMap::new(), subject: Subject::default(), ..self }
    }

    /// Returns whether the event is a second reading.
    #[must_use]
    pub fn is_second_reading(&self) -> bool {
        self.remarks.iter().any(|remark| remark == SECOND_READING)
    }

    /// The event without its decision: what vouches for the webhook doesn't vouch for what it decides, and the provider
    /// has to be asked.
    #[must_use]
    pub fn as_unconfirmed(mut self) -> Self {
        if !self.is_unconfirmed() {
            self.remarks.push(UNCONFIRMED.to_owned());
        }
        Self { decision: None, ..self }
    }

    /// Returns whether the event told of a decision that has to be confirmed.
    #[must_use]
    pub fn is_unconfirmed(&self) -> bool {
        self.remarks.iter().any(|remark| remark == UNCONFIRMED)
    }

    /// The time the event counts from: the provider's, at most five minutes after arrival; else arrival. If all of its
    /// provider's times are blank, that is the first representable time, before everything that has one.
    #[must_use]
    pub fn effective_at(&self) -> Timestamp {
        if self.undated { Timestamp::FIRST } else { self.dated_at() }
    }

    /// The time to show for it, and the one that its attempt's age counts from: if all of its provider's times are
    /// blank, the time at which it was sent, else its arrival.
    pub(crate) fn shown_at(&self) -> Timestamp {
        if self.undated { self.emitted_at.unwrap_or(self.received_at).min(self.received_at) } else { self.dated_at() }
    }

    fn dated_at(&self) -> Timestamp {
        self.occurred_at.map_or(self.received_at, |at| self.not_in_the_future(at))
    }

    /// Your own name for the person, if the event tells it. A provider's name that only stands in for it is none.
    pub(crate) fn told_reference(&self) -> Option<&String> {
        let Subject { reference, provider_user_id } = &self.subject;
        let is_user_id = self.session.provider.user_id_stands_in() && reference == provider_user_id;
        reference.as_ref().filter(|_| !is_user_id)
    }

    /// Returns whether this copy of a fact says something else that counts than the recorded one: then they are no
    /// copies, and the id was given twice. Verdict's own ids are made of what counts; a provider's own may be anything.
    ///
    /// The recorded one may come from an earlier release, which read less in the same fact: that today's reader finds
    /// more in it, or knows that it can't read it, is no contradiction.
    #[must_use]
    pub fn contradicts(&self, recorded: &Self) -> bool {
        if self.is_unconfirmed() != recorded.is_unconfirmed() {
            // Of the decision, only one of them tells.
            return self.clone().as_unconfirmed().contradicts(&recorded.clone().as_unconfirmed());
        }
        let is_one_fact = self.name == recorded.name || recorded.remark.is_some() || recorded.is_second_reading();
        let is_unreadable_now = self.name == recorded.name && self.remark.is_some();
        self.denies(recorded)
            || !is_one_fact && recorded.lacks_some_of(self)
            || !is_unreadable_now && self.lacks_some_of(recorded)
    }

    /// The user that an event of an identification names: all of its events are about one user.
    pub(crate) fn identified_user(&self) -> Option<&String> {
        self.subject.provider_user_id.as_ref().filter(|_| self.kind == Kind::Identification)
    }

    fn outcome(&self) -> Option<Outcome> {
        self.decision.as_ref().map(|decision| decision.outcome)
    }

    /// Returns whether both speak of the same thing, and differ.
    fn denies(&self, other: &Self) -> bool {
        let differs =
            |name: &String, check: &Check| self.checks.get(name).is_some_and(|own| own.outcome != check.outcome);
        self.stage.zip(other.stage).is_some_and(|(own, other)| own != other)
            || self.outcome().zip(other.outcome()).is_some_and(|(own, other)| own != other)
            || other.checks.iter().any(|(name, check)| differs(name, check))
    }

    /// Returns whether the other speaks of something that this one doesn't.
    fn lacks_some_of(&self, other: &Self) -> bool {
        self.stage.is_none() && other.stage.is_some()
            || self.decision.is_none() && other.decision.is_some()
            || other.checks.keys().any(|name| !self.checks.contains_key(name))
    }

    /// [`emitted_at`](Self::emitted_at), at most five minutes after arrival.
    pub(crate) fn effectively_emitted_at(&self) -> Option<Timestamp> {
        self.emitted_at.map(|at| self.not_in_the_future(at))
    }

    fn not_in_the_future(&self, at: Timestamp) -> Timestamp {
        at.min(self.received_at.plus(FUTURE_TOLERANCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_called_the_same_in_logs_and_in_records() {
        for remark in [Remark::Unrecognised, Remark::Inconsistent] {
            assert_eq!(serde_json::to_value(remark).unwrap(), remark.as_str());
        }
    }
}
