//! What a function says of itself: JSON lines on standard output, and metrics among them.
//!
//! Only Verdict's own log targets are heard, at any level. The Lambda runtime and the SDK would log
//! whole payloads at their finer levels, so they are capped here, in code, and not by configuration.

use crate::{gateway::RequestId, process::Fate, rebuild};
use serde_json::{Value, json};
use std::{
    cell::Cell,
    env,
    panic::{self, AssertUnwindSafe},
    sync::LazyLock,
    thread,
    time::Duration,
};
use tracing::{Event, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer as _, filter,
    fmt::{
        self, FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, JsonFields, Writer},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};
use verdict_sessions::{Provider, Remark, SessionKey, Timestamp};
use verdict_webhooks::{Disposition, sha256_hex};

/// What the function is told of its own deployment. Read once.
static DEPLOYMENT: LazyLock<Deployment> = LazyLock::new(|| Deployment::read(|variable| env::var(variable).ok()));

/// A deployment's version, and the namespace that its metrics are kept apart by.
#[derive(Debug, PartialEq, Eq)]
struct Deployment {
    version: String,
    namespace: String,
}

impl Deployment {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        // It also goes into a header.
        let is_version = |version: &String| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_graphic());
        Self {
            version: variable("VERDICT_VERSION").filter(is_version).unwrap_or_else(|| "unknown".into()),
            namespace: variable("VERDICT_NAMESPACE")
                .filter(|namespace| !namespace.trim().is_empty())
                .unwrap_or_else(|| "Verdict".into()),
        }
    }
}

/// Which version of Verdict this is, as `VERDICT_VERSION` has it.
pub(crate) fn version() -> &'static str {
    &DEPLOYMENT.version
}

