//! The project `default.project` of a product.

use terraform_plugin::diagnostics::Diagnostics;

use super::Products;
use crate::backends::gitlab::{Error, Group, Project};
use crate::diagnostics::Context as _;

/// The name and path of every configuration repository (Nautes `pkg/nautesconfigs`,
/// `git.defaultProductName`).
pub(crate) const NAME: &str = "default.project";

impl Products {
    /// Finds the configuration repository in a group; `None` if there is none, which a 404 alone
    /// does not prove.
    pub(crate) async fn find_config_repository(
        &self,
        group: &Group,
    ) -> Result<Option<Project>, Diagnostics> {
        let path = format!("{}/{NAME}", group.full_path);
        let found = self.gitlab.project(path.as_str()).await;
        if found.as_ref().is_err_and(Error::is_not_found) {
            let what = format!("the GitLab project {path}");
            self.confirm_gone_from(group, &what).await?;
            return Ok(None);
        }
        let found = found.with_context(|| format!("read the GitLab project {path}"))?;
        Ok(Some(found).filter(|project| is_of(project, group)))
    }

    /// Finds the configuration repository in a group for one who creates it otherwise, which GitLab
    /// refuses if it is only hidden.
    pub(crate) async fn visible_config_repository(
        &self,
        group: &Group,
    ) -> Result<Option<Project>, Diagnostics> {
        let path = format!("{}/{NAME}", group.full_path);
        match self.gitlab.project(path.as_str()).await {
            Ok(project) => Ok(Some(project).filter(|project| is_of(project, group))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read the GitLab project {path}")),
        }
    }
}

fn is_of(project: &Project, group: &Group) -> bool {
    !project.is_marked_for_deletion() && project.namespace.id == group.id
}
