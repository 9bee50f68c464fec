//! Branches (GitLab `lib/api/branches.rb`, `app/services/branches/`).

use http::StatusCode;
use regex::Regex;
use serde_json::{Value, json};

use super::entity;
use crate::domain::access::ProjectAbility;
use crate::domain::level::AccessLevel;
use crate::domain::project::Project;
use crate::domain::protection::{AccessEntry, Grantee, ProtectedBranch};
use crate::domain::push_check::{ChangeKind, Origin, PushDecision, ReferenceChange};
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::domain::user::User;
use crate::git::action::Action;
use crate::git::reference::{ReferenceConflict, is_branch_name};
use crate::git::{ObjectId, Repository};
use crate::post_receive::{self, ReferenceUpdate};
use crate::web::api_error::ApiError;
use crate::web::call::Call;
use crate::web::params::{NoParams, params};
use crate::web::reply::{ApiResult, Reply};
use crate::write::{self, Write};

params! {
    struct ListBranches {
        search: Option<String>,
        regex: Option<String>,
    }
}

params! {
    struct CreateBranch {
        branch: String,
        r#ref: String,
    }
}

pub(super) fn list(call: &Call<'_>, params: &ListBranches) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ProjectAbility::ReadCode)?;
    let repository = call.repository(project.id)?;
    let pattern = match &params.regex {
        Some(pattern) => {
            Some(Regex::new(pattern).map_err(|_| ApiError::parameter("regex is invalid"))?)
        }
        None => None,
    };
    let branches: Vec<(String, ObjectId)> = repository
        .branches()?
        .into_iter()
        .filter(|(name, _)| {
            let matches_search = params.search.as_deref().is_none_or(|search| {
                match (search.strip_prefix('^'), search.strip_suffix('$')) {
                    (Some(start), _) => name.starts_with(start),
                    (None, Some(end)) => name.ends_with(end),
                    (None, None) => name.to_lowercase().contains(&search.to_lowercase()),
                }
            });
            matches_search
                && pattern
                    .as_ref()
                    .is_none_or(|pattern| pattern.is_match(name))
        })
        .collect();
    call.page(&branches, |(name, commit)| {
        show_branch(call, &state, project, &repository, name, *commit).unwrap_or(Value::Null)
    })
}

pub(super) fn show(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ProjectAbility::ReadCode)?;
    let repository = call.repository(project.id)?;
    let name = call.capture("branch");
    let commit = find(&repository, name)?;
    Ok(Reply::ok(show_branch(
        call,
        &state,
        project,
        &repository,
        name,
        commit,
    )?))
}

pub(super) fn head(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let state = call.instance.store.read();
    let project = call.project_for(&state, ProjectAbility::ReadCode)?;
    let repository = call.repository(project.id)?;
    match repository.branch(call.capture("branch"))? {
        Some(_) => Ok(Reply::no_content()),
        None => Err(ApiError::not_found("Branch")),
    }
}

fn find(repository: &Repository, name: &str) -> Result<ObjectId, ApiError> {
    if !is_branch_name(name) {
        return Err(ApiError::rejected("The branch refname is invalid"));
    }
    repository
        .branch(name)?
        .ok_or_else(|| ApiError::not_found("Branch"))
}

fn show_branch(
    call: &Call<'_>,
    state: &State,
    project: &Project,
    repository: &Repository,
    name: &str,
    commit: ObjectId,
) -> Result<Value, ApiError> {
    let web_url = format!("{}/{}", call.instance.url(), state.project_path(project));
    let default = state.default_branch(project);
    let is_default = default == name;
    let is_merged = !is_default
        && repository
            .branch(&default)?
            .is_some_and(|default| repository.is_ancestor(commit, default));
    let commit = call
        .instance
        .delayed_branch(project.id, name)
        .unwrap_or(commit);
    let entity = repository.commit(commit)?.ok_or_else(ApiError::internal)?;
    let developers = |list: fn(&ProtectedBranch) -> &Vec<AccessEntry>| {
        let level = Grantee::Level(AccessLevel::Developer);
        state
            .protections(project.id, name)
            .any(|protection| list(protection).iter().any(|entry| entry.grantee == level))
    };
    Ok(json!({
        "name": name,
        "commit": entity::commit(&entity, &web_url),
        "merged": is_merged,
        "protected": state.is_protected(project, name, false),
        "developers_can_push": developers(|protection| &protection.push),
        "developers_can_merge": developers(|protection| &protection.merge),
        "can_push": state.can_push(call.viewer().into(), project, name, false),
        "default": is_default,
        "web_url": format!("{web_url}/-/tree/{name}"),
    }))
}

