//! The part of Terraform core that tests of providers need.

use std::collections::BTreeMap;

use crate::schema::{Attribute, AttributeKind, Attributes, Nesting, Presence, Schema};
use crate::value::Value;

/// Returns the proposed new state: the configuration, with computed attributes that it leaves out taken from the prior
/// state.
///
/// The original rule is in Terraform's `internal/plans/objchange/objchange.go`.
pub fn proposed_new_state(schema: &Schema, prior: &Value, config: &Value) -> Value {
    object(&schema.attributes, prior, config)
}

fn object(attributes: &Attributes, prior: &Value, config: &Value) -> Value {
    let proposed = attributes.iter().map(|(name, attribute)| {
        let value = propose(attribute, prior.attribute(name), config.attribute(name));
        (name.as_str(), value)
    });
    Value::object(proposed)
}

fn propose(attribute: &Attribute, prior: &Value, config: &Value) -> Value {
    if config.is_null() && attribute.is_computed() {
        let user_set_parts = match &attribute.kind {
            AttributeKind::Nested(_, children) => has_argument(children, prior),
            AttributeKind::Typed(_) => false,
        };
        let keeps = attribute.presence == Presence::Computed || !user_set_parts;
        return if keeps { prior.clone() } else { Value::Null };
    }
    let AttributeKind::Nested(nesting, children) = &attribute.kind else {
        return config.clone();
    };
    match (nesting, config) {
        (Nesting::Single, Value::Object(_)) => object(children, prior, config),
        (Nesting::List, Value::List(configs)) => {
            let none = Vec::new();
            let priors = if let Value::List(priors) = prior {
                priors
            } else {
                &none
            };
            let elements = configs.iter().enumerate().map(|(index, config)| {
                element(children, priors.get(index).unwrap_or(&Value::Null), config)
            });
            Value::List(elements.collect())
        }
        (Nesting::Map, Value::Map(configs)) => {
            let none = BTreeMap::new();
            let priors = if let Value::Map(priors) = prior {
                priors
            } else {
                &none
            };
            let elements = configs.iter().map(|(key, config)| {
                let prior = priors.get(key).unwrap_or(&Value::Null);
                (key.clone(), element(children, prior, config))
            });
            Value::Map(elements.collect())
        }
        (Nesting::Set, Value::Set(configs)) => Value::set(
            configs
                .iter()
                .map(|config| element(children, &Value::Null, config)),
        ),
        (_, config) => config.clone(),
    }
}

fn element(children: &Attributes, prior: &Value, config: &Value) -> Value {
    match config {
        Value::Object(_) => object(children, prior, config),
        other => other.clone(),
    }
}

/// Returns `true` if the value contains an attribute that only users can set.
fn has_argument(attributes: &Attributes, value: &Value) -> bool {
    let within = |value: &Value| {
        attributes.iter().any(|(name, attribute)| {
            let value = value.attribute(name);
            if value.is_null() {
                return false;
            }
            match &attribute.kind {
                _ if !attribute.is_computed() => true,
                AttributeKind::Nested(_, children) => has_argument(children, value),
                AttributeKind::Typed(_) => false,
            }
        })
    };
    match value {
        Value::Object(_) => within(value),
        Value::List(elements) | Value::Set(elements) => elements.iter().any(within),
        Value::Map(elements) => elements.values().any(within),
        _ => false,
    }
}
