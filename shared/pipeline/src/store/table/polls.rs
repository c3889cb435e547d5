//! The poll schedule: which sessions the poller asks about, for which reason, and when.
//!
//! An item of its own beside the session, so that polling never conflicts with webhooks. It lies in
//! the index `due` until the session is decided or given up. How it may change is written in [`items`].
//!
//! One process at a time asks about a session: it takes the entry, which holds the others off until it puts the session
//! off or ends its polling, or until its lease is over. What happens to the session meanwhile may make it due again at
//! once; then the process that holds it asks again.
//!
//! If the API wants fewer requests, an item of its own says until when all processes leave it alone.

use super::{
    SessionsTable,
    error::{TableError, if_condition_holds},
    items::{self, Item, PartitionKey},
};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use std::{collections::HashSet, time::Duration};
use verdict_sessions::{SessionKey, Timestamp};

/// The time after which an entry expires that no run has ended.
const RETENTION: Duration = Duration::from_hours(14 * 24);

/// The time for which a session belongs to the process that took it. If that crashes, another one takes the session. It
/// is longer than any run, so that no two processes ask about a session at the same time.
const LEASE: Duration = Duration::from_mins(2);

/// The time for which the item that says that the API is left alone outlives the pause, before DynamoDB may delete it.
const PAUSE_RETENTION: Duration = Duration::from_hours(24);

/// Gives a session a place on the schedule.
const SCHEDULE: &str =
    "SET dueShard = :shard, dueAt = :due, pollReason = :reason, pollTries = :none, pollSince = :now, expiresAt = :end";

/// Has the score confirm a decision. Whatever else puts the session on the schedule doesn't change that.
const TO_CONFIRM: &str = "pollConfirms = :true";

/// The keys of the item that says until when Incode's API is left alone.
const PAUSE_PK: &str = "POLLS#incode";
const PAUSE_SK: &str = "PAUSE";

/// The reason for which a session is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PollReason {
    /// No webhook of it has come for a while.
    Quiet,
    /// All data is there, and the decision is missing.
    Decision,
    /// A copy of a webhook came later than any retry: something may have changed and changed back.
    Recheck,
}

/// The cause that puts a session on the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A new event.
    News,
    /// A copy of a recorded event. The function that recorded it may have crashed before it got to the schedule.
    Copy,
    /// A request to ask now.
    Request,
    /// A decision that the score has to confirm.
    Unconfirmed,
}

/// A session's place on the schedule, as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScheduledPoll {
    reason: PollReason,
    due_at: Timestamp,
    /// True if the score has to confirm a decision.
    pub(crate) has_to_confirm: bool,
}

/// A session's entry, while one process holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Poll {
    pub(crate) reason: PollReason,
    /// The number of polls for this reason.
    pub(crate) tries: u32,
    /// The time at which it was scheduled.
    pub(crate) since: Timestamp,
    /// True if the score has to confirm a decision. Stays so until polling ends.
    pub(crate) has_to_confirm: bool,
    leased_until: Timestamp,
}

impl PollReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Decision => "decision",
            Self::Recheck => "recheck",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Quiet, Self::Decision, Self::Recheck].into_iter().find(|reason| reason.as_str() == name)
    }

    /// Returns the entries that this reason may replace. News of a session doesn't put it back if it waits for a
    /// decision, and a recheck is no wait that a decision ends.
    const fn may_replace(self, cause: Cause) -> Replaces {
        match (self, cause) {
            (Self::Recheck, _) | (_, Cause::Request | Cause::Unconfirmed) => Replaces::Any,
            (Self::Quiet, Cause::Copy) => Replaces::Nothing,
            (Self::Quiet, Cause::News) | (Self::Decision, Cause::Copy) => Replaces::Quiet,
            (Self::Decision, Cause::News) => Replaces::AllExceptRecheck,
        }
    }
}

/// The entries that another one may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replaces {
    Nothing,
    Quiet,
    AllExceptRecheck,
    Any,
}

