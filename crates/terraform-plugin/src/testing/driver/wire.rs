//! Conversions between values and messages, and checks of responses.

use super::Failure;
use crate::plan::Inconsistency;
use crate::protocol::tfplugin6::attribute_path::step::Selector;
use crate::protocol::tfplugin6::{self as tf, diagnostic};
use crate::value::{Path, Type, Value, decode, encode};

pub(super) fn has_error(diagnostics: &[tf::Diagnostic]) -> bool {
    let error = i32::from(diagnostic::Severity::Error);
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == error)
}

pub(super) fn require_success(
    diagnostics: Vec<tf::Diagnostic>,
) -> Result<Vec<tf::Diagnostic>, Failure> {
    if has_error(&diagnostics) {
        Err(Failure::Reported(diagnostics))
    } else {
        Ok(diagnostics)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "messages hold values as options")]
pub(super) fn encode_value(value: &Value, kind: &Type) -> Option<tf::DynamicValue> {
    Some(tf::DynamicValue {
        msgpack: encode(value, kind).into(),
        ..Default::default()
    })
}

/// Encodes a configuration, which has no other arguments than the schema.
pub(super) fn encode_config(
    config: &Value,
    kind: &Type,
) -> Result<Option<tf::DynamicValue>, Failure> {
    check_config(config, kind, &Path::root())?;
    Ok(encode_value(config, kind))
}

fn check_config(config: &Value, kind: &Type, path: &Path) -> Result<(), Failure> {
    match (config, kind) {
        (Value::Null | Value::Unknown, _)
        | (Value::Bool(_), Type::Bool)
        | (Value::Number(_), Type::Number)
        | (Value::String(_), Type::String)
        | (Value::Dynamic(_), Type::Dynamic) => Ok(()),
        (Value::List(elements), Type::List(kind)) => elements
            .iter()
            .enumerate()
            .try_for_each(|(index, element)| check_config(element, kind, &path.index(index))),
        (Value::List(elements), Type::Tuple(kinds)) if elements.len() == kinds.len() => elements
            .iter()
            .zip(kinds)
            .enumerate()
            .try_for_each(|(index, (element, kind))| {
                check_config(element, kind, &path.index(index))
            }),
        (Value::Set(elements), Type::Set(kind)) => elements
            .iter()
            .try_for_each(|element| check_config(element, kind, &path.set_element())),
        (Value::Map(elements), Type::Map(kind)) => elements
            .iter()
            .try_for_each(|(key, element)| check_config(element, kind, &path.key(key))),
        (Value::Object(attributes), Type::Object(kinds)) => {
            attributes.iter().try_for_each(|(name, value)| {
                let path = path.attribute(name);
                match kinds.get(name) {
                    Some(kind) => check_config(value, kind, &path),
                    None => Err(invalid(&path, "the schema has no such argument")),
                }
            })
        }
        (config, kind) => {
            let reason = format!(
                "the value is {config:?}, but the type is {}",
                kind.to_json()
            );
            Err(invalid(path, &reason))
        }
    }
}

fn invalid(path: &Path, reason: &str) -> Failure {
    Failure::Configuration {
        path: path.clone(),
        reason: reason.to_owned(),
    }
}

/// Requires each path to lead to a part of the prior or of the planned value.
pub(super) fn require_paths(
    paths: &[tf::AttributePath],
    prior: &Value,
    planned: &Value,
) -> Result<(), Failure> {
    for path in paths {
        if !leads_to_a_part(path, prior) && !leads_to_a_part(path, planned) {
            let reason = "a path that requires replacement leads to no attribute";
            return Err(inconsistency(reason));
        }
    }
    Ok(())
}

fn leads_to_a_part(path: &tf::AttributePath, value: &Value) -> bool {
    let mut part = value;
    for step in &path.steps {
        let next = match (step.selector.as_ref(), part) {
            (Some(Selector::AttributeName(name)), Value::Object(attributes)) => {
                attributes.get(name)
            }
            (Some(Selector::ElementKeyString(key)), Value::Map(elements)) => elements.get(key),
            (Some(Selector::ElementKeyInt(index)), Value::List(elements)) => {
                usize::try_from(*index)
                    .ok()
                    .and_then(|index| elements.get(index))
            }
            _ => None,
        };
        let Some(next) = next else {
            return false;
        };
        part = next;
    }
    !path.steps.is_empty()
}

pub(super) fn decode_value(
    dynamic: Option<&tf::DynamicValue>,
    kind: &Type,
) -> Result<Value, Failure> {
    match dynamic {
        Some(dynamic) => Ok(decode(&dynamic.msgpack, kind)?),
        None => Ok(Value::Null),
    }
}

pub(super) fn decode_identity(
    identity: Option<&tf::ResourceIdentityData>,
    kind: &Type,
) -> Result<Option<Value>, Failure> {
    let data = identity.and_then(|identity| identity.identity_data.as_ref());
    data.map(|data| decode_value(Some(data), kind)).transpose()
}

pub(super) fn encode_identity(
    identity: Option<&Value>,
    kind: &Type,
) -> Option<tf::ResourceIdentityData> {
    identity.map(|identity| tf::ResourceIdentityData {
        identity_data: encode_value(identity, kind),
    })
}

/// Requires an object to keep its identity, unless its resource lets it change.
pub(super) fn require_same_identity(
    may_change: bool,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<(), Failure> {
    match (before, after) {
        (Some(before), Some(after)) if before != after && !may_change => {
            Err(inconsistency("the identity of the object changed"))
        }
        _ => Ok(()),
    }
}

/// Requires a value without unknown parts.
pub(super) fn require_known(value: &Value) -> Result<(), Failure> {
    let unknown = value.first_unknown().map(|path| Inconsistency {
        path,
        reason: "the value is unknown",
    });
    require_consistent(unknown.into_iter().collect())
}

pub(super) fn require_consistent(faults: Vec<Inconsistency>) -> Result<(), Failure> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::Inconsistent(faults))
    }
}

pub(super) fn inconsistency(reason: &'static str) -> Failure {
    Failure::Inconsistent(vec![Inconsistency {
        path: Path::root(),
        reason,
    }])
}
