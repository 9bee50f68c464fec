//! Plans a creation or an update: a pure function of schema, prior state and configuration.
//!
//! The steps, in order:
//! 1. *resolve*: takes the proposed state, keeps the prior form of equivalent values, applies defaults, and sets
//!    write-only values and reports of drift to null;
//! 2. *mark*, if the result differs from the prior state: computed attributes that the user left out become unknown or
//!    keep their value, as their schema says;
//! 3. *replacement*: collects the paths whose change replaces the resource.
//!
//! Elements of maps are matched by key, and elements of lists by their content (see [`elements`](super::elements)). Only
//! equivalent values of lists are matched by position, as Terraform does. Elements of sets have no prior element.

use std::collections::BTreeMap;

use super::elements::prior_elements;
use crate::schema::{Attribute, AttributeKind, Attributes, Nesting, OnChange, Presence, Schema};
use crate::value::{Path, Value};

/// The result of planning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The planned state.
    pub value: Value,
    /// The paths whose change replaces the resource.
    pub replace: Vec<Path>,
}

/// Plans a creation (`prior` is null) or an update.
///
/// `proposed` is Terraform's merge of the two: the configuration, with computed attributes that it leaves out taken
/// from the prior state.
pub fn plan(schema: &Schema, prior: &Value, proposed: &Value, config: &Value) -> Planned {
    let resolved = resolve_object(&schema.attributes, config, prior, proposed);
    let value = if resolved == *prior {
        resolved
    } else {
        mark_object(&schema.attributes, config, prior, &resolved)
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

/// Returns the configuration with the schema's defaults.
pub(crate) fn apply_defaults(attributes: &Attributes, config: &Value) -> Value {
    resolve_object(attributes, config, &Value::Null, config)
}

fn resolve_object(
    attributes: &Attributes,
    config: &Value,
    prior: &Value,
    proposed: &Value,
) -> Value {
    let resolved = attributes.iter().map(|(name, attribute)| {
        let value = resolve(
            attribute,
            config.attribute(name),
            prior.attribute(name),
            proposed.attribute(name),
        );
        (name.as_str(), value)
    });
    Value::object(resolved)
}

fn resolve(attribute: &Attribute, config: &Value, prior: &Value, proposed: &Value) -> Value {
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
            |_, priors| priors.iter().collect(),
            |config, prior, proposed| resolve_object(attributes, config, prior, proposed),
        ),
    }
}

fn mark_object(attributes: &Attributes, config: &Value, prior: &Value, resolved: &Value) -> Value {
    let marked = attributes.iter().map(|(name, attribute)| {
        let value = mark_attribute(attribute, config, prior, resolved, name);
        (name.as_str(), value)
    });
    Value::object(marked)
}

fn mark_attribute(
    attribute: &Attribute,
    config: &Value,
    prior: &Value,
    resolved: &Value,
    name: &str,
) -> Value {
    let (own_config, own_prior, own) = (
        config.attribute(name),
        prior.attribute(name),
        resolved.attribute(name),
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
                        let now = resolved.attribute(name);
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
            |configs, priors| prior_elements(attributes, configs, priors),
            |config, prior, resolved| mark_object(attributes, config, prior, resolved),
        ),
    }
}

/// Applies a function to every object of a configured nested attribute, with its configuration and prior state.
///
/// `match_list` returns the prior elements of the configured elements of a list. Other values than objects, such as an
/// unknown one, stay unchanged.
fn each_object(
    nesting: Nesting,
    config: &Value,
    prior: &Value,
    value: &Value,
    match_list: impl for<'p> Fn(&[Value], &'p [Value]) -> Vec<&'p Value>,
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
            let priors = match_list(configs, priors);
            let priors = priors.into_iter().chain(std::iter::repeat(&Value::Null));
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
        // Elements of sets have no computed attributes, so the configuration has the whole element.
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
                let matched = prior_elements(attributes, configs, priors);
                // What has no counterpart on either side has changed in place, as far as one can tell.
                let is_matched = |prior: &&Value| matched.iter().any(|m| std::ptr::eq(*m, *prior));
                let mut changed = priors.iter().filter(|prior| !is_matched(prior));
                let elements = configs.iter().zip(&matched).zip(planned).enumerate();
                for (index, ((config, prior), planned)) in elements {
                    let prior = if prior.is_null() {
                        changed.next()
                    } else {
                        Some(*prior)
                    };
                    if let Some(prior) = prior {
                        let path = path.index(index);
                        find_replacements(attributes, config, prior, planned, &path, found);
                    }
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
