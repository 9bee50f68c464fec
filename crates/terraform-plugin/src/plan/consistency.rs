//! Terraform's consistency rules for plans and results, so that tests of a provider find what Terraform would reject.
//!
//! The rules are those of Terraform's `internal/plans/objchange` (`plan_valid.go`, `compatible.go`) and
//! `internal/terraform/node_resource_abstract_instance.go`, for schemas without blocks.

use crate::schema::{Attribute, AttributeKind, Attributes, Nesting, Presence, Schema};
use crate::value::{Path, Value};

/// A violation of a rule, which Terraform reports as a bug in the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Inconsistency {
    /// The attribute.
    pub path: Path,
    /// The violated rule.
    pub reason: &'static str,
}

/// Checks a planned state against the prior state and the configuration.
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
        (false, true) => checker.report(
            &root,
            "the object is planned as absent, but it is configured",
        ),
        (true, false) => checker.report(
            &root,
            "the object is planned as present, but it is not configured",
        ),
        (false, false) => {
            checker.check_planned_object(&schema.attributes, prior, config, planned, &root);
        }
    }
    checker.found
}

/// Checks the result of a successful operation against the planned state.
pub fn check_applied(schema: &Schema, planned: &Value, result: &Value) -> Vec<Inconsistency> {
    let mut checker = Checker::default();
    let root = Path::root();
    match (planned.is_null(), result.is_null()) {
        (true, false) => checker.report(
            &root,
            "the object still exists, but it was planned as deleted",
        ),
        (false, true) => checker.report(
            &root,
            "the object does not exist, but it was planned as present",
        ),
        _ => checker.check_compatible(planned, result, &root),
    }
    checker.found.extend(check_stored(schema, result));
    checker.found
}

/// Checks a state that Terraform would store: it has no unknown and no write-only values.
pub fn check_stored(schema: &Schema, state: &Value) -> Vec<Inconsistency> {
    let mut checker = Checker::default();
    if let Some(path) = state.first_unknown() {
        checker.report(&path, "the stored value is unknown");
    }
    checker.check_write_only(&schema.attributes, state, &Path::root());
    checker.found
}

/// Checks the second plan of an object against the first: what was known stays the same.
pub fn check_replanned(first: &Value, second: &Value) -> Vec<Inconsistency> {
    let mut checker = Checker::default();
    checker.check_compatible(first, second, &Path::root());
    checker.found
}

#[derive(Default)]
struct Checker {
    found: Vec<Inconsistency>,
}

impl Checker {
    fn report(&mut self, path: &Path, reason: &'static str) {
        self.found.push(Inconsistency {
            path: path.clone(),
            reason,
        });
    }

    fn check_planned_object(
        &mut self,
        attributes: &Attributes,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) {
        for (name, attribute) in attributes {
            self.check_planned_attribute(
                attribute,
                prior.attribute(name),
                config.attribute(name),
                planned.attribute(name),
                &path.attribute(name),
            );
        }
    }

    fn check_planned_attribute(
        &mut self,
        attribute: &Attribute,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) {
        if attribute.presence == Presence::WriteOnly {
            if !planned.is_null() {
                self.report(path, "a write-only attribute must be planned as null");
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
            self.report(
                path,
                "a value is planned for an attribute that is neither configured nor computed",
            );
            return;
        }
        match &attribute.kind {
            AttributeKind::Nested(nesting, children) => {
                self.check_planned_nested(*nesting, children, prior, config, planned, path);
            }
            AttributeKind::Typed(_) => {
                self.report(
                    path,
                    "the planned value matches neither the configuration nor the prior value",
                );
            }
        }
    }

    fn check_planned_nested(
        &mut self,
        nesting: Nesting,
        children: &Attributes,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) {
        match (nesting, config, planned) {
            (_, Value::Unknown, _) => self.report(
                path,
                "a known value is planned for an unknown configuration",
            ),
            (Nesting::Single, Value::Object(_), Value::Object(_)) => {
                self.check_planned_object(children, prior, config, planned, path);
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
                    self.check_planned_element(
                        children,
                        prior,
                        config,
                        planned,
                        &path.index(index),
                    );
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
                    self.check_planned_element(children, prior, config, planned, &path.key(key));
                }
            }
            // Terraform does not compare elements of sets one by one.
            (Nesting::Set, Value::Set(configs), Value::Set(planned))
                if configs.len() == planned.len() => {}
            _ => self.report(
                path,
                "the planned collection does not have the configured elements",
            ),
        }
    }

    fn check_planned_element(
        &mut self,
        children: &Attributes,
        prior: &Value,
        config: &Value,
        planned: &Value,
        path: &Path,
    ) {
        match (config, planned) {
            (Value::Object(_), Value::Object(_)) => {
                self.check_planned_object(children, prior, config, planned, path);
            }
            (config, planned) if config == planned => {}
            _ => self.report(
                path,
                "the planned element matches neither the configuration nor the prior element",
            ),
        }
    }

    fn check_compatible(&mut self, planned: &Value, actual: &Value, path: &Path) {
        match (planned, actual) {
            (Value::Unknown, _) => {}
            (Value::List(planned), Value::List(actual)) if planned.len() == actual.len() => {
                for (index, (planned, actual)) in planned.iter().zip(actual).enumerate() {
                    self.check_compatible(planned, actual, &path.index(index));
                }
            }
            (Value::Map(planned), Value::Map(actual)) if planned.keys().eq(actual.keys()) => {
                for (key, planned) in planned {
                    let actual = actual.get(key).unwrap_or(&Value::Null);
                    self.check_compatible(planned, actual, &path.key(key));
                }
            }
            (Value::Object(planned), Value::Object(_)) => {
                for (name, planned) in planned {
                    self.check_compatible(planned, actual.attribute(name), &path.attribute(name));
                }
            }
            (Value::Set(planned), Value::Set(actual)) => {
                // A set may shrink if unknown elements turn out to be equal, but every element needs a counterpart.
                let matches = |planned: &Value, actual: &Value| {
                    let mut trial = Self::default();
                    trial.check_compatible(planned, actual, path);
                    trial.found.is_empty()
                };
                let matched = planned.len() >= actual.len()
                    && planned.iter().all(|p| actual.iter().any(|a| matches(p, a)))
                    && actual.iter().all(|a| planned.iter().any(|p| matches(p, a)));
                if !matched {
                    self.report(path, "the set does not have the planned elements");
                }
            }
            (Value::Dynamic(planned), Value::Dynamic(actual)) if planned.0 == actual.0 => {
                self.check_compatible(&planned.1, &actual.1, path);
            }
            (planned, actual) if planned == actual => {}
            _ => self.report(path, "the value differs from the planned one"),
        }
    }

    fn check_write_only(&mut self, attributes: &Attributes, value: &Value, path: &Path) {
        for (name, attribute) in attributes {
            let (value, path) = (value.attribute(name), path.attribute(name));
            if attribute.presence == Presence::WriteOnly && !value.is_null() {
                self.report(&path, "the result contains a write-only value");
            }
            if let AttributeKind::Nested(_, children) = &attribute.kind {
                match value {
                    Value::Object(_) => self.check_write_only(children, value, &path),
                    Value::List(elements) => {
                        elements
                            .iter()
                            .for_each(|e| self.check_write_only(children, e, &path));
                    }
                    Value::Map(elements) => {
                        elements
                            .values()
                            .for_each(|e| self.check_write_only(children, e, &path));
                    }
                    _ => {}
                }
            }
        }
    }
}
