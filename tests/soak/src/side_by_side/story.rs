//! What happens in one session, in as many parts as there are phases: each part decides anew, and checks come after the
//! decisions.

use fastrand::Rng;
use std::time::Duration;
use verdict_sessions::{CheckOutcome, Outcome, Provider, Stage, Timestamp};
use verdict_simulation::Webhook;

/// The parts of a story.
pub(super) const PARTS: usize = 3;

/// The step between two things that happen. Whole seconds, since Treezor writes no fractions.
const STEP: Duration = Duration::from_secs(30);

/// The time at which every story begins.
const START: i64 = 1_781_254_800;

/// One session's webhooks.
pub(super) struct Story {
    parts: [Vec<Webhook>; PARTS],
    /// Parts whose webhooks are all sent at the same time.
    at_once: [bool; PARTS],
}

/// Where a story is.
struct Teller {
    provider: Provider,
    session: String,
    rng: Rng,
    now: Timestamp,
    told: usize,
    attempt: String,
}

impl Story {
    /// Stories with that many webhooks, or a few more.
    pub(super) fn tell_all(seed: u64, webhooks: usize) -> Vec<Self> {
        let mut stories: Vec<Self> = Vec::new();
        let mut count = 0;
        while count < webhooks {
            stories.push(Self::tell(seed, stories.len()));
            count += stories.last().map_or(0, |story| story.parts.iter().map(Vec::len).sum());
        }
        stories
    }

    /// The webhooks of a part.
    pub(super) fn part(&self, part: usize) -> &[Webhook] {
        &self.parts[part]
    }

    pub(super) fn is_at_once(&self, part: usize) -> bool {
        self.at_once[part]
    }

    fn tell(seed: u64, number: usize) -> Self {
        let provider = Provider::ALL[number % Provider::ALL.len()];
        let session = match provider {
            Provider::Treezor => (20_000_000 + number).to_string(),
            _ => format!("{:08x}-0000-4000-8000-{number:012x}", seed & 0xffff_ffff),
        };
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number as u64);
        let at_once = [(); PARTS].map(|()| rng.u8(..3) == 0);
        let now = Timestamp::from_unix(START, 0).unwrap();
        let mut teller = Teller { provider, session, rng, now, told: 0, attempt: String::new() };
        // The first part has most of what happens.
        let parts = [(3, 2), (1, 1), (1, 1)].map(|(decisions, checks)| teller.part(decisions, checks));
        Self { parts, at_once }
    }
}

impl Teller {
    fn part(&mut self, decisions: usize, checks: usize) -> Vec<Webhook> {
        let mut webhooks = vec![self.progress()];
        webhooks.extend((0..decisions).map(|_| self.decision()));
        webhooks.extend((0..checks).map(|_| self.check()));
        webhooks
    }

    fn tick(&mut self) -> Timestamp {
        self.now = self.now.plus(STEP);
        self.told += 1;
        self.now
    }

    /// Each part has an attempt of its own, where the provider has attempts.
    fn progress(&mut self) -> Webhook {
        let at = self.tick();
        self.attempt = format!("{}-attempt-{}", self.session, self.told);
        Webhook::progress(self.provider, &self.session, Stage::Submitted, at, &self.attempt)
    }

    fn decision(&mut self) -> Webhook {
        let at = self.tick();
        let outcomes = Webhook::outcomes(self.provider);
        let outcome = *self.rng.choice(outcomes).unwrap_or(&Outcome::Approved);
        Webhook::decision(self.provider, &self.session, outcome, at, &self.attempt)
    }

    fn check(&mut self) -> Webhook {
        let (at, is_passed, session) = (self.tick(), self.rng.bool(), &self.session);
        let or = |bad| if is_passed { CheckOutcome::Passed } else { bad };
        match self.provider {
            Provider::Veriff => Webhook::check(Provider::Veriff, session, or(CheckOutcome::Flagged), at, &self.attempt),
            Provider::Incode => Webhook::authentication(session, Some(is_passed), self.told),
            Provider::Treezor => Webhook::document(session, or(CheckOutcome::Failed), Some(at), self.told),
            Provider::Wultra => Webhook::check(Provider::Wultra, session, or(CheckOutcome::Failed), at, &self.attempt),
        }
    }
}
