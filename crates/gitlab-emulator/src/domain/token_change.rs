//! Creating, finding and revoking access tokens.

use super::state::State;
use super::table::Id;
use super::time::{Day, Moment};
use super::token::{AccessToken, Scope, TokenDigest, TokenKind};
use super::user::User;

/// A token to create.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The user that it authenticates.
    pub user: Id<User>,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Kind.
    pub kind: TokenKind,
    /// Scopes.
    pub scopes: Vec<Scope>,
    /// Expiry day, exclusive.
    pub expires_at: Option<Day>,
    /// The token that it replaces by rotation.
    pub previous: Option<Id<AccessToken>>,
}

impl State {
    /// Finds a token by its digest.
    pub fn token_by_digest(&self, digest: &TokenDigest) -> Option<&AccessToken> {
        self.token_digests
            .get(digest)
            .and_then(|id| self.tokens.get(*id))
    }

    /// Adds a token.
    pub fn add_token(
        &mut self,
        new: NewToken,
        digest: TokenDigest,
        now: Moment,
    ) -> Id<AccessToken> {
        let id = self.tokens.add(|id| AccessToken {
            id,
            user: new.user,
            name: new.name,
            description: new.description,
            kind: new.kind,
            scopes: new.scopes,
            digest: digest.clone(),
            created_at: now,
            expires_at: new.expires_at,
            is_revoked: false,
            last_used_at: None,
            previous: new.previous,
        });
        self.token_digests.insert(digest, id);
        id
    }

    /// Revokes a token.
    pub fn revoke_token(&mut self, id: Id<AccessToken>) {
        if let Some(token) = self.tokens.get_mut(id) {
            token.is_revoked = true;
        }
    }

    /// Rebuilds the index of digests after a start.
    pub fn rebuild_token_digests(&mut self) {
        self.token_digests = self
            .tokens
            .iter()
            .map(|token| (token.digest.clone(), token.id))
            .collect();
    }
}
