//! The doctor's question to functions that have no URL: did you start?
//!
//! An operator's tool asks it after a deploy. A function that could not read its configuration never gets to answer.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use std::fmt;

/// The question: exactly the object `{"doctor":true}`. Every other event is the function's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doctor;

/// The answer to it, `{"started":true}`: nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Started {
    started: bool,
}

impl Doctor {
    /// What is answered.
    #[must_use]
    pub const fn answer(self) -> Started {
        Started { started: true }
    }
}

impl<'de> Deserialize<'de> for Doctor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Question;

        impl<'de> Visitor<'de> for Question {
            type Value = Doctor;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the one member `doctor`, which is true")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Doctor, A::Error> {
                let member = members.next_entry::<String, bool>()?;
                let is_question = member.is_some_and(|(name, value)| name == "doctor" && value);
                let is_all = members.next_key::<IgnoredAny>()?.is_none();
                (is_question && is_all).then_some(Doctor).ok_or_else(|| A::Error::custom("another event"))
            }
        }

        deserializer.deserialize_map(Question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_object_is_the_question() {
        let read = |text: &str| serde_json::from_str::<Doctor>(text).ok();
        for question in [r#"{"doctor":true}"#, " { \"doctor\" : true }\n", r#"{"d\u006fctor":true}"#] {
            assert_eq!(read(question), Some(Doctor), "{question}");
        }
        for other in [
            "{}",
            "null",
            "true",
            "[true]",
            r#"["doctor"]"#,
            r#"{"doctor":false}"#,
            r#"{"doctor":"true"}"#,
            r#"{"doctor":1}"#,
            r#"{"doctor":null}"#,
            r#"{"Doctor":true}"#,
            r#"{"doctor":true,"doctor":true}"#,
            r#"{"doctor":true,"source":"aws.events"}"#,
            r#"{"source":"aws.events","doctor":true}"#,
            r#"{"a":true,"doctor":true}"#,
            r#"[{"doctor":true}]"#,
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn the_answer_says_that_it_started() {
        assert_eq!(serde_json::to_string(&Doctor.answer()).unwrap(), r#"{"started":true}"#);
    }
}
