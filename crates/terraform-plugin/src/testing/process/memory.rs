//! The memory of another process, from Linux' `/proc`.

/// Returns the resident memory of the process in bytes. `None` if it has exited, or on systems without `/proc`.
pub(super) fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    entry(&status, "VmRSS:")
}

/// Returns the peak resident memory of the process in bytes; limits as for [`resident`].
pub(super) fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    entry(&status, "VmHWM:")
}

fn entry(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = value.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_in_kibibytes() {
        let status = "Name:\tfloor\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(entry(status, "VmRSS:"), Some(1 << 20));
        assert_eq!(entry(status, "VmSwap:"), None);
    }
}
