//! Terraform's own rules for plans and results, so that a provider's tests find what Terraform would refuse.
//!
//! The rules are those of Terraform's `internal/plans/objchange` (`plan_valid.go`, `compatible.go`) and
//! `internal/terraform/node_resource_abstract_instance.go`, restated here for schemas without blocks.

use crate::schema::{Attribute, AttributeKind, Attributes, Nesting, Presence, Schema};
use crate::value::{Path, Value};

/// A breach of a rule, which Terraform reports as a bug of the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Inconsistency {
    /// The attribute.
    pub path: Path,
    /// The rule that is broken.
    pub reason: &'static str,
}

/// Checks a planned state against prior state and configuration.
pub fn check_planned(
    schema: &Schema,
    prior: &Value,
    config: &Value,
    planned: &Value,
) -> Vec<Inconsistency> {
    let mut checker = Checker::default();
    let root = Path::root();
    match (config.is_null(), planned.is_null()) {
        (true, true) => {}
        (false, true) => checker.fault(&root, "planned for absence but config wants existence"),
        (true, false) => checker.fault(&root, "planned for existence but config wants absence"),
        (false, false) => checker.planned_object(&schema.attributes, prior, config, planned, &root),
    }
    checker.faults
}

/// Checks the result of an operation that reported no error against the planned state.
pub fn check_applied(schema: &Schema, planned: &Value, result: &Value) -> Vec<Inconsistency> {
    let mut checker = Checker::default();
    let root = Path::root();
    if !result.is_wholly_known() {
        checker.fault(&root, "the result has unknown values");
    }
    match (planned.is_null(), result.is_null()) {
        (true, false) => checker.fault(&root, "the object was to be deleted and is still there"),
        (false, true) => checker.fault(&root, "the object was to exist and is absent"),
        _ => checker.compatible(planned, result, &root),
    }
    checker.write_only(&schema.attributes, result, &root);
    checker.faults
}

#[derive(Default)]
struct Checker {
    faults: Vec<Inconsistency>,
}

impl Checker {
    fn fault(&mut self, path: &Path, reason: &'static str) {
        self.faults.push(Inconsistency {
            path: path.clone(),
            reason,
        });
    }

    fn planned_object(
        &mut self,
        attributes: &Attributes,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) {
        for (name, attribute) in attributes {
            self.planned_attribute(
                attribute,
                prior.attribute(name),
                config.attribute(name),
                planned.attribute(name),
                &path.attribute(name),
            );
        }
    }

    fn planned_attribute(
        &mut self,
        attribute: &Attribute,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) {
        if attribute.presence == Presence::WriteOnly {
            if !planned.is_null() {
                self.fault(path, "a write-only attribute must be planned to null");
            }
            return;
        }
        if planned == config {
            return;
        }
        if planned == prior && !prior.is_null() && !config.is_null() {
            return;
        }
        if attribute.presence == Presence::Computed || (config.is_null() && attribute.is_computed())
        {
            return;
        }
        if config.is_null() {
            self.fault(
                path,
                "a value is planned for an attribute that is neither set nor computed",
            );
            return;
        }
        match &attribute.kind {
            AttributeKind::Nested(nesting, children) => {
                self.planned_nested(*nesting, children, prior, config, planned, path);
            }
            AttributeKind::Typed(_) => {
                self.fault(
                    path,
                    "the planned value matches neither configuration nor prior value",
                );
            }
        }
    }

