//! `nautes_code_repo_binding`: the permission to use a code repository.

mod list;

use std::collections::BTreeSet;

use nautes_model::entity::{CodeRepoBinding, Entity, Permissions};
use nautes_model::layout::ManifestPath;
use nautes_model::name::NameRule;
use nautes_model::reference::CodeRepoReference;
use nautes_model::{EntityName, Kind, ProductId, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::schema::{Validator, each, one_of};
use terraform_plugin::value::{Known, Path, PlanSet};
use terraform_plugin::waiting::waiting_for;

use crate::client::Client;
use crate::credentials::Subscriber;
use crate::diagnostics::Context as _;

use super::attribute::{CommonAttributes, code_repo_reference, entity_reference, name_rule};
use super::home::Saved;
use super::manifest::ManifestKind;
use super::planned_reference::{self, Meaning};
use super::references::{ReferenceResolver, entity_name, name_in, resolve_name};

pub(crate) use list::CodeRepoBindingList;

/// A binding of a code repository: opens the repository to the whole product or to some of its
/// projects.
///
/// The deploy keys of the repositories that get the permission are enabled on the repository that
/// is opened. Everything that creates or changes a binding waits until that is done.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct CodeRepoBindingModel {
    /// Name of the binding, unique in its product.
    #[tf(replace, validate(name_rule(NameRule::CodeRepoBinding)))]
    pub(crate) name: String,
    /// The code repository that is opened, by id or by name. Only the id survives a rename of the
    /// repository.
    #[tf(replace, validate(code_repo_reference()))]
    pub(crate) code_repo: String,
    /// The projects that may use the repository, by id or by name. If it is not set, the whole
    /// product may; an empty set is refused.
    #[tf(
        validate(not_empty_set()),
        validate(each(entity_reference("a project")))
    )]
    pub(crate) projects: Option<BTreeSet<String>>,
    /// What they may do: clone, or clone and push.
    #[tf(validate(one_of(["readonly", "readwrite"])))]
    pub(crate) permissions: String,
    /// The attributes that every kind in a product has.
    #[tf(flatten)]
    pub(crate) common: CommonAttributes,
}

/// The kind of bindings.
pub(crate) struct CodeRepoBindingKind;

impl ManifestKind for CodeRepoBindingKind {
    const KIND: Kind = Kind::CodeRepoBinding;
    const DATA_SOURCE_DESCRIPTION: &'static str =
        "Looks up a binding of a code repository, by product and name or by id.";
    type State = CodeRepoBindingModel;

    fn common(state: &CodeRepoBindingModel) -> &CommonAttributes {
        &state.common
    }

    fn common_mut(state: &mut CodeRepoBindingModel) -> &mut CommonAttributes {
        &mut state.common
    }

    fn planned_common(planned: &mut PlanOf<CodeRepoBindingModel>) -> &mut PlanOf<CommonAttributes> {
        &mut planned.common
    }

    fn planned_path(planned: &PlanOf<CodeRepoBindingModel>) -> Option<ManifestPath> {
        let name = EntityName::new(planned.name.known()?).ok()?;
        match planned.code_repo.known()?.parse().ok()? {
            CodeRepoReference::Id(id) => Some(ManifestPath::code_repo_binding(id, &name)),
            CodeRepoReference::Name(_) => None,
        }
    }

    fn name(state: &CodeRepoBindingModel) -> &str {
        &state.name
    }

    async fn entity(
        state: &CodeRepoBindingModel,
        existing: Option<&CodeRepoBindingModel>,
        references: ReferenceResolver<'_>,
    ) -> Result<Entity, Diagnostics> {
        let code_repo = match existing.and_then(opened_repository) {
            Some(kept) => kept,
            None => references.code_repo("code_repo", &state.code_repo).await?,
        };
        Ok(Entity::CodeRepoBinding(CodeRepoBinding {
            product: references.product,
            name: entity_name("name", &state.name)?,
            code_repo,
            projects: projects(state, references)?,
            permissions: permissions(&state.permissions),
        }))
    }

    fn update_from(state: &mut CodeRepoBindingModel, entity: &Entity) {
        let Entity::CodeRepoBinding(binding) = entity else {
            return;
        };
        if opened_repository(state) != Some(binding.code_repo) {
            state.code_repo = binding.code_repo.to_string();
        }
        if !means(state, &binding.projects) {
            state.projects = written(&binding.projects);
        }
        binding
            .permissions
            .as_str()
            .clone_into(&mut state.permissions);
    }

