//! Asks the machine what it is, and what its processes take.

use std::fs;
use std::thread;

use testbed::Terraform;

/// Describes processor, system and command line in one sentence.
pub(super) fn describe(terraform: &Terraform) -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .map_or_else(String::new, |kilobytes| {
            format!(", {} GiB memory", kilobytes >> 20)
        });
    let system = std::env::consts::OS;
    format!("{system}, {cores} cores ({processor}){memory}, {terraform}")
}

/// The most bytes of memory that a process has held; none on a system without `/proc`, or if it has ended.
pub(super) fn peak_memory(pid: u32) -> Option<u64> {
    let peak = field(&format!("/proc/{pid}/status"), "VmHWM")?;
    let kibibytes: u64 = peak.strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The first value of a `name: value` file.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_held_some_memory() {
        let peak = peak_memory(std::process::id()).unwrap();
        assert!(peak > 100_000, "{peak}");
    }
}
