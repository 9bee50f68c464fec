//! From what the user wants and what exists to what will be: one pure function.
//!
//! The steps, in order:
//! 1. *settle*: the proposed state with the prior form of equivalent values, defaults, write-only values and reports
//!    of drift nulled;
//! 2. if that differs from the prior state, *mark*: computed attributes that the user left out become unknown, keep
//!    their value or follow others, as their schema says;
//! 3. *replacement*: the paths whose change replaces the resource.
//!
//! Lists and maps are matched by position and key; elements of sets have no counterpart in the prior state.

use std::collections::BTreeMap;

use crate::schema::{Attribute, AttributeKind, Attributes, Nesting, OnChange, Presence, Schema};
use crate::value::{Path, Value};

/// The outcome of planning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The planned state.
    pub value: Value,
    /// The paths whose change replaces the resource.
    pub replace: Vec<Path>,
}

/// Plans a creation (`prior` is null) or an update.
///
/// `proposed` is Terraform's own merge: the configuration, with computed attributes that it leaves out taken from the
/// prior state.
pub fn plan(schema: &Schema, prior: &Value, proposed: &Value, config: &Value) -> Planned {
    let settled = settle_object(&schema.attributes, config, prior, proposed);
    let value = if settled == *prior {
        settled
    } else {
        mark_object(&schema.attributes, config, prior, &settled)
    };
    let mut replace = Vec::new();
    if !prior.is_null() {
        find_replacements(
            &schema.attributes,
            config,
            prior,
            &value,
            &Path::root(),
            &mut replace,
        );
    }
    Planned { value, replace }
}

fn settle_object(
    attributes: &Attributes,
    config: &Value,
    prior: &Value,
    proposed: &Value,
) -> Value {
    let settled = attributes.iter().map(|(name, attribute)| {
        let value = settle(
            attribute,
            config.attribute(name),
            prior.attribute(name),
            proposed.attribute(name),
        );
        (name.as_str(), value)
    });
    Value::object(settled)
}

fn settle(attribute: &Attribute, config: &Value, prior: &Value, proposed: &Value) -> Value {
    if attribute.presence == Presence::WriteOnly {
        return Value::Null;
    }
    if config.is_null() {
        if let Some(default) = &attribute.default {
            return default.clone();
        }
        if attribute.on_change == OnChange::Cleared {
            return Value::Null;
        }
        return proposed.clone();
    }
    if let Some(same) = attribute.equivalent
        && !prior.is_null()
        && config.is_wholly_known()
        && same(prior, config)
    {
        return prior.clone();
    }
    match &attribute.kind {
        AttributeKind::Typed(_) => proposed.clone(),
        AttributeKind::Nested(nesting, attributes) => each_object(
            *nesting,
            config,
            prior,
            proposed,
            |config, prior, proposed| settle_object(attributes, config, prior, proposed),
        ),
    }
}

fn mark_object(attributes: &Attributes, config: &Value, prior: &Value, settled: &Value) -> Value {
    let marked = attributes.iter().map(|(name, attribute)| {
        let value = mark(attribute, config, prior, settled, name);
        (name.as_str(), value)
    });
    Value::object(marked)
}

fn mark(
    attribute: &Attribute,
    config: &Value,
    prior: &Value,
    settled: &Value,
    name: &str,
) -> Value {
    let (own_config, own_prior, own) = (
        config.attribute(name),
        prior.attribute(name),
        settled.attribute(name),
    );
    if own_config.is_null() {
        if !attribute.is_computed() || attribute.default.is_some() {
            return own.clone();
        }
        let keep = match &attribute.on_change {
            OnChange::Unknown => false,
            OnChange::Cleared => return Value::Null,
            OnChange::Stable => !own_prior.is_null(),
            OnChange::Follows(names) => {
                !prior.is_null()
                    && names.iter().all(|name| {
                        let now = settled.attribute(name);
                        now == prior.attribute(name) && now.is_wholly_known()
                    })
            }
        };
        return if keep {
            own_prior.clone()
        } else {
            Value::Unknown
        };
    }
    match &attribute.kind {
        AttributeKind::Typed(_) => own.clone(),
        AttributeKind::Nested(nesting, attributes) => each_object(
            *nesting,
            own_config,
            own_prior,
            own,
            |config, prior, settled| mark_object(attributes, config, prior, settled),
        ),
    }
}

