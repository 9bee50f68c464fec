//! What tells one kind of manifest from another.

use std::future::{Future, ready};

use nautes_model::entity::Entity;
use nautes_model::{EntityName, Kind};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::Path;

use super::referring::Referring;
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

    /// The entity that the attributes describe; of an existing object, what its references meant stays so.
    fn entity(
        state: &Self::State,
        existing: Option<&Self::State>,
        referring: Referring<'_>,
    ) -> impl Future<Output = Result<Entity, Diagnostics>> + Send;

    /// Takes over the fields of an entity; those that every kind has stay.
    fn absorb(state: &mut Self::State, entity: &Entity);

    /// The attributes of an entity of which only the common ones are known.
    fn of(common: InProduct, entity: &Entity) -> Option<Self::State>;

    /// The changed attributes that would replace the object and mean the same as before.
    fn other_spellings(
        existing: &Self::State,
        planned: &PlanOf<Self::State>,
        referring: Referring<'_>,
    ) -> impl Future<Output = Vec<Path>> + Send {
        let _ = (existing, planned, referring);
        ready(Vec::new())
    }

    /// Checks what is needed besides GitLab, before anything is written.
    fn expect(referring: Referring<'_>) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = referring;
        ready(Ok(()))
    }

    /// What must come true after the entity was committed or deleted.
    fn settle(
        entity: &Entity,
        referring: Referring<'_>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = (entity, referring);
        ready(Ok(()))
    }
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
