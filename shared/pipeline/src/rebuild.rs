//! Rebuilding a session: reading all its stored payloads again with today's readers, and putting the record that
//! they make in place of the one there is.
//!
//! For a reader that was corrected. The events keep their ids and arrivals, so a copy is still known for one, and
//! whatever comes meanwhile is not lost: the record is replaced only if nobody else has changed it.

use crate::{Deadline, SessionsTable, TableError, backoff::Pauses};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use verdict_sessions::{Applied, EventId, NotRebuilt, Outcome, Session, SessionEvent, SessionKey, Timestamp};
use verdict_webhooks::{Unreadable, read_again};

/// What a rebuild came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rebuilt {
    /// Today's readers say what is on record.
    Unchanged,
    /// The record was replaced.
    Replaced(Changes),
    /// It was not.
    Refused(Refused),
}

/// How today's reading differs from the record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Changes {
    /// How many events read otherwise.
    events: usize,
    /// Which of the record's members differ.
    members: Vec<String>,
    from: Option<Outcome>,
    to: Option<Outcome>,
    /// Whether the decision changes, so that a notification is due.
    pub(crate) notified: bool,
}

/// Why a record stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no such session.
    Unknown,
    /// So many events have lost their payload to its expiry.
    Expired(usize),
    /// So many payloads can't be read any more, or say nothing of the session.
    Unreadable(usize),
    /// The record can't be made.
    NotRebuilt(NotRebuilt),
}

impl Refused {
    const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "session_not_found",
            Self::Expired(_) => "payloads_expired",
            Self::Unreadable(_) => "payloads_unreadable",
            Self::NotRebuilt(NotRebuilt::NoEvents) => "no_events",
            Self::NotRebuilt(NotRebuilt::DecisionWithdrawn) => "decision_withdrawn",
        }
    }
}

/// What an operator is told.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Report(Value);

impl Report {
    pub(crate) fn of(session: &SessionKey, rebuilt: &Result<Rebuilt, TableError>) -> Self {
        let of = |outcome: &str, more: Value| {
            let mut report = json!({"provider": session.provider, "sessionId": session.session_id, "outcome": outcome});
            if let (Some(report), Value::Object(more)) = (report.as_object_mut(), more) {
                report.extend(more);
            }
            Self(report)
        };
        match rebuilt {
            Ok(Rebuilt::Unchanged) => of("unchanged", Value::Null),
            Ok(Rebuilt::Replaced(Changes { events, members, from, to, notified })) => of(
                "changed",
                json!({"events": events, "members": members, "notified": notified, "decision": {"from": from, "to": to}}),
            ),
            Ok(Rebuilt::Refused(refused)) => {
                let count = match refused {
                    Refused::Expired(count) | Refused::Unreadable(count) => Some(count),
                    _ => None,
                };
                of("refused", json!({"reason": refused.code(), "events": count}))
            }
            Err(error) => of("failed", json!({"reason": error.to_string()})),
        }
    }

    pub(crate) fn outcome(&self) -> &str {
        self.0["outcome"].as_str().unwrap_or_default()
    }

    pub(crate) fn as_json(&self) -> &Value {
        &self.0
    }
}

/// What rebuilding a session would change. Nothing is written.
pub(crate) async fn dry_run(
    table: &SessionsTable,
    session: &SessionKey,
    deadline: Deadline,
) -> Result<Rebuilt, TableError> {
    let look = async {
        Ok(match read_anew(table, session).await? {
            Ok(anew) => anew.changes().map_or(Rebuilt::Unchanged, Rebuilt::Replaced),
            Err(refused) => Rebuilt::Refused(refused),
        })
    };
    deadline.try_bound(look).await
}

