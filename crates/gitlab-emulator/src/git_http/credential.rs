//! Who fetches or pushes (GitLab `lib/gitlab/auth.rb`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};

use super::access::Denied;
use crate::domain::deploy_token::DeployScope;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::domain::token::{AccessToken, Scope, TokenDigest, TokenKind};
use crate::domain::user::{Resource, User, UserState};

/// Who fetches or pushes, and what the credential allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Actor {
    /// Nobody in particular.
    Anonymous,
    /// A user by a token.
    User {
        user: Id<User>,
        is_admin: bool,
        can_download: bool,
        can_push: bool,
    },
    /// A machine that may fetch what its deploy token opens.
    Deploy(Resource),
}

/// Finds the actor of a request; bad credentials are refused, also where none are needed.
pub(super) fn actor(state: &State, headers: &HeaderMap, now: Moment) -> Result<Actor, Denied> {
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
        .ok_or(Denied::Credentials)?;
    if name.is_empty() || password.is_empty() {
        return Err(Denied::Credentials);
    }
    by_access_token(state, &name, &password, now)
        .or_else(|| by_deploy_token(state, &name, &password, now))
        .ok_or(Denied::Credentials)
}

fn by_access_token(state: &State, name: &str, password: &str, now: Moment) -> Option<Actor> {
    let token = state.token_by_digest(&TokenDigest::of(password))?;
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
    let digest = TokenDigest::of(password);
    let token = state.deploy_tokens.find(|token| {
        token.digest == digest
            && token.username == name
            && token.is_active(now)
            && token.scopes.contains(&DeployScope::ReadRepository)
    })?;
    Some(Actor::Deploy(token.of))
}

/// Whether a token lets fetch and push; `None` when it is no credential for git at all.
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
            let has = |wanted: &str| permissions.iter().any(|given| given == wanted);
            let can_push = has("Code: Push");
            let can_download = can_push || has("Code: Download");
            can_download.then_some((can_download, can_push))
        }
    }
}
