//! Watches the processes of a provider while Terraform runs.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use testbed::{Running, Workspace};

use super::machine;

/// The interval between two looks at the processes. What a process uses after the last look is missed.
const INTERVAL: Duration = Duration::from_millis(20);

/// What the processes of a provider used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// The most memory that one of them held, in bytes.
    pub(super) peak_memory: u64,
    /// The processor time of all of them.
    pub(super) cpu_time: Duration,
}

/// Waits until a command succeeds, and returns what the workspace's provider used meanwhile.
pub(super) fn watch(workspace: &Workspace, mut command: Running) -> anyhow::Result<Usage> {
    let mut peak_memory = 0;
    let mut cpu_times = BTreeMap::new();
    while !command.has_ended() {
        for pid in workspace.provider_processes() {
            if let Some(memory) = machine::peak_memory(pid) {
                peak_memory = peak_memory.max(memory);
            }
            if let Some(time) = machine::cpu_time(pid) {
                cpu_times.insert(pid, time);
            }
        }
        thread::sleep(INTERVAL);
    }
    command.finish()?.success()?;
    anyhow::ensure!(
        peak_memory > 0 && !cpu_times.is_empty(),
        "this system does not report what a process uses"
    );
    Ok(Usage {
        peak_memory,
        cpu_time: cpu_times.values().sum(),
    })
}
