//! Bringing about what no request can: tokens of other kinds or in other states, images in a registry.

use serde::{Deserialize, Serialize};

use crate::domain::namespace::Namespace;
use crate::domain::table::Id;
use crate::domain::time::Day;
use crate::domain::token::{Scope, TokenDigest, TokenKind};
use crate::domain::token_change::NewToken;
use crate::instance::Instance;
use crate::random;

/// A token to be put there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedToken {
    /// The user name of whom it authenticates.
    pub username: String,
    /// What it is.
    #[serde(default = "personal")]
    pub kind: TokenKind,
    /// What it may be used for.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// The day at whose start it ends, which may be past.
    #[serde(default)]
    pub expires_at: Option<Day>,
    /// Whether it is revoked.
    #[serde(default)]
    pub is_revoked: bool,
}

const fn personal() -> TokenKind {
    TokenKind::Personal
}

/// Why nothing was put there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// There is no such user.
    #[error("there is no user {0}")]
    NoUser(String),
    /// There is no such group.
    #[error("there is no group {0}")]
    NoGroup(u64),
}

/// Puts a token there and gives its secret.
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
        let id = state.add_token(new, TokenDigest::of(&secret), now);
        if seed.is_revoked {
            state.revoke_token(id);
        }
        Ok(secret)
    })
}

/// Says whether the container registry of a group holds images.
pub(crate) fn registry_images(
    instance: &Instance,
    group: u64,
    are_there: bool,
) -> Result<(), SeedError> {
    instance.store.change(|state| {
        let id: Id<Namespace> = Id::new(group);
        let group = state
            .namespaces
            .get_mut(id)
            .ok_or(SeedError::NoGroup(group))?;
        group.has_registry_images = are_there;
        Ok(())
    })
}
