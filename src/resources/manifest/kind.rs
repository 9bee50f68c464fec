//! How one kind of manifest differs from another.

use std::future::{Future, ready};

use nautes_model::entity::Entity;
use nautes_model::layout::ManifestPath;
use nautes_model::{Kind, ProductId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::Path;

use crate::client::Client;
use crate::resources::attribute::CommonAttributes;
use crate::resources::home::Saved;
use crate::resources::planned_reference::Meaning;
use crate::resources::references::ReferenceResolver;

/// A kind of entity that is a manifest: conversions between its attributes and its entity.
pub(crate) trait ManifestKind: Send + Sync + 'static {
    /// The kind in the model.
    const KIND: Kind;
    /// The description of the data source.
    const DATA_SOURCE_DESCRIPTION: &'static str;
    /// The attributes.
    type State: Model + Clone;

    /// The attributes that every kind has.
    fn common(state: &Self::State) -> &CommonAttributes;

    /// The attributes that every kind has.
    fn common_mut(state: &mut Self::State) -> &mut CommonAttributes;

    /// The name.
    fn name(state: &Self::State) -> &str;

    /// Returns the entity that the attributes describe. The references of an existing object keep
    /// what they meant at its creation.
    fn entity(
        state: &Self::State,
        existing: Option<&Self::State>,
        references: ReferenceResolver<'_>,
    ) -> impl Future<Output = Result<Entity, Diagnostics>> + Send;

    /// Takes over the fields of an entity, except those that every kind has.
    fn update_from(state: &mut Self::State, entity: &Entity);

    /// Returns the attributes of an entity, given those that every kind has.
    fn from_entity(common: CommonAttributes, entity: &Entity) -> Option<Self::State>;

    /// The planned attributes that every kind has.
    fn planned_common(planned: &mut PlanOf<Self::State>) -> &mut PlanOf<CommonAttributes>;

    /// The path that a creation gives the manifest, as far as the plan knows it.
    fn planned_path(planned: &PlanOf<Self::State>) -> Option<ManifestPath>;

    /// Judges the planned references of an existing object, other than that to its product, and
    /// keeps those in the state that mean the same. Returns what those mean whose change replaces
    /// the object.
    fn plan_references(
        client: &Client,
        product: ProductId,
        existing: &Self::State,
        planned: &mut PlanOf<Self::State>,
    ) -> impl Future<Output = Result<Vec<(Path, Meaning)>, Diagnostics>> + Send {
        let _ = (client, product, existing, planned);
        ready(Ok(Vec::new()))
    }

    /// Checks what is needed besides GitLab, before anything is written.
    fn preflight(client: &Client) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = client;
        ready(Ok(()))
    }

    /// Does what the commit of an entity requires; `saved` is `None` if it was deleted. Other
    /// requests no longer wait for this one.
    fn after_commit(
        client: &Client,
        entity: &Entity,
        saved: Option<&Saved>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = (client, entity, saved);
        ready(Ok(()))
    }
}
