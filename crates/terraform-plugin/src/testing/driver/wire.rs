//! Between values and messages, and what makes a step fail.

use super::Failure;
use crate::plan::Inconsistency;
use crate::protocol::tfplugin6::{self as tf, diagnostic};
use crate::value::{Path, Type, Value, decode, encode};

pub(super) fn has_error(diagnostics: &[tf::Diagnostic]) -> bool {
    let error = i32::from(diagnostic::Severity::Error);
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == error)
}

pub(super) fn accepted(diagnostics: Vec<tf::Diagnostic>) -> Result<Vec<tf::Diagnostic>, Failure> {
    if has_error(&diagnostics) {
        Err(Failure::Reported(diagnostics))
    } else {
        Ok(diagnostics)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "messages hold values as options")]
pub(super) fn dynamic(value: &Value, kind: &Type) -> Option<tf::DynamicValue> {
    Some(tf::DynamicValue {
        msgpack: encode(value, kind).into(),
        ..Default::default()
    })
}

pub(super) fn decoded(dynamic: Option<&tf::DynamicValue>, kind: &Type) -> Result<Value, Failure> {
    match dynamic {
        Some(dynamic) => Ok(decode(&dynamic.msgpack, kind)?),
        None => Ok(Value::Null),
    }
}

pub(super) fn identity(
    identity: Option<&tf::ResourceIdentityData>,
    kind: &Type,
) -> Result<Option<Value>, Failure> {
    let data = identity.and_then(|identity| identity.identity_data.as_ref());
    data.map(|data| decoded(Some(data), kind)).transpose()
}

pub(super) fn consistent(faults: Vec<Inconsistency>) -> Result<(), Failure> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::Inconsistent(faults))
    }
}

pub(super) fn inconsistent(reason: &'static str) -> Failure {
    Failure::Inconsistent(vec![Inconsistency {
        path: Path::root(),
        reason,
    }])
}
