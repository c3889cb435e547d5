//! Rebuilding a session: today's readers read all its stored payloads again, and the record that they make replaces the
//! one there is.
//!
//! This is for a reader that was corrected. Events keep their ids and arrivals, so that a copy is still recognised, and
//! no event that comes meanwhile is lost: the record is replaced only if no other writer has changed it.

use crate::{
    store::table::{SessionsTable, error::TableError},
    telemetry::line::{Line, shown},
    time::{backoff::Pauses, deadline::Deadline},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use verdict_sessions::{Applied, EventId, NotRebuilt, Outcome, Session, SessionEvent, SessionKey, Timestamp};
use verdict_webhooks::{Unreadable, read_again};

/// The result of a rebuild.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rebuilt {
    /// Today's readers make the record that there is.
    Unchanged,
    /// The record was replaced.
    Replaced(Changes),
    /// The record stays as it is.
    Refused(Refused),
}

/// The differences between today's reading and the record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The number of events that read otherwise.
    events: usize,
    /// The members of the record that differ.
    members: Vec<String>,
    from: Option<Outcome>,
    to: Option<Outcome>,
    /// True if a notification is due, since the decision changes.
    pub(crate) notified: bool,
}

/// The reason for which a record stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The session doesn't exist.
    Unknown,
    /// The payloads of that many events have expired.
    Expired(usize),
    /// That many payloads can't be read any more, or say nothing of the session.
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

    /// The number of events that are in the way.
    const fn events(self) -> Option<usize> {
        match self {
            Self::Expired(count) | Self::Unreadable(count) => Some(count),
            Self::Unknown | Self::NotRebuilt(_) => None,
        }
    }
}

/// The report to the operator.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    #[serde(flatten)]
    session: SessionKey,
    outcome: &'static str,
    #[serde(flatten)]
    details: Map<String, Value>,
}

impl Report {
    pub(crate) fn of(session: SessionKey, rebuilt: &Result<Rebuilt, TableError>) -> Self {
        let (outcome, details) = match rebuilt {
            Ok(Rebuilt::Unchanged) => ("unchanged", json!({})),
            Ok(Rebuilt::Replaced(Changes { events, members, from, to, notified })) => (
                "changed",
                json!({"events": events, "members": members, "notified": notified, "decision": {"from": from, "to": to}}),
            ),
            Ok(Rebuilt::Refused(refused)) => ("refused", json!({"reason": refused.code(), "events": refused.events()})),
            Err(error) => ("failed", json!({"reason": error.to_string()})),
        };
        let details = if let Value::Object(details) = details { details } else { Map::new() };
        Self { session, outcome, details }
    }

    /// The log line: the audit of what was done to a record.
    pub(crate) fn line(&self) -> Line {
        let line = Line::new("rebuild")
            .by("provider", self.session.provider.as_str())
            .with("session", shown(&self.session))
            .with("outcome", self.outcome)
            .count(&format!("rebuild.{}", self.outcome), 1);
        self.details.iter().fold(line, |line, (name, value)| line.with(name, value.clone()))
    }
}

/// Says what rebuilding a session would change. Nothing is written.
pub(crate) async fn dry_run(
    table: &SessionsTable,
    session: &SessionKey,
    deadline: Deadline,
) -> Result<Rebuilt, TableError> {
    let look = async {
        Ok(match read_all_again(table, session).await? {
            Ok(rebuild) => rebuild.changes().map_or(Rebuilt::Unchanged, Rebuilt::Replaced),
            Err(refused) => Rebuilt::Refused(refused),
        })
    };
    deadline.try_bound(look).await
}

/// Rebuilds a session, once, however many writers there are.
///
/// # Errors
/// [`TableError::Deadline`], or an error that a retry can't help.
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
    let rebuild = match read_all_again(table, session).await? {
        Ok(rebuild) => rebuild,
        Err(refused) => return Ok(Rebuilt::Refused(refused)),
    };
    let Some(changes) = rebuild.changes() else { return Ok(Rebuilt::Unchanged) };
    // The events first: if this stops in between, the next try finds the record still to be replaced.
    for event in &rebuild.changed {
        table.replace_event(event).await?;
    }
    if let Some(applied) = &rebuild.applied {
        table.replace_session(&rebuild.before, applied, now).await?;
    }
    Ok(Rebuilt::Replaced(changes))
}

/// A session as today's readers read it.
struct Rebuild {
    before: Session,
    /// The events that read otherwise.
    changed: Vec<SessionEvent>,
    /// The record, if it differs.
    applied: Option<Applied>,
}

impl Rebuild {
    fn changes(&self) -> Option<Changes> {
        if self.changed.is_empty() && self.applied.is_none() {
            return None;
        }
        let after = self.applied.as_ref().map_or(&self.before, |applied| &applied.session);
        Some(Changes {
            events: self.changed.len(),
            members: different_members(&self.before, after),
            from: self.before.standing_outcome(),
            to: after.standing_outcome(),
            notified: self.applied.as_ref().is_some_and(|applied| applied.notification.is_some()),
        })
    }
}

/// Reads all of a session's payloads again.
async fn read_all_again(table: &SessionsTable, session: &SessionKey) -> Result<Result<Rebuild, Refused>, TableError> {
    // The record first: an event that is recorded after this read changes its version, and the rebuild starts again.
    let Some(before) = table.session(session).await? else { return Ok(Err(Refused::Unknown)) };
    let recorded = table.all_events(session).await?;
    // The record may be ahead of a query for a moment: an event that is being written would be left out.
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
    Ok(Ok(Rebuild { before, changed, applied }))
}

/// The names of the members that differ, as callers of the sessions API know them; never the values.
fn different_members(before: &Session, after: &Session) -> Vec<String> {
    const COUNTERS: [&str; 2] = ["version", "notifications"];
    let (before, after) = (json!(before.view()), json!(after.view()));
    let members = after.as_object().into_iter().flatten();
    members
        .filter(|(name, value)| !COUNTERS.contains(&name.as_str()) && before[name.as_str()] != **value)
        .map(|(name, _)| name.clone())
        .collect()
}
