//! Access tokens of projects and groups (GitLab `lib/api/resource_access_tokens.rb`).

use serde_json::{Value, json};

use crate::api::user::entity::{self as user_entity, with};
use crate::api::user::token::{is_in_state, with_secret};
use crate::domain::level::AccessLevel;
use crate::domain::resource_token::NewResourceToken;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::{Day, Moment};
use crate::domain::token::{AccessToken, Scope, TokenDigest};
use crate::domain::user::{Resource, UserState};
use crate::random;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, Problem, params};
use crate::web::reply::{ApiResult, Reply};
use crate::web::route::{Accepts, Route};

params! {
    struct ListTokens {
        state: Option<String>,
        revoked: Option<bool>,
        search: Option<String>,
        created_after: Option<Moment>,
        created_before: Option<Moment>,
        sort: Option<String>,
    }
}

params! {
    struct CreateToken {
        name: String,
        scopes: Vec<Scope>,
        access_level: Option<AccessLevel>,
        expires_at: Option<Day>,
        description: Option<String>,
    }
}

params! {
    struct RotateToken {
        expires_at: Option<Day>,
    }
}

pub(super) fn routes() -> Vec<Route> {
    let rotating = Accepts::Also(&[Scope::SelfRotate]);
    let paths = [
        [
            "/projects/{id}/access_tokens",
            "/projects/{id}/access_tokens/{token_id}",
            "/projects/{id}/access_tokens/{token_id}/rotate",
            "/projects/{id}/access_tokens/self/rotate",
        ],
        [
            "/groups/{id}/access_tokens",
            "/groups/{id}/access_tokens/{token_id}",
            "/groups/{id}/access_tokens/{token_id}/rotate",
            "/groups/{id}/access_tokens/self/rotate",
        ],
    ];
    paths
        .into_iter()
        .flat_map(|[all, one, rotated, own]| {
            [
                Route::get(all, list)
                    .for_users()
                    .permission("Resource Access Token: Read"),
                Route::get(one, show)
                    .for_users()
                    .permission("Resource Access Token: Read"),
                Route::post(all, create).permission("Resource Access Token: Create"),
                Route::delete(one, revoke).permission("Resource Access Token: Delete"),
                Route::post(rotated, rotate).permission("Resource Access Token: Rotate"),
                Route::post(own, rotate_own).accepting(rotating),
            ]
        })
        .collect()
}

fn entity(state: &State, resource: Resource, token: &AccessToken, now: Moment) -> Value {
    let member = state
        .members
        .find(|member| member.resource == resource && member.user == token.user);
    with(
        user_entity::token(token, now),
        &json!({
            "access_level": member.map(|member| member.level),
            "resource_type": resource.kind(),
            "resource_id": resource.number(),
        }),
    )
}

fn find<'s>(call: &Call<'_>, state: &'s State, resource: Resource) -> Option<&'s AccessToken> {
    let id: Id<AccessToken> = call.capture("token_id").parse().ok().map(Id::new)?;
    state.resource_tokens(resource).find(|token| token.id == id)
}

fn missing(resource: Resource) -> ApiError {
    ApiError::not_found(&format!("{} Access Token", resource.kind()))
}

fn list(call: &Call<'_>, params: &ListTokens) -> ApiResult {
    let state = call.instance.store.read();
    let resource = call.resource(&state)?;
    if !state.can_revoke_tokens(call.viewer(), resource) {
        return Err(ApiError::unauthorized());
    }
    let mut tokens: Vec<&AccessToken> = state
        .resource_tokens(resource)
        .filter(|token| is_in_state(token, params.state.as_deref(), call))
        .filter(|token| {
            params
                .revoked
                .is_none_or(|revoked| token.is_revoked == revoked)
        })
        .filter(|token| {
            params
                .search
                .as_ref()
                .is_none_or(|text| token.name.contains(text))
        })
        .filter(|token| {
            params
                .created_after
                .is_none_or(|moment| token.created_at > moment)
        })
        .filter(|token| {
            params
                .created_before
                .is_none_or(|moment| token.created_at < moment)
        })
        .collect();
    match params.sort.as_deref() {
        Some("created_desc") => tokens.reverse(),
        Some("name_asc") => tokens.sort_by(|one, two| one.name.cmp(&two.name)),
        Some("name_desc") => tokens.sort_by(|one, two| two.name.cmp(&one.name)),
        _ => {}
    }
    call.page(&tokens, |token| entity(&state, resource, token, call.now))
}

fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let resource = call.resource(&state)?;
    if !state.can_revoke_tokens(call.viewer(), resource) {
        return Err(ApiError::unauthorized());
    }
    let token = find(call, &state, resource).ok_or_else(|| missing(resource))?;
    Ok(Reply::ok(entity(&state, resource, token, call.now)))
}

fn create(call: &Call<'_>, params: &CreateToken) -> ApiResult {
    if params.scopes.is_empty()
        || !params
            .scopes
            .iter()
            .all(|scope| Scope::OF_RESOURCE_TOKENS.contains(scope))
    {
        return Err(ApiError::problem("scopes", Problem::Value));
    }
    let level = params.access_level.unwrap_or(AccessLevel::Maintainer);
    if !AccessLevel::OF_TOKENS.contains(&level) {
        return Err(ApiError::problem("access_level", Problem::Value));
    }
    let secret = random::token("glpat-");
    call.instance.change(|state| {
        let resource = call.resource(state)?;
        let new = NewResourceToken {
            name: params.name.clone(),
            description: params.description.clone(),
            scopes: params.scopes.clone(),
            level,
            expires_at: params.expires_at,
        };
        let digest = TokenDigest::new(&secret);
        let id = state
            .create_resource_token(call.viewer(), resource, new, digest, &random::hex_name())
            .map_err(ApiError::bad_request)?;
        let token = state.tokens.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(with_secret(
            entity(state, resource, token, call.now),
            &secret,
        )))
    })
}

fn rotate(call: &Call<'_>, params: &RotateToken) -> ApiResult {
    call.instance.change(|state| {
        let resource = call.resource(state)?;
        let is_allowed = state.can_manage_tokens(call.viewer(), resource);
        let token = find(call, state, resource)
            .filter(|_| is_allowed)
            .map(|token| token.id);
        let Some(token) = token else {
            // Only administrators may learn that a token does not exist.
            return Err(if call.identity.is_admin {
                ApiError::message(http::StatusCode::NOT_FOUND, "404 Not Found")
            } else {
                ApiError::unauthorized()
            });
        };
        rotate_and_show(call, state, resource, token, params)
    })
}

fn rotate_own(call: &Call<'_>, params: &RotateToken) -> ApiResult {
    call.instance.change(|state| {
        let resource = call.resource(state)?;
        let token = state
            .resource_tokens(resource)
            .find(|token| call.identity.token == Some(token.id))
            .ok_or_else(ApiError::unauthorized)?
            .id;
        rotate_and_show(call, state, resource, token, params)
    })
}

fn rotate_and_show(
    call: &Call<'_>,
    state: &mut State,
    resource: Resource,
    token: Id<AccessToken>,
    params: &RotateToken,
) -> ApiResult {
    let secret = random::token("glpat-");
    let digest = TokenDigest::new(&secret);
    let new = state
        .rotate_token(token, params.expires_at, digest, call.now)
        .map_err(ApiError::bad_request)?;
    let token = state.tokens.get(new).ok_or_else(ApiError::internal)?;
    Ok(Reply::ok(with_secret(
        entity(state, resource, token, call.now),
        &secret,
    )))
}

fn revoke(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let resource = call.resource(state)?;
        let token = find(call, state, resource).ok_or_else(|| missing(resource))?;
        let (id, bot) = (token.id, token.user);
        if !state.can_revoke_tokens(call.viewer(), resource) && call.identity.token != Some(id) {
            let name = |user| state.users.get(user).map_or("", |user| user.name.as_str());
            let text = format!("{} cannot delete {}", name(call.user()?), name(bot));
            return Err(ApiError::bad_request(text));
        }
        state.revoke_token(id);
        state.members.retain(|member| member.user != bot);
        if let Some(bot) = state.users.get_mut(bot) {
            bot.state = UserState::Blocked;
        }
        Ok(Reply::no_content())
    })
}
