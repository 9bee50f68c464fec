//! Authentication of API requests (GitLab `lib/gitlab/auth/auth_finders.rb`,
//! `lib/api/api_guard.rb`, `lib/api/helpers.rb`).

use http::{HeaderMap, StatusCode, header};

use super::api_error::{ApiError, ErrorBody};
use super::params::Raw;
use super::route::Route;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::domain::token::{AccessToken, Scope, TokenDigest, TokenKind};
use crate::domain::user::{User, UserState};

/// The caller of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The user; `None` without a token.
    pub(crate) user: Option<Id<User>>,
    /// The token that authenticated, also under sudo.
    pub(crate) token: Option<Id<AccessToken>>,
    /// Whether the user acts as administrator.
    pub(crate) is_admin: bool,
}

/// The token of a request, by how it was sent.
enum Credential {
    Access(String),
    Job(String),
}

/// Identifies the caller and checks that the token may be used for the route.
pub(crate) fn identify(
    state: &State,
    route: &Route,
    headers: &HeaderMap,
    raw: &Raw,
    now: Moment,
) -> Result<Identity, ApiError> {
    let identity = match credential(headers, raw) {
        None => Identity::default(),
        Some(Credential::Job(_)) if !route.is_open_to_jobs => Identity::default(),
        Some(Credential::Job(text)) => {
            let token = find(state, &text, now)?;
            if token.kind != TokenKind::Job {
                return Err(ApiError::unauthorized());
            }
            let user = active_user(state, token)?;
            Identity {
                user: Some(user.id),
                token: Some(token.id),
                is_admin: false,
            }
        }
        Some(Credential::Access(text)) => {
            let token = find(state, &text, now)?;
            if token.kind == TokenKind::Job {
                return Err(ApiError::unauthorized());
            }
            if token.kind == TokenKind::Impersonation && state.switches.get().impersonation_disabled
            {
                return Err(ApiError::invalid_token(
                    "Token is an impersonation token but impersonation was disabled.",
                ));
            }
            check_scopes(token, route)?;
            let user = active_user(state, token)?;
            Identity {
                user: Some(user.id),
                token: Some(token.id),
                is_admin: acts_as_admin(state, user, token),
            }
        }
    };
    match sudo_name(headers, raw) {
        Some(name) => sudo(state, identity, &name),
        None => Ok(identity),
    }
}

fn credential(headers: &HeaderMap, raw: &Raw) -> Option<Credential> {
    let header = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    let param = |name: &str| raw.get(name)?.as_str().map(str::to_owned);
    let bearer = || {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (kind, token) = value.split_once(' ')?;
        kind.eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned())
    };
    if let Some(token) = header("job-token").or_else(|| param("job_token")) {
        return Some(Credential::Job(token));
    }
    header("private-token")
        .or_else(bearer)
        .or_else(|| param("private_token"))
        .or_else(|| param("access_token"))
        .map(Credential::Access)
}

fn find<'s>(state: &'s State, text: &str, now: Moment) -> Result<&'s AccessToken, ApiError> {
    let digest = TokenDigest::new(text);
    let token = state
        .token_by_digest(&digest)
        .ok_or_else(ApiError::unauthorized)?;
    if token.is_revoked {
        return Err(ApiError::invalid_token(
            "Token was revoked. You have to re-authorize from the user.",
        ));
    }
    if token.is_expired(now) {
        return Err(ApiError::invalid_token(
            "Token is expired. You can either do re-authorization or token refresh.",
        ));
    }
    Ok(token)
}

fn check_scopes(token: &AccessToken, route: &Route) -> Result<(), ApiError> {
    if let TokenKind::Granular(permissions) = &token.kind {
        let needed = route.permission;
        if needed.is_some_and(|needed| permissions.iter().any(|granted| granted == needed)) {
            return Ok(());
        }
        let description = match needed {
            Some(needed) => format!(
                "Access denied: Your fine-grained personal access token lacks the required permissions: [{needed}]."
            ),
            None => {
                "Access denied: This endpoint does not support fine-grained personal access tokens."
                    .to_owned()
            }
        };
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            ErrorBody::OAuth {
                error: "insufficient_granular_scope",
                description,
                scope: None,
            },
        ));
    }
    match route.scopes() {
        None => Ok(()),
        Some(scopes) if token.has_one_of(&scopes) => Ok(()),
        Some(scopes) => Err(insufficient(&scopes)),
    }
}

fn insufficient(scopes: &[Scope]) -> ApiError {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    ApiError::new(
        StatusCode::FORBIDDEN,
        ErrorBody::OAuth {
            error: "insufficient_scope",
            description:
                "The request requires higher privileges than provided by the access token."
                    .to_owned(),
            scope: Some(names.join(" ")),
        },
    )
}

fn active_user<'s>(state: &'s State, token: &AccessToken) -> Result<&'s User, ApiError> {
    let user = state
        .users
        .get(token.user)
        .ok_or_else(ApiError::unauthorized)?;
    match user.state {
        UserState::Active => Ok(user),
        UserState::Blocked => Err(ApiError::forbidden_because(
            "Your account has been blocked.",
        )),
    }
}

/// Returns whether a user acts as administrator; with admin mode, the token needs a scope for that.
fn acts_as_admin(state: &State, user: &User, token: &AccessToken) -> bool {
    user.is_admin && (!state.settings.get().admin_mode || token.scopes.contains(&Scope::AdminMode))
}

fn sudo_name(headers: &HeaderMap, raw: &Raw) -> Option<String> {
    let header = headers
        .get("sudo")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    header.or_else(|| raw.read::<Option<String>>("sudo").ok().flatten())
}

fn sudo(state: &State, identity: Identity, name: &str) -> Result<Identity, ApiError> {
    if identity.user.is_none() {
        return Err(ApiError::unauthorized());
    }
    if !identity.is_admin {
        return Err(ApiError::forbidden_because("Must be admin to use sudo"));
    }
    let token = identity.token.and_then(|token| state.tokens.get(token));
    let Some(token) = token.filter(|token| token.kind != TokenKind::Job) else {
        return Err(ApiError::forbidden_because(
            "Must be authenticated using an OAuth or personal access token to use sudo",
        ));
    };
    if !token.scopes.contains(&Scope::Sudo) {
        return Err(insufficient(&[Scope::Sudo]));
    }
    let user = match name.parse() {
        Ok(number) => state.users.get(Id::new(number)),
        Err(_) => state
            .users
            .find(|user| user.username.eq_ignore_ascii_case(name)),
    };
    let user =
        user.ok_or_else(|| ApiError::not_found(&format!("User with ID or username '{name}'")))?;
    Ok(Identity {
        user: Some(user.id),
        is_admin: acts_as_admin(state, user, token),
        ..identity
    })
}
