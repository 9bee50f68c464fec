//! The one place where an error becomes a message to the user: what was attempted, why it failed,
//! and what to do next. Nothing here contacts a server.

mod credentials;
mod gitlab;
mod kubernetes;
mod transport;
mod vault;

use std::collections::BTreeSet;

use nautes_model::validation::explain::{ChangeContext, Explanation, explain};
use nautes_model::validation::{Step, Violation};
use nautes_model::{EntityKey, Kind};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics, SharedCause};
use terraform_plugin::value::Path;

use self::gitlab::hint;
pub(crate) use self::kubernetes::{is_silent, is_unreachable, needs_kubeconfig};
use crate::backends::gitlab::{Error as GitLabError, Kind as GitLabErrorKind};
use crate::config_repo::{self, Snapshot};
use crate::error_chain::{capitalized, error_chain};

/// An error that can be explained to the user.
pub(crate) trait Explain {
    /// Returns the messages; `attempt` completes the sentence "cannot …".
    fn explain(&self, attempt: &str) -> Diagnostics;
}

/// Adds what was attempted to an error, which makes it a message to the user.
pub(crate) trait Context<T> {
    /// `attempt` completes the sentence "cannot …".
    fn context(self, attempt: impl AsRef<str>) -> Result<T, Diagnostics>;

    /// The same, for an attempt that is put into words only when it fails.
    fn with_context<A: AsRef<str>>(self, attempt: impl FnOnce() -> A) -> Result<T, Diagnostics>;
}

impl<T, E: Explain> Context<T> for Result<T, E> {
    fn context(self, attempt: impl AsRef<str>) -> Result<T, Diagnostics> {
        self.map_err(|error| error.explain(attempt.as_ref()))
    }

    fn with_context<A: AsRef<str>>(self, attempt: impl FnOnce() -> A) -> Result<T, Diagnostics> {
        self.map_err(|error| error.explain(attempt().as_ref()))
    }
}

impl Explain for GitLabError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        gitlab_error(attempt, self).into()
    }
}

impl Explain for config_repo::Error {
    fn explain(&self, attempt: &str) -> Diagnostics {
        config_repo_error(attempt, self, None)
    }
}

/// Returns the message of a failed call to GitLab.
pub(crate) fn gitlab_error(attempt: impl AsRef<str>, error: &GitLabError) -> Diagnostic {
    let detail = format!("{}.\n\n{}", error_chain(error), hint(error));
    let diagnostic = Diagnostic::error(format!("Cannot {}", attempt.as_ref()), detail.trim_end());
    with_cause(diagnostic, gitlab::shared_cause(error))
}

/// Returns the message of a hook that GitLab does not take, which is mostly because of its address.
pub(crate) fn hook_error(attempt: &str, url: &str, error: &GitLabError) -> Diagnostics {
    let diagnostic = gitlab_error(attempt, error);
    if *error.kind() != GitLabErrorKind::Invalid {
        return diagnostic.into();
    }
    let detail = format!(
        "{}\n\nGitLab refuses addresses in private networks: {url}. Its administrator allows them with the setting allow_local_requests_from_web_hooks_and_services, or by adding the host to the outbound allow list (outbound_local_requests_whitelist).",
        diagnostic.detail
    );
    Diagnostic::error(diagnostic.summary, detail).into()
}

/// Names the cause of an error that other operations of the run have too.
fn with_cause(diagnostic: Diagnostic, cause: Option<SharedCause>) -> Diagnostic {
    match cause {
        Some(cause) => diagnostic.with_shared_cause(cause),
        None => diagnostic,
    }
}

