//! The log: JSON lines on standard output.
//!
//! Only Verdict's own log targets are heard, at any level. The Lambda runtime and the SDK would log whole payloads at
//! their finer levels, so they are capped here, in code, and not by configuration.

use super::deployment::version;
use serde_json::json;
use std::{
    cell::Cell,
    env,
    fmt::Result,
    panic::{self, AssertUnwindSafe},
    thread,
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

/// Starts logging, at the level that `VERDICT_LOG` names (`off`, `error`, `warn`, `info`, `debug`, `trace`).
pub(crate) fn start() {
    let level = env::var("VERDICT_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let ours =
        filter::filter_fn(move |metadata| metadata.target().starts_with("verdict") && *metadata.level() <= level);
    let lines = fmt::layer().event_format(Versioned::new(version())).fmt_fields(JsonFields::new());
    // A second start in one process, as in tests, keeps the log of the first.
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
    /// True while a panic of this thread isn't a bug of Verdict's.
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

/// Writes JSON lines, each with the version as its first member.
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
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> Result {
        let mut line = String::new();
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        // A line is an object with at least one member.
        match line.strip_prefix('{') {
            Some(rest) => write!(out, "{}{rest}", self.beginning),
            None => out.write_str(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::{
        io,
        sync::{Arc, Mutex},
    };

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
}
