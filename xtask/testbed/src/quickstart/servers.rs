//! The GitLab emulator, the `OpenBao` and the Kubernetes control plane of a quickstart, which outlive the task that
//! starts them.

use std::fs;
use std::process::Command;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use testbed::progress::{say, step};
use testbed::{
    DetachedControlPlane, DetachedOpenBao, EmulatorOptions, Endpoint, KubernetesPrograms, Method,
    OpenBaoProgram, emulator_executable,
};

use super::folders::Folders;
use super::private_file;

/// The mounts for the secrets of the provider, and one for those of the user.
const MOUNTS: [&str; 3] = ["git", "cluster", USERS_MOUNT];

/// The mount with the user's own secrets.
const USERS_MOUNT: &str = "kv";

/// Where the cluster's kubeconfig is in Vault: the mount and the path in it.
pub(super) const KUBECONFIG: (&str, &str) = (USERS_MOUNT, "clusters/deployment-01");

/// The group of the platform team, in which the tenant's repository is created.
pub(super) const TENANT_GROUP: &str = "platform";

/// The running servers.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) gitlab: Endpoint,
    pub(super) vault: DetachedOpenBao,
    /// A Kubernetes without nodes, if its programs can be obtained.
    pub(super) cluster: Option<DetachedControlPlane>,
}

/// The servers that were started, running or not.
#[derive(Default, Serialize, Deserialize)]
struct Record {
    gitlab: Option<Endpoint>,
    vault: Option<DetachedOpenBao>,
    #[serde(default)]
    cluster: Option<DetachedControlPlane>,
}

impl Servers {
    /// Returns the servers of an earlier quickstart if all of them are still running.
    pub(super) fn running(folders: &Folders) -> Option<Self> {
        let record = Record::read(folders);
        let (gitlab, vault) = (record.gitlab?, record.vault?);
        let cluster = record.cluster;
        let is_running = gitlab.is_running_in(&folders.gitlab())
            && vault.is_running_in(&folders.vault())
            && cluster
                .as_ref()
                .is_none_or(|cluster| cluster.is_running_in(&folders.cluster()));
        is_running.then_some(Self {
            gitlab,
            vault,
            cluster,
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
        let cluster = start_cluster(folders, record.cluster.take()).with_context(hint)?;
        record.cluster.clone_from(&cluster);
        record.write(folders)?;
        let servers = Self {
            gitlab,
            vault,
            cluster,
        };
        servers.prepare(folders)?;
        Ok(servers)
    }

    /// Makes what a registered cluster needs: the group of the tenant's repository, and the kubeconfig in Vault.
    fn prepare(&self, folders: &Folders) -> anyhow::Result<()> {
        let Some(cluster) = &self.cluster else {
            return Ok(());
        };
        private_file::write(&folders.kubeconfig(), cluster.kubeconfig())?;
        let group = json!({ "name": "Platform", "path": TENANT_GROUP });
        let gitlab = &self.gitlab;
        let path = format!("/groups/{TENANT_GROUP}");
        if gitlab.api(Method::GET, &path, None).is_err() {
            gitlab.api(Method::POST, "/groups", Some(&group))?;
        }
        let values = json!({ "kubeconfig": cluster.kubeconfig() });
        let program = OpenBaoProgram::obtain()?;
        self.vault.write_secret(program, KUBECONFIG, &values)?;
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
        if let Some(cluster) = &record.cluster {
            cluster.stop(&folders.cluster());
            let runs = cluster.is_running_in(&folders.cluster());
            ensure!(
                !runs,
                "Kubernetes did not stop; end process {} by hand",
                cluster.pid()
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

/// Starts Kubernetes; `None` if its programs cannot be obtained, which the user is told.
fn start_cluster(
    folders: &Folders,
    earlier: Option<DetachedControlPlane>,
) -> anyhow::Result<Option<DetachedControlPlane>> {
    let folder = folders.cluster();
    if let Some(earlier) = earlier {
        if !earlier.is_running_in(&folder) {
            bail!("Kubernetes has ended, and its data with it");
        }
        let url = earlier.url();
        say(&format!("Kubernetes is already running at {url}"));
        return Ok(Some(earlier));
    }
    if let Err(error) = step("Kubernetes", KubernetesPrograms::obtain) {
        let error = anyhow::Error::from(error);
        say(&format!("No cluster is registered: {error:#}"));
        return Ok(None);
    }
    let mut keeper = Command::new(std::env::current_exe()?);
    keeper.arg("control-plane");
    let cluster = step("Starting Kubernetes on loopback", || {
        DetachedControlPlane::start(keeper, &folder)
    })?;
    say(&format!("  {}, process {}", cluster.url(), cluster.pid()));
    Ok(Some(cluster))
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
