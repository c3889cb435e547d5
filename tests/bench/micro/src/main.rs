//! The CPU time of every stage of every sample, as JSON, a result in each line; at the end two ratios to the wall.
//!
//! `ONLY=ratios` measures no more than the two ratios need.
//!
//! The stages take turns, round after round, so that a busy machine slows all of them down alike. CPU time doesn't count
//! what other processes take. The least of the rounds is compared: whatever disturbs a round only adds to it.

#![expect(clippy::cast_precision_loss, reason = "times and sizes are far below 2^52")]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool: what can't be ends it, and it prints its results"
)]

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use std::{env, time::Duration};
use verdict_micro::{Case, Sample, Stage, cases, samples};
use verdict_sessions::Provider;

/// How often each case is measured.
const ROUNDS: usize = 15;

/// The least CPU time that one measurement takes.
const LEAST: Duration = Duration::from_millis(10);

/// The bytes of input that are made ready at once: so few that they stay in the cache, as a body that has just come in.
const READY: usize = 64 * 1024;

/// A case, and the microseconds that it took in each round.
struct Measured {
    case: Case,
    micros: Vec<f64>,
}

fn main() {
    let ratios = ratios();
    let needed = ratios.iter().flat_map(|(_, pair)| pair);
    let mut measured: Vec<Measured> = if env::var("ONLY").is_ok_and(|only| only == "ratios") {
        needed.map(|(stage, sample)| Measured::new(Case::new(*stage, sample).unwrap())).collect()
    } else {
        Stage::ALL.into_iter().flat_map(cases).map(Measured::new).collect()
    };
    for _ in 0..ROUNDS {
        measured.iter_mut().for_each(Measured::again);
    }
    measured.iter().for_each(Measured::tell);
    for (name, [ours, wall]) in &ratios {
        let least = |(stage, sample): &(Stage, Sample)| find(&measured, *stage, sample).least();
        println!("{}", json!({"kind": "ratio", "ratio": name, "value": least(ours) / least(wall)}));
    }
}

/// What Verdict adds to a webhook, against the wall: by name, both with their sample.
fn ratios() -> [(&'static str, [(Stage, Sample); 2]); 2] {
    let [decision, ..] = samples(Provider::Veriff);
    let [.., largest] = samples(Provider::Wultra);
    let pair = |wall, sample: Sample| [(Stage::AllOfOurs, sample.clone()), (wall, sample)];
    [
        ("decision of 1 KB against HMAC", pair(Stage::Hmac, decision)),
        ("largest event with images against base64 and SHA-256", pair(Stage::Base64AndSha256, largest)),
    ]
}

fn find<'m>(measured: &'m [Measured], stage: Stage, sample: &Sample) -> &'m Measured {
    let is_it = |case: &Case| case.stage() == stage && case.sample().body() == sample.body();
    measured.iter().find(|measured| is_it(&measured.case)).unwrap()
}

impl Measured {
    const fn new(case: Case) -> Self {
        Self { case, micros: Vec::new() }
    }

    /// Measures the case once more.
    fn again(&mut self) {
        let at_once = (READY / self.case.sample().body().len()).max(1);
        let (mut took, mut runs) = (Duration::ZERO, 0);
        while took < LEAST {
            let inputs: Vec<_> = (0..at_once).map(|_| self.case.input()).collect();
            let begun = cpu();
            for input in inputs {
                self.case.run(input);
            }
            took += cpu().saturating_sub(begun);
            runs += at_once;
        }
        self.micros.push(took.as_secs_f64() * 1e6 / runs as f64);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.micros.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    fn least(&self) -> f64 {
        self.sorted()[0]
    }

    fn tell(&self) {
        let (sample, sorted) = (self.case.sample(), self.sorted());
        let result = json!({"kind": "stage", "stage": self.case.stage().name(), "provider": sample.provider().as_str(),
            "bytes": sample.body().len(), "leastMicros": sorted[0], "medianMicros": sorted[sorted.len() / 2]});
        println!("{result}");
    }
}

/// The CPU time of this thread.
fn cpu() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}
