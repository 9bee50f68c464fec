//! Creating and changing projects.

use http::StatusCode;
use serde_json::{Map, Value};

use super::entity;
use crate::api::namespace;
use crate::domain::access::{GroupAbility, ProjectAbility};
use crate::domain::invalid::Invalid;
use crate::domain::level::Visibility;
use crate::domain::namespace::{Namespace, NamespaceKind};
use crate::domain::project::Project;
use crate::domain::project_change::ProjectChange;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::user::User;
use crate::git::action::Action;
use crate::git::reference::is_branch_name;
use crate::post_receive;
use crate::web::api_error::{ApiError, ErrorBody};
use crate::web::call::Call;
use crate::web::params::{FieldError, NoParams, Raw, params};
use crate::web::reply::{ApiResult, Reply};
use crate::write::{self, Write};

params! {
    struct CreateProject {
        name: Option<String>,
        path: Option<String>,
        namespace_id: Option<u64>,
        description: Option<String>,
        visibility: Option<Visibility>,
        default_branch: Option<String>,
        initialize_with_readme: Option<bool>,
        topics: Option<Vec<String>>,
    }
    at_least_one_of ["name", "path"]
}

params! {
    struct UpdateProject {
        name: Option<String>,
        path: Option<String>,
        description: Option<String>,
        visibility: Option<Visibility>,
        default_branch: Option<String>,
        topics: Option<Vec<String>>,
    }
}

fn attributes(raw: &Raw) -> Map<String, Value> {
    let defaults = entity::attribute_defaults();
    let names: Vec<&str> = defaults.keys().map(String::as_str).collect();
    raw.only(&names)
}

pub(super) fn create(call: &Call<'_>, params: &CreateProject) -> ApiResult {
    let user = call.user()?;
    create_as(call, params, user)
}

/// Creates a project on behalf of another user.
pub(super) fn create_for(call: &Call<'_>, params: &CreateProject) -> ApiResult {
    let user = call.number("user_id")?;
    if call.instance.store.read().users.get(user).is_none() {
        return Err(ApiError::not_found("User"));
    }
    create_as(call, params, user)
}

fn create_as(call: &Call<'_>, params: &CreateProject, user: Id<User>) -> ApiResult {
    // GitLab silently ignores a full reference here (issue 516857).
    let is_usable = params
        .default_branch
        .as_deref()
        .is_none_or(|branch| is_branch_name(branch) && !branch.starts_with("refs/"));
    let branch = params.default_branch.clone().filter(|_| is_usable);
    let change = ProjectChange {
        name: params.name.clone(),
        path: params.path.clone(),
        description: params.description.clone(),
        visibility: params.visibility,
        default_branch: branch,
        topics: params.topics.clone(),
        attributes: attributes(&call.raw),
    };
    let id = call.instance.change(|state| {
        let namespace = target_namespace(call, state, user, params.namespace_id)?;
        let id = state.create_project(namespace, change, user, call.now)?;
        let branch = state
            .projects
            .get(id)
            .map(|project| state.default_branch(project))
            .unwrap_or_default();
        if let Err(error) = call.instance.repositories.create(id.number(), &branch) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "could not create a repository"
            );
            state.remove_project(id);
            return Err(ApiError::invalid(Invalid::field(
                "base",
                "Failed to create repository",
            )));
        }
        post_receive::record_creation(state, id, user);
        Ok(id)
    })?;
    if params.initialize_with_readme == Some(true) && is_usable {
        commit_readme(call, id, user);
    }
    let state = call.instance.store.read();
    let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
    Ok(Reply::created(entity::full(call, &state, project)))
}

/// Finds the namespace of a new project and checks that the caller may create projects there.
fn target_namespace(
    call: &Call<'_>,
    state: &State,
    user: Id<User>,
    number: Option<u64>,
) -> Result<Id<Namespace>, ApiError> {
    let own = state.users.get(user).and_then(|user| user.namespace);
    let invalid = || ApiError::invalid(Invalid::field("namespace", "is not valid"));
    let id = number.map(Id::new).or(own).ok_or_else(invalid)?;
    let namespace = state
        .namespaces
        .get(id)
        .filter(|namespace| !namespace.is_being_removed)
        .ok_or_else(|| {
            let text = state.switches.get().texts.unknown_namespace.clone();
            ApiError::invalid(Invalid::field("namespace", text))
        })?;
    match namespace.kind {
        NamespaceKind::Group => {
            if state.can_group(call.viewer(), GroupAbility::CreateProjects, namespace) {
                Ok(id)
            } else {
                Err(invalid())
            }
        }
        NamespaceKind::User(owner) if owner == user || call.identity.is_admin => {
            check_quota(state, owner, id)?;
            Ok(id)
        }
        NamespaceKind::User(_) => Err(invalid()),
    }
}

