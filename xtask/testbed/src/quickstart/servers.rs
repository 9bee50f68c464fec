//! The GitLab emulator, the `OpenBao` and the Kubernetes control planes of a quickstart, which outlive the task that
//! starts them.

use std::fs;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use testbed::progress::{say, step};
use testbed::{
    DetachedOpenBao, EmulatorOptions, Endpoint, Method, OpenBaoProgram, emulator_executable,
};

use super::folders::Folders;
use super::private_file;
use super::workers::{self, Worker, Workers};

/// The mounts for the secrets of the provider, and one for those of the user.
const MOUNTS: [&str; 3] = ["git", "cluster", USERS_MOUNT];

/// The mount with the user's own secrets.
pub(super) const USERS_MOUNT: &str = "kv";

/// The group of the platform team, in which the tenant's repository is created.
pub(super) const TENANT_GROUP: &str = "platform";

/// The running servers.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) gitlab: Endpoint,
    pub(super) vault: DetachedOpenBao,
    /// Kubernetes without nodes; those whose programs could be obtained.
    pub(super) workers: Workers,
}

/// The servers that were started, running or not.
#[derive(Default, Serialize, Deserialize)]
struct Record {
    gitlab: Option<Endpoint>,
    vault: Option<DetachedOpenBao>,
    #[serde(default)]
    workers: Workers,
}

impl Servers {
    /// Returns the servers of an earlier quickstart if all of them are still running.
    pub(super) fn running(folders: &Folders) -> Option<Self> {
        let record = Record::read(folders);
        let (gitlab, vault) = (record.gitlab?, record.vault?);
        let workers = record.workers;
        let is_running = gitlab.is_running_in(&folders.gitlab())
            && vault.is_running_in(&folders.vault())
            && workers
                .iter()
                .all(|(worker, cluster)| cluster.is_running_in(&folders.cluster(*worker)));
        is_running.then_some(Self {
            gitlab,
            vault,
            workers,
        })
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
        let mut workers = record.workers.clone();
        workers::start_or_reuse(folders, &mut workers, |workers| {
            record.workers.clone_from(workers);
            record.write(folders)
        })
        .with_context(hint)?;
        let servers = Self {
            gitlab,
            vault,
            workers,
        };
        servers.prepare()?;
        Ok(servers)
    }

    /// Makes what registered clusters need: the group of the tenant's repository, hooks that may call loopback, and the
    /// kubeconfigs in Vault.
    fn prepare(&self) -> anyhow::Result<()> {
        if self.workers.is_empty() {
            return Ok(());
        }
        let group = json!({ "name": "Platform", "path": TENANT_GROUP });
        let gitlab = &self.gitlab;
        let path = format!("/groups/{TENANT_GROUP}");
        if gitlab.api(Method::GET, &path, None).is_err() {
            gitlab.api(Method::POST, "/groups", Some(&group))?;
        }
        let settings = json!({ "allow_local_requests_from_web_hooks_and_services": true });
        gitlab.api(Method::PUT, "/application/settings", Some(&settings))?;
        let program = OpenBaoProgram::obtain()?;
        for (worker, cluster) in &self.workers {
            let values = json!({ "kubeconfig": cluster.kubeconfig() });
            let path = kubeconfig_path(*worker);
            let place = (USERS_MOUNT, path.as_str());
            self.vault.write_secret(program, place, &values)?;
        }
        Ok(())
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
        for (worker, cluster) in &record.workers {
            let folder = folders.cluster(*worker);
            cluster.stop(&folder);
            let runs = cluster.is_running_in(&folder);
            ensure!(
                !runs,
                "Kubernetes did not stop; end process {} by hand",
                cluster.pid()
            );
        }
        Ok(())
    }
}

/// Returns where the kubeconfig of a cluster is in the user's mount.
pub(super) fn kubeconfig_path(worker: Worker) -> String {
    format!("clusters/{}", worker.cluster())
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
