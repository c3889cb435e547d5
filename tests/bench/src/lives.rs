//! Lives of processes: each is started, sent the same events one by one, and ended. The programs that are compared take
//! turns, so that a busy machine slows all of them alike, and each process finds empty stores.

use crate::{
    aws::{Aws, Calls, Service},
    table::Tables,
    tell,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};
use verdict_soak::{
    lambda::{Deployment, Failed, Function},
    meter::Bill,
    process::{cpu, peak, process},
    statistics::Quantiles,
};

/// The time within which a process has to ask for its first invocation.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// The time that an invocation may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The pause in which a process that has answered gets ready for the next event.
const PAUSE: Duration = Duration::from_millis(2);

/// The pause in which a process that was ended goes away, so that it takes nothing from the next one.
const BREAK: Duration = Duration::from_millis(20);

/// A task: the programs, and what each of their processes is sent.
#[derive(Deserialize)]
pub(crate) struct Lives {
    /// What is done by all of the programs, such as a function's name.
    name: String,
    /// How many processes each program has.
    rounds: usize,
    /// True if the table says what its calls would cost. It takes longer for that.
    #[serde(default)]
    is_metered: bool,
    /// Secrets that Secrets Manager holds, by ARN.
    secrets: BTreeMap<String, String>,
    /// What is done before anything is measured. Each process that is measured finds what that left in the tables.
    before: Vec<Before>,
    /// The queue whose messages after that are the events of the first phase, in the place of its own.
    queue: Option<String>,
    programs: Vec<Program>,
    /// Sent one after the other; without any, only the start is measured. The very first event is measured by itself.
    phases: Vec<Phase>,
}

/// Events for a program, not measured.
#[derive(Deserialize)]
struct Before {
    program: Program,
    phase: Phase,
    /// The service that refuses every call meanwhile.
    away: Option<Service>,
}

/// A program that is measured.
#[derive(Deserialize)]
pub(crate) struct Program {
    pub(crate) name: String,
    /// Its file.
    folder: PathBuf,
    file: String,
    /// Its variables besides those that lead to AWS; `null` removes one. `{certificate}` in a value is the file with the
    /// certificate of the servers alone.
    variables: BTreeMap<String, Option<String>>,
    /// A text that each of its answers holds, in the place of the phases' own.
    answer: Option<String>,
}

/// Events of one sort.
#[derive(Deserialize)]
struct Phase {
    name: String,
    /// Each as JSON.
    events: Vec<String>,
    /// A text that each answer holds.
    answer: String,
}

/// Wall and CPU time, in milliseconds.
#[derive(Clone, Copy)]
struct Time {
    wall: f64,
    cpu: f64,
}

/// What one process took.
struct Life {
    start: Time,
    first: Option<Time>,
    start_handshakes: usize,
    later_handshakes: usize,
    phases: Vec<Taken>,
}

/// What a phase took of one process.
struct Taken {
    wall: Vec<f64>,
    /// For each event.
    cpu: f64,
    calls: BTreeMap<String, Calls>,
    /// What the calls would cost, if the table is metered.
    bill: Option<Bill>,
    /// The highest memory until the end of the phase, in MiB.
    peak: f64,
}

/// A result: starts and first answers. Times are in milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StartResult<'a> {
    kind: &'static str,
    task: &'a str,
    program: &'a str,
    lives: usize,
    /// From the process's start to its first question for an invocation.
    start_ms: Quantiles,
    start_cpu_ms: Quantiles,
    /// From the first invocation to its answer.
    first_ms: Option<Quantiles>,
    first_cpu_ms: Option<Quantiles>,
    /// From the process's start to its first answer, without the time between the two that it was left waiting.
    answered_ms: Option<Quantiles>,
    start_handshakes: f64,
    /// After it asked for its first invocation.
    later_handshakes: f64,
    binary_bytes: u64,
}

/// A result: the events of a phase. Times are in milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhaseResult<'a> {
    kind: &'static str,
    task: &'a str,
    program: &'a str,
    phase: &'a str,
    /// How many were measured of each process.
    events: usize,
    event_bytes: f64,
    wall_ms: Quantiles,
    cpu_ms: Quantiles,
    peak_mib: Quantiles,
    /// For each event, by operation.
    calls: BTreeMap<String, PerEvent>,
    /// For each event, if the table is metered.
    write_units: Option<f64>,
    read_units: Option<f64>,
}

