//! Sharing groups and projects with groups.

use serde_json::json;

use crate::api::group::entity as group_entity;
use crate::domain::level::AccessLevel;
use crate::domain::member::Share;
use crate::domain::table::Id;
use crate::domain::time::Day;
use crate::domain::user::Resource;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, Problem, params};
use crate::web::reply::{ApiResult, Reply};
use crate::web::route::Route;

params! {
    struct ShareWith {
        group_id: u64,
        group_access: AccessLevel,
        expires_at: Option<Day>,
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/groups/{id}/share", share).permission("Group: Share"),
        Route::delete("/groups/{id}/share/{group_id}", unshare).permission("Group: Share"),
        Route::post("/projects/{id}/share", share).permission("Project: Share"),
        Route::delete("/projects/{id}/share/{group_id}", unshare).permission("Project: Share"),
    ]
}

fn lowest(resource: Resource) -> AccessLevel {
    match resource {
        Resource::Project(_) => AccessLevel::Maintainer,
        Resource::Group(_) => AccessLevel::Owner,
    }
}

fn share(call: &Call<'_>, params: &ShareWith) -> ApiResult {
    call.instance.change(|state| {
        let resource = call.resource(state)?;
        call.resource_for(state, lowest(resource))?;
        let with = call
            .visible_group(state, Id::new(params.group_id))
            .ok_or_else(|| ApiError::not_found("Group"))?
            .id;
        if params.group_access == AccessLevel::None || params.group_access > AccessLevel::Owner {
            return Err(ApiError::problem("group_access", Problem::Value));
        }
        if state
            .shares
            .any(|share| share.resource == resource && share.with == with)
        {
            return Err(ApiError::conflict(
                "The group has already been shared with this group",
            ));
        }
        let id = state.shares.add(|id| Share {
            id,
            resource,
            with,
            level: params.group_access,
            expires_at: params.expires_at,
            created_at: call.now,
        });
        match resource {
            Resource::Group(group) => {
                let group = state.namespaces.get(group).ok_or_else(ApiError::internal)?;
                Ok(Reply::created(group_entity::detail(
                    call, state, group, true,
                )))
            }
            Resource::Project(project) => Ok(Reply::created(json!({
                "id": id,
                "project_id": project,
                "group_id": with,
                "group_access": params.group_access,
                "expires_at": params.expires_at,
            }))),
        }
    })
}

fn unshare(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let resource = call.resource(state)?;
        call.resource_for(state, lowest(resource))?;
        let with = call.number("group_id")?;
        let share = state
            .shares
            .find(|share| share.resource == resource && share.with == with);
        let id = share.ok_or_else(|| ApiError::not_found("Group"))?.id;
        state.shares.remove(id);
        Ok(Reply::no_content())
    })
}
