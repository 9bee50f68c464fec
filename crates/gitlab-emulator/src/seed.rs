//! Creates state that no request can produce: tokens of other kinds or in other states, registry
//! images.

use serde::{Deserialize, Serialize};

use crate::domain::key::KeyOwner;
use crate::domain::namespace::Namespace;
use crate::domain::table::Id;
use crate::domain::time::Day;
use crate::domain::token::{Scope, TokenDigest, TokenKind};
use crate::domain::token_change::NewToken;
use crate::instance::Instance;
use crate::random;

/// A token to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedToken {
    /// Name of the user that the token authenticates.
    pub username: String,
    /// Kind of the token.
    #[serde(default = "personal")]
    pub kind: TokenKind,
    /// Scopes.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// Expiry day, exclusive; may be in the past.
    #[serde(default)]
    pub expires_at: Option<Day>,
    /// Whether it is revoked.
    #[serde(default)]
    pub is_revoked: bool,
}

const fn personal() -> TokenKind {
    TokenKind::Personal
}

/// An error that kept state from being created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// No user has this name.
    #[error("user {0} does not exist")]
    NoUser(String),
    /// No deploy key has this ID.
    #[error("deploy key {0} does not exist")]
    NoDeployKey(u64),
    /// No group has this ID.
    #[error("group {0} does not exist")]
    NoGroup(u64),
}

/// Creates a token and returns its secret.
pub(crate) fn token(instance: &Instance, seed: SeedToken) -> Result<String, SeedError> {
    let prefix = match seed.kind {
        TokenKind::Job => "glcbt-",
        TokenKind::OAuth => "",
        TokenKind::Personal | TokenKind::Impersonation | TokenKind::Granular(_) => "glpat-",
    };
    let secret = random::token(prefix);
    let now = instance.now();
    instance.store.change(|state| {
        let user = state
            .users
            .find(|user| user.username == seed.username)
            .map(|user| user.id)
            .ok_or(SeedError::NoUser(seed.username))?;
        let new = NewToken {
            user,
            name: "seeded".to_owned(),
            description: None,
            kind: seed.kind,
            scopes: seed.scopes,
            expires_at: seed.expires_at,
            previous: None,
        };
        let id = state.add_token(new, TokenDigest::new(&secret), now);
        if seed.is_revoked {
            state.revoke_token(id);
        }
        Ok(secret)
    })
}

/// A credential with which a deploy key may use git over HTTP, in place of SSH.
#[derive(Clone, Serialize)]
pub struct DeployKeyCredential {
    /// User name.
    pub username: String,
    /// Password, valid until the emulator stops.
    pub password: String,
}

impl std::fmt::Debug for DeployKeyCredential {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password is secret.
        formatter
            .debug_struct("DeployKeyCredential")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Returns a credential for a deploy key.
pub(crate) fn deploy_key_credential(
    instance: &Instance,
    key: u64,
) -> Result<DeployKeyCredential, SeedError> {
    let id = Id::new(key);
    let state = instance.store.read();
    state
        .keys
        .get(id)
        .filter(|key| matches!(key.owner, KeyOwner::Deploy { .. }))
        .ok_or(SeedError::NoDeployKey(key))?;
    Ok(DeployKeyCredential {
        username: format!("key-{id}"),
        password: instance.deploy_key_password(id),
    })
}

/// Sets whether the container registry of a group holds images.
pub(crate) fn registry_images(
    instance: &Instance,
    group: u64,
    has_images: bool,
) -> Result<(), SeedError> {
    instance.store.change(|state| {
        let id: Id<Namespace> = Id::new(group);
        let group = state
            .namespaces
            .get_mut(id)
            .ok_or(SeedError::NoGroup(group))?;
        group.has_registry_images = has_images;
        Ok(())
    })
}
