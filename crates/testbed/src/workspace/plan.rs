//! A plan and its changes.

use std::fmt::{self, Display, Formatter};

use serde::Deserialize;
use serde_json::Value;

use crate::Outcome;

/// A planned change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The resource, or `output.<name>`.
    pub address: String,
    /// The action in Terraform's terms: `create`, `update`, `replace`, `delete`, `read`, …
    pub action: String,
    /// The reason for a replacement or deletion, in Terraform's terms.
    pub reason: Option<String>,
}

impl Display for Change {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.action, self.address)?;
        self.reason
            .as_ref()
            .map_or(Ok(()), |reason| write!(formatter, " ({reason})"))
    }
}

/// A successful plan.
#[derive(Debug)]
pub struct Plan {
    /// The result of the command.
    pub outcome: Outcome,
    /// The changes, those of outputs last.
    pub changes: Vec<Change>,
    /// The changes that were made outside of Terraform.
    pub drift: Vec<Change>,
}

impl Plan {
    pub(crate) fn new(outcome: Outcome) -> Self {
        let messages: Vec<Message> = outcome
            .stdout()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let outputs = messages
            .iter()
            .flat_map(|message| changed_outputs(&message.outputs));
        let changes = changes_of_kind(&messages, "planned_change")
            .chain(outputs)
            .collect();
        let drift = changes_of_kind(&messages, "resource_drift").collect();
        Self {
            outcome,
            changes,
            drift,
        }
    }

    /// Returns whether the plan has no changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the planned action for an address.
    pub fn action(&self, address: &str) -> Option<&str> {
        let change = self
            .changes
            .iter()
            .find(|change| change.address == address)?;
        Some(&change.action)
    }
}

impl Display for Plan {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.changes
            .iter()
            .try_for_each(|change| writeln!(formatter, "{change}"))
    }
}

/// A line of `plan -json`, with the fields that are used here.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type", default)]
    kind: String,
    change: Option<PlannedChange>,
    #[serde(default)]
    outputs: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct PlannedChange {
    resource: ResourceAddress,
    action: String,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct ResourceAddress {
    addr: String,
}

impl PlannedChange {
    fn to_change(&self) -> Change {
        Change {
            address: self.resource.addr.clone(),
            action: self.action.clone(),
            reason: self.reason.clone(),
        }
    }
}

fn changes_of_kind(messages: &[Message], kind: &'static str) -> impl Iterator<Item = Change> {
    let of_kind = messages.iter().filter(move |message| message.kind == kind);
    of_kind
        .filter_map(|message| message.change.as_ref())
        .map(PlannedChange::to_change)
}

fn changed_outputs(outputs: &serde_json::Map<String, Value>) -> impl Iterator<Item = Change> {
    outputs.iter().filter_map(|(name, output)| {
        let action = output.get("action")?.as_str()?;
        (action != "noop").then(|| Change {
            address: format!("output.{name}"),
            action: action.to_owned(),
            reason: None,
        })
    })
}
