//! The GitLab project of a code repository.

use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;
use terraform_plugin::value::{Known, Path, Tf};

use super::model::{CodeRepoModel, LONGEST_DESCRIPTION};
use crate::backends::gitlab::{AccessLevel, Error, GitLab, Group, Kind, Project, ProjectChange};
use crate::claim::ObjectId;
use crate::client::Client;
use crate::diagnostics::Context as _;
use crate::lookup::config_repository;
use crate::resources::deletion_policy::DeletionPolicy;
use crate::resources::gitlab_attribute::{VisibilityLimit, parse_visibility, planned_value};
use crate::resources::gitlab_object::{NewPath, refused, rename};
use crate::resources::same_object::Sameness;
use crate::resources::unfinished;
use crate::wait_graph::{Request, Target};

/// Returns a repository as an object that an instance in the state holds.
pub(super) fn object_id(id: RepositoryId) -> ObjectId {
    ObjectId {
        type_name: nautes_model::Kind::CodeRepo.terraform_type(),
        id: id.to_string(),
    }
}

/// Reads the project of a repository; `None` if it is gone. Refuses one that is another project
/// with the same number, or the product's configuration repository.
pub(super) async fn read(
    client: &Client,
    state: &CodeRepoModel,
) -> Result<Option<Project>, Diagnostics> {
    let (product, id) = locate(client, state)?;
    let product_is_gone = client.products()?.get(product).await?.is_none();
    // Also if the product is gone: the project may have been moved to another group before.
    let project = client.code_repos()?.read_project(product, id).await?;
    let project = check(state, project)?;
    // The projects of a product that is gone count as gone, although GitLab still answers.
    Ok(project.filter(|_| !product_is_gone))
}

/// Returns the product and the id of a repository, and records where its state has it.
pub(super) fn locate(
    client: &Client,
    state: &CodeRepoModel,
) -> Result<(ProductId, RepositoryId), Diagnostics> {
    let product = state.product_id()?;
    if let Known(web_url) = &state.web_url {
        client.products()?.record_web_url(product, web_url);
    }
    Ok((product, state.repository_id()?))
}

/// Returns the project unless it is marked for deletion. Refuses one that is not the repository in the
/// state: another one with the same number, or the configuration repository of the product.
pub(super) fn check(
    state: &CodeRepoModel,
    project: Option<Project>,
) -> Result<Option<Project>, Diagnostics> {
    let Some(project) = project else {
        return Ok(None);
    };
    check_same(state, &project)?;
    Ok(Some(project).filter(|project| !project.is_marked_for_deletion()))
}

fn check_same(state: &CodeRepoModel, project: &Project) -> Result<(), Diagnostics> {
    refuse_config_repository(project)?;
    let sameness = Sameness {
        expected: format!(
            "the code repository {} ({})",
            state.name,
            RepositoryId::new(project.id)
        ),
        found: format!("the project {}", project.path_with_namespace),
        created_at: &state.created_at,
        found_created_at: &project.created_at,
    };
    sameness.check()?;
    // A state of an older version does not say when the project was created.
    let marked = format!("{}-deletion_scheduled-{}", state.name, project.id);
    let has_name =
        state.name == project.path || project.is_marked_for_deletion() && marked == project.path;
    if state.created_at.known().is_none() && !has_name {
        return Err(sameness.refusal("with this name", "with another name"));
    }
    Ok(())
}

/// The drift of an archived project.
pub(super) const ARCHIVED: &str = "the GitLab project is archived";

fn has_drift(state: &CodeRepoModel, text: &str) -> bool {
    let mut drift = state.common.drift.known().into_iter().flatten();
    drift.any(|found| found == text)
}

/// Refuses the configuration repository of a product, which is no code repository.
pub(super) fn refuse_config_repository(project: &Project) -> Result<(), Diagnostics> {
    if project.path != config_repository::NAME {
        return Ok(());
    }
    let path = &project.path_with_namespace;
    let detail = format!(
        "The GitLab project {path} is the configuration repository of a product, which holds the manifests of everything in it, and belongs to its nautes_product. Refer to another project; if a state holds this one as a nautes_code_repo, take it out: terraform state rm <address>."
    );
    let summary = "A configuration repository is no code repository";
    Err(Diagnostic::error(summary, detail).into())
}

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
    visibility_limit(group).check(planned.wanted_visibility())
}

/// The limit that the product's group sets to the visibility of a repository.
pub(super) fn visibility_limit(group: &Group) -> VisibilityLimit<'static> {
    VisibilityLimit {
        group: format!("The group {} of the product", group.full_path),
        owner: "the product's",
        part: "project",
        widest: group.visibility,
    }
}

/// Writes what a creation plans to its project, except the path, and takes it out of the archive.
/// Makes no call if it is so already.
pub(super) async fn complete(
    client: &Client,
    project: &Project,
    planned: &CodeRepoModel,
) -> Result<Project, Diagnostics> {
    let project = if project.archived {
        unarchive(client, project).await?
    } else {
        project.clone()
    };
    let change = change_at_creation(&project, planned);
    write(client, &project, &change).await
}

