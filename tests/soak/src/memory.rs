//! How much memory the functions' processes take, as the kernel counts it, and whether that grows.

use crate::lambda::Sandbox;
use std::{collections::BTreeMap, fmt, fs};

/// The growth that still counts as none: one part in so many …
const BOUND_SHARE: u32 = 10;
/// … and so much besides, in KiB.
const BOUND_KIB: u32 = 2048;

/// A process is judged that has been looked at so many times.
const ENOUGH: usize = 60;

/// What was seen, by process.
#[derive(Default)]
pub(crate) struct Memory(BTreeMap<u32, Process>);

struct Process {
    function: String,
    /// Resident memory in KiB, each time that it was looked at.
    resident: Vec<u32>,
    /// The most that it ever was.
    peak: u32,
}

/// How a process's memory went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Course<'p> {
    function: &'p str,
    /// The median after it had warmed up: of its second fifth of looks.
    warm: u32,
    /// The median at the end: of its last fifth.
    last: u32,
}

impl Memory {
    /// Looks at the process of a sandbox, if there is one.
    pub(crate) fn look(&mut self, sandbox: &Sandbox) {
        let Some(id) = sandbox.life().process else { return };
        let Ok(status) = fs::read_to_string(format!("/proc/{id}/status")) else { return };
        let (Some(resident), Some(peak)) = (kib(&status, "VmRSS:"), kib(&status, "VmHWM:")) else { return };
        let new = Process { function: sandbox.function().to_owned(), resident: Vec::new(), peak };
        let process = self.0.entry(id).or_insert(new);
        process.resident.push(resident);
        process.peak = peak;
    }

    /// Whether no process grew beyond the bound.
    pub(crate) fn is_flat(&self) -> bool {
        self.courses().all(|course| !course.has_grown())
    }

    fn courses(&self) -> impl Iterator<Item = Course<'_>> {
        self.0.values().filter_map(Process::course)
    }
}

impl Process {
    fn course(&self) -> Option<Course<'_>> {
        let fifth = self.resident.len() / 5;
        let median = |looks: &[u32]| {
            let mut looks = looks.to_vec();
            looks.sort_unstable();
            looks[looks.len() / 2]
        };
        (self.resident.len() >= ENOUGH).then(|| Course {
            function: &self.function,
            warm: median(&self.resident[fifth..2 * fifth]),
            last: median(&self.resident[self.resident.len() - fifth..]),
        })
    }
}

impl Course<'_> {
    fn has_grown(self) -> bool {
        self.last > self.warm + self.warm / BOUND_SHARE + BOUND_KIB
    }
}

/// In one line.
impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(most) = self.courses().max_by_key(|course| i64::from(course.last) - i64::from(course.warm)) else {
            return f.write_str("memory not judged: too short a run");
        };
        let peak = self.0.values().map(|process| process.peak).max().unwrap_or_default();
        write!(
            f,
            "memory {} ({} processes; the one that changed most, of {}: {} to {}; highest peak {})",
            if self.is_flat() { "flat" } else { "GROWS" },
            self.courses().count(),
            most.function,
            Mib(most.warm),
            Mib(most.last),
            Mib(peak),
        )
    }
}

/// KiB, shown in MiB.
struct Mib(u32);

impl fmt::Display for Mib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MiB", f64::from(self.0) / 1024.0)
    }
}

/// A line of `/proc/…/status`.
fn kib(status: &str, name: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(resident: impl Iterator<Item = u32>) -> Memory {
        let resident: Vec<u32> = resident.collect();
        let peak = resident.iter().copied().max().unwrap();
        Memory(BTreeMap::from([(1, Process { function: "replay".to_owned(), resident, peak })]))
    }

    #[test]
    fn what_grows_all_the_time_is_noticed_and_what_warms_up_is_not() {
        let grows = memory((0..200).map(|look| 16_000 + 50 * look));
        assert!(!grows.is_flat(), "{grows}");
        let warms_up = memory((0..200).map(|look| if look < 30 { 12_000 } else { 17_000 + look % 7 }));
        assert!(warms_up.is_flat(), "{warms_up}");
        assert!(memory(0..20).to_string().contains("not judged"));
    }

    #[test]
    fn the_kernels_words_are_read() {
        assert_eq!(kib("Name:\treplay\nVmHWM:\t   17640 kB\nVmRSS:\t   17512 kB\n", "VmRSS:"), Some(17_512));
    }
}
