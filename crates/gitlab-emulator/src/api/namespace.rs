//! Namespaces.

use serde_json::{Value, json};

use crate::api::project::entity::namespace_entity;
use crate::domain::access::GroupAbility;
use crate::domain::namespace::{Namespace, NamespaceKind};
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::limit::Limit;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, params};
use crate::web::reply::{ApiResult, Reply};
use crate::web::route::Route;

params! {
    struct NamespaceExists {
        parent_id: Option<u64>,
    }
}

params! {
    struct ListNamespaces {
        search: Option<String>,
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/namespaces", list)
            .for_users()
            .permission("Namespace: Read"),
        Route::get("/namespaces/{id}", show)
            .for_users()
            .permission("Namespace: Read"),
        Route::get("/namespaces/{id}/exists", exists)
            .for_users()
            .with_limit(Limit::NamespaceExists)
            .permission("Namespace: Read"),
    ]
}

/// Returns whether the caller is a member of the group or owns the user namespace. Seeing a
/// public group is not enough, nor is minimal access to a private one.
fn is_listed(call: &Call<'_>, state: &State, namespace: &Namespace) -> bool {
    match namespace.kind {
        NamespaceKind::User(owner) => call.identity.is_admin || call.identity.user == Some(owner),
        NamespaceKind::Group => {
            let resource = crate::domain::user::Resource::Group(namespace.id);
            state.can_group(call.viewer(), GroupAbility::Read, namespace)
                && state.viewer_level(call.viewer(), resource).is_some()
        }
    }
}

fn entity(call: &Call<'_>, state: &State, namespace: &Namespace) -> Value {
    let mut entity = namespace_entity(call, state, namespace);
    if let Value::Object(map) = &mut entity
        && namespace.is_group()
        && state.can_group(call.viewer(), GroupAbility::Administer, namespace)
    {
        let count = state.members_with_descendants(namespace.id, call.now);
        map.insert("members_count_with_descendants".to_owned(), json!(count));
    }
    entity
}

fn list(call: &Call<'_>, params: &ListNamespaces) -> ApiResult {
    let state = call.instance.store.read();
    let search = params.search.as_deref().unwrap_or_default().to_lowercase();
    let namespaces: Vec<&Namespace> = state
        .namespaces
        .iter()
        .filter(|namespace| !namespace.is_being_removed && is_listed(call, &state, namespace))
        .filter(|namespace| {
            search.is_empty()
                || namespace.name.to_lowercase().contains(&search)
                || namespace.path.to_lowercase().contains(&search)
        })
        .collect();
    call.page(&namespaces, |namespace| entity(call, &state, namespace))
}

fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let namespace = find(call, &state, call.capture("id"))?;
    Ok(Reply::ok(entity(call, &state, namespace)))
}

/// Finds a namespace by ID or full path if the caller is a member of it.
pub(super) fn find<'s>(
    call: &Call<'_>,
    state: &'s State,
    id: &str,
) -> Result<&'s Namespace, ApiError> {
    state
        .namespace_by_id_or_path(id)
        .filter(|namespace| !namespace.is_being_removed && is_listed(call, state, namespace))
        .ok_or_else(|| ApiError::not_found("Namespace"))
}

/// Returns whether a group or user, visible or not, has a path below a parent, and a free path.
#[expect(clippy::unnecessary_wraps, reason = "all handlers have one signature")]
fn exists(call: &Call<'_>, params: &NamespaceExists) -> ApiResult {
    let state = call.instance.store.read();
    let parent = params.parent_id.map(Id::new);
    let is_taken = |path: &str| {
        state.namespaces.any(|namespace| {
            namespace.parent == parent && namespace.path.eq_ignore_ascii_case(path)
        })
    };
    let path = call.capture("id");
    let suggestion = is_taken(path).then(|| {
        (1..=u32::MAX)
            .map(|number| format!("{path}{number}"))
            .find(|path| !is_taken(path))
    });
    Ok(Reply::ok(json!({
        "exists": suggestion.is_some(),
        "suggests": suggestion.flatten().into_iter().collect::<Vec<_>>(),
    })))
}
