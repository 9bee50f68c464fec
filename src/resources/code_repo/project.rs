//! The GitLab project of a code repository.

use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;
use terraform_plugin::value::{Known, Path, Tf};

use super::model::CodeRepoModel;
use super::moves::Wait;
use crate::backends::gitlab::{Error, Group, Kind, Project, ProjectChange};
use crate::diagnostics::{Attempted as _, of_gitlab};
use crate::provider::Client;
use crate::resources::gitlab_attribute::VisibilityBound;
use crate::resources::product::read_group;
use crate::resources::unfinished;

/// Reads the project of a repository; `None` if it is gone, which a 404 alone does not prove.
pub(super) async fn read(
    client: &Client,
    product: ProductId,
    id: RepositoryId,
) -> Result<Option<Project>, Diagnostics> {
    let gitlab = client.gitlab()?;
    let attempt = format!("read the GitLab project {}", id.number());
    match gitlab.project(id.number()).await {
        Ok(project) if project.is_marked_for_deletion() => Ok(None),
        Ok(project) if project.namespace.id != product.number() => {
            let path = &project.path_with_namespace;
            let text = format!(
                "It is {path} now, outside of the group of {product}. Move it back in GitLab, or take it out of the state: terraform state rm <address>."
            );
            let summary = format!("The GitLab project of {id} was moved to another group");
            Err(Diagnostic::error(summary, text).into())
        }
        Ok(project) => Ok(Some(project)),
        Err(error) if error.is_not_found() => {
            if read_group(client, product.number()).await?.is_some() {
                gitlab.confirm_gone(None).await.attempted(attempt)?;
            }
            Ok(None)
        }
        Err(error) => Err(error).attempted(attempt),
    }
}

/// Checks that the product's group allows the visibility of a repository.
pub(super) fn check_visibility(planned: &CodeRepoModel, group: &Group) -> Result<(), Diagnostics> {
    let bound = VisibilityBound {
        group: format!("The group {} of the product", group.full_path),
        owner: "the product's",
        part: "project",
        most: group.visibility,
    };
    bound.check(planned.wanted_visibility())
}

/// Brings a project to what is planned, and out of the archive, without a call if it is so already.
pub(super) async fn write(
    client: &Client,
    project: &Project,
    planned: &CodeRepoModel,
) -> Result<Project, Diagnostics> {
    let gitlab = client.gitlab()?;
    let path = &project.path_with_namespace;
    let mut project = project.clone();
    if project.archived {
        let attempt = format!("take the GitLab project {path} out of the archive");
        project = gitlab
            .unarchive_project(project.id)
            .await
            .attempted(attempt)?;
    }
    let change = change(&project, planned);
    if change.is_empty() {
        return Ok(project);
    }
    if let Some(branch) = &change.default_branch {
        expect_branch(client, &project, branch).await?;
    }
    if change.path.is_some() {
        return rename(client, &project, &change).await;
    }
    let edited = gitlab.edit_project(project.id, &change).await;
    edited.map_err(|error| refused("update", path, &error))
}

/// Changes a project with its path, which another repository may have to give up first.
async fn rename(
    client: &Client,
    project: &Project,
    change: &ProjectChange,
) -> Result<Project, Diagnostics> {
    let gitlab = client.gitlab()?;
    let product = ProductId::new(project.namespace.id);
    let path = change.path.clone();
    let path = path.as_deref().unwrap_or(&project.path);
    let moves = client.code_repos().moves();
    let moving = moves.begin(product, project.id, &project.path, Some(path));
    let mut wait = Wait::new(moves, product, path);
    let mut change = change.clone();
    let mut is_aside = false;
    loop {
        let refusal = match gitlab.edit_project(project.id, &change).await {
            Ok(renamed) => {
                drop(moving);
                return Ok(renamed);
            }
            Err(error) if *error.kind() == Kind::Taken => error,
            Err(error) => return Err(refused("rename", &project.path_with_namespace, &error)),
        };
        if !is_aside && moves.steps_aside(project.id) {
            step_aside(client, project).await?;
            is_aside = true;
            change.name.get_or_insert_with(|| project.name.clone());
        } else if !wait.another_attempt().await {
            return Err(refused("rename", &project.path_with_namespace, &refusal));
        }
    }
}

/// Gives a project a path and a name that nobody wants, so that others can have its own.
async fn step_aside(client: &Client, project: &Project) -> Result<(), Diagnostics> {
    let aside = format!("{}-is-renamed", RepositoryId::new(project.id));
    let change = ProjectChange {
        name: Some(aside.clone()),
        path: Some(aside),
        ..ProjectChange::default()
    };
    let path = &project.path_with_namespace;
    let moved = client.gitlab()?.edit_project(project.id, &change).await;
    moved
        .map(drop)
        .map_err(|error| refused("rename", path, &error))
}

