//! What should not have happened.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

/// How many of a kind are told in words.
const SHOWN: usize = 10;

/// What sort of thing should not have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Acknowledged, and not there; or due, and never told.
    Lost,
    /// There, and not as it should be.
    Wrong,
    /// Counted or told more than once.
    Doubled,
    /// The older after the newer.
    Backwards,
}

impl Kind {
    /// All of them, as they are told.
    pub(crate) const ALL: [(Self, &'static str); 4] =
        [(Self::Lost, "lost"), (Self::Wrong, "wrong"), (Self::Doubled, "doubled"), (Self::Backwards, "backwards")];
}

/// A list of it.
#[derive(Default)]
pub(crate) struct Violations(Mutex<BTreeMap<Kind, Vec<String>>>);

impl Violations {
    /// One more.
    pub(crate) fn add(&self, kind: Kind, words: String) {
        self.all().entry(kind).or_default().push(words);
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// How many there are of each kind, in one line.
    pub(crate) fn summary(&self) -> String {
        let all = self.all();
        let counts = Kind::ALL.map(|(kind, name)| format!("{name} {}", all.get(&kind).map_or(0, Vec::len)));
        counts.join(", ")
    }

    /// The first of each kind, in words.
    pub(crate) fn lines(&self) -> Vec<String> {
        let all = self.all();
        let first = |(kind, words): (&Kind, &Vec<String>)| {
            words.iter().take(SHOWN).map(|words| format!("{kind:?}: {words}")).collect::<Vec<_>>()
        };
        all.iter().flat_map(first).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Kind, Vec<String>>> {
        self.0.lock().unwrap()
    }
}
