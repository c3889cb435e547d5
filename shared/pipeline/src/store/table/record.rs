//! Recording an event: folds it into its session, and writes all that belongs together in one transaction.

use super::{
    SessionsTable,
    error::TableError,
    items::{self, EventItem, Item, PartitionKey, Payload, SessionItem, read, string},
    polls::ScheduledPoll,
    transaction::Written,
};
use crate::time::{backoff::Pauses, deadline::Deadline};
use std::cell::Cell;
use verdict_sessions::{Applied, Notification, Provider, Session, SessionEvent, SessionKey, Timestamp};

/// The number of failures in a row, each of them with the SDK's own retries, after which the table counts as out of
/// reach. The webhook is better off on the intake queue then, and a throttled table without it.
const MAX_FAILURES_IN_A_ROW: u32 = 3;

/// The result of recording an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The event was new.
    New {
        /// The notification of it that the outbox now holds.
        due: Option<Due>,
    },
    /// The event was there already.
    Duplicate(Box<FirstCopy>),
}

/// A notification that an outbox holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// All before it are told, so that it can be published as it is here.
    Next(Box<Notification>),
    /// Others may wait before it: the outbox has to be read.
    Outbox(SessionKey),
}

/// The recorded event that another one is a copy of, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstCopy {
    pub(crate) event: SessionEvent,
    /// True if a final decision stands.
    pub(crate) is_decided: bool,
    /// The session's place on the poll schedule.
    pub(crate) poll: Option<ScheduledPoll>,
}

/// The table's knowledge of an event and its session.
#[derive(Default)]
struct Known {
    session: Option<Session>,
    event: Option<SessionEvent>,
    poll: Option<ScheduledPoll>,
}

impl SessionsTable {
    /// Records one event: folds it into its session, once, however many writers there are.
    ///
    /// Retries with growing random pauses: until the deadline while other writers are faster, and a few times if the
    /// table can't be reached.
    ///
    /// # Errors
    /// [`TableError::Deadline`]; [`TableError::Conflict`] if other writers were faster to the last; or an error that
    /// retries did not help or can't.
    pub async fn record(
        &self,
        event: &SessionEvent,
        payload: Payload<'_>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Recorded, TableError> {
        let were_others_faster = Cell::new(false);
        let tries = async {
            let mut pauses = Pauses::default();
            let mut may_be_ours = false;
            let mut failures = 0;
            loop {
                match self.try_to_record(event, payload, now).await {
                    // An earlier try whose answer was lost may have recorded it. An unneeded look into the outbox does
                    // no harm; leaving a notification to the relay would cost a minute.
                    Ok(Recorded::Duplicate(_)) if may_be_ours => {
                        return Ok(Recorded::New { due: Some(Due::Outbox(event.session.clone())) });
                    }
                    Err(error) if error.is_transient() => {
                        tracing::debug!(%error, "retrying");
                        may_be_ours |= matches!(error, TableError::Unconfirmed(_));
                        were_others_faster.set(error == TableError::Conflict);
                        failures = if error == TableError::Conflict { 0 } else { failures + 1 };
                        if failures == MAX_FAILURES_IN_A_ROW {
                            return Err(error);
                        }
                        tokio::time::sleep(pauses.next()).await;
                    }
                    done => return done,
                }
            }
        };
        let out_of_time = |_| Err(if were_others_faster.get() { TableError::Conflict } else { TableError::Deadline });
        deadline.bound(tries).await.unwrap_or_else(out_of_time)
    }

    async fn try_to_record(
        &self,
        event: &SessionEvent,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<Recorded, TableError> {
        let Known { session: before, event: first, poll } = self.known(event).await?;
        if let Some(event) = first {
            let is_decided = before.is_some_and(|session| session.has_final_decision());
            return Ok(Recorded::Duplicate(Box::new(FirstCopy { event, is_decided, poll })));
        }
        let after = Session::apply(before.as_ref(), event, self.sequence_base);
        let due = match self.write_recorded(event, payload, before.as_ref(), &after, now, true).await? {
            Written::Yes => after.notification.map(|notification| Due::Next(Box::new(notification))),
            // Another writer has recorded it since it was looked for.
            Written::ConditionFailed => return Err(TableError::Conflict),
            // The notification before this one is still in the outbox, and has to be published first.
            Written::CheckFailed => {
                match self.write_recorded(event, payload, before.as_ref(), &after, now, false).await? {
                    Written::Yes => Some(Due::Outbox(event.session.clone())),
                    Written::ConditionFailed | Written::CheckFailed => return Err(TableError::Conflict),
                }
            }
        };
        Ok(Recorded::New { due })
    }

    /// Reads the session, the event, and the session's place on the poll schedule, in one call.
    async fn known(&self, event: &SessionEvent) -> Result<Known, TableError> {
        let key = PartitionKey::of(&event.session);
        let event_sk = items::event_sk(&event.event_id);
        let mut keys = vec![items::state_key(&key), items::key(&key, &event_sk)];
        if event.session.provider == Provider::Incode {
            keys.push(items::poll_key(&key));
        }
        self.items(keys).await?.into_iter().try_fold(Known::default(), |known, item| known.with(item, &event_sk))
    }

    /// Writes an event and what it makes of its session. The reasons of a cancelled transaction come in this order.
    async fn write_recorded(
        &self,
        event: &SessionEvent,
        payload: Payload<'_>,
        before: Option<&Session>,
        after: &Applied,
        now: Timestamp,
        if_all_before_is_told: bool,
    ) -> Result<Written, TableError> {
        let key = PartitionKey::of(&event.session);
        let mut writes = vec![
            self.put_if_absent(items::event(&key, event)?)?,
            self.put(items::payload(&key, event, payload, self.retention))?,
            self.put_session(&key, &after.session, before)?,
        ];
        if let Some(notification) = &after.notification {
            let last = before.map_or(0, |session| session.notifications);
            writes.push(self.put(items::outbox_entry(&key, notification, last, now)?)?);
            if if_all_before_is_told && last > 0 {
                writes.push(self.check_absent(items::key(&key, &items::notification_sk(last)))?);
            }
        }
        self.write(writes).await
    }
}

impl Known {
    fn with(self, item: Item, event_sk: &str) -> Result<Self, TableError> {
        match string(&item, "sk") {
            Some(items::STATE) => Ok(Self { session: Some(read::<SessionItem>(item, "session")?.session), ..self }),
            Some(sk) if sk == event_sk => Ok(Self { event: Some(read::<EventItem>(item, "event")?.event), ..self }),
            _ => Ok(Self { poll: ScheduledPoll::read(&item), ..self }),
        }
    }
}
