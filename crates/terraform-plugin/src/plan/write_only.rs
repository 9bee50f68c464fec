//! Merges write-only values, which only the configuration contains, into the planned state of an operation.

use crate::schema::{AttributeKind, Attributes, Nesting, Presence};
use crate::value::Value;

/// Returns the planned state with the write-only values of the configuration.
pub(crate) fn merge_write_only(attributes: &Attributes, planned: &Value, config: &Value) -> Value {
    let Value::Object(values) = planned else {
        return planned.clone();
    };
    let filled = values.iter().map(|(name, value)| {
        let config = config.attribute(name);
        let value = match attributes.get(name) {
            Some(attribute) if attribute.presence == Presence::WriteOnly => config.clone(),
            Some(attribute) => match &attribute.kind {
                AttributeKind::Nested(nesting, children) => {
                    nested(*nesting, children, value, config)
                }
                AttributeKind::Typed(_) => value.clone(),
            },
            None => value.clone(),
        };
        (name.as_str(), value)
    });
    Value::object(filled)
}

fn nested(nesting: Nesting, children: &Attributes, planned: &Value, config: &Value) -> Value {
    match (nesting, planned, config) {
        (Nesting::Single, Value::Object(_), Value::Object(_)) => {
            merge_write_only(children, planned, config)
        }
        (Nesting::List, Value::List(planned), Value::List(configs)) => {
            let pairs = planned.iter().zip(configs);
            Value::List(
                pairs
                    .map(|(p, config)| merge_write_only(children, p, config))
                    .collect(),
            )
        }
        (Nesting::Map, Value::Map(planned), Value::Map(configs)) => {
            let pairs = planned.iter().map(|(key, planned)| {
                let config = configs.get(key).unwrap_or(&Value::Null);
                (key.clone(), merge_write_only(children, planned, config))
            });
            Value::Map(pairs.collect())
        }
        (_, planned, _) => planned.clone(),
    }
}
