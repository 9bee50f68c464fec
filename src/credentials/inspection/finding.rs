//! What is not as it should be, in words.

use std::fmt;

use nautes_model::deploy_key::DeployKey;
use nautes_model::vault::SecretPath;

use crate::credentials::distribution::may_push;

/// Something about a repository's credentials that is not as it should be. Its text is for the
/// attribute `drift`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// A key of the repository's own is not in GitLab.
    KeyMissing(DeployKey),
    /// There are several keys with the title of one of its own.
    KeyRepeated(DeployKey),
    /// An enabled key may push although it should not, or the other way round.
    WrongRights(DeployKey),
    /// The key of another repository is enabled, and nothing allows that.
    NotAuthorised(DeployKey),
    /// The key of another repository is not enabled, although the repository is open to that one.
    NotEnabled(DeployKey),
    /// A secret is not in Vault.
    SecretMissing(SecretPath),
    /// The policy that opens a secret is not in Vault.
    PolicyMissing(SecretPath),
    /// There is no access token that works.
    TokenMissing,
    /// There are several access tokens of our name.
    TokenRepeated,
    /// There is an access token, or its secret, and none is wanted.
    TokenNotWanted,
    /// A role does not give a policy to its tokens.
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
            Self::WrongRights(key) if may_push(*key) => {
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
            Self::SecretMissing(path) => write!(formatter, "the secret {path} is missing in Vault"),
            Self::PolicyMissing(path) => write!(
                formatter,
                "the policy {} is missing in Vault",
                path.policy_name()
            ),
            Self::TokenMissing => write!(formatter, "the access token is missing in GitLab"),
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
