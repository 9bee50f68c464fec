//! Groups, of which a product is one.

use gitlab::api::common::NameOrId;
use gitlab::api::groups::DeleteGroup;
use gitlab::api::groups::projects::GroupProjects;
use serde::{Deserialize, Serialize};

use super::GitLab;
use super::creation::found;
use super::error::{Error, ForbiddenReason, Kind};
use super::json_endpoint::JsonEndpoint;
use super::project::Project;

/// Who can see a group or project.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Members.
    Private,
    /// Everyone who is logged in.
    Internal,
    /// Everyone.
    Public,
}

/// A group, as far as the provider needs it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Group {
    /// The number, which never changes.
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
    /// When it was created, which tells it from a group with the same number on another GitLab.
    pub created_at: String,
    /// The date on which it was marked for deletion.
    #[serde(default)]
    pub marked_for_deletion_on: Option<String>,
}

impl Group {
    /// Returns whether it is marked for deletion, so that it counts as gone.
    pub fn is_marked_for_deletion(&self) -> bool {
        self.marked_for_deletion_on.is_some()
    }
}

/// A group to create.
#[derive(Clone, Debug, Serialize)]
pub struct NewGroup {
    /// The display name.
    pub name: String,
    /// The last segment of the path.
    pub path: String,
    /// The parent group; `None` makes a top-level group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<u64>,
    /// The description.
    pub description: String,
    /// Who can see it.
    pub visibility: Visibility,
}

/// A change of a group; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GroupChange {
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
}

impl GroupChange {
    /// Returns whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl GitLab {
    /// Gets a group by number or full path, without its projects.
    ///
    /// GitLab takes a path of digits for a number, so a group with another path than the one asked
    /// for is not an answer.
    pub async fn group(&self, group: impl Into<NameOrId<'_>>) -> Result<Group, Error> {
        let group = group.into();
        let endpoint = JsonEndpoint::get(format!("groups/{group}")).with("with_projects", "false");
        let found: Group = self.query(&endpoint).await?;
        self.check_path(&endpoint, &group, &found.full_path)?;
        Ok(found)
    }

    /// Creates a group; tries again when GitLab fails and nothing has the path.
    pub async fn create_group(&self, new: &NewGroup) -> Result<Group, Error> {
        let endpoint = JsonEndpoint::post("groups".to_owned(), new);
        let created = self.create(&endpoint, || self.has_group(new)).await;
        created.map_err(|error| match error.kind() {
            Kind::Forbidden {
                reason: ForbiddenReason::Other,
            } => error.with_kind(Kind::Forbidden {
                reason: ForbiddenReason::CreateGroup {
                    top_level: new.parent_id.is_none(),
                },
            }),
            _ => error,
        })
    }

    async fn has_group(&self, new: &NewGroup) -> Result<bool, Error> {
        let path = match new.parent_id {
            Some(parent) => self.path_in(parent, &new.path).await?,
            None => new.path.clone(),
        };
        found(self.group(path.as_str()).await)
    }

    /// Returns the full path of something in a group.
    pub(super) async fn path_in(&self, group: u64, path: &str) -> Result<String, Error> {
        let group = self.group(group).await?;
        Ok(format!("{}/{path}", group.full_path))
    }

    /// Changes a group.
    pub async fn edit_group(&self, id: u64, change: &GroupChange) -> Result<Group, Error> {
        let endpoint = JsonEndpoint::put(format!("groups/{id}"), change);
        self.query(&endpoint).await
    }

    /// Marks a group for deletion, which renames it and frees its path.
    pub async fn delete_group(&self, id: u64) -> Result<(), Error> {
        self.perform(&self.endpoint(DeleteGroup::builder().group(id).build())?)
            .await
    }

    /// Removes a subgroup that is marked for deletion at once.
    ///
    /// `full_path` is the path that marking gave it. Top-level groups cannot be removed this way, and
    /// an instance may forbid it: [`Kind::Invalid`].
    pub async fn remove_group(&self, id: u64, full_path: &str) -> Result<(), Error> {
        let endpoint = DeleteGroup::builder()
            .group(id)
            .full_path(full_path)
            .permanently_remove(true)
            .build();
        self.perform(&self.endpoint(endpoint)?).await
    }

    /// Lists the projects of a group and its subgroups, including archived ones and those marked for
    /// deletion, but not those shared with the group.
    pub async fn group_projects(&self, id: u64) -> Result<Vec<Project>, Error> {
        let endpoint = GroupProjects::builder()
            .group(id)
            .with_shared(false)
            .include_subgroups(true)
            .build();
        self.list(&self.endpoint(endpoint)?).await
    }
}
