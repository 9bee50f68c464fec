//! What is killed at: the operations of one kind of object, call by call.

use std::time::Instant;

use anyhow::ensure;
use testbed::{Call, Hold, OpenBao};

use super::matrix::{Matrix, Row};
use super::operation::{Kill, LATE, Operation, Victim};
use crate::harness::Stage;

/// An object that is created, changed and destroyed.
pub(super) struct Subject<'a> {
    pub(super) kind: &'static str,
    /// The configuration of what is there before and after.
    pub(super) surroundings: &'a str,
    pub(super) object: &'a str,
    pub(super) changed: &'a str,
    /// The Vault that it needs, and that holds nothing of it in the end.
    pub(super) vault: Option<&'a OpenBao>,
    pub(super) victims: &'a [Victim],
    /// How many projects of GitLab there were in the end.
    pub(super) projects: usize,
}

impl<'a> Subject<'a> {
    /// One that needs GitLab alone.
    pub(super) fn of_gitlab(
        kind: &'static str,
        surroundings: &'a str,
        object: &'a str,
        changed: &'a str,
    ) -> Self {
        Self {
            kind,
            surroundings,
            object,
            changed,
            vault: None,
            victims: &[Victim::Provider, Victim::CommandLine],
            projects: 1,
        }
    }

    /// Kills creation, update and destruction at each call.
    pub(super) fn kill_at_every_call(&self) -> anyhow::Result<Matrix> {
        let without = self.surroundings.to_owned();
        let with = format!("{}{}", self.surroundings, self.object);
        let changed = format!("{}{}", self.surroundings, self.changed);
        let operations = [
            ("create", &without, &with),
            ("update", &with, &changed),
            ("destroy", &with, &without),
        ];
        let removals = usize::from(self.vault.is_some());
        let mut rows = Vec::new();
        let mut orphaned = Vec::new();
        for (name, before, after) in operations {
            let operation = Operation {
                before,
                after,
                vault: self.vault,
                projects: self.projects,
            };
            let calls = operation.undisturbed_calls()?;
            let writes = calls.iter().filter(|(_, _, call)| call.is_write()).count();
            ensure!(writes > 0, "{name} takes no call that writes");
            for (server, passing, call) in calls {
                for (victim, hold) in self.kills(&call) {
                    let begun = Instant::now();
                    let stage = operation.stage()?;
                    let kill = Kill {
                        server,
                        passing,
                        victim,
                        hold,
                    };
                    let survived = operation.survive(&stage, &kill);
                    rows.push(Row {
                        operation: name,
                        call: call.clone(),
                        victim,
                        hold,
                        outcome: survived.and_then(|repair| repair.within(writes, removals, hold)),
                        took: begun.elapsed(),
                    });
                    if (victim, hold) == (Victim::CommandLine, Hold::BeforeEffect) {
                        // Its provider waits for an answer that never comes; meanwhile other kills can be made.
                        orphaned.push(stage);
                    }
                }
            }
        }
        orphaned.iter().try_for_each(Stage::expect_no_provider)?;
        let kind = self.kind;
        Ok(Matrix { kind, rows })
    }

    /// The ways to kill at a call. A read has no effect; without the command line the provider goes on when it is
    /// answered.
    fn kills(&self, call: &Call) -> Vec<(Victim, Hold)> {
        let mut kills = vec![
            (Victim::Provider, Hold::BeforeEffect),
            (Victim::CommandLine, Hold::For(LATE)),
        ];
        if call.is_write() {
            kills.push((Victim::Provider, Hold::AfterEffect));
            kills.push((Victim::CommandLine, Hold::BeforeEffect));
        }
        kills.retain(|(victim, _)| self.victims.contains(victim));
        kills
    }
}
