//! The servers, and who works on them: two instances of GitLab, an OpenBao, workspaces with their states.

mod manual;
mod server;
mod vault;
pub(crate) mod view;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::json;
use testbed::Proxy;

pub(crate) use manual::ManualChange;
pub(crate) use server::{Role, Server};
use vault::RANGE;
pub(crate) use vault::{Vault, VaultRole, VaultView, repository, repository_of_policy};
use view::{CONFIG, GitLabView};

use crate::configuration::Configuration;
use crate::core::State;
use crate::ledger::Ledger;

/// How many workspaces share the servers.
pub(crate) const WORKSPACES: usize = 2;

/// The group of another team, and its project.
pub(crate) const FOREIGN: (&str, &str) = ("legacy", "app");

/// Which GitLab the provider's address leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// The one on which everything was made.
    #[default]
    Main,
    /// Another one, where the same numbers belong to others.
    Other,
}

/// A configuration with its state and former states.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) configuration: Configuration,
    pub(crate) state: State,
    pub(crate) history: Vec<State>,
}

/// The servers and workspaces.
pub(crate) struct World {
    pub(crate) main: Server,
    pub(crate) other: Server,
    pub(crate) vault: Arc<Vault>,
    /// In front of Vault, for the provider alone.
    pub(crate) proxy: Proxy,
    pub(crate) workspaces: [Workspace; WORKSPACES],
    pub(crate) ledger: Ledger,
    /// The number of the group that products are made in.
    pub(crate) parent: Option<u64>,
    base: u64,
    _folder: tempfile::TempDir,
}

/// What all servers hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) gitlab: BTreeMap<Target, GitLabView>,
    pub(crate) vault: VaultView,
}

impl Snapshot {
    pub(crate) fn gitlab(&self, target: Target) -> &GitLabView {
        static NONE: GitLabView = GitLabView {
            groups: BTreeMap::new(),
            projects: BTreeMap::new(),
        };
        self.gitlab.get(&target).unwrap_or(&NONE)
    }
}

/// The path of the parent group in worlds that have one.
const PARENT: &str = "acme";

impl World {
    /// Starts the servers. The seed decides whether products are below a parent group, and whether
    /// the other GitLab has groups with the same paths. Without `has_other` that one stays empty.
    pub(crate) async fn start(
        vault: Arc<Vault>,
        seed: u64,
        has_other: bool,
    ) -> anyhow::Result<Self> {
        static WORLDS: AtomicU64 = AtomicU64::new(1);
        let base = WORLDS.fetch_add(1, Ordering::Relaxed) * RANGE;
        let mut random = fastrand::Rng::with_seed(seed);
        let (has_parent, has_twins) = (random.bool(), random.bool());
        let folder = tempfile::tempdir()?;
        let main = Server::start(&folder.path().join("main"), base).await?;
        let other = Server::start(&folder.path().join("other"), base).await?;
        // Objects of the same number are not of the same age.
        other
            .emulator
            .advance_clock(std::time::Duration::from_secs(60 * 60));
        let foreign = main.create_group(FOREIGN.0, None).await?;
        let project = main.create_project(FOREIGN.1, foreign).await?;
        let parent = if has_parent {
            Some(main.create_group(PARENT, None).await?)
        } else {
            None
        };
        if has_other {
            populate(&other, has_parent, has_twins).await?;
        }
        let proxy = blocking(|| {
            vault.add_foreign_secrets(project)?;
            anyhow::Ok(Proxy::start(&vault.server.url(), "/v1")?)
        })?;
        Ok(Self {
            main,
            other,
            vault,
            proxy,
            workspaces: Default::default(),
            ledger: Ledger::default(),
            parent,
            base,
            _folder: folder,
        })
    }

    pub(crate) fn server(&self, target: Target) -> &Server {
        match target {
            Target::Main => &self.main,
            Target::Other => &self.other,
        }
    }

    /// Reads what all servers hold.
    pub(crate) async fn snapshot(&self) -> anyhow::Result<Snapshot> {
        let main = self.main.view().await?;
        let other = self.other.view().await?;
        Ok(Snapshot {
            gitlab: [(Target::Main, main), (Target::Other, other)].into(),
            vault: blocking(|| self.vault.view(self.base))?,
        })
    }

    /// Returns the provider block.
    pub(crate) fn provider(
        &self,
        target: Target,
        role: Role,
        vault_role: VaultRole,
    ) -> serde_json::Value {
        let server = self.server(target);
        server.update_members();
        json!({
            "gitlab": {
                "url": server.emulator.url,
                "token": server.token(role),
                "parent_group": self.parent.map(|_| PARENT),
            },
            "vault": {
                "address": self.proxy.url(),
                "token": self.vault.token(vault_role),
            },
        })
    }

    /// Returns the full path of something below the parent group of products.
    pub(crate) fn full_path(&self, path: &str) -> String {
        let is_foreign = path == FOREIGN.0 || path.starts_with("legacy/");
        match self.parent {
            Some(_) if !is_foreign => format!("{PARENT}/{path}"),
            _ => path.to_owned(),
        }
    }

    fn encoded(&self, path: &str) -> String {
        self.full_path(path).replace('/', "%2F")
    }
}

/// Fills a GitLab with groups and projects of others, so that the numbers of the main one's first
/// objects exist.
async fn populate(server: &Server, has_parent: bool, has_twins: bool) -> anyhow::Result<()> {
    let twins = ["alpha", "beta", "gamma"];
    let strangers = ["orion", "lyra", "vega"];
    server.create_group("sirius", None).await?;
    let parent = if has_parent {
        Some(server.create_group(PARENT, None).await?)
    } else {
        None
    };
    for path in if has_twins { twins } else { strangers } {
        let group = server.create_group(path, parent).await?;
        for project in [CONFIG, "one", "two", "three"] {
            server.create_project(project, group).await?;
        }
    }
    Ok(())
}

/// Does blocking work in a runtime with several threads.
pub(crate) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}
