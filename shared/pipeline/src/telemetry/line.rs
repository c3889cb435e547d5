//! Lines that are log entry and metrics at once. Callers say what is in them.

use super::deployment::{DEPLOYMENT, version};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use verdict_sessions::{EventId, Notification, SessionKey, Timestamp};
use verdict_webhooks::sha256_hex;

/// One line that is log entry and metrics at once, in CloudWatch's embedded metric format: no call, no agent, and
/// nothing is lost if the function is frozen.
#[derive(Debug)]
#[must_use]
pub struct Line {
    members: Map<String, Value>,
    dimensions: Vec<&'static str>,
    metrics: Vec<Value>,
}

impl Line {
    /// A line with a message, and no metric yet.
    pub fn new(message: &str) -> Self {
        Self { members: Map::new(), dimensions: Vec::new(), metrics: Vec::new() }.with("message", message)
    }

    /// Adds a member.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a member that the line's metrics are grouped by.
    pub fn by(mut self, dimension: &'static str, value: &str) -> Self {
        self.dimensions.push(dimension);
        self.with(dimension, value)
    }

    /// Adds a number that is counted.
    pub fn count(self, name: &str, times: usize) -> Self {
        self.metric(name, "Count", times)
    }

    /// Adds a number that is counted only if it isn't zero, so that a rare metric costs nothing while it doesn't occur.
    pub fn count_if_any(self, name: &str, times: usize) -> Self {
        if times == 0 { self.with(name, 0) } else { self.count(name, times) }
    }

    /// Adds a duration in milliseconds.
    pub fn millis(self, name: &str, millis: u64) -> Self {
        self.metric(name, "Milliseconds", millis)
    }

    /// Adds a duration in seconds.
    pub fn seconds(self, name: &str, seconds: u64) -> Self {
        self.metric(name, "Seconds", seconds)
    }

    fn metric(mut self, name: &str, unit: &str, value: impl Into<Value>) -> Self {
        self.metrics.push(json!({"Name": name, "Unit": unit}));
        self.with(name, value)
    }

    /// Prints the line, with the version and as of `now`.
    #[expect(clippy::print_stdout, reason = "standard output is where Lambda reads logs and embedded metrics")]
    pub fn print(self, now: Timestamp) {
        println!("{}", self.value(now));
    }

    /// The line as JSON.
    pub(crate) fn value(self, now: Timestamp) -> Value {
        let Self { dimensions, metrics, .. } = &self;
        let directive = json!({
            "Timestamp": now.unix_seconds() * 1000,
            "CloudWatchMetrics": [{"Namespace": DEPLOYMENT.namespace, "Dimensions": [dimensions], "Metrics": metrics}],
        });
        let line = if metrics.is_empty() { self } else { self.with("_aws", directive) };
        Value::Object(line.with("version", version()).members)
    }
}

/// The prefix of an SHA-256 in the place of an id.
const DIGEST: &str = "sha256:";

/// Returns a session's name in the log. An id that doesn't look like one could be anything, so its SHA-256 stands in
/// for it; so it does for one that looks like such a SHA-256.
#[must_use]
pub fn shown(session: &SessionKey) -> String {
    format!("{}/{}", session.provider, shown_id(session.session_id.as_str()))
}

/// Returns an event's name in the log, by the rule of [`shown`].
#[must_use]
pub fn shown_event(event_id: &EventId) -> String {
    shown_id(event_id.as_str()).into_owned()
}

/// Returns a notification's name in the log, by the rule of [`shown`].
#[must_use]
pub(crate) fn shown_notification(notification: &Notification) -> String {
    format!("{}/{}", shown(&notification.session), notification.sequence)
}

/// Returns the name in the log of a reference: its SHA-256. The reference is your own name for a person, and may be
/// anything.
#[must_use]
pub fn shown_reference(reference: &str) -> String {
    digest(reference)
}

fn shown_id(id: &str) -> Cow<'_, str> {
    let is_plain = id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte));
    if is_plain && !id.starts_with(DIGEST) { id.into() } else { digest(id).into() }
}

fn digest(text: &str) -> String {
    format!("{DIGEST}{}", sha256_hex(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: Line) -> Value {
        line.value(Timestamp::from_unix(1_781_308_800, 0).unwrap())
    }

    #[test]
    fn a_line_is_a_log_entry_and_its_metrics() {
        let line = Line::new("m").by("provider", "veriff").with("reason", None::<&str>);
        let line = value(line.count("recorded", 2).count_if_any("odd", 0).millis("took", 7).seconds("oldest", 60));
        assert_eq!(
            line["_aws"],
            json!({"Timestamp": 1_781_308_800_000_u64, "CloudWatchMetrics": [{
                "Namespace": "Verdict", "Dimensions": [["provider"]], "Metrics": [
                    {"Name": "recorded", "Unit": "Count"},
                    {"Name": "took", "Unit": "Milliseconds"},
                    {"Name": "oldest", "Unit": "Seconds"},
                ],
            }]})
        );
        let members = json!({"message": "m", "provider": "veriff", "reason": null, "version": "unknown",
            "recorded": 2, "odd": 0, "took": 7, "oldest": 60, "_aws": line["_aws"]});
        assert_eq!(line, members);
    }

    #[test]
    fn metrics_of_no_provider_have_no_dimension() {
        let line = value(Line::new("m").count_if_any("odd", 1));
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"], json!([{"Name": "odd", "Unit": "Count"}]));
    }

    #[test]
    fn a_line_without_metrics_is_a_log_entry_alone() {
        assert_eq!(value(Line::new("m")), json!({"message": "m", "version": "unknown"}));
    }

    #[test]
    fn an_id_that_could_be_anything_is_shown_as_its_digest() {
        let shown = |id: &str| {
            let session_id = verdict_sessions::SessionId::new(id).unwrap();
            shown(&SessionKey { provider: verdict_sessions::Provider::Wultra, session_id })
        };
        assert_eq!(shown("user:1_a.b-c"), "wultra/user:1_a.b-c");
        for odd in ["a b", "é", "a@example.com", "sha256:00ff", &"x".repeat(129)] {
            assert_eq!(shown(odd), format!("wultra/sha256:{}", sha256_hex(odd.as_bytes())));
            assert_eq!(shown_event(&EventId::new(odd).unwrap()), format!("sha256:{}", sha256_hex(odd.as_bytes())));
        }
        assert_eq!(shown_reference("customer-1"), format!("sha256:{}", sha256_hex(b"customer-1")));
    }
}
