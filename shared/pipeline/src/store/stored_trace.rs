//! A trace as items and messages hold it: X-Ray's header as text.
//!
//! For `#[serde(with)]` beside `default` and `skip_serializing_if`. What can't be read counts as none, so that nothing
//! stops because of it.

use serde::{Deserialize as _, Deserializer, Serializer};
use serde_json::Value;
use verdict_sessions::Trace;

#[expect(clippy::ref_option, reason = "as serde calls it")]
pub(super) fn serialize<S: Serializer>(trace: &Option<Trace>, serializer: S) -> Result<S::Ok, S::Error> {
    match trace {
        Some(trace) => serializer.collect_str(trace),
        None => serializer.serialize_none(),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Trace>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_str().and_then(Trace::from_header))
}
