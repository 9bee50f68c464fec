//! Projects: a product's configuration repository and its code repositories.

use gitlab::api::common::NameOrId;
use gitlab::api::projects::{
    ArchiveProject, DeleteProject, Project as GetProject, UnarchiveProject,
};
use serde::{Deserialize, Serialize};

use super::GitLab;
use super::creation::found;
use super::error::{Error, Kind};
use super::group::Visibility;
use super::json_endpoint::JsonEndpoint;

/// A project, as far as the provider needs it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Project {
    /// The number, which never changes.
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
    /// The default branch, or the name that it will get with the first commit.
    #[serde(default)]
    pub default_branch: Option<String>,
    /// Its page.
    pub web_url: String,
    /// Where git reaches it over HTTP.
    pub http_url_to_repo: String,
    /// Where git reaches it over SSH.
    pub ssh_url_to_repo: String,
    /// Whether it has no commit.
    #[serde(default)]
    pub empty_repo: bool,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: bool,
    /// When it was created, which tells it from a project with the same number on another GitLab.
    pub created_at: String,
    /// The date on which it was marked for deletion.
    #[serde(default)]
    pub marked_for_deletion_on: Option<String>,
    /// The same under the name that older servers use.
    #[serde(default)]
    pub marked_for_deletion_at: Option<String>,
    /// The group or user that it belongs to.
    pub namespace: Namespace,
}

impl Project {
    /// Returns whether it is marked for deletion, so that it counts as gone.
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
    /// Its page.
    #[serde(default)]
    pub web_url: Option<String>,
}

/// A project to create in a group.
#[derive(Clone, Debug, Serialize)]
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
    /// The name of the default branch, without `refs/heads/`; `None` takes the instance's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<String>,
    /// Whether it starts with a commit of a `README.md`.
    pub initialize_with_readme: bool,
}

/// A change of a project; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProjectChange {
    /// The display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The last segment of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The description; empty removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who can see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// The default branch, which must exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<String>,
}

impl ProjectChange {
    /// Returns whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl GitLab {
    /// Gets a project by number or full path.
    ///
    /// A path that a project had before, from which GitLab redirects, is not found.
    pub async fn project(&self, project: impl Into<NameOrId<'_>>) -> Result<Project, Error> {
        let project = project.into();
        let endpoint = GetProject::builder().project(project.clone()).build();
        let endpoint = self.endpoint(endpoint)?;
        let found: Project = match self.query(&endpoint).await {
            Err(error) if self.is_former_path(&error) => {
                return Err(error.with_kind(Kind::NotFound));
            }
            answered => answered?,
        };
        self.check_path(&endpoint, &project, &found.path_with_namespace)?;
        Ok(found)
    }

    /// Lists the projects whose path or name contains a text and that the owner of the token can
    /// see.
    pub async fn projects_matching(&self, text: &str) -> Result<Vec<Project>, Error> {
        let endpoint = JsonEndpoint::get("projects".to_owned()).with("search", text.to_owned());
        self.list(&endpoint).await
    }

    /// Creates a project; tries again when GitLab fails and nothing has the path.
    pub async fn create_project(&self, new: &NewProject) -> Result<Project, Error> {
        let endpoint = JsonEndpoint::post("projects".to_owned(), new);
        self.create(&endpoint, || self.has_project(new)).await
    }

    async fn has_project(&self, new: &NewProject) -> Result<bool, Error> {
        let path = self.path_in(new.namespace_id, &new.path).await?;
        found(self.project(path.as_str()).await)
    }

    /// Changes a project.
    pub async fn edit_project(&self, id: u64, change: &ProjectChange) -> Result<Project, Error> {
        let endpoint = JsonEndpoint::put(format!("projects/{id}"), change);
        self.query(&endpoint).await
    }

    /// Archives a project.
    pub async fn archive_project(&self, id: u64) -> Result<Project, Error> {
        self.query(&self.endpoint(ArchiveProject::builder().project(id).build())?)
            .await
    }

    /// Takes a project out of the archive.
    pub async fn unarchive_project(&self, id: u64) -> Result<Project, Error> {
        self.query(&self.endpoint(UnarchiveProject::builder().project(id).build())?)
            .await
    }

    /// Marks a project for deletion, which renames it and frees its path.
    pub async fn delete_project(&self, id: u64) -> Result<(), Error> {
        self.perform(&self.endpoint(DeleteProject::builder().project(id).build())?)
            .await
    }

    /// Removes a project that is marked for deletion at once.
    ///
    /// `full_path` is the path that marking gave it. An instance may forbid the removal:
    /// [`Kind::Invalid`](super::Kind::Invalid).
    pub async fn remove_project(&self, id: u64, full_path: &str) -> Result<(), Error> {
        let endpoint = DeleteProject::builder()
            .project(id)
            .full_path(full_path)
            .permanently_remove(true)
            .build();
        self.perform(&self.endpoint(endpoint)?).await
    }
}
