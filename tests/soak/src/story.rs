//! What happens to people, as webhooks tell it: each story is made from the seed and its number alone, so that none has
//! to be remembered.

use fastrand::Rng;
use std::time::Duration;
use verdict_sessions::{Outcome, Provider, Stage, Timestamp};
use verdict_simulation::{Claim, Webhook};

/// The step between two things that happen in a story. Whole seconds, since Treezor writes no fractions.
const STEP: Duration = Duration::from_secs(30);

/// The webhooks of one session, or of a few that some webhooks speak of together.
pub(crate) struct Story {
    pub(crate) provider: Provider,
    /// The webhooks, in the order of what happened. All say something different.
    pub(crate) webhooks: Vec<Webhook>,
    /// Which of them can't be read, and the word that they are known by.
    pub(crate) unreadable: Vec<(usize, String)>,
    /// The webhooks as they are sent, by index: some out of order, some more than once.
    pub(crate) sent: Vec<usize>,
    /// Whether all are sent at the same time.
    pub(crate) is_at_once: bool,
}

impl Story {
    /// A story whose first event is at `start`, in whole seconds.
    pub(crate) fn tell(seed: u64, number: usize, start: Timestamp) -> Self {
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number as u64);
        let provider = Provider::ALL[number % Provider::ALL.len()];
        let people = if provider == Provider::Treezor && rng.u8(..4) == 0 { 3 } else { 1 };
        let sessions: Vec<String> = (0..people).map(|person| session_id(provider, seed, number, person)).collect();
        let mut story =
            Self { provider, webhooks: Vec::new(), unreadable: Vec::new(), sent: Vec::new(), is_at_once: false };
        story.happen(&sessions, &mut rng, start);
        story.be_sent(&mut rng);
        story
    }

    /// The sessions that it is about.
    pub(crate) fn sessions(&self) -> Vec<&str> {
        let mut sessions: Vec<&str> = self.claims().map(|(_, claims)| claims.session.as_str()).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// What is said, with the index of the webhook that says it.
    pub(crate) fn claims(&self) -> impl Iterator<Item = (usize, &Claim)> {
        self.webhooks
            .iter()
            .enumerate()
            .flat_map(|(index, webhook)| webhook.claims.iter().map(move |claims| (index, claims)))
    }

    fn happen(&mut self, sessions: &[String], rng: &mut Rng, start: Timestamp) {
        let mut now = start;
        let mut tick = || {
            now = now.plus(STEP);
            now
        };
        let first = &sessions[0];
        for attempt in 1..=rng.usize(1..=2) {
            let attempt = format!("{first}-attempt-{attempt}");
            for stage in self.stages() {
                self.webhooks.push(Webhook::progress(self.provider, first, stage, tick(), &attempt));
            }
            for _ in 0..rng.usize(1..=3) {
                let outcome = self.outcome(rng);
                self.webhooks.push(Webhook::decision(self.provider, first, outcome, tick(), &attempt));
            }
            if sessions.len() > 1 {
                let people: Vec<&str> = sessions.iter().map(String::as_str).collect();
                let outcome = self.outcome(rng);
                self.webhooks.push(Webhook::decisions_of_users(&people, outcome, tick()));
            }
        }
        if self.provider == Provider::Incode {
            self.drop_what_incode_says_twice();
        }
        if rng.u8(..25) == 0 {
            let word = format!("unreadable-{first}");
            self.unreadable.push((self.webhooks.len(), word.clone()));
            self.webhooks.push(Webhook::unreadable_saying(self.provider, &word));
        }
    }

    fn stages(&self) -> Vec<Stage> {
        match self.provider {
            Provider::Veriff | Provider::Incode => vec![Stage::Started, Stage::Submitted],
            Provider::Treezor | Provider::Wultra => vec![Stage::Submitted],
        }
    }

    fn outcome(&self, rng: &mut Rng) -> Outcome {
        *rng.choice(Webhook::outcomes(self.provider)).expect("every provider knows some")
    }

    /// Its webhooks hold no time: what is said twice is the same, byte for byte. A session is finished once, whatever its
    /// flow.
    fn drop_what_incode_says_twice(&mut self) {
        let mut said: Vec<(String, Vec<u8>)> = Vec::new();
        self.webhooks.retain(|webhook| {
            let is_status = webhook.path.ends_with("/onboarding-status");
            let claims = (webhook.path.clone(), if is_status { Vec::new() } else { webhook.body.clone() });
            let is_new = !said.contains(&claims);
            said.push(claims);
            is_new
        });
    }

    fn be_sent(&mut self, rng: &mut Rng) {
        self.sent = (0..self.webhooks.len()).collect();
        match rng.u8(..10) {
            0 => self.is_at_once = true,
            1 => rng.shuffle(&mut self.sent),
            2 | 3 => {
                let place = rng.usize(..self.sent.len().max(2) - 1);
                self.sent[place..].rotate_left(1);
            }
            _ => {}
        }
        // A copy comes some time after the first, at the earliest right after it.
        for webhook in 0..self.webhooks.len() {
            if rng.u8(..10) == 0 {
                let first = self.sent.iter().position(|sent| *sent == webhook).expect("each is sent");
                self.sent.insert(rng.usize(first + 1..=self.sent.len()), webhook);
            }
        }
    }
}

/// Unlike any other's of the same seed. Treezor's are numbers.
fn session_id(provider: Provider, seed: u64, number: usize, person: usize) -> String {
    match provider {
        Provider::Treezor => (10_000_000 + number * 10 + person).to_string(),
        _ => format!("{:08x}-0000-4000-8000-{number:012x}", seed & 0xffff_ffff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stories() -> impl Iterator<Item = Story> {
        (0..400).map(|number| Story::tell(1, number, Timestamp::EPOCH))
    }

    #[test]
    fn a_story_is_told_the_same_way_again() {
        for (first, again) in stories().zip(stories()) {
            let of =
                |story: &Story| (story.sent.clone(), story.webhooks.iter().map(|w| w.body.clone()).collect::<Vec<_>>());
            assert_eq!(of(&first), of(&again));
        }
    }

    #[test]
    fn every_webhook_says_something_of_its_own_and_is_sent() {
        for story in stories() {
            let claims: Vec<_> = story.webhooks.iter().map(|webhook| (&webhook.path, &webhook.body)).collect();
            for (index, webhook) in claims.iter().enumerate() {
                assert!(!claims[..index].contains(webhook), "{:?}", story.sessions());
                assert!(story.sent.contains(&index));
            }
        }
    }

    #[test]
    fn stories_hold_all_that_can_come() {
        let count = |holds: fn(&Story) -> bool| stories().filter(holds).count();
        assert!(count(|story| story.sent.len() > story.webhooks.len()) > 100, "copies");
        assert!(count(|story| !story.sent.is_sorted()) > 50, "out of order");
        assert!(count(|story| story.is_at_once) > 20, "at once");
        assert!(count(|story| story.sessions().len() == 3) > 10, "several people");
        assert!(count(|story| !story.unreadable.is_empty()) > 5, "unreadable");
    }
}
