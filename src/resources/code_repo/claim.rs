//! Getting hold of the GitLab project of a repository that is to be created: a new one, or one that may be taken over.

use nautes_model::entity::{CodeRepo, Entity};
use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::model::CodeRepoModel;
use super::moves::Wait;
use super::project::refused;
use crate::backends::gitlab::{Error, Group, Kind, NewProject, Project};
use crate::config_repo::Repository;
use crate::diagnostics::Attempted as _;
use crate::provider::Client;
use crate::resources::refusal::explained;
use crate::resources::unfinished;

/// The project of a repository.
pub(super) struct Claim {
    pub(super) project: Project,
    /// Whether there can be nothing in it yet.
    pub(super) is_new: bool,
}

/// Creates the project of a repository, or takes over one that an earlier attempt left or the user permits to take over.
///
/// `wanted` is the manifest that it is to have, whatever its number.
pub(super) async fn claim(
    client: &Client,
    repository: &Repository,
    group: &Group,
    planned: &CodeRepoModel,
    wanted: &CodeRepo,
) -> Result<Claim, Diagnostics> {
    let product = ProductId::new(group.id);
    let path = format!("{}/{}", group.full_path, planned.name);
    let new = NewProject {
        name: planned.wanted_display_name().to_owned(),
        path: planned.name.clone(),
        namespace_id: group.id,
        description: unfinished::marked(planned.wanted_description()),
        visibility: planned.wanted_visibility(),
        default_branch: planned.default_branch.known().cloned(),
        initialize_with_readme: planned.initialize_with_readme,
    };
    let attempt = Attempt {
        client,
        repository,
        planned,
        wanted,
        path: &path,
    };
    client.code_repos().forget_listing(product);
    let mut wait = Wait::new(client.code_repos().moves(), product, &planned.name);
    let claim = loop {
        match client.gitlab()?.create_project(&new).await {
            Ok(project) => {
                break Claim {
                    project,
                    is_new: true,
                };
            }
            Err(error) if *error.kind() == Kind::Taken || error.may_have_happened() => {
                match attempt.take_over(error).await {
                    Ok(project) => {
                        break Claim {
                            project,
                            is_new: false,
                        };
                    }
                    Err(_) if wait.another_attempt().await => {}
                    Err(refusal) => return Err(refusal),
                }
            }
            Err(error) => return Err(refused("create", &path, &error)),
        }
    };
    let id = RepositoryId::new(claim.project.id);
    if client.code_repos().claim(product, &planned.name, id) {
        return Ok(claim);
    }
    let text = format!(
        "Another nautes_code_repo of this configuration has made the GitLab project {path}. Two repositories cannot share a project; give one of them another name."
    );
    Err(
        Diagnostic::error("Two repositories have the same name", text)
            .at(&Path::to("name"))
            .into(),
    )
}

struct Attempt<'a> {
    client: &'a Client,
    repository: &'a Repository,
    planned: &'a CodeRepoModel,
    wanted: &'a CodeRepo,
    path: &'a str,
}

impl Attempt<'_> {
    async fn take_over(&self, error: Error) -> Result<Project, Diagnostics> {
        let path = self.path;
        let project = match self.client.gitlab()?.project(path).await {
            Ok(project) => project,
            // The display name may be taken by a sibling, or the path by what the token cannot see.
            Err(absent) if absent.is_not_found() || is_moved(&absent) => {
                return Err(refused("create", path, &error));
            }
            Err(failed) => {
                return Err(failed).attempted(format!("read the GitLab project {path}"));
            }
        };
        if project.path != self.planned.name || project.namespace.id != self.wanted.product.number()
        {
            return Err(refused("create", path, &error));
        }
        if project.is_marked_for_deletion() {
            let text = format!(
                "The GitLab project {path} is marked for deletion and has kept its path. Restore it in GitLab, wait until it is removed, or choose another name."
            );
            return Err(self.exists("its path is not free", text));
        }
        if self.is_given_up(&project) {
            return Err(refused("create", path, &error));
        }
        let is_marked = unfinished::is_marked(project.description.as_deref().unwrap_or_default());
        let may_adopt = self.planned.adopt_existing == Some(true);
        if is_marked || may_adopt || self.is_just_created(&project).await? {
            return Ok(project);
        }
        let id = RepositoryId::new(project.id);
        let text = format!(
            "The GitLab project {path} was not made by this resource. To manage it here, import it (terraform import <address> {id}) or set adopt_existing = true. Otherwise choose another name."
        );
        Err(self.exists("the GitLab project exists", text))
    }

    /// Tells whether another request of this run is about to rename or delete the project.
    fn is_given_up(&self, project: &Project) -> bool {
        let moves = self.client.code_repos().moves();
        moves.gives_up(self.wanted.product, &project.path)
    }

    /// Tells whether a project is what the last step of a creation leaves: killed after it, before the state was stored.
    async fn is_just_created(&self, project: &Project) -> Result<bool, Diagnostics> {
        let Self {
            planned, wanted, ..
        } = self;
        let equals_plan = project.name == planned.wanted_display_name()
            && project.description.as_deref().unwrap_or_default() == planned.wanted_description()
            && project.visibility == planned.wanted_visibility();
        if !equals_plan {
            return Ok(false);
        }
        let entity = Entity::from(CodeRepo {
            id: RepositoryId::new(project.id),
            ..(*wanted).clone()
        });
        let snapshot = self.repository.fresh_snapshot().await;
        let attempt = format!("read the manifests of {}", wanted.product);
        let snapshot = explained(self.client, wanted.product, &attempt, snapshot).await?;
        Ok(snapshot.get(&entity.key()) == Some(&entity))
    }

    fn exists(&self, why: &str, text: String) -> Diagnostics {
        let name = &self.planned.name;
        Diagnostic::error(
            format!("Cannot create the code repository {name}: {why}"),
            text,
        )
        .at(&Path::to("name"))
        .into()
    }
}

/// Whether the path is the former one of a project that was renamed.
fn is_moved(error: &Error) -> bool {
    matches!(error.kind(), Kind::Redirected { .. })
}