impl ScheduledPoll {
    /// Reads an entry. Returns `None` if this release doesn't write such an entry: then it counts as absent, and the
    /// conditional write that schedules the session finds out.
    pub(super) fn read(item: &Item) -> Option<Self> {
        Some(Self {
            reason: PollReason::named(items::string(item, "pollReason")?)?,
            due_at: Timestamp::parse(items::string(item, "dueAt")?)?,
            has_to_confirm: has_to_confirm(item),
        })
    }

    /// Returns whether the session needs no other place, of a copy that would give it this one.
    pub(crate) fn will_do(self, reason: PollReason, now: Timestamp) -> bool {
        match reason.may_replace(Cause::Copy) {
            Replaces::Nothing => true,
            Replaces::Quiet | Replaces::AllExceptRecheck => self.reason != PollReason::Quiet,
            Replaces::Any => self.reason == reason && self.due_at <= now,
        }
    }
}

impl Poll {
    /// This entry with another reason and number of polls.
    pub(crate) fn as_of(self, reason: PollReason, tries: u32) -> Self {
        Self { reason, tries, ..self }
    }

    /// An entry as it is taken for the first time.
    #[cfg(test)]
    pub(crate) fn taken(since: Timestamp) -> Self {
        Self { reason: PollReason::Quiet, tries: 0, since, has_to_confirm: false, leased_until: since }
    }
}

