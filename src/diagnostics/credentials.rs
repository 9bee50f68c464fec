//! Credentials that are not as they are to be.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::{Attempted, Names, causes, hint, of_config_repository, of_gitlab, vault};
use crate::credentials::Error;

impl<T> Attempted<T> for Result<T, Error> {
    fn attempted(self, attempt: impl Into<String>) -> Result<T, Diagnostics> {
        self.map_err(|error| of_credentials(&attempt.into(), &error))
    }
}

fn of_credentials(attempt: &str, error: &Error) -> Diagnostics {
    let next_step = match error {
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
        Error::NoRole { .. } => "The set-up of a tenant makes the role. Check the provider arguments tenant and vault.auth_mount.".to_owned(),
        Error::TokenNotShown { .. } => "Apply again: the token is replaced by another one.".to_owned(),
        Error::Contended { .. } => "Apply again when nothing else works on the same repository.".to_owned(),
        Error::Interrupted => "What was done so far is kept. Apply again to finish it.".to_owned(),
        Error::KeyPair { .. } => String::new(),
    };
    let detail = format!("{}.\n\n{next_step}", causes(error));
    Diagnostic::error(format!("Cannot {attempt}"), detail.trim_end()).into()
}
