//! The schema part of a page: required, optional and read-only attributes, and a section for each nested attribute.

use std::fmt::Write as _;

use crate::schema::{Attribute, AttributeKind, Attributes, Nesting, Presence, Schema};
use crate::value::Type;

/// Writes the schema, followed by the sections of nested attributes.
pub(super) fn write_schema(text: &mut String, schema: &Schema) {
    text.push_str("\n## Schema\n");
    let mut sections = Vec::new();
    write_groups(text, &schema.attributes, "###", &[], &mut sections);
    let mut next = 0;
    while let Some(section) = sections.get(next).cloned() {
        next += 1;
        let path = section.path.join(".");
        let anchor = section.path.join("--");
        let _ = write!(
            text,
            "\n<a id=\"nestedatt--{anchor}\"></a>\n### Nested Schema for `{path}`\n"
        );
        write_groups(text, section.attributes, "", &section.path, &mut sections);
    }
}

#[derive(Clone)]
struct Section<'a> {
    path: Vec<String>,
    attributes: &'a Attributes,
}

fn write_groups<'a>(
    text: &mut String,
    attributes: &'a Attributes,
    heading: &str,
    path: &[String],
    sections: &mut Vec<Section<'a>>,
) {
    for (title, belongs) in [
        (
            "Required",
            (|presence| presence == Presence::Required) as fn(Presence) -> bool,
        ),
        ("Optional", |presence| {
            matches!(
                presence,
                Presence::Optional | Presence::OptionalComputed | Presence::WriteOnly
            )
        }),
        ("Read-Only", |presence| presence == Presence::Computed),
    ] {
        let mut group = attributes
            .iter()
            .filter(|(_, attribute)| belongs(attribute.presence()))
            .peekable();
        if group.peek().is_none() {
            continue;
        }
        let colon = if heading.is_empty() { ":" } else { "" };
        let _ = write!(
            text,
            "\n{heading}{}{title}{colon}\n\n",
            if heading.is_empty() { "" } else { " " }
        );
        for (name, attribute) in group {
            write_attribute(text, name, attribute);
            let AttributeKind::Nested(_, children) = attribute.shape() else {
                text.push('\n');
                continue;
            };
            let mut path = path.to_vec();
            path.push(name.clone());
            let anchor = path.join("--");
            let _ = writeln!(
                text,
                " (see [below for nested schema](#nestedatt--{anchor}))"
            );
            sections.push(Section {
                path,
                attributes: children,
            });
        }
    }
}

fn write_attribute(text: &mut String, name: &str, attribute: &Attribute) {
    let mut marks = vec![kind_name(attribute.shape())];
    if attribute.is_sensitive() {
        marks.push("Sensitive".to_owned());
    }
    if attribute.presence() == Presence::WriteOnly {
        marks.push("Write-only".to_owned());
    }
    if attribute.deprecation().is_some() {
        marks.push("Deprecated".to_owned());
    }
    let description = attribute.documentation().replace('\n', " ");
    let _ = write!(text, "- `{name}` ({}) {description}", marks.join(", "));
    if let Some(message) = attribute.deprecation() {
        let _ = write!(text, " **Deprecated:** {message}");
    }
}

fn kind_name(kind: &AttributeKind) -> String {
    match kind {
        AttributeKind::Typed(kind) => type_name(kind),
        AttributeKind::Nested(nesting, _) => match nesting {
            Nesting::Single => "Attributes",
            Nesting::List => "Attributes List",
            Nesting::Set => "Attributes Set",
            Nesting::Map => "Attributes Map",
        }
        .to_owned(),
    }
}

pub(super) fn type_name(kind: &Type) -> String {
    match kind {
        Type::Bool => "Boolean".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::String => "String".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(element) => format!("List of {}", type_name(element)),
        Type::Set(element) => format!("Set of {}", type_name(element)),
        Type::Map(element) => format!("Map of {}", type_name(element)),
        Type::Tuple(_) => "Tuple".to_owned(),
        Type::Object(_) => "Object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Tf, WriteOnly};

    #[test]
    fn attributes_are_grouped_by_presence_and_nested_ones_follow() {
        let child = Attribute::for_type::<Option<String>>().describe("A part.");
        let children = Attributes::from([("part".to_owned(), child)]);
        let nested = AttributeKind::Nested(Nesting::Map, children);
        let schema = Schema::new(
            "A test.",
            Attributes::from([
                (
                    "name".to_owned(),
                    Attribute::for_type::<String>()
                        .describe("The name.")
                        .replace(),
                ),
                (
                    "token".to_owned(),
                    Attribute::for_type::<WriteOnly<String>>().describe("A token."),
                ),
                (
                    "parts".to_owned(),
                    Attribute::new(nested, Presence::Optional).describe("Parts."),
                ),
                (
                    "id".to_owned(),
                    Attribute::for_type::<Tf<u64>>()
                        .describe("The id.")
                        .sensitive(),
                ),
            ]),
        );
        let mut text = String::new();
        write_schema(&mut text, &schema);
        let expected = "
## Schema

### Required

- `name` (String) The name. A change replaces the resource.

### Optional

- `parts` (Attributes Map) Parts. (see [below for nested schema](#nestedatt--parts))
- `token` (String, Write-only) A token.

### Read-Only

- `id` (Number, Sensitive) The id.

<a id=\"nestedatt--parts\"></a>
### Nested Schema for `parts`

Optional:

- `part` (String) A part.
";
        assert_eq!(text, expected);
    }
}