impl SessionsTable {
    /// Puts a session on the schedule, or changes its place there. Returns whether it did: an entry that it may not
    /// replace stays.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn schedule_poll(
        &self,
        session: &SessionKey,
        reason: PollReason,
        cause: Cause,
        now: Timestamp,
        due_at: Timestamp,
    ) -> Result<bool, TableError> {
        let key = PartitionKey::of(session);
        let scheduled = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(items::poll_key(&key)))
            .update_expression(if cause == Cause::Unconfirmed {
                format!("{SCHEDULE}, {TO_CONFIRM}")
            } else {
                SCHEDULE.into()
            })
            .expression_attribute_values(":shard", text(items::poll_shard_of(&key)))
            .expression_attribute_values(":due", text(due_at.sortable()))
            .expression_attribute_values(":reason", text(reason.as_str()))
            .expression_attribute_values(":none", items::number(0))
            .expression_attribute_values(":now", text(now.sortable()))
            .expression_attribute_values(":end", AttributeValue::N(now.plus(RETENTION).unix_seconds().to_string()));
        let scheduled = if cause == Cause::Unconfirmed {
            scheduled.expression_attribute_values(":true", AttributeValue::Bool(true))
        } else {
            scheduled
        };
        let scheduled = match reason.may_replace(cause) {
            Replaces::Any => scheduled,
            Replaces::Nothing => scheduled.condition_expression("attribute_not_exists(pk)"),
            Replaces::Quiet => scheduled
                .condition_expression("attribute_not_exists(pk) OR pollReason = :quiet")
                .expression_attribute_values(":quiet", text(PollReason::Quiet.as_str())),
            Replaces::AllExceptRecheck => scheduled
                .condition_expression("attribute_not_exists(pk) OR pollReason <> :recheck")
                .expression_attribute_values(":recheck", text(PollReason::Recheck.as_str())),
        };
        Ok(if_condition_holds(scheduled.send().await)?.is_some())
    }

    /// Finds the sessions that are due by `now`, and since when: up to `limit` of each shard.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn due_polls(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(PartitionKey, Timestamp)>, TableError> {
        self.due((0..items::POLL_SHARDS).map(items::poll_shard), now, limit, &HashSet::new()).await
    }

    /// Takes a session that was seen to be due. Returns `None` if its entry has changed meanwhile, or if another process
    /// holds it: that one finds out when it is done.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn take_poll(
        &self,
        partition: &PartitionKey,
        seen_due_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Poll>, TableError> {
        let leased_until = now.plus(LEASE);
        let taken = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(items::poll_key(partition)))
            .update_expression("SET dueAt = :lease, leasedUntil = :lease")
            .condition_expression(
                "dueAt = :seen AND attribute_not_exists(leasedUntil) OR dueAt = :seen AND leasedUntil < :now",
            )
            .expression_attribute_values(":lease", text(leased_until.sortable()))
            .expression_attribute_values(":seen", text(seen_due_at.sortable()))
            .expression_attribute_values(":now", text(now.sortable()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let Some(taken) = if_condition_holds(taken)? else { return Ok(None) };
        let item = taken.attributes.unwrap_or_default();
        read(&item, leased_until).map(Some).ok_or(TableError::Unreadable("poll"))
    }

    /// Puts a session off, with `poll`'s reason and number of polls, and lets go of it. If its entry has changed
    /// meanwhile, the entry stays as it is, and the time since which the session is due again is returned.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn put_off(
        &self,
        partition: &PartitionKey,
        poll: Poll,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, TableError> {
        let put_off = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(items::poll_key(partition)))
            .update_expression("SET dueAt = :until, pollReason = :reason, pollTries = :tries REMOVE leasedUntil")
            .condition_expression("dueAt = :lease")
            .expression_attribute_values(":until", text(until.sortable()))
            .expression_attribute_values(":reason", text(poll.reason.as_str()))
            .expression_attribute_values(":tries", items::number(poll.tries.into()))
            .expression_attribute_values(":lease", text(poll.leased_until.sortable()))
            .send()
            .await;
        match if_condition_holds(put_off)? {
            Some(_) => Ok(None),
            None => self.let_go(partition, poll).await,
        }
    }

    /// Takes a session off the schedule. If its entry has changed meanwhile, it stays there, as with
    /// [`put_off`](Self::put_off).
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn end_poll(&self, partition: &PartitionKey, poll: Poll) -> Result<Option<Timestamp>, TableError> {
        let ended = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(items::poll_key(partition)))
            .condition_expression("dueAt = :lease")
            .expression_attribute_values(":lease", text(poll.leased_until.sortable()))
            .send()
            .await;
        match if_condition_holds(ended)? {
            Some(_) => Ok(None),
            None => self.let_go(partition, poll).await,
        }
    }

    /// Lets go of a session whose entry has changed meanwhile, and returns when it is due now.
    async fn let_go(&self, partition: &PartitionKey, poll: Poll) -> Result<Option<Timestamp>, TableError> {
        let let_go = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(items::poll_key(partition)))
            .update_expression("REMOVE leasedUntil")
            .condition_expression("leasedUntil = :lease")
            .expression_attribute_values(":lease", text(poll.leased_until.sortable()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let Some(changed) = if_condition_holds(let_go)? else { return Ok(None) };
        let item = changed.attributes.unwrap_or_default();
        Ok(items::string(&item, "dueAt").and_then(Timestamp::parse))
    }

    /// Has every process leave the API alone until then, or for longer if that is what another one has said.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn pause_polls(&self, until: Timestamp) -> Result<(), TableError> {
        let expires_at = until.plus(PAUSE_RETENTION).unix_seconds().to_string();
        let paused = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(items::key(&pause(), PAUSE_SK)))
            .update_expression("SET pausedUntil = :until, expiresAt = :end")
            .condition_expression("attribute_not_exists(pk) OR pausedUntil < :until")
            .expression_attribute_values(":until", text(until.sortable()))
            .expression_attribute_values(":end", AttributeValue::N(expires_at))
            .send()
            .await;
        if_condition_holds(paused)?;
        Ok(())
    }

    /// Returns whether the API is left alone now, since it wanted fewer requests.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn are_polls_paused(&self, now: Timestamp) -> Result<bool, TableError> {
        let item = self.item(&pause(), PAUSE_SK).await?.unwrap_or_default();
        Ok(items::string(&item, "pausedUntil").and_then(Timestamp::parse).is_some_and(|until| now < until))
    }
}

fn pause() -> PartitionKey {
    PartitionKey::stored(PAUSE_PK)
}

fn read(item: &Item, leased_until: Timestamp) -> Option<Poll> {
    Some(Poll {
        reason: PollReason::named(items::string(item, "pollReason")?)?,
        tries: item.get("pollTries")?.as_n().ok()?.parse().ok()?,
        since: Timestamp::parse(items::string(item, "pollSince")?)?,
        has_to_confirm: has_to_confirm(item),
        leased_until,
    })
}

/// An entry of release 0.1 doesn't say.
fn has_to_confirm(item: &Item) -> bool {
    item.get("pollConfirms").and_then(|confirms| confirms.as_bool().ok()).is_some_and(|confirms| *confirms)
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}
