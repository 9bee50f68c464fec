//! The invariant: nothing that is alive and was not planned for destruction is deleted, marked for
//! deletion, renamed, moved, taken over, or stripped of its secrets, policies, deploy keys or
//! manifests; and nothing changes that the plan did not show.
//!
//! It compares what the servers held before and after an apply with what the plan permits. It asks
//! the provider nothing.

mod adoption;
mod group;
mod manifest;
mod permission;
mod project;
mod settings;
mod vault;

use permission::Permissions;

use crate::ledger::Ledger;
use crate::record::Record;
use crate::world::{Role, Snapshot, Target};

/// A violation of the invariant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// What was done that must not be done, in general.
    pub(crate) kind: String,
    /// To what.
    pub(crate) detail: String,
}

/// An apply and what surrounds it.
#[derive(Clone, Copy)]
pub(crate) struct Check<'a> {
    pub(crate) record: &'a Record<'a>,
    /// What the servers held at plan.
    pub(crate) at_plan: &'a Snapshot,
    /// What they held when the apply began.
    pub(crate) before: &'a Snapshot,
    /// What they hold now.
    pub(crate) after: &'a Snapshot,
    pub(crate) ledger: &'a Ledger,
}

impl Check<'_> {
    /// Returns the violations.
    pub(crate) fn violations(self) -> Vec<Violation> {
        let permissions = Permissions::new(self);
        let mut found = Vec::new();
        let run = self.record.run;
        // First, because the rest may be its consequence.
        if run.target == Target::Main {
            adoption::check(self, &permissions, &mut found);
        }
        for target in [Target::Main, Target::Other] {
            let mut of_target = Vec::new();
            group::check(self, &permissions, target, &mut of_target);
            project::check(self, &permissions, target, &mut of_target);
            manifest::check(self, &permissions, target, &mut of_target);
            if target == Target::Other {
                for violation in &mut of_target {
                    violation.kind = format!("on another GitLab: {}", violation.kind);
                }
            }
            found.extend(of_target);
        }
        vault::check(self, &permissions, &mut found);
        // Faults of different causes are told apart, so that none of them hides another.
        let place = match (run.target, run.role) {
            (Target::Other, _) => "with the address of another GitLab: ",
            (Target::Main, Role::Outsider | Role::Partial) => "by a role that sees too little: ",
            (Target::Main, _) => "",
        };
        for violation in &mut found {
            violation.kind.insert_str(0, place);
        }
        found
    }
}

/// Returns what a step changed that must change nothing.
pub(crate) fn nothing_changed(step: &str, before: &Snapshot, after: &Snapshot) -> Vec<Violation> {
    if before == after {
        return Vec::new();
    }
    let mut changed = Vec::new();
    for (target, view) in &before.gitlab {
        let now = after.gitlab(*target);
        let groups = view.groups.iter();
        changed.extend(
            groups
                .filter(|(number, group)| now.groups.get(number) != Some(group))
                .map(|(_, group)| group.full_path.clone()),
        );
        let projects = view.projects.iter();
        changed.extend(
            projects
                .filter(|(number, project)| now.projects.get(number) != Some(project))
                .map(|(_, project)| project.full_path.clone()),
        );
    }
    if before.vault != after.vault {
        changed.push("Vault".to_owned());
    }
    vec![Violation {
        kind: format!("{step} changed something"),
        detail: changed.join(", "),
    }]
}

/// Adds a violation.
fn report(found: &mut Vec<Violation>, kind: &str, detail: String) {
    found.push(Violation {
        kind: kind.to_owned(),
        detail,
    });
}
