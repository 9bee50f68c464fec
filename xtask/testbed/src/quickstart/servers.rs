//! The GitLab emulator and the `OpenBao` of a quickstart, which outlive the task that starts them.

use std::fs;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use testbed::progress::{say, step};
use testbed::{DetachedOpenBao, EmulatorOptions, Endpoint, OpenBaoProgram, emulator_executable};

use super::folders::Folders;
use super::private_file;

/// The mounts for the secrets of the provider.
const MOUNTS: [&str; 1] = ["git"];

/// The running servers.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) gitlab: Endpoint,
    pub(super) vault: DetachedOpenBao,
}

/// The servers that were started, running or not.
#[derive(Default, Serialize, Deserialize)]
struct Record {
    gitlab: Option<Endpoint>,
    vault: Option<DetachedOpenBao>,
}

impl Servers {
    /// Returns the servers of an earlier quickstart if both are still running.
    pub(super) fn running(folders: &Folders) -> Option<Self> {
        let record = Record::read(folders);
        let (gitlab, vault) = (record.gitlab?, record.vault?);
        let both_run =
            gitlab.is_running_in(&folders.gitlab()) && vault.is_running_in(&folders.vault());
        both_run.then_some(Self { gitlab, vault })
    }

    /// Reuses running servers and starts the others, with their earlier data if there is any.
    pub(super) fn start_or_reuse(folders: &Folders) -> anyhow::Result<Self> {
        let mut record = Record::read(folders);
        let hint = || {
            format!(
                "`{}` removes the earlier quickstart",
                folders.destroy_command()
            )
        };
        let gitlab = start_gitlab(folders, record.gitlab.take()).with_context(hint)?;
        record.gitlab = Some(gitlab.clone());
        record.write(folders)?;
        let vault = start_vault(folders, record.vault.take()).with_context(hint)?;
        record.vault = Some(vault.clone());
        record.write(folders)?;
        Ok(Self { gitlab, vault })
    }

    /// Stops the servers of an earlier quickstart.
    pub(super) fn stop(folders: &Folders) -> anyhow::Result<()> {
        let record = Record::read(folders);
        if let Some(gitlab) = &record.gitlab {
            gitlab.stop(&folders.gitlab());
            let runs = gitlab.is_running_in(&folders.gitlab());
            ensure!(
                !runs,
                "GitLab did not stop; end process {} by hand",
                gitlab.pid
            );
        }
        if let Some(vault) = &record.vault {
            vault.stop(&folders.vault());
            let runs = vault.is_running_in(&folders.vault());
            ensure!(
                !runs,
                "OpenBao did not stop; end process {} by hand",
                vault.pid()
            );
        }
        Ok(())
    }
}

fn start_gitlab(folders: &Folders, earlier: Option<Endpoint>) -> anyhow::Result<Endpoint> {
    let folder = folders.gitlab();
    let mut options = EmulatorOptions::new(emulator_executable()?, &folder);
    match earlier {
        Some(earlier) if earlier.is_running_in(&folder) => {
            say(&format!("GitLab is already running at {}", earlier.url));
            return Ok(earlier);
        }
        // Terraform's state contains URLs, so the server needs its earlier address.
        Some(earlier) => earlier.address().clone_into(&mut options.listen),
        None => {}
    }
    let endpoint = step("Starting GitLab on loopback", || options.start_detached())?;
    say(&format!("  {}, process {}", endpoint.url, endpoint.pid));
    Ok(endpoint)
}

fn start_vault(
    folders: &Folders,
    earlier: Option<DetachedOpenBao>,
) -> anyhow::Result<DetachedOpenBao> {
    let folder = folders.vault();
    if let Some(running) = earlier
        .as_ref()
        .filter(|earlier| earlier.is_running_in(&folder))
    {
        say(&format!("OpenBao is already running at {}", running.url()));
        return Ok(running.clone());
    }
    let program = OpenBaoProgram::obtain()?;
    let server = step("Starting OpenBao on loopback", || match earlier {
        Some(earlier) => earlier.restart(program, &folder),
        None => DetachedOpenBao::start(program, &folder, &MOUNTS),
    })?;
    say(&format!("  {}, process {}", server.url(), server.pid()));
    Ok(server)
}

impl Record {
    fn read(folders: &Folders) -> Self {
        let record = fs::read_to_string(folders.server_record()).ok();
        let record = record.and_then(|text| serde_json::from_str(&text).ok());
        record.unwrap_or_default()
    }

    /// Writes the record into a file that only the user may read, because it holds tokens.
    fn write(&self, folders: &Folders) -> anyhow::Result<()> {
        private_file::write(&folders.server_record(), &serde_json::to_string(self)?)
    }
}