/// Rebuilds a session, once, whoever else is writing.
///
/// # Errors
/// [`TableError::Deadline`], or what trying again can't help.
pub(crate) async fn rebuild(
    table: &SessionsTable,
    session: &SessionKey,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Rebuilt, TableError> {
    let tries = async {
        let mut pauses = Pauses::default();
        loop {
            match try_to_rebuild(table, session, now).await {
                Err(error) if error.is_transient() => tokio::time::sleep(pauses.next()).await,
                done => return done,
            }
        }
    };
    deadline.try_bound(tries).await
}

async fn try_to_rebuild(table: &SessionsTable, session: &SessionKey, now: Timestamp) -> Result<Rebuilt, TableError> {
    let anew = match read_anew(table, session).await? {
        Ok(anew) => anew,
        Err(refused) => return Ok(Rebuilt::Refused(refused)),
    };
    let Some(changes) = anew.changes() else { return Ok(Rebuilt::Unchanged) };
    // The events first: should the rest not happen, the next try finds the record still to be replaced.
    for event in &anew.changed {
        table.replace_event(event).await?;
    }
    if let Some(applied) = &anew.applied {
        table.replace_session(&anew.before, applied, now).await?;
    }
    Ok(Rebuilt::Replaced(changes))
}

/// A session as today's readers have it.
struct Anew {
    before: Session,
    /// The events that read otherwise.
    changed: Vec<SessionEvent>,
    /// The record, where it is another.
    applied: Option<Applied>,
}

impl Anew {
    fn changes(&self) -> Option<Changes> {
        if self.changed.is_empty() && self.applied.is_none() {
            return None;
        }
        let after = self.applied.as_ref().map_or(&self.before, |applied| &applied.session);
        Some(Changes {
            events: self.changed.len(),
            members: different_members(&self.before, after),
            from: outcome(&self.before),
            to: outcome(after),
            notified: self.applied.as_ref().is_some_and(|applied| applied.notification.is_some()),
        })
    }
}

async fn read_anew(table: &SessionsTable, session: &SessionKey) -> Result<Result<Anew, Refused>, TableError> {
    // The record first: what is recorded after this read changes its version, and the rebuild starts again.
    let Some(before) = table.session(session).await? else { return Ok(Err(Refused::Unknown)) };
    let recorded = table.all_events(session).await?;
    // The record may be ahead of a query, for a moment: an event that is only just being written would be left out.
    if recorded.len() as u64 != before.events {
        return Err(TableError::Conflict);
    }
    let mut readings: HashMap<EventId, Result<Option<SessionEvent>, Unreadable>> = HashMap::new();
    let by_id: HashMap<&EventId, &SessionEvent> = recorded.iter().map(|event| (&event.event_id, event)).collect();
    let read = |event_id: &EventId, source: &str, payload: &str| {
        if let Some(event) = by_id.get(event_id) {
            readings.insert(event_id.clone(), read_again(event, source, payload));
        }
    };
    table.each_payload(session, read).await?;

    let expired = recorded.iter().filter(|event| !readings.contains_key(&event.event_id)).count();
    if expired > 0 {
        return Ok(Err(Refused::Expired(expired)));
    }
    let unreadable = readings.values().filter(|reading| !matches!(reading, Ok(Some(_)))).count();
    if unreadable > 0 {
        return Ok(Err(Refused::Unreadable(unreadable)));
    }
    let events: Vec<SessionEvent> = readings.into_values().flatten().flatten().collect();
    let applied = match before.rebuild(&events) {
        Ok(applied) => applied,
        Err(problem) => return Ok(Err(Refused::NotRebuilt(problem))),
    };
    let changed = events.into_iter().filter(|event| !recorded.contains(event)).collect();
    Ok(Ok(Anew { before, changed, applied }))
}

fn outcome(session: &Session) -> Option<Outcome> {
    session.decision.as_ref().map(|decision| decision.value.decision.outcome)
}

/// The names, as callers of the sessions API know them; never the values.
fn different_members(before: &Session, after: &Session) -> Vec<String> {
    const COUNTERS: [&str; 2] = ["version", "notifications"];
    let (before, after) = (json!(before.view()), json!(after.view()));
    let members = after.as_object().into_iter().flatten();
    members
        .filter(|(name, value)| !COUNTERS.contains(&name.as_str()) && before[name.as_str()] != **value)
        .map(|(name, _)| name.clone())
        .collect()
}
