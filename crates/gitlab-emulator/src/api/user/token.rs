//! Personal access tokens.

use serde_json::{Value, json};

use super::entity;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Day;
use crate::domain::token::{AccessToken, Scope, TokenDigest, TokenKind};
use crate::domain::token_change::NewToken;
use crate::random;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, params};
use crate::web::reply::{ApiResult, Reply};

params! {
    struct CreateToken {
        name: String,
        scopes: Vec<Scope>,
        description: Option<String>,
        expires_at: Option<Day>,
    }
}

params! {
    struct RotateToken {
        expires_at: Option<Day>,
    }
}

params! {
    struct ListTokens {
        user_id: Option<u64>,
        revoked: Option<bool>,
        state: Option<String>,
        search: Option<String>,
    }
}

/// Returns the token of this call, which must be a personal access token.
fn calling<'s>(call: &Call<'_>, state: &'s State) -> Result<&'s AccessToken, ApiError> {
    call.identity
        .token
        .and_then(|token| state.tokens.get(token))
        .filter(|token| token.kind != TokenKind::OAuth && token.kind != TokenKind::Job)
        .ok_or_else(|| {
            ApiError::bad_request("This endpoint requires token type to be a personal access token")
        })
}

pub(super) fn own(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    Ok(Reply::ok(entity::token(calling(call, &state)?, call.now)))
}

pub(super) fn revoke_own(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let id = calling(call, state)?.id;
        state.revoke_token(id);
        Ok(Reply::no_content())
    })
}

pub(super) fn rotate_own(call: &Call<'_>, params: &RotateToken) -> ApiResult {
    let id = calling(call, &call.instance.store.read())?.id;
    rotate_and_show(call, id, params)
}

/// Finds the token named by the path if the caller may see it.
fn visible<'s>(call: &Call<'_>, state: &'s State) -> Result<&'s AccessToken, ApiError> {
    let token = state.tokens.get(call.number("token_id")?);
    token
        .filter(|token| call.identity.is_admin || call.identity.user == Some(token.user))
        .ok_or_else(|| {
            // Only administrators may learn that a token does not exist.
            if call.identity.is_admin {
                ApiError::not_found("Token")
            } else {
                ApiError::unauthorized()
            }
        })
}

pub(super) fn list(call: &Call<'_>, params: &ListTokens) -> ApiResult {
    let user = call.user()?;
    if params.user_id.is_some_and(|wanted| wanted != user.number()) && !call.identity.is_admin {
        return Err(ApiError::unauthorized());
    }
    let state = call.instance.store.read();
    let tokens: Vec<&AccessToken> = state
        .tokens
        .iter()
        .filter(|token| match params.user_id {
            Some(wanted) => token.user.number() == wanted,
            None => call.identity.is_admin || token.user == user,
        })
        .filter(|token| {
            params
                .revoked
                .is_none_or(|revoked| token.is_revoked == revoked)
        })
        .filter(|token| is_in_state(token, params.state.as_deref(), call))
        .filter(|token| {
            params
                .search
                .as_ref()
                .is_none_or(|text| token.name.contains(text))
        })
        .collect();
    call.page(&tokens, |token| entity::token(token, call.now))
}

/// Returns whether a token matches the filter `state`.
pub(in crate::api) fn is_in_state(
    token: &AccessToken,
    wanted: Option<&str>,
    call: &Call<'_>,
) -> bool {
    match wanted {
        Some("active") => token.is_active(call.now),
        Some("inactive") => !token.is_active(call.now),
        _ => true,
    }
}

pub(super) fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    Ok(Reply::ok(entity::token(visible(call, &state)?, call.now)))
}

pub(super) fn revoke(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let id = visible(call, state)?.id;
        state.revoke_token(id);
        Ok(Reply::no_content())
    })
}

pub(super) fn rotate(call: &Call<'_>, params: &RotateToken) -> ApiResult {
    let id = visible(call, &call.instance.store.read())?.id;
    rotate_and_show(call, id, params)
}

fn rotate_and_show(call: &Call<'_>, id: Id<AccessToken>, params: &RotateToken) -> ApiResult {
    let secret = random::token("glpat-");
    call.instance.change(|state| {
        let digest = TokenDigest::new(&secret);
        let new = state
            .rotate_token(id, params.expires_at, digest, call.now)
            .map_err(ApiError::bad_request)?;
        let token = state.tokens.get(new).ok_or_else(ApiError::internal)?;
        Ok(Reply::ok(with_secret(
            entity::token(token, call.now),
            &secret,
        )))
    })
}

/// Adds the secret to a token's JSON; it is shown only once.
pub(in crate::api) fn with_secret(entity: Value, secret: &str) -> Value {
    entity::with(entity, &json!({ "token": secret }))
}

pub(super) fn create_for(call: &Call<'_>, params: &CreateToken) -> ApiResult {
    create(call, params, TokenKind::Personal)
}

pub(super) fn impersonate(call: &Call<'_>, params: &CreateToken) -> ApiResult {
    create(call, params, TokenKind::Impersonation)
}

fn create(call: &Call<'_>, params: &CreateToken, kind: TokenKind) -> ApiResult {
    let secret = random::token("glpat-");
    let user = call.number("user_id")?;
    call.instance.change(|state| {
        if state.users.get(user).is_none() {
            return Err(ApiError::not_found("User"));
        }
        let is_needed = state.settings.get().require_personal_access_token_expiry;
        let expires_at = match params.expires_at {
            None if is_needed => Some(call.now.day().plus_days(365)),
            given => given,
        };
        state
            .check_expiry(expires_at, call.now)
            .map_err(ApiError::bad_request)?;
        let is_impersonation = kind == TokenKind::Impersonation;
        let new = NewToken {
            user,
            name: params.name.clone(),
            description: params.description.clone(),
            kind,
            scopes: params.scopes.clone(),
            expires_at,
            previous: None,
        };
        let id = state.add_token(new, TokenDigest::new(&secret), call.now);
        let token = state.tokens.get(id).ok_or_else(ApiError::internal)?;
        let entity = with_secret(entity::token(token, call.now), &secret);
        let entity = if is_impersonation {
            entity::with(entity, &json!({ "impersonation": true }))
        } else {
            entity
        };
        Ok(Reply::created(entity))
    })
}
