//! `nautes_project`: a microservice of a product.

mod list;

use nautes_model::entity::{Entity, Project};
use nautes_model::layout::ManifestPath;
use nautes_model::name::NameRule;
use nautes_model::{EntityName, Kind};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};

use super::attribute::{CommonAttributes, name_rule};
use super::manifest::ManifestKind;
use super::references::{ReferenceResolver, entity_name};

/// A project: one microservice of a product, which owns code repositories and runtimes. It is not a
/// GitLab project.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct ProjectModel {
    /// Name of the project, unique in its product.
    #[tf(replace, validate(name_rule(NameRule::Project)))]
    pub(crate) name: String,
    /// Programming language, for people; free text.
    pub(crate) language: Option<String>,
    /// The attributes that every kind in a product has.
    #[tf(flatten)]
    pub(crate) common: CommonAttributes,
}

pub(crate) use list::ProjectList;

/// The kind of projects.
pub(crate) struct ProjectKind;

impl ManifestKind for ProjectKind {
    const KIND: Kind = Kind::Project;
    const DATA_SOURCE_DESCRIPTION: &'static str =
        "Looks up a project of a product, by product and name or by id.";
    type State = ProjectModel;

    fn common(state: &ProjectModel) -> &CommonAttributes {
        &state.common
    }

    fn common_mut(state: &mut ProjectModel) -> &mut CommonAttributes {
        &mut state.common
    }

    fn planned_common(planned: &mut PlanOf<ProjectModel>) -> &mut PlanOf<CommonAttributes> {
        &mut planned.common
    }

    fn planned_path(planned: &PlanOf<ProjectModel>) -> Option<ManifestPath> {
        let name = EntityName::new(planned.name.known()?).ok()?;
        Some(ManifestPath::project(&name))
    }

    fn name(state: &ProjectModel) -> &str {
        &state.name
    }

    async fn entity(
        state: &ProjectModel,
        _: Option<&ProjectModel>,
        references: ReferenceResolver<'_>,
    ) -> Result<Entity, Diagnostics> {
        Ok(Entity::Project(Project {
            product: references.product,
            name: entity_name("name", &state.name)?,
            language: state.language.clone().unwrap_or_default(),
        }))
    }

    fn update_from(state: &mut ProjectModel, entity: &Entity) {
        if let Entity::Project(project) = entity
            && state.language.as_deref().unwrap_or_default() != project.language
        {
            state.language = Some(project.language.clone()).filter(|text| !text.is_empty());
        }
    }

    fn from_entity(common: CommonAttributes, entity: &Entity) -> Option<ProjectModel> {
        let Entity::Project(project) = entity else {
            return None;
        };
        Some(ProjectModel {
            name: project.name.to_string(),
            language: Some(project.language.clone()).filter(|text| !text.is_empty()),
            common,
        })
    }
}
