//! The log lines about a secret, with their metrics. None holds anything of its value.

use super::fault::{Fault, Problem};
use crate::{telemetry::line::Line, time::clock};
use std::time::Duration;
use verdict_sessions::Provider;

/// What the lines about one secret have in common.
#[derive(Clone, Copy)]
pub(super) struct Report {
    /// The provider whose credentials it holds.
    pub(super) provider: Provider,
    /// The variable that names it.
    pub(super) variable: &'static str,
}

impl Report {
    /// The current version can't be used.
    pub(super) fn invalid(self, version: &str, problem: &Problem) {
        self.invalid_line(version, problem).print(clock::now());
    }

    /// The current version can't be fetched. `age` is the time since the credentials that count were confirmed.
    pub(super) fn stale(self, fault: &Fault, age: Duration) {
        self.stale_line(fault, age).print(clock::now());
    }

    /// An invocation has no credentials.
    pub(super) fn unavailable(self, reason: &str) {
        self.unavailable_line(reason).print(clock::now());
    }

    /// The function starts without credentials.
    pub(super) fn not_fetched(self, reason: &str, problem: &str) {
        self.line(reason).with("problem", problem).print(clock::now());
    }

    /// Another version counts from now on.
    pub(super) fn renewed(self, version: &str) {
        self.line("renewed").with("secretVersion", version).print(clock::now());
    }

    fn invalid_line(self, version: &str, problem: &Problem) -> Line {
        let line = self.line(problem.code).with("problem", &*problem.text).with("secretVersion", version);
        line.count("secretInvalid", 1)
    }

    fn stale_line(self, fault: &Fault, age: Duration) -> Line {
        let line = self.line(fault.code()).with("problem", fault.to_string());
        line.seconds("secretStale", age.as_secs())
    }

    fn unavailable_line(self, reason: &str) -> Line {
        self.line(reason).count("secretUnavailable", 1)
    }

    fn line(self, reason: &str) -> Line {
        let Self { provider, variable } = self;
        Line::new("secret").by("provider", provider.as_str()).with("reason", reason).with("variable", variable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::aws_error::AwsError;
    use serde_json::{Value, json};

    const REPORT: Report = Report { provider: Provider::Wultra, variable: "WULTRA_CREDENTIALS_ARN" };

    /// The line, and the metric in it with its unit.
    fn read(line: Line) -> (Value, Value) {
        let line = line.value(verdict_sessions::Timestamp::EPOCH);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["provider"]]));
        assert_eq!((&line["message"], &line["provider"]), (&json!("secret"), &json!("wultra")));
        assert_eq!(line["variable"], "WULTRA_CREDENTIALS_ARN");
        let metric = directive["Metrics"].clone();
        (line, metric)
    }

    #[test]
    fn each_trouble_with_a_secret_is_a_metric_of_its_provider() {
        let (line, metric) = read(REPORT.invalid_line("v-2", &Problem::malformed("is none")));
        assert_eq!(metric, json!([{"Name": "secretInvalid", "Unit": "Count"}]));
        assert_eq!((&line["reason"], &line["secretVersion"]), (&json!("malformed"), &json!("v-2")));
        assert_eq!((&line["problem"], &line["secretInvalid"]), (&json!("is none"), &json!(1)));

        let fault = Fault::from(AwsError::throttled());
        let (line, metric) = read(REPORT.stale_line(&fault, Duration::from_secs(612)));
        assert_eq!(metric, json!([{"Name": "secretStale", "Unit": "Seconds"}]));
        assert_eq!((&line["reason"], &line["secretStale"]), (&json!("unreachable"), &json!(612)));

        let (line, metric) = read(REPORT.unavailable_line("denied"));
        assert_eq!(metric, json!([{"Name": "secretUnavailable", "Unit": "Count"}]));
        assert_eq!((&line["reason"], &line["secretUnavailable"]), (&json!("denied"), &json!(1)));
    }
}
