//! The message for a missing permission to use a code repository, with the binding that grants it.

use std::collections::BTreeSet;

use super::{ChangeContext, Explanation, join};
use crate::entity_name::EntityName;
use crate::id::RepositoryId;
use crate::kind::{EntityKey, Kind};
use crate::validation::field::FieldPath;

pub(super) fn explain(
    subject: &EntityKey,
    code_repo: RepositoryId,
    field: &FieldPath,
    projects: &BTreeSet<&EntityName>,
    changed: &EntityKey,
    context: &ChangeContext<'_>,
) -> Explanation {
    let repository = context.describe(&EntityKey::new(Kind::CodeRepo, code_repo.into()));
    let subject_name = context.describe(subject);
    let names: Vec<String> = projects
        .iter()
        .map(|project| format!("`{project}`"))
        .collect();
    let noun = if names.len() == 1 {
        "project"
    } else {
        "projects"
    };
    let names = join(&names);
    if subject == changed {
        Explanation {
            summary: format!("The {repository} is not authorised for {noun} {names}"),
            detail: format!(
                "The {subject_name} uses it (`{field}`). A project may use a repository that it \
                 owns, or that a binding authorises for the project or for the whole product."
            ),
            hint: Some(format!(
                "Add this binding, and reference the repository through it:\n\n{}",
                hcl(code_repo, projects, context)
            )),
            field: Some(field.clone()),
        }
    } else {
        Explanation {
            summary: format!("The {repository} would no longer be authorised for {noun} {names}"),
            detail: format!("The {subject_name} uses it (`{field}`)."),
            hint: Some(format!(
                "First change or remove the {subject_name}, or add another binding for the \
                 repository."
            )),
            field: None,
        }
    }
}

/// Renders the binding as a Terraform resource.
fn hcl(
    code_repo: RepositoryId,
    projects: &BTreeSet<&EntityName>,
    context: &ChangeContext<'_>,
) -> String {
    let repository = context
        .after
        .code_repo(code_repo)
        .map_or_else(|| code_repo.to_string(), |repo| repo.repo_name.clone());
    let product = match (context.product_name, context.after.product()) {
        (Some(name), _) => name.to_owned(),
        (None, Some(product)) => product.to_string(),
        (None, None) => String::new(),
    };
    let grantee = match projects.first() {
        Some(project) if projects.len() == 1 => project.to_string(),
        _ => "projects".to_owned(),
    };
    let name = free_name(&format!("{}-to-{grantee}", dns_label(&repository)), context);
    let label = name.replace(['.', '-'], "_");
    let projects: Vec<String> = projects.iter().map(|project| quoted(project)).collect();
    format!(
        "resource \"nautes_code_repo_binding\" \"{label}\" {{\n  product     = {}\n  name        = \
         {}\n  code_repo   = {}\n  projects    = [{}]\n  permissions = \"readonly\"\n}}",
        quoted(&product),
        quoted(&name),
        quoted(&repository),
        projects.join(", ")
    )
}

/// Returns a name that no binding has.
fn free_name(wanted: &str, context: &ChangeContext<'_>) -> String {
    let taken: BTreeSet<&str> = context
        .after
        .code_repo_bindings()
        .map(|binding| binding.name.as_str())
        .collect();
    let numbered = (2..=taken.len() + 1).map(|number| format!("{wanted}-{number}"));
    std::iter::once(wanted.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name.as_str()))
        .unwrap_or_else(|| wanted.to_owned())
}

/// Makes a DNS label from the path of a repository.
fn dns_label(path: &str) -> String {
    let label: String = path
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() {
                char.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let label = label.trim_matches('-');
    if label.is_empty() {
        "repository".to_owned()
    } else {
        label.to_owned()
    }
}

/// Renders a text as an HCL string.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{");
    format!("\"{escaped}\"")
}