fn check_quota(state: &State, owner: Id<User>, namespace: Id<Namespace>) -> Result<(), ApiError> {
    let limit = state.users.get(owner).map_or(0, |user| user.projects_limit);
    let count = state
        .projects
        .iter()
        .filter(|project| project.namespace == namespace)
        .count();
    if u64::try_from(count).unwrap_or(u64::MAX) < limit {
        return Ok(());
    }
    let text = if limit == 0 {
        "Personal project creation is not allowed. Please contact your administrator with questions"
            .to_owned()
    } else {
        format!(
            "Your project limit is {limit} projects! Please contact your administrator to increase it"
        )
    };
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        ErrorBody::Errors(vec![text]),
    ))
}

/// Creates the first commit. As in GitLab, the project stays if this fails.
fn commit_readme(call: &Call<'_>, id: Id<Project>, user: Id<User>) {
    let (branch, content) = {
        let state = call.instance.store.read();
        let Some(project) = state.projects.get(id) else {
            return;
        };
        let description = project.description.clone().unwrap_or_default();
        (
            state.default_branch(project),
            format!("# {}\n\n{description}", project.name),
        )
    };
    let action = Action::Create {
        path: "README.md".to_owned(),
        content: content.into_bytes(),
        is_executable: false,
    };
    let write = Write {
        project: id,
        branch: &branch,
        start: None,
        is_forced: false,
        message: "Initial commit",
        actions: &[action],
        author: None,
        user,
    };
    if let Err(error) = write::commit(call.instance, &write) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "could not create the README of a project"
        );
    }
}

pub(super) fn update(call: &Call<'_>, params: &UpdateProject) -> ApiResult {
    let attributes = attributes(&call.raw);
    let has_any = params.name.is_some()
        || params.path.is_some()
        || params.description.is_some()
        || params.visibility.is_some()
        || params.default_branch.is_some()
        || params.topics.is_some()
        || !attributes.is_empty();
    if !has_any {
        let mut names: Vec<String> = entity::attribute_defaults().keys().cloned().collect();
        names.extend(
            [
                "default_branch",
                "description",
                "name",
                "path",
                "topics",
                "visibility",
            ]
            .map(str::to_owned),
        );
        names.sort();
        return Err(ApiError::parameters(vec![FieldError::NoneOf(names)]));
    }
    let change = ProjectChange {
        name: params.name.clone(),
        path: params.path.clone(),
        description: params.description.clone(),
        visibility: params.visibility,
        default_branch: params.default_branch.clone(),
        topics: params.topics.clone(),
        attributes,
    };
    let branch = change.default_branch.clone();
    call.instance.change(|state| {
        let project = call.project_for(state, ProjectAbility::Administer)?;
        // Even an unchanged visibility requires an owner.
        let requires_owner = change.visibility.is_some();
        if requires_owner && !state.can_project(call.viewer(), ProjectAbility::Own, project) {
            return Err(ApiError::forbidden());
        }
        let id = project.id;
        let repository = call.repository(id)?;
        if let Some(branch) = &branch {
            let exists = repository.branch(branch)?.is_some() || repository.is_empty()?;
            if !exists {
                let text = "Could not change HEAD: branch '{}' does not exist";
                return Err(ApiError::invalid(Invalid::field(
                    "base",
                    text.replace("{}", branch),
                )));
            }
        }
        state.change_project(id, change, call.now)?;
        if let Some(branch) = &branch {
            repository.set_head(branch)?;
        }
        let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::ok(entity::full(call, state, project)))
    })
}

params! {
    struct TransferProject {
        namespace: String,
    }
}

pub(super) fn archive(call: &Call<'_>, _: &NoParams) -> ApiResult {
    set_archived(call, true)
}

pub(super) fn unarchive(call: &Call<'_>, _: &NoParams) -> ApiResult {
    set_archived(call, false)
}

fn set_archived(call: &Call<'_>, is_archived: bool) -> ApiResult {
    call.instance.change(|state| {
        let id = call.project_for(state, ProjectAbility::Own)?.id;
        if let Some(project) = state.projects.get_mut(id) {
            project.is_archived = is_archived;
            project.updated_at = call.now;
        }
        let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::created(entity::full(call, state, project)))
    })
}

pub(super) fn transfer(call: &Call<'_>, params: &TransferProject) -> ApiResult {
    call.instance.change(|state| {
        let id = call.project_for(state, ProjectAbility::Own)?.id;
        let target = namespace::find(call, state, &params.namespace)?.id;
        target_namespace(call, state, call.user()?, Some(target.number()))
            .map_err(|_| ApiError::forbidden())?;
        state
            .transfer_project(id, target, call.now)
            .map_err(|invalid| {
                let text = invalid.full_messages().join(", ");
                ApiError::rejected(format!("Failed to transfer project {text}"))
            })?;
        let project = state.projects.get(id).ok_or_else(ApiError::internal)?;
        Ok(Reply::ok(entity::full(call, state, project)))
    })
}
