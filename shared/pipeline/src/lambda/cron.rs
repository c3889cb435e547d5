//! Functions that a cron schedule starts. A queue may start the same function, too.

use super::doctor::{Doctor, Started};
use crate::{
    telemetry,
    time::{clock, deadline::Deadline},
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::Duration;
use verdict_sessions::{Timestamp, Trace};

/// The longest that a run may take: the next one is a minute away.
const BUDGET: Duration = Duration::from_secs(45);

/// One invocation: its time, its deadline and its trace.
#[derive(Clone, Copy, Debug)]
pub struct Invocation {
    /// The time of its start.
    pub now: Timestamp,
    /// The deadline of its work.
    pub deadline: Deadline,
    /// Its trace, if the functions send traces.
    pub trace: Option<Trace>,
}

impl Invocation {
    fn of(context: &Context) -> Self {
        let deadline = clock::deadline(context.deadline, BUDGET);
        Self { now: clock::now(), deadline, trace: telemetry::trace(context.xray_trace_id.as_deref()) }
    }
}

/// Runs `work` at every tick until Lambda ends the process.
///
/// # Errors
/// If the Lambda Runtime API can't be reached. An error of `work` fails that run alone, so that Lambda counts it.
pub async fn serve<W, E>(work: W) -> Result<(), Error>
where
    W: AsyncFn(Invocation) -> Result<(), E>,
    E: std::error::Error + Send + Sync + 'static,
{
    let (check, work) = (&async |_deadline| Ok(()), &work);
    lambda_runtime::run(service_fn(async |event| answer(check, work, event).await)).await
}

/// Runs `work` at every tick, and `take` for every batch of messages, until Lambda ends the process. `take` says which
/// messages stay on the queue. The doctor is answered once `check` finds that nothing is missing for that.
///
/// # Errors
/// As with [`serve`].
pub async fn serve_with_queue<C, W, T, E>(check: C, work: W, take: T) -> Result<(), Error>
where
    C: AsyncFn(Deadline) -> Result<(), E>,
    W: AsyncFn(Invocation) -> Result<(), E>,
    T: AsyncFn(SqsEvent, Invocation) -> SqsBatchResponse,
    E: std::error::Error + Send + Sync + 'static,
{
    let (check, work, take) = (&check, &work, &take);
    lambda_runtime::run(service_fn(async |event| answer_with_queue(check, work, take, event).await)).await
}

/// The answer to a batch of messages, or to everything else.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Batch(SqsBatchResponse),
    Other(Option<Started>),
}

async fn answer_with_queue<C, W, T, E>(
    check: &C,
    work: &W,
    take: &T,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Answer, Error>
where
    C: AsyncFn(Deadline) -> Result<(), E>,
    W: AsyncFn(Invocation) -> Result<(), E>,
    T: AsyncFn(SqsEvent, Invocation) -> SqsBatchResponse,
    E: std::error::Error + Send + Sync + 'static,
{
    match serde_json::from_str::<SqsEvent>(event.payload.get()) {
        Ok(batch) => Ok(Answer::Batch(Box::pin(take(batch, Invocation::of(&event.context))).await)),
        Err(_) => answer(check, work, event).await.map(Answer::Other),
    }
}

/// Answers the doctor. Every other event is a tick: nothing in it is read, and its answer is `null`.
async fn answer<C, W, E>(check: &C, work: &W, event: LambdaEvent<Box<RawValue>>) -> Result<Option<Started>, Error>
where
    C: AsyncFn(Deadline) -> Result<(), E>,
    W: AsyncFn(Invocation) -> Result<(), E>,
    E: std::error::Error + Send + Sync + 'static,
{
    let invocation = Invocation::of(&event.context);
    if let Ok(doctor) = serde_json::from_str::<Doctor>(event.payload.get()) {
        check(invocation.deadline).await?;
        return Ok(Some(doctor.answer()));
    }
    Box::pin(work(invocation)).await?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::deadline::Elapsed;
    use lambda_runtime::Context;
    use std::cell::Cell;

    fn event(text: &str) -> LambdaEvent<Box<RawValue>> {
        LambdaEvent::new(RawValue::from_string(text.to_owned()).unwrap(), Context::default())
    }

    /// Returns the answer to an event, as Lambda hands it on, and how often the work was done.
    async fn answered(text: &str) -> (String, u32) {
        let runs = Cell::new(0);
        let work = async |_| {
            runs.update(|runs| runs + 1);
            Ok::<_, Elapsed>(())
        };
        let answer = answer(&async |_| Ok(()), &work, event(text)).await.unwrap();
        (serde_json::to_string(&answer).unwrap(), runs.get())
    }

    #[tokio::test]
    async fn every_event_is_a_tick_but_the_doctors() {
        for event in [
            "{}",
            "null",
            "[]",
            "1e400",
            r#"{"version":"0","source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#,
            r#"{"doctor":false}"#,
            r#"{"doctor":true,"detail":{}}"#,
        ] {
            assert_eq!(answered(event).await, ("null".to_owned(), 1), "{event}");
        }
        assert_eq!(answered(r#"{"doctor":true}"#).await, (r#"{"started":true}"#.to_owned(), 0));
    }

    #[tokio::test]
    async fn an_error_of_the_work_is_the_runs() {
        let work = async |_| Err::<(), _>(Elapsed);
        assert!(answer(&async |_| Ok(()), &work, event("{}")).await.is_err());
    }

    #[tokio::test]
    async fn a_batch_of_messages_is_no_tick() {
        let (ticks, messages) = (Cell::new(0), Cell::new(0));
        let work = async |_| {
            ticks.update(|ticks| ticks + 1);
            Ok::<_, Elapsed>(())
        };
        let take = async |batch: SqsEvent, _| {
            messages.update(|messages| messages + batch.records.len());
            let mut answer = SqsBatchResponse::default();
            answer.add_failure("m");
            answer
        };
        let answered = async |text| {
            let answer = answer_with_queue(&async |_| Ok(()), &work, &take, event(text)).await.unwrap();
            serde_json::to_string(&answer).unwrap()
        };
        let batch = r#"{"Records":[{"messageId":"m","body":"{}"},{"messageId":"n","body":"{}"}]}"#;
        assert_eq!(answered(batch).await, r#"{"batchItemFailures":[{"itemIdentifier":"m"}]}"#);
        assert_eq!((ticks.get(), messages.get()), (0, 2));
        assert_eq!(answered(r#"{"doctor":true}"#).await, r#"{"started":true}"#);
        for tick in ["{}", "null", r#"{"source":"aws.events","detail":{}}"#] {
            assert_eq!(answered(tick).await, "null", "{tick}");
        }
        assert_eq!((ticks.get(), messages.get()), (3, 2));
    }
}
