//! The consumer of the decisions queue: remembers of each session what it was told, and notices what it should not be
//! told.

use crate::violations::{Kind, Violations};
use serde_json::Value;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher as _},
};
use verdict_sessions::Timestamp;

/// What the consumer knows.
#[derive(Default)]
pub(crate) struct Ledger {
    sessions: HashMap<String, Heard>,
    /// Messages that had come before, word for word: the queue promises each at least once.
    pub(crate) repeated: usize,
    pub(crate) notifications: usize,
}

/// What was heard of one session.
#[derive(Default)]
pub(crate) struct Heard {
    /// A digest of each notification, by sequence from 1 on; none where one was left out.
    digests: Vec<Option<u64>>,
    /// What the latest said: the outcome, and what tells decisions apart.
    pub(crate) outcome: Option<String>,
    /// The outcome of each check, as the latest said.
    pub(crate) checks: Value,
    said: u64,
    decided_at: Option<Timestamp>,
    /// How many told of a decision, and not of a check.
    pub(crate) decisions: usize,
}

impl Heard {
    /// The highest sequence.
    pub(crate) fn sequence(&self) -> usize {
        self.digests.len()
    }

    /// How many below that never came.
    pub(crate) fn missing(&self) -> usize {
        self.digests.iter().filter(|digest| digest.is_none()).count()
    }
}

impl Ledger {
    /// What was heard of a session: `{provider}/{sessionId}`.
    pub(crate) fn heard(&self, session: &str) -> Option<&Heard> {
        self.sessions.get(session)
    }

    /// Takes in a message.
    pub(crate) fn take(&mut self, body: &str, violations: &Violations) {
        let message: Value = serde_json::from_str(body).unwrap();
        let data = &message["data"];
        let text = |name: &str| data[name].as_str().unwrap_or_default();
        let session = format!("{}/{}", text("provider"), text("sessionId"));
        let sequence = usize::try_from(data["sequence"].as_u64().unwrap()).unwrap();
        let id = format!("{session}/{sequence}");
        if message["id"] != id.as_str() {
            violations.add(Kind::Wrong, format!("notification {id} calls itself {}", message["id"]));
        }
        let heard = self.sessions.entry(session).or_default();
        let digest = digest(&body);

        if sequence <= heard.sequence() {
            match heard.digests[sequence - 1] {
                Some(before) if before == digest => self.repeated += 1,
                Some(_) => violations.add(Kind::Doubled, format!("{id} came again with another content: {body}")),
                None => heard.digests[sequence - 1] = Some(digest),
            }
            return;
        }
        if sequence > heard.sequence() + 1 {
            violations.add(Kind::Backwards, format!("{id} came before {}", heard.sequence() + 1));
        }
        self.notifications += 1;
        let said = self::digest(&[text("outcome"), text("reasonCode"), text("attemptId")]);
        let decided_at = Timestamp::parse(text("decidedAt"));
        let is_check = message["type"] == "verdict.check.v1";
        if is_check != data["changes"].is_array() || is_check && heard.said != said {
            violations.add(Kind::Wrong, format!("{id} is of another type than it says: {body}"));
        }
        heard.decisions += usize::from(!is_check);
        if !is_check && heard.outcome.is_some() && heard.said == said {
            violations.add(Kind::Doubled, format!("{id} claim what the one before it said: {body}"));
        }
        if data["previousOutcome"].as_str() != heard.outcome.as_deref() {
            violations.add(Kind::Wrong, format!("{id} follows {:?}: {body}", heard.outcome));
        }
        if decided_at < heard.decided_at {
            violations.add(Kind::Backwards, format!("{id} was decided before {:?}: {body}", heard.decided_at));
        }
        heard.digests.resize(sequence - 1, None);
        heard.digests.push(Some(digest));
        heard.outcome = Some(text("outcome").to_owned());
        heard.checks = data["checks"].clone();
        heard.said = said;
        heard.decided_at = decided_at;
    }
}

fn digest(of: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What becomes of notifications of one session: how they are counted, and what is wrong with them.
    fn taken(notifications: &[(u64, &str, Option<&str>, &str)]) -> (Ledger, String) {
        let (mut ledger, violations) = (Ledger::default(), Violations::default());
        for (sequence, outcome, previous, minute) in notifications {
            let data = json!({"provider": "veriff", "sessionId": "s", "sequence": sequence, "outcome": outcome,
                "previousOutcome": previous, "decidedAt": format!("2026-06-13T00:{minute}:00Z")});
            ledger.take(&json!({"id": format!("veriff/s/{sequence}"), "data": data}).to_string(), &violations);
        }
        (ledger, violations.summary())
    }

    #[test]
    fn changes_in_order_are_well_and_so_is_a_copy() {
        let (first, second) = ((1, "review", None, "01"), (2, "approved", Some("review"), "02"));
        let (ledger, violations) = taken(&[first, second, first, second]);
        assert_eq!(violations, "lost 0, wrong 0, doubled 0, backwards 0");
        assert_eq!((ledger.notifications, ledger.repeated), (2, 2));
        assert_eq!(ledger.heard("veriff/s").unwrap().outcome.as_deref(), Some("approved"));
    }

    #[test]
    fn what_should_not_be_heard_is_noticed() {
        let first = (1, "review", None, "02");
        for (second, expected) in [
            ((1, "approved", None, "02"), "lost 0, wrong 0, doubled 1, backwards 0"),
            ((2, "review", Some("review"), "03"), "lost 0, wrong 0, doubled 1, backwards 0"),
            ((2, "approved", None, "03"), "lost 0, wrong 1, doubled 0, backwards 0"),
            ((2, "approved", Some("review"), "01"), "lost 0, wrong 0, doubled 0, backwards 1"),
            ((3, "approved", Some("review"), "03"), "lost 0, wrong 0, doubled 0, backwards 1"),
        ] {
            assert_eq!(taken(&[first, second]).1, expected, "{second:?}");
        }
    }

    #[test]
    fn what_was_left_out_is_missing_until_it_comes() {
        let (first, third) = ((1, "review", None, "01"), (3, "approved", Some("review"), "03"));
        let missing = |ledger: &Ledger| ledger.heard("veriff/s").unwrap().missing();
        assert_eq!(missing(&taken(&[first, third]).0), 1);
        assert_eq!(missing(&taken(&[first, third, (2, "declined", Some("review"), "02")]).0), 0);
    }
}
