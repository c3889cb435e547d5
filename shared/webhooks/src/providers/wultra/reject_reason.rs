//! The grammar of `rejectReason`: codes of the provider's in brackets, or text.

use crate::reading::{
    details::{Remarks, codes},
    fields::MaybeText,
};
use std::borrow::Cow;
use verdict_sessions::ReasonCode;

/// The beginning of a reason that lists codes, each with a text behind it: `Rejected by provider [W001 …, I002 …]`.
const LIST: &str = "Rejected by provider [";

/// The most letters and the most digits of such a code. Anything longer could be a document's number: the texts have
/// commas, too.
const LETTERS: usize = 4;
const DIGITS: usize = 4;

/// The codes in a reason, in their order.
pub(super) fn codes_in(reason: &MaybeText<'_>) -> (Vec<ReasonCode>, Remarks) {
    let list = reason.as_deref().and_then(|text| text.trim().strip_prefix(LIST)).unwrap_or_default();
    let entries = list.trim_end_matches(']').split(',');
    let first_words = entries.filter_map(|entry| entry.split_whitespace().next());
    let found = first_words.map(|word| word.trim_end_matches(':')).filter(|word| is_code(word));
    codes("rejectReason", found.map(|code| Some(Cow::Borrowed(code))))
}

/// Whether a word is capital letters and a number, such as `W001`.
fn is_code(word: &str) -> bool {
    let number = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let letters = word.len() - number.len();
    let digits = number.strip_prefix(['-', '_']).unwrap_or(number);
    (1..=LETTERS).contains(&letters)
        && (1..=DIGITS).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(reason: &str) -> Vec<String> {
        let (codes, remarks) = codes_in(&Some(reason.into()));
        assert!(remarks.is_empty(), "{reason}: {remarks:?}");
        codes.iter().map(|code| code.as_str().to_owned()).collect()
    }

    #[test]
    fn the_codes_in_brackets_are_reason_codes_and_the_rest_is_text() {
        for (reason, expected) in [
            ("Rejected by provider [W001 Document expired, I002 Blurred]", vec!["W001", "I002"]),
            ("Rejected by provider [W001 …, I002 …]", vec!["W001", "I002"]),
            ("Rejected by provider [W001,I002]", vec!["W001", "I002"]),
            (" Rejected by provider [E-12: one thing, and another, VID_7 …] ", vec!["E-12", "VID_7"]),
            ("Rejected by provider [W001 twice, W001 twice]", vec!["W001"]),
            ("Rejected by provider [W001 …", vec!["W001"]),
            ("Rejected by provider []", vec![]),
            ("Rejected by provider", vec![]),
            ("documentVerificationRejected", vec![]),
            ("W001", vec![]),
            ("Extracted document type PASSPORT does not match claimed type W001", vec![]),
            ("Document data crosscheck failed for fields: [dateOfBirth, W001]", vec![]),
        ] {
            assert_eq!(found(reason), expected, "{reason}");
        }
    }

    #[test]
    fn nothing_of_a_person_is_taken_for_a_code() {
        for text in ["1990-01-01", "SPECIMEN", "Sample", "AB123456", "999001", "CZ", "w001", "W001x", "É1", "ABCDE1"] {
            assert_eq!(
                found(&format!("Rejected by provider [not the same, {text} was read]")),
                Vec::<String>::new(),
                "{text}"
            );
        }
    }

    #[test]
    fn of_many_codes_the_first_sixteen_are_taken() {
        let list: Vec<_> = (0..20).map(|number| format!("W{number:03} …")).collect();
        let (codes, remarks) = codes_in(&Some(format!("Rejected by provider [{}]", list.join(", ")).into()));
        assert_eq!((codes.len(), codes[15].as_str()), (16, "W015"));
        assert_eq!(remarks, ["cut:rejectReason"]);
    }
}
