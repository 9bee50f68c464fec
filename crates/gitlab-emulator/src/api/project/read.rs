//! Reading projects.

use serde_json::json;

use super::entity;
use super::filter::{self, ProjectFilter};
use crate::limit::Limited;
use crate::web::call::Call;
use crate::web::page::Keyset;
use crate::web::params::Nothing;
use crate::web::reply::{Answer, Reply};

pub(super) fn show(call: &Call<'_>, _: &Nothing) -> Answer {
    let state = call.instance.store.read();
    let project = call.project(&state)?;
    Ok(Reply::ok(entity::with_access(call, &state, project)))
}

pub(super) fn list(call: &Call<'_>, filter: &ProjectFilter) -> Answer {
    let limited = match call.identity.user {
        Some(_) => Limited::Projects,
        None => Limited::ProjectsUnauthenticated,
    };
    call.count(limited, "")?;
    let state = call.instance.store.read();
    let projects = filter::select(call, &state, filter, |_| true);
    call.page_by_key(
        &projects,
        &Keyset {
            parameter: "cursor",
            key: |project| project.id.to_string(),
            is_meant: |_, _| false,
        },
        |project| match (filter.simple, call.identity.user) {
            (Some(true), _) | (_, None) => entity::simple(call, &state, project),
            _ => entity::with_access(call, &state, project),
        },
    )
}

pub(super) fn import(call: &Call<'_>, _: &Nothing) -> Answer {
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
