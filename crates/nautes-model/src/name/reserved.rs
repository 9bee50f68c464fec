//! Reserved names.

use super::NameRule;
use crate::layout::PRODUCT_FOLDERS;

/// GitLab's reserved top-level paths that have the form of a product's name
/// (`lib/gitlab/path_regex.rb`, `TOP_LEVEL_ROUTES`).
const TOP_LEVEL: [&str; 24] = [
    "admin",
    "api",
    "assets",
    "dashboard",
    "explore",
    "groups",
    "health_check",
    "help",
    "import",
    "jwt",
    "login",
    "o",
    "oauth",
    "profile",
    "projects",
    "public",
    "s",
    "search",
    "sitemap",
    "snippets",
    "unsubscribes",
    "uploads",
    "users",
    "v2",
];

/// GitLab's reserved paths inside a group (the same file, `PROJECT_WILDCARD_ROUTES`).
const INSIDE_GROUP: [&str; 17] = [
    "badges",
    "blame",
    "blob",
    "builds",
    "commits",
    "create",
    "create_dir",
    "edit",
    "files",
    "find_file",
    "new",
    "preview",
    "raw",
    "refs",
    "tree",
    "update",
    "wikis",
];

/// The configuration repository of a product.
const CONFIG_REPOSITORY: &str = "default.project";

/// Other folders of a configuration repository. Nautes leaves a project with such a name out of
/// the kustomization (`app/api-server/pkg/nodestree/nodestree.go`).
const OTHER_FOLDERS: [&str; 2] = ["production", "templates"];

/// Returns whether a name is reserved.
pub(super) fn is_reserved(rule: NameRule, name: &str) -> bool {
    let any_case = |names: &[&str]| {
        names
            .iter()
            .any(|reserved| reserved.eq_ignore_ascii_case(name))
    };
    match rule {
        NameRule::Product => any_case(&TOP_LEVEL),
        NameRule::ProductInParentGroup => any_case(&INSIDE_GROUP),
        NameRule::CodeRepo => any_case(&INSIDE_GROUP) || any_case(&[CONFIG_REPOSITORY]),
        NameRule::Project => PRODUCT_FOLDERS.contains(&name) || OTHER_FOLDERS.contains(&name),
        NameRule::Cluster | NameRule::Namespace => {
            name == "default" || name == "nautes" || name.starts_with("kube-")
        }
        NameRule::Environment
        | NameRule::CodeRepoBinding
        | NameRule::PipelineRuntime
        | NameRule::DeploymentRuntime
        | NameRule::Account
        | NameRule::EventSource
        | NameRule::Pipeline => false,
    }
}

/// Says why a reserved name is reserved, to follow "being".
pub(super) fn reason(rule: NameRule, name: &str) -> &'static str {
    match rule {
        NameRule::Product => "a path that GitLab itself uses at its top level",
        NameRule::CodeRepo if name.eq_ignore_ascii_case(CONFIG_REPOSITORY) => {
            "the product's configuration repository"
        }
        NameRule::Project => "a folder of the configuration repository",
        NameRule::Cluster | NameRule::Namespace => "a namespace of Kubernetes or Nautes",
        _ => "a path that GitLab itself uses inside a group",
    }
}

/// Describes the reserved names, to follow "not".
pub(super) const fn description(rule: NameRule) -> Option<&'static str> {
    match rule {
        NameRule::Product => Some("a path that GitLab reserves at its top level, such as `api`"),
        NameRule::ProductInParentGroup => {
            Some("a path that GitLab reserves inside a group, such as `tree`")
        }
        NameRule::CodeRepo => Some(
            "`default.project`, and not a path that GitLab reserves inside a group, such as `tree`",
        ),
        NameRule::Project => Some(
            "a folder of the configuration repository: `envs`, `projects`, `code-repos`, \
             `runtimes`, `artifact-repos`, `production`, `templates`",
        ),
        NameRule::Cluster | NameRule::Namespace => {
            Some("`default`, not `nautes`, and not beginning with `kube-`")
        }
        NameRule::Environment
        | NameRule::CodeRepoBinding
        | NameRule::PipelineRuntime
        | NameRule::DeploymentRuntime
        | NameRule::Account
        | NameRule::EventSource
        | NameRule::Pipeline => None,
    }
}
