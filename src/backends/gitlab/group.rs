//! Groups, of which a product is one.

use gitlab::api::common::{NameOrId, VisibilityLevel};
use gitlab::api::groups::projects::GroupProjects;
use gitlab::api::groups::subgroups::GroupSubgroups;
use gitlab::api::groups::{CreateGroup, DeleteGroup, EditGroup};
use serde::{Deserialize, Serialize};

use super::GitLab;
use super::creation::found;
use super::error::Error;
use super::local::Local;
use super::project::Project;
use super::query::built;

/// Who can see a group or project.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Members.
    Private,
    /// Everybody who is logged in.
    Internal,
    /// Everybody.
    Public,
}

impl From<Visibility> for VisibilityLevel {
    fn from(visibility: Visibility) -> Self {
        match visibility {
            Visibility::Private => Self::Private,
            Visibility::Internal => Self::Internal,
            Visibility::Public => Self::Public,
        }
    }
}

/// A group, as far as the provider needs it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Group {
    /// The number by which it is known for ever.
    pub id: u64,
    /// The display name.
    pub name: String,
    /// The last segment of the path.
    pub path: String,
    /// The path with all parents.
    pub full_path: String,
    /// The parent group, unless it is a top-level group.
    pub parent_id: Option<u64>,
    /// The description.
    #[serde(default)]
    pub description: Option<String>,
    /// Who can see it.
    pub visibility: Visibility,
    /// Its page.
    pub web_url: String,
    /// The date of its marking for deletion.
    #[serde(default)]
    pub marked_for_deletion_on: Option<String>,
}

impl Group {
    /// Whether it is marked for deletion, so that it counts as gone.
    pub fn is_marked_for_deletion(&self) -> bool {
        self.marked_for_deletion_on.is_some()
    }
}

/// A group to create.
#[derive(Clone, Debug)]
pub struct NewGroup {
    /// The display name.
    pub name: String,
    /// The last segment of the path.
    pub path: String,
    /// The parent group; none makes a top-level group.
    pub parent_id: Option<u64>,
    /// The description.
    pub description: String,
    /// Who can see it.
    pub visibility: Visibility,
}

/// What to change of a group; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct GroupChange {
    /// The display name.
    pub name: Option<String>,
    /// The last segment of the path.
    pub path: Option<String>,
    /// The description; empty removes it.
    pub description: Option<String>,
    /// Who can see it.
    pub visibility: Option<Visibility>,
}

impl GroupChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        let Self {
            name,
            path,
            description,
            visibility,
        } = self;
        name.is_none() && path.is_none() && description.is_none() && visibility.is_none()
    }
}

impl GitLab {
    /// Gets a group by number or full path, without its projects.
    pub async fn group(&self, group: impl Into<NameOrId<'_>>) -> Result<Group, Error> {
        let endpoint =
            Local::get(format!("groups/{}", group.into())).with("with_projects", "false");
        self.query(&endpoint).await
    }

    /// Creates a group. It is tried again when GitLab fails and nothing has the path.
    pub async fn create_group(&self, new: &NewGroup) -> Result<Group, Error> {
        let mut endpoint = CreateGroup::builder();
        endpoint
            .name(&new.name)
            .path(&new.path)
            .description(&new.description)
            .visibility(new.visibility.into());
        if let Some(parent_id) = new.parent_id {
            endpoint.parent_id(parent_id);
        }
        let endpoint = built(self, endpoint.build())?;
        self.create(&endpoint, || self.has_group(new)).await
    }

    async fn has_group(&self, new: &NewGroup) -> Result<bool, Error> {
        let path = match new.parent_id {
            Some(parent) => self.path_in(parent, &new.path).await?,
            None => new.path.clone(),
        };
        found(self.group(path.as_str()).await)
    }

    /// The full path of something in a group.
    pub(super) async fn path_in(&self, group: u64, path: &str) -> Result<String, Error> {
        let group = self.group(group).await?;
        Ok(format!("{}/{path}", group.full_path))
    }

    /// Changes a group.
    pub async fn edit_group(&self, id: u64, change: &GroupChange) -> Result<Group, Error> {
        let mut endpoint = EditGroup::builder();
        endpoint.group(id);
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
        self.query(&built(self, endpoint.build())?).await
    }

    /// Marks a group for deletion, which renames it and frees its path.
    pub async fn delete_group(&self, id: u64) -> Result<(), Error> {
        self.perform(&built(self, DeleteGroup::builder().group(id).build())?)
            .await
    }

    /// Removes a subgroup that is marked for deletion at once.
    ///
    /// `full_path` is the path that it was given when it was marked. Top-level groups cannot be
    /// removed this way, and an instance may forbid it: [`Kind::Invalid`](super::Kind::Invalid).
    pub async fn remove_group(&self, id: u64, full_path: &str) -> Result<(), Error> {
        let endpoint = DeleteGroup::builder()
            .group(id)
            .full_path(full_path)
            .permanently_remove(true)
            .build();
        self.perform(&built(self, endpoint)?).await
    }

    /// Takes back the marking for deletion.
    pub async fn restore_group(&self, id: u64) -> Result<Group, Error> {
        self.query(&Local::post(format!("groups/{id}/restore")))
            .await
    }

    /// Lists the projects of a group and its subgroups, archived ones and those marked for
    /// deletion included, without those shared with it.
    pub async fn group_projects(&self, id: u64) -> Result<Vec<Project>, Error> {
        let endpoint = GroupProjects::builder()
            .group(id)
            .with_shared(false)
            .include_subgroups(true)
            .build();
        self.list(&built(self, endpoint)?).await
    }

    /// Lists the direct subgroups of a group.
    pub async fn subgroups(&self, id: u64) -> Result<Vec<Group>, Error> {
        self.list(&built(self, GroupSubgroups::builder().group(id).build())?)
            .await
    }
}
