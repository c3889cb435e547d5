//! Polling: asking Incode about sessions that have gone quiet or wait for a decision.
//!
//! Incode's webhooks end with "all data is there"; whether the person passed is asked for. What an
//! answer says is recorded, notified and counted like a webhook's: same fold, same transaction, same
//! outbox, and the same event id where a webhook says the same.

use crate::{
    Deadline, DecisionsQueue, Recorded, SessionsTable, StartError, TableError,
    clock::Clock,
    deadline::Elapsed,
    incode_api::IncodeApi,
    outbox,
    provider_api::{ApiError, ProviderApi},
    table::{
        items::{PartitionKey, Payload},
        polls::{Poll, PollReason},
    },
    telemetry,
};
use futures_util::{StreamExt as _, stream};
use std::{cell::Cell, collections::BTreeMap, pin::pin, time::Duration};
use thiserror::Error;
use tokio::time::Instant;
use verdict_sessions::{Outcome, Session, SessionEvent, SessionKey, Stage, Timestamp};
use verdict_webhooks::{
    Unreadable,
    incode::{ApiAccess, Finding, SCORE_PATH, STATUS_PATH, recurrence},
};

/// How long an undecided session is asked about.
const GIVE_UP_AFTER: Duration = Duration::from_hours(72);

/// The pause after the first question about a decision; each one after is twice as long.
const FIRST_PAUSE: Duration = Duration::from_mins(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_hours(4);

/// The most sessions of each shard that one run takes on; the next run is a minute away.
const SESSIONS_A_SHARD: usize = 50;

/// How many sessions are asked about at a time: sparingly, as the contract asks.
const AT_A_TIME: usize = 4;

/// How long recording one fact may take.
const RECORD_LIMIT: Duration = Duration::from_secs(5);

/// The longest that the API is left alone, whatever it said.
const LONGEST_SILENCE: Duration = Duration::from_mins(15);

/// Asks Incode about the sessions on the schedule.
pub struct Poller<A = IncodeApi> {
    /// `None`: no credentials for the API, so nothing is polled.
    api: Option<A>,
    table: SessionsTable,
    decisions: DecisionsQueue,
    /// Until when the API asked to be left alone.
    silent_until: Cell<Option<Instant>>,
}

/// What came of one session in one run.
enum Visit {
    /// Somebody else has it.
    Taken,
    /// Decided already: nothing to ask.
    Decided,
    /// Undecided for so long that nobody asks any more.
    GivenUp,
    /// Asked, with so many new facts.
    Asked { news: usize },
}

/// What asking came to.
struct Asked {
    /// How many facts were new.
    news: usize,
    /// Whether all is handed in, so that a decision is what is waited for.
    is_finished: bool,
}

/// Why a session could not be asked about. It stays on the schedule.
#[derive(Debug, Error)]
enum VisitError {
    #[error("table: {0}")]
    Table(#[from] TableError),
    #[error("Incode's API: {0}")]
    Api(#[from] ApiError),
    #[error("Incode's API: {0}")]
    Answer(#[from] Unreadable),
    #[error(transparent)]
    Deadline(#[from] Elapsed),
}

impl VisitError {
    const fn code(&self) -> &'static str {
        match self {
            Self::Table(_) => "table",
            Self::Api(error) => error.code(),
            Self::Answer(_) => "unreadable",
            Self::Deadline(_) => "deadline",
        }
    }
}

impl Poller {
    /// Puts the parts together. Without `access` every run ends at once.
    ///
    /// # Errors
    /// [`StartError::HttpClient`].
    pub fn new(
        access: Option<&ApiAccess>,
        table: SessionsTable,
        decisions: DecisionsQueue,
    ) -> Result<Self, StartError> {
        let api = access.cloned().map(IncodeApi::new).transpose().map_err(|_| StartError::HttpClient)?;
        Ok(Self { api, table, decisions, silent_until: Cell::new(None) })
    }
}

impl<A: ProviderApi> Poller<A> {
    /// The same with somebody else who answers.
    pub fn asking(api: A, table: SessionsTable, decisions: DecisionsQueue) -> Self {
        Self { api: Some(api), table, decisions, silent_until: Cell::new(None) }
    }

    /// Asks about every session that is due, until the time is up or the API has had enough.
    ///
    /// # Errors
    /// [`TableError`] where the table can't say what is due.
    pub async fn run(&self, now: Timestamp, deadline: Deadline) -> Result<(), TableError> {
        let Some(api) = &self.api else {
            tracing::info!("no credentials for Incode's API: nothing is polled");
            return Ok(());
        };
        let clock = Clock::at(now);
        let mut due = deadline.try_bound(self.table.due_polls(now, SESSIONS_A_SHARD)).await?;
        // Across the shards, too, so that a slow API does not leave the last shard to itself.
        due.sort_by_key(|(_, since)| *since);
        let oldest = due.first().map_or(0, |(_, since)| now.seconds_since(*since));
        let mut tally = Tally::default();
        let mut visits = pin!(
            stream::iter(&due)
                .map(|entry| self.visit_unless_silent(api, entry, clock, deadline))
                .buffer_unordered(AT_A_TIME)
        );
        while let Some(visit) = visits.next().await {
            tally.count(visit);
        }
        tally.report(now, oldest);
        Ok(())
    }

    /// `None` where there is no time, or the API does not want to be asked; the session stays due.
    async fn visit_unless_silent(
        &self,
        api: &A,
        (session, due_at): &(PartitionKey, Timestamp),
        clock: Clock,
        deadline: Deadline,
    ) -> Option<Result<Visit, VisitError>> {
        let is_silent = self.silent_until.get().is_some_and(|until| Instant::now() < until);
        if is_silent || deadline.remaining().is_zero() {
            return None;
        }
        let visit = deadline.try_bound(self.visit(api, session, *due_at, clock)).await;
        if let Err(error) = &visit {
            let session = session.session().as_ref().map(telemetry::shown);
            tracing::warn!(session, %error, "a session could not be asked about; it stays on the schedule");
        }
        if let Err(VisitError::Api(error)) = &visit
            && error.affects_all_sessions()
        {
            let silence = match error {
                ApiError::TooManyRequests { retry_after } => retry_after.unwrap_or(FIRST_PAUSE),
                // New credentials come with a new process.
                _ => LONGEST_SILENCE,
            };
            self.silent_until.set(Some(Instant::now() + silence.min(LONGEST_SILENCE)));
        }
        Some(visit)
    }

    async fn visit(
        &self,
        api: &A,
        partition: &PartitionKey,
        due_at: Timestamp,
        clock: Clock,
    ) -> Result<Visit, VisitError> {
        let now = clock.now();
        let Some(poll) = self.table.take_poll(partition, due_at, now).await? else { return Ok(Visit::Taken) };
        let key = partition.session().ok_or(TableError::Unreadable("key"))?;
        let record = self.table.session(&key).await?;
        if poll.reason != PollReason::Recheck && record.as_ref().is_some_and(is_decided) {
            self.table.end_poll(partition, poll).await?;
            return Ok(Visit::Decided);
        }
        if poll.since.plus(GIVE_UP_AFTER) < now {
            tracing::warn!(session = telemetry::shown(&key), "still undecided; not asked about any more");
            self.table.end_poll(partition, poll).await?;
            return Ok(Visit::GivenUp);
        }
        let is_handed_in = poll.reason != PollReason::Quiet || record.as_ref().is_some_and(is_submitted);
        let asked = self.ask(api, &key, is_handed_in, clock).await;
        if asked.is_ok() && self.table.session(&key).await?.as_ref().is_some_and(is_decided) {
            self.table.end_poll(partition, poll).await?;
        } else {
            let (next, pause) = plan(poll, is_handed_in, &asked);
            self.table.put_off(partition, next, now.plus(pause)).await?;
        }
        asked.map(|asked| Visit::Asked { news: asked.news })
    }

    /// Asks how far the session is and, where all is handed in and nothing is decided, how it scored. Incode may
    /// still be at work on something then, so that the status says something else than *finished*.
    async fn ask(&self, api: &A, key: &SessionKey, is_handed_in: bool, clock: Clock) -> Result<Asked, VisitError> {
        // What an answer says was true when it was made, so not before it was asked for.
        let asked_at = clock.now();
        let answer = api.get(STATUS_PATH, &key.session_id).await?;
        let status = Finding::of_status(key, &answer, asked_at)?;
        let is_finished = status.finished;
        let decides = status.event.as_ref().is_some_and(|event| event.decision.is_some());
        let mut news = self.learn(status, STATUS_PATH, asked_at).await?;
        if (is_finished || is_handed_in) && !decides {
            let asked_at = clock.now();
            let answer = api.get(SCORE_PATH, &key.session_id).await?;
            news += self.learn(Finding::of_score(key, &answer, asked_at)?, SCORE_PATH, asked_at).await?;
        }
        Ok(Asked { news, is_finished })
    }

    /// Records what an answer says and publishes what that makes due; says how many facts were new.
    async fn learn(&self, finding: Finding, source: &str, asked_at: Timestamp) -> Result<usize, VisitError> {
        let Finding { event: Some(event), payload, .. } = finding else { return Ok(0) };
        let payload = Payload { source, text: &payload };
        let deadline = Deadline::after(RECORD_LIMIT);
        let mut recorded = self.table.record(&event, payload, asked_at, deadline).await?;
        if recorded == Recorded::Duplicate && self.has_come_again(&event).await? {
            recorded = self.table.record(&recurrence(event.clone(), asked_at), payload, asked_at, deadline).await?;
        }
        let Recorded::New { notification_due } = recorded else { return Ok(0) };
        if notification_due {
            let session = PartitionKey::of(&event.session);
            if let Err(error) = outbox::drain(&self.table, &self.decisions, &session).await {
                tracing::warn!(%error, "could not publish; left to the relay");
            }
        }
        Ok(1)
    }

    /// Whether a decision that is known already holds again, after another one.
    async fn has_come_again(&self, event: &SessionEvent) -> Result<bool, TableError> {
        let Some(said) = event.decision.as_ref().map(|decision| decision.outcome) else { return Ok(false) };
        let standing = self.table.session(&event.session).await?.as_ref().and_then(outcome);
        Ok(standing.is_some_and(|standing| standing != said))
    }
}

fn outcome(session: &Session) -> Option<Outcome> {
    session.decision.as_ref().map(|decision| decision.value.decision.outcome)
}

fn is_decided(session: &Session) -> bool {
    outcome(session).is_some_and(Outcome::is_final)
}

fn is_submitted(session: &Session) -> bool {
    session.current_attempt().is_some_and(|attempt| attempt.stage == Stage::Submitted)
}

/// As what to ask again, and how long to wait.
fn plan(poll: Poll, is_handed_in: bool, asked: &Result<Asked, VisitError>) -> (Poll, Duration) {
    match asked {
        Ok(asked) => {
            let reason = if asked.is_finished || is_handed_in { PollReason::Decision } else { PollReason::Quiet };
            let tries = if reason == poll.reason { poll.tries + 1 } else { 1 };
            let next = poll.as_of(reason, tries);
            (next, pause(&next))
        }
        // That is not the session's doing.
        Err(VisitError::Api(error)) if error.affects_all_sessions() => (poll, FIRST_PAUSE),
        Err(error) => {
            let next = poll.as_of(poll.reason, poll.tries + 1);
            let is_outage = matches!(error, VisitError::Api(error) if error.is_outage());
            (next, if is_outage { pause(&next).min(LONGEST_SILENCE) } else { pause(&next) })
        }
    }
}

/// Grows with every try, and from further up for a session that has gone quiet: most of those were left for good.
fn pause(poll: &Poll) -> Duration {
    let doublings = poll.tries.saturating_sub(1) + if poll.reason == PollReason::Quiet { 5 } else { 0 };
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_PAUSE)
}

/// What one run did.
#[derive(Default)]
struct Tally {
    asked: usize,
    news: usize,
    decided: usize,
    given_up: usize,
    left: usize,
    failures: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn count(&mut self, visit: Option<Result<Visit, VisitError>>) {
        match visit {
            None => self.left += 1,
            Some(Ok(Visit::Taken)) => {}
            Some(Ok(Visit::Decided)) => self.decided += 1,
            Some(Ok(Visit::GivenUp)) => self.given_up += 1,
            Some(Ok(Visit::Asked { news })) => {
                self.asked += 1;
                self.news += news;
            }
            Some(Err(error)) => *self.failures.entry(error.code()).or_default() += 1,
        }
    }

    fn report(&self, now: Timestamp, oldest_seconds: u64) {
        let mut counts = vec![
            ("polled", self.asked),
            ("pollNews", self.news),
            ("pollDecided", self.decided),
            ("pollGivenUp", self.given_up),
            ("pollLeft", self.left),
            ("pollFailed", self.failures.values().sum()),
        ];
        let named: Vec<(String, usize)> =
            self.failures.iter().map(|(code, times)| (format!("pollFailed.{code}"), *times)).collect();
        counts.extend(named.iter().map(|(name, times)| (&**name, *times)));
        telemetry::report_run("poll", now, &counts, ("oldestPollDue", oldest_seconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(reason: PollReason, tries: u32) -> Poll {
        Poll::taken(Timestamp::EPOCH).as_of(reason, tries)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as asking gives it")]
    fn answered(is_finished: bool) -> Result<Asked, VisitError> {
        Ok(Asked { news: 0, is_finished })
    }

    fn minutes(plan: &(Poll, Duration)) -> u64 {
        plan.1.as_secs() / 60
    }

    #[test]
    fn who_waits_for_a_decision_is_asked_about_after_twice_the_time_each_time() {
        let mut next = poll(PollReason::Decision, 0);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let planned = plan(next, true, &answered(true));
            pauses.push(minutes(&planned));
            next = planned.0;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]);
    }

    #[test]
    fn who_is_quiet_is_asked_about_less_often() {
        let first = plan(poll(PollReason::Quiet, 0), false, &answered(false));
        let second = plan(first.0, false, &answered(false));
        assert_eq!((minutes(&first), minutes(&second)), (32, 64));
    }

    #[test]
    fn who_turns_out_to_have_finished_waits_for_a_decision_like_all_others() {
        let planned = plan(poll(PollReason::Quiet, 3), false, &answered(true));
        assert_eq!((planned.0.reason, planned.0.tries, minutes(&planned)), (PollReason::Decision, 1, 1));
    }

    #[test]
    fn a_recheck_is_over_once_it_is_answered_and_not_before() {
        let recheck = poll(PollReason::Recheck, 0);
        assert_eq!(plan(recheck, true, &answered(false)).0.reason, PollReason::Decision);
        assert_eq!(plan(recheck, true, &Err(ApiError::Timeout.into())).0.reason, PollReason::Recheck);
    }

    #[test]
    fn a_fault_that_concerns_all_is_held_against_nobody() {
        for error in [ApiError::Forbidden, ApiError::Unauthorised, ApiError::TooManyRequests { retry_after: None }] {
            let planned = plan(poll(PollReason::Decision, 7), true, &Err(error.into()));
            assert_eq!((planned.0.tries, minutes(&planned)), (7, 1), "{error}");
        }
    }

    #[test]
    fn an_outage_is_not_waited_out_for_hours() {
        let old = poll(PollReason::Decision, 9);
        assert_eq!(minutes(&plan(old, true, &Err(ApiError::Server(502).into()))), 15);
        assert_eq!(minutes(&plan(old, true, &Err(ApiError::Refused(404).into()))), 240);
    }
}
