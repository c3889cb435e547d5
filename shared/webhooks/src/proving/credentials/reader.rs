//! Reads JSON into a type, and says what is wrong with it and at which place.
//!
//! The type says through `serde` what it needs. `serde_json` is not used: its messages quote values, which are secrets
//! here. No [`Fault`] holds anything that was read.

use super::fault::{Fault, Problem, Step};
use crate::reading::json::{Json, Text};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};
use std::vec;

/// Reads one document.
///
/// # Errors
/// [`Fault`] at the first thing that is wrong.
pub(super) fn read<'de, T: Deserialize<'de>>(source: &'de str) -> Result<T, Fault> {
    let value = Json::parse(source.as_bytes()).map_err(|unreadable| Fault::not_json(source, unreadable))?;
    T::deserialize(Value { value, source })
}

/// A value, and the document that it stands in.
struct Value<'a> {
    value: Json<'a>,
    source: &'a str,
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(value),
            Json::Number(number) => match number.parse() {
                Ok(whole) => visitor.visit_u64(whole),
                Err(_) => visitor.visit_f64(number.parse().unwrap_or(f64::NAN)),
            },
            Json::String(text) => visitor.visit_string(text.decoded().into_owned()),
            Json::Array(entries) => visitor.visit_seq(Entries::new(entries, self.source)),
            Json::Object(members) => visitor.visit_map(Members::new(members, &[], self.source)),
        }
    }

    /// Takes only an object: `serde` would also take a list of values in the order of the members.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Json::Object(members) => visitor.visit_map(Members::new(members, known, self.source)),
            _ => Err(Problem::OtherKind("an object".into()).into()),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The entries of a list.
struct Entries<'a> {
    left: vec::IntoIter<Json<'a>>,
    position: usize,
    source: &'a str,
}

impl<'a> Entries<'a> {
    fn new(entries: Vec<Json<'a>>, source: &'a str) -> Self {
        Self { left: entries.into_iter(), position: 0, source }
    }
}

impl<'de> SeqAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(value) = self.left.next() else { return Ok(None) };
        self.position += 1;
        let entry = seed.deserialize(Value { value, source: self.source });
        entry.map(Some).map_err(|fault| fault.within(Step::Entry(self.position)))
    }
}

/// The members of an object.
struct Members<'a> {
    left: vec::IntoIter<(Text<'a>, Json<'a>)>,
    /// Those that the type knows; none if it takes any name.
    known: &'static [&'static str],
    /// The member whose name was read, and whose value comes next.
    current: Option<(Text<'a>, Json<'a>)>,
    position: usize,
    source: &'a str,
}

impl<'a> Members<'a> {
    fn new(members: Vec<(Text<'a>, Json<'a>)>, known: &'static [&'static str], source: &'a str) -> Self {
        Self { left: members.into_iter(), known, current: None, position: 0, source }
    }

    /// The member as a message may name it: an unknown name might be a secret in the wrong place.
    fn step(&self, name: Text<'_>) -> Step {
        let known = self.known.iter().find(|known| name.means(known));
        known.map_or(Step::Entry(self.position), |known| Step::Member(known))
    }
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, value)) = self.left.next() else { return Ok(None) };
        self.position += 1;
        self.current = Some((name, value));
        let key = seed.deserialize(name.decoded().into_owned().into_deserializer());
        key.map(Some).map_err(|fault: Fault| fault.near(name, self.source))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, value) = self.current.take().ok_or(Problem::OtherKind("a member".into()))?;
        let value = seed.deserialize(Value { value, source: self.source });
        value.map_err(|fault| fault.near(name, self.source).within(self.step(name)))
    }
}