    fn from_entity(common: CommonAttributes, entity: &Entity) -> Option<CodeRepoBindingModel> {
        let Entity::CodeRepoBinding(binding) = entity else {
            return None;
        };
        Some(CodeRepoBindingModel {
            name: binding.name.to_string(),
            code_repo: binding.code_repo.to_string(),
            projects: written(&binding.projects),
            permissions: binding.permissions.as_str().to_owned(),
            common,
        })
    }

    async fn preflight(client: &Client) -> Result<(), Diagnostics> {
        client.require_vault().await
    }

    async fn after_commit(
        client: &Client,
        entity: &Entity,
        saved: Option<&Saved>,
    ) -> Result<(), Diagnostics> {
        let Entity::CodeRepoBinding(binding) = entity else {
            return Ok(());
        };
        let product = binding.product;
        let config_project = match saved {
            Some(saved) => Some(saved.location.project),
            None => client.products()?.config_project(product).await?,
        };
        let Some(config_project) = config_project else {
            return Ok(());
        };
        let repository = binding.code_repo;
        let subscriber = Subscriber::Binding { repository };
        let _waiting =
            waiting_for(move || format!("the deploy keys of others to be enabled on {repository}"));
        let distributed = client
            .credentials()?
            .wait_for_distribution(product, config_project, subscriber)
            .await;
        distributed.with_context(|| format!("enable the deploy keys of others on {repository}"))
    }

    async fn plan_references(
        client: &Client,
        product: ProductId,
        existing: &CodeRepoBindingModel,
        planned: &mut PlanOf<CodeRepoBindingModel>,
    ) -> Result<Vec<(Path, Meaning)>, Diagnostics> {
        let attribute = "code_repo";
        let meaning = planned_reference::code_repo(
            client,
            product,
            attribute,
            opened_repository(existing),
            &existing.code_repo,
            &planned.code_repo,
        )
        .await?;
        if meaning == Meaning::Unchanged {
            planned.code_repo = Known(existing.code_repo.clone());
        }
        keep_projects(product, existing, planned);
        Ok(vec![(Path::to(attribute), meaning)])
    }
}

/// Keeps the references to projects in the state where the planned ones mean the same.
fn keep_projects(
    product: ProductId,
    existing: &CodeRepoBindingModel,
    planned: &mut PlanOf<CodeRepoBindingModel>,
) {
    let (Some(kept), Known(written)) = (&existing.projects, &planned.projects) else {
        return;
    };
    let name = |reference: &str| resolve_name(product, "projects", reference).ok();
    let meant = written.0.iter().map(|reference| name(reference.known()?));
    let meant: Option<BTreeSet<EntityName>> = meant.collect();
    if meant.is_some() && meant == kept.iter().map(|reference| name(reference)).collect() {
        planned.projects = Known(PlanSet(kept.iter().cloned().map(Known).collect()));
    }
}

/// Refuses an empty set, which would open the repository to the whole product.
fn not_empty_set() -> Validator {
    let description = "Must not be empty.";
    Validator::new(description, |projects: &BTreeSet<String>| {
        if projects.is_empty() {
            Err("An empty set names no project. Name at least one, or leave the argument out: then the whole product may use the repository.".to_owned())
        } else {
            Ok(())
        }
    })
}

/// The repository that an existing binding opens, whatever its name is by now: the manifest lies in its folder.
fn opened_repository(state: &CodeRepoBindingModel) -> Option<RepositoryId> {
    let path: ManifestPath = state.common.manifest_path.known()?.parse().ok()?;
    let (_, folder) = path.folder().rsplit_once('/')?;
    folder.parse().ok()
}

fn projects(
    state: &CodeRepoBindingModel,
    references: ReferenceResolver<'_>,
) -> Result<BTreeSet<EntityName>, Diagnostics> {
    let projects = state.projects.iter().flatten();
    projects
        .map(|reference| references.name("projects", reference))
        .collect()
}

/// Tells whether the references in the state are those to the projects.
fn means(state: &CodeRepoBindingModel, projects: &BTreeSet<EntityName>) -> bool {
    let references = state.projects.iter().flatten();
    let names: BTreeSet<&str> = references.map(|text| name_in(text)).collect();
    names == projects.iter().map(EntityName::as_str).collect()
}

fn written(projects: &BTreeSet<EntityName>) -> Option<BTreeSet<String>> {
    let names: BTreeSet<String> = projects.iter().map(ToString::to_string).collect();
    Some(names).filter(|names| !names.is_empty())
}

fn permissions(word: &str) -> Permissions {
    if word == Permissions::ReadWrite.as_str() {
        Permissions::ReadWrite
    } else {
        Permissions::ReadOnly
    }
}
