//! One operation, killed at one call.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use testbed::{Call, Hold, OpenBao};

use crate::harness::Stage;

/// For how long a provider that goes on alone waits for the answer of the call that was in flight: long enough for
/// the next apply to have begun.
pub(super) const LATE: Duration = Duration::from_millis(200);

/// What an apply makes of the configuration that was applied before.
pub(super) struct Operation<'a> {
    pub(super) before: &'a str,
    pub(super) after: &'a str,
    pub(super) vault: Option<&'a OpenBao>,
    pub(super) projects: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    Provider,
    CommandLine,
}

/// Who receives a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    GitLab,
    Vault,
}

/// When who is killed.
pub(super) struct Kill {
    /// The call in flight: the server, and how many calls it has received before.
    pub(super) server: Server,
    pub(super) passing: usize,
    pub(super) victim: Victim,
    pub(super) hold: Hold,
}

/// How many calls of the next apply could change something.
pub(super) struct Repair {
    pub(super) writes: usize,
}

impl Operation<'_> {
    /// A stage on which the operation can begin.
    pub(super) fn stage(&self) -> anyhow::Result<Stage> {
        let mut stage = Stage::with(self.before)?;
        if let Some(vault) = self.vault {
            stage.workspace.set_env("NAUTES_VAULT_ADDRESS", vault.url());
            let token = vault.root_token();
            stage.workspace.set_env("NAUTES_VAULT_TOKEN", token);
        }
        if !self.before.is_empty() {
            stage.workspace.apply_with(&[])?;
        }
        stage.write(self.after)?;
        Ok(stage)
    }

    /// The calls of the operation, each with its number among those to its server.
    pub(super) fn undisturbed_calls(&self) -> anyhow::Result<Vec<(Server, usize, Call)>> {
        let stage = self.stage()?;
        let calls = self.apply(&stage)?;
        if self.vault.is_some() {
            stage.workspace.destroy()?;
        }
        let numbered = |server| {
            let of_server = calls.iter().filter(move |(to, _)| *to == server);
            let numbered = of_server.enumerate();
            numbered.map(move |(passing, (_, call))| (server, passing, call.clone()))
        };
        Ok(numbered(Server::GitLab)
            .chain(numbered(Server::Vault))
            .collect())
    }

    fn apply(&self, stage: &Stage) -> anyhow::Result<Vec<(Server, Call)>> {
        let apply = || {
            stage
                .gitlab
                .calls_during(|| stage.workspace.apply_with(&[]))
        };
        let (of_gitlab, to_vault) = match self.vault {
            Some(vault) => vault.proxy().calls_during(apply),
            None => (apply(), testbed::Calls::default()),
        };
        let (applied, to_gitlab) = of_gitlab?;
        applied?;
        let calls = |server, calls: testbed::Calls| {
            let calls = calls.as_slice().to_vec().into_iter();
            calls.map(move |call| (server, call))
        };
        Ok(calls(Server::GitLab, to_gitlab)
            .chain(calls(Server::Vault, to_vault))
            .collect())
    }

    /// Kills at one call, applies again, and destroys.
    pub(super) fn survive(&self, stage: &Stage, kill: &Kill) -> anyhow::Result<Repair> {
        let held = match (kill.server, self.vault) {
            (Server::Vault, Some(vault)) => vault.proxy().hold_call(kill.passing, kill.hold),
            _ => stage.gitlab.hold_call(kill.passing, kill.hold)?,
        };
        let mut running = stage.workspace.start_apply(&[])?;
        if !held.wait_until_held(|| running.has_ended())? {
            bail!(
                "the run has not made this call:\n{}",
                running.finish()?.text()
            );
        }
        match kill.victim {
            Victim::Provider => running.kill_providers(),
            Victim::CommandLine => running.kill(),
        }
        let exit_code = running.finish()?.exit_code();
        let expected = match kill.victim {
            Victim::Provider => Some(1),
            Victim::CommandLine => None,
        };
        ensure!(exit_code == expected, "it ended with {exit_code:?}");

        let calls = self.apply(stage).context("the next apply")?;
        if matches!(kill.hold, Hold::For(_)) {
            stage.expect_no_provider()?;
        }
        stage.workspace.assert_empty_plan("after the next apply")?;
        stage.workspace.destroy().context("the destruction")?;
        let left = stage.workspace.addresses()?;
        ensure!(left.is_empty(), "the state still holds {left:?}");
        self.expect_nothing(stage)?;
        Ok(Repair {
            writes: calls.iter().filter(|(_, call)| call.is_write()).count(),
        })
    }

    /// Checks that nothing is left but what GitLab has marked for deletion.
    fn expect_nothing(&self, stage: &Stage) -> anyhow::Result<()> {
        stage.expect_no_credentials()?;
        stage.expect_remains(1, self.projects, &["shop"])?;
        let held = self.vault.map(OpenBao::inventory).transpose()?;
        let ours: Vec<String> = held
            .into_iter()
            .flat_map(testbed::Inventory::into_keys)
            .filter(|name| name.contains("repo-"))
            .collect();
        ensure!(ours.is_empty(), "Vault still holds {ours:?}");
        Ok(())
    }
}

impl Repair {
    /// Checks that nothing was done twice: the repair of a killed operation writes no more than the operation itself.
    ///
    /// Beside a provider that goes on alone, it may lose a race and write once more. A key that GitLab has and Vault has
    /// not is removed and made again: `removals` are allowed besides.
    pub(super) fn within(
        self,
        undisturbed: usize,
        removals: usize,
        hold: Hold,
    ) -> anyhow::Result<Self> {
        ensure!(
            matches!(hold, Hold::For(_)) || self.writes <= undisturbed + removals,
            "the next apply took {} writes, and undisturbed it takes {undisturbed}",
            self.writes
        );
        Ok(self)
    }
}
