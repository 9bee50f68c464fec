//! Archives.

use http::header;

use crate::domain::access::ProjectAbility;
use crate::git::archive::Format;
use crate::git::tree::Entry;
use crate::limit::Limit;
use crate::web::api_error::{ApiError, ErrorBody};
use crate::web::call::Call;
use crate::web::params::params;
use crate::web::reply::{ApiResult, Reply};

params! {
    struct GetArchive {
        sha: Option<String>,
        path: Option<String>,
        exclude_paths: Option<Vec<String>>,
        format: Option<String>,
    }
}

/// Serves `archive` and `archive.<format>`, which the router cannot tell apart.
pub(super) fn get(call: &Call<'_>, params: &GetArchive) -> ApiResult {
    let name = call.capture("archive");
    let extension = match name.strip_prefix("archive") {
        Some("") => None,
        Some(rest) if rest.starts_with('.') => rest.strip_prefix('.'),
        _ => {
            let shape = ErrorBody::Error("404 Not Found".to_owned());
            return Err(ApiError::new(http::StatusCode::NOT_FOUND, shape));
        }
    };
    let missing = || ApiError::not_found("File");
    let extension = extension.or(params.format.as_deref()).unwrap_or("tar.gz");
    let format = Format::from_extension(extension).ok_or_else(missing)?;
    let (id, slug, default) = {
        let state = call.instance.store.read();
        let project = call.project_for(&state, ProjectAbility::ReadCode)?;
        (
            project.id,
            project.path.clone(),
            state.default_branch(project),
        )
    };
    call.count(Limit::Archive, &id.to_string())?;
    let reference = params.sha.clone().unwrap_or(default);
    let repository = call.repository(id)?;
    let commit = repository.resolve(&reference).ok_or_else(missing)?;
    let path = params.path.as_deref().unwrap_or_default().trim_matches('/');
    let is_inside = |entry: &Entry, folder: &str| {
        entry.path == folder
            || entry
                .path
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let excluded = params.exclude_paths.clone().unwrap_or_default();
    let listed = repository.list(commit, "", true)?.ok_or_else(missing)?;
    let mut entries = listed.as_ref().clone();
    entries.retain(|entry| {
        let is_parent = path
            .strip_prefix(&entry.path)
            .is_some_and(|rest| rest.starts_with('/'));
        (path.is_empty() || is_inside(entry, path) || is_parent)
            && !excluded
                .iter()
                .any(|folder| is_inside(entry, folder.trim_matches('/')))
    });
    if !path.is_empty() && entries.is_empty() {
        return Err(missing());
    }
    let mut prefix = format!("{slug}-{}-{commit}", reference.replace('/', "-"));
    if !path.is_empty() {
        prefix.push('-');
        prefix.push_str(&path.replace('/', "-"));
    }
    let bytes = repository.archive(commit, &entries, &prefix, format)?;
    let disposition = format!("attachment; filename=\"{prefix}.{}\"", format.extension());
    Ok(Reply::bytes("application/octet-stream", bytes)
        .with_header(header::CONTENT_DISPOSITION, &disposition))
}
