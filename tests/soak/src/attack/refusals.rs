//! Forged webhooks of three lengths: what refusing one costs, in CPU time and in calls to the stores.

use super::{
    Target,
    bodies::{filled, largest},
    outcome,
};
use crate::{
    process::{cpu, peak, process},
    soak::Settings,
};
use verdict_sessions::Provider;
use verdict_simulation::Webhook;

/// What is refused before it is measured: a process that has just started isn't one that a flood meets.
const WARM_UP: u32 = 5;

/// Lengths of bodies in bytes, and how many of each are sent.
const LENGTHS: [(usize, u32); 3] = [(1024, 2000), (1024 * 1024, 100), (6 * 1024 * 1024, 30)];

pub(super) async fn run(settings: &Settings) -> bool {
    println!("{:8} {:>9} {:>7} {:>12} {:>9} {:>6}", "provider", "bytes", "refused", "CPU ms each", "peak MiB", "calls");
    let mut is_well = true;
    for provider in Provider::ALL {
        for (length, count) in LENGTHS {
            is_well &= refused(settings, provider, length, count).await;
        }
    }
    is_well
}

/// Sends as many forgeries to one process. Returns whether all were refused without a call to a store.
async fn refused(settings: &Settings, provider: Provider, length: usize, count: u32) -> bool {
    let webhook = forged(largest(length, |count| filled(provider, &format!("\"{}\"", "two words ".repeat(count)))));
    let target = Target::new(settings).await;
    let function = target.receiver(provider, 1);
    let mut refused = 0;
    let mut before = 0.0;
    for number in 0..WARM_UP + count {
        if number == WARM_UP {
            before = cpu(process(&function));
        }
        refused += u32::from(outcome(&function, &webhook).await == "refused");
    }
    let process = process(&function);
    let each = (cpu(process) - before) * 1000.0 / f64::from(count);
    let calls: usize = target.stores.take_traffic().calls.values().sum();
    println!(
        "{:8} {:>9} {refused:>7} {each:>12.2} {:>9.1} {calls:>6}",
        provider.as_str(),
        webhook.body.len(),
        peak(process)
    );
    refused == WARM_UP + count && calls == 0
}

/// The same webhook with a proof that doesn't hold: what stands in headers is spoiled, and the body where it is signed.
fn forged(mut webhook: Webhook) -> Webhook {
    for (_, value) in &mut webhook.headers {
        let last = if value.ends_with('0') { "1" } else { "0" };
        value.replace_range(value.len() - 1.., last);
    }
    let middle = webhook.body.len() / 2;
    let other = if webhook.body[middle] == b'o' { b'a' } else { b'o' };
    webhook.body[middle] = other;
    webhook
}