/// Applies a function to every object of a configured nested attribute, with its configuration and prior state.
///
/// What is not a known object or collection of them, such as an unknown value, stays as it is.
fn each_object(
    nesting: Nesting,
    config: &Value,
    prior: &Value,
    value: &Value,
    apply: impl Fn(&Value, &Value, &Value) -> Value,
) -> Value {
    let object = |config: &Value, prior: &Value, value: &Value| match (config, value) {
        (Value::Object(_), Value::Object(_)) => apply(config, prior, value),
        _ => value.clone(),
    };
    match (nesting, config, value) {
        (Nesting::Single, config, value) => object(config, prior, value),
        (Nesting::List, Value::List(configs), Value::List(values)) => {
            let priors = match prior {
                Value::List(priors) => priors.as_slice(),
                _ => &[],
            };
            let priors = priors.iter().chain(std::iter::repeat(&Value::Null));
            let elements = configs.iter().zip(priors).zip(values);
            Value::List(
                elements
                    .map(|((config, prior), value)| object(config, prior, value))
                    .collect(),
            )
        }
        (Nesting::Map, Value::Map(configs), Value::Map(values)) => {
            let empty = BTreeMap::new();
            let priors = match prior {
                Value::Map(priors) => priors,
                _ => &empty,
            };
            let at = |map: &'_ BTreeMap<String, Value>, key: &str| {
                map.get(key).cloned().unwrap_or(Value::Null)
            };
            let elements = values.iter().map(|(key, value)| {
                (
                    key.clone(),
                    object(&at(configs, key), &at(priors, key), value),
                )
            });
            Value::Map(elements.collect())
        }
        // Elements of sets have no computed attributes, so what is configured is all there is of an element.
        (Nesting::Set, Value::Set(configs), Value::Set(_)) => Value::set(
            configs
                .iter()
                .map(|config| object(config, &Value::Null, config)),
        ),
        (_, _, value) => value.clone(),
    }
}

fn find_replacements(
    attributes: &Attributes,
    config: &Value,
    prior: &Value,
    planned: &Value,
    path: &Path,
    found: &mut Vec<Path>,
) {
    for (name, attribute) in attributes {
        let (config, prior, planned) = (
            config.attribute(name),
            prior.attribute(name),
            planned.attribute(name),
        );
        if prior == planned || (config.is_null() && attribute.is_computed()) {
            continue;
        }
        let path = path.attribute(name);
        if attribute.replace {
            found.push(path);
            continue;
        }
        let AttributeKind::Nested(nesting, attributes) = &attribute.kind else {
            continue;
        };
        match (nesting, config, prior, planned) {
            (Nesting::Single, _, Value::Object(_), Value::Object(_)) => {
                find_replacements(attributes, config, prior, planned, &path, found);
            }
            (Nesting::List, Value::List(configs), Value::List(priors), Value::List(planned)) => {
                let elements = configs.iter().zip(priors).zip(planned).enumerate();
                for (index, ((config, prior), planned)) in elements {
                    let path = path.index(index);
                    find_replacements(attributes, config, prior, planned, &path, found);
                }
            }
            (Nesting::Map, Value::Map(configs), Value::Map(priors), Value::Map(planned)) => {
                for (key, planned) in planned {
                    if let (Some(config), Some(prior)) = (configs.get(key), priors.get(key)) {
                        let path = path.key(key);
                        find_replacements(attributes, config, prior, planned, &path, found);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
