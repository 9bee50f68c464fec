//! Errors of credentials.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::{Explain, gitlab, gitlab_error, hint, vault, with_cause};
use crate::credentials::{Error, LinkError, LinkFailure};
use crate::error_chain::{capitalized, error_chain};

impl Explain for Error {
    fn explain(&self, attempt: &str) -> Diagnostics {
        let next_step = match self {
        Error::Links { failures } => {
            return failures
                .iter()
                .map(link_failure)
                .collect();
        }
        Error::Configuration(error) => {
            return error.explain(attempt);
        }
        Error::GitLab { source, .. } => hint(source),
        Error::Vault { source, .. } => vault::hint(source.kind()),
        Error::NoRole { .. } => "The set-up of a tenant makes the role. Check the provider arguments tenant and vault.auth_mount.".to_owned(),
        Error::TokenNotShown { .. } => "Apply again: the token is replaced by another one.".to_owned(),
        Error::Contended { .. } => "Apply again when nothing else works on the same repository.".to_owned(),
        Error::Interrupted => "What was done so far is kept. Apply again to finish it.".to_owned(),
        Error::SecretOfAnother { .. } => "Nothing was written or deleted. Probably two GitLabs use one Vault: give this one a namespace of its own in the provider argument vault.namespace.".to_owned(),
        Error::SecretUnproven { .. } => "Nothing was written or deleted. It was written by hand, or for another GitLab. If nothing needs it, delete it (vault kv metadata delete), then apply again.".to_owned(),
        Error::SecretGone { .. } => "Nothing was changed. Check the provider arguments vault.address and vault.namespace. If they are right, the secret was deleted after the plan: plan again, and the plan shows what is made anew.".to_owned(),
        Error::KeyPair { .. } => String::new(),
    };
        let detail = format!("{}.\n\n{next_step}", error_chain(self));
        let cause = match self {
            Error::GitLab { source, .. } => gitlab::shared_cause(source),
            Error::Vault { source, .. } => vault::shared_cause(source),
            _ => None,
        };
        let diagnostic = Diagnostic::error(format!("Cannot {attempt}"), detail.trim_end());
        with_cause(diagnostic, cause).into()
    }
}

fn link_failure(failure: &LinkFailure) -> Diagnostic {
    match &failure.source {
        LinkError::GitLab(error) => gitlab_error(&failure.attempt, error),
        replaced @ LinkError::Replaced { .. } => Diagnostic::error(
            format!("Cannot {}", failure.attempt),
            format!(
                "{}. It was not enabled. Plan again: the next apply enables the new one.",
                capitalized(&error_chain(replaced))
            ),
        ),
        unreadable @ LinkError::Unreadable { .. } => Diagnostic::error(
            format!("Cannot {}", failure.attempt),
            format!(
                "{}, so no key lost access. Correct the file, or delete it if nothing needs it, and apply again.",
                capitalized(&error_chain(unreadable))
            ),
        ),
        outside @ LinkError::OutsideProduct { repository, .. } => Diagnostic::error(
            format!("Cannot {}", failure.attempt),
            format!(
                "{}, so its keys were left as they are. A manifest in the configuration repository of the product names it. Move the project into the group in GitLab, or remove the manifest code-repos/{repository}/{repository}.yaml.",
                capitalized(&error_chain(outside))
            ),
        ),
    }
}
