//! Comparing commits.

use serde_json::{Value, json};

use super::entity;
use crate::domain::access::ProjectAbility;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::params;
use crate::web::reply::{ApiResult, Reply};

params! {
    struct Compare {
        from: String,
        to: String,
        straight: Option<bool>,
    }
}

params! {
    struct MergeBase {
        refs: Vec<String>,
    }
}

pub(super) fn compare(call: &Call<'_>, params: &Compare) -> ApiResult {
    let (id, web_url) = {
        let state = call.instance.store.read();
        let project = call.project_for(&state, ProjectAbility::ReadCode)?;
        (
            project.id,
            format!("{}/{}", call.instance.url(), state.project_path(project)),
        )
    };
    let repository = call.repository(id)?;
    let resolve = |name: &str| {
        repository
            .resolve(name)
            .ok_or_else(|| ApiError::not_found("Ref"))
    };
    let (from, to) = (resolve(&params.from)?, resolve(&params.to)?);
    let mut commits = Vec::new();
    for commit in repository.log_between(from, to)?.into_iter().rev() {
        if let Some(commit) = repository.commit(commit)? {
            commits.push(entity::commit(&commit, &web_url));
        }
    }
    let base = if params.straight.unwrap_or(false) {
        Some(from)
    } else {
        repository.merge_base(from, to)
    };
    let diffs: Vec<Value> = match base {
        Some(base) => repository
            .diff(Some(base), to)?
            .iter()
            .map(entity::diff)
            .collect(),
        None => Vec::new(),
    };
    let dots = if params.straight.unwrap_or(false) {
        ".."
    } else {
        "..."
    };
    Ok(Reply::ok(json!({
        "commit": commits.last(),
        "commits": commits,
        "diffs": diffs,
        "compare_timeout": false,
        "compare_same_ref": params.from == params.to,
        "web_url": format!("{web_url}/-/compare/{}{dots}{}", params.from, params.to),
    })))
}

pub(super) fn merge_base(call: &Call<'_>, params: &MergeBase) -> ApiResult {
    let (id, web_url) = {
        let state = call.instance.store.read();
        let project = call.project_for(&state, ProjectAbility::ReadCode)?;
        (
            project.id,
            format!("{}/{}", call.instance.url(), state.project_path(project)),
        )
    };
    let repository = call.repository(id)?;
    let mut base = None;
    for name in &params.refs {
        let commit = repository
            .resolve(name)
            .ok_or_else(|| ApiError::bad_request(format!("Could not find ref: {name}")))?;
        base = match base {
            None => Some(commit),
            Some(other) => repository.merge_base(other, commit),
        };
    }
    let commit = match base {
        Some(base) => repository.commit(base)?,
        None => None,
    };
    let commit = commit.ok_or_else(|| ApiError::not_found("Merge Base"))?;
    Ok(Reply::ok(entity::commit(&commit, &web_url)))
}
