//! Access tokens of projects and groups: bots with memberships (GitLab
//! `app/services/resource_access_tokens/`, `lib/api/resource_access_tokens.rb`).

use super::access::Viewer;
use super::level::AccessLevel;
use super::member::Member;
use super::state::State;
use super::table::Id;
use super::time::{Day, Moment};
use super::token::{AccessToken, Scope, TokenDigest, TokenKind};
use super::token_change::NewToken;
use super::user::{Resource, User, UserState};

/// Maximum lifetime of a token in days, if tokens must expire.
const MAX_LIFETIME_DAYS: i64 = 365;
/// Lifetime of a rotated token without an expiry date, in days.
const ROTATED_LIFETIME_DAYS: i64 = 7;

/// A token to create for a project or group.
#[derive(Clone, Debug)]
pub struct NewResourceToken {
    /// Display name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Scopes.
    pub scopes: Vec<Scope>,
    /// Level of the bot.
    pub level: AccessLevel,
    /// Expiry day, exclusive.
    pub expires_at: Option<Day>,
}

/// Checks the level of a new token against its creator's.
pub fn check_level(
    resource: Resource,
    creator: Option<AccessLevel>,
    wanted: AccessLevel,
) -> Result<(), &'static str> {
    let creator = creator.unwrap_or(AccessLevel::None);
    if wanted <= creator {
        return Ok(());
    }
    match resource {
        Resource::Project(_) if wanted == AccessLevel::Owner => {
            Err("Could not provision owner access to project access token")
        }
        Resource::Project(_) | Resource::Group(_) => Err(
            "Access level of the token can't be greater the access level of the user who created the token",
        ),
    }
}

impl State {
    /// Returns whether a caller may see and revoke the tokens of a project or group.
    pub fn can_revoke_tokens(&self, viewer: Viewer, resource: Resource) -> bool {
        let lowest = match resource {
            Resource::Project(_) => AccessLevel::Maintainer,
            Resource::Group(_) => AccessLevel::Owner,
        };
        self.viewer_level(viewer, resource)
            .is_some_and(|level| level >= lowest)
    }

    /// Returns whether a caller may create and rotate the tokens of a project or group. Bots may not.
    pub fn can_manage_tokens(&self, viewer: Viewer, resource: Resource) -> bool {
        let is_bot = viewer
            .user
            .and_then(|user| self.users.get(user))
            .is_some_and(User::is_bot);
        !is_bot && self.can_revoke_tokens(viewer, resource)
    }

    /// Returns the tokens of a project or group.
    pub fn resource_tokens(&self, resource: Resource) -> impl Iterator<Item = &AccessToken> {
        self.tokens.iter().filter(move |token| {
            self.users
                .get(token.user)
                .is_some_and(|user| user.bot_of == Some(resource))
        })
    }

    /// Creates a bot and its token. `suffix` makes the bot's name unique. The error is GitLab's
    /// text.
    pub fn create_resource_token(
        &mut self,
        viewer: Viewer,
        resource: Resource,
        new: NewResourceToken,
        digest: TokenDigest,
        suffix: &str,
    ) -> Result<Id<AccessToken>, String> {
        let kind = resource.kind();
        if !self.can_manage_tokens(viewer, resource) {
            return Err(format!(
                "User does not have permission to create {kind} access token"
            ));
        }
        check_level(resource, self.viewer_level(viewer, resource), new.level)?;
        let now = viewer.now;
        let expires_at = match new.expires_at {
            Some(day) => Some(day),
            None if self.settings.get().require_personal_access_token_expiry => {
                Some(now.day().plus_days(MAX_LIFETIME_DAYS))
            }
            None => None,
        };
        self.check_expiry(expires_at, now)?;
        let username = format!("{kind}_{}_bot_{suffix}", resource.number());
        let user = self.users.add(|id| User {
            id,
            email: format!("{username}@noreply.localhost"),
            username,
            name: new.name.clone(),
            state: UserState::Active,
            is_admin: false,
            bot_of: Some(resource),
            can_create_group: false,
            projects_limit: 0,
            namespace: None,
            created_at: now,
        });
        self.members.add(|id| Member {
            id,
            resource,
            user,
            level: new.level,
            expires_at: None,
            created_by: viewer.user,
            created_at: now,
        });
        let token = NewToken {
            user,
            name: new.name,
            description: new.description,
            kind: TokenKind::Personal,
            scopes: new.scopes,
            expires_at,
            previous: None,
        };
        Ok(self.add_token(token, digest, now))
    }

    /// Checks the expiry date of a new token. The error is GitLab's text.
    pub fn check_expiry(&self, expires_at: Option<Day>, now: Moment) -> Result<(), String> {
        if !self.settings.get().require_personal_access_token_expiry {
            return Ok(());
        }
        let latest = now.day().plus_days(MAX_LIFETIME_DAYS);
        match expires_at {
            None => Err("Expires at can't be blank".to_owned()),
            Some(day) if day > latest => {
                let text = &self.switches.get().texts.late_expiry;
                Err(text.replace("{day}", &latest.plus_days(1).to_string()))
            }
            Some(_) => Ok(()),
        }
    }

    /// Replaces a token by a new one with the same scopes. If the token was revoked, revokes its
    /// whole family. The error is GitLab's text.
    pub fn rotate_token(
        &mut self,
        id: Id<AccessToken>,
        expires_at: Option<Day>,
        digest: TokenDigest,
        now: Moment,
    ) -> Result<Id<AccessToken>, String> {
        let Some(old) = self.tokens.get(id).cloned() else {
            return Err("token is missing".to_owned());
        };
        if old.is_revoked {
            self.revoke_family(id);
            return Err(self.switches.get().texts.already_revoked.clone());
        }
        let expires_at = match expires_at {
            Some(day) => Some(day),
            None if self.settings.get().require_personal_access_token_expiry => {
                Some(now.day().plus_days(ROTATED_LIFETIME_DAYS))
            }
            None => None,
        };
        self.check_expiry(expires_at, now)?;
        self.revoke_token(id);
        let new = NewToken {
            user: old.user,
            name: old.name,
            description: old.description,
            kind: old.kind,
            scopes: old.scopes,
            expires_at,
            previous: Some(id),
        };
        Ok(self.add_token(new, digest, now))
    }

    /// Revokes all tokens connected to this one by rotations.
    fn revoke_family(&mut self, id: Id<AccessToken>) {
        let ancestor = |mut token: Id<AccessToken>| {
            while let Some(previous) = self.tokens.get(token).and_then(|row| row.previous) {
                token = previous;
            }
            token
        };
        let root = ancestor(id);
        let family: Vec<_> = self
            .tokens
            .iter()
            .map(|token| token.id)
            .filter(|token| ancestor(*token) == root)
            .collect();
        for token in family {
            self.revoke_token(token);
        }
    }
}