/// Starts logging, at the level that `VERDICT_LOG` names (`off`, `error`, `warn`, `info`, `debug`, `trace`).
pub(crate) fn start() {
    let level = env::var("VERDICT_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let ours =
        filter::filter_fn(move |metadata| metadata.target().starts_with("verdict") && *metadata.level() <= level);
    let lines = fmt::layer().event_format(Versioned::new(version())).fmt_fields(JsonFields::new());
    // A second start in one process (as tests do) keeps the first's log.
    let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();
    panic::set_hook(Box::new(|panic| {
        if PANIC_IS_EXPECTED.get() {
            return;
        }
        // The place, never the message: a slice out of range quotes what it sliced.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked; this is a bug");
    }));
}

thread_local! {
    /// Whether a panic of this thread is no bug of Verdict's.
    static PANIC_IS_EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs code of a library that panics on some input. The panic isn't logged: a stranger who sends such input must not
/// raise an alarm.
///
/// # Errors
/// The panic.
pub(crate) fn expecting_panics<T>(run: impl FnOnce() -> T) -> thread::Result<T> {
    PANIC_IS_EXPECTED.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    PANIC_IS_EXPECTED.set(false);
    result
}

/// JSON lines, each of which begins with the version.
struct Versioned {
    lines: Format<Json>,
    beginning: String,
}

impl Versioned {
    fn new(version: &str) -> Self {
        let lines = fmt::format().json().flatten_event(true).with_current_span(true).with_span_list(false);
        Self { lines, beginning: format!(r#"{{"version":{},"#, json!(version)) }
    }
}

impl<S, N> FormatEvent<S, N> for Versioned
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> std::fmt::Result {
        let mut line = String::new();
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        // A line is an object, and never an empty one.
        match line.strip_prefix('{') {
            Some(rest) => write!(out, "{}{rest}", self.beginning),
            None => out.write_str(&line),
        }
    }
}

/// What became of one delivery.
pub(crate) struct DeliveryReport<'a> {
    /// `delivery`, or `replay` where it comes from intake.
    pub(crate) message: &'static str,
    pub(crate) request: Option<&'a RequestId>,
    pub(crate) provider: Provider,
    pub(crate) fate: &'a Fate,
    pub(crate) took: Duration,
}

impl DeliveryReport<'_> {
    /// Prints one line that is log entry and metrics at once (CloudWatch's embedded metric format):
    /// no call, no agent, nothing lost when the function is frozen. A probe is logged and not counted.
    pub(crate) fn print(&self, now: Timestamp) {
        print_line(self.line(now));
    }

    fn line(&self, now: Timestamp) -> Value {
        let mut line = self.entry();
        if self.fate.disposition != Disposition::Probe {
            self.count(&mut line, now);
        }
        line
    }

    fn entry(&self) -> Value {
        let Fate { disposition, reason, session, .. } = self.fate;
        json!({
            "message": self.message,
            "requestId": self.request.map(RequestId::as_str),
            "provider": self.provider,
            "outcome": disposition.as_str(),
            "reason": reason,
            "session": session.as_ref().map(shown),
            "took": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn count(&self, line: &mut Value, now: Timestamp) {
        let Fate { disposition, remarks, late_copies, reused_ids, .. } = self.fate;
        let outcome = match self.message {
            "replay" => format!("replay.{}", disposition.as_str()),
            _ => disposition.as_str().to_owned(),
        };
        let mut metrics = vec![count(&outcome), json!({"Name": "took", "Unit": "Milliseconds"})];
        let remarked = |remark| remarks.iter().filter(|made| **made == remark).count();
        let rare = [
            (Remark::Unrecognised.as_str(), remarked(Remark::Unrecognised)),
            (Remark::Inconsistent.as_str(), remarked(Remark::Inconsistent)),
            ("lateCopy", *late_copies),
            ("idReused", *reused_ids),
        ];
        metrics.extend(rare.iter().filter(|(_, times)| *times > 0).map(|(name, _)| count(name)));
        line["_aws"] = embedded(now, &["provider"], &metrics);
        line[outcome] = json!(1);
        for (name, times) in rare {
            line[name] = json!(times);
        }
    }
}

/// A session, for finding its log lines. An id that doesn't look like one could be anything, so its
/// SHA-256 stands in for it.
pub(crate) fn shown(session: &SessionKey) -> String {
    let id = session.session_id.as_str();
    let is_plain = id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte));
    if is_plain { session.to_string() } else { format!("{}/sha256:{}", session.provider, sha256_hex(id.as_bytes())) }
}

/// What one run of the relay did.
pub(crate) fn report_relay(now: Timestamp, published: usize, failed: usize, oldest_seconds: u64) {
    let counts = [("relayed", published), ("notRelayed", failed)];
    report_run("relay", now, &counts, ("oldestDue", oldest_seconds));
}

/// What one batch from intake came to: how many messages are done with, how many stay, and how old the oldest is.
pub(crate) fn report_replay(now: Timestamp, done: usize, stay: usize, oldest_seconds: u64) {
    report_run("intake", now, &[("intakeDone", done), ("intakePutOff", stay)], ("oldestIntake", oldest_seconds));
}

/// What a rebuild came to: the audit of what was done to a record.
pub(crate) fn report_rebuild(now: Timestamp, session: &SessionKey, report: &rebuild::Report) {
    let name = format!("rebuild.{}", report.outcome());
    let mut line = report.as_json().clone();
    line["_aws"] = embedded(now, &["provider"], &[count(&name)]);
    line["message"] = json!("rebuild");
    line["session"] = json!(shown(session));
    line["sessionId"].take();
    line[name] = json!(1);
    print_line(line);
}

/// What one run of something on a schedule did: counts, and the age in seconds of what has waited longest.
pub(crate) fn report_run(message: &str, now: Timestamp, counts: &[(&str, usize)], (oldest, seconds): (&str, u64)) {
    let mut metrics: Vec<_> = counts.iter().map(|(name, _)| count(name)).collect();
    metrics.push(json!({"Name": oldest, "Unit": "Seconds"}));
    let mut line = json!({"_aws": embedded(now, &[], &metrics), "message": message});
    for (name, count) in counts {
        line[*name] = json!(count);
    }
    line[oldest] = json!(seconds);
    print_line(line);
}

/// Whether the token endpoint gave a token.
pub(crate) fn report_token(request: &RequestId, now: Timestamp, error: Option<&str>) {
    let name = if error.is_none() { "tokenIssued" } else { "tokenRefused" };
    let mut line = json!({
        "_aws": embedded(now, &["provider"], &[count(name)]),
        "message": "token",
        "requestId": request.as_str(),
        "provider": Provider::Incode,
        "reason": error,
    });
    line[name] = json!(1);
    print_line(line);
}

/// What makes metrics of a line's members, in CloudWatch's embedded metric format.
fn embedded(now: Timestamp, dimensions: &[&str], metrics: &[Value]) -> Value {
    json!({
        "Timestamp": now.unix_seconds() * 1000,
        "CloudWatchMetrics": [{"Namespace": DEPLOYMENT.namespace, "Dimensions": [dimensions], "Metrics": metrics}],
    })
}

fn count(name: &str) -> Value {
    json!({"Name": name, "Unit": "Count"})
}

#[expect(clippy::print_stdout, reason = "standard output is where Lambda reads logs and embedded metrics")]
fn print_line(mut line: Value) {
    line["version"] = json!(version());
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    fn deployment(version: Option<&str>, namespace: Option<&str>) -> (String, String) {
        let Deployment { version, namespace } = Deployment::read(|variable| {
            let value = if variable == "VERDICT_VERSION" { version } else { namespace };
            value.map(str::to_owned)
        });
        (version, namespace)
    }

    #[test]
    fn a_deployment_has_a_version_and_a_namespace_whatever_it_is_told() {
        let named = |version: &str, namespace: &str| (version.to_owned(), namespace.to_owned());
        assert_eq!(deployment(Some("v1.2-3-gabc"), Some("verdict-test")), named("v1.2-3-gabc", "verdict-test"));
        assert_eq!(deployment(None, None), named("unknown", "Verdict"));
        for unfit in ["", " ", "a b", "v1\r\nx-other: x", "vé"] {
            assert_eq!(deployment(Some(unfit), Some(" ")), named("unknown", "Verdict"), "{unfit:?}");
        }
    }

    #[test]
    fn a_panic_is_expected_only_of_what_is_known_for_it() {
        let during = Cell::new(false);
        let panicked = expecting_panics(|| {
            during.set(PANIC_IS_EXPECTED.get());
            panic!("over a stranger's input")
        });
        assert_eq!((panicked.is_err(), during.get(), PANIC_IS_EXPECTED.get()), (true, true, false));
        assert_eq!(expecting_panics(|| 1).unwrap(), 1);
        assert!(!PANIC_IS_EXPECTED.get());
    }

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_log_line_has_the_version() {
        let written = Written::default();
        let writer = written.clone();
        let lines = fmt::layer()
            .event_format(Versioned::new("v1 \"x\""))
            .fmt_fields(JsonFields::new())
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::info!("outside");
            let _span = tracing::error_span!("invocation", request_id = "r-1").entered();
            tracing::warn!(problem = "p", "inside");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.iter().map(|line| line["version"].as_str()).collect::<Vec<_>>(), [Some("v1 \"x\""); 2]);
        assert_eq!(
            lines.iter().map(|line| line["message"].as_str()).collect::<Vec<_>>(),
            [Some("outside"), Some("inside")]
        );
        assert_eq!((&lines[1]["span"]["request_id"], &lines[1]["problem"]), (&json!("r-1"), &json!("p")));
    }

    fn delivery(fate: &Fate) -> Value {
        let report = DeliveryReport {
            message: "delivery",
            request: None,
            provider: Provider::Veriff,
            fate,
            took: Duration::from_millis(7),
        };
        report.line(Timestamp::from_unix(1_781_308_800, 0).unwrap())
    }

    #[test]
    fn a_delivery_is_a_line_and_a_metric_of_its_provider() {
        let line = delivery(&Fate::because(Disposition::Ignored, "undecided"));
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Dimensions"], json!([["provider"]]));
        assert_eq!(metrics["Metrics"][0], json!({"Name": "ignored", "Unit": "Count"}));
        assert_eq!((&line["ignored"], &line["provider"], &line["took"]), (&json!(1), &json!("veriff"), &json!(7)));
    }

    #[test]
    fn a_probe_is_a_line_and_no_metric() {
        let line = delivery(&Fate::of(Disposition::Probe));
        let expected = json!({"message": "delivery", "requestId": null, "provider": "veriff", "outcome": "probe",
            "reason": null, "session": null, "took": 7});
        assert_eq!(line, expected);
    }
}
