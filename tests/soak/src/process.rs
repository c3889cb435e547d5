//! What the kernel says of a function's process: CPU time and memory.

use crate::lambda::Function;
use std::fs;

/// The process of a function that has one.
#[must_use]
pub fn process(function: &Function) -> u32 {
    function.sandboxes()[0].life().process.unwrap_or_default()
}

/// The highest resident memory of a process, in MiB.
#[must_use]
pub fn peak(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) / 1024.0
}

/// The CPU time of a process's threads, in seconds.
#[must_use]
pub fn cpu(process: u32) -> f64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let nanos = tasks.map(|task| {
        let line = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        line.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or_default()
    });
    nanos.sum::<f64>() / 1e9
}
