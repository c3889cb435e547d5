//! The poller asks Incode about sessions that have gone quiet, or that wait for a decision.
//!
//! Incode's webhooks end with "all data is there": whether the person passed has to be asked for. Answers are recorded
//! like webhooks, with the time just before the request. If a webhook and a poll report the same fact, it counts once,
//! since both give their event the same id.
//!
//! A run every minute polls what is due. In between, messages on the wake-up queue name sessions that are due at once, or
//! that your own service wants asked about. The schedule in the table says what is due, and who may ask: a message that
//! comes twice or late changes nothing.

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
    lambda::cron::Invocation,
    secrets::credentials::{Credentials, Unavailable},
    store::{
        table::{
            SessionsTable,
            error::TableError,
            items::PartitionKey,
            polls::{Cause, Poll, PollReason},
            record::Source,
        },
        wake_up::{DuePoll, WakeUp},
    },
    telemetry::{
        self,
        line::{Line, shown},
    },
    time::{
        clock::Clock,
        deadline::{Deadline, Elapsed},
    },
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    pin::pin,
    rc::Rc,
    slice,
    time::Duration,
};
use thiserror::Error;
use tokio::time::Instant;
use verdict_sessions::{Check, Evidence, Outcome, Session, SessionEvent, SessionKey, Stage, Timestamp, Trace};
use verdict_webhooks::{
    Disposition, Part, Unreadable,
    incode::{Finding, POLL_REQUEST, SCORE_PATH, STATUS_PATH, recurrence},
    sha256_hex,
};

/// The time after which polling of an undecided session stops.
const GIVE_UP_AFTER: Duration = Duration::from_hours(72);

/// The number of sessions of each shard that one run takes on. The next run is a minute away.
const SESSIONS_PER_SHARD: usize = 50;

/// The most sessions that are polled at once: sparingly, as the contract asks.
const MAX_CONCURRENT_SESSIONS: usize = 4;

/// The longest that it may take to say that the API is left alone.
const PAUSE_LIMIT: Duration = Duration::from_secs(1);

/// The longest that recording one fact may take.
const RECORD_LIMIT: Duration = Duration::from_secs(5);

/// The pause of the whole API after *too many requests*, if the answer names none.
const DEFAULT_API_PAUSE: Duration = Duration::from_mins(1);

/// The longest pause of the whole API, whatever it asked for.
const LONGEST_API_PAUSE: Duration = Duration::from_mins(15);

/// Polls Incode about the sessions on the schedule.
pub struct Poller<A> {
    /// The API, if there are credentials for it. Without it, nothing is polled.
    api: Option<Credentials<A>>,
    table: SessionsTable,
    recorder: Recorder,
    /// The end of the pause after the API refused some credentials. It is this process's own, and over once there are
    /// newer ones.
    refused: RefCell<Option<(Rc<A>, Instant)>>,
}

/// The reason for which a run comes to nothing.
#[derive(Debug, Error)]
pub enum RunError {
    /// The table can't say what is due.
    #[error(transparent)]
    Table(#[from] TableError),
    /// There are no credentials for the API.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<Elapsed> for RunError {
    fn from(elapsed: Elapsed) -> Self {
        Self::Table(elapsed.into())
    }
}

/// One run over the schedule, or over a batch of messages.
struct Run<'a, A> {
    api: &'a Rc<A>,
    clock: Clock,
    deadline: Deadline,
    /// The trace of what it was started by.
    trace: Option<Trace>,
    /// Whether the API was found to be left alone.
    is_paused: &'a Cell<bool>,
}

impl<'a, A> Run<'a, A> {
    fn new(api: &'a Rc<A>, invocation: Invocation, is_paused: &'a Cell<bool>) -> Self {
        let Invocation { now, deadline, trace } = invocation;
        Self { api, clock: Clock::at(now), deadline, trace, is_paused }
    }
}

/// Facts about a session that decide what Incode is asked.
#[derive(Clone, Copy)]
struct Question {
    /// True if the person has handed everything in, or a webhook says so.
    is_handed_in: bool,
    /// True if the score has to confirm a decision.
    has_to_confirm: bool,
}

/// What became of one message.
enum Taken {
    /// It is about a session: what was done about that.
    Attempt(Result<Attempt, AttemptError>),
    /// It can't be read, and is dropped.
    Unreadable,
    /// It is a request that could not be recorded, and stays on the queue.
    Keep,
}

