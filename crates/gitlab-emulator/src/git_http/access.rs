//! Authorisation of fetches and pushes (GitLab `lib/gitlab/git_access.rb`).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::credential::Actor;
use super::path::Service;
use crate::domain::access::{GroupAbility, ProjectAbility, Viewer};
use crate::domain::key::Key;
use crate::domain::namespace::NamespaceKind;
use crate::domain::project::Project;
use crate::domain::project_change::ProjectChange;
use crate::domain::route::Target;
use crate::domain::state::State;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::domain::user::{Resource, User};
use crate::instance::Instance;

/// A refused git request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccessError {
    /// 401: missing or invalid credentials.
    Credentials,
    /// 404 with a text.
    NotFound(&'static str),
    /// 403 with a text.
    Forbidden(&'static str),
}

const NO_PROJECT: &str =
    "The project you were looking for could not be found or you don't have permission to view it.";

impl IntoResponse for AccessError {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Credentials => (
                StatusCode::UNAUTHORIZED,
                "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or you're required to use a token instead of a password. If a token was provided, it was either incorrect, expired, or improperly scoped. See /help/topics/git/troubleshooting_git.md#error-on-git-fetch-http-basic-access-denied",
            ),
            Self::NotFound(text) => (StatusCode::NOT_FOUND, text),
            Self::Forbidden(text) => (StatusCode::FORBIDDEN, text),
        };
        let mut response = (status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        if self == Self::Credentials {
            let realm = HeaderValue::from_static("Basic realm=\"GitLab\"");
            headers.insert(header::WWW_AUTHENTICATE, realm);
        }
        response
    }
}

/// A permitted fetch or push.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) project: Id<Project>,
    /// The user; `None` for anonymous fetches.
    pub(super) user: Option<Id<User>>,
    pub(super) is_admin: bool,
    /// The deploy key that authenticated; `user` is its creator then.
    pub(super) deploy_key: Option<Id<Key>>,
}

/// Authorises a request.
pub(super) fn check(
    state: &State,
    actor: &Actor,
    path: &str,
    service: Service,
    now: Moment,
) -> Result<Grant, AccessError> {
    let nobody = Viewer {
        user: None,
        is_admin: false,
        now,
    };
    let (viewer, can_download, can_push) = match actor {
        Actor::Anonymous | Actor::DeployToken(_) => (nobody, true, false),
        Actor::DeployKey(key) => (state.key_viewer(*key, now).unwrap_or(nobody), true, true),
        Actor::User {
            user,
            is_admin,
            can_download,
            can_push,
        } => (
            Viewer {
                user: Some(*user),
                is_admin: *is_admin,
                now,
            },
            *can_download,
            *can_push,
        ),
    };
    let project = match state.at_path(path) {
        Some(Target::Project(id)) => state.projects.get(id),
        Some(Target::Namespace(_)) => None,
        None => state.redirected(path),
    };
    let deploy_key = match actor {
        Actor::DeployKey(key) => Some(*key),
        Actor::Anonymous | Actor::User { .. } | Actor::DeployToken(_) => None,
    };
    let has_deploy_access = |project: &Project| match actor {
        Actor::DeployKey(key) => state.key_link(project.id, *key).is_some(),
        Actor::DeployToken(Resource::Project(id)) => project.id == *id,
        Actor::DeployToken(Resource::Group(id)) => state
            .self_and_ancestors(project.namespace)
            .any(|group| group.id == *id),
        Actor::Anonymous | Actor::User { .. } => false,
    };
    let visible = project.filter(|project| {
        !project.is_being_removed
            && (has_deploy_access(project)
                || deploy_key.is_none() && state.can_project(viewer, ProjectAbility::Read, project))
    });
    let Some(project) = visible else {
        // Anonymous callers must not learn which projects exist.
        return Err(match actor {
            Actor::Anonymous => AccessError::Credentials,
            Actor::User { .. } | Actor::DeployKey(_) | Actor::DeployToken(_) => {
                AccessError::NotFound(NO_PROJECT)
            }
        });
    };
    match service {
        Service::UploadPack => {
            let may_read = has_deploy_access(project)
                || state.can_project(viewer, ProjectAbility::ReadCode, project);
            if !can_download || !may_read {
                return Err(AccessError::Forbidden(
                    "You are not allowed to download code from this project.",
                ));
            }
        }
        Service::ReceivePack => {
            if *actor == Actor::Anonymous {
                return Err(AccessError::Credentials);
            }
            if !can_push {
                return Err(AccessError::Forbidden(
                    "You are not allowed to upload code.",
                ));
            }
            if project.is_archived {
                return Err(AccessError::Forbidden(
                    "You can't push code to an archived project.",
                ));
            }
            if let Some(key) = deploy_key {
                check_key_push(state, key, project, now)?;
            } else if !state.can_project(viewer, ProjectAbility::PushCode, project) {
                return Err(AccessError::Forbidden(
                    "You are not allowed to push code to this project.",
                ));
            }
        }
    }
    Ok(Grant {
        project: project.id,
        user: viewer.user,
        is_admin: viewer.is_admin,
        deploy_key,
    })
}

fn check_key_push(
    state: &State,
    key: Id<Key>,
    project: &Project,
    now: Moment,
) -> Result<(), AccessError> {
    let link = state.key_link(project.id, key);
    if !link.is_some_and(|link| link.can_push) {
        return Err(AccessError::Forbidden(
            "This deploy key does not have write access to this project.",
        ));
    }
    if !state.can_push_with_key(key, project, now) {
        return Err(AccessError::Forbidden(
            "You are not allowed to push code to this project.",
        ));
    }
    Ok(())
}

/// Creates the project that a push names, if the user may.
pub(super) fn create_on_push(instance: &Instance, actor: &Actor, path: &str, now: Moment) {
    let Actor::User {
        user,
        is_admin,
        can_push: true,
        ..
    } = *actor
    else {
        return;
    };
    let Some((folder, name)) = path.rsplit_once('/') else {
        return;
    };
    instance.change(|state| {
        if state.at_path(path).is_some() || state.redirected(path).is_some() {
            return;
        }
        let Some(Target::Namespace(id)) = state.at_path(folder) else {
            return;
        };
        let Some(namespace) = state.namespaces.get(id) else {
            return;
        };
        let viewer = Viewer {
            user: Some(user),
            is_admin,
            now,
        };
        let may_create = match namespace.kind {
            NamespaceKind::User(owner) => owner == user,
            NamespaceKind::Group => {
                state.can_group(viewer, GroupAbility::CreateProjects, namespace)
            }
        };
        if !may_create {
            return;
        }
        let change = ProjectChange {
            path: Some(name.to_owned()),
            ..ProjectChange::default()
        };
        let Ok(project) = state.create_project(id, change, user, now) else {
            return;
        };
        let branch = state
            .projects
            .get(project)
            .map(|project| state.default_branch(project))
            .unwrap_or_default();
        if instance
            .repositories
            .create(project.number(), &branch)
            .is_err()
        {
            state.remove_project(project);
        }
    });
}
