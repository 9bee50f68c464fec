//! Authentication of fetches and pushes (GitLab `lib/gitlab/auth.rb`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};

use super::access::AccessError;
use crate::domain::deploy_token::DeployScope;
use crate::domain::key::{Key, KeyOwner};
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::domain::token::{AccessToken, Scope, TokenDigest, TokenKind};
use crate::domain::user::{Resource, User, UserState};
use crate::instance::Instance;

/// The caller of a git request, and what its credential allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Actor {
    /// No credentials.
    Anonymous,
    /// A user, by a token.
    User {
        user: Id<User>,
        is_admin: bool,
        can_download: bool,
        can_push: bool,
    },
    /// A deploy key. The emulator has no SSH server; tests get a password for a key instead.
    DeployKey(Id<Key>),
    /// A deploy token, which may fetch.
    DeployToken(Resource),
}

/// Identifies the actor of a request. Invalid credentials are refused even where none are needed.
pub(super) fn actor(
    instance: &Instance,
    state: &State,
    headers: &HeaderMap,
    now: Moment,
) -> Result<Actor, AccessError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(Actor::Anonymous);
    };
    let (name, password) = value
        .to_str()
        .ok()
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|encoded| STANDARD.decode(encoded.trim()).ok())
        .and_then(|decoded| String::from_utf8(decoded).ok())
        .and_then(|text| {
            text.split_once(':')
                .map(|(n, p)| (n.to_owned(), p.to_owned()))
        })
        .ok_or(AccessError::Credentials)?;
    if name.is_empty() || password.is_empty() {
        return Err(AccessError::Credentials);
    }
    by_access_token(state, &name, &password, now)
        .or_else(|| by_deploy_token(state, &name, &password, now))
        .or_else(|| by_deploy_key(instance, state, &name, &password, now))
        .ok_or(AccessError::Credentials)
}

fn by_access_token(state: &State, name: &str, password: &str, now: Moment) -> Option<Actor> {
    let token = state.token_by_digest(&TokenDigest::new(password))?;
    if !token.is_active(now) {
        return None;
    }
    let user = state
        .users
        .get(token.user)
        .filter(|user| user.state == UserState::Active)?;
    let (can_download, can_push) = abilities(token, name)?;
    Some(Actor::User {
        user: user.id,
        is_admin: user.is_admin,
        can_download,
        can_push,
    })
}

fn by_deploy_token(state: &State, name: &str, password: &str, now: Moment) -> Option<Actor> {
    let digest = TokenDigest::new(password);
    let token = state.deploy_tokens.find(|token| {
        token.digest == digest
            && token.username == name
            && token.is_active(now)
            && token.scopes.contains(&DeployScope::ReadRepository)
    })?;
    Some(Actor::DeployToken(token.resource))
}

fn by_deploy_key(
    instance: &Instance,
    state: &State,
    name: &str,
    password: &str,
    now: Moment,
) -> Option<Actor> {
    let id = Id::parse(name.strip_prefix("key-")?)?;
    let key = state.keys.get(id)?;
    let is_valid = matches!(key.owner, KeyOwner::Deploy { .. })
        && key.expires_at.is_none_or(|end| end > now)
        && instance.deploy_key_password(id) == password;
    is_valid.then_some(Actor::DeployKey(id))
}

/// Returns whether a token allows fetching and pushing; `None` if it is not valid for git at all.
fn abilities(token: &AccessToken, name: &str) -> Option<(bool, bool)> {
    match &token.kind {
        TokenKind::Job => (name == "gitlab-ci-token").then_some((true, false)),
        TokenKind::OAuth if name != "oauth2" => None,
        TokenKind::Personal | TokenKind::Impersonation | TokenKind::OAuth => {
            let can_push = token.has_one_of(&[Scope::Api, Scope::WriteRepository]);
            let can_download = can_push || token.has_one_of(&[Scope::ReadRepository]);
            can_download.then_some((can_download, can_push))
        }
        TokenKind::Granular(permissions) => {
            let has = |wanted: &str| permissions.iter().any(|granted| granted == wanted);
            let can_push = has("Code: Push");
            let can_download = can_push || has("Code: Download");
            can_download.then_some((can_download, can_push))
        }
    }
}
