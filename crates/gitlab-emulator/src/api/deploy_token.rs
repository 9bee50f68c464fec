//! Deploy tokens of projects and groups.

use serde_json::{Value, json};

use crate::api::user::token::with_secret;
use crate::domain::deploy_token::{DeployScope, DeployToken};
use crate::domain::invalid::Invalid;
use crate::domain::level::AccessLevel;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::domain::token::TokenDigest;
use crate::domain::user::Resource;
use crate::random;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, Problem, params};
use crate::web::reply::{ApiResult, Reply};
use crate::web::route::Route;

params! {
    struct CreateToken {
        name: String,
        scopes: Vec<String>,
        expires_at: Option<Moment>,
        username: Option<String>,
    }
}

pub(super) fn routes() -> Vec<Route> {
    let paths = [
        [
            "/projects/{id}/deploy_tokens",
            "/projects/{id}/deploy_tokens/{token_id}",
        ],
        [
            "/groups/{id}/deploy_tokens",
            "/groups/{id}/deploy_tokens/{token_id}",
        ],
    ];
    paths
        .into_iter()
        .flat_map(|[all, one]| {
            [
                Route::get(all, list)
                    .for_users()
                    .permission("Deploy Token: Read"),
                Route::get(one, show)
                    .for_users()
                    .permission("Deploy Token: Read"),
                Route::post(all, create).permission("Deploy Token: Create"),
                Route::delete(one, delete).permission("Deploy Token: Delete"),
            ]
        })
        .collect()
}

fn entity(token: &DeployToken, now: Moment) -> Value {
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.name()).collect();
    json!({
        "id": token.id,
        "name": token.name,
        "username": token.username,
        "expires_at": token.expires_at.map(|moment| moment.to_string()),
        "scopes": scopes,
        "revoked": token.is_revoked,
        "expired": token.is_expired(now),
    })
}

fn administered(
    call: &Call<'_>,
    state: &crate::domain::state::State,
) -> Result<Resource, ApiError> {
    let lowest = match call.resource(state)? {
        Resource::Project(_) => AccessLevel::Maintainer,
        Resource::Group(_) => AccessLevel::Owner,
    };
    call.resource_for(state, lowest)
}

fn list(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let resource = administered(call, &state)?;
    let tokens: Vec<&DeployToken> = state
        .deploy_tokens
        .iter()
        .filter(|token| token.resource == resource && !token.is_revoked)
        .collect();
    call.page(&tokens, |token| entity(token, call.now))
}

fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let resource = administered(call, &state)?;
    let token = state.deploy_tokens.get(call.number("token_id")?);
    let token = token.filter(|token| token.resource == resource && !token.is_revoked);
    let token = token.ok_or_else(|| ApiError::not_found("Deploy Token"))?;
    Ok(Reply::ok(entity(token, call.now)))
}

fn create(call: &Call<'_>, params: &CreateToken) -> ApiResult {
    let scope = |name: &String| {
        let found = DeployScope::NAMES.iter().find(|(known, _)| known == name);
        found.map(|(_, scope)| *scope)
    };
    let scopes: Option<Vec<DeployScope>> = params.scopes.iter().map(scope).collect();
    let Some(scopes) = scopes else {
        return Err(ApiError::problem("scopes", Problem::Value));
    };
    let secret = random::token("gldt-");
    call.instance.change(|state| {
        let resource = administered(call, state)?;
        if scopes.is_empty() {
            return Err(ApiError::invalid(Invalid::field(
                "scopes",
                "can't be blank",
            )));
        }
        let id = state.deploy_tokens.add(|id: Id<DeployToken>| DeployToken {
            id,
            resource,
            name: params.name.clone(),
            username: params
                .username
                .clone()
                .unwrap_or_else(|| format!("gitlab+deploy-token-{id}")),
            expires_at: params.expires_at,
            is_revoked: false,
            scopes,
            digest: TokenDigest::new(&secret),
        });
        let token = state.deploy_tokens.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(with_secret(
            entity(token, call.now),
            &secret,
        )))
    })
}

fn delete(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let resource = administered(call, state)?;
        let id = call.number("token_id")?;
        match state
            .deploy_tokens
            .get_mut(id)
            .filter(|token| token.resource == resource && !token.is_revoked)
        {
            Some(token) => {
                token.is_revoked = true;
                Ok(Reply::no_content())
            }
            None => Err(ApiError::not_found("Deploy Token")),
        }
    })
}