/// The calls of one operation for each event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PerEvent {
    count: f64,
    sent_bytes: f64,
    received_bytes: f64,
    /// The time that the answers took to make, in milliseconds.
    answering_ms: f64,
}

impl Lives {
    pub(crate) async fn measure(mut self, aws: &Aws) {
        let tables = match self.prepare(aws).await {
            Ok(tables) => tables,
            Err(reason) => return self.programs.iter().for_each(|program| self.tell_failed(program, &reason)),
        };
        let mut lives: Vec<Result<Vec<Life>, String>> = self.programs.iter().map(|_| Ok(Vec::new())).collect();
        for _ in 0..self.rounds {
            for (program, lives) in self.programs.iter().zip(&mut lives) {
                if let Ok(lived) = lives {
                    match program.live(&self, aws, &tables).await {
                        Ok(life) => lived.push(life),
                        Err(problem) => *lives = Err(problem),
                    }
                    sleep(BREAK).await;
                }
            }
        }
        for (program, lives) in self.programs.iter().zip(&lives) {
            match lives {
                Ok(lives) => self.tell(program, lives),
                Err(reason) => self.tell_failed(program, reason),
            }
        }
    }

    /// Does what comes before. Returns what the tables hold then.
    async fn prepare(&mut self, aws: &Aws) -> Result<Tables, String> {
        aws.restore(&Tables::default());
        for (arn, text) in &self.secrets {
            aws.put_secret(arn, text);
        }
        for before in &self.before {
            let function = Function::start(before.program.deployment(aws));
            aws.set_away(before.away);
            let sent = before.program.send(&function, &before.phase.events, &before.phase).await;
            aws.set_away(None);
            sent?;
        }
        if let (Some(queue), Some(phase)) = (&self.queue, self.phases.first_mut()) {
            phase.events = aws.batches(queue);
        }
        Ok(aws.tables())
    }

    fn tell_failed(&self, program: &Program, reason: &str) {
        eprintln!("{}, {}: {reason}", self.name, program.name);
        tell(&json!({"kind": "failed", "task": self.name, "program": program.name, "reason": reason}));
    }

    fn tell(&self, program: &Program, lives: &[Life]) {
        let of = |number: fn(&Life) -> f64| Quantiles::of(lives.iter().map(number));
        let first = |number: fn(&Life, Time) -> f64| {
            let numbers: Option<Vec<f64>> =
                lives.iter().map(|life| life.first.map(|time| number(life, time))).collect();
            numbers.map(Quantiles::of)
        };
        let mean = |number: fn(&Life) -> usize| lives.iter().map(number).sum::<usize>() as f64 / lives.len() as f64;
        tell(&StartResult {
            kind: "start",
            task: &self.name,
            program: &program.name,
            lives: lives.len(),
            start_ms: of(|life| life.start.wall),
            start_cpu_ms: of(|life| life.start.cpu),
            first_ms: first(|_, time| time.wall),
            first_cpu_ms: first(|_, time| time.cpu),
            answered_ms: first(|life, time| life.start.wall + time.wall),
            start_handshakes: mean(|life| life.start_handshakes),
            later_handshakes: mean(|life| life.later_handshakes),
            binary_bytes: fs::metadata(program.folder.join(&program.file)).map_or(0, |file| file.len()),
        });
        for (place, phase) in self.phases.iter().enumerate() {
            let taken: Vec<&Taken> = lives.iter().map(|life| &life.phases[place]).collect();
            tell(&self.phase_result(program, phase, &taken));
        }
    }

    fn phase_result<'a>(&'a self, program: &'a Program, phase: &'a Phase, taken: &[&Taken]) -> PhaseResult<'a> {
        let events = taken[0].wall.len();
        let bytes: usize = phase.events.iter().map(String::len).sum();
        let units = |number: fn(&Bill) -> f64| {
            let units: Option<Vec<f64>> = taken.iter().map(|taken| taken.bill.as_ref().map(number)).collect();
            units.map(|units| units.iter().sum::<f64>() / (events * taken.len()) as f64)
        };
        PhaseResult {
            kind: "phase",
            task: &self.name,
            program: &program.name,
            phase: &phase.name,
            events,
            event_bytes: bytes as f64 / phase.events.len() as f64,
            wall_ms: Quantiles::of(taken.iter().flat_map(|taken| taken.wall.iter().copied())),
            cpu_ms: Quantiles::of(taken.iter().map(|taken| taken.cpu)),
            peak_mib: Quantiles::of(taken.iter().map(|taken| taken.peak)),
            calls: per_event(taken.iter().flat_map(|taken| &taken.calls), events * taken.len()),
            write_units: units(|bill| bill.write_units),
            read_units: units(|bill| bill.read_units),
        }
    }
}

