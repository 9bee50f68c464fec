//! The emulator's own endpoints below `/-/emulator/`, for tests. They require a token of an
//! administrator.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::level::AccessLevel;
use crate::domain::token::TokenDigest;
use crate::domain::user::Resource;
use crate::instance::Instance;
use crate::seed::{self, SeedAccessToken, SeedError, SeedToken};
use crate::web::api_error::ApiError;
use crate::web::fault::Fault;

type Shared = State<Arc<Instance>>;

/// Returns the router of the control endpoints.
pub(crate) fn router(instance: &Arc<Instance>) -> Router {
    let own = Router::new()
        .route("/journal", get(journal).delete(clear_journal))
        .route(
            "/faults",
            get(faults).post(inject_fault).delete(clear_faults),
        )
        .route("/switches", get(switches).put(update_switches))
        .route("/clock", post(advance_clock))
        .route("/wait_until_idle", post(wait_until_idle))
        .route("/tokens", post(seed_token))
        .route("/users", post(seed_user))
        .route("/members", post(seed_member))
        .route("/access_tokens", post(seed_access_token))
        .route("/projects/{id}/transfer", post(transfer_project))
        .route(
            "/deploy_keys/{id}/credential",
            post(create_deploy_key_credential),
        )
        .route("/groups/{id}/registry_images", put(set_registry_images))
        .route("/limits", axum::routing::delete(reset_limits))
        .route_layer(axum::middleware::from_fn_with_state(
            Arc::clone(instance),
            guard,
        ))
        .with_state(Arc::clone(instance));
    Router::new().nest("/-/emulator", own)
}

async fn guard(State(instance): Shared, request: Request, next: Next) -> Response {
    if is_administrator(&instance, request.headers()) {
        next.run(request).await
    } else {
        ApiError::unauthorized().into_response()
    }
}

fn is_administrator(instance: &Instance, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let token = text("private-token")
        .or_else(|| text("authorization").and_then(|value| value.strip_prefix("Bearer ")));
    let Some(token) = token else { return false };
    let state = instance.store.read();
    state
        .token_by_digest(&TokenDigest::new(token))
        .is_some_and(|token| {
            token.is_active(instance.now())
                && state
                    .users
                    .get(token.user)
                    .is_some_and(|user| user.is_admin)
        })
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn journal(State(instance): Shared, Query(query): Query<Since>) -> Response {
    Json(instance.journal.since(query.since)).into_response()
}

async fn clear_journal(State(instance): Shared) -> StatusCode {
    instance.journal.clear();
    StatusCode::NO_CONTENT
}

async fn faults(State(instance): Shared) -> Response {
    Json(instance.faults.waiting()).into_response()
}

async fn inject_fault(State(instance): Shared, Json(fault): Json<Fault>) -> Response {
    match instance.faults.add(fault) {
        Ok(()) => StatusCode::CREATED.into_response(),
        Err(error) => (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": error.to_string() })),
        )
            .into_response(),
    }
}

async fn clear_faults(State(instance): Shared) -> StatusCode {
    instance.faults.clear();
    StatusCode::NO_CONTENT
}

async fn switches(State(instance): Shared) -> Response {
    Json(instance.store.read().switches.get()).into_response()
}

/// Changes the switches named in the body; the others keep their values.
async fn update_switches(State(instance): Shared, Json(changes): Json<Value>) -> Response {
    let changed = instance.store.change(|state| {
        let mut all = serde_json::to_value(state.switches.get())?;
        merge(&mut all, changes);
        *state.switches.get_mut() = serde_json::from_value(all.clone())?;
        Ok::<Value, serde_json::Error>(all)
    });
    match changed {
        Ok(all) => Json(all).into_response(),
        Err(error) => (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": error.to_string() })),
        )
            .into_response(),
    }
}

/// Merges `changes` into `all`, object by object.
fn merge(all: &mut Value, changes: Value) {
    match (all, changes) {
        (Value::Object(all), Value::Object(changes)) => {
            for (name, value) in changes {
                merge(all.entry(name).or_insert(Value::Null), value);
            }
        }
        (all, value) => *all = value,
    }
}

#[derive(Deserialize)]
struct Advance {
    advance_seconds: i64,
}

async fn advance_clock(State(instance): Shared, Json(advance): Json<Advance>) -> Response {
    instance.advance_clock(advance.advance_seconds.saturating_mul(1000));
    Json(json!({ "now": instance.now().to_string() })).into_response()
}

async fn wait_until_idle(State(instance): Shared) -> StatusCode {
    while !instance.is_idle() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    StatusCode::NO_CONTENT
}

async fn seed_token(State(instance): Shared, Json(token): Json<SeedToken>) -> Response {
    match seed::token(&instance, token) {
        Ok(secret) => (StatusCode::CREATED, Json(json!({ "token": secret }))).into_response(),
        Err(error) => refused(&error),
    }
}

#[derive(Deserialize)]
struct SeedUser {
    username: String,
}

async fn seed_user(State(instance): Shared, Json(user): Json<SeedUser>) -> Response {
    match seed::user(&instance, &user.username) {
        Ok(token) => (StatusCode::CREATED, Json(token)).into_response(),
        Err(error) => refused(&error),
    }
}

#[derive(Deserialize)]
struct SeedMember {
    resource: Resource,
    username: String,
    access_level: AccessLevel,
}

async fn seed_member(State(instance): Shared, Json(new): Json<SeedMember>) -> Response {
    match seed::member(&instance, new.resource, &new.username, new.access_level) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(&error),
    }
}

async fn seed_access_token(
    State(instance): Shared,
    Json(token): Json<SeedAccessToken>,
) -> Response {
    match seed::access_token(&instance, token) {
        Ok(token) => (StatusCode::CREATED, Json(token)).into_response(),
        Err(error) => refused(&error),
    }
}

#[derive(Deserialize)]
struct Transfer {
    namespace_id: u64,
}

async fn transfer_project(
    State(instance): Shared,
    Path(project): Path<u64>,
    Json(transfer): Json<Transfer>,
) -> Response {
    match seed::transfer_project(&instance, project, transfer.namespace_id) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(&error),
    }
}

async fn create_deploy_key_credential(State(instance): Shared, Path(key): Path<u64>) -> Response {
    match seed::deploy_key_credential(&instance, key) {
        Ok(credential) => (StatusCode::CREATED, Json(credential)).into_response(),
        Err(error) => refused(&error),
    }
}

#[derive(Deserialize)]
struct RegistryImages {
    has_images: bool,
}

async fn set_registry_images(
    State(instance): Shared,
    Path(group): Path<u64>,
    Json(images): Json<RegistryImages>,
) -> Response {
    match seed::registry_images(&instance, group, images.has_images) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(&error),
    }
}

async fn reset_limits(State(instance): Shared) -> StatusCode {
    instance.counters.clear();
    StatusCode::NO_CONTENT
}

fn refused(error: &SeedError) -> Response {
    let status = match error {
        SeedError::NoUser(_)
        | SeedError::NoDeployKey(_)
        | SeedError::NoGroup(_)
        | SeedError::NoProject(_) => StatusCode::NOT_FOUND,
        SeedError::Refused(_) => StatusCode::BAD_REQUEST,
    };
    (status, Json(json!({ "error": error.to_string() }))).into_response()
}
