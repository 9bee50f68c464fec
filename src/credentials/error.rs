//! Errors of work on the credentials of a repository.

use std::sync::Arc;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;

use super::distribution::LinkFailure;
use super::key_pair::KeyPairError;
use crate::backends::gitlab;
use crate::backends::vault;
use crate::config_repo;

/// An error of work on the credentials of a repository.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// GitLab failed.
    #[error("could not {attempt}")]
    GitLab {
        /// What was attempted: `add the deploy key repo-7-readonly to repo-7`.
        attempt: String,
        /// The cause.
        #[source]
        source: Arc<gitlab::Error>,
    },
    /// Vault failed.
    #[error("could not {attempt}")]
    Vault {
        /// What was attempted: `write the secret git/gitlab/repo-7/default/readonly`.
        attempt: String,
        /// The cause.
        #[source]
        source: vault::Error,
    },
    /// The configuration repository cannot be read, whose manifests authorise repositories.
    #[error("could not read the authorisations in the configuration repository")]
    Configuration(#[source] config_repo::Error),
    /// A key pair could not be generated or read.
    #[error("could not create a key pair for {key}")]
    KeyPair {
        /// The key.
        key: DeployKey,
        /// The cause.
        #[source]
        source: KeyPairError,
    },
    /// A secret at the path of a repository is that of another one, on another GitLab.
    #[error("the secret {path} belongs to another project, {owner}")]
    SecretOfAnother {
        /// Its path, with its mount.
        path: String,
        /// Its owner: the number of the project and when that was created.
        owner: String,
    },
    /// A secret at the path of a repository names no owner, and holds no key or token of its project.
    #[error("nothing proves that the secret {path} belongs to the repository")]
    SecretUnproven {
        /// Its path, with its mount.
        path: String,
    },
    /// Vault does not have the secret of a key or token that is to be kept.
    #[error("Vault has no secret {path}, whose key or token is to be kept")]
    SecretGone {
        /// Its path, with its mount.
        path: String,
    },
    /// Each attempt to write a secret or role lost a race against another process.
    #[error("other processes keep writing {path}")]
    Contended {
        /// Its path, with its mount.
        path: String,
    },
    /// The tenant has no role that secrets can be granted to.
    #[error("there is no role {role} in Vault")]
    NoRole {
        /// The role: `auth/nautes/role/ARGO`.
        role: String,
    },
    /// GitLab created an access token and did not return its text.
    #[error("GitLab created an access token for {repository} and did not return its text")]
    TokenNotShown {
        /// The repository.
        repository: RepositoryId,
    },
    /// Some deploy keys could not be enabled or removed.
    #[error("not all deploy keys could be distributed")]
    Links {
        /// What failed; at least one.
        failures: Vec<LinkFailure>,
    },
    /// The distribution ended early, with an unknown result.
    #[error("the distribution of deploy keys was interrupted")]
    Interrupted,
}

/// Adds what was attempted to an error of a back end.
pub(super) trait Context<T> {
    /// Turns the error into an [`Error`]; `attempt` completes the sentence "could not …".
    fn with_context(self, attempt: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Context<T> for Result<T, gitlab::Error> {
    fn with_context(self, attempt: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::GitLab {
            attempt: attempt(),
            source: Arc::new(source),
        })
    }
}

impl<T> Context<T> for Result<T, vault::Error> {
    fn with_context(self, attempt: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::Vault {
            attempt: attempt(),
            source,
        })
    }
}
