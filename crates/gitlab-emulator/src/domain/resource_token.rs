//! Access tokens of projects and groups: bots with memberships
//! (GitLab `app/services/resource_access_tokens/`, `lib/api/resource_access_tokens.rb`).

use super::access::Viewer;
use super::level::AccessLevel;
use super::member::Member;
use super::state::State;
use super::table::Id;
use super::time::{Day, Moment};
use super::token::{AccessToken, Scope, TokenDigest, TokenKind};
use super::token_change::NewToken;
use super::user::{Resource, User, UserState};

/// The longest life of a token, in days, where tokens must end.
const LONGEST_DAYS: i64 = 365;
/// The life of a token that was rotated without a date.
const ROTATED_DAYS: i64 = 7;

/// A token to be made for a project or group.
#[derive(Clone, Debug)]
pub struct NewResourceToken {
    /// What it is called.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// What its bot may do.
    pub level: AccessLevel,
    /// The day at whose start it ends.
    pub expires_at: Option<Day>,
}

/// Checks the level of a new token against its maker's.
pub fn check_level(
    of: Resource,
    maker: Option<AccessLevel>,
    wanted: AccessLevel,
) -> Result<(), &'static str> {
    let maker = maker.unwrap_or(AccessLevel::None);
    if wanted <= maker {
        return Ok(());
    }
    match of {
        Resource::Project(_) if wanted == AccessLevel::Owner => {
            Err("Could not provision owner access to project access token")
        }
        Resource::Project(_) | Resource::Group(_) => Err(
            "Access level of the token can't be greater the access level of the user who created the token",
        ),
    }
}

impl State {
    /// Whether a viewer may make and see the tokens of a project or group; their bots may not.
    pub fn can_manage_tokens(&self, viewer: Viewer, of: Resource) -> bool {
        let lowest = match of {
            Resource::Project(_) => AccessLevel::Maintainer,
            Resource::Group(_) => AccessLevel::Owner,
        };
        let is_bot = viewer
            .user
            .and_then(|user| self.users.get(user))
            .is_some_and(User::is_bot);
        !is_bot
            && self
                .viewer_level(viewer, of)
                .is_some_and(|level| level >= lowest)
    }

    /// The tokens of a project or group.
    pub fn resource_tokens(&self, of: Resource) -> impl Iterator<Item = &AccessToken> {
        self.tokens.iter().filter(move |token| {
            self.users
                .get(token.user)
                .is_some_and(|user| user.bot_of == Some(of))
        })
    }

    /// Makes a bot with a token. `suffix` makes the bot's name unique. The error is GitLab's text.
    pub fn create_resource_token(
        &mut self,
        viewer: Viewer,
        of: Resource,
        new: NewResourceToken,
        digest: TokenDigest,
        suffix: &str,
    ) -> Result<Id<AccessToken>, String> {
        let kind = of.kind();
        if !self.can_manage_tokens(viewer, of) {
            return Err(format!(
                "User does not have permission to create {kind} access token"
            ));
        }
        check_level(of, self.viewer_level(viewer, of), new.level)?;
        let now = viewer.now;
        let expires_at = match new.expires_at {
            Some(day) => Some(day),
            None if self.settings.get().require_personal_access_token_expiry => {
                Some(now.day().plus_days(LONGEST_DAYS))
            }
            None => None,
        };
        self.check_expiry(expires_at, now)?;
        let username = format!("{kind}_{}_bot_{suffix}", of.number());
        let user = self.users.add(|id| User {
            id,
            email: format!("{username}@noreply.localhost"),
            username,
            name: new.name.clone(),
            state: UserState::Active,
            is_admin: false,
            bot_of: Some(of),
            can_create_group: false,
            projects_limit: 0,
            namespace: None,
            created_at: now,
        });
        self.members.add(|id| Member {
            id,
            of,
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

    /// Checks the date of a new token. The error is GitLab's text.
    pub fn check_expiry(&self, expires_at: Option<Day>, now: Moment) -> Result<(), String> {
        if !self.settings.get().require_personal_access_token_expiry {
            return Ok(());
        }
        let cap = now.day().plus_days(LONGEST_DAYS);
        match expires_at {
            None => Err("Expires at can't be blank".to_owned()),
            Some(day) if day > cap => {
                let text = &self.switches.get().texts.late_expiry;
                Err(text.replace("{day}", &cap.plus_days(1).to_string()))
            }
            Some(_) => Ok(()),
        }
    }

    /// Replaces a token by a new one with the same rights. A token that was revoked before takes
    /// its whole family with it. The error is GitLab's text.
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
                Some(now.day().plus_days(ROTATED_DAYS))
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

    /// Revokes all tokens that came from one by rotation, directly or not, and its forerunners.
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
