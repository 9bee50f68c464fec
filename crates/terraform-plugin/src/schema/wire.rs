//! Schemas as protocol messages.

use super::{Attribute, AttributeKind, Attributes, Nesting, Presence, Schema};
use crate::protocol::tfplugin6::{self as wire, StringKind};

impl From<&Schema> for wire::Schema {
    fn from(schema: &Schema) -> Self {
        Self {
            version: schema.version,
            block: Some(wire::schema::Block {
                attributes: attributes(&schema.attributes),
                description: schema.description.clone(),
                description_kind: StringKind::Markdown.into(),
                deprecated: schema.deprecation.is_some(),
                deprecation_message: schema.deprecation.clone().unwrap_or_default(),
                ..Default::default()
            }),
        }
    }
}

fn attributes(attributes: &Attributes) -> Vec<wire::schema::Attribute> {
    attributes
        .iter()
        .map(|(name, described)| attribute(name, described))
        .collect()
}

fn attribute(name: &str, attribute: &Attribute) -> wire::schema::Attribute {
    use wire::schema::object::NestingMode;
    let (kind, nested_type) = match &attribute.kind {
        AttributeKind::Typed(kind) => (kind.to_json().to_string().into_bytes(), None),
        AttributeKind::Nested(nesting, children) => {
            let nesting = match nesting {
                Nesting::Single => NestingMode::Single,
                Nesting::List => NestingMode::List,
                Nesting::Set => NestingMode::Set,
                Nesting::Map => NestingMode::Map,
            };
            let object = wire::schema::Object {
                attributes: attributes(children),
                nesting: nesting.into(),
                ..Default::default()
            };
            (Vec::new(), Some(object))
        }
    };
    wire::schema::Attribute {
        name: name.to_owned(),
        r#type: kind.into(),
        nested_type,
        description: attribute.documentation(),
        description_kind: StringKind::Markdown.into(),
        required: attribute.presence == Presence::Required,
        optional: matches!(
            attribute.presence,
            Presence::Optional | Presence::OptionalComputed | Presence::WriteOnly
        ),
        computed: attribute.is_computed(),
        sensitive: attribute.sensitive,
        deprecated: attribute.deprecation.is_some(),
        deprecation_message: attribute.deprecation.clone().unwrap_or_default(),
        write_only: attribute.presence == Presence::WriteOnly,
    }
}
