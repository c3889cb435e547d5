//! `make sim`: many histories against the model, each from a seed of its own.
//!
//! `SEED` (default: random), `HISTORIES` (default: 100 000), `THREADS` (default: all there are); with `HISTORY` only the
//! one of that index, step by step. The last line depends on seed and number alone. Exits with 1 where anything was not
//! as it must be.

use std::{
    env,
    fs::File,
    io::{self, Write as _},
    os::fd::AsFd as _,
    process::ExitCode,
    str::FromStr,
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use verdict_simulation::{History, histories, one_history};

/// The pause between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(10);

/// How many histories with violations are shown; the rest are counted.
const SHOWN: usize = 5;

/// How many of a history's last steps are shown.
const STEPS: usize = 60;

fn main() -> io::Result<ExitCode> {
    let mut report = take_standard_output()?;
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let threads = number("THREADS").unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    if let Some(index) = number("HISTORY") {
        let history = one_history(seed, index);
        writeln!(report, "{}", shown(seed, index, &history, usize::MAX))?;
        return Ok(code(history.violations.is_empty()));
    }
    let count = number("HISTORIES").unwrap_or(100_000);
    writeln!(report, "SEED={seed} HISTORIES={count} THREADS={threads}")?;
    let progress = Progress::new(seed, count);
    let tally = histories(seed, count, threads, |index, history| progress.saw(index, history));
    for (name, count) in &tally.counts.0 {
        writeln!(report, "{count:>12} {name}")?;
    }
    writeln!(report, "{tally}")?;
    Ok(code(tally.violations == 0))
}

fn code(is_well: bool) -> ExitCode {
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The functions print a line for each delivery on standard output. That goes nowhere here; what was standard output is
/// ours.
fn take_standard_output() -> io::Result<File> {
    let report = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
    Ok(File::from(report))
}

/// What a variable of the environment says; a blank one counts as missing.
#[expect(clippy::panic, reason = "there is nobody else to tell")]
fn number<T: FromStr>(variable: &str) -> Option<T> {
    let text = env::var(variable).ok().filter(|text| !text.trim().is_empty())?;
    Some(text.trim().parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// What is told on standard error while the histories pass.
struct Progress {
    seed: u64,
    count: u64,
    start: Instant,
    done: AtomicU64,
    shown: AtomicUsize,
    told_at: Mutex<Instant>,
}

impl Progress {
    fn new(seed: u64, count: u64) -> Self {
        let start = Instant::now();
        let (done, shown) = (AtomicU64::new(0), AtomicUsize::new(0));
        Self { seed, count, start, done, shown, told_at: Mutex::new(start) }
    }

    #[expect(clippy::print_stderr, reason = "that is where progress goes")]
    fn saw(&self, index: u64, history: &History) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let took = self.start.elapsed();
        if !history.violations.is_empty() && self.shown.fetch_add(1, Ordering::Relaxed) < SHOWN {
            eprintln!(
                "after {done} histories, {:.1} s:\n{}",
                took.as_secs_f64(),
                shown(self.seed, index, history, STEPS)
            );
        }
        let Ok(mut told_at) = self.told_at.try_lock() else { return };
        if told_at.elapsed() >= PROGRESS {
            *told_at = Instant::now();
            let a_second = f64::from(u32::try_from(done).unwrap_or(u32::MAX)) / took.as_secs_f64();
            eprintln!("{done} of {} histories, {a_second:.0} a second", self.count);
        }
    }
}

/// A history in words.
fn shown(seed: u64, index: u64, history: &History, steps: usize) -> String {
    let skipped = history.trace.len().saturating_sub(steps);
    let mut lines = vec![format!("history {index} (alone: make sim SEED={seed} HISTORY={index})")];
    lines.extend(history.trace[skipped..].iter().map(|step| format!("  {step}")));
    lines.extend(history.violations.iter().map(|violation| format!("  VIOLATION {violation}")));
    if history.violations.is_empty() {
        lines.push("  as it must be".to_owned());
    }
    lines.join("\n")
}
