//! The plan. If a test says that the code leaves it, change the code; or if you mean to change the plan, change it
//! here.

/// The crates, floor by floor from the top down. Each may depend on those of lower floors, and on no other of the
/// workspace. A folder with `*` stands for each crate in it.
pub(crate) const CRATES: [&[&str]; 7] = [
    &["tests/bench"],
    &["tests/soak"],
    &["tests/bench/micro", "tests/contract", "tests/fuzz", "tests/house", "tests/simulation"],
    &["functions/*", "operations/check"],
    &["shared/pipeline"],
    &["shared/webhooks"],
    &["shared/sessions"],
];

/// The rooms of a crate, from the top down. A room is a file or a folder right under the crate's `src/`. Each may import
/// from those below it, by the path of the module (`crate::time::deadline::Deadline`) and never through `lib.rs`, whose
/// names are for outsiders. A room that is not listed here is not in the plan.
pub(crate) const ROOMS: [(&str, &[&str]); 2] = [
    (
        "shared/pipeline",
        &[
            "environment",
            "polling",
            "deliveries",
            "decisions",
            "lambda",
            "http",
            "secrets",
            "store",
            "telemetry",
            "time",
        ],
    ),
    ("shared/webhooks", &["providers", "proving", "delivery", "reading", "refusal", "digest"]),
];

/// Dependencies that only one crate may have.
pub(crate) const OWNERS: [(&str, &str); 1] = [("reqwest", "functions/incode-poller")];

/// Crates that know neither AWS nor HTTP nor a runtime, by the beginnings of what they may not depend on.
pub(crate) const PURE: [(&str, &[&str]); 2] = [("shared/webhooks", &IMPURE), ("shared/sessions", &IMPURE)];

const IMPURE: [&str; 6] = ["aws-", "hyper", "lambda", "reqwest", "tokio", "tracing"];
