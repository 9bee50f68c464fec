//! The page of a function: description, examples, signature, arguments.

use std::fmt::Write as _;

use super::page::{Example, Page, folder, front_matter, write_usage};
use super::schema::type_name;
use crate::function::{Parameter, Signature};
use crate::kind::Kind;
use crate::value::Type;

pub(super) fn page(
    provider_name: &str,
    name: &str,
    signature: &Signature,
    examples: &[Example],
) -> Page {
    let title = format!("{name} function - {provider_name}");
    let mut text = front_matter(&title, signature.summary);
    let description = signature.description;
    let _ = write!(text, "# function: {name}\n\n{description}\n");
    write_usage(&mut text, examples, "function");
    let _ = write!(
        text,
        "\n## Signature\n\n```text\n{name}({}) {}\n```\n",
        parameters(signature),
        friendly_name(&signature.output)
    );
    if !signature.parameters.is_empty() {
        text.push_str("\n## Arguments\n\n");
    }
    for parameter in &signature.parameters {
        write_argument(&mut text, parameter);
    }
    Page {
        path: format!("{}/{name}.md", folder(Kind::Function)),
        text,
    }
}

fn parameters(signature: &Signature) -> String {
    let parameters = signature.parameters.iter().map(|parameter| {
        let kind = friendly_name(&parameter.value_type);
        let dots = if parameter.is_variadic { "..." } else { "" };
        format!("{} {kind}{dots}", parameter.name)
    });
    parameters.collect::<Vec<_>>().join(", ")
}

fn write_argument(text: &mut String, parameter: &Parameter) {
    let mut marks = vec![type_name(&parameter.value_type)];
    if parameter.is_variadic {
        marks.insert(0, "Variadic".to_owned());
    }
    if parameter.allows_null {
        marks.push("Nullable".to_owned());
    }
    let description = parameter.description.replace('\n', " ");
    let _ = writeln!(
        text,
        "1. `{}` ({}) {description}",
        parameter.name,
        marks.join(", ")
    );
}

/// Returns the name of a type in Terraform's own messages (go-cty `cty/type.go`, `FriendlyName`).
fn friendly_name(kind: &Type) -> String {
    match kind {
        Type::Bool => "bool".to_owned(),
        Type::List(element) => format!("list of {}", friendly_name(element)),
        Type::Set(element) => format!("set of {}", friendly_name(element)),
        Type::Map(element) => format!("map of {}", friendly_name(element)),
        other => type_name(other).to_lowercase(),
    }
}