impl<A: ProviderApi> Poller<A> {
    pub(crate) fn new(api: Option<Credentials<A>>, table: SessionsTable, recorder: Recorder) -> Self {
        Self { api, table, recorder, refused: RefCell::default() }
    }

    /// Makes sure that there are credentials, if there should be any.
    ///
    /// # Errors
    /// [`Unavailable`] if their secret can't be fetched.
    pub async fn check(&self, deadline: Deadline) -> Result<(), RunError> {
        if let Some(api) = &self.api {
            api.get(deadline).await?;
        }
        Ok(())
    }

    /// Polls every session that is due, until the deadline comes or the API asks for a pause.
    ///
    /// # Errors
    /// [`RunError`] if the table can't say what is due, or if there are no credentials for the API.
    pub async fn run(&self, invocation: Invocation) -> Result<(), RunError> {
        let Some(credentials) = self.credentials() else { return Ok(()) };
        credentials.beside(self.poll_due(credentials, invocation).boxed_local()).await
    }

    async fn poll_due(&self, credentials: &Credentials<A>, invocation: Invocation) -> Result<(), RunError> {
        let (is_paused, Invocation { now, deadline, .. }) = (Cell::new(false), invocation);
        let api = self.latest(credentials, deadline).await?;
        let run = Run::new(&api, invocation, &is_paused);
        let mut due = deadline.try_bound(self.table.due_polls(now, SESSIONS_PER_SHARD)).await?;
        // Across the shards, too, so that a slow API doesn't keep the last shard waiting for ever.
        due.sort_by_key(|(_, since)| *since);
        let oldest_seconds = due.first().map_or(0, |(_, since)| now.seconds_since(*since));
        let mut tally = Tally::default();
        let mut attempts = pin!(
            stream::iter(&due)
                .map(|(partition, due_at)| self.attempt(&run, partition, *due_at))
                .buffer_unordered(MAX_CONCURRENT_SESSIONS)
        );
        while let Some(attempt) = attempts.next().await {
            tally.add(attempt);
        }
        tally.line("poll").seconds("oldestPollDue", oldest_seconds).print(now);
        Ok(())
    }

    /// Polls the sessions that a batch of messages names, and says which messages stay on the queue: without
    /// credentials, all of them.
    pub async fn take(&self, batch: SqsEvent, invocation: Invocation) -> SqsBatchResponse {
        let Some(credentials) = self.credentials() else { return SqsBatchResponse::default() };
        credentials.beside(self.take_all(credentials, batch, invocation).boxed_local()).await
    }

    async fn take_all(
        &self,
        credentials: &Credentials<A>,
        batch: SqsEvent,
        invocation: Invocation,
    ) -> SqsBatchResponse {
        let (mut answer, is_paused) = (SqsBatchResponse::default(), Cell::new(false));
        let Ok(api) = self.latest(credentials, invocation.deadline).await else {
            for message in batch.records {
                answer.add_failure(message.message_id.unwrap_or_default());
            }
            return answer;
        };
        let run = Run::new(&api, invocation, &is_paused);
        let (mut tally, mut unreadable) = (Tally::default(), 0);
        let mut messages = pin!(
            stream::iter(batch.records)
                .map(async |message| {
                    // A message that belongs to no trace is asked about in that of this invocation.
                    let run = Run { trace: trace_of(&message).or(run.trace), ..run };
                    let taken = self.take_one(&run, message.body.as_deref().unwrap_or_default()).await;
                    (message.message_id, taken)
                })
                .buffer_unordered(MAX_CONCURRENT_SESSIONS)
        );
        while let Some((id, taken)) = messages.next().await {
            match taken {
                Taken::Attempt(attempt) => tally.add(attempt),
                Taken::Unreadable => unreadable += 1,
                // A message without an id, which SQS doesn't send, keeps the whole batch on the queue.
                Taken::Keep => answer.add_failure(id.unwrap_or_default()),
            }
        }
        tally
            .line("wake-up")
            .count("wakeUpStale", tally.taken)
            .count("wakeUpUnreadable", unreadable)
            .count("wakeUpKept", answer.batch_item_failures.len())
            .print(invocation.now);
        answer
    }

    fn credentials(&self) -> Option<&Credentials<A>> {
        if self.api.is_none() {
            tracing::info!("no credentials for Incode's API: nothing is polled");
        }
        self.api.as_ref()
    }

