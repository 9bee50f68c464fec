//! One page: front matter, description, examples, schema, import.

use std::fmt::Write as _;

use super::schema::write_schema;
use crate::kind::Kind;
use crate::schema::{AttributeKind, Presence, Schema};
use crate::value::Type;

/// A documentation page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The path below `docs/`.
    pub path: String,
    /// The content: Markdown with front matter.
    pub text: String,
}

/// An example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The file name, which decides where the example appears: `resource.tf`, `import.sh`, `import-by-identity.tf`.
    /// `guide.md` is text for the page of the provider.
    pub file_name: String,
    /// The content of the file.
    pub text: String,
}

pub(super) fn index(provider_name: &str, schema: &Schema, examples: &[Example]) -> Page {
    let title = format!("{provider_name} Provider");
    let mut text = front_matter(&title, &schema.description);
    let _ = write!(text, "# {title}\n\n{}\n", schema.description);
    write_usage(&mut text, examples, "provider");
    write_guide(&mut text, examples);
    write_schema(&mut text, schema);
    Page {
        path: "index.md".to_owned(),
        text,
    }
}

/// Renders the page of a kind with a schema.
pub(super) fn with_schema(
    kind: Kind,
    provider_name: &str,
    type_name: &str,
    schema: &Schema,
    examples: &[Example],
) -> Page {
    let title = kind_title(kind);
    let mut text = front_matter(
        &format!("{type_name} {title} - {provider_name}"),
        &schema.description,
    );
    let _ = write!(text, "# {type_name} ({title})\n\n{}\n", schema.description);
    write_usage(&mut text, examples, &slug(kind));
    write_schema(&mut text, schema);
    Page {
        path: format!(
            "{}/{}.md",
            folder(kind),
            strip_provider_prefix(provider_name, type_name)
        ),
        text,
    }
}

/// Renders the page of a resource, including how to import it.
pub(super) fn resource(
    provider_name: &str,
    type_name: &str,
    schema: &Schema,
    identity: Option<&Schema>,
    examples: &[Example],
) -> Page {
    let mut page = with_schema(Kind::Resource, provider_name, type_name, schema, examples);
    write_import(&mut page.text, identity, examples);
    page
}

/// Returns the directory of a kind below `docs/` and `examples/`.
pub(super) fn folder(kind: Kind) -> String {
    slug(kind) + "s"
}

fn slug(kind: Kind) -> String {
    kind.to_string().replace(' ', "-")
}

fn kind_title(kind: Kind) -> String {
    let noun = kind.to_string();
    let words = noun.split(' ').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

fn strip_provider_prefix<'a>(provider_name: &str, type_name: &'a str) -> &'a str {
    let unprefixed = type_name.strip_prefix(provider_name);
    unprefixed
        .and_then(|rest| rest.strip_prefix('_'))
        .unwrap_or(type_name)
}

/// Renders the front matter, with the first paragraph of the description as a YAML block.
pub(super) fn front_matter(title: &str, description: &str) -> String {
    let paragraph = description.split("\n\n").next().unwrap_or_default();
    let mut text = format!("---\npage_title: \"{title}\"\nsubcategory: \"\"\ndescription: |-\n");
    for line in paragraph.lines() {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str("---\n\n");
    text
}

pub(super) fn write_usage(text: &mut String, examples: &[Example], prefix: &str) {
    let usage: Vec<&Example> = examples
        .iter()
        .filter(|example| example.file_name.starts_with(prefix))
        .collect();
    if usage.is_empty() {
        return;
    }
    text.push_str("\n## Example Usage\n");
    for example in usage {
        write_code(text, "terraform", example);
    }
}

fn write_import(text: &mut String, identity: Option<&Schema>, examples: &[Example]) {
    let example = |name: &str| examples.iter().find(|example| example.file_name == name);
    let (command, by_id, by_identity) = (
        example("import.sh"),
        example("import-by-string-id.tf"),
        example("import-by-identity.tf"),
    );
    if command.or(by_id).or(by_identity).is_none() {
        return;
    }
    text.push_str("\n## Import\n");
    if let Some(example) = command {
        text.push_str("\nThe [`terraform import` command](https://developer.hashicorp.com/terraform/cli/commands/import) can be used:\n");
        write_code(text, "shell", example);
    }
    if let Some(example) = by_id {
        text.push_str("\nIn Terraform 1.5 and later, an [`import` block](https://developer.hashicorp.com/terraform/language/import) can be used with the `id` attribute:\n");
        write_code(text, "terraform", example);
    }
    if let (Some(example), Some(identity)) = (by_identity, identity) {
        text.push_str("\nIn Terraform 1.12 and later, an `import` block can be used with the `identity` attribute:\n");
        write_code(text, "terraform", example);
        write_identity(text, identity);
    }
}

fn write_identity(text: &mut String, identity: &Schema) {
    let of = |presence: fn(Presence) -> bool| {
        identity
            .attributes
            .iter()
            .filter(move |(_, attribute)| presence(attribute.presence()))
    };
    text.push_str("\n### Identity Schema\n");
    for (heading, presence) in [
        (
            "Required",
            (|presence| presence == Presence::Required) as fn(Presence) -> bool,
        ),
        ("Optional", |presence| presence != Presence::Required),
    ] {
        let mut attributes = of(presence).peekable();
        if attributes.peek().is_none() {
            continue;
        }
        let _ = write!(text, "\n#### {heading}\n\n");
        for (name, attribute) in attributes {
            let kind = match attribute.shape() {
                AttributeKind::Typed(Type::Bool) => "Boolean",
                AttributeKind::Typed(Type::Number) => "Number",
                AttributeKind::Typed(Type::String) => "String",
                _ => "List",
            };
            let _ = writeln!(text, "- `{name}` ({kind}) {}", attribute.description());
        }
    }
}

fn write_code(text: &mut String, language: &str, example: &Example) {
    text.push('\n');
    write_block(text, language, example);
}

fn write_block(text: &mut String, language: &str, example: &Example) {
    let _ = write!(text, "```{language}\n{}\n```\n", example.text.trim_end());
}

/// Writes `guide.md`, if there is one. A line `{{codefile "hcl" "policy.hcl"}}` in it stands for the example in that
/// file, as in the templates of `terraform-plugin-docs`.
fn write_guide(text: &mut String, examples: &[Example]) {
    let Some(guide) = examples
        .iter()
        .find(|example| example.file_name == "guide.md")
    else {
        return;
    };
    text.push('\n');
    for line in guide.text.trim_end().lines() {
        if let Some((language, example)) = code_file(line, examples) {
            write_block(text, language, example);
        } else {
            let _ = writeln!(text, "{line}");
        }
    }
}

/// Returns the language and the example that a line of the guide stands for.
fn code_file<'a>(line: &'a str, examples: &'a [Example]) -> Option<(&'a str, &'a Example)> {
    let arguments = line.strip_prefix("{{codefile \"")?.strip_suffix("\"}}")?;
    let (language, file_name) = arguments.split_once("\" \"")?;
    let example = examples
        .iter()
        .find(|example| example.file_name == file_name)?;
    Some((language, example))
}