/// Makes the planned changes of a project, and no others; the path only if the name changes, and
/// another repository may have to give it up first.
pub(super) async fn update(
    client: &Client,
    request: &Request,
    project: &Project,
    prior: &CodeRepoModel,
    planned: &CodeRepoModel,
) -> Result<Project, Diagnostics> {
    let project = if project.archived && has_drift(prior, ARCHIVED) {
        unarchive(client, project).await?
    } else {
        project.clone()
    };
    let change = planned_change(&project, prior, planned);
    if prior.name == planned.name {
        return write(client, &project, &change).await;
    }
    check_default_branch(client, &project, &change).await?;
    let product = ProductId::new(project.namespace.id);
    let new = NewPath {
        name: planned.name.clone(),
        full_path: format!("{}/{}", project.namespace.full_path, planned.name),
        from: Target::CodeRepoPath(product, project.path.clone()),
        to: Target::CodeRepoPath(product, planned.name.clone()),
    };
    rename(client, request, &project, &new, change).await
}

async fn write(
    client: &Client,
    project: &Project,
    change: &ProjectChange,
) -> Result<Project, Diagnostics> {
    if change.is_empty() {
        return Ok(project.clone());
    }
    check_default_branch(client, project, change).await?;
    let edited = client.gitlab()?.edit_project(project.id, change).await;
    edited.map_err(|error| {
        let path = &project.path_with_namespace;
        refused(format!("update the GitLab project {path}"), &error)
    })
}

async fn unarchive(client: &Client, project: &Project) -> Result<Project, Diagnostics> {
    let path = &project.path_with_namespace;
    let unarchived = client.gitlab()?.unarchive_project(project.id).await;
    unarchived.with_context(|| format!("take the GitLab project {path} out of the archive"))
}

/// Returns what differs between a project and what is planned for it.
fn change_at_creation(project: &Project, planned: &CodeRepoModel) -> ProjectChange {
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
    let visibility = planned.visibility.known();
    let visibility = visibility.map(|name| parse_visibility(name));
    ProjectChange {
        name: changed(display_name, &project.name),
        path: None,
        description: changed(wanted_description, description),
        visibility: visibility.filter(|wanted| *wanted != project.visibility),
        default_branch: wanted_branch.and_then(|wanted| changed(wanted, branch)),
    }
}

/// Returns what differs between the state and what is planned; what was changed by hand meanwhile
/// stays. A mark that was found is taken off.
fn planned_change(
    project: &Project,
    prior: &CodeRepoModel,
    planned: &CodeRepoModel,
) -> ProjectChange {
    let description = project.description.as_deref().unwrap_or_default();
    let unmarked = unfinished::without_mark(description);
    let is_marked = unmarked != description && !prior.common.drift.is_null();
    let default_branch = planned_value(&planned.default_branch, &prior.default_branch);
    let visibility = planned_value(&planned.visibility, &prior.visibility);
    ProjectChange {
        name: planned_value(&planned.display_name, &prior.display_name),
        path: None,
        description: planned_value(&planned.description, &prior.description)
            .or_else(|| is_marked.then(|| unmarked.to_owned())),
        visibility: visibility.map(|name| parse_visibility(&name)),
        default_branch: default_branch.filter(|_| !project.empty_repo),
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
    let marked = unfinished::mark_destroying(description, LONGEST_DESCRIPTION);
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

/// Checks that the token may delete or archive a project, as its attributes say. Warns if that is
/// not known.
pub(super) async fn check_role(
    operation: &mut Operation<Client>,
    state: &CodeRepoModel,
    project: &Project,
) -> Result<(), Diagnostics> {
    let (attempt, needed) = match state.deletion_policy() {
        DeletionPolicy::Delete => ("delete", AccessLevel::OWNER),
        DeletionPolicy::Archive => ("archive", AccessLevel::OWNER),
        DeletionPolicy::Abandon => ("remove the deploy keys of", AccessLevel::MAINTAINER),
    };
    let attempt = format!("{attempt} the code repository {}", state.name);
    let client = operation.client().clone();
    let unknown = client
        .products()?
        .require_project_role(project, needed, &attempt);
    if let Some((summary, detail)) = unknown.await? {
        operation.warn(summary, detail);
    }
    Ok(())
}

/// Deletes or archives a project, or leaves it, as its attributes say; one that is gone is deleted
/// already.
pub(super) async fn remove(
    operation: &mut Operation<Client>,
    state: &CodeRepoModel,
    project: &Project,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let gitlab = client.gitlab()?;
    let path = &project.path_with_namespace;
    match state.deletion_policy() {
        DeletionPolicy::Abandon => return Ok(()),
        DeletionPolicy::Archive => {
            return match gitlab.archive_project(project.id).await {
                Ok(_) => Ok(()),
                Err(error) if error.is_not_found() && is_gone(&client, state).await? => Ok(()),
                Err(error) => {
                    Err(error).with_context(|| format!("archive the GitLab project {path}"))
                }
            };
        }
        DeletionPolicy::Delete => {}
    }
    match gitlab.delete_project(project.id).await {
        Ok(()) => {}
        Err(error) if *error.kind() == Kind::AlreadyMarked => {}
        Err(error) if error.is_not_found() && is_gone(&client, state).await? => {}
        Err(error) => {
            return Err(error).with_context(|| format!("delete the GitLab project {path}"));
        }
    }
    if state.permanently_remove == Some(true) {
        remove_now(operation, &client, project.id).await?;
    }
    Ok(())
}

/// Whether a project is gone that GitLab did not find when it was to be removed: the owner of the
/// token may have lost the sight of it in the meantime, which is an error.
async fn is_gone(client: &Client, state: &CodeRepoModel) -> Result<bool, Diagnostics> {
    let (product, id) = (state.product_id()?, state.repository_id()?);
    let project = client.code_repos()?.read_project(product, id).await?;
    Ok(check(state, project)?.is_none())
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
