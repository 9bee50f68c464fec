//! What tells one kind of manifest from another.

use nautes_model::entity::Entity;
use nautes_model::{EntityName, Kind, ProductId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::value::Path;

use crate::resources::attribute::InProduct;

/// A kind of entity that is a manifest and nothing else.
pub(crate) trait ManifestKind: Send + Sync + 'static {
    /// The kind in the model.
    const KIND: Kind;
    /// What the data source of the kind says of itself.
    const DATA_SOURCE_DESCRIPTION: &'static str;
    /// The attributes.
    type State: Model + Clone;

    /// The attributes that every kind has.
    fn common(state: &Self::State) -> &InProduct;

    /// The attributes that every kind has.
    fn common_mut(state: &mut Self::State) -> &mut InProduct;

    /// The name.
    fn name(state: &Self::State) -> &str;

    /// The entity that the attributes describe.
    fn entity(state: &Self::State, product: ProductId) -> Result<Entity, Diagnostics>;

    /// Takes over the fields of an entity; those that every kind has stay.
    fn absorb(state: &mut Self::State, entity: &Entity);

    /// The attributes of an entity of which only the common ones are known.
    fn of(common: InProduct, entity: &Entity) -> Option<Self::State>;
}

/// Returns a name as the model takes it; an error is on its attribute.
pub(crate) fn entity_name(attribute: &str, name: &str) -> Result<EntityName, Diagnostics> {
    EntityName::new(name).map_err(|error| {
        let summary = format!("Invalid value of {attribute}");
        Diagnostic::error(summary, format!("{error}."))
            .at(&Path::to(attribute))
            .into()
    })
}
