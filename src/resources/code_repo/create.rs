//! The creation of a code repository.
//!
//! Its GitLab project is marked as unfinished until the last step, so that a creation that was
//! interrupted is resumed by the next one.

use std::collections::BTreeSet;

use nautes_model::entity::{CodeRepo, Entity};
use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;
use terraform_plugin::value::Path;

use super::inspect::Verified;
use super::model::CodeRepoModel;
use super::{credentials, gitlab_project, manifest};
use crate::backends::gitlab::{Error, Group, Kind, NewProject, Project};
use crate::backends::http::TransportError;
use crate::claim::Claim;
use crate::client::Client;
use crate::config_repo::PutMode;
use crate::diagnostics::Context as _;
use crate::resources::gitlab_object::{self, refused};
use crate::resources::home::Home;
use crate::resources::unfinished;
use crate::resources::work::find_work;
use crate::wait_graph::{Awaited, Next, Request, Target};

/// Creates the project, the credentials and the manifest of a repository.
pub(super) async fn create(
    operation: &mut Operation<Client>,
    mut planned: CodeRepoModel,
) -> Result<CodeRepoModel, Diagnostics> {
    let client = operation.client().clone();
    let attempt = format!("create the code repository {}", planned.name);
    let request = client.wait_graph().begin([]);
    let reference = &planned.common.product;
    let product = client.products()?.locate(&request, reference).await?;
    let claim = Claim::load_or_store(&mut operation.private)?;
    let home = Home::product(&client, product.id).with_claim(Some(claim.clone()));
    let wanted = manifest::entity(&client, &planned, product.id, RepositoryId::UNASSIGNED)?;
    let unassigned = home.target(Entity::from(wanted.clone()).key());
    request.may_write(unassigned.clone());
    request.may_write(Target::CodeRepoPath(product.id, planned.name.clone()));

    let group = gitlab_project::product_group(&client, product.id).await?;
    gitlab_project::check_visibility(&planned, &group)?;
    client.require_vault().await?;
    let validation = planned.common.validation(&client);
    let snapshot = home
        .dry_run(
            &request,
            &wanted.clone().into(),
            &PutMode::Create,
            validation,
            &attempt,
        )
        .await?;

    let creation = Creation {
        client: &client,
        request: &request,
        claim: &claim,
        group: &group,
        planned: &planned,
    };
    let (project, is_new) = creation.create_project().await?;
    let is_adopted =
        !is_new && !unfinished::is_marked(project.description.as_deref().unwrap_or_default());
    let id = RepositoryId::new(project.id);
    let entity = Entity::from(CodeRepo { id, ..wanted });
    if is_adopted {
        home.require_equal(&snapshot, &entity, &attempt)?;
        credentials::check_adoption(&client, &planned, &project).await?;
    }
    request.may_write(home.target(entity.key()));
    request.release(&unassigned);
    if is_new {
        client.credentials()?.note_new(&project).await;
    }
    let kept = BTreeSet::new();
    credentials::ensure(&client, &mut planned, &project, !is_new, &kept).await?;
    let mode = match snapshot.get(&entity.key()) {
        // The project is ours, and so is its manifest.
        Some(existing) if *existing != entity && !is_adopted => PutMode::Update(None),
        _ => PutMode::Create,
    };
    let saved = home
        .put(&request, &entity, mode, validation, &attempt)
        .await?;
    drop(request);
    let provider = &client.settings().code_repo_provider;
    Verified::new(&saved, id, provider).store(&mut operation.private)?;
    let config_project = saved.location.project;
    let before = Some(snapshot);
    credentials::wait_for_distribution(&client, product.id, config_project, id, before).await?;
    // The last step takes the mark off.
    gitlab_object::check_still_ours(&client, &project, &claim).await?;
    let project = gitlab_project::complete(&client, &project, &planned).await?;
    planned.update_from_project(&project);
    planned.fill_computed(product.id, saved.path);
    Ok(planned)
}

struct Creation<'a> {
    client: &'a Client,
    request: &'a Request,
    claim: &'a Claim,
    group: &'a Group,
    planned: &'a CodeRepoModel,
}

