//! Deleting and restoring groups.

use super::entity;
use crate::domain::access::GroupAbility;
use crate::domain::deletion::DeletionRequest;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, params};
use crate::web::reply::{ApiResult, Reply};

params! {
    struct DeleteGroup {
        permanently_remove: Option<bool>,
        full_path: Option<String>,
    }
}

pub(super) fn delete(call: &Call<'_>, params: &DeleteGroup) -> ApiResult {
    let request = DeletionRequest {
        permanently_remove: params.permanently_remove.unwrap_or(false),
        full_path: params.full_path.clone(),
    };
    let user = call.user()?;
    call.instance.change(|state| {
        let group = call.group_for(state, GroupAbility::Administer)?;
        call.check_unmodified(group.updated_at)?;
        let id = group.id;
        state
            .delete_group(id, &request, user, call.now)
            .map_err(ApiError::rejected)?;
        Ok(Reply::accepted())
    })
}

pub(super) fn restore(call: &Call<'_>, _: &NoParams) -> ApiResult {
    call.instance.change(|state| {
        let id = call.group_for(state, GroupAbility::Administer)?.id;
        state
            .restore_group(id, call.now)
            .map_err(ApiError::rejected)?;
        let group = state.namespaces.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(entity::detail(call, state, group, true)))
    })
}
