//! Reading projects.

use serde_json::json;

use super::entity;
use super::filter::{self, ProjectFilter};
use crate::limit::Limit;
use crate::web::call::Call;
use crate::web::page::Keyset;
use crate::web::params::NoParams;
use crate::web::reply::{ApiResult, Reply};

pub(super) fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project(&state)?;
    Ok(Reply::ok(entity::with_access(call, &state, project)))
}

pub(super) fn list(call: &Call<'_>, filter: &ProjectFilter) -> ApiResult {
    let limit = match call.identity.user {
        Some(_) => Limit::Projects,
        None => Limit::ProjectsUnauthenticated,
    };
    call.count(limit, "")?;
    let state = call.instance.store.read();
    let projects = filter::select(call, &state, filter, |_| true);
    call.page_by_key(
        &projects,
        &Keyset {
            parameter: "cursor",
            key: |project| project.id.to_string(),
            matches_token: |_, _| false,
        },
        |project| match (filter.simple, call.identity.user) {
            (Some(true), _) | (_, None) => entity::simple(call, &state, project),
            _ => entity::with_access(call, &state, project),
        },
    )
}

pub(super) fn import(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project(&state)?;
    Ok(Reply::ok(json!({
        "id": project.id,
        "name": project.name,
        "path": project.path,
        "path_with_namespace": state.project_path(project),
        "created_at": project.created_at.to_string(),
        "import_status": "none",
        "import_type": null,
        "import_error": null,
    })))
}
