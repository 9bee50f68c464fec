//! The GitLab project of a code repository.

use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;
use terraform_plugin::value::{Known, Path, Tf};

use super::model::CodeRepoModel;
use crate::backends::gitlab::{Error, GitLab, Group, Kind, Project, ProjectChange};
use crate::client::Client;
use crate::diagnostics::{Context as _, gitlab_error};
use crate::resources::gitlab_attribute::VisibilityLimit;
use crate::resources::unfinished;
use crate::wait_graph::{Next, Request, Target};

/// Returns the group of a product as this process first saw or last changed it.
pub(super) async fn product_group(
    client: &Client,
    product: ProductId,
) -> Result<Group, Diagnostics> {
    let found = client.products()?.get(product).await?;
    let group = found.map(|product| product.group.clone());
    group.ok_or_else(|| {
        let detail =
            "Its GitLab group is gone or marked for deletion. Plan again to create what is missing.";
        Diagnostic::error(format!("The product {product} does not exist any more"), detail).into()
    })
}

/// Checks that the product's group allows the visibility of a repository.
pub(super) fn check_visibility(planned: &CodeRepoModel, group: &Group) -> Result<(), Diagnostics> {
    let limit = VisibilityLimit {
        group: format!("The group {} of the product", group.full_path),
        owner: "the product's",
        part: "project",
        widest: group.visibility,
    };
    limit.check(planned.wanted_visibility())
}

/// Updates a project to what is planned, except its path, and takes it out of the archive. Makes
/// no call if it is so already.
pub(super) async fn write(
    client: &Client,
    project: &Project,
    planned: &CodeRepoModel,
) -> Result<Project, Diagnostics> {
    let project = unarchive(client, project).await?;
    let change = change(&project, planned);
    if change.is_empty() {
        return Ok(project);
    }
    check_default_branch(client, &project, &change).await?;
    let edited = client.gitlab()?.edit_project(project.id, &change).await;
    edited.map_err(|error| refused("update", &project.path_with_namespace, &error))
}

/// The same with the project's path, which another repository may have to give up first.
pub(super) async fn rename(
    client: &Client,
    request: &Request,
    project: &Project,
    planned: &CodeRepoModel,
) -> Result<Project, Diagnostics> {
    let gitlab = client.gitlab()?;
    let product = ProductId::new(project.namespace.id);
    let project = unarchive(client, project).await?;
    let mut change = ProjectChange {
        path: Some(planned.name.clone()),
        ..change(&project, planned)
    };
    check_default_branch(client, &project, &change).await?;
    let from = Target::CodeRepoPath(product, project.path.clone());
    let to = Target::CodeRepoPath(product, planned.name.clone());
    let mut wait = request.wait_to_move(from.clone(), to.clone());
    let mut is_last_attempt = false;
    loop {
        let error = match gitlab.edit_project(project.id, &change).await {
            Ok(renamed) => {
                request.wrote(&from);
                return Ok(renamed);
            }
            Err(error) if *error.kind() == Kind::Taken && !is_last_attempt => error,
            Err(error) if *error.kind() == Kind::Taken => {
                return Err(taken(client, &project, &planned.name, &error).await);
            }
            Err(error) => return Err(refused("rename", &project.path_with_namespace, &error)),
        };
        tracing::info!(%error, "the path {} is taken; waiting for it", planned.name);
        match wait.next().await {
            Next::Retry => {}
            Next::GiveUp => is_last_attempt = true,
            Next::BreakCycle => {
                move_aside(client, &project).await?;
                wait.moved_aside();
                change.name.get_or_insert_with(|| project.name.clone());
            }
        }
    }
}

/// Returns the error of a path that another project keeps.
async fn taken(client: &Client, project: &Project, name: &str, error: &Error) -> Diagnostics {
    let refused = refused("rename", &project.path_with_namespace, error);
    let path = format!("{}/{name}", project.namespace.full_path);
    let Ok(gitlab) = client.gitlab() else {
        return refused;
    };
    let holder = match gitlab.project(path.as_str()).await {
        Ok(holder) if holder.path == name => RepositoryId::new(holder.id),
        _ => return refused,
    };
    let detail = format!(
        "The GitLab project {path} is {holder}. If the same plan gives {holder} another name, apply it with -parallelism=2 or more, since Terraform sent only one request at a time; or rename one of the two to a third name first. Nothing was renamed."
    );
    let summary = format!(
        "Cannot rename the code repository {} to {name}",
        project.path
    );
    Diagnostic::error(summary, detail)
        .at(&Path::to("name"))
        .into()
}

