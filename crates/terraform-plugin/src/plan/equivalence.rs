//! Keeps the user's form of a value that a remote system returned in an equivalent form.

use crate::schema::{AttributeKind, Attributes, Nesting};
use crate::value::Value;

/// Returns `value` with the form of `form` wherever the two are equivalent.
///
/// `form` is the prior state after a read and the planned state after an operation.
pub(crate) fn keep_equivalent(attributes: &Attributes, form: &Value, value: &Value) -> Value {
    let (Value::Object(_), Value::Object(values)) = (form, value) else {
        return value.clone();
    };
    let kept = values.iter().map(|(name, value)| {
        let form = form.attribute(name);
        let Some(attribute) = attributes.get(name) else {
            return (name.as_str(), value.clone());
        };
        if let Some(same) = attribute.equivalent
            && form != value
            && form.is_wholly_known()
            && same(form, value)
        {
            return (name.as_str(), form.clone());
        }
        let AttributeKind::Nested(nesting, children) = &attribute.kind else {
            return (name.as_str(), value.clone());
        };
        let kept = match (nesting, form, value) {
            (Nesting::Single, form, value) => keep_equivalent(children, form, value),
            (Nesting::List, Value::List(forms), Value::List(values))
                if forms.len() == values.len() =>
            {
                let pairs = forms.iter().zip(values);
                Value::List(
                    pairs
                        .map(|(form, value)| keep_equivalent(children, form, value))
                        .collect(),
                )
            }
            (Nesting::Map, Value::Map(forms), Value::Map(values)) => {
                let pairs = values.iter().map(|(key, value)| {
                    let form = forms.get(key).unwrap_or(&Value::Null);
                    (key.clone(), keep_equivalent(children, form, value))
                });
                Value::Map(pairs.collect())
            }
            _ => value.clone(),
        };
        (name.as_str(), kept)
    });
    Value::object(kept)
}