    fn planned_nested(
        &mut self,
        nesting: Nesting,
        children: &Attributes,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) {
        match (nesting, config, planned) {
            (_, Value::Unknown, _) => self.fault(path, "an unknown value is planned as known"),
            (Nesting::Single, Value::Object(_), Value::Object(_)) => {
                self.planned_object(children, prior, config, planned, path);
            }
            (Nesting::List, Value::List(configs), Value::List(planned))
                if configs.len() == planned.len() =>
            {
                let none = Vec::new();
                let priors = if let Value::List(priors) = prior {
                    priors
                } else {
                    &none
                };
                for (index, (config, planned)) in configs.iter().zip(planned).enumerate() {
                    let prior = priors.get(index).unwrap_or(&Value::Null);
                    self.planned_element(children, prior, config, planned, &path.index(index));
                }
            }
            (Nesting::Map, Value::Map(configs), Value::Map(planned))
                if configs.keys().eq(planned.keys()) =>
            {
                for (key, config) in configs {
                    let prior = match prior {
                        Value::Map(priors) => priors.get(key).unwrap_or(&Value::Null),
                        _ => &Value::Null,
                    };
                    let planned = planned.get(key).unwrap_or(&Value::Null);
                    self.planned_element(children, prior, config, planned, &path.key(key));
                }
            }
            // Terraform does not match elements of sets one by one.
            (Nesting::Set, Value::Set(configs), Value::Set(planned))
                if configs.len() == planned.len() => {}
            _ => self.fault(
                path,
                "the planned collection has other elements than the configured",
            ),
        }
    }

    fn planned_element(
        &mut self,
        children: &Attributes,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) {
        match (config, planned) {
            (Value::Object(_), Value::Object(_)) => {
                self.planned_object(children, prior, config, planned, path);
            }
            (config, planned) if config == planned => {}
            _ => self.fault(
                path,
                "the planned element matches neither configuration nor prior",
            ),
        }
    }

    fn compatible(&mut self, planned: &Value, actual: &Value, path: &Path) {
        match (planned, actual) {
            (Value::Unknown, _) => {}
            (Value::List(planned), Value::List(actual)) if planned.len() == actual.len() => {
                for (index, (planned, actual)) in planned.iter().zip(actual).enumerate() {
                    self.compatible(planned, actual, &path.index(index));
                }
            }
            (Value::Map(planned), Value::Map(actual)) if planned.keys().eq(actual.keys()) => {
                for (key, planned) in planned {
                    let actual = actual.get(key).unwrap_or(&Value::Null);
                    self.compatible(planned, actual, &path.key(key));
                }
            }
            (Value::Object(planned), Value::Object(_)) => {
                for (name, planned) in planned {
                    self.compatible(planned, actual.attribute(name), &path.attribute(name));
                }
            }
            (Value::Set(planned), Value::Set(actual)) => {
                // A set may shrink when unknown elements turn out equal, but every element needs a counterpart.
                let matches = |planned: &Value, actual: &Value| {
                    let mut trial = Self::default();
                    trial.compatible(planned, actual, path);
                    trial.faults.is_empty()
                };
                let matched = planned.len() >= actual.len()
                    && planned.iter().all(|p| actual.iter().any(|a| matches(p, a)))
                    && actual.iter().all(|a| planned.iter().any(|p| matches(p, a)));
                if !matched {
                    self.fault(path, "the set has other elements than planned");
                }
            }
            (Value::Dynamic(planned), Value::Dynamic(actual)) if planned.0 == actual.0 => {
                self.compatible(&planned.1, &actual.1, path);
            }
            (planned, actual) if planned == actual => {}
            _ => self.fault(path, "the value differs from the planned one"),
        }
    }

    fn write_only(&mut self, attributes: &Attributes, value: &Value, path: &Path) {
        for (name, attribute) in attributes {
            let (value, path) = (value.attribute(name), path.attribute(name));
            if attribute.presence == Presence::WriteOnly && !value.is_null() {
                self.fault(&path, "a write-only value is in the result");
            }
            if let AttributeKind::Nested(_, children) = &attribute.kind {
                match value {
                    Value::Object(_) => self.write_only(children, value, &path),
                    Value::List(elements) => {
                        elements
                            .iter()
                            .for_each(|e| self.write_only(children, e, &path));
                    }
                    Value::Map(elements) => {
                        elements
                            .values()
                            .for_each(|e| self.write_only(children, e, &path));
                    }
                    _ => {}
                }
            }
        }
    }
}