fn change(project: &Project, planned: &CodeRepoModel) -> ProjectChange {
    let changed = |wanted: &str, is: &str| (wanted != is).then(|| wanted.to_owned());
    let display_name = planned.display_name.known().unwrap_or(&project.name);
    let description = project.description.as_deref().unwrap_or_default();
    let wanted_description = match &planned.description {
        Known(wanted) => wanted.as_str(),
        Tf::Null | Tf::Unknown => unfinished::without_mark(description),
    };
    let branch = project.default_branch.as_deref().unwrap_or_default();
    let wanted_branch = planned.default_branch.known();
    let wanted_branch = wanted_branch.filter(|_| !project.empty_repo);
    ProjectChange {
        name: changed(display_name, &project.name),
        path: changed(&planned.name, &project.path),
        description: changed(wanted_description, description),
        visibility: (planned.wanted_visibility() != project.visibility)
            .then(|| planned.wanted_visibility()),
        default_branch: wanted_branch.and_then(|wanted| changed(wanted, branch)),
    }
}

/// Checks that a branch exists which is to become the default one.
async fn expect_branch(
    client: &Client,
    project: &Project,
    branch: &str,
) -> Result<(), Diagnostics> {
    let path = &project.path_with_namespace;
    let head = client.gitlab()?.head(project.id, branch).await;
    if head
        .attempted(format!("read the branch {branch} of {path}"))?
        .is_some()
    {
        return Ok(());
    }
    let text = format!(
        "The GitLab project {path} has no branch {branch}, so that it cannot be the default branch. Push the branch first, or choose another one."
    );
    Err(
        Diagnostic::error(format!("The branch {branch} does not exist"), text)
            .at(&Path::to("default_branch"))
            .into(),
    )
}

/// Marks a project as unfinished before the rest of its repository is deleted, so that it is no work that the product
/// holds if the deletion is interrupted.
pub(super) async fn mark(client: &Client, project: &Project) -> Result<(), Diagnostics> {
    let description = project.description.as_deref().unwrap_or_default();
    if project.archived || unfinished::is_marked(description) {
        return Ok(());
    }
    let change = ProjectChange {
        description: Some(unfinished::marked(description)),
        ..ProjectChange::default()
    };
    let path = &project.path_with_namespace;
    match client.gitlab()?.edit_project(project.id, &change).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error).attempted(format!("mark the GitLab project {path}")),
    }
}

/// Takes back the mark of a deletion that was refused, so that the project counts as work again. Where that fails too, a
/// refresh finds the mark.
pub(super) async fn unmark(client: &Client, project: &Project) {
    let description = project.description.as_deref().unwrap_or_default();
    if project.archived || unfinished::is_marked(description) {
        return;
    }
    let change = ProjectChange {
        description: Some(description.to_owned()),
        ..ProjectChange::default()
    };
    let Ok(gitlab) = client.gitlab() else {
        return;
    };
    if let Err(error) = gitlab.edit_project(project.id, &change).await {
        let path = &project.path_with_namespace;
        tracing::warn!(%error, "could not take the mark off the GitLab project {path}");
    }
}

/// Archives a project, or deletes it, as its attributes say; one that is gone is deleted already.
pub(super) async fn remove(
    operation: &mut Operation<Client>,
    state: &CodeRepoModel,
    project: &Project,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let gitlab = client.gitlab()?;
    let path = &project.path_with_namespace;
    if state.archive_on_destroy == Some(true) {
        return match gitlab.archive_project(project.id).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error).attempted(format!("archive the GitLab project {path}")),
        };
    }
    match gitlab.delete_project(project.id).await {
        Ok(()) => {}
        Err(error) if error.is_not_found() || *error.kind() == Kind::AlreadyMarked => {}
        Err(error) => return Err(error).attempted(format!("delete the GitLab project {path}")),
    }
    if state.permanently_remove == Some(true) {
        remove_now(operation, &client, project.id).await?;
    }
    Ok(())
}

/// Skips the recovery period of a project that is marked for deletion, as far as GitLab permits.
async fn remove_now(
    operation: &mut Operation<Client>,
    client: &Client,
    project: u64,
) -> Result<(), Diagnostics> {
    let gitlab = client.gitlab()?;
    let marked = match gitlab.project(project).await {
        Ok(marked) => marked,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error).attempted(format!("read the GitLab project {project}")),
    };
    let path = &marked.path_with_namespace;
    match gitlab.remove_project(project, path).await {
        Ok(()) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) if *error.kind() == Kind::Invalid => {
            operation.warn(
                format!("The GitLab project {path} is not removed at once"),
                "This GitLab does not permit it. The project is marked for deletion and goes when the recovery period is over.",
            );
            Ok(())
        }
        Err(error) => Err(error).attempted(format!("remove the GitLab project {path}")),
    }
}

/// Returns the message of a refused creation or change of a project, on the attribute that GitLab complains about.
pub(super) fn refused(verb: &str, path: &str, error: &Error) -> Diagnostics {
    let diagnostic = of_gitlab(format!("{verb} the GitLab project {path}"), error);
    let attribute =
        error
            .complaints()
            .iter()
            .find_map(|complaint| match complaint.field.as_deref()? {
                "path" => Some("name"),
                "name" | "project_namespace.name" => Some("display_name"),
                "description" => Some("description"),
                "visibility_level" | "visibility" => Some("visibility"),
                _ => None,
            });
    match attribute {
        Some(attribute) => diagnostic.at(&Path::to(attribute)).into(),
        None => diagnostic.into(),
    }
}
