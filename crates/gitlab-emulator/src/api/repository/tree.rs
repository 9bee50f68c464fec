//! Tree listings.

use super::entity;
use crate::domain::access::ProjectAbility;
use crate::git::ObjectId;
use crate::git::tree::Entry;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::page::Keyset;
use crate::web::params::params;
use crate::web::reply::{ApiResult, Reply};

params! {
    struct ListTree {
        path: Option<String>,
        r#ref: Option<String>,
        recursive: Option<bool>,
        pagination: Option<String>,
    }
}

pub(super) fn list(call: &Call<'_>, params: &ListTree) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ProjectAbility::ReadCode)?;
    let id = project.id;
    let reference = params
        .r#ref
        .clone()
        .unwrap_or_else(|| state.default_branch(project));
    drop(state);
    let is_recursive = params.recursive.unwrap_or(false);
    let is_unpaginated = params.pagination.as_deref() == Some("none");
    if is_unpaginated && !is_recursive {
        return Err(ApiError::bad_request(
            "pagination=none is only available with recursive=true",
        ));
    }
    let repository = call.repository(id)?;
    let commit = repository
        .resolve(&reference)
        .ok_or_else(|| ApiError::not_found("Tree"))?;
    let path = params.path.as_deref().unwrap_or_default();
    let entries = repository
        .list(commit, path, is_recursive)?
        .ok_or_else(|| ApiError::not_found("invalid revision or path"))?;
    if is_unpaginated {
        return Ok(Reply::ok(entries.iter().map(entity::tree_entry).collect()));
    }
    // Object IDs are not unique: several paths can have the same content.
    let keyset = Keyset {
        parameter: "page_token",
        key: |entry: &Entry| entry.path.clone(),
        matches_token: |entry, id| ObjectId::from_hex(id.as_bytes()).is_ok_and(|id| id == entry.id),
    };
    call.page_by_key(&entries, &keyset, entity::tree_entry)
}
