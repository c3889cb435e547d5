//! Many histories, one after the other on each of a few threads.

use crate::history::{Counts, History, history, seed_of};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

/// What many histories came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many there were.
    pub histories: u64,
    /// How many things in them were not as they must be.
    pub violations: usize,
    /// What happened in them.
    pub counts: Counts,
    /// SHA-256 over how each of them ended, in order.
    pub digest: [u8; 32],
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = self.digest.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        write!(f, "histories {}, violations {}, digest {digest}", self.histories, self.violations)
    }
}

/// Lives through the first `count` histories of a seed, and hands each with its index to `watch`, in no order. What they
/// come to depends on the seed and the count alone.
pub fn histories(seed: u64, count: u64, threads: usize, watch: impl Fn(u64, &History) + Sync) -> Tally {
    let next = AtomicU64::new(0);
    let work = || {
        let (mut tally, mut digests) = (Tally::default(), Vec::new());
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return (tally, digests);
            }
            let history = one(seed, index);
            watch(index, &history);
            tally.histories += 1;
            tally.violations += history.violations.len();
            tally.counts += &history.counts;
            digests.push((index, history.digest));
        }
    };
    let (mut all, mut digests) = (Tally::default(), BTreeMap::new());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let (tally, of_worker) = worker.join().expect("a history that panics is a violation");
            all.histories += tally.histories;
            all.violations += tally.violations;
            all.counts += &tally.counts;
            digests.extend(of_worker);
        }
    });
    all.digest = digests.into_values().fold(Sha256::new(), Sha256::chain_update).finalize().into();
    all
}

/// One of them.
#[must_use]
pub fn one(seed: u64, index: u64) -> History {
    let lived = catch_unwind(AssertUnwindSafe(|| history(seed_of(seed, index))));
    lived.unwrap_or_else(|_| History { violations: vec!["it panicked".to_owned()], ..History::default() })
}
