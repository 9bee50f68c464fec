//! Deploy keys (GitLab `lib/api/deploy_keys.rb`).

use serde_json::{Value, json};

use crate::api::user::entity::with;
use crate::domain::access::ProjectAbility;
use crate::domain::key::{Key, KeyLink, KeyOwner, NewDeployKey};
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, params};
use crate::web::reply::{ApiResult, Reply};
use crate::web::route::Route;

params! {
    struct AddKey {
        key: String,
        title: String,
        can_push: Option<bool>,
        expires_at: Option<Moment>,
    }
}

params! {
    struct ChangeKey {
        title: Option<String>,
        can_push: Option<bool>,
    }
    at_least_one_of ["title", "can_push"]
}

pub(super) fn routes() -> Vec<Route> {
    let keys = "/projects/{id}/deploy_keys";
    let key = "/projects/{id}/deploy_keys/{key_id}";
    vec![
        Route::get("/deploy_keys", list_all).for_administrators(),
        Route::get(keys, list)
            .for_users()
            .permission("Deploy Key: Read"),
        Route::get(key, show)
            .for_users()
            .permission("Deploy Key: Read"),
        Route::post(keys, add).permission("Deploy Key: Create"),
        Route::put(key, change).permission("Deploy Key: Update"),
        Route::delete(key, remove).permission("Deploy Key: Delete"),
        Route::post("/projects/{id}/deploy_keys/{key_id}/enable", enable)
            .permission("Deploy Key: Create"),
    ]
}

fn entity(key: &Key) -> Value {
    json!({
        "id": key.id,
        "title": key.title,
        "key": key.key.text,
        "created_at": key.created_at.to_string(),
        "expires_at": key.expires_at.map(|moment| moment.to_string()),
        "fingerprint": key.key.fingerprint,
        "fingerprint_sha256": key.key.fingerprint_sha256,
    })
}

fn shown_in_project(key: &Key, link: &KeyLink) -> Value {
    with(entity(key), &json!({ "can_push": link.can_push }))
}

fn list_all(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let keys: Vec<&Key> = state
        .keys
        .iter()
        .filter(|key| matches!(key.owner, KeyOwner::Deploy { .. }))
        .collect();
    call.page(&keys, |key| {
        let writers: Vec<Value> = state
            .key_links
            .iter()
            .filter(|link| link.key == key.id && link.can_push)
            .filter_map(|link| state.projects.get(link.project))
            .map(|project| {
                json!({
                    "id": project.id,
                    "name": project.name,
                    "path": project.path,
                    "path_with_namespace": state.project_path(project),
                })
            })
            .collect();
        with(
            entity(key),
            &json!({ "projects_with_write_access": writers }),
        )
    })
}

fn list(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ProjectAbility::Administer)?.id;
    let keys: Vec<(&Key, &KeyLink)> = state.deploy_keys(project).collect();
    call.page(&keys, |(key, link)| shown_in_project(key, link))
}

fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ProjectAbility::Administer)?.id;
    let id = call.number("key_id")?;
    let (key, link) = state
        .deploy_keys(project)
        .find(|(key, _)| key.id == id)
        .ok_or_else(ApiError::no_record)?;
    Ok(Reply::ok(shown_in_project(key, link)))
}

fn add(call: &Call<'_>, params: &AddKey) -> ApiResult {
    call.instance.change(|state| {
        let project = call.project_for(state, ProjectAbility::Administer)?.id;
        let new = NewDeployKey {
            text: params.key.clone(),
            title: params.title.clone(),
            can_push: params.can_push.unwrap_or(false),
            expires_at: params.expires_at,
        };
        let id = state.add_deploy_key(call.viewer(), project, &new, call.now)?;
        link_entity(state, project, id).map(Reply::created)
    })
}

fn link_entity(
    state: &State,
    project: Id<crate::domain::project::Project>,
    id: Id<Key>,
) -> Result<Value, ApiError> {
    let key = state.keys.get(id).ok_or_else(ApiError::internal)?;
    let link = state.key_link(project, id).ok_or_else(ApiError::internal)?;
    Ok(shown_in_project(key, link))
}

fn change(call: &Call<'_>, params: &ChangeKey) -> ApiResult {
    call.instance.change(|state| {
        let project = call.project_for(state, ProjectAbility::Administer)?.id;
        let id = call.number("key_id")?;
        let link = state
            .key_link(project, id)
            .ok_or_else(ApiError::no_record)?
            .id;
        // Renaming a key requires administering all its projects; other callers change their link
        // only.
        let viewer = call.viewer();
        let may_rename = state
            .key_links
            .iter()
            .filter(|link| link.key == id)
            .all(|link| {
                state.projects.get(link.project).is_some_and(|project| {
                    state.can_project(viewer, ProjectAbility::Administer, project)
                })
            });
        if let (Some(title), true) = (&params.title, may_rename)
            && let Some(key) = state.keys.get_mut(id)
        {
            key.title.clone_from(title);
        }
        if let Some(can_push) = params.can_push
            && let Some(link) = state.key_links.get_mut(link)
        {
            link.can_push = can_push;
            link.updated_at = call.now;
        }
        link_entity(state, project, id).map(Reply::ok)
    })
}

fn enable(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let project = call.project_for(state, ProjectAbility::Administer)?.id;
        let id = call.number("key_id")?;
        if !state.enable_deploy_key(call.viewer(), project, id) {
            return Err(ApiError::not_found("Deploy key"));
        }
        let key = state.keys.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(entity(key)))
    })
}

fn remove(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let project = call.project_for(state, ProjectAbility::Administer)?.id;
        let id = call.number("key_id")?;
        let link = state
            .key_link(project, id)
            .ok_or_else(|| ApiError::not_found("Deploy key"))?;
        call.check_unmodified(link.updated_at)?;
        state.remove_deploy_key(project, id);
        Ok(Reply::no_content())
    })
}
