//! Caution: of two facts of one time that nothing else orders, the more cautious counts.
//!
//! Caution follows from the value alone, so that no rank has to store it.

use crate::{CheckOutcome, Outcome};

/// The outcomes of decisions, the more cautious later. Only final ones are compared with final ones, and others with
/// others: final decisions come before caution.
const DECISIONS: [Outcome; 7] = [
    Outcome::Approved,
    Outcome::Abandoned,
    Outcome::Expired,
    Outcome::Failed,
    Outcome::Declined,
    Outcome::ResubmissionRequested,
    Outcome::Review,
];

/// The outcomes of checks, the more cautious later. [`CheckOutcome::Captured`] is no result, so that every other one
/// replaces it, whatever the times.
const CHECKS: [CheckOutcome; 7] = [
    CheckOutcome::Captured,
    CheckOutcome::Passed,
    CheckOutcome::Pending,
    CheckOutcome::Cancelled,
    CheckOutcome::Error,
    CheckOutcome::Flagged,
    CheckOutcome::Failed,
];

/// A place in the order of caution. The greater one is more cautious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Caution(usize);

impl Caution {
    pub(crate) fn of_decision(outcome: Outcome) -> Self {
        Self(DECISIONS.iter().take_while(|other| **other != outcome).count())
    }

    pub(crate) fn of_check(outcome: CheckOutcome) -> Self {
        Self(CHECKS.iter().take_while(|other| **other != outcome).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_place_of_its_own() {
        for (place, outcome) in DECISIONS.into_iter().enumerate() {
            assert_eq!(Caution::of_decision(outcome), Caution(place));
        }
        for (place, outcome) in CHECKS.into_iter().enumerate() {
            assert_eq!(Caution::of_check(outcome), Caution(place));
        }
    }
}
