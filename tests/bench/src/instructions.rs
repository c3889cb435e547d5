//! The instructions that one event takes of a warm process, as callgrind counts them.

use crate::{aws::Aws, lives::Program, table::Tables, tell};
use serde::Deserialize;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio::time::{sleep, timeout};
use verdict_soak::{lambda::Function, process::process};

/// The time that a process has to start, and to write down its count. Under callgrind everything takes fifty times as
/// long.
const PATIENCE: Duration = Duration::from_mins(1);

/// The pause in which a process that has answered gets ready for the next event.
const PAUSE: Duration = Duration::from_millis(500);

/// A task: a program that runs under callgrind and writes its count to a file named after the process.
#[derive(Deserialize)]
pub(crate) struct Instructions {
    name: String,
    program: Program,
    /// The folder of the counts.
    counts: PathBuf,
    /// Sent before anything is counted. On a busy machine, the first may be answered too late, and differently.
    warm_up: Vec<String>,
    events: Vec<String>,
    /// A text that each answer to `events` holds.
    answer: String,
}

impl Instructions {
    pub(crate) async fn measure(&self, aws: &Aws) {
        tell(&match self.counted(aws).await {
            Ok(count) => json!({"kind": "instructions", "task": self.name, "program": self.program.name,
                "events": self.events.len(), "each": count / self.events.len() as f64}),
            Err(reason) => {
                json!({"kind": "failed", "task": self.name, "program": self.program.name, "reason": reason})
            }
        });
    }

    /// The instructions of all events.
    async fn counted(&self, aws: &Aws) -> Result<f64, String> {
        aws.restore(&Tables::default());
        aws.meter(false);
        let function = Function::start(self.program.deployment(aws));
        let Ok(_) = timeout(PATIENCE, function.started()).await else { return Err("did not start".to_owned()) };
        for event in &self.warm_up {
            let _ = function.invoke(event.clone()).await;
        }
        sleep(PAUSE).await;
        let process = process(&function).to_string();
        run("callgrind_control", &["--zero", &process])?;
        for event in &self.events {
            let answer = function.invoke(event.clone()).await.unwrap_or_default();
            let answer = String::from_utf8_lossy(&answer);
            if !answer.contains(&self.answer) {
                return Err(format!("not handled: {answer}"));
            }
        }
        sleep(PAUSE).await;
        // A process that is killed without a word writes down nothing.
        run("kill", &[&process])?;
        let file = self.counts.join(process);
        timeout(PATIENCE, written(&file)).await.map_err(|_| format!("no count in {}", file.display()))
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// The count in a file, once it is there.
async fn written(file: &Path) -> f64 {
    loop {
        let text = fs::read_to_string(file).unwrap_or_default();
        if let Some(count) = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok()) {
            return count;
        }
        sleep(Duration::from_millis(20)).await;
    }
}
