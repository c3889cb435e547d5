//! What stands for many numbers.

use serde::Serialize;

/// The median, and what nine of ten don't exceed.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Quantiles {
    pub(super) median: f64,
    pub(super) p90: f64,
}

impl Quantiles {
    /// Of numbers, at least one.
    pub(super) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        Self { median: numbers[numbers.len() / 2], p90: numbers[numbers.len() * 9 / 10] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_ninth_of_ten_are_found_in_any_order() {
        let numbers = (0..10).rev().chain([10]).map(f64::from);
        assert_eq!(Quantiles::of(numbers), Quantiles { median: 5.0, p90: 9.0 });
        assert_eq!(Quantiles::of([7.0]), Quantiles { median: 7.0, p90: 7.0 });
    }
}
