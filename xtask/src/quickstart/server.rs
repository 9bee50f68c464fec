//! The GitLab emulator of a quickstart, which outlives the task that starts it.

use std::fs;
use std::path::Path;

use anyhow::Context;
use testbed::progress::{say, step};
use testbed::{Emulator, EmulatorOptions, Endpoint};

use super::{Folders, remove};

/// The running server and where its answers come from.
#[derive(Debug)]
pub(super) struct Server {
    endpoint: Endpoint,
}

impl Server {
    /// Returns the server that an earlier quickstart left running, if it still runs.
    pub(super) fn running(folders: &Folders) -> Option<Self> {
        let record = fs::read_to_string(record(folders)).ok()?;
        let endpoint: Endpoint = serde_json::from_str(&record).ok()?;
        endpoint
            .is_running_on(&folders.gitlab())
            .then_some(Self { endpoint })
    }

    /// Reuses a running server, or starts one with nothing in it.
    pub(super) fn start_or_reuse(folders: &Folders, executable: &Path) -> anyhow::Result<Self> {
        if let Some(server) = Self::running(folders) {
            say(&format!("GitLab already runs at {}", server.url()));
            return Ok(server);
        }
        forget_earlier_server(folders)?;
        let options = EmulatorOptions {
            executable: executable.to_owned(),
            data: folders.gitlab(),
            arguments: Vec::new(),
        };
        let endpoint =
            step("Starting GitLab on loopback", || Emulator::start(&options))?.leave_running();
        let record_path = record(folders);
        fs::write(&record_path, serde_json::to_string(&endpoint)?)
            .with_context(|| format!("cannot write {}", record_path.display()))?;
        say(&format!("  {}, process {}", endpoint.url, endpoint.pid));
        Ok(Self { endpoint })
    }

    /// The base address.
    pub(super) fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// The administrator's access token.
    pub(super) fn token(&self) -> &str {
        &self.endpoint.root_token
    }

    /// The process id.
    pub(super) fn pid(&self) -> u32 {
        self.endpoint.pid
    }

    /// Ends it.
    pub(super) fn stop(&self, folders: &Folders) {
        self.endpoint.stop(&folders.gitlab());
    }
}

/// The file that says which process the server is.
fn record(folders: &Folders) -> std::path::PathBuf {
    folders.root.join("gitlab.json")
}

/// Removes what belonged to a server that is gone: its data, and the state that describes it.
///
/// The user's own changes to the configuration stay.
fn forget_earlier_server(folders: &Folders) -> anyhow::Result<()> {
    if folders.gitlab().exists() {
        say("The GitLab of an earlier quickstart is gone: starting afresh");
        remove(&folders.gitlab())?;
    }
    for name in ["terraform.tfstate", "terraform.tfstate.backup"] {
        let state = folders.configuration().join(name);
        if state.exists() {
            fs::remove_file(&state)
                .with_context(|| format!("cannot remove {}", state.display()))?;
        }
    }
    Ok(())
}