impl Program {
    /// One process, from its start to its end.
    async fn live(&self, Lives { phases, is_metered, .. }: &Lives, aws: &Aws, tables: &Tables) -> Result<Life, String> {
        aws.restore(tables);
        aws.meter(*is_metered);
        let before = aws.handshakes();
        let function = Function::start(self.deployment(aws));
        let Ok(start) = timeout(START_TIMEOUT, function.started()).await else {
            return Err(format!("did not start: {:?}", function.sandboxes()[0].life().misbehaved));
        };
        let start_handshakes = aws.handshakes() - before;
        let mut events: Vec<&[String]> = phases.iter().map(|phase| &*phase.events).collect();
        let mut first = None;
        if let Some(phase) = phases.first() {
            let (event, later) = phase.events.split_at(1);
            let (mut wall, cpu) = self.send(&function, event, phase).await?;
            first = wall.pop().map(|wall| Time { wall, cpu });
            events[0] = later;
        }
        let mut taken = Vec::new();
        for (phase, events) in phases.iter().zip(&events) {
            let _ = (aws.take_calls(), aws.take_bill());
            let (wall, cpu) = self.send(&function, events, phase).await?;
            let cpu = cpu / wall.len() as f64;
            let (calls, bill) = (aws.take_calls(), aws.take_bill());
            taken.push(Taken { wall, cpu, calls, bill, peak: peak(process(&function)) });
        }
        Ok(Life {
            start: Time { wall: milliseconds(start.took), cpu: start.cpu * 1000.0 },
            first,
            start_handshakes,
            later_handshakes: aws.handshakes() - before - start_handshakes,
            phases: taken,
        })
    }

    /// The deployment of one process, with the variables that lead it to AWS.
    pub(crate) fn deployment(&self, aws: &Aws) -> Deployment {
        let mut variables = aws.variables();
        for (name, value) in &self.variables {
            match value {
                Some(value) => {
                    variables.insert(name.clone(), value.replace("{certificate}", &aws.certificate()));
                }
                None => drop(variables.remove(name)),
            }
        }
        Deployment {
            name: self.file.clone(),
            timeout: TIMEOUT,
            processes: 1,
            binaries: self.folder.clone(),
            variables,
            logs: env::var_os("LOGS").map(Into::into),
        }
    }

    /// Has a process handle events one by one. Returns the milliseconds that each took, and the CPU time of all.
    async fn send(&self, function: &Function, events: &[String], phase: &Phase) -> Result<(Vec<f64>, f64), String> {
        let expected = self.answer.as_ref().unwrap_or(&phase.answer);
        let (process, mut took) = (process(function), Vec::new());
        let before = cpu(process);
        for event in events {
            let begun = Instant::now();
            let answer = function.invoke(event.clone()).await;
            took.push(milliseconds(begun.elapsed()));
            match answer {
                Ok(answer) if String::from_utf8_lossy(&answer).contains(expected) => {}
                Ok(answer) => return Err(format!("{}: {}", phase.name, String::from_utf8_lossy(&answer))),
                Err(Failed::Died) => return Err(format!("{}: died", phase.name)),
                Err(Failed::Said(error)) => return Err(format!("{}: {error}", phase.name)),
            }
            sleep(PAUSE).await;
        }
        Ok((took, (cpu(process) - before) * 1000.0))
    }
}

fn per_event<'c>(calls: impl Iterator<Item = (&'c String, &'c Calls)>, events: usize) -> BTreeMap<String, PerEvent> {
    let mut sums: BTreeMap<String, Calls> = BTreeMap::new();
    for (operation, calls) in calls {
        *sums.entry(operation.clone()).or_default() += *calls;
    }
    let each = |sum: usize| sum as f64 / events as f64;
    let per_event = |calls: Calls| PerEvent {
        count: each(calls.count),
        sent_bytes: each(calls.sent_bytes),
        received_bytes: each(calls.received_bytes),
        answering_ms: milliseconds(calls.answering) / events as f64,
    };
    sums.into_iter().map(|(operation, calls)| (operation, per_event(calls))).collect()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
