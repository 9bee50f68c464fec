//! The GitLab groups of products, and the group that they are in.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::Diagnostics;

use super::Products;
use crate::backends::gitlab::{Group, NameOrId};
use crate::diagnostics::Context as _;

impl Products {
    /// Returns the group that products are made in; `None` for the top level.
    pub(crate) async fn parent_group(&self) -> Result<Option<&Group>, Diagnostics> {
        let read = async || {
            let Some(path) = &self.parent_path else {
                return Ok(None);
            };
            let group = self.gitlab.group(path.as_str()).await;
            group
                .with_context(|| format!("read the parent group {path} of the products"))
                .map(Some)
        };
        Ok(self.parent_group.get_or_try_init(read).await?.as_ref())
    }

    /// Returns the full path of a product by its name.
    pub(crate) fn full_path(&self, name: &str) -> String {
        match &self.parent_path {
            Some(parent) => format!("{parent}/{name}"),
            None => name.to_owned(),
        }
    }

    /// Reads the group of a product; `None` if it is gone, which a 404 alone does not prove.
    pub(crate) async fn read_group(&self, id: ProductId) -> Result<Option<Group>, Diagnostics> {
        match self.gitlab.group(id.number()).await {
            Ok(group) if group.is_marked_for_deletion() => {
                self.record_marked(&group);
                Ok(None)
            }
            Ok(group) => Ok(Some(group)),
            Err(error) if error.is_not_found() => {
                self.confirm_group_gone(id).await?;
                Ok(None)
            }
            Err(error) => Err(error).with_context(|| format!("read the GitLab group of {id}")),
        }
    }

    /// Returns the group of a product that is gone, if it is only marked for deletion.
    pub(crate) async fn marked_group(&self, id: ProductId) -> Result<Option<Group>, Diagnostics> {
        match self.gitlab.group(id.number()).await {
            Ok(group) => Ok(Some(group).filter(Group::is_marked_for_deletion)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read the GitLab group of {id}")),
        }
    }

    /// Finds a group by its number or full path; `None` if there is none that the owner of the
    /// token can see.
    pub(crate) async fn find_group(
        &self,
        group: impl Into<NameOrId<'_>>,
    ) -> Result<Option<Group>, Diagnostics> {
        let group = group.into();
        let attempt = format!("read the GitLab group {group}");
        match self.gitlab.group(group).await {
            Ok(group) if group.is_marked_for_deletion() => Ok(None),
            Ok(group) => Ok(Some(group)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error).context(attempt),
        }
    }
}