impl Creation<'_> {
    /// Creates the project, or takes over one that an earlier attempt left or the user permits to
    /// adopt. Returns whether it is new.
    async fn create_project(&self) -> Result<(Project, bool), Diagnostics> {
        let Self { client, group, .. } = self;
        let product = ProductId::new(group.id);
        let name = &self.planned.name;
        let path = format!("{}/{name}", group.full_path);
        let new = NewProject {
            name: self.planned.wanted_display_name().to_owned(),
            path: name.clone(),
            namespace_id: group.id,
            description: unfinished::mark(self.planned.wanted_description(), self.claim),
            visibility: self.planned.wanted_visibility(),
            default_branch: self.planned.default_branch.known().cloned(),
            initialize_with_readme: self.planned.initialize_with_readme,
        };
        client.code_repos()?.forget_listing(product);
        let target = Target::CodeRepoPath(product, name.clone());
        let mut wait = self.request.wait_for([Awaited::Target(target.clone())]);
        let mut was_contended = false;
        let (project, is_new) = loop {
            match client.gitlab()?.create_project(&new).await {
                Ok(project) => break (project, true),
                Err(error) if *error.kind() == Kind::Taken || error.may_have_happened() => {
                    match self
                        .take_over(&path, &target, &mut was_contended, error)
                        .await
                    {
                        Ok(project) => break (project, false),
                        Err(refusal) if wait.next().await != Next::Retry => return Err(refusal),
                        Err(_) => {}
                    }
                }
                Err(error) => {
                    return Err(refused(format!("create the GitLab project {path}"), &error));
                }
            }
        };
        drop(wait);
        let id = RepositoryId::new(project.id);
        let object = gitlab_project::object_id(id);
        let recorded = client.holders().record_created(&object, self.claim);
        recorded.map_err(|found| found.at(&Path::to("name")))?;
        client.code_repos()?.record_created(product, name, id);
        client.code_repos()?.forget_listing(product);
        self.request.wrote(&target);
        let project = gitlab_object::take_over(client, project, self.claim).await?;
        Ok((project, is_new))
    }

    async fn holds_work(&self, project: &Project) -> Result<bool, Diagnostics> {
        let work = find_work(self.client.gitlab()?, project).await;
        let path = &project.path_with_namespace;
        let work = work.with_context(|| format!("read the contents of {path}"))?;
        Ok(work.is_some())
    }

    /// Takes over the project that has the path already, if that is permitted; `error` is GitLab's.
    ///
    /// If another request of this run was about to rename or delete it (`was_contended`), it is the
    /// project of that one's resource, even if that request has failed.
    async fn take_over(
        &self,
        path: &str,
        target: &Target,
        was_contended: &mut bool,
        error: Error,
    ) -> Result<Project, Diagnostics> {
        let refused = || refused(format!("create the GitLab project {path}"), &error);
        let project = match self.client.gitlab()?.project(path).await {
            Ok(project) => project,
            // A sibling may have the display name, or something that the token cannot see the path.
            Err(absent) if absent.is_not_found() || is_redirect(&absent) => return Err(refused()),
            Err(failed) => {
                return Err(failed).with_context(|| format!("read the GitLab project {path}"));
            }
        };
        if project.path != self.planned.name || project.namespace.id != self.group.id {
            return Err(refused());
        }
        if project.is_marked_for_deletion() {
            let detail = format!(
                "The GitLab project {path} is marked for deletion and has kept its path. Restore it in GitLab, wait until it is removed, or choose another name."
            );
            return Err(self.exists("its path is not free", detail));
        }
        let id = RepositoryId::new(project.id);
        if self
            .client
            .holders()
            .is_created_here(&gitlab_project::object_id(id))
        {
            return Ok(project);
        }
        *was_contended |= self.request.is_contended(target);
        if *was_contended {
            return Err(refused());
        }
        let is_marked = unfinished::is_marked(project.description.as_deref().unwrap_or_default());
        let may_adopt = self.planned.adopt_existing == Some(true);
        // Somebody may have begun to use it; then it counts like one that is finished.
        if is_marked && !self.holds_work(&project).await? {
            return Ok(project);
        }
        if may_adopt {
            *was_contended |= self.request.is_contended_soon(target).await;
            if *was_contended {
                return Err(refused());
            }
            tracing::info!(project = %path, %id, "adopted an existing GitLab project");
            return Ok(project);
        }
        let archived = if project.archived {
            " and is archived"
        } else {
            ""
        };
        let detail = format!(
            "The GitLab project {path} was not made by this resource{archived}. To manage it here, import it (terraform import <address> {id}) or set adopt_existing = true. Otherwise choose another name."
        );
        Err(self.exists("the GitLab project exists", detail))
    }

    fn exists(&self, reason: &str, detail: String) -> Diagnostics {
        let name = &self.planned.name;
        let summary = format!("Cannot create the code repository {name}: {reason}");
        Diagnostic::error(summary, detail)
            .at(&Path::to("name"))
            .into()
    }
}

/// Whether the path is the former one of a project that was renamed.
fn is_redirect(error: &Error) -> bool {
    matches!(error.transport(), Some(TransportError::Redirected { .. }))
}
