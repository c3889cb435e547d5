//! The deployment that a function belongs to: its version, the namespace of its metrics, and whether it is traced.

use std::{env, sync::LazyLock};
use verdict_sessions::Trace;

/// The deployment that this function belongs to. Read once, at the start.
pub(super) static DEPLOYMENT: LazyLock<Deployment> =
    LazyLock::new(|| Deployment::read(|variable| env::var(variable).ok()));

/// A deployment's version, the CloudWatch namespace of its metrics, and whether its functions send traces to X-Ray.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Deployment {
    version: String,
    pub(super) namespace: String,
    is_traced: bool,
}

impl Deployment {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        // The version is also sent in a header.
        let is_version = |version: &String| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_graphic());
        Self {
            version: variable("VERDICT_VERSION").filter(is_version).unwrap_or_else(|| "unknown".into()),
            namespace: variable("VERDICT_NAMESPACE")
                .filter(|namespace| !namespace.trim().is_empty())
                .unwrap_or_else(|| "Verdict".into()),
            is_traced: variable("VERDICT_TRACING").is_some_and(|tracing| tracing == "true"),
        }
    }

    fn trace(&self, header: Option<&str>) -> Option<Trace> {
        header.filter(|_| self.is_traced).and_then(Trace::from_header)
    }
}

/// The version of Verdict, from `VERDICT_VERSION`.
#[must_use]
pub fn version() -> &'static str {
    &DEPLOYMENT.version
}

/// Reads a trace from X-Ray's header. Lambda hands one over in any case; it counts only if `VERDICT_TRACING` says that
/// the functions send traces.
pub(crate) fn trace(header: Option<&str>) -> Option<Trace> {
    DEPLOYMENT.trace(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(version: Option<&str>, namespace: Option<&str>) -> (String, String) {
        let Deployment { version, namespace, .. } = Deployment::read(|variable| {
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
    fn a_trace_counts_only_where_traces_are_sent() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=0";
        let is_traced = |tracing: Option<&str>, header| {
            let read = |variable: &str| tracing.filter(|_| variable == "VERDICT_TRACING").map(str::to_owned);
            Deployment::read(read).trace(header).is_some()
        };
        assert!(is_traced(Some("true"), Some(header)));
        assert!(!is_traced(Some("true"), None) && !is_traced(Some("true"), Some("Root=1")));
        assert!([None, Some(""), Some("false"), Some("1")].iter().all(|tracing| !is_traced(*tracing, Some(header))));
    }
}
