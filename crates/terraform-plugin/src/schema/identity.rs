//! The rules for identity schemas: flat attributes that are primitive or lists of primitives.

use super::{Attribute, AttributeKind, Presence, Schema, SchemaFault, name_fault};
use crate::value::{Path, Type};

/// Returns the violations of the rules by an identity schema.
pub(crate) fn identity_faults(schema: &Schema, subject: &str) -> Vec<SchemaFault> {
    let mut faults = Vec::new();
    let mut fault = |path: Path, reason: &str| {
        faults.push(SchemaFault {
            subject: subject.to_owned(),
            path,
            reason: reason.to_owned(),
        });
    };
    if schema.version < 0 {
        fault(Path::root(), "the version is negative");
    }
    for (name, attribute) in &schema.attributes {
        let path = Path::to(name);
        if let Some(reason) = name_fault(name) {
            fault(path.clone(), reason);
        }
        if attribute.description.trim().is_empty() {
            fault(path.clone(), "it has no description");
        }
        if !is_flat(attribute) {
            fault(
                path.clone(),
                "an identity consists of primitive values and lists of them",
            );
        }
        if !matches!(attribute.presence, Presence::Required | Presence::Optional)
            || attribute.options().next().is_some()
        {
            fault(
                path,
                "an attribute of an identity is required or optional and has no options",
            );
        }
    }
    faults
}

fn is_flat(attribute: &Attribute) -> bool {
    let is_primitive = |kind: &Type| matches!(kind, Type::Bool | Type::Number | Type::String);
    match &attribute.kind {
        AttributeKind::Typed(Type::List(element)) => is_primitive(element),
        AttributeKind::Typed(kind) => is_primitive(kind),
        AttributeKind::Nested(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Attributes;
    use crate::value::{AttributeValue, Tf};
    use std::collections::BTreeMap;

    fn faults<T: AttributeValue>() -> usize {
        let attribute = Attribute::for_type::<T>().describe("Described.");
        let attributes = Attributes::from([("a".to_owned(), attribute)]);
        identity_faults(&Schema::new("", attributes), "a test").len()
    }

    #[test]
    fn an_identity_is_flat_and_set_by_users() {
        assert_eq!(faults::<String>(), 0);
        assert_eq!(faults::<Option<Vec<u64>>>(), 0);
        assert_eq!(faults::<Tf<String>>(), 1);
        assert_eq!(faults::<BTreeMap<String, String>>(), 1);
        assert_eq!(faults::<Vec<Vec<String>>>(), 1);
    }
}
