//! Checks the identity of an object against the one that Terraform has stored.

use super::wire::decode_identity;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::protocol::tfplugin6::ResourceIdentityData;
use crate::resource::ErasedResource;
use crate::value::Value;

/// Requires the identity of an existing object to stay the same, unless its resource lets it change.
///
/// A stored identity without any value is of a state that is older than the identity.
pub(super) fn require_same_identity<C>(
    resource: &dyn ErasedResource<C>,
    stored: Option<&ResourceIdentityData>,
    identity: Option<&Value>,
) -> Result<(), Diagnostics> {
    let stored = decode_identity(stored, resource.identity_type())?;
    let has_value = match &stored {
        Value::Object(attributes) => attributes.values().any(|value| !value.is_null()),
        _ => false,
    };
    match identity {
        Some(identity) if has_value && !resource.identity_may_change() && *identity != stored => {
            let text = "The identity of the object has changed, which its resource does not allow";
            Err(Diagnostic::bug(text).into())
        }
        _ => Ok(()),
    }
}
