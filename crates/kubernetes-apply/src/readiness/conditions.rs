//! Conditions, as most kinds report their state.

use std::fmt;

use serde_json::Value;

use super::Readiness;
use crate::object::Object;

/// One condition of an object's status.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    /// What it is about: `Available`.
    pub name: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The reason in one word; empty if there is none.
    pub reason: String,
    /// The text for people; empty if there is none.
    pub message: String,
}

impl Condition {
    /// Returns whether the condition holds.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// Returns whether the condition is known not to hold.
    pub fn is_false(&self) -> bool {
        self.status == "False"
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.status)?;
        match (self.reason.as_str(), self.message.as_str()) {
            ("", "") => Ok(()),
            (reason, "") => write!(f, " ({reason})"),
            ("", message) => write!(f, " ({message})"),
            (reason, message) => write!(f, " ({reason}: {message})"),
        }
    }
}

/// Returns the conditions in an object's `status.conditions`.
pub fn conditions(object: &Object) -> Vec<Condition> {
    parse(object.list("/status/conditions"))
}

pub(super) fn parse(list: &[Value]) -> Vec<Condition> {
    let text = |condition: &Value, field| {
        let text = condition.get(field).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    list.iter()
        .map(|condition| Condition {
            name: text(condition, "type"),
            status: text(condition, "status"),
            reason: text(condition, "reason"),
            message: text(condition, "message"),
        })
        .collect()
}

/// Returns a condition by its name.
pub(super) fn find<'c>(conditions: &'c [Condition], name: &str) -> Option<&'c Condition> {
    conditions.iter().find(|condition| condition.name == name)
}

/// Requires that conditions hold.
pub(super) fn require(conditions: &[Condition], names: &[&str]) -> Readiness {
    Readiness::first_unready(names.iter().map(|name| match find(conditions, name) {
        Some(condition) if condition.is_true() => Readiness::Ready,
        Some(condition) => Readiness::in_progress(condition.to_string()),
        None => Readiness::in_progress(format!("it has no condition {name} yet")),
    }))
}

/// Requires that the controller of an object has seen its latest change, if it says what it has seen.
pub(super) fn require_observed(object: &Object) -> Readiness {
    let observed = object.number("/status/observedGeneration");
    let generation = object.number("/metadata/generation");
    match (observed, generation) {
        (Some(observed), Some(generation)) if observed < generation => {
            Readiness::in_progress("its controller has not seen the latest change yet")
        }
        _ => Readiness::Ready,
    }
}
