//! JSON Schemas of what isn't described by its fields alone.

use crate::{Detail, Provider, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

impl JsonSchema for Provider {
    fn schema_name() -> Cow<'static, str> {
        "Provider".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An identity-verification provider. A later release may know more.",
            "type": "string",
            "enum": Self::ALL.map(Self::as_str),
        })
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A point in time in UTC, with as many digits of the second as it needs, at most nine.",
            "type": "string",
            "format": "date-time",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$",
        })
    }
}

/// Gives the schema of a detail its bounds. A limit in characters is the nearest to one in bytes that a schema knows.
pub(crate) fn bounded_detail(schema: &mut Schema) {
    schema.insert("maxProperties".to_owned(), Detail::COUNT.into());
    let value = json_schema!({"type": "string", "minLength": 1, "maxLength": Detail::LIMIT});
    schema.insert("additionalProperties".to_owned(), value.into());
}
