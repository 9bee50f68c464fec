//! `nautes_environment`: a stage of a product, bound to a cluster.

mod list;

use nautes_model::entity::{Entity, Environment};
use nautes_model::layout::ManifestPath;
use nautes_model::name::NameRule;
use nautes_model::{EntityName, Kind, ProductId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Path, Tf};

use crate::client::Client;

use super::attribute::{CommonAttributes, name_rule, not_empty};
use super::manifest::ManifestKind;
use super::planned_reference::Meaning;
use super::references::{ReferenceResolver, entity_name};

/// An environment: a stage of a product, such as development or production, bound to one runtime
/// cluster. Two environments of a product cannot share a cluster.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct EnvironmentModel {
    /// Name of the environment, unique in its product.
    #[tf(replace, validate(name_rule(NameRule::Environment)))]
    pub(crate) name: String,
    /// Cluster in which the environment's runtimes live.
    #[tf(replace, validate(name_rule(NameRule::Cluster)))]
    pub(crate) cluster: String,
    /// What the environment is for, such as `dev`, `test` or `production`; free text.
    #[tf(validate(not_empty()))]
    pub(crate) env_type: String,
    /// The attributes that every kind in a product has.
    #[tf(flatten)]
    pub(crate) common: CommonAttributes,
}

pub(crate) use list::EnvironmentList;

/// The kind of environments.
pub(crate) struct EnvironmentKind;

impl ManifestKind for EnvironmentKind {
    const KIND: Kind = Kind::Environment;
    const DATA_SOURCE_DESCRIPTION: &'static str =
        "Looks up an environment of a product, by product and name or by id.";
    type State = EnvironmentModel;

    fn common(state: &EnvironmentModel) -> &CommonAttributes {
        &state.common
    }

    fn common_mut(state: &mut EnvironmentModel) -> &mut CommonAttributes {
        &mut state.common
    }

    fn planned_common(planned: &mut PlanOf<EnvironmentModel>) -> &mut PlanOf<CommonAttributes> {
        &mut planned.common
    }

    fn planned_path(planned: &PlanOf<EnvironmentModel>) -> Option<ManifestPath> {
        let name = EntityName::new(planned.name.known()?).ok()?;
        Some(ManifestPath::environment(&name))
    }

    fn name(state: &EnvironmentModel) -> &str {
        &state.name
    }

    async fn entity(
        state: &EnvironmentModel,
        _: Option<&EnvironmentModel>,
        references: ReferenceResolver<'_>,
    ) -> Result<Entity, Diagnostics> {
        Ok(Entity::Environment(Environment {
            product: references.product,
            name: entity_name("name", &state.name)?,
            cluster: entity_name("cluster", &state.cluster)?,
            env_type: state.env_type.clone(),
        }))
    }

    async fn plan_references(
        _: &Client,
        _: ProductId,
        _: &EnvironmentModel,
        planned: &mut PlanOf<EnvironmentModel>,
    ) -> Result<Vec<(Path, Meaning)>, Diagnostics> {
        let meaning = match planned.cluster {
            Tf::Unknown => Meaning::SameObject,
            Tf::Null | Known(_) => Meaning::AnotherObject,
        };
        Ok(vec![(Path::to("cluster"), meaning)])
    }

    fn update_from(state: &mut EnvironmentModel, entity: &Entity) {
        if let Entity::Environment(environment) = entity {
            state.cluster = environment.cluster.to_string();
            state.env_type.clone_from(&environment.env_type);
        }
    }

    fn from_entity(common: CommonAttributes, entity: &Entity) -> Option<EnvironmentModel> {
        let Entity::Environment(environment) = entity else {
            return None;
        };
        Some(EnvironmentModel {
            name: environment.name.to_string(),
            cluster: environment.cluster.to_string(),
            env_type: environment.env_type.clone(),
            common,
        })
    }
}
