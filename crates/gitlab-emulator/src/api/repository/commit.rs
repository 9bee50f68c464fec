//! Commits (GitLab `lib/api/commits.rb`, `lib/api/helpers/commits_body_uploader_helper.rb`).

use serde_json::{Value, json};

use super::commit_check::{self, FileGuards};
use super::{commit_params, entity};
use crate::domain::access::ProjectAbility;
use crate::domain::project::Project;
use crate::domain::switches::CommitValidation;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::git::action::Action;
use crate::git::commit::Commit;
use crate::git::history::Selection;
use crate::git::{ObjectId, Repository};
use crate::limit::Limit;
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::page::Totals;
use crate::web::params::{NoParams, Raw, params};
use crate::web::reply::{ApiResult, Reply};

/// Larger bodies count against a limit.
const LARGE: usize = 20 * 1024 * 1024;

params! {
    struct ListCommits {
        ref_name: Option<String>,
        since: Option<Moment>,
        until: Option<Moment>,
        path: Option<String>,
        author: Option<String>,
        all: Option<bool>,
        with_stats: Option<bool>,
        first_parent: Option<bool>,
    }
}

params! {
    struct ShowCommit {
        stats: Option<bool>,
    }
}

pub(super) fn list(call: &Call<'_>, params: &ListCommits) -> ApiResult {
    let (id, default, web_url) = {
        let state = call.instance.store.read();
        let project = call.project_for(&state, ProjectAbility::ReadCode)?;
        let web_url = format!("{}/{}", call.instance.url(), state.project_path(project));
        (project.id, state.default_branch(project), web_url)
    };
    let repository = call.repository(id)?;
    if repository.is_empty()? {
        let is_missing = call
            .instance
            .store
            .read()
            .switches
            .get()
            .empty_repository_has_no_commits_list;
        return if is_missing {
            Err(ApiError::not_found("Repository"))
        } else {
            call.page_of::<ObjectId>(&[], Totals::Unknown, |_| Value::Null)
        };
    }
    let tips: Vec<ObjectId> = if params.all == Some(true) {
        repository
            .branches()?
            .into_iter()
            .map(|(_, commit)| commit)
            .collect()
    } else {
        let name = params.ref_name.clone().unwrap_or(default);
        vec![
            repository
                .resolve(&name)
                .ok_or_else(|| ApiError::not_found("Commit"))?,
        ]
    };
    let selection = Selection {
        path: params.path.clone(),
        since: params.since.map(Moment::seconds),
        until: params.until.map(Moment::seconds),
        author: params.author.clone(),
        is_first_parent: params.first_parent.unwrap_or(false),
    };
    let commits = repository.log(&tips, &selection)?;
    let with_stats = params.with_stats.unwrap_or(false);
    call.page_of(&commits, Totals::Unknown, |commit| {
        let Ok(Some(commit)) = repository.commit(*commit) else {
            return Value::Null;
        };
        let mut entity = entity::commit(&commit, &web_url);
        if with_stats
            && let Value::Object(map) = &mut entity
            && let Ok(stats) = repository.stats(commit.parents.first().copied(), commit.id)
        {
            map.insert("stats".to_owned(), entity::stats(stats));
        }
        entity
    })
}

/// Returns the project's ID and address, its repository and the commit of `sha`.
fn find(call: &Call<'_>) -> Result<(Id<Project>, String, Repository, Commit), ApiError> {
    let (id, web_url) = {
        let state = call.instance.store.read();
        let project = call.project_for(&state, ProjectAbility::ReadCode)?;
        (
            project.id,
            format!("{}/{}", call.instance.url(), state.project_path(project)),
        )
    };
    let repository = call.repository(id)?;
    let missing = || ApiError::not_found("Commit");
    let commit = repository
        .resolve(call.capture("sha"))
        .ok_or_else(missing)?;
    let commit = repository.commit(commit)?.ok_or_else(missing)?;
    Ok((id, web_url, repository, commit))
}

