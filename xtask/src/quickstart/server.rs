//! The GitLab emulator of a quickstart, which outlives the task that starts it.

use std::fs;
use std::path::Path;

use anyhow::Context;
use testbed::progress::{say, step};
use testbed::{EmulatorOptions, Endpoint};

use super::folders::Folders;
use super::private_file;

/// The running server and where its answers come from.
#[derive(Debug)]
pub(super) struct Server {
    endpoint: Endpoint,
}

impl Server {
    /// Returns the server that an earlier quickstart left running, if it still runs.
    pub(super) fn running(folders: &Folders) -> Option<Self> {
        let endpoint = recorded(folders)?;
        endpoint
            .is_running_in(&folders.gitlab())
            .then_some(Self { endpoint })
    }

    /// Reuses the running server, or starts one: where an earlier one stopped, else with nothing in it.
    pub(super) fn start_or_reuse(folders: &Folders, executable: &Path) -> anyhow::Result<Self> {
        if let Some(server) = Self::running(folders) {
            say(&format!("GitLab already runs at {}", server.url()));
            return Ok(server);
        }
        let mut options = EmulatorOptions::new(executable, folders.gitlab());
        if let Some(earlier) = recorded(folders) {
            // Terraform's state holds URLs, so that the server has to come back where it was.
            earlier.address().clone_into(&mut options.listen);
        }
        let endpoint = step("Starting GitLab on loopback", || options.start_detached())
            .with_context(|| {
                format!("`{}` clears away what is there", folders.destroy_command())
            })?;
        write_record(folders, &endpoint)?;
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

fn recorded(folders: &Folders) -> Option<Endpoint> {
    let record = fs::read_to_string(folders.server_record()).ok()?;
    serde_json::from_str(&record).ok()
}

/// Writes the record, readable by the user alone because it holds a token.
fn write_record(folders: &Folders, endpoint: &Endpoint) -> anyhow::Result<()> {
    private_file::write(&folders.server_record(), &serde_json::to_string(endpoint)?)
}
