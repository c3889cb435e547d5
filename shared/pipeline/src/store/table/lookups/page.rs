//! Pages of lists: their entries, and how many there may be.

use super::cursor::List;
use crate::store::{
    aws_error::AwsError,
    table::{error::TableError, items::Item},
};
use aws_sdk_dynamodb::operation::query::{QueryOutput, builders::QueryFluentBuilder};
use serde::Serialize;
use std::io;

/// The number of entries on a page.
pub(super) const PAGE_SIZE: usize = 50;

/// The most bytes that the entries of a page take in an answer, which is itself a text in JSON. Lambda's answers may have
/// 6 MB.
const PAGE_BYTES: usize = 5_000_000;

/// A part of a list, and where the rest begins.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// A page that is being filled.
pub(super) struct Filling<T> {
    items: Vec<T>,
    bytes: usize,
}

impl<T> Filling<T> {
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), bytes: 0 }
    }

    /// The number of entries that are missing.
    pub(super) fn room(&self) -> usize {
        PAGE_SIZE - self.items.len()
    }

    /// Adds an entry, which takes these bytes, or returns it if it would take too many. The first one always fits.
    pub(super) fn add(&mut self, item: T, bytes: usize) -> Result<(), T> {
        if self.room() == 0 || !self.items.is_empty() && self.bytes + bytes > PAGE_BYTES {
            return Err(item);
        }
        self.bytes += bytes;
        self.items.push(item);
        Ok(())
    }

    /// The page, with the rest from `place` on, if there is one.
    pub(super) fn page(self, list: &List, place: Option<&str>) -> Page<T> {
        Page { items: self.items, next: place.map(|place| list.cursor(place)) }
    }
}

/// The bytes that a value takes as JSON within a text that is itself JSON.
pub(super) fn size_in_answer(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        // What can't be written takes no page.
        Err(_) => 0,
    }
}

/// Counts what is written to it: a quote and a backslash for two.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() + bytes.iter().filter(|byte| b"\"\\".contains(byte)).count();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads one page from `start` on. Returns `None` if there is no such place.
pub(super) async fn query(query: QueryFluentBuilder, start: Option<Item>) -> Result<Option<QueryOutput>, TableError> {
    let from_cursor = start.is_some();
    let limit = i32::try_from(PAGE_SIZE).unwrap_or(i32::MAX);
    match query.set_exclusive_start_key(start).limit(limit).send().await.map_err(AwsError::from) {
        Ok(page) => Ok(Some(page)),
        // The query itself is sound, so the cursor was made up.
        Err(error) if from_cursor && !error.is_transient() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_takes_as_many_bytes_as_in_the_answer() {
        for value in [json!({"a": "\"é\\\n\u{1}名", "b": [1, null, true]}), json!("x"), json!({})] {
            let in_answer = serde_json::to_string(&json!(value.to_string())).unwrap();
            assert_eq!(size_in_answer(&value) + 2, in_answer.len(), "{value}");
        }
    }

    #[test]
    fn a_page_is_full_by_its_number_of_entries_or_by_their_bytes() {
        let fill = |bytes: usize| {
            let mut filling = Filling::new();
            (0..1000).take_while(|number| filling.add(*number, bytes).is_ok()).count()
        };
        assert_eq!([1, 99_999, 100_000, 100_001, 2_500_000].map(fill), [50, 50, 50, 49, 2]);
        assert_eq!([PAGE_BYTES, PAGE_BYTES + 1, 2 * PAGE_BYTES].map(fill), [1, 1, 1], "one always fits");
    }
}
