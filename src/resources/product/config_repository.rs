//! The project `default.project` of a product.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::Diagnostics;

use crate::backends::gitlab::{Group, Kind, NewProject, Project, Visibility};
use crate::diagnostics::Attempted as _;
use crate::provider::Client;

/// The name and path of every configuration repository (Nautes `pkg/nautesconfigs`, `git.defaultProductName`).
pub(crate) const NAME: &str = "default.project";

/// Finds the configuration repository in a group; `None` if there is none.
pub(crate) async fn find(client: &Client, group: &Group) -> Result<Option<Project>, Diagnostics> {
    let path = format!("{}/{NAME}", group.full_path);
    match client.gitlab()?.project(path.as_str()).await {
        Ok(project) if project.is_marked_for_deletion() || project.namespace.id != group.id => {
            Ok(None)
        }
        Ok(project) => Ok(Some(project)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error).attempted(format!("read the GitLab project {path}")),
    }
}

/// Makes sure that the group has a configuration repository with a kustomization; what exists is kept.
pub(crate) async fn ensure(
    client: &Client,
    group: &Group,
    existing: Option<Project>,
) -> Result<Project, Diagnostics> {
    let project = match existing {
        Some(project) => project,
        None => create(client, group).await?,
    };
    let product = ProductId::new(group.id);
    client
        .config_repositories()?
        .open(product, project.id)
        .initialise()
        .await
        .attempted(format!(
            "write the first commit of {}",
            project.path_with_namespace
        ))?;
    Ok(project)
}

async fn create(client: &Client, group: &Group) -> Result<Project, Diagnostics> {
    let attempt = || format!("create the GitLab project {}/{NAME}", group.full_path);
    let new = NewProject {
        name: NAME.to_owned(),
        path: NAME.to_owned(),
        namespace_id: group.id,
        description: String::new(),
        visibility: Visibility::Private,
        default_branch: Some(client.settings().commit.branch.clone()),
        initialize_with_readme: true,
    };
    match client.gitlab()?.create_project(&new).await {
        Ok(project) => Ok(project),
        // An earlier attempt, in this call or another process, may have made it.
        Err(error) if *error.kind() == Kind::Taken || error.may_have_happened() => {
            match find(client, group).await? {
                Some(project) => Ok(project),
                None => Err(error).attempted(attempt()),
            }
        }
        Err(error) => Err(error).attempted(attempt()),
    }
}
