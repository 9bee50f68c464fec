//! Values and messages between the wire and the framework.

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::protocol::tfplugin6::{DynamicValue, ResourceIdentityData};
use crate::value::{Type, Value, decode, encode};

/// Decodes a value; an absent one is null.
pub(super) fn decoded(value: Option<&DynamicValue>, kind: &Type) -> Result<Value, Diagnostics> {
    let Some(value) = value else {
        return Ok(Value::Null);
    };
    let decoded = if value.msgpack.is_empty() && !value.json.is_empty() {
        std::str::from_utf8(&value.json)
            .map_err(|error| error.to_string())
            .and_then(|json| crate::value::from_json(json, kind).map_err(|e| e.to_string()))
    } else if value.msgpack.is_empty() {
        Ok(Value::Null)
    } else {
        decode(&value.msgpack, kind).map_err(|error| error.to_string())
    };
    decoded.map_err(|error| {
        let text = format!("A value of the request does not fit the schema: {error}");
        Diagnostic::defect(text).into()
    })
}

/// Decodes a configuration that Terraform sends only once all of it is known.
pub(super) fn decoded_known(
    value: Option<&DynamicValue>,
    kind: &Type,
) -> Result<Value, Diagnostics> {
    let value = decoded(value, kind)?;
    if value.is_wholly_known() {
        Ok(value)
    } else {
        Err(Diagnostic::defect("The configuration has unknown values").into())
    }
}

/// Encodes a value in the form that every client accepts.
#[expect(clippy::unnecessary_wraps, reason = "messages hold values as options")]
pub(super) fn encoded(value: &Value, kind: &Type) -> Option<DynamicValue> {
    Some(DynamicValue {
        msgpack: encode(value, kind).into(),
        ..Default::default()
    })
}

/// Decodes an identity; an absent one is null.
pub(super) fn decoded_identity(
    identity: Option<&ResourceIdentityData>,
    kind: &Type,
) -> Result<Value, Diagnostics> {
    decoded(
        identity.and_then(|identity| identity.identity_data.as_ref()),
        kind,
    )
}

/// Encodes an identity; a null one is absent.
pub(super) fn encoded_identity(
    identity: Option<&Value>,
    kind: &Type,
) -> Option<ResourceIdentityData> {
    identity.map(|identity| ResourceIdentityData {
        identity_data: encoded(identity, kind),
    })
}
