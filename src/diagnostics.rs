//! The one place where an error becomes a message to the user: what was attempted, why it failed, what to do next.

mod credentials;
mod vault;

use std::collections::BTreeSet;

use nautes_model::tree::ManifestTree;
use nautes_model::validation::explain::{Explanation, Situation, explain};
use nautes_model::validation::{Step, Violation};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use crate::backends::gitlab::{self, Kind};
pub(crate) use crate::causes::causes;
use crate::config_repo;

/// Says what was attempted when something fails.
pub(crate) trait Attempted<T> {
    /// Turns an error into messages; `attempt` completes the sentence "cannot …".
    fn attempted(self, attempt: impl Into<String>) -> Result<T, Diagnostics>;
}

impl<T> Attempted<T> for Result<T, gitlab::Error> {
    fn attempted(self, attempt: impl Into<String>) -> Result<T, Diagnostics> {
        self.map_err(|error| of_gitlab(attempt, &error).into())
    }
}

impl<T> Attempted<T> for Result<T, config_repo::Error> {
    fn attempted(self, attempt: impl Into<String>) -> Result<T, Diagnostics> {
        self.map_err(|error| of_config_repository(&attempt.into(), &error, Names::default()))
    }
}

/// Returns the message of a failed call to GitLab.
pub(crate) fn of_gitlab(attempt: impl Into<String>, error: &gitlab::Error) -> Diagnostic {
    let detail = format!("{}.\n\n{}", causes(error), hint(error.kind()));
    Diagnostic::error(format!("Cannot {}", attempt.into()), detail.trim_end())
}

fn hint(kind: &Kind) -> &'static str {
    match kind {
        Kind::Unreachable => {
            "Check the provider argument gitlab.url, and that this machine reaches it, directly or through HTTPS_PROXY."
        }
        Kind::Untrusted => {
            "If the GitLab has a certificate of a private authority, name that authority in the provider argument gitlab.ca_file or gitlab.ca_pem."
        }
        Kind::Unauthorized => {
            "Check the provider argument gitlab.token (environment: NAUTES_GITLAB_TOKEN, GITLAB_TOKEN): the token is unknown, expired or revoked."
        }
        Kind::Forbidden { .. } => {
            "The provider argument gitlab.token needs the scope \"api\", and its owner the role Owner in the product's group (Maintainer is enough for what is inside it)."
        }
        Kind::NotFound => {
            "Check that it exists, and that the owner of the provider argument gitlab.token is a member: GitLab does not tell the two apart."
        }
        Kind::BeingDeleted => {
            "GitLab is still deleting what had this path before. Apply again in a few minutes."
        }
        Kind::Interrupted { .. } | Kind::Server { .. } | Kind::Locked | Kind::Limited { .. } => {
            "What was done so far is kept. Apply again to finish it."
        }
        Kind::ReferenceMoved | Kind::FileChanged => {
            "Something else keeps writing to the same repository. Apply again."
        }
        Kind::Redirected { .. } => {
            "Set the provider argument gitlab.url to the address that GitLab itself uses."
        }
        Kind::UnexpectedBody => {
            "Check that the provider argument gitlab.url is a GitLab and not a page before it."
        }
        Kind::Taken | Kind::AlreadyMarked | Kind::Invalid | Kind::Unsendable => "",
    }
}

/// What a refused change can be explained with, beside the repository itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Names<'a> {
    /// The name of the product whose repository it is.
    pub(crate) product: Option<&'a str>,
    /// The tenant's repository, which holds the clusters.
    pub(crate) clusters: Option<&'a ManifestTree>,
}

/// Returns the messages of work in a configuration repository that failed.
pub(crate) fn of_config_repository(
    attempt: &str,
    error: &config_repo::Error,
    names: Names<'_>,
) -> Diagnostics {
    match error {
        config_repo::Error::Refused { key, violations, trees } => {
            let situation = Situation {
                before: &trees.before,
                after: &trees.after,
                clusters: names.clusters,
                product_name: names.product,
            };
            let violations: BTreeSet<Violation> = violations.iter().cloned().collect();
            let explanations = explain(&violations, key, &situation);
            explanations.into_iter().map(|found| of_explanation(attempt, found)).collect()
        }
        config_repo::Error::Exists { key, differences } => Diagnostic::error(
            format!("Cannot {attempt}: it exists already"),
            format!(
                "The configuration repository holds the {key}, which differs in {}. If it is to be managed here, import it: terraform import <address> <product>/{}. Otherwise choose another name.",
                differences.join(", "),
                key.name
            ),
        )
        .at(&Path::to("name"))
        .into(),
        config_repo::Error::Changed { .. } => Diagnostic::error(
            format!("Cannot {attempt}: it was changed by somebody else"),
            "Its manifest was changed after it was read, and nothing was overwritten. Plan again to see the change.",
        )
        .into(),
        config_repo::Error::Contended { .. } => Diagnostic::error(
            format!("Cannot {attempt}: others keep writing to the same repository"),
            format!("{}, so this was given up. What was committed is kept. Look in the history of the configuration repository for who keeps committing, such as a job that rewrites production/kustomization.yaml on every push, then apply again.", capitalised(&causes(error))),
        )
        .into(),
        config_repo::Error::Tenant { source, .. } => of_tenant(attempt, error, source.kind()).into(),
        config_repo::Error::GitLab(source) => of_gitlab(attempt, source).into(),
        config_repo::Error::Interrupted => Diagnostic::error(
            format!("Cannot {attempt}: the change was interrupted"),
            "Whether it was committed is not known. Apply again to finish it.",
        )
        .into(),
    }
}

fn of_tenant(attempt: &str, error: &config_repo::Error, kind: &Kind) -> Diagnostic {
    let hint = match kind {
        Kind::NotFound => {
            "Check the provider argument tenant_repository.project (environment: NAUTES_TENANT_REPOSITORY_PROJECT): it is the full path of the project, of which the owner of the token must be a member."
        }
        other => hint(other),
    };
    let detail = format!("{}.\n\n{hint}", capitalised(&causes(error)));
    Diagnostic::error(format!("Cannot {attempt}"), detail.trim_end())
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}

fn of_explanation(attempt: &str, explanation: Explanation) -> Diagnostic {
    let Explanation {
        summary,
        detail,
        hint,
        field,
    } = explanation;
    let detail = match hint {
        Some(hint) => format!("{detail}\n\n{hint}"),
        None => detail,
    };
    let diagnostic = Diagnostic::error(format!("Cannot {attempt}: {summary}"), detail);
    match field {
        Some(field) => diagnostic.at(&terraform_path(field.steps())),
        None => diagnostic,
    }
}

fn terraform_path(steps: &[Step]) -> Path {
    steps.iter().fold(Path::root(), |path, step| match step {
        Step::Attribute(name) => path.attribute(*name),
        Step::Key(key) => path.key(key.clone()),
        Step::Index(index) => path.index(*index),
    })
}
