//! The page about permissions: its rules come from the list that the provider uses.

use std::fmt::Write as _;

use terraform_provider_nautes::permissions::{RIGHTS, Right, Scope};

/// The page, with `{{rights}}` in the place of the rules.
const TEMPLATE: &str = include_str!("permissions.md");

/// Where the page is in `docs/`.
pub(crate) const PATH: &str = "guides/permissions.md";

/// Renders the page.
pub(crate) fn render() -> String {
    let mut rights = String::new();
    for place in Scope::ALL {
        let title = place.to_string();
        let _ = write!(
            rights,
            "\n### In {title}\n\n| API | Objects | Verbs | For |\n|---|---|---|---|\n"
        );
        for right in RIGHTS.iter().filter(|right| right.place == place) {
            let _ = writeln!(rights, "{}", row(right));
        }
    }
    TEMPLATE.replace("{{rights}}", rights.trim())
}

fn row(right: &Right) -> String {
    let group = match right.group {
        "" => "core",
        group => group,
    };
    let names = match right.names {
        [] => String::new(),
        names => format!(" `{}`", names.join("`, `")),
    };
    let verbs = right.verbs.join(", ");
    format!(
        "| {group} | {}{names} | {verbs} | {} |",
        right.resource, right.purpose
    )
}
