//! The poller asks Incode about sessions that have gone quiet, or that wait for a decision.
//!
//! Incode's webhooks end with "all data is there": whether the person passed has to be asked for. Answers are recorded
//! like webhooks, with the time just before the request. If a webhook and a poll report the same fact, it counts once,
//! since both give their event the same id.

use super::{
    attempt::{Attempt, AttemptError, PollResult},
    plan::plan,
    provider_api::{ApiError, ProviderApi},
};
use crate::{
    deliveries::{
        handling::{Handling, HandlingReport, Origin},
        record::Recorder,
    },
    store::table::{
        SessionsTable,
        error::TableError,
        items::{PartitionKey, Payload},
        polls::PollReason,
    },
    telemetry::line::{Line, shown},
    time::{clock::Clock, deadline::Deadline},
};
use futures_util::{StreamExt as _, stream};
use std::{cell::Cell, collections::BTreeMap, pin::pin, slice, time::Duration};
use tokio::time::Instant;
use verdict_sessions::{Outcome, Session, SessionEvent, SessionKey, Stage, Timestamp};
use verdict_webhooks::{
    Disposition,
    incode::{Finding, SCORE_PATH, STATUS_PATH, recurrence},
};

/// The time after which polling of an undecided session stops.
const GIVE_UP_AFTER: Duration = Duration::from_hours(72);

/// The number of sessions of each shard that one run takes on. The next run is a minute away.
const SESSIONS_PER_SHARD: usize = 50;

/// The most sessions that are polled at once: sparingly, as the contract asks.
const MAX_CONCURRENT_SESSIONS: usize = 4;

/// The longest that recording one fact may take.
const RECORD_LIMIT: Duration = Duration::from_secs(5);

/// The pause of the whole API after *too many requests*, if the answer names none.
const DEFAULT_API_PAUSE: Duration = Duration::from_mins(1);

/// The longest pause of the whole API, whatever it asked for.
const LONGEST_API_PAUSE: Duration = Duration::from_mins(15);

/// Polls Incode about the sessions on the schedule.
pub struct Poller<A> {
    /// The API, if there are credentials for it. Without it, nothing is polled.
    api: Option<A>,
    table: SessionsTable,
    recorder: Recorder,
    /// The end of the pause that the API asked for.
    paused_until: Cell<Option<Instant>>,
}

impl<A: ProviderApi> Poller<A> {
    pub(crate) fn new(api: Option<A>, table: SessionsTable, recorder: Recorder) -> Self {
        Self { api, table, recorder, paused_until: Cell::new(None) }
    }

    /// Polls every session that is due, until the deadline comes or the API asks for a pause.
    ///
    /// # Errors
    /// [`TableError`] if the table can't say what is due.
    pub async fn run(&self, now: Timestamp, deadline: Deadline) -> Result<(), TableError> {
        let Some(api) = &self.api else {
            tracing::info!("no credentials for Incode's API: nothing is polled");
            return Ok(());
        };
        let clock = Clock::at(now);
        let mut due = deadline.try_bound(self.table.due_polls(now, SESSIONS_PER_SHARD)).await?;
        // Across the shards, too, so that a slow API doesn't keep the last shard waiting for ever.
        due.sort_by_key(|(_, since)| *since);
        let oldest_seconds = due.first().map_or(0, |(_, since)| now.seconds_since(*since));
        let mut run = PollRun::default();
        let mut attempts = pin!(
            stream::iter(&due)
                .map(|entry| self.attempt_unless_paused(api, entry, clock, deadline))
                .buffer_unordered(MAX_CONCURRENT_SESSIONS)
        );
        while let Some(attempt) = attempts.next().await {
            run.add(attempt);
        }
        run.line().seconds("oldestPollDue", oldest_seconds).print(now);
        Ok(())
    }

    /// Returns `None` if there is no time left, or if the API asked for a pause. The session stays due then.
    async fn attempt_unless_paused(
        &self,
        api: &A,
        (partition, due_at): &(PartitionKey, Timestamp),
        clock: Clock,
        deadline: Deadline,
    ) -> Option<Result<Attempt, AttemptError>> {
        let is_paused = self.paused_until.get().is_some_and(|until| Instant::now() < until);
        if is_paused || deadline.remaining().is_zero() {
            return None;
        }
        let attempt = deadline.try_bound(self.attempt(api, partition, *due_at, clock)).await;
        if let Err(error) = &attempt {
            let session = partition.session().as_ref().map(shown);
            tracing::warn!(session, %error, "a session could not be polled; it stays on the schedule");
        }
        if let Err(AttemptError::Api(error)) = &attempt
            && error.affects_all_sessions()
        {
            self.pause(*error);
        }
        Some(attempt)
    }

    /// Leaves the API alone for a while.
    fn pause(&self, error: ApiError) {
        let pause = match error {
            ApiError::TooManyRequests { retry_after } => retry_after.unwrap_or(DEFAULT_API_PAUSE),
            // New credentials come with a new process.
            _ => LONGEST_API_PAUSE,
        };
        self.paused_until.set(Some(Instant::now() + pause.min(LONGEST_API_PAUSE)));
    }

