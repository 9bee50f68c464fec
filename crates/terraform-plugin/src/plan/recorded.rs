//! Completes the state that a failed operation recorded: Terraform stores no unknown values.

use std::collections::BTreeMap;

use crate::value::Value;

/// Returns the recorded state with the prior value of every unknown part, or null if there is none.
pub(crate) fn complete_recorded(recorded: &Value, prior: &Value) -> Value {
    match (recorded, prior) {
        (Value::Unknown, prior) => prior.clone(),
        (Value::Object(attributes), prior) => {
            Value::Object(complete(attributes, |name| prior.attribute(name)))
        }
        (Value::Map(elements), Value::Map(priors)) => Value::Map(complete(elements, |key| {
            priors.get(key).unwrap_or(&Value::Null)
        })),
        (Value::Map(elements), _) => Value::Map(complete(elements, |_| &Value::Null)),
        // Elements of lists and sets have no key by which they could be found in the prior state.
        (Value::List(elements), _) => Value::List(elements.iter().map(known).collect()),
        (Value::Set(elements), _) => Value::set(elements.iter().map(known)),
        (Value::Dynamic(inner), _) => {
            let (kind, value) = inner.as_ref();
            Value::Dynamic(Box::new((kind.clone(), known(value))))
        }
        (recorded, _) => recorded.clone(),
    }
}

fn known(value: &Value) -> Value {
    complete_recorded(value, &Value::Null)
}

fn complete<'p>(
    values: &BTreeMap<String, Value>,
    prior: impl Fn(&str) -> &'p Value,
) -> BTreeMap<String, Value> {
    let values = values.iter();
    values
        .map(|(name, value)| (name.clone(), complete_recorded(value, prior(name))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(elements: &[(&str, Value)]) -> Value {
        let elements = elements
            .iter()
            .map(|(key, id)| ((*key).to_owned(), Value::object([("id", id.clone())])));
        Value::Map(elements.collect())
    }

    #[test]
    fn unknown_parts_keep_their_prior_value_or_are_null() {
        let id = || Value::string("1");
        let recorded = Value::object([
            ("id", Value::Unknown),
            (
                "rules",
                rules(&[("a", Value::Unknown), ("b", Value::Unknown)]),
            ),
            (
                "tags",
                Value::List(vec![Value::string("x"), Value::Unknown]),
            ),
            ("url", Value::Unknown),
        ]);
        let prior = Value::object([
            ("id", id()),
            ("rules", rules(&[("a", id())])),
            (
                "tags",
                Value::List(vec![Value::string("y"), Value::string("z")]),
            ),
        ]);
        let expected = Value::object([
            ("id", id()),
            ("rules", rules(&[("a", id()), ("b", Value::Null)])),
            ("tags", Value::List(vec![Value::string("x"), Value::Null])),
            ("url", Value::Null),
        ]);
        assert!(complete_recorded(&recorded, &prior) == expected);
    }
}
