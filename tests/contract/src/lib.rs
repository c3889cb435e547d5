//! The contract: what consumers of the queue and readers of the sessions API may rely on, as files made from the types.
//!
//! `cargo run --package verdict-contract` writes the files; tests compare them with the types.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "what fails here fails a test")]

pub mod schemas;
pub mod stories;

use serde::Serialize;
use std::path::{Path, PathBuf};

/// The folder of the schemas.
pub const SCHEMAS: &str = "docs/contract";

/// The folder of the messages.
pub const MESSAGES: &str = "events/notifications";

/// The files, by their paths in the repository, each with its text.
#[must_use]
pub fn files() -> Vec<(PathBuf, String)> {
    let schemas = schemas::schemas().into_iter().map(|(name, schema)| (Path::new(SCHEMAS).join(name), text(&schema)));
    let messages = stories::messages().into_iter().map(|(name, message)| {
        let event = message.cloud_event().in_trace(stories::trace_of(name));
        (Path::new(MESSAGES).join(format!("{name}.json")), text(&event))
    });
    schemas.chain(messages).collect()
}

/// JSON with the members in the order in which they are written.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// The repository's folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}