/// Gives a project a path and a name that no other has, so that others can take its own.
async fn move_aside(client: &Client, project: &Project) -> Result<(), Diagnostics> {
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

async fn unarchive(client: &Client, project: &Project) -> Result<Project, Diagnostics> {
    if !project.archived {
        return Ok(project.clone());
    }
    let path = &project.path_with_namespace;
    let unarchived = client.gitlab()?.unarchive_project(project.id).await;
    unarchived.with_context(|| format!("take the GitLab project {path} out of the archive"))
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
        path: None,
        description: changed(wanted_description, description),
        visibility: (planned.wanted_visibility() != project.visibility)
            .then(|| planned.wanted_visibility()),
        default_branch: wanted_branch.and_then(|wanted| changed(wanted, branch)),
    }
}

/// Checks that the branch exists that is to become the default one.
async fn check_default_branch(
    client: &Client,
    project: &Project,
    change: &ProjectChange,
) -> Result<(), Diagnostics> {
    let Some(branch) = &change.default_branch else {
        return Ok(());
    };
    let path = &project.path_with_namespace;
    let head = client.gitlab()?.head(project.id, branch).await;
    let head = head.with_context(|| format!("read the branch {branch} of {path}"))?;
    if head.is_some() {
        return Ok(());
    }
    let detail = format!(
        "The GitLab project {path} has no branch {branch}, so that it cannot be the default branch. Push the branch first, or choose another one."
    );
    let summary = format!("The branch {branch} does not exist");
    Err(Diagnostic::error(summary, detail)
        .at(&Path::to("default_branch"))
        .into())
}

/// Marks a project as being destroyed before the rest of its repository is deleted, so that the
/// next deletion continues. Returns whether that made a change.
pub(super) async fn mark_destroying(
    client: &Client,
    project: &Project,
) -> Result<bool, Diagnostics> {
    let description = project.description.as_deref().unwrap_or_default();
    if project.archived || unfinished::is_destroying(description) {
        return Ok(false);
    }
    let path = &project.path_with_namespace;
    let marked = unfinished::mark_destroying(description);
    match describe(client.gitlab()?, project, marked).await {
        Err(error) if error.is_not_found() => Ok(false),
        marked => marked
            .map(|_| true)
            .with_context(|| format!("mark the GitLab project {path}")),
    }
}

/// Takes the mark of a refused deletion off. Where that fails too, a refresh finds the mark.
pub(super) async fn unmark(client: &Client, project: &Project) {
    let Ok(gitlab) = client.gitlab() else {
        return;
    };
    let description = project.description.clone().unwrap_or_default();
    if let Err(error) = describe(gitlab, project, description).await {
        let path = &project.path_with_namespace;
        tracing::warn!(%error, "could not take the mark off the GitLab project {path}");
    }
}

async fn describe(
    gitlab: &GitLab,
    project: &Project,
    description: String,
) -> Result<Project, Error> {
    let change = ProjectChange {
        description: Some(description),
        ..ProjectChange::default()
    };
    gitlab.edit_project(project.id, &change).await
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
            Err(error) => Err(error).with_context(|| format!("archive the GitLab project {path}")),
        };
    }
    match gitlab.delete_project(project.id).await {
        Ok(()) => {}
        Err(error) if error.is_not_found() || *error.kind() == Kind::AlreadyMarked => {}
        Err(error) => {
            return Err(error).with_context(|| format!("delete the GitLab project {path}"));
        }
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
        Err(error) => {
            return Err(error).with_context(|| format!("read the GitLab project {project}"));
        }
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
        Err(error) => Err(error).with_context(|| format!("remove the GitLab project {path}")),
    }
}

/// Returns the message of a refused creation or change of a project, on the attribute that GitLab complains about.
pub(super) fn refused(verb: &str, path: &str, error: &Error) -> Diagnostics {
    let diagnostic = gitlab_error(format!("{verb} the GitLab project {path}"), error);
    let attribute =
        error
            .field_errors()
            .iter()
            .find_map(|field_error| match field_error.field.as_deref()? {
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
