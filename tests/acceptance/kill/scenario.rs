//! The operations of one kind of object, killed call by call.

use std::time::Instant;

use anyhow::ensure;
use testbed::{Call, Hold, OpenBao};

use super::matrix::{Matrix, Row};
use super::operation::{Kill, Operation, Process, RESPONSE_DELAY};
use crate::test_env::TestEnv;

/// An object that is created, updated and destroyed.
pub(super) struct Scenario<'a> {
    pub(super) kind: &'static str,
    /// The configuration of the objects that exist before and after.
    pub(super) prerequisites: &'a str,
    /// The configuration of the object.
    pub(super) object: &'a str,
    /// The configuration of the updated object.
    pub(super) updated: &'a str,
    /// The Vault that the object requires, which holds nothing of it in the end.
    pub(super) vault: Option<&'a OpenBao>,
    /// The processes to kill.
    pub(super) processes: &'a [Process],
    /// The number of projects in GitLab in the end.
    pub(super) projects: usize,
}

impl<'a> Scenario<'a> {
    /// Makes a scenario that requires GitLab only.
    pub(super) fn new(
        kind: &'static str,
        prerequisites: &'a str,
        object: &'a str,
        updated: &'a str,
    ) -> Self {
        Self {
            kind,
            prerequisites,
            object,
            updated,
            vault: None,
            processes: &[Process::Provider, Process::CommandLine],
            projects: 1,
        }
    }

    /// Kills the creation, the update and the destruction at each call.
    pub(super) fn kill_at_every_call(&self) -> anyhow::Result<Matrix> {
        let without = self.prerequisites.to_owned();
        let with = format!("{}{}", self.prerequisites, self.object);
        let updated = format!("{}{}", self.prerequisites, self.updated);
        let operations = [
            ("create", &without, &with),
            ("update", &with, &updated),
            ("destroy", &with, &without),
        ];
        let deleted_keys = usize::from(self.vault.is_some());
        let mut rows = Vec::new();
        let mut orphaned = Vec::new();
        for (name, before, after) in operations {
            let operation = Operation {
                before,
                after,
                vault: self.vault,
                projects: self.projects,
            };
            let calls = operation.calls_without_kill()?;
            let additional = deleted_keys + usize::from(name == "create");
            let writes = calls.iter().filter(|(_, _, call)| call.is_write()).count();
            ensure!(writes > 0, "{name} makes no write");
            for (server, skip, call) in calls {
                for (process, hold) in self.kills(&call) {
                    let started = Instant::now();
                    let env = operation.prepare()?;
                    let kill = Kill {
                        server,
                        skip,
                        process,
                        hold,
                        may_finish_without_state: name == "create"
                            && match hold {
                                Hold::BeforeEffect => false,
                                Hold::AfterEffect => call.method == "PUT",
                                Hold::For(_) => true,
                            },
                    };
                    let recovered = operation.kill_and_recover(&env, &kill);
                    rows.push(Row {
                        operation: name,
                        call: call.clone(),
                        process,
                        hold,
                        result: recovered
                            .and_then(|recovery| recovery.check_writes(writes, additional, hold)),
                        duration: started.elapsed(),
                    });
                    if (process, hold) == (Process::CommandLine, Hold::BeforeEffect) {
                        // The orphaned provider waits for a response that never arrives; other kills need not wait
                        // for its exit.
                        orphaned.push(env);
                    }
                }
            }
        }
        orphaned
            .iter()
            .try_for_each(TestEnv::wait_for_providers_to_exit)?;
        let kind = self.kind;
        Ok(Matrix { kind, rows })
    }

    /// Lists the ways to kill at a call.
    ///
    /// A read has no effect. An orphaned provider continues when it receives a response.
    fn kills(&self, call: &Call) -> Vec<(Process, Hold)> {
        let mut kills = vec![
            (Process::Provider, Hold::BeforeEffect),
            (Process::CommandLine, Hold::For(RESPONSE_DELAY)),
        ];
        if call.is_write() {
            kills.push((Process::Provider, Hold::AfterEffect));
            kills.push((Process::CommandLine, Hold::BeforeEffect));
        }
        kills.retain(|(process, _)| self.processes.contains(process));
        kills
    }
}
