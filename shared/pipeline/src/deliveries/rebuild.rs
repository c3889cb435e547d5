//! Rebuilding a session: today's readers read all its stored payloads again, and the record that they make replaces the
//! one there is.
//!
//! This is for a reader that was corrected. Events keep their ids and arrivals, so that a copy is still recognised, and
//! no event that comes meanwhile is lost: the record is replaced only if no other writer has changed it.

use crate::{
    store::{
        queued_webhook::RebuildRequest,
        table::{
            SessionsTable,
            error::TableError,
            items::{Payload, StoredPayload},
            part_ids::PartId,
        },
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
use verdict_webhooks::{Part, ReadAgain, read_part_again};

/// The word for a record that stays as it is.
const UNCHANGED: &str = "unchanged";

/// The result of a rebuild.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rebuild {
    pub(crate) record: Rebuilt,
    /// The number of payloads that held more than today's readers store with their events.
    narrowed: usize,
}

/// The result for the record.
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

impl Rebuilt {
    fn report(&self) -> (&'static str, Value) {
        match self {
            Self::Unchanged => (UNCHANGED, json!({})),
            Self::Indexed => ("indexed", json!({})),
            Self::Replaced(Changes { events, members, from, to, notified }) => (
                "changed",
                json!({"events": events, "members": members, "notified": notified, "decision": {"from": from, "to": to}}),
            ),
            Self::Refused { refused, is_indexed } => {
                ("refused", json!({"reason": refused.code(), "events": refused.events(), "indexed": is_indexed}))
            }
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
    pub(crate) fn of(session: SessionKey, rebuild: &Result<Rebuild, TableError>) -> Self {
        let (outcome, details) = match rebuild {
            Ok(rebuild) => rebuild.record.report(),
            Err(error) => ("failed", json!({"reason": error.to_string()})),
        };
        let mut details = if let Value::Object(details) = details { details } else { Map::new() };
        let narrowed = rebuild.as_ref().map_or(0, |rebuild| rebuild.narrowed);
        if narrowed > 0 {
            details.insert("narrowed".to_owned(), narrowed.into());
        }
        let outcome = if outcome == UNCHANGED && narrowed > 0 { "narrowed" } else { outcome };
        Self { session, outcome, details }
    }

    /// The log line: the audit of what was done to a record, on whose request, and why. The report's own `reason` says
    /// why the record stays as it is.
    pub(crate) fn line(&self, who: Option<&str>, why: Option<&str>) -> Line {
        let line = Line::new("rebuild")
            .by("provider", self.session.provider.as_str())
            .with("session", shown(&self.session))
            .with("who", who)
            .with("why", why)
            .with("outcome", self.outcome)
            .count(&format!("rebuild.{}", self.outcome), 1);
        self.details.iter().fold(line, |line, (name, value)| line.with(name, value.clone()))
    }

    /// The log line of a preview: which session was looked at. It counts in no metric.
    pub(crate) fn preview_line(&self) -> Line {
        let line = Line::new("preview").with("provider", self.session.provider.as_str());
        line.with("session", shown(&self.session)).with("outcome", self.outcome)
    }
}

/// Says what rebuilding a session would change. Nothing is written.
pub(crate) async fn dry_run(
    table: &SessionsTable,
    request: &RebuildRequest,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Rebuild, TableError> {
    let look = async {
        let (reading, stored) = read_all_again(table, request, now).await?;
        Ok(Rebuild { record: reading.rebuilt(), narrowed: stored.narrowed.len() })
    };
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
) -> Result<Rebuild, TableError> {
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
) -> Result<Rebuild, TableError> {
    let (reading, stored) = read_all_again(table, request, now).await?;
    // Before the record is replaced: from then on, copies are looked for under these ids alone.
    table.write_part_ids(&request.session, &stored.part_ids).await?;
    for payload in &stored.narrowed {
        table.replace_payload(&request.session, &payload.stored()).await?;
    }
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
    Ok(Rebuild { record: reading.rebuilt(), narrowed: stored.narrowed.len() })
}

/// Items of a session, beside its record and events, that would differ if they were stored today.
#[derive(Default)]
struct Stored {
    part_ids: Vec<PartId>,
    narrowed: Vec<Narrowed>,
}

/// A payload that holds no more than what its event comes from.
struct Narrowed {
    event_id: EventId,
    source: String,
    text: String,
    expires_at: String,
}

impl Narrowed {
    /// Narrows a payload to a part. `None` if it holds no more than that.
    fn of(stored: &StoredPayload<'_>, part: Part) -> Option<Self> {
        (part.payload.len() < stored.payload.text.len()).then(|| Self {
            event_id: stored.event_id.clone(),
            source: stored.payload.source.to_owned(),
            text: part.payload,
            expires_at: stored.expires_at.to_owned(),
        })
    }

    fn stored(&self) -> StoredPayload<'_> {
        StoredPayload {
            event_id: self.event_id.clone(),
            payload: Payload { source: &self.source, text: &self.text },
            expires_at: &self.expires_at,
        }
    }
}

/// A session as today's readers make it.
enum Reading {
    /// A record.
    Read(Box<Refold>),
    /// None.
    Refused {
        refused: Refused,
        /// The record as it is, with its place in the lists by status if it lacks that.
        indexed: Option<Box<Session>>,
    },
}

/// A session as today's readers read it.
struct Refold {
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

impl Refold {
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
) -> Result<(Reading, Stored), TableError> {
    let session = &request.session;
    // The record first: an event that is recorded after this read changes its version, and the rebuild starts again.
    let Some(before) = table.session(session).await? else {
        return Ok((Reading::Refused { refused: Refused::Unknown, indexed: None }, Stored::default()));
    };
    let recorded = table.all_events(session).await?;
    // The record may be ahead of a query for a moment: an event that is being written would be left out.
    if recorded.len() as u64 != before.events {
        return Err(TableError::Conflict);
    }
    let withdrawal = if request.withdraw { Withdrawal::At(now) } else { Withdrawal::Refused };
    let (events, stored) = events_again(table, session, &recorded).await?;
    let refolded = match events {
        Ok(events) => match before.rebuild(&events, table.sequence_base(), withdrawal) {
            Ok(refolded) => Ok((events, refolded)),
            Err(problem) => Err(Refused::NotRebuilt(problem)),
        },
        Err(refused) => Err(refused),
    };
    let reading = match refolded {
        Ok((events, refolded)) => {
            let changed = events.into_iter().filter(|event| !recorded.contains(event)).collect();
            Reading::Read(Box::new(Refold { before, changed, refolded }))
        }
        Err(refused) => {
            let lacks_place = before.status_since.is_none();
            let indexed = lacks_place.then(|| before.indexed(&recorded)).flatten().map(Box::new);
            Reading::Refused { refused, indexed }
        }
    };
    Ok((reading, stored))
}

/// Reads the payloads of recorded events again, with today's readers.
async fn events_again(
    table: &SessionsTable,
    session: &SessionKey,
    recorded: &[SessionEvent],
) -> Result<(Result<Vec<SessionEvent>, Refused>, Stored), TableError> {
    let mut readings: HashMap<EventId, Option<SessionEvent>> = HashMap::new();
    let mut today = Stored::default();
    let by_id: HashMap<&EventId, &SessionEvent> = recorded.iter().map(|event| (&event.event_id, event)).collect();
    let read = |stored: StoredPayload<'_>| {
        let Some(event) = by_id.get(&stored.event_id) else { return };
        let again = read_part_again(event, stored.payload.source, stored.payload.text).unwrap_or_default();
        if let Some(again) = &again {
            today.part_ids.extend(PartId::of(event, again));
        }
        let event = again.map(|ReadAgain { event, part, .. }| {
            today.narrowed.extend(Narrowed::of(&stored, part));
            event
        });
        readings.insert(stored.event_id, event);
    };
    table.each_payload(session, read).await?;

    let expired = recorded.iter().filter(|event| !readings.contains_key(&event.event_id)).count();
    let unreadable = readings.values().filter(|reading| reading.is_none()).count();
    let events = match (expired, unreadable) {
        (0, 0) => Ok(readings.into_values().flatten().collect()),
        (0, _) => Err(Refused::Unreadable(unreadable)),
        _ => Err(Refused::Expired(expired)),
    };
    Ok((events, today))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuilds_line_says_who_asked_for_it_and_why() {
        let session = SessionKey::named("treezor", "user:6461762").unwrap();
        let refused = Rebuilt::Refused { refused: Refused::Expired(3), is_indexed: false };
        let report = Report::of(session, &Ok(Rebuild { record: refused, narrowed: 0 }));
        let line = report.line(Some("AROAEXAMPLE:operator-1"), Some("reader corrected")).value(Timestamp::EPOCH);
        let members = ["provider", "session", "who", "why", "outcome", "reason"].map(|name| &line[name]);
        let expected = [
            "treezor",
            "treezor/user:6461762",
            "AROAEXAMPLE:operator-1",
            "reader corrected",
            "refused",
            "payloads_expired",
        ];
        assert_eq!(members, expected.each_ref());
        assert_eq!(report.line(None, None).value(Timestamp::EPOCH)["who"], json!(null));
    }
}
