//! Rebuilding a session: today's readers read all its stored payloads again, and the record that they make replaces the
//! one there is.
//!
//! This is for a reader that was corrected. Events keep their ids and arrivals, so that a copy is still recognised, and
//! no event that comes meanwhile is lost: the record is replaced only if no other writer has changed it.

use crate::{
    store::{
        queued_webhook::RebuildRequest,
        table::{SessionsTable, error::TableError},
    },
    telemetry::line::{Line, shown},
    time::{backoff::Pauses, deadline::Deadline},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use verdict_sessions::{
    EventId, NotRebuilt, Outcome, Refolded, Session, SessionEvent, SessionKey, Timestamp, Withdrawal,
};
use verdict_webhooks::{Unreadable, read_again};

/// The result of a rebuild.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rebuilt {
    /// Today's readers make the record that there is.
    Unchanged,
    /// They do, and the record now also has its place in the lists by status.
    Indexed,
    /// The record was replaced.
    Replaced(Changes),
    /// The record stays as it is.
    Refused {
        refused: Refused,
        /// True if it now has its place in the lists by status.
        is_indexed: bool,
    },
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
    /// True if a notification is due, since the decision changes, or a check of a session that is decided.
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
            Ok(Rebuilt::Indexed) => ("indexed", json!({})),
            Ok(Rebuilt::Replaced(Changes { events, members, from, to, notified })) => (
                "changed",
                json!({"events": events, "members": members, "notified": notified, "decision": {"from": from, "to": to}}),
            ),
            Ok(Rebuilt::Refused { refused, is_indexed }) => {
                ("refused", json!({"reason": refused.code(), "events": refused.events(), "indexed": is_indexed}))
            }
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
    request: &RebuildRequest,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Rebuilt, TableError> {
    let look = async { Ok(read_all_again(table, request, now).await?.rebuilt()) };
    deadline.try_bound(look).await
}

/// Rebuilds a session, once, however many writers there are.
///
/// # Errors
/// [`TableError::Deadline`], or an error that a retry can't help.
pub(crate) async fn rebuild(
    table: &SessionsTable,
    request: &RebuildRequest,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Rebuilt, TableError> {
    let tries = async {
        let mut pauses = Pauses::default();
        loop {
            match try_to_rebuild(table, request, now).await {
                Err(error) if error.is_transient() => tokio::time::sleep(pauses.next()).await,
                done => return done,
            }
        }
    };
    deadline.try_bound(tries).await
}

async fn try_to_rebuild(
    table: &SessionsTable,
    request: &RebuildRequest,
    now: Timestamp,
) -> Result<Rebuilt, TableError> {
    let reading = read_all_again(table, request, now).await?;
    if let Reading::Read(rebuild) = &reading {
        // The events first: if this stops in between, the next try finds the record still to be replaced.
        for event in &rebuild.changed {
            table.replace_event(event).await?;
        }
        if let Refolded::Changed(applied) = &rebuild.refolded {
            table.replace_session(&rebuild.before, applied, now).await?;
        }
    }
    if let Some(indexed) = reading.indexed() {
        table.index_session(indexed).await?;
    }
    Ok(reading.rebuilt())
}

/// A session as today's readers make it.
enum Reading {
    /// A record.
    Read(Box<Rebuild>),
    /// None.
    Refused {
        refused: Refused,
        /// The record as it is, with its place in the lists by status if it lacks that.
        indexed: Option<Box<Session>>,
    },
}

/// A session as today's readers read it.
struct Rebuild {
    before: Session,
    /// The events that read otherwise.
    changed: Vec<SessionEvent>,
    refolded: Refolded,
}

impl Reading {
    /// The record as it is, with its place in the lists by status, if that is all that changes in it.
    fn indexed(&self) -> Option<&Session> {
        match self {
            Self::Read(rebuild) => match &rebuild.refolded {
                Refolded::Indexed(session) => Some(session),
                Refolded::Same | Refolded::Changed(_) => None,
            },
            Self::Refused { indexed, .. } => indexed.as_deref(),
        }
    }

    fn rebuilt(&self) -> Rebuilt {
        match self {
            Self::Read(rebuild) => match (rebuild.changes(), &rebuild.refolded) {
                (Some(changes), _) => Rebuilt::Replaced(changes),
                (None, Refolded::Indexed(_)) => Rebuilt::Indexed,
                (None, _) => Rebuilt::Unchanged,
            },
            Self::Refused { refused, indexed } => Rebuilt::Refused { refused: *refused, is_indexed: indexed.is_some() },
        }
    }
}

impl Rebuild {
    fn changes(&self) -> Option<Changes> {
        let applied = match &self.refolded {
            Refolded::Changed(applied) => Some(applied),
            Refolded::Same | Refolded::Indexed(_) => None,
        };
        if self.changed.is_empty() && applied.is_none() {
            return None;
        }
        let after = applied.map_or(&self.before, |applied| &applied.session);
        Some(Changes {
            events: self.changed.len(),
            members: different_members(&self.before, after),
            from: self.before.standing_outcome(),
            to: after.standing_outcome(),
            notified: applied.is_some_and(|applied| applied.notification.is_some()),
        })
    }
}

/// Reads all of a session's payloads again.
async fn read_all_again(
    table: &SessionsTable,
    request: &RebuildRequest,
    now: Timestamp,
) -> Result<Reading, TableError> {
    let session = &request.session;
    // The record first: an event that is recorded after this read changes its version, and the rebuild starts again.
    let Some(before) = table.session(session).await? else {
        return Ok(Reading::Refused { refused: Refused::Unknown, indexed: None });
    };
    let recorded = table.all_events(session).await?;
    // The record may be ahead of a query for a moment: an event that is being written would be left out.
    if recorded.len() as u64 != before.events {
        return Err(TableError::Conflict);
    }
    let withdrawal = if request.withdraw { Withdrawal::At(now) } else { Withdrawal::Refused };
    let refolded = match events_again(table, session, &recorded).await? {
        Ok(events) => match before.rebuild(&events, table.sequence_base(), withdrawal) {
            Ok(refolded) => Ok((events, refolded)),
            Err(problem) => Err(Refused::NotRebuilt(problem)),
        },
        Err(refused) => Err(refused),
    };
    Ok(match refolded {
        Ok((events, refolded)) => {
            let changed = events.into_iter().filter(|event| !recorded.contains(event)).collect();
            Reading::Read(Box::new(Rebuild { before, changed, refolded }))
        }
        Err(refused) => {
            let lacks_place = before.status_since.is_none();
            let indexed = lacks_place.then(|| before.indexed(&recorded)).flatten().map(Box::new);
            Reading::Refused { refused, indexed }
        }
    })
}

/// Reads the payloads of recorded events again, with today's readers.
async fn events_again(
    table: &SessionsTable,
    session: &SessionKey,
    recorded: &[SessionEvent],
) -> Result<Result<Vec<SessionEvent>, Refused>, TableError> {
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
    Ok(Ok(readings.into_values().flatten().flatten().collect()))
}

/// The names of the members that differ, as callers of the sessions API know them; never the values.
fn different_members(before: &Session, after: &Session) -> Vec<String> {
    const COUNTERS: [&str; 3] = ["version", "notifications", "statusSince"];
    let (before, after) = (json!(before.view()), json!(after.view()));
    let members = after.as_object().into_iter().flatten();
    members
        .filter(|(name, value)| !COUNTERS.contains(&name.as_str()) && before[name.as_str()] != **value)
        .map(|(name, _)| name.clone())
        .collect()
}
