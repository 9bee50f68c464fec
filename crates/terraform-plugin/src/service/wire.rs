//! Conversions between values and wire messages.

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::protocol::tfplugin6::{DynamicValue, ResourceIdentityData};
use crate::schema::{Schema, check_configuration};
use crate::value::{Type, Value, decode, encode};

/// Decodes a value. An absent one is null.
pub(super) fn decode_value(
    value: Option<&DynamicValue>,
    kind: &Type,
) -> Result<Value, Diagnostics> {
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
        Diagnostic::bug(text).into()
    })
}

/// Decodes a configuration that must be wholly known, and validates it.
///
/// Terraform validates a configuration before the plan, where parts of it may be unknown, and not always again.
pub(super) fn decode_known_config(
    config: Option<&DynamicValue>,
    schema: &Schema,
    kind: &Type,
) -> Result<Value, Diagnostics> {
    let config = decode_value(config, kind)?;
    require_known(&config, "The configuration")?;
    check_configuration(schema, &config, true).into_result()?;
    Ok(config)
}

/// Requires a value without unknown parts; `subject` is what the value is, in messages.
pub(super) fn require_known(value: &Value, subject: &str) -> Result<(), Diagnostics> {
    let Some(path) = value.first_unknown() else {
        return Ok(());
    };
    let text = format!("{subject} has an unknown value for {path}");
    Err(Diagnostic::bug(text).at(&path).into())
}

/// Encodes a value as msgpack, which every client accepts.
#[expect(clippy::unnecessary_wraps, reason = "messages hold values as options")]
pub(super) fn encode_value(value: &Value, kind: &Type) -> Option<DynamicValue> {
    Some(DynamicValue {
        msgpack: encode(value, kind).into(),
        ..Default::default()
    })
}

/// Decodes an identity. An absent one is null.
pub(super) fn decode_identity(
    identity: Option<&ResourceIdentityData>,
    kind: &Type,
) -> Result<Value, Diagnostics> {
    decode_value(
        identity.and_then(|identity| identity.identity_data.as_ref()),
        kind,
    )
}

/// Encodes an identity. `None` stays absent.
pub(super) fn encode_identity(
    identity: Option<&Value>,
    kind: &Type,
) -> Option<ResourceIdentityData> {
    identity.map(|identity| ResourceIdentityData {
        identity_data: encode_value(identity, kind),
    })
}
