//! The creation of a product's configuration repository.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::Diagnostics;

use crate::backends::gitlab::{Group, Kind, NewProject, Project, Visibility};
use crate::client::Client;
use crate::diagnostics::Context as _;
use crate::lookup::config_repository::NAME;

/// Makes sure that a group has a configuration repository with a kustomization; what exists is
/// kept.
pub(super) async fn ensure(
    client: &Client,
    group: &Group,
    existing: Option<Project>,
) -> Result<Project, Diagnostics> {
    let project = match existing {
        Some(project) => project,
        None => create(client, group).await?,
    };
    let product = ProductId::new(group.id);
    let repository = client.config_repositories()?.product(product, project.id);
    let initialized = repository.initialize().await;
    let path = &project.path_with_namespace;
    initialized.with_context(|| format!("write the first commit of {path}"))?;
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
            match client.products()?.find_config_repository(group).await? {
                Some(project) => Ok(project),
                None => Err(error).with_context(attempt),
            }
        }
        Err(error) => Err(error).with_context(attempt),
    }
}
