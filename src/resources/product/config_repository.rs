//! The creation of a product's configuration repository.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::Diagnostics;

use super::model::ProductModel;
use crate::backends::gitlab::{Group, Kind, NewProject, Project, ProjectChange, Visibility};
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

/// How the drift begins of a configuration repository with another default branch.
const OTHER_BRANCH: &str = "the default branch of the configuration repository is";

/// Describes a default branch that is not the one that holds the manifests.
pub(super) fn branch_drift(client: &Client, project: &Project) -> Option<String> {
    let wanted = &client.settings().commit.branch;
    let found = project.default_branch.as_ref()?;
    let is_other = !project.empty_repo && found != wanted;
    is_other.then(|| format!("{OTHER_BRANCH} {found} and not {wanted}"))
}

/// Whether the last refresh found another default branch, which an update sets back.
pub(super) fn has_other_branch(state: &ProductModel) -> bool {
    let mut drift = state.drift.known().into_iter().flatten();
    drift.any(|found| found.starts_with(OTHER_BRANCH))
}

/// Makes the branch that holds the manifests the default one. If it was deleted, it begins anew at
/// the one that was the default branch instead.
pub(super) async fn reset_branch(
    client: &Client,
    project: Project,
) -> Result<Project, Diagnostics> {
    if branch_drift(client, &project).is_none() {
        return Ok(project);
    }
    let (gitlab, branch) = (client.gitlab()?, &client.settings().commit.branch);
    let path = &project.path_with_namespace;
    let head = gitlab.head(project.id, branch).await;
    let head = head.with_context(|| format!("read the branch {branch} of {path}"))?;
    if let (None, Some(from)) = (head, &project.default_branch) {
        let created = gitlab.create_branch(project.id, branch, from).await;
        created.with_context(|| format!("create the branch {branch} of {path} from {from}"))?;
    }
    let change = ProjectChange {
        default_branch: Some(branch.clone()),
        ..ProjectChange::default()
    };
    let changed = gitlab.edit_project(project.id, &change).await;
    changed.with_context(|| format!("make {branch} the default branch of {path}"))
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
