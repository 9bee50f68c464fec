//! Describes the machine, and what its processes use.

use std::fs;
use std::thread;
use std::time::Duration;

use testbed::Terraform;

/// Describes system, processor, memory and command line in one sentence.
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

/// Returns the most memory that a process has held, in bytes; `None` without `/proc`, or if the process has ended.
pub(super) fn peak_memory(pid: u32) -> Option<u64> {
    let peak = field(&format!("/proc/{pid}/status"), "VmHWM")?;
    let kibibytes: u64 = peak.strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Returns the processor time that a process has used; `None` without `/proc`, or if the process has ended.
pub(super) fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(CLOCK_TICK * ticks(&stat)?)
}

/// Linux counts processor time in hundredths of a second (`USER_HZ`, see `proc_pid_stat(5)`).
const CLOCK_TICK: Duration = Duration::from_millis(10);

/// Adds up the fields `utime` and `stime`, the 14th and 15th. The second one, the program's name in brackets, may
/// contain spaces.
fn ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11).map(str::parse::<u32>);
    let mut next = || fields.next()?.ok();
    Some(next()? + next()?)
}

/// Returns the first value of a name in a file of `name: value` lines.
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

    #[test]
    fn user_and_system_time_are_added_up() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 900 0 0 0 31 11 0 0 20 0 5 0 100 1 2";
        assert_eq!(ticks(stat), Some(42));
        assert!(cpu_time(std::process::id()).is_some());
    }
}