/// Returns the messages of a failure in a configuration repository. `product_name` is the name of
/// the product whose repository it is, if it is known.
pub(crate) fn config_repo_error(
    attempt: &str,
    error: &config_repo::Error,
    product_name: Option<&str>,
) -> Diagnostics {
    match error {
        config_repo::Error::Refused { key, violations, trees } => {
            let situation = ChangeContext {
                before: &trees.before,
                after: &trees.after,
                clusters: trees.clusters.as_deref().map(Snapshot::tree),
                product_name,
            };
            let violations: BTreeSet<Violation> = violations.iter().cloned().collect();
            let explanations = explain(&violations, key, &situation);
            explanations.into_iter().map(|found| explanation(attempt, found)).collect()
        }
        config_repo::Error::Exists { key, differences } => Diagnostic::error(
            format!("Cannot {attempt}: it exists already"),
            format!(
                "The configuration repository holds the {key}, which differs in {}. If this creation replaces it (create_before_destroy), it needs another name, since the old one is destroyed only afterwards. To manage it here, import it: terraform import {}.<address> {}. Otherwise choose another name.",
                differences.join(", "),
                key.kind.terraform_type(),
                import_id(key, product_name)
            ),
        )
        .at(&Path::to("name"))
        .into(),
        config_repo::Error::CreatedTwice { key } => Diagnostic::error(
            format!("Cannot {attempt}: another resource has created it"),
            format!("Another resource of this configuration is the {key} too. Two cannot share a manifest; give one of them another name, or remove it."),
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
            format!("{}, so this was given up. What was committed is kept. Look in the history of the configuration repository for who keeps committing, such as a job that rewrites a kustomization on every push, then apply again.", capitalized(&error_chain(error))),
        )
        .into(),
        config_repo::Error::Tenant { source, .. } => tenant_error(attempt, error, source).into(),
        config_repo::Error::GitLab(source) => gitlab_error(attempt, source).into(),
        config_repo::Error::Interrupted => Diagnostic::error(
            format!("Cannot {attempt}: the change was interrupted"),
            "Whether it was committed is not known. Apply again to finish it.",
        )
        .into(),
    }
}

fn tenant_error(attempt: &str, error: &config_repo::Error, source: &GitLabError) -> Diagnostic {
    let hint = if source.is_not_found() {
        "Check the provider argument tenant_repository.project (environment: NAUTES_TENANT_REPOSITORY_PROJECT): it is the full path of the project, and the owner of the token must be a member of it.".to_owned()
    } else {
        hint(source)
    };
    let detail = format!("{}.\n\n{hint}", capitalized(&error_chain(error)));
    let diagnostic = Diagnostic::error(format!("Cannot {attempt}"), detail.trim_end());
    with_cause(diagnostic, gitlab::shared_cause(source))
}

/// Returns what an entity is imported by.
fn import_id(key: &EntityKey, product_name: Option<&str>) -> String {
    match key.kind {
        Kind::Cluster | Kind::Product | Kind::CodeRepo => key.name.to_string(),
        _ => format!("{}/{}", product_name.unwrap_or("<product>"), key.name),
    }
}

fn explanation(attempt: &str, explanation: Explanation) -> Diagnostic {
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

#[cfg(test)]
mod tests {
    use nautes_model::EntityName;

    use super::*;

    #[test]
    fn an_existing_entity_is_imported_by_the_id_of_its_kind() {
        let detail = |kind: Kind, name: &str| {
            let key = EntityKey::new(kind, EntityName::new(name).unwrap());
            let differences = vec!["env_type".into()];
            let exists = config_repo::Error::Exists { key, differences };
            let found = config_repo_error("create it", &exists, Some("shop"));
            found.into_iter().next().unwrap().detail
        };
        for (kind, name, expected) in [
            (
                Kind::Environment,
                "dev",
                "terraform import nautes_environment.<address> shop/dev.",
            ),
            (
                Kind::Cluster,
                "deploy-01",
                "terraform import nautes_cluster.<address> deploy-01.",
            ),
            (
                Kind::CodeRepo,
                "repo-7",
                "terraform import nautes_code_repo.<address> repo-7.",
            ),
        ] {
            let detail = detail(kind, name);
            assert!(detail.contains(expected), "{detail}");
        }
    }
}
