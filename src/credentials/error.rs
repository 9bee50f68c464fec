//! Why the credentials of a repository are not as they are to be.

use std::sync::Arc;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;

use super::distribution::LinkFailure;
use super::key_pair::KeyPairError;
use crate::backends::gitlab;
use crate::backends::vault;
use crate::config_repo;

/// Why the credentials of a repository are not as they are to be.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// GitLab failed.
    #[error("could not {attempt}")]
    GitLab {
        /// What was attempted: `add the deploy key repo-7-readonly to repo-7`.
        attempt: String,
        /// Why it failed.
        #[source]
        source: Arc<gitlab::Error>,
    },
    /// Vault failed.
    #[error("could not {attempt}")]
    Vault {
        /// What was attempted: `write the secret git/gitlab/repo-7/default/readonly`.
        attempt: String,
        /// Why it failed.
        #[source]
        source: vault::Error,
    },
    /// The configuration repository, which says who may use what, cannot be read.
    #[error("could not read who may use which repository")]
    Configuration(#[source] config_repo::Error),
    /// No key could be made.
    #[error("could not make a key pair for {key}")]
    KeyPair {
        /// The key.
        key: DeployKey,
        /// Why.
        #[source]
        source: KeyPairError,
    },
    /// Other processes wrote the same secret or role each time.
    #[error("other processes keep writing {path}")]
    Contended {
        /// Its place, with its mount.
        path: String,
    },
    /// The tenant has no role to which secrets can be opened.
    #[error("there is no role {role} in Vault")]
    NoRole {
        /// The role: `auth/nautes/role/ARGO`.
        role: String,
    },
    /// GitLab created a token and did not show it.
    #[error("GitLab did not show the access token that it made for {repository}")]
    TokenNotShown {
        /// The repository.
        repository: RepositoryId,
    },
    /// Some keys are not enabled where they should be, or still where they should not.
    #[error("not all deploy keys could be distributed")]
    Links {
        /// What could not be done; at least one.
        failures: Vec<LinkFailure>,
    },
    /// The distribution of keys ended half-way; what became of it is not known.
    #[error("the distribution of deploy keys was interrupted")]
    Interrupted,
}

/// Says what was attempted when a back end fails.
pub(super) trait Trying<T> {
    fn trying_to(self, attempt: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Trying<T> for Result<T, gitlab::Error> {
    fn trying_to(self, attempt: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::GitLab {
            attempt: attempt(),
            source: Arc::new(source),
        })
    }
}

impl<T> Trying<T> for Result<T, vault::Error> {
    fn trying_to(self, attempt: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::Vault {
            attempt: attempt(),
            source,
        })
    }
}
