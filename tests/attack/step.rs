//! The steps of an attack. They name objects by address and path, so that a list of steps means the
//! same after some of them were left out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::configuration::{Address, Block};
use crate::world::{ManualChange, Role, Target, VaultRole};

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Adds or replaces a block of a configuration.
    Write { workspace: usize, block: Block },
    /// Removes a block from a configuration.
    Remove { workspace: usize, address: Address },
    /// Runs Terraform.
    Run(Run),
    /// Imports an object by its id.
    Import {
        workspace: usize,
        address: Address,
        id: String,
    },
    /// Takes an instance out of the state.
    Forget { workspace: usize, address: Address },
    /// Puts back the state of some runs ago.
    RollBack { workspace: usize, runs: usize },
    /// Changes something by hand.
    Change(ManualChange),
}

/// A run of Terraform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) workspace: usize,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) command: Command,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) targets: BTreeSet<Address>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) replaces: BTreeSet<Address>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) skips_refresh: bool,
    pub(crate) parallelism: usize,
    pub(crate) order: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) role: Role,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) vault_role: VaultRole,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) target: Target,
    /// A change by hand between plan and apply.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) between: Option<ManualChange>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) fault: Option<Fault>,
    /// Whether the real command line runs it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) by_command_line: bool,
}

/// What a run does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Command {
    #[default]
    Apply,
    /// Applies the destruction of everything in the state.
    Destroy,
    /// Plans and applies nothing.
    Plan,
}

/// What goes wrong during an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Another resource of the configuration fails after some steps.
    Failure { after: usize },
    /// The user interrupts the run after some steps.
    Interrupt { after: usize },
    /// GitLab refuses all calls of a method after some.
    Refuse { method: Method, skip: u64 },
    /// GitLab's answer to a call is lost.
    Lose {
        method: Method,
        skip: u64,
        after_effect: bool,
    },
    /// The provider is killed at a call to GitLab.
    Kill {
        method: Method,
        skip: u64,
        after_effect: bool,
    },
    /// Vault refuses all writes after some.
    RefuseVault { skip: usize },
    /// The provider is killed at a write to Vault.
    KillAtVault { skip: usize, after_effect: bool },
}

/// A method of calls that change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Post,
    Put,
    Delete,
}

impl Method {
    pub(crate) const ALL: [Self; 3] = [Self::Post, Self::Put, Self::Delete];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Whether a field is left out of the stored steps.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Step {
    /// Returns the names of what a step is, for the counts of the report.
    pub(crate) fn labels(&self) -> Vec<String> {
        match self {
            Self::Write { block, .. } => vec![
                "write a block".to_owned(),
                format!("write a {}", block.address.kind.type_name()),
            ],
            Self::Remove { .. } => vec!["remove a block".to_owned()],
            Self::Import { .. } => vec!["import".to_owned()],
            Self::Forget { .. } => vec!["state rm".to_owned()],
            Self::RollBack { .. } => vec!["roll the state back".to_owned()],
            Self::Change(change) => vec![
                "change by hand".to_owned(),
                format!("by hand: {}", change.name()),
            ],
            Self::Run(run) => run.labels(),
        }
    }
}

impl Run {
    fn labels(&self) -> Vec<String> {
        let verb = match self.command {
            Command::Apply => "apply",
            Command::Destroy => "destroy",
            Command::Plan => "plan",
        };
        let mut labels = vec![verb.to_owned()];
        let mut add = |is: bool, label: &str| {
            if is {
                labels.push(label.to_owned());
            }
        };
        add(!self.targets.is_empty(), "with -target");
        add(!self.replaces.is_empty(), "with -replace");
        add(self.skips_refresh, "with -refresh=false");
        add(self.by_command_line, "by the command line");
        add(self.target == Target::Other, "against another GitLab");
        add(
            self.between.is_some(),
            "with a change between plan and apply",
        );
        add(
            self.role != Role::Administrator,
            &format!("as {:?}", self.role),
        );
        add(
            self.vault_role != VaultRole::Root,
            &format!("in Vault as {:?}", self.vault_role),
        );
        if let Some(fault) = self.fault {
            labels.push(format!("fault: {}", fault.name()));
        }
        labels
    }
}

impl Fault {
    /// Returns the name of the kind of fault.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Failure { .. } => "another resource fails",
            Self::Interrupt { .. } => "interrupt",
            Self::Refuse { .. } => "GitLab refuses writes",
            Self::Lose { .. } => "an answer of GitLab is lost",
            Self::Kill { .. } => "killed at a call to GitLab",
            Self::RefuseVault { .. } => "Vault refuses writes",
            Self::KillAtVault { .. } => "killed at a call to Vault",
        }
    }
}
