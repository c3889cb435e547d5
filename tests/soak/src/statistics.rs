//! What stands for many numbers.

use serde::Serialize;

/// The least, the median, and what nine of ten and 99 of 100 don't exceed.
#[derive(Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// The least.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// What nine of ten don't exceed.
    pub p90: f64,
    /// What 99 of 100 don't exceed.
    pub p99: f64,
}

impl Quantiles {
    /// Of numbers, at least one.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let at = |share: usize| numbers[numbers.len() * share / 100];
        Self { min: at(0), median: at(50), p90: at(90), p99: at(99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_ninth_of_ten_are_found_in_any_order() {
        let numbers = (0..10).rev().chain([10]).map(f64::from);
        assert_eq!(Quantiles::of(numbers), Quantiles { min: 0.0, median: 5.0, p90: 9.0, p99: 10.0 });
        assert_eq!(Quantiles::of([7.0]), Quantiles { min: 7.0, median: 7.0, p90: 7.0, p99: 7.0 });
    }
}
