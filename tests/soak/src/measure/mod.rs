//! Measurements of the functions' own binaries: `MEASURE=` names one. Each goes out as JSON, a result in each line.
//!
//! | `MEASURE` | what it measures |
//! |---|---|
//! | `cost` | what each row of a plan, which comes on standard input, takes: CPU time, calls, units, requests, log |
//! | `bodies` | CPU time and memory of the largest bodies within each provider's limit, as the attack of that name |
//! | `secrets` | starts and answers with credentials by variable and by ARN, and those of the binaries in `BASELINE` |

mod cost;
mod secrets;

use crate::{attack::bodies, soak::Settings};
use serde::Serialize;
use serde_json::json;
use verdict_sessions::Provider;

/// Measures, tells the results, and says whether everything answered as it should.
pub(crate) async fn run(name: &str, settings: Settings) -> bool {
    match name {
        "cost" => cost::run(&settings).await,
        "bodies" => largest_bodies(&settings).await,
        "secrets" => secrets::run(&settings).await,
        _ => panic!("no measurement is called {name}"),
    }
}

async fn largest_bodies(settings: &Settings) -> bool {
    for provider in Provider::ALL {
        bodies::costs(settings, provider, |provider, body, cost| {
            tell(&json!({"provider": provider.as_str(), "body": body, "bytes": cost.bytes, "outcome": cost.outcome,
                "cpuSeconds": cost.cpu, "peakMib": cost.peak}));
        })
        .await;
    }
    true
}

fn tell(result: &impl Serialize) {
    println!("{}", serde_json::to_string(result).unwrap());
}