    /// The API as of the latest credentials. If it refused those, there may be newer ones.
    async fn latest(&self, credentials: &Credentials<A>, deadline: Deadline) -> Result<Rc<A>, Unavailable> {
        let api = credentials.get(deadline).await?;
        let newer = if self.is_refused(&api) { credentials.newer_than(&api, deadline).await } else { None };
        Ok(newer.unwrap_or(api))
    }

    /// Returns whether the API refused these credentials a short time ago.
    fn is_refused(&self, api: &Rc<A>) -> bool {
        let refused = self.refused.borrow();
        refused.as_ref().is_some_and(|(refused, until)| Rc::ptr_eq(refused, api) && Instant::now() < *until)
    }

    async fn take_one(&self, run: &Run<'_, A>, body: &str) -> Taken {
        let (partition, due_at) = match WakeUp::read(body) {
            Ok(WakeUp::Due(DuePoll { session, due_at })) => (PartitionKey::of(&session), due_at),
            Ok(WakeUp::Poll) => match run.deadline.try_bound(Box::pin(self.schedule(body, run))).await {
                Ok(scheduled) => scheduled,
                Err(AttemptError::Answer(unreadable)) => {
                    tracing::error!(reason = unreadable.code(), "a poll request can't be read; it is dropped");
                    return Taken::Unreadable;
                }
                Err(error) => {
                    tracing::warn!(%error, "a poll request could not be recorded; it stays on the queue");
                    return Taken::Keep;
                }
            },
            Err(error) => {
                tracing::error!(%error, "a message on the wake-up queue is dropped");
                return Taken::Unreadable;
            }
        };
        Taken::Attempt(self.attempt(run, &partition, due_at).await)
    }

    /// Records a poll request, and puts its session on the schedule, due now.
    async fn schedule(&self, body: &str, run: &Run<'_, A>) -> Result<(PartitionKey, Timestamp), AttemptError> {
        let now = run.clock.now();
        let Finding { event, payload, .. } = Finding::of_poll_request(body.as_bytes(), now)?;
        let Some(event) = event else { return Err(Unreadable::NoSessionId.into()) };
        let evidence = Evidence::of_body(sha256_hex(body.as_bytes()));
        let source = Source { path: POLL_REQUEST, evidence: Some(&evidence), trace: run.trace };
        self.record(&event, source, &[Part::whole(payload)], now).await?;
        let reason = match self.table.session(&event.session).await? {
            Some(record) if is_decided(&record) => PollReason::Recheck,
            Some(record) if is_submitted(&record) || record.standing_outcome().is_some() => PollReason::Decision,
            _ => PollReason::Quiet,
        };
        self.table.schedule_poll(&event.session, reason, Cause::Request, now, now).await?;
        Ok((PartitionKey::of(&event.session), now))
    }

    /// Asks about a session that was seen to be due, unless there is no time left or the API is left alone.
    async fn attempt(
        &self,
        run: &Run<'_, A>,
        partition: &PartitionKey,
        due_at: Timestamp,
    ) -> Result<Attempt, AttemptError> {
        if self.is_refused(run.api) || run.deadline.remaining().is_zero() {
            return Ok(Attempt::Left);
        }
        // Boxed, since the compiler gives up on types nested deeper.
        let attempt = run.deadline.try_bound(Box::pin(self.attempt_while_due(run, partition, due_at))).await;
        if let Err(error) = &attempt {
            let session = partition.session().as_ref().map(shown);
            tracing::warn!(session, %error, "a session could not be polled; it stays on the schedule");
        }
        if let Err(AttemptError::Api(error)) = &attempt {
            self.leave_alone_after(*error, run).await;
        }
        attempt
    }

    /// Leaves the API alone for a while if it would give every session the same answer.
    async fn leave_alone_after(&self, error: ApiError, run: &Run<'_, A>) {
        if let ApiError::TooManyRequests { retry_after } = error {
            run.is_paused.set(true);
            let pause = retry_after.unwrap_or(DEFAULT_API_PAUSE).min(LONGEST_API_PAUSE);
            let until = run.clock.now().plus(pause);
            let paused = Deadline::after(PAUSE_LIMIT).try_bound(self.table.pause_polls(until)).await;
            if let Err(error) = paused {
                tracing::warn!(%error, "the other processes don't know that Incode wants fewer requests");
            }
        } else if error.affects_all_sessions() {
            self.refused.replace(Some((run.api.clone(), Instant::now() + LONGEST_API_PAUSE)));
        }
    }