pub(super) fn show(call: &Call<'_>, params: &ShowCommit) -> ApiResult {
    let (id, web_url, repository, commit) = find(call)?;
    let stats = match params.stats {
        Some(false) => None,
        _ => Some(repository.stats(commit.parents.first().copied(), commit.id)?),
    };
    Ok(Reply::ok(entity::commit_detail(
        &commit,
        stats,
        id.number(),
        &web_url,
    )))
}

pub(super) fn diff(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let (_, _, repository, commit) = find(call)?;
    let diffs = repository.diff(commit.parents.first().copied(), commit.id)?;
    call.page(&diffs, entity::diff)
}

pub(super) fn references(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let (_, _, repository, commit) = find(call)?;
    let kind = call.raw.read::<Option<String>>("type")?;
    let kind = kind.as_deref().unwrap_or("all");
    let mut rows = Vec::new();
    if matches!(kind, "all" | "branch") {
        rows.extend(
            repository
                .branches()?
                .into_iter()
                .map(|(name, tip)| ("branch", name, tip)),
        );
    }
    if matches!(kind, "all" | "tag") {
        rows.extend(
            repository
                .tags()?
                .into_iter()
                .map(|(name, tip)| ("tag", name, tip)),
        );
    }
    rows.retain(|(_, _, tip)| repository.is_ancestor(commit.id, *tip));
    call.page_of(
        &rows,
        Totals::Unknown,
        |(kind, name, _)| json!({ "type": kind, "name": name }),
    )
}

pub(super) fn create(call: &Call<'_>, raw: &Raw) -> ApiResult {
    if call.body.len() > LARGE {
        call.count(Limit::LargeCommit, "")?;
    }
    let validation = call.instance.store.read().switches.get().commit_validation;
    let early = match validation {
        CommitValidation::Grape => Some(commit_params::check(raw, validation)?),
        CommitValidation::Workhorse => None,
    };
    let branch = commit_params::text(&raw.0, "branch").unwrap_or_default();
    let project = require_push_access(call, &branch)?;
    let params = match early {
        Some(params) => params,
        None => commit_params::check(raw, validation)?,
    };
    let plan = commit_check::plan(call, project, params.target)?;
    let repository = call.repository(project)?;
    let mut guards = FileGuards::new(&repository, &plan);
    for guarded in &params.actions {
        if let Some(last) = &guarded.last_commit_id
            && guards.has_changed(&guarded.path, last)?
        {
            return Err(ApiError::rejected(format!(
                "The file has changed since you started editing it: {}",
                guarded.path
            )));
        }
    }
    let actions: Vec<Action> = params
        .actions
        .into_iter()
        .map(|guarded| guarded.action)
        .collect();
    let written = commit_check::write(call, &plan, &params.message, &actions, params.author)?;
    let commit = repository
        .commit(written.commit)?
        .ok_or_else(ApiError::internal)?;
    let stats = if params.with_stats {
        Some(repository.stats(written.parent, written.commit)?)
    } else {
        None
    };
    let state = call.instance.store.read();
    let path = state
        .projects
        .get(project)
        .map(|project| state.project_path(project));
    let web_url = format!("{}/{}", call.instance.url(), path.unwrap_or_default());
    Ok(Reply::created(entity::commit_detail(
        &commit,
        stats,
        project.number(),
        &web_url,
    )))
}

/// Checks that the caller may push to the branch, before anything else.
fn require_push_access(call: &Call<'_>, branch: &str) -> Result<Id<Project>, ApiError> {
    let state = call.instance.store.read();
    let project = call.project(&state)?;
    let is_empty = call.repository(project.id)?.is_empty()?;
    if state.can_push(call.viewer().into(), project, branch, is_empty) {
        Ok(project.id)
    } else {
        Err(ApiError::forbidden_because(
            "You are not allowed to push into this branch",
        ))
    }
}