pub(super) fn create(call: &Call<'_>, params: &CreateBranch) -> ApiResult {
    let user = call.user()?;
    let name = params.branch.as_str();
    let (id, default) = {
        let state = call.instance.store.read();
        let project = call.project_for(&state, ProjectAbility::PushCode)?;
        (project.id, state.default_branch(project))
    };
    let repository = call.repository(id)?;
    if repository.is_empty()? {
        // GitLab creates a first commit in an empty repository, to have something to branch from.
        let action = Action::Create {
            path: "README.md".to_owned(),
            content: Vec::new(),
            is_executable: false,
        };
        let write = Write {
            project: id,
            branch: &default,
            start: None,
            is_forced: false,
            message: "Add README.md",
            actions: &[action],
            author: None,
            user,
        };
        write::commit(call.instance, &write).map_err(|_| ApiError::internal())?;
    }
    if !is_branch_name(name) {
        return Err(ApiError::rejected("Branch name is invalid"));
    }
    if repository.branch(name)?.is_some() {
        return Err(ApiError::rejected("Branch already exists"));
    }
    let failed = |why: &str| ApiError::rejected(format!("Failed to create branch '{name}': {why}"));
    let Some(commit) = repository.resolve(&params.r#ref) else {
        return Err(failed(&format!(
            "invalid reference name '{}'",
            params.r#ref
        )));
    };
    let reference = format!("refs/heads/{name}");
    check_hooks(call, &repository, id, &reference, ChangeKind::Create)?;
    match repository.swap_reference(&reference, None, Some(commit))? {
        Ok(()) => {}
        Err(ReferenceConflict::Hierarchy) => {
            return Err(failed(
                "Branch name conflicts with existing branch hierarchy.",
            ));
        }
        Err(ReferenceConflict::Exists) => return Err(ApiError::rejected("Branch already exists")),
        Err(ReferenceConflict::Name) => return Err(ApiError::rejected("Branch name is invalid")),
        Err(ReferenceConflict::Moved | ReferenceConflict::Locked) => {
            return Err(failed("reference is already locked"));
        }
    }
    let update = ReferenceUpdate {
        reference,
        old: None,
        new: Some(commit),
    };
    post_receive::process(call.instance, id, user, &[update])?;
    let state = call.instance.store.read();
    let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
    Ok(Reply::created(show_branch(
        call,
        &state,
        project,
        &repository,
        name,
        commit,
    )?))
}

/// Checks a branch change against GitLab's hooks.
fn check_hooks(
    call: &Call<'_>,
    repository: &Repository,
    project: Id<Project>,
    reference: &str,
    kind: ChangeKind,
) -> Result<(), ApiError> {
    let wanted = ReferenceChange {
        reference,
        kind,
        origin: Origin::Api,
        is_empty: repository.is_empty()?,
    };
    let state = call.instance.store.read();
    let Some(project) = state.projects.get(project) else {
        return Ok(());
    };
    match state.push_check(call.viewer().into(), project, wanted) {
        PushDecision::Deny(text) => Err(ApiError::rejected(text)),
        PushDecision::Allow | PushDecision::DenyForced(_) => Ok(()),
    }
}

pub(super) fn delete(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let user = call.user()?;
    let name = call.capture("branch");
    let id = {
        let state = call.instance.store.read();
        call.project_for(&state, ProjectAbility::PushCode)?.id
    };
    let repository = call.repository(id)?;
    let commit = find(&repository, name)?;
    if let Some(tip) = repository.commit(commit)? {
        call.check_unmodified(Moment::from_millis(
            tip.committer.seconds.saturating_mul(1000),
        ))?;
    }
    {
        let state = call.instance.store.read();
        let project = state
            .projects
            .get(id)
            .ok_or_else(|| ApiError::not_found("Project"))?;
        let is_default = state.default_branch(project) == name;
        if !is_default && !state.can_push(call.viewer().into(), project, name, false) {
            let text = "You dont have push access to repo";
            return Err(ApiError::message(StatusCode::METHOD_NOT_ALLOWED, text));
        }
    }
    check_hooks(
        call,
        &repository,
        id,
        &format!("refs/heads/{name}"),
        ChangeKind::Delete,
    )?;
    remove(call, &repository, id, user, name, commit)?;
    Ok(Reply::no_content())
}

pub(super) fn delete_merged(call: &Call<'_>, _: &NoParams) -> ApiResult {
    let user = call.user()?;
    let (id, default) = {
        let state = call.instance.store.read();
        let project = call.project_for(&state, ProjectAbility::PushCode)?;
        (project.id, state.default_branch(project))
    };
    let repository = call.repository(id)?;
    if let Some(head) = repository.branch(&default)? {
        for (name, commit) in repository.branches()? {
            let is_protected = call.is_branch_protected(id, &name);
            if name != default && !is_protected && repository.is_ancestor(commit, head) {
                remove(call, &repository, id, user, &name, commit)?;
            }
        }
    }
    Ok(Reply::accepted())
}

fn remove(
    call: &Call<'_>,
    repository: &Repository,
    project: Id<Project>,
    user: Id<User>,
    name: &str,
    commit: ObjectId,
) -> Result<(), ApiError> {
    let reference = format!("refs/heads/{name}");
    if repository
        .swap_reference(&reference, Some(commit), None)?
        .is_err()
    {
        return Err(ApiError::message(
            StatusCode::BAD_REQUEST,
            "Failed to remove branch",
        ));
    }
    let update = ReferenceUpdate {
        reference,
        old: Some(commit),
        new: None,
    };
    post_receive::process(call.instance, project, user, &[update])?;
    Ok(())
}
