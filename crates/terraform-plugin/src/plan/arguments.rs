//! What an author's code gets of a configuration that no state comes of.

use super::{plan, with_write_only};
use crate::schema::Schema;
use crate::value::Value;

/// Returns the configuration with the schema's defaults in place, and with computed attributes unknown.
pub(crate) fn arguments(schema: &Schema, config: &Value) -> Value {
    let planned = plan(schema, &Value::Null, config, config).value;
    with_write_only(&schema.attributes, &planned, config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Attribute, Attributes};
    use crate::value::{Tf, WriteOnly};

    #[test]
    fn defaults_are_in_place_and_write_only_values_stay() {
        let attributes = [
            (
                "level",
                Attribute::of::<String>().default("info".to_owned()),
            ),
            ("name", Attribute::of::<Option<String>>()),
            ("token_wo", Attribute::of::<WriteOnly<String>>()),
            ("id", Attribute::of::<Tf<String>>()),
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
            arguments(&schema, &object(Value::Null, Value::Null)),
            filled
        );
    }
}
