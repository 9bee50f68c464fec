//! What an inspection finds.

use std::fmt;

use nautes_model::deploy_key::DeployKey;
use nautes_model::vault::SecretPath;

/// A difference between a repository's credentials and their expected state. Its text appears in the
/// attribute `drift`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// One of its own keys is not in GitLab.
    KeyMissing(DeployKey),
    /// Several keys have the title of one of its own.
    KeyRepeated(DeployKey),
    /// One of its own keys was replaced by another one with the same title.
    KeyReplaced(DeployKey),
    /// An enabled key may push and should not, or the other way round.
    WrongRights(DeployKey),
    /// The key of another repository is enabled without an authorisation.
    NotAuthorised(DeployKey),
    /// The key of an authorised repository is not enabled.
    NotEnabled(DeployKey),
    /// Several enabled keys have the title of one key of another repository.
    EnabledTwice(DeployKey),
    /// A secret is not in Vault.
    SecretMissing(SecretPath),
    /// The latest version of a secret is deleted or destroyed.
    SecretDeleted(SecretPath),
    /// A secret belongs to another owner.
    SecretOfAnother(SecretPath),
    /// A secret lacks values.
    SecretUnusable(SecretPath),
    /// The policy for a secret is not in Vault.
    PolicyMissing(SecretPath),
    /// There is no active access token.
    TokenMissing,
    /// The access token in Vault is not an active one.
    TokenReplaced,
    /// There are several active access tokens of our name.
    TokenRepeated,
    /// There is an access token, or a secret for one, and none is wanted.
    TokenNotWanted,
    /// A role lacks a policy.
    NotGranted {
        /// The policy's name.
        policy: String,
        /// The role: `auth/nautes/role/ARGO`.
        role: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyMissing(key) => write!(formatter, "the deploy key {key} is missing in GitLab"),
            Self::KeyRepeated(key) => {
                write!(
                    formatter,
                    "there is more than one deploy key {key} in GitLab"
                )
            }
            Self::KeyReplaced(key) => write!(
                formatter,
                "the deploy key {key} was replaced by another one in GitLab"
            ),
            Self::WrongRights(key) if key.may_push() => {
                write!(formatter, "the deploy key {key} may not push, but should")
            }
            Self::WrongRights(key) => {
                write!(formatter, "the deploy key {key} may push, but should not")
            }
            Self::NotAuthorised(key) => write!(
                formatter,
                "the deploy key {key} is enabled on this repository without an authorisation"
            ),
            Self::NotEnabled(key) => write!(
                formatter,
                "the deploy key {key} is not enabled on this repository, to which {} is authorised",
                key.owner
            ),
            Self::EnabledTwice(key) => write!(
                formatter,
                "the deploy key {key} is enabled on this repository more than once"
            ),
            Self::SecretMissing(path) => write!(formatter, "the secret {path} is missing in Vault"),
            Self::SecretDeleted(path) => {
                write!(formatter, "the secret {path} was deleted in Vault")
            }
            Self::SecretOfAnother(path) => {
                write!(formatter, "the secret {path} belongs to another project")
            }
            Self::SecretUnusable(path) => {
                write!(formatter, "the secret {path} lacks values")
            }
            Self::PolicyMissing(path) => write!(
                formatter,
                "the policy {} is missing in Vault",
                path.policy_name()
            ),
            Self::TokenMissing => write!(formatter, "the access token is missing in GitLab"),
            Self::TokenReplaced => write!(
                formatter,
                "the access token in Vault is no active one of GitLab"
            ),
            Self::TokenRepeated => {
                write!(formatter, "there is more than one access token in GitLab")
            }
            Self::TokenNotWanted => {
                write!(formatter, "there is an access token that is not wanted")
            }
            Self::NotGranted { policy, role } => {
                write!(
                    formatter,
                    "the policy {policy} is not among those of {role} in Vault"
                )
            }
        }
    }
}
