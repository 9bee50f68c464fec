//! The one place where an error becomes a message to the user: what was attempted, why it failed, what to do next.

mod vault;

use std::collections::BTreeSet;
use std::error::Error;

use nautes_model::tree::ManifestTree;
use nautes_model::validation::explain::{Explanation, Situation, explain};
use nautes_model::validation::{Step, Violation};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use crate::backends::gitlab::{self, Kind};
use crate::config_repo;
use crate::credentials;

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

impl<T> Attempted<T> for Result<T, credentials::Error> {
    fn attempted(self, attempt: impl Into<String>) -> Result<T, Diagnostics> {
        self.map_err(|error| of_credentials(&attempt.into(), &error))
    }
}

/// Returns an error with everything that caused it, as one sentence without a full stop.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text.trim_end_matches('.').to_owned()
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
        config_repo::Error::Contended(source) | config_repo::Error::GitLab(source) => {
            of_gitlab(attempt, source).into()
        }
        config_repo::Error::Interrupted => Diagnostic::error(
            format!("Cannot {attempt}: the change was interrupted"),
            "Whether it was committed is not known. Apply again to finish it.",
        )
        .into(),
    }
}

fn of_credentials(attempt: &str, error: &credentials::Error) -> Diagnostics {
    use credentials::Error;
    let hint = match error {
        Error::Links { failures } => {
            return failures
                .iter()
                .map(|failure| of_gitlab(failure.attempt.as_str(), &failure.source))
                .collect();
        }
        Error::Configuration(error) => {
            return of_config_repository(attempt, error, Names::default());
        }
        Error::GitLab { source, .. } => hint(source.kind()).to_owned(),
        Error::Vault { source, .. } => vault::hint(source.kind()),
        Error::NoRole { .. } => "The role belongs to the tenant, whose set-up by Nautes makes it. Check the provider arguments tenant and vault.auth_mount.".to_owned(),
        Error::TokenNotShown { .. } => "Apply again: the token is replaced by another one.".to_owned(),
        Error::Contended { .. } => "Apply again when nothing else works on the same repository.".to_owned(),
        Error::Interrupted => "What was done so far is kept. Apply again to finish it.".to_owned(),
        Error::KeyPair { .. } => String::new(),
    };
    let detail = format!("{}.\n\n{hint}", causes(error));
    Diagnostic::error(format!("Cannot {attempt}"), detail.trim_end()).into()
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
