//! A bed with a Vault, which code repositories put their credentials into.

use std::path::Path;

use testbed::{Calls, OpenBao, OpenBaoProgram};

use super::bench_bed::Bed;

/// Where the credentials of code repositories are.
const MOUNT: &str = "git";

/// A workspace of the provider with a GitLab and a Vault of its own.
#[derive(Debug)]
pub(super) struct VaultBed {
    /// The workspace and its GitLab.
    pub(super) bed: Bed,
    vault: OpenBao,
}

/// What one step asked of both.
#[derive(Debug, Clone)]
pub(super) struct BothCalls {
    /// Of GitLab.
    pub(super) gitlab: Calls,
    /// Of Vault.
    pub(super) vault: Calls,
}

impl VaultBed {
    /// Starts a Vault with its data in `folder`, and configures the workspace of a bed for it.
    pub(super) fn start(mut bed: Bed, folder: &Path) -> anyhow::Result<Self> {
        let vault = OpenBao::start(OpenBaoProgram::obtain()?, folder)?;
        vault.enable_kv(MOUNT)?;
        bed.workspace.set_env("NAUTES_VAULT_ADDRESS", vault.url());
        bed.workspace
            .set_env("NAUTES_VAULT_TOKEN", vault.root_token());
        Ok(Self { bed, vault })
    }

    /// What an apply asks of both.
    pub(super) fn calls_of_apply(&self, arguments: &[&str]) -> anyhow::Result<BothCalls> {
        self.calls_during(|| self.bed.calls_of_apply(arguments))
    }

    /// What a refresh asks of both.
    pub(super) fn calls_of_refresh(&self) -> anyhow::Result<BothCalls> {
        self.calls_during(|| self.bed.calls_of_refresh())
    }

    fn calls_during(
        &self,
        step: impl FnOnce() -> anyhow::Result<Calls>,
    ) -> anyhow::Result<BothCalls> {
        let (gitlab, vault) = self.vault.proxy().calls_during(step);
        Ok(BothCalls {
            gitlab: gitlab?,
            vault,
        })
    }
}
