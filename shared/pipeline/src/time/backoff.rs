//! Pauses between tries: random, so that writers who met once don't meet again in step.

use std::time::Duration;

/// The longest the first pause may be.
const FIRST: Duration = Duration::from_millis(10);

/// The longest any pause may be: many tries must fit before a provider gives up.
const LONGEST: Duration = Duration::from_millis(160);

/// Pauses, each drawn from up to twice the range of the one before.
#[derive(Debug)]
pub(crate) struct Pauses {
    longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { longest: FIRST }
    }
}

impl Pauses {
    /// The next pause.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.longest.mul_f32(fastrand::f32());
        self.longest = (self.longest * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_not_beyond() {
        let mut pauses = Pauses::default();
        let longest: Vec<u128> = (0..6)
            .map(|_| {
                let limit = pauses.longest;
                assert!(pauses.next() <= limit);
                limit.as_millis()
            })
            .collect();
        assert_eq!(longest, [10, 20, 40, 80, 160, 160]);
    }
}