    async fn attempt(
        &self,
        api: &A,
        partition: &PartitionKey,
        due_at: Timestamp,
        clock: Clock,
    ) -> Result<Attempt, AttemptError> {
        let now = clock.now();
        let Some(poll) = self.table.take_poll(partition, due_at, now).await? else { return Ok(Attempt::Taken) };
        let key = partition.session().ok_or(TableError::Unreadable("key"))?;
        let record = self.table.session(&key).await?;
        if poll.reason != PollReason::Recheck && record.as_ref().is_some_and(is_decided) {
            self.table.end_poll(partition, poll).await?;
            return Ok(Attempt::Decided);
        }
        if poll.since.plus(GIVE_UP_AFTER) < now {
            tracing::warn!(session = shown(&key), "still undecided; polling stops");
            self.table.end_poll(partition, poll).await?;
            return Ok(Attempt::GivenUp);
        }
        let is_handed_in = poll.reason != PollReason::Quiet || record.as_ref().is_some_and(is_submitted);
        let result = self.poll(api, &key, is_handed_in, clock).await;
        if result.is_ok() && self.table.session(&key).await?.as_ref().is_some_and(is_decided) {
            self.table.end_poll(partition, poll).await?;
        } else {
            let (next, pause) = plan(poll, is_handed_in, &result);
            self.table.put_off(partition, next, now.plus(pause)).await?;
        }
        result.map(|result| Attempt::Polled { news: result.news })
    }

    /// Asks how far the session is. If everything is handed in and nothing is decided, it also asks for the score:
    /// Incode may still be at work on something then, so that the status isn't *finished* yet.
    async fn poll(
        &self,
        api: &A,
        key: &SessionKey,
        is_handed_in: bool,
        clock: Clock,
    ) -> Result<PollResult, AttemptError> {
        // What an answer says was true when it was made, so not before it was asked for.
        let asked_at = clock.now();
        let answer = api.get(STATUS_PATH, &key.session_id).await?;
        let status = Finding::of_status(key, &answer, asked_at)?;
        let is_finished = status.finished;
        let decides = status.event.as_ref().is_some_and(|event| event.decision.is_some());
        let mut news = self.record_finding(status, STATUS_PATH, asked_at).await?;
        if (is_finished || is_handed_in) && !decides {
            let asked_at = clock.now();
            let answer = api.get(SCORE_PATH, &key.session_id).await?;
            let score = Finding::of_score(key, &answer, asked_at)?;
            news += self.record_finding(score, SCORE_PATH, asked_at).await?;
        }
        Ok(PollResult { news, is_finished })
    }

    /// Records what an answer says, and returns how many facts were new.
    async fn record_finding(&self, finding: Finding, source: &str, asked_at: Timestamp) -> Result<usize, AttemptError> {
        let Finding { event: Some(event), payload, .. } = finding else { return Ok(0) };
        let payload = Payload { source, text: &payload };
        let mut disposition = self.record(&event, payload, asked_at).await?;
        if disposition == Disposition::Duplicate && self.is_recurrence(&event).await? {
            disposition = self.record(&recurrence(event, asked_at), payload, asked_at).await?;
        }
        Ok(usize::from(disposition == Disposition::Recorded))
    }

    /// Records one fact, and logs it unless it is a duplicate, as most answers are.
    async fn record(
        &self,
        event: &SessionEvent,
        payload: Payload<'_>,
        asked_at: Timestamp,
    ) -> Result<Disposition, AttemptError> {
        let started = Instant::now();
        let durable_by = Deadline::after(RECORD_LIMIT);
        let handling = self.recorder.record(slice::from_ref(event), payload, asked_at, durable_by).await;
        if handling.disposition != Disposition::Duplicate {
            report(&handling, event, started.elapsed(), asked_at);
        }
        match handling.failure() {
            Some(failure) => Err(AttemptError::NotRecorded(failure)),
            None => Ok(handling.disposition),
        }
    }

    /// Returns whether a decision that is recorded already holds again, after another one.
    async fn is_recurrence(&self, event: &SessionEvent) -> Result<bool, TableError> {
        let Some(decision) = &event.decision else { return Ok(false) };
        let session = self.table.session(&event.session).await?;
        let standing = session.as_ref().and_then(Session::standing_outcome);
        Ok(standing.is_some_and(|standing| standing != decision.outcome))
    }
}

fn report(handling: &Handling, event: &SessionEvent, took: Duration, asked_at: Timestamp) {
    let provider = event.session.provider;
    HandlingReport { origin: Origin::Poll, request: None, provider, handling, took }.print(asked_at);
}

fn is_decided(session: &Session) -> bool {
    session.standing_outcome().is_some_and(Outcome::is_final)
}

fn is_submitted(session: &Session) -> bool {
    session.current_attempt().is_some_and(|attempt| attempt.stage == Stage::Submitted)
}

/// The tally of one run.
#[derive(Default)]
struct PollRun {
    polled: usize,
    news: usize,
    decided: usize,
    given_up: usize,
    left: usize,
    failures: BTreeMap<&'static str, usize>,
}

impl PollRun {
    fn add(&mut self, attempt: Option<Result<Attempt, AttemptError>>) {
        match attempt {
            None => self.left += 1,
            Some(Ok(Attempt::Taken)) => {}
            Some(Ok(Attempt::Decided)) => self.decided += 1,
            Some(Ok(Attempt::GivenUp)) => self.given_up += 1,
            Some(Ok(Attempt::Polled { news })) => {
                self.polled += 1;
                self.news += news;
            }
            Some(Err(error)) => *self.failures.entry(error.code()).or_default() += 1,
        }
    }

    fn line(&self) -> Line {
        let line = Line::new("poll")
            .count("polled", self.polled)
            .count("pollNews", self.news)
            .count("pollDecided", self.decided)
            .count("pollGivenUp", self.given_up)
            .count("pollLeft", self.left)
            .count("pollFailed", self.failures.values().sum());
        self.failures.iter().fold(line, |line, (code, times)| line.count(&format!("pollFailed.{code}"), *times))
    }
}
