//! The JSON form of values, in which Terraform hands over stored state.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use super::{Path, Type, Value};

/// Stored state that does not fit the type.
#[derive(Debug, thiserror::Error)]
#[error("the stored value at \"{path}\" cannot be read: {reason}")]
pub struct JsonError {
    /// Where in the value.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

/// Reads a value of the type from JSON text.
///
/// Attributes that the type lacks are dropped and attributes that the text lacks are null, because state outlives
/// schemas. Numbers keep every digit.
pub fn from_json(text: &str, kind: &Type) -> Result<Value, JsonError> {
    read(text, kind, &Path::root())
}

fn fault(path: &Path, reason: impl std::fmt::Display) -> JsonError {
    JsonError {
        path: path.to_string(),
        reason: reason.to_string(),
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str, path: &Path) -> Result<T, JsonError> {
    serde_json::from_str(text).map_err(|error| fault(path, error))
}

fn read(text: &str, kind: &Type, path: &Path) -> Result<Value, JsonError> {
    let text = text.trim();
    if text == "null" {
        return Ok(Value::Null);
    }
    match kind {
        Type::Bool => parse(text, path).map(Value::Bool),
        // State written by old versions may hold numbers as text.
        Type::Number => text
            .trim_matches('"')
            .parse()
            .map(Value::Number)
            .map_err(|error| fault(path, error)),
        Type::String => parse::<String>(text, path).map(Value::string),
        Type::List(element) => {
            let elements: Vec<&RawValue> = parse(text, path)?;
            let elements = elements.iter().enumerate();
            elements
                .map(|(index, element_text)| read(element_text.get(), element, &path.index(index)))
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        Type::Set(element) => {
            let elements: Vec<&RawValue> = parse(text, path)?;
            let elements = elements.iter();
            elements
                .map(|element_text| read(element_text.get(), element, &path.set_element()))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::set)
        }
        Type::Tuple(kinds) => {
            let elements: Vec<&RawValue> = parse(text, path)?;
            if elements.len() != kinds.len() {
                return Err(fault(path, "the tuple has another size"));
            }
            elements
                .iter()
                .zip(kinds)
                .enumerate()
                .map(|(index, (element, kind))| read(element.get(), kind, &path.index(index)))
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        Type::Map(element) => {
            let elements: BTreeMap<String, &RawValue> = parse(text, path)?;
            elements
                .into_iter()
                .map(|(key, element_text)| {
                    let value = read(element_text.get(), element, &path.key(&key))?;
                    Ok((key, value))
                })
                .collect::<Result<_, _>>()
                .map(Value::Map)
        }
        Type::Object(kinds) => {
            let attributes: BTreeMap<String, &RawValue> = parse(text, path)?;
            kinds
                .iter()
                .map(|(name, kind)| {
                    let value = match attributes.get(name) {
                        Some(stored) => read(stored.get(), kind, &path.attribute(name))?,
                        None => Value::Null,
                    };
                    Ok((name.clone(), value))
                })
                .collect::<Result<_, _>>()
                .map(Value::Object)
        }
        Type::Dynamic => {
            let wrapped: Wrapped<'_> = parse(text, path)?;
            let kind = Type::from_json(&wrapped.kind).map_err(|error| fault(path, error))?;
            Ok(match read(wrapped.value.get(), &kind, path)? {
                Value::Null => Value::Null,
                value => Value::Dynamic(Box::new((kind, value))),
            })
        }
    }
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(rename = "type")]
    kind: Json,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Returns the JSON form of a value; unknown values, which have none, become null.
///
/// Whole numbers beyond 64 bits and long fractions lose digits: the form is for people and for size measurements.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null | Value::Unknown => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => json!(number),
            (None, Some(number)) => json!(number),
            (None, None) => json!(number.as_f64()),
        },
        Value::String(text) => json!(text),
        Value::List(elements) | Value::Set(elements) => elements.iter().map(to_json).collect(),
        Value::Map(elements) | Value::Object(elements) => elements
            .iter()
            .map(|(key, value)| (key.clone(), to_json(value)))
            .collect(),
        Value::Dynamic(inner) => {
            json!({ "type": inner.0.to_json(), "value": to_json(&inner.1) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit() {
        let value = from_json("123456789012345678901234567890.5", &Type::Number).unwrap();
        assert_eq!(
            value,
            Value::Number("123456789012345678901234567890.5".parse().unwrap())
        );
    }

    #[test]
    fn attributes_come_and_go_between_versions() {
        let kind = Type::Object([("new".to_owned(), Type::String)].into());
        let value = from_json(r#"{"old": 1}"#, &kind).unwrap();
        assert_eq!(value, Value::object([("new", Value::Null)]));
    }

    #[test]
    fn a_dynamic_value_is_wrapped_with_its_type() {
        let value = from_json(
            r#"{"type": ["list","bool"], "value": [true]}"#,
            &Type::Dynamic,
        );
        let list = Type::List(Box::new(Type::Bool));
        let expected = Value::Dynamic(Box::new((list, Value::List(vec![Value::Bool(true)]))));
        assert_eq!(value.unwrap(), expected);
    }

    #[test]
    fn a_value_of_another_type_names_its_place() {
        let kind = Type::Map(Box::new(Type::Bool));
        assert_eq!(
            from_json(r#"{"a": "x"}"#, &kind).unwrap_err().path,
            "[\"a\"]"
        );
    }
}
