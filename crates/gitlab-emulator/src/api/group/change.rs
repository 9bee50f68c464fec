//! Creating and changing groups.

use http::StatusCode;
use serde_json::{Map, Value};

use super::entity;
use crate::domain::access::GroupAbility;
use crate::domain::group::GroupChange;
use crate::domain::level::{AccessLevel, Visibility};
use crate::domain::namespace::ProjectCreation;
use crate::domain::table::Id;
use crate::limit::Limit;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, Problem, Raw, params};
use crate::web::reply::{ApiResult, Reply};

params! {
    struct CreateGroup {
        name: String,
        path: String,
        parent_id: Option<u64>,
        description: Option<String>,
        visibility: Option<Visibility>,
        project_creation_level: Option<ProjectCreation>,
    }
}

params! {
    struct UpdateGroup {
        name: Option<String>,
        path: Option<String>,
        description: Option<String>,
        visibility: Option<Visibility>,
        project_creation_level: Option<ProjectCreation>,
    }
}

params! {
    struct TransferGroup {
        group_id: Option<u64>,
    }
}

/// Returns the settings that a group only stores and shows.
fn attributes(raw: &Raw) -> Map<String, Value> {
    let defaults = entity::attribute_defaults();
    let mut names: Vec<&str> = defaults.keys().map(String::as_str).collect();
    names.push("default_branch_protection_defaults");
    raw.only(&names)
}

fn subgroup_creation(raw: &Raw) -> Result<Option<AccessLevel>, ApiError> {
    let name = "subgroup_creation_level";
    match raw.read::<Option<String>>(name)?.as_deref() {
        None => Ok(None),
        Some("owner") => Ok(Some(AccessLevel::Owner)),
        Some("maintainer") => Ok(Some(AccessLevel::Maintainer)),
        Some(_) => Err(ApiError::problem(name, Problem::Value)),
    }
}

pub(super) fn create(call: &Call<'_>, params: &CreateGroup) -> ApiResult {
    let user = call.user()?;
    let change = GroupChange {
        name: Some(params.name.clone()),
        path: Some(params.path.clone()),
        description: params.description.clone(),
        visibility: params.visibility,
        project_creation: params.project_creation_level,
        subgroup_creation: subgroup_creation(&call.raw)?,
        attributes: attributes(&call.raw),
    };
    call.instance.change(|state| {
        let may_create = call.identity.is_admin
            || state
                .users
                .get(user)
                .is_some_and(|user| user.can_create_group);
        let parent = match params.parent_id {
            Some(number) => {
                let parent = call
                    .visible_group(state, Id::new(number))
                    .ok_or_else(|| ApiError::not_found("Group"))?;
                if !state.can_group(call.viewer(), GroupAbility::CreateSubgroup, parent) {
                    return Err(ApiError::forbidden());
                }
                Some(parent.id)
            }
            None if may_create => None,
            None => return Err(ApiError::forbidden()),
        };
        let style = state.switches.get().hash_style;
        let id = state
            .create_group(parent, change, user, call.now)
            .map_err(|invalid| {
                ApiError::message(
                    StatusCode::BAD_REQUEST,
                    format!("Failed to save group {}", invalid.inspect(style)),
                )
            })?;
        let group = state.namespaces.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(entity::detail(call, state, group, true)))
    })
}

pub(super) fn update(call: &Call<'_>, params: &UpdateGroup) -> ApiResult {
    let change = GroupChange {
        name: params.name.clone(),
        path: params.path.clone(),
        description: params.description.clone(),
        visibility: params.visibility,
        project_creation: params.project_creation_level,
        subgroup_creation: subgroup_creation(&call.raw)?,
        attributes: attributes(&call.raw),
    };
    if change.name.is_some() {
        call.count(Limit::NamespaceName, call.capture("id"))?;
    }
    call.instance.change(|state| {
        let id = call.group_for(state, GroupAbility::Administer)?.id;
        state.change_group(id, change, call.now)?;
        let group = state.namespaces.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::ok(entity::detail(call, state, group, true)))
    })
}

pub(super) fn archive(call: &Call<'_>, _: &NoParams) -> ApiResult {
    set_archived(call, true)
}

pub(super) fn unarchive(call: &Call<'_>, _: &NoParams) -> ApiResult {
    set_archived(call, false)
}

fn set_archived(call: &Call<'_>, is_archived: bool) -> ApiResult {
    call.instance.change(|state| {
        let group = call.group_for(state, GroupAbility::Administer)?;
        let (id, before) = (group.id, group.is_archived);
        if before == is_archived {
            let text = if before {
                "Group is already archived!"
            } else {
                "Group is already unarchived!"
            };
            return Err(ApiError::message(StatusCode::UNPROCESSABLE_ENTITY, text));
        }
        if let Some(group) = state.namespaces.get_mut(id) {
            group.is_archived = is_archived;
            group.updated_at = call.now;
        }
        let group = state.namespaces.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::ok(entity::detail(call, state, group, true)))
    })
}

pub(super) fn transfer(call: &Call<'_>, params: &TransferGroup) -> ApiResult {
    call.instance.change(|state| {
        let id = call.group_for(state, GroupAbility::Administer)?.id;
        let parent = match params.group_id {
            None => None,
            Some(number) => {
                let parent = call
                    .visible_group(state, Id::new(number))
                    .ok_or_else(|| ApiError::not_found("Group"))?;
                if !state.can_group(call.viewer(), GroupAbility::CreateSubgroup, parent) {
                    return Err(ApiError::forbidden());
                }
                Some(parent.id)
            }
        };
        state
            .transfer_group(id, parent, call.now)
            .map_err(|invalid| ApiError::rejected(invalid.full_messages().join(", ")))?;
        let group = state.namespaces.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(entity::detail(call, state, group, true)))
    })
}