    /// Asks about a session, and again if it has become due meanwhile: as long as this process holds the session, no
    /// other one asks.
    async fn attempt_while_due(
        &self,
        run: &Run<'_, A>,
        partition: &PartitionKey,
        mut due_at: Timestamp,
    ) -> Result<Attempt, AttemptError> {
        let mut done = Attempt::Taken;
        loop {
            let now = run.clock.now();
            if self.is_paused(run).await? {
                return Ok(done.and(Attempt::Left));
            }
            let Some(poll) = self.table.take_poll(partition, due_at, now).await? else { return Ok(done) };
            let (attempt, due_again_at) = self.attempt_once(run, partition, poll, now).await?;
            done = done.and(attempt);
            match due_again_at {
                Some(at) if at <= run.clock.now() => due_at = at,
                _ => return Ok(done),
            }
        }
    }

    async fn is_paused(&self, run: &Run<'_, A>) -> Result<bool, TableError> {
        if !run.is_paused.get() && self.table.are_polls_paused(run.clock.now()).await? {
            run.is_paused.set(true);
        }
        Ok(run.is_paused.get())
    }

    /// Asks about a session that this process holds, and lets go of it. Also returns when it is due, if that has changed
    /// meanwhile.
    async fn attempt_once(
        &self,
        run: &Run<'_, A>,
        partition: &PartitionKey,
        poll: Poll,
        now: Timestamp,
    ) -> Result<(Attempt, Option<Timestamp>), AttemptError> {
        let key = partition.session().ok_or(TableError::Unreadable("key"))?;
        let record = self.table.session(&key).await?;
        let is_ended_by_a_decision = poll.reason != PollReason::Recheck && !poll.has_to_confirm;
        if is_ended_by_a_decision && record.as_ref().is_some_and(is_decided) {
            return Ok((Attempt::Decided, self.table.end_poll(partition, poll).await?));
        }
        if poll.since.plus(GIVE_UP_AFTER) < now {
            tracing::warn!(session = shown(&key), "still undecided; polling stops");
            return Ok((Attempt::GivenUp, self.table.end_poll(partition, poll).await?));
        }
        let is_handed_in =
            poll.reason != PollReason::Quiet || poll.has_to_confirm || record.as_ref().is_some_and(is_submitted);
        let question = Question { is_handed_in, has_to_confirm: poll.has_to_confirm };
        let result = self.poll(run, &key, question).await;
        let due_again_at = if result.is_ok() && self.table.session(&key).await?.as_ref().is_some_and(is_decided) {
            self.table.end_poll(partition, poll).await?
        } else {
            let (next, pause) = plan(poll, is_handed_in, &result);
            self.table.put_off(partition, next, now.plus(pause)).await?
        };
        result.map(|result| (Attempt::Polled { news: result.news }, due_again_at))
    }

    /// Asks how far the session is. If everything is handed in and nothing is decided, it also asks for the score:
    /// Incode may still be at work on something then, so that the status isn't *finished* yet. If the score has to
    /// confirm a decision, it asks for it whatever the status says, and the status decides only if the score doesn't.
    async fn poll(&self, run: &Run<'_, A>, key: &SessionKey, question: Question) -> Result<PollResult, AttemptError> {
        // What an answer says was true when it was made, so not before it was asked for.
        let asked_at = run.clock.now();
        let told = run.api.get(STATUS_PATH, &key.session_id).await?;
        let status = Finding::of_status(key, &told, asked_at)?;
        let is_finished = status.finished;
        let (status, deciding) = if decides(&status) { (None, Some(status)) } else { (Some(status), None) };
        let mut news = self.record_finding(run, status, STATUS_PATH, &told).await?;
        let mut is_scored = false;
        if (is_finished || question.is_handed_in) && (deciding.is_none() || question.has_to_confirm) {
            let asked_at = run.clock.now();
            let answer = run.api.get(SCORE_PATH, &key.session_id).await?;
            let score = Finding::of_score(key, &answer, asked_at)?;
            is_scored = decides(&score);
            news += self.record_finding(run, Some(score), SCORE_PATH, &answer).await?;
        }
        news += self.record_finding(run, deciding.filter(|_| !is_scored), STATUS_PATH, &told).await?;
        Ok(PollResult { news, is_finished })
    }

