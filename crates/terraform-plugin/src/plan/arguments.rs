//! Resolves the configuration of kinds that have no plan: ephemeral resources, lists and actions.

use super::{merge_write_only, plan};
use crate::schema::Schema;
use crate::value::Value;

/// Returns the configuration with the schema's defaults, and with computed attributes unknown.
pub(crate) fn resolve_arguments(schema: &Schema, config: &Value) -> Value {
    let planned = plan(schema, &Value::Null, config, config).value;
    merge_write_only(&schema.attributes, &planned, config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Attribute, Attributes};
    use crate::value::{Tf, WriteOnly};

    #[test]
    fn defaults_are_applied_and_write_only_values_kept() {
        let attributes = [
            (
                "level",
                Attribute::for_type::<String>().default("info".to_owned()),
            ),
            ("name", Attribute::for_type::<Option<String>>()),
            ("token_wo", Attribute::for_type::<WriteOnly<String>>()),
            ("id", Attribute::for_type::<Tf<String>>()),
        ];
        let attributes = attributes.map(|(name, attribute)| (name.to_owned(), attribute));
        let schema = Schema::new("A test.", Attributes::from(attributes));
        let object = |level, id| {
            Value::object([
                ("level", level),
                ("name", Value::Null),
                ("token_wo", Value::string("s")),
                ("id", id),
            ])
        };
        let filled = object(Value::string("info"), Value::Unknown);
        assert_eq!(
            resolve_arguments(&schema, &object(Value::Null, Value::Null)),
            filled
        );
    }
}
