//! The deployment that a function belongs to: its version, and the namespace of its metrics.

use std::{env, sync::LazyLock};

/// The deployment that the function belongs to. Read once.
pub(super) static DEPLOYMENT: LazyLock<Deployment> =
    LazyLock::new(|| Deployment::read(|variable| env::var(variable).ok()));

/// A deployment's version, and the namespace of its metrics.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Deployment {
    version: String,
    pub(super) namespace: String,
}

impl Deployment {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        // The version also goes into a header.
        let is_version = |version: &String| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_graphic());
        Self {
            version: variable("VERDICT_VERSION").filter(is_version).unwrap_or_else(|| "unknown".into()),
            namespace: variable("VERDICT_NAMESPACE")
                .filter(|namespace| !namespace.trim().is_empty())
                .unwrap_or_else(|| "Verdict".into()),
        }
    }
}

/// Returns Verdict's version, as `VERDICT_VERSION` has it.
#[must_use]
pub fn version() -> &'static str {
    &DEPLOYMENT.version
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