    /// Records what an answer says, and returns how many facts were new. Nothing is signed: its digest is all the
    /// evidence.
    async fn record_finding(
        &self,
        run: &Run<'_, A>,
        finding: Option<Finding>,
        path: &str,
        answer: &[u8],
    ) -> Result<usize, AttemptError> {
        let Some(Finding { event: Some(event), payload, .. }) = finding else { return Ok(0) };
        let parts = [Part::whole(payload)];
        let evidence = Evidence::of_body(sha256_hex(answer));
        let source = Source { path, evidence: Some(&evidence), trace: run.trace };
        let mut disposition = self.record(&event, source, &parts, run.clock.now()).await?;
        if disposition == Disposition::Duplicate && self.is_recurrence(&event).await? {
            let asked_at = event.received_at;
            disposition = self.record(&recurrence(event, asked_at), source, &parts, run.clock.now()).await?;
        }
        Ok(usize::from(disposition == Disposition::Recorded))
    }

    /// Records one fact, and logs it unless it is a duplicate, as most answers are.
    async fn record(
        &self,
        event: &SessionEvent,
        source: Source<'_>,
        parts: &[Part],
        now: Timestamp,
    ) -> Result<Disposition, AttemptError> {
        let started = Instant::now();
        let durable_by = Deadline::after(RECORD_LIMIT);
        let handling = self.recorder.record(slice::from_ref(event), parts, source, now, durable_by).await;
        if handling.disposition != Disposition::Duplicate {
            report(&handling, event, source.trace, started.elapsed(), now);
        }
        match handling.failure() {
            Some(failure) => Err(AttemptError::NotRecorded(failure)),
            None => Ok(handling.disposition),
        }
    }

    /// Returns whether a recorded score holds again, after one with another decision or another outcome of a section.
    async fn is_recurrence(&self, event: &SessionEvent) -> Result<bool, TableError> {
        let Some(decision) = &event.decision else { return Ok(false) };
        let Some(session) = self.table.session(&event.session).await? else { return Ok(false) };
        let is_other = |(name, check): (&String, &Check)| {
            session.checks.get(name).is_some_and(|latest| latest.value.outcome != check.outcome)
        };
        let standing = session.standing_outcome();
        Ok(standing.is_some_and(|standing| standing != decision.outcome) || event.checks.iter().any(is_other))
    }
}

fn report(handling: &Handling, event: &SessionEvent, trace: Option<Trace>, took: Duration, now: Timestamp) {
    let (provider, is_cold_start) = (event.session.provider, false);
    HandlingReport {
        origin: Origin::Poll,
        request: None,
        source: None,
        is_cold_start,
        trace,
        provider,
        handling,
        took,
    }
    .print(now);
}

/// The trace that a message belongs to: its sender's.
fn trace_of(message: &SqsMessage) -> Option<Trace> {
    telemetry::trace(message.attributes.get("AWSTraceHeader").map(String::as_str))
}

fn decides(finding: &Finding) -> bool {
    finding.event.as_ref().is_some_and(|event| event.decision.is_some())
}

fn is_decided(session: &Session) -> bool {
    session.standing_outcome().is_some_and(Outcome::is_final)
}

fn is_submitted(session: &Session) -> bool {
    session.current_attempt().is_some_and(|attempt| attempt.stage == Stage::Submitted)
}

/// The tally of one run.
#[derive(Default)]
struct Tally {
    taken: usize,
    polled: usize,
    news: usize,
    decided: usize,
    given_up: usize,
    left: usize,
    failures: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn add(&mut self, attempt: Result<Attempt, AttemptError>) {
        match attempt {
            Ok(Attempt::Taken) => self.taken += 1,
            Ok(Attempt::Left) => self.left += 1,
            Ok(Attempt::Decided) => self.decided += 1,
            Ok(Attempt::GivenUp) => self.given_up += 1,
            Ok(Attempt::Polled { news }) => {
                self.polled += 1;
                self.news += news;
            }
            Err(error) => *self.failures.entry(error.code()).or_default() += 1,
        }
    }

    fn line(&self, message: &str) -> Line {
        let line = Line::new(message)
            .count("polled", self.polled)
            .count("pollNews", self.news)
            .count("pollDecided", self.decided)
            .count("pollGivenUp", self.given_up)
            .count("pollLeft", self.left)
            .count("pollFailed", self.failures.values().sum());
        self.failures.iter().fold(line, |line, (code, times)| line.count(&format!("pollFailed.{code}"), *times))
    }
}
