//! The JSON format of values, in which Terraform passes stored state.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use super::{Path, Type, Value};

/// Stored state does not fit the type.
#[derive(Debug, thiserror::Error)]
#[error("cannot decode the stored value at \"{path}\": {reason}")]
pub struct JsonError {
    /// The place in the value.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// Decodes a value of the given type from JSON.
///
/// Attributes that the type lacks are dropped, and attributes that the JSON lacks are null, because schemas change
/// between versions. Numbers keep every digit.
pub fn from_json(text: &str, kind: &Type) -> Result<Value, JsonError> {
    read_value(text, kind, &Path::root())
}

fn json_error(path: &Path, reason: impl std::fmt::Display) -> JsonError {
    JsonError {
        path: path.to_string(),
        reason: reason.to_string(),
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str, path: &Path) -> Result<T, JsonError> {
    serde_json::from_str(text).map_err(|error| json_error(path, error))
}

fn read_value(text: &str, kind: &Type, path: &Path) -> Result<Value, JsonError> {
    let text = text.trim();
    if text == "null" {
        return Ok(Value::Null);
    }
    match kind {
        Type::Bool => parse(text, path).map(Value::Bool),
        // State of older versions may contain numbers as strings.
        Type::Number => text
            .trim_matches('"')
            .parse()
            .map(Value::Number)
            .map_err(|error| json_error(path, error)),
        Type::String => parse::<String>(text, path).map(Value::string),
        Type::List(element) => {
            let elements: Vec<&RawValue> = parse(text, path)?;
            let elements = elements.iter().enumerate();
            elements
                .map(|(index, element_text)| {
                    read_value(element_text.get(), element, &path.index(index))
                })
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        Type::Set(element) => {
            let elements: Vec<&RawValue> = parse(text, path)?;
            let elements = elements.iter();
            elements
                .map(|element_text| read_value(element_text.get(), element, &path.set_element()))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::set)
        }
        Type::Tuple(kinds) => {
            let elements: Vec<&RawValue> = parse(text, path)?;
            if elements.len() != kinds.len() {
                return Err(json_error(
                    path,
                    "the tuple has the wrong number of elements",
                ));
            }
            elements
                .iter()
                .zip(kinds)
                .enumerate()
                .map(|(index, (element, kind))| read_value(element.get(), kind, &path.index(index)))
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        Type::Map(element) => {
            let elements: BTreeMap<String, &RawValue> = parse(text, path)?;
            elements
                .into_iter()
                .map(|(key, element_text)| {
                    let value = read_value(element_text.get(), element, &path.key(&key))?;
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
                        Some(stored) => read_value(stored.get(), kind, &path.attribute(name))?,
                        None => Value::Null,
                    };
                    Ok((name.clone(), value))
                })
                .collect::<Result<_, _>>()
                .map(Value::Object)
        }
        Type::Dynamic => {
            let typed: TypedValue<'_> = parse(text, path)?;
            let kind = Type::from_json(&typed.kind).map_err(|error| json_error(path, error))?;
            Ok(match read_value(typed.value.get(), &kind, path)? {
                Value::Null => Value::Null,
                value => Value::Dynamic(Box::new((kind, value))),
            })
        }
    }
}

#[derive(Deserialize)]
struct TypedValue<'a> {
    #[serde(rename = "type")]
    kind: Json,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Returns the JSON format of a value. Unknown values become null.
///
/// Whole numbers beyond 64 bits and long fractions lose digits, so the result is only for display and size measurements.
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
    fn attributes_missing_from_the_json_are_null_and_others_are_dropped() {
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
    fn an_error_names_the_path_of_the_value() {
        let kind = Type::Map(Box::new(Type::Bool));
        assert_eq!(
            from_json(r#"{"a": "x"}"#, &kind).unwrap_err().path,
            "[\"a\"]"
        );
    }
}
