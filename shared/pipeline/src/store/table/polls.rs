//! The poll schedule: which sessions the poller asks about, for which reason, and when.
//!
//! An item of its own beside the session, so that polling never conflicts with webhooks. It lies in
//! the index `due` until the session is decided or given up. How it may change is written in [`items`].

use super::{
    SessionsTable,
    error::TableError,
    items::{self, Item, PartitionKey},
};
use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, ReturnValue},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::{collections::HashSet, time::Duration};
use verdict_sessions::{SessionKey, Timestamp};

/// The time after which an entry expires that no run has ended.
const RETENTION: Duration = Duration::from_hours(14 * 24);

/// The time for which a session belongs to the run that took it. If that run crashes, a later one takes the session.
const LEASE: Duration = Duration::from_mins(2);

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
}

/// A session's entry, while one run of the poller holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Poll {
    pub(crate) reason: PollReason,
    /// The number of polls for this reason.
    pub(crate) tries: u32,
    /// The time at which it was scheduled.
    pub(crate) since: Timestamp,
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
            (Self::Recheck, _) => Replaces::Any,
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

impl Poll {
    /// This entry with another reason and number of polls.
    pub(crate) fn as_of(self, reason: PollReason, tries: u32) -> Self {
        Self { reason, tries, ..self }
    }

    /// An entry as it is taken for the first time.
    #[cfg(test)]
    pub(crate) fn taken(since: Timestamp) -> Self {
        Self { reason: PollReason::Quiet, tries: 0, since, leased_until: since }
    }
}

impl SessionsTable {
    /// Puts a session on the schedule, or changes its place there.
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
    ) -> Result<(), TableError> {
        let key = PartitionKey::of(session);
        let scheduled = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(items::poll_key(&key)))
            .update_expression(
                "SET dueShard = :shard, dueAt = :due, pollReason = :reason, pollTries = :none, pollSince = :now, \
                 expiresAt = :end",
            )
            .expression_attribute_values(":shard", text(items::poll_shard_of(&key)))
            .expression_attribute_values(":due", text(due_at.sortable()))
            .expression_attribute_values(":reason", text(reason.as_str()))
            .expression_attribute_values(":none", items::number(0))
            .expression_attribute_values(":now", text(now.sortable()))
            .expression_attribute_values(":end", AttributeValue::N(now.plus(RETENTION).unix_seconds().to_string()));
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
        if_condition_holds(scheduled.send().await)?;
        Ok(())
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

    /// Takes a session that was seen to be due. Returns `None` if another run was faster.
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
            .update_expression("SET dueAt = :lease")
            .condition_expression("dueAt = :seen")
            .expression_attribute_values(":lease", text(leased_until.sortable()))
            .expression_attribute_values(":seen", text(seen_due_at.sortable()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let Some(taken) = if_condition_holds(taken)? else { return Ok(None) };
        let item = taken.attributes.unwrap_or_default();
        read(&item, leased_until).map(Some).ok_or(TableError::Unreadable("poll"))
    }

    /// Puts a session off, with `poll`'s reason and number of polls, unless the entry has changed meanwhile.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn put_off(
        &self,
        partition: &PartitionKey,
        poll: Poll,
        until: Timestamp,
    ) -> Result<(), TableError> {
        let put_off = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(items::poll_key(partition)))
            .update_expression("SET dueAt = :until, pollReason = :reason, pollTries = :tries")
            .condition_expression("dueAt = :lease")
            .expression_attribute_values(":until", text(until.sortable()))
            .expression_attribute_values(":reason", text(poll.reason.as_str()))
            .expression_attribute_values(":tries", items::number(poll.tries.into()))
            .expression_attribute_values(":lease", text(poll.leased_until.sortable()))
            .send()
            .await;
        if_condition_holds(put_off)?;
        Ok(())
    }

    /// Takes a session off the schedule, unless the entry has changed meanwhile.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn end_poll(&self, partition: &PartitionKey, poll: Poll) -> Result<(), TableError> {
        let ended = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(items::poll_key(partition)))
            .condition_expression("dueAt = :lease")
            .expression_attribute_values(":lease", text(poll.leased_until.sortable()))
            .send()
            .await;
        if_condition_holds(ended)?;
        Ok(())
    }
}

fn read(item: &Item, leased_until: Timestamp) -> Option<Poll> {
    Some(Poll {
        reason: PollReason::named(items::string(item, "pollReason")?)?,
        tries: item.get("pollTries")?.as_n().ok()?.parse().ok()?,
        since: Timestamp::parse(items::string(item, "pollSince")?)?,
        leased_until,
    })
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Returns the result of a conditional write, or `None` if its condition did not hold.
fn if_condition_holds<T, E: ProvideErrorMetadata>(
    written: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, TableError> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(SdkError::ServiceError(failure)) if failure.err().code() == Some("ConditionalCheckFailedException") => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
