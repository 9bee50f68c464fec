//! One operation, killed at one call.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use testbed::{Call, Hold, OpenBao};

use crate::test_env::TestEnv;

/// How long the response to the call in flight is delayed for an orphaned provider: long enough that the next apply
/// has started.
pub(super) const RESPONSE_DELAY: Duration = Duration::from_millis(200);

/// The apply of one configuration after another.
pub(super) struct Operation<'a> {
    pub(super) before: &'a str,
    pub(super) after: &'a str,
    pub(super) vault: Option<&'a OpenBao>,
    pub(super) projects: usize,
}

/// A process that a test kills.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    Provider,
    CommandLine,
}

/// The server that receives a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    GitLab,
    Vault,
}

/// A process to kill, and when.
pub(super) struct Kill {
    /// The server of the call in flight.
    pub(super) server: Server,
    /// The number of calls that the server receives before that call.
    pub(super) skip: usize,
    pub(super) process: Process,
    pub(super) hold: Hold,
    /// Whether the object may be finished although the state does not hold it: a creation whose last call has taken
    /// effect. Then the next apply says how to import it, because nothing proves whose it is.
    pub(super) may_finish_without_state: bool,
}

/// Returns the id in the advice to import what exists.
fn import_id(error: &anyhow::Error) -> Option<String> {
    let text = format!("{error:#}");
    let (_, advice) = text.split_once("terraform import <address> ")?;
    advice.split_once(')').map(|(id, _)| id.to_owned())
}

/// The apply that finishes a killed operation.
pub(super) struct Recovery {
    /// The number of calls that could change something.
    pub(super) writes: usize,
}

impl Operation<'_> {
    /// Makes an environment in which the operation can start.
    pub(super) fn prepare(&self) -> anyhow::Result<TestEnv> {
        let mut env = TestEnv::new(self.before)?;
        if let Some(vault) = self.vault {
            env.workspace.set_env("NAUTES_VAULT_ADDRESS", vault.url());
            let token = vault.root_token();
            env.workspace.set_env("NAUTES_VAULT_TOKEN", token);
        }
        if !self.before.is_empty() {
            env.workspace.apply_with(&[])?;
        }
        env.write(self.after)?;
        Ok(env)
    }

    /// Runs the operation without a kill, and returns its calls, each with the number of calls that its server
    /// received before.
    pub(super) fn calls_without_kill(&self) -> anyhow::Result<Vec<(Server, usize, Call)>> {
        let env = self.prepare()?;
        let calls = self.apply(&env)?;
        if self.vault.is_some() {
            env.workspace.destroy()?;
        }
        let numbered = |server| {
            let of_server = calls.iter().filter(move |(to, _)| *to == server);
            let numbered = of_server.enumerate();
            numbered.map(move |(skip, (_, call))| (server, skip, call.clone()))
        };
        Ok(numbered(Server::GitLab)
            .chain(numbered(Server::Vault))
            .collect())
    }

    fn apply(&self, env: &TestEnv) -> anyhow::Result<Vec<(Server, Call)>> {
        let apply = || env.gitlab.calls_during(|| env.workspace.apply_with(&[]));
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

    /// Kills at one call, applies again, destroys, and checks that nothing remains.
    pub(super) fn kill_and_recover(&self, env: &TestEnv, kill: &Kill) -> anyhow::Result<Recovery> {
        let held = match (kill.server, self.vault) {
            (Server::Vault, Some(vault)) => vault.proxy().hold_call(kill.skip, kill.hold),
            _ => env.gitlab.hold_call(kill.skip, kill.hold)?,
        };
        let mut running = env.workspace.start_apply(&[])?;
        if !held.wait_until_held(|| running.has_ended())? {
            bail!(
                "the run ended without this call:\n{}",
                running.finish()?.text()
            );
        }
        match kill.process {
            Process::Provider => running.kill_providers(),
            Process::CommandLine => running.kill(),
        }
        let exit_code = running.finish()?.exit_code();
        let expected = match kill.process {
            Process::Provider => Some(1),
            Process::CommandLine => None,
        };
        ensure!(
            exit_code == expected,
            "the exit code of the killed run is {exit_code:?}"
        );

        let calls = match self.apply(env) {
            Err(error) if kill.may_finish_without_state => match import_id(&error) {
                Some(id) => {
                    env.workspace.import(&self.address()?, &id)?;
                    self.apply(env).context("the apply after the import")?
                }
                None => return Err(error.context("the next apply")),
            },
            applied => applied.context("the next apply")?,
        };
        if matches!(kill.hold, Hold::For(_)) {
            env.wait_for_providers_to_exit()?;
        }
        env.workspace.assert_empty_plan("after the next apply")?;
        env.workspace.destroy().context("the destroy")?;
        let addresses = env.workspace.addresses()?;
        ensure!(addresses.is_empty(), "the state still holds {addresses:?}");
        self.check_nothing_remains(env)?;
        Ok(Recovery {
            writes: calls.iter().filter(|(_, call)| call.is_write()).count(),
        })
    }

    /// Returns the address of the last resource of the configuration, which the operation creates.
    fn address(&self) -> anyhow::Result<String> {
        let header = self.after.rsplit_once("resource \"").map(|(_, rest)| rest);
        let mut words = header.unwrap_or_default().split('"');
        match (words.next(), words.nth(1)) {
            (Some(kind), Some(name)) => Ok(format!("{kind}.{name}")),
            _ => bail!("no resource in:\n{}", self.after),
        }
    }

    /// Checks that nothing remains except what GitLab has marked for deletion.
    fn check_nothing_remains(&self, env: &TestEnv) -> anyhow::Result<()> {
        env.check_no_credentials()?;
        env.check_marked_for_deletion(1, self.projects, &["shop"])?;
        let inventory = self.vault.map(OpenBao::inventory).transpose()?;
        let of_repositories: Vec<String> = inventory
            .into_iter()
            .flat_map(testbed::Inventory::into_keys)
            .filter(|name| name.contains("repo-"))
            .collect();
        ensure!(
            of_repositories.is_empty(),
            "Vault still holds {of_repositories:?}"
        );
        Ok(())
    }
}

impl Recovery {
    /// Checks that nothing was done twice: the recovery takes no more writes than the operation without a kill.
    ///
    /// A recovery that runs beside an orphaned provider may lose a race and repeat a write. A key that is in GitLab
    /// but not in Vault is deleted and created again, and a creation that goes on puts its claim into the mark, which
    /// permits `additional` writes.
    pub(super) fn check_writes(
        self,
        without_kill: usize,
        additional: usize,
        hold: Hold,
    ) -> anyhow::Result<Self> {
        ensure!(
            matches!(hold, Hold::For(_)) || self.writes <= without_kill + additional,
            "the next apply took {} writes; without a kill the operation takes {without_kill}",
            self.writes
        );
        Ok(self)
    }
}
