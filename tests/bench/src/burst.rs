//! A burst: many events come at once to a function with several processes, and none may be lost.

use crate::{
    aws::Aws,
    lives::Program,
    table::{SESSIONS, Tables},
    tell,
};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;
use std::time::{Duration, Instant};
use verdict_soak::{
    lambda::{Deployment, Function},
    statistics::Quantiles,
};

/// The queue of the notifications.
const DECISIONS: &str = "DecisionsQueue";

/// The sort key of a session's record.
const RECORD: &str = "STATE";

/// A task: events, each of a session of its own and each a decision, that are all there at the beginning.
#[derive(Deserialize)]
pub(crate) struct Burst {
    name: String,
    program: Program,
    processes: usize,
    events: Vec<String>,
    /// A text that each answer holds.
    answer: String,
}

impl Burst {
    pub(crate) async fn measure(self, aws: &Aws) {
        aws.restore(&Tables::default());
        aws.meter(false);
        let deployment = Deployment { processes: self.processes, ..self.program.deployment(aws) };
        let function = Function::start(deployment);
        let (count, begun) = (self.events.len(), Instant::now());
        let answers: Vec<(bool, f64)> = stream::iter(self.events)
            .map(|event| answered(&function, event, &self.answer))
            .buffer_unordered(2 * self.processes)
            .collect()
            .await;
        tell(&json!({
            "kind": "burst",
            "task": self.name,
            "program": self.program.name,
            "processes": self.processes,
            "events": count,
            "seconds": begun.elapsed().as_secs_f64(),
            "answered": answers.iter().filter(|(is_answered, _)| *is_answered).count(),
            "answerMs": Quantiles::of(answers.iter().map(|(_, took)| *took)),
            "records": aws.tables().count(SESSIONS, RECORD),
            "notifications": aws.accepted(DECISIONS),
        }));
    }
}

/// Has a function handle an event. Says whether it answered as expected, and after how many milliseconds, in which the
/// event may have waited for a free process.
async fn answered(function: &Function, event: String, expected: &str) -> (bool, f64) {
    let begun = Instant::now();
    let answer = function.invoke(event).await;
    let is_answered = answer.is_ok_and(|answer| String::from_utf8_lossy(&answer).contains(expected));
    (is_answered, Duration::as_secs_f64(&begun.elapsed()) * 1000.0)
}
