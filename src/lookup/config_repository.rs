//! The project `default.project` of a product.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::Products;
use crate::backends::gitlab::{Group, Project};
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
        let found = self.look_up_config_repository(group).await?;
        if found.is_none() {
            let what = format!("the GitLab project {}", path_in(group));
            self.confirm_gone_from(group, &what).await?;
        }
        Ok(found.filter(|project| is_of(project, group.id)))
    }

    /// Finds the configuration repository in a group for one who creates it otherwise, which GitLab
    /// refuses if it is only hidden.
    pub(crate) async fn visible_config_repository(
        &self,
        group: &Group,
    ) -> Result<Option<Project>, Diagnostics> {
        let found = self.look_up_config_repository(group).await?;
        Ok(found.filter(|project| is_of(project, group.id)))
    }

    /// Checks that a configuration repository that is not at its path was not given another one: its
    /// manifests would count as gone.
    pub(crate) async fn check_not_renamed(
        &self,
        product: ProductId,
        project: u64,
    ) -> Result<(), Diagnostics> {
        let found = match self.gitlab.project(project).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => {
                return Err(error).with_context(|| format!("read the GitLab project {project}"));
            }
        };
        if !is_of(&found, product.number()) || found.path == NAME {
            return Ok(());
        }
        let path = &found.path_with_namespace;
        let detail = format!(
            "It is the GitLab project {path} now, and must have the path {NAME}. Nothing was changed, and the state is kept. Change its path in GitLab back to {NAME}."
        );
        let summary = format!("The configuration repository of {product} was renamed");
        Err(Diagnostic::error(summary, detail).into())
    }

    /// Returns the project at the path of the configuration repository, whatever its state.
    async fn look_up_config_repository(
        &self,
        group: &Group,
    ) -> Result<Option<Project>, Diagnostics> {
        let path = path_in(group);
        match self.gitlab.project(path.as_str()).await {
            Ok(project) => Ok(Some(project)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read the GitLab project {path}")),
        }
    }
}

fn path_in(group: &Group) -> String {
    format!("{}/{NAME}", group.full_path)
}

pub(super) fn is_of(project: &Project, group: u64) -> bool {
    !project.is_marked_for_deletion() && project.namespace.id == group
}
