//! Deleting and restoring projects.

use super::entity;
use crate::domain::access::ProjectAbility;
use crate::domain::deletion::DeletionRequest;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, params};
use crate::web::reply::{ApiResult, Reply};

params! {
    struct DeleteProject {
        permanently_remove: Option<bool>,
        full_path: Option<String>,
    }
}

pub(super) fn delete(call: &Call<'_>, params: &DeleteProject) -> ApiResult {
    let request = DeletionRequest {
        permanently_remove: params.permanently_remove.unwrap_or(false),
        full_path: params.full_path.clone(),
    };
    let user = call.user()?;
    call.instance.change(|state| {
        let project = call.project_for(state, ProjectAbility::Own)?;
        call.check_unmodified(project.updated_at)?;
        let id = project.id;
        state
            .delete_project(id, &request, user, call.now)
            .map_err(ApiError::rejected)?;
        Ok(Reply::accepted())
    })
}

pub(super) fn restore(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let id = call.project_for(state, ProjectAbility::Own)?.id;
        state
            .restore_project(id, call.now)
            .map_err(ApiError::rejected)?;
        let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(entity::full(call, state, project)))
    })
}
