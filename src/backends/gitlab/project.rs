//! Projects: a product's configuration repository and its code repositories.

use gitlab::api::common::NameOrId;
use gitlab::api::projects::{
    ArchiveProject, CreateProject, DeleteProject, EditProject, Project as GetProject,
    UnarchiveProject,
};
use serde::Deserialize;

use super::GitLab;
use super::creation::found;
use super::error::Error;
use super::group::Visibility;
use super::local::Local;
use super::query::built;

/// A project, as far as the provider needs it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Project {
    /// The number by which it is known for ever.
    pub id: u64,
    /// The display name.
    pub name: String,
    /// The last segment of the path.
    pub path: String,
    /// The path with all groups.
    pub path_with_namespace: String,
    /// The description.
    #[serde(default)]
    pub description: Option<String>,
    /// Who can see it.
    pub visibility: Visibility,
    /// The default branch, or the name that it would get while there is no commit.
    #[serde(default)]
    pub default_branch: Option<String>,
    /// Its page.
    pub web_url: String,
    /// Where git reaches it over HTTP.
    pub http_url_to_repo: String,
    /// Where git reaches it over SSH.
    pub ssh_url_to_repo: String,
    /// Whether there is no commit.
    #[serde(default)]
    pub empty_repo: bool,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: bool,
    /// The date of its marking for deletion.
    #[serde(default)]
    pub marked_for_deletion_on: Option<String>,
    /// The same, as older servers call it.
    #[serde(default)]
    pub marked_for_deletion_at: Option<String>,
    /// The group or user that it belongs to.
    pub namespace: Namespace,
    /// What the owner of the token may do; answers to creations and lists do not tell.
    #[serde(default)]
    pub permissions: Option<Permissions>,
}

impl Project {
    /// Whether it is marked for deletion, so that it counts as gone.
    pub fn is_marked_for_deletion(&self) -> bool {
        self.marked_for_deletion_on.is_some() || self.marked_for_deletion_at.is_some()
    }
}

/// What a project belongs to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Namespace {
    /// The group's number, when `kind` is `group`.
    pub id: u64,
    /// `group` or `user`.
    pub kind: String,
    /// The full path.
    pub full_path: String,
}

/// The roles of the token's owner in a project.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
pub struct Permissions {
    /// By direct membership.
    #[serde(default)]
    pub project_access: Option<Role>,
    /// By membership of a group.
    #[serde(default)]
    pub group_access: Option<Role>,
}

/// A role, as a number: 30 developer, 40 maintainer, 50 owner.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub struct Role {
    /// The number.
    pub access_level: u64,
}

impl Permissions {
    /// The greater of the roles, 0 if there is none.
    pub fn access_level(&self) -> u64 {
        [self.project_access, self.group_access]
            .into_iter()
            .flatten()
            .map(|role| role.access_level)
            .max()
            .unwrap_or(0)
    }
}

/// A project to create in a group.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// The display name.
    pub name: String,
    /// The last segment of the path.
    pub path: String,
    /// The number of the group.
    pub namespace_id: u64,
    /// The description.
    pub description: String,
    /// Who can see it; GitLab silently lowers it to what the group allows.
    pub visibility: Visibility,
    /// The name of the default branch, without `refs/heads/`; none takes the instance's.
    pub default_branch: Option<String>,
    /// Whether to begin with a commit of a `README.md`.
    pub initialize_with_readme: bool,
}

/// What to change of a project; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// The display name.
    pub name: Option<String>,
    /// The last segment of the path.
    pub path: Option<String>,
    /// The description; empty removes it.
    pub description: Option<String>,
    /// Who can see it.
    pub visibility: Option<Visibility>,
    /// The default branch, which must exist.
    pub default_branch: Option<String>,
}

impl ProjectChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        let Self {
            name,
            path,
            description,
            visibility,
            default_branch,
        } = self;
        name.is_none()
            && path.is_none()
            && description.is_none()
            && visibility.is_none()
            && default_branch.is_none()
    }
}

impl GitLab {
    /// Gets a project by number or full path; one that was moved is found by its old path too.
    pub async fn project(&self, project: impl Into<NameOrId<'_>>) -> Result<Project, Error> {
        let endpoint = GetProject::builder().project(project.into()).build();
        self.query(&built(self, endpoint)?).await
    }

    /// Lists the projects whose path or name contains a text and that the owner of the token can
    /// see.
    pub async fn projects_matching(&self, text: &str) -> Result<Vec<Project>, Error> {
        let endpoint = Local::get("projects".to_owned()).with("search", text.to_owned());
        self.list(&endpoint).await
    }

    /// Creates a project. It is tried again when GitLab fails and nothing has the path.
    pub async fn create_project(&self, new: &NewProject) -> Result<Project, Error> {
        let mut endpoint = CreateProject::builder();
        endpoint
            .name(&new.name)
            .path(&new.path)
            .namespace_id(new.namespace_id)
            .description(&new.description)
            .visibility(new.visibility.into())
            .initialize_with_readme(new.initialize_with_readme);
        if let Some(default_branch) = &new.default_branch {
            endpoint.default_branch(default_branch);
        }
        let endpoint = built(self, endpoint.build())?;
        self.create(&endpoint, || self.has_project(new)).await
    }

    async fn has_project(&self, new: &NewProject) -> Result<bool, Error> {
        let path = self.path_in(new.namespace_id, &new.path).await?;
        found(self.project(path.as_str()).await)
    }

    /// Changes a project.
    pub async fn edit_project(&self, id: u64, change: &ProjectChange) -> Result<Project, Error> {
        let mut endpoint = EditProject::builder();
        endpoint.project(id);
        if let Some(name) = &change.name {
            endpoint.name(name);
        }
        if let Some(path) = &change.path {
            endpoint.path(path);
        }
        if let Some(description) = &change.description {
            endpoint.description(description);
        }
        if let Some(visibility) = change.visibility {
            endpoint.visibility(visibility.into());
        }
        if let Some(default_branch) = &change.default_branch {
            endpoint.default_branch(default_branch);
        }
        self.query(&built(self, endpoint.build())?).await
    }

    /// Archives a project.
    pub async fn archive_project(&self, id: u64) -> Result<Project, Error> {
        self.query(&built(self, ArchiveProject::builder().project(id).build())?)
            .await
    }

    /// Takes a project out of the archive.
    pub async fn unarchive_project(&self, id: u64) -> Result<Project, Error> {
        self.query(&built(
            self,
            UnarchiveProject::builder().project(id).build(),
        )?)
        .await
    }

    /// Marks a project for deletion, which renames it and frees its path.
    pub async fn delete_project(&self, id: u64) -> Result<(), Error> {
        self.perform(&built(self, DeleteProject::builder().project(id).build())?)
            .await
    }

    /// Removes a project that is marked for deletion at once.
    ///
    /// `full_path` is the path that it was given when it was marked. An instance may forbid it:
    /// [`Kind::Invalid`](super::Kind::Invalid).
    pub async fn remove_project(&self, id: u64, full_path: &str) -> Result<(), Error> {
        let endpoint = DeleteProject::builder()
            .project(id)
            .full_path(full_path)
            .permanently_remove(true)
            .build();
        self.perform(&built(self, endpoint)?).await
    }

    /// Takes back the marking for deletion.
    pub async fn restore_project(&self, id: u64) -> Result<Project, Error> {
        self.query(&Local::post(format!("projects/{id}/restore")))
            .await
    }
}
