//! Recording an event: folds it into its session, and writes all that belongs together in one transaction.

use super::{
    SessionsTable,
    error::TableError,
    items::{self, PartitionKey, Payload},
    transaction::Written,
};
use crate::time::{backoff::Pauses, deadline::Deadline};
use std::cell::Cell;
use verdict_sessions::{Session, SessionEvent, Timestamp};

/// The number of failures in a row, each of them with the SDK's own retries, after which the table counts as out of
/// reach. The webhook is better off on the intake queue then, and a throttled table without it.
const MAX_FAILURES_IN_A_ROW: u32 = 3;

/// The result of recording an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The event was new.
    New {
        /// True if the outbox now holds a notification of it.
        notification_due: bool,
    },
    /// The event was there already.
    Duplicate,
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
                    Ok(Recorded::Duplicate) if may_be_ours => return Ok(Recorded::New { notification_due: true }),
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
        let key = PartitionKey::of(&event.session);
        let before = self.session(&event.session).await?;
        let after = Session::apply(before.as_ref(), event);

        // The reasons of a cancelled transaction come in this order.
        let mut writes = vec![
            self.put_if_absent(items::event(&key, event)?)?,
            self.put(items::payload(&key, event, payload, self.retention))?,
            self.put_session(&key, &after.session, before.as_ref())?,
        ];
        if let Some(notification) = &after.notification {
            writes.push(self.put(items::outbox_entry(&key, notification, now)?)?);
        }

        Ok(match self.write(writes).await? {
            Written::Yes => Recorded::New { notification_due: after.notification.is_some() },
            Written::ConditionFailed => Recorded::Duplicate,
        })
    }
}
