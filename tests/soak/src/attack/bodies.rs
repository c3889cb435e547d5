//! The largest bodies within each provider's limit, of every sort that takes much memory or time: each goes to a process
//! of its own, so that its peak is that body's.

use super::{Target, outcome};
use crate::{
    process::{cpu, peak, process},
    sender::event,
    soak::Settings,
};
use verdict_sessions::Provider;
use verdict_simulation::Webhook;

/// The longest event that Lambda delivers, in bytes.
const EVENT_LIMIT: usize = 6 * 1024 * 1024;

/// The memory that a function must do with, in MiB.
const BOUND: f64 = 128.0;

/// A function with so many MiB has one CPU; with less, a part of it.
const MEMORY_OF_A_CPU: f64 = 1769.0;

/// Makes a webhook of a number of units.
type MadeOf = Box<dyn Fn(usize) -> Webhook>;

/// A value that fills a body: what stands before, the unit that is repeated, and what stands behind.
type Filler = (&'static str, &'static str, String, &'static str);

fn fillers() -> Vec<Filler> {
    let deep = format!("{}{},", "[".repeat(100), "]".repeat(100));
    let deep_objects = format!("{}1{},", r#"{"":"#.repeat(100), "}".repeat(100));
    let blob = format!(r#""{}","#, "QUJD".repeat(100));
    vec![
        ("empty objects", "[", "{},".to_owned(), "1]"),
        ("digits", "[", "0,".to_owned(), "1]"),
        ("lists of one", "[", "[0],".to_owned(), "1]"),
        ("lists of two", "[", "[0,0],".to_owned(), "1]"),
        ("deep lists", "[", deep, "1]"),
        ("deep objects", "[", deep_objects, "1]"),
        ("members", "{", r#""":0,"#.to_owned(), r#""":1}"#),
        ("empty texts", "[", r#""","#.to_owned(), "1]"),
        ("a text of escapes", "\"", r"\u0041".to_owned(), "\""),
        ("a text of words", "\"", "two words ".to_owned(), "\""),
        ("one blob", "\"", "QUJD".to_owned(), "\""),
        ("blobs", "[", blob, "1]"),
        ("digits in a text", "\"[", "0,".to_owned(), "1]\""),
        ("texts in a text", "\"[", r#"\"\","#.to_owned(), "1]\""),
        ("tokens in a text", "\"", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln ".to_owned(), "\""),
    ]
}

/// A provider's webhook around a value.
pub(super) fn filled(provider: Provider, value: &str) -> Webhook {
    const TIME: &str = "2026-06-12T09:30:00Z";
    match provider {
        Provider::Veriff => Webhook::with_body(
            provider,
            &format!(
                r#"{{"status":"success","verification":{{"id":"worst","attemptId":"1","code":9001,"status":"approved","decisionTime":"{TIME}","new":{value}}}}}"#
            ),
        ),
        Provider::Incode => Webhook::with_body(
            provider,
            &format!(r#"{{"interviewId":"worst","onboardingStatus":"ONBOARDING_FINISHED","new":{value}}}"#),
        ),
        Provider::Treezor => Webhook::with_payload(
            r#""webhook":"user.kycreview","object_id":"7""#,
            &format!(
                r#"{{"users":[{{"userId":"7","kycReview":"2","modifiedDate":"2026-06-12 09:30:00","new":{value}}}]}}"#
            ),
        ),
        Provider::Wultra => Webhook::with_body(
            provider,
            &format!(
                r#"{{"id":"1","timestamp":"{TIME}","type":"PROCESS_FINISHED","userId":"u","processId":"worst","eventData":{{"process":{{"status":"FINISHED"}},"new":{value}}}}}"#
            ),
        ),
    }
}

/// The largest body of a sort within the limit: `of` makes it of a number of units.
pub(super) fn largest(limit: usize, of: impl Fn(usize) -> Webhook) -> Webhook {
    let fits = |count: usize| {
        let webhook = of(count);
        webhook.body.len() <= limit && event(&webhook).len() <= EVENT_LIMIT
    };
    let (mut least, mut beyond) = (0, limit);
    while beyond - least > 1 + least / 500 {
        let middle = usize::midpoint(least, beyond);
        if fits(middle) { least = middle } else { beyond = middle }
    }
    of(least)
}

/// Bodies that only a provider has, by what they are: `of` makes the value of the `n`th entry.
fn lists(provider: Provider) -> Vec<(&'static str, MadeOf)> {
    let list = |count: usize, entry: &dyn Fn(usize) -> String| (0..count).map(entry).collect::<Vec<_>>().join(",");
    let treezor = |name: &'static str, member: &'static str, entry: fn(usize) -> String| {
        Box::new(move |count| {
            let entries = (0..count).map(entry).collect::<Vec<_>>().join(",");
            Webhook::with_payload(
                &format!(r#""webhook":"{name}","webhook_id":"1""#),
                &format!(r#"{{"{member}":[{entries}]}}"#),
            )
        }) as MadeOf
    };
    match provider {
        Provider::Treezor => vec![
            ("documents, all empty", treezor("document.update", "documents", |_| "{}".to_owned())),
            ("users, all the same", treezor("user.kycreview", "users", |_| r#"{"userId":7,"kycReview":2}"#.to_owned())),
            ("users", treezor("user.kycreview", "users", |number| format!(r#"{{"userId":{number},"kycReview":2}}"#))),
            (
                "documents of one user",
                treezor("document.update", "documents", |number| {
                    format!(r#"{{"userId":7,"documentId":{number},"documentStatus":"VALIDATED"}}"#)
                }),
            ),
            (
                "reasons",
                Box::new(move |count| {
                    let reasons =
                        list(count, &|number| format!(r#"{{"reason-code":"{number}","reason-message":"m"}}"#));
                    Webhook::with_payload(
                        r#""webhook":"kycliveness.update","object_id":"o""#,
                        &format!(
                            r#"{{"kyc-status":"processed","score":0,"user_id":"7","refusal-details":{{"reasons":[{reasons}]}}}}"#
                        ),
                    )
                }),
            ),
        ],
        Provider::Veriff => vec![
            (
                "risk labels",
                Box::new(move |count| {
                    filled_veriff(&format!(
                        r#""riskLabels":[{}]"#,
                        list(count, &|number| format!(r#"{{"label":"l{number}"}}"#))
                    ))
                }),
            ),
            (
                "hits",
                Box::new(move |count| {
                    let hits = list(count, &|number| format!(r#"{{"listingsRelatedToMatch":{{"l{number}":[1]}}}}"#));
                    Webhook::with_body(
                        Provider::Veriff,
                        &format!(
                            r#"{{"checkType":"updated_result","sessionId":"worst","attemptId":"1","matchStatus":"possible_match","createdAt":"2026-06-12T09:30:00Z","hits":[{hits}]}}"#
                        ),
                    )
                }),
            ),
        ],
        Provider::Incode | Provider::Wultra => Vec::new(),
    }
}

fn filled_veriff(member: &str) -> Webhook {
    Webhook::with_body(
        Provider::Veriff,
        &format!(
            r#"{{"status":"success","verification":{{"id":"worst","attemptId":"1","code":9001,"status":"declined","decisionTime":"2026-06-12T09:30:00Z",{member}}}}}"#
        ),
    )
}

/// What a body cost.
pub(crate) struct Cost {
    /// The most memory that its process ever had, in MiB.
    pub(crate) peak: f64,
    /// CPU time, in seconds.
    pub(crate) cpu: f64,
    pub(crate) bytes: usize,
    pub(crate) outcome: String,
}

pub(super) async fn run(settings: &Settings) -> bool {
    let mut is_well = true;
    println!(
        "{:8} {:24} {:>9} {:12} {:>9} {:>8} {:>9} {:>9}",
        "provider", "body", "bytes", "outcome", "peak MiB", "CPU s", "at 128 MB", "at 512 MB"
    );
    for provider in Provider::ALL {
        let costs = costs(settings, provider, print_cost).await;
        is_well &= costs
            .iter()
            .all(|(_, cost)| cost.peak < BOUND && ["recorded", "quarantined", "spooled"].contains(&&*cost.outcome));
        if let Some((name, cost)) = costs.iter().max_by(|(_, one), (_, other)| one.peak.total_cmp(&other.peak)) {
            println!("{provider}: the worst is {name}, {:.1} MiB", cost.peak);
        }
    }
    is_well
}

/// What each of a provider's largest bodies costs, by what fills it; a small one is the first. Tells each at once.
pub(crate) async fn costs(
    settings: &Settings,
    provider: Provider,
    tell: impl Fn(Provider, &str, &Cost),
) -> Vec<(&'static str, Cost)> {
    let limit = if provider == Provider::Wultra { 6 * 1024 * 1024 } else { 1024 * 1024 };
    let filled = fillers().into_iter().map(|(name, before, unit, behind)| {
        let of = move |count: usize| filled(provider, &format!("{before}{}{behind}", unit.repeat(count)));
        (name, Box::new(of) as MadeOf)
    });
    let nothing: (&str, MadeOf) = ("small", Box::new(move |_| self::filled(provider, "1")));
    let mut costs = Vec::new();
    for (name, of) in std::iter::once(nothing).chain(filled).chain(lists(provider)) {
        let cost = cost(settings, provider, &largest(limit, of)).await;
        tell(provider, name, &cost);
        costs.push((name, cost));
    }
    costs
}

fn print_cost(provider: Provider, name: &str, cost: &Cost) {
    let at = |memory: f64| cost.cpu * MEMORY_OF_A_CPU / memory;
    println!(
        "{:8} {name:24} {:>9} {:12} {:>9.1} {:>8.2} {:>8.1}s {:>8.1}s",
        provider.as_str(),
        cost.bytes,
        cost.outcome,
        cost.peak,
        cost.cpu,
        at(128.0),
        at(512.0),
    );
}

/// Has a process of its own receive a webhook.
async fn cost(settings: &Settings, provider: Provider, webhook: &Webhook) -> Cost {
    let target = Target::new(settings).await;
    let function = target.receiver(provider, 1);
    let outcome = outcome(&function, webhook).await;
    let process = process(&function);
    Cost { peak: peak(process), cpu: cpu(process), bytes: webhook.body.len(), outcome }
}
