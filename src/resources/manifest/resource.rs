//! The life cycle of a kind that is a manifest.

use std::marker::PhantomData;

use nautes_model::entity::Entity;
use nautes_model::reference::EntityId;
use nautes_model::{EntityKey, EntityName, ProductId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::resource::{ImportTarget, Operation, PlanKind, Planning, Resource};
use terraform_plugin::value::{Convert as _, Known, Path, Tf};

use super::kind::ManifestKind;
use crate::claim::{Claim, Deletion, ObjectId};
use crate::client::Client;
use crate::config_repo::{PutMode, Validation};
use crate::resources::attribute::{CommonAttributes, drift_attribute, split_import_id};
use crate::resources::home::{
    Found, Home, ManifestLocation, drift_of, referrers_warning, took_over_warning,
};
use crate::resources::planned_reference::{self, Meaning};
use crate::resources::references::{ReferenceResolver, entity_name};

/// A resource whose object is one manifest.
pub(crate) struct ManifestResource<K>(PhantomData<K>);

impl<K> ManifestResource<K> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

/// The identity of an entity of a product.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct EntityIdentity {
    /// Identifier of the product: `product-` and the numeric ID of its GitLab group.
    pub(crate) product_id: String,
    /// Name of the entity.
    pub(crate) name: String,
}

impl<K: ManifestKind> Resource for ManifestResource<K> {
    type Client = Client;
    type State = K::State;
    type Identity = EntityIdentity;
    const TYPE_NAME: &'static str = K::KIND.terraform_type();

    async fn create(
        &self,
        operation: &mut Operation<Client>,
        mut planned: K::State,
    ) -> Result<K::State, Diagnostics> {
        let client = operation.client().clone();
        K::preflight(&client).await?;
        let key = EntityKey::new(K::KIND, entity_name("name", K::name(&planned))?);
        let request = client.wait_graph().begin([]);
        let reference = &K::common(&planned).product;
        let product = client.products()?.locate(&request, reference).await?.id;
        let object = object_id::<K>(product, &key);
        let claim = Claim::load_or_store(&mut operation.private)?;
        let home = Home::product(&client, product).with_claim(Some(claim.clone()));
        request.may_write(home.target(key.clone()));
        let references = ReferenceResolver {
            client: &client,
            product,
            request: Some(&request),
        };
        let entity = K::entity(&planned, None, references).await?;
        let validation = K::common(&planned).validation(&client);
        let attempt = attempt::<K>("create", &planned);
        let saved = home
            .put(&request, &entity, PutMode::Create, validation, &attempt)
            .await?;
        drop(request);
        saved.location.store(&mut operation.private)?;
        if saved.took_over {
            let (summary, detail) = took_over_warning(&key);
            operation.warn(summary, detail);
        }
        K::after_commit(&client, &entity, Some(&saved)).await?;
        client.holders().record_created(&object, &claim)?;
        fill_computed(K::common_mut(&mut planned), &entity, product);
        K::common_mut(&mut planned).manifest_path = Known(saved.path);
        Ok(planned)
    }

    async fn read(
        &self,
        operation: &mut Operation<Client>,
        mut state: K::State,
    ) -> Result<Option<K::State>, Diagnostics> {
        let client = operation.client().clone();
        let id = entity_id(K::common(&state))?;
        let key = EntityKey::new(K::KIND, id.name);
        let object = object_id::<K>(id.product, &key);
        let home =
            Home::product(&client, id.product).at(ManifestLocation::load(&operation.private));
        let (present, location) = match home.read(&key, &attempt::<K>("read", &state)).await? {
            Found::Unchanged => {
                client
                    .holders()
                    .record_read(&object, &mut operation.private)?;
                return Ok(Some(state));
            }
            Found::Absent => return Ok(None),
            Found::Present(present, location) => (present, location),
        };
        client
            .holders()
            .record_read(&object, &mut operation.private)?;
        if let Some(entity) = &present.entity {
            K::update_from(&mut state, entity);
        }
        let common = K::common_mut(&mut state);
        common.namespace = Known(id.product.to_string());
        common.manifest_path = Known(present.path.clone());
        common.drift = drift_attribute(drift_of(&present));
        location.store(&mut operation.private)?;
        Ok(Some(state))
    }

    async fn update(
        &self,
        operation: &mut Operation<Client>,
        prior: K::State,
        mut planned: K::State,
    ) -> Result<K::State, Diagnostics> {
        let client = operation.client().clone();
        K::preflight(&client).await?;
        let id = entity_id(K::common(&prior))?;
        let location = ManifestLocation::load(&operation.private);
        let mode = PutMode::Update(location.as_ref().map(|known| known.verified.clone()));
        let key = EntityKey::new(K::KIND, id.name);
        let claim = Claim::load_or_store(&mut operation.private)?;
        client
            .holders()
            .record(&object_id::<K>(id.product, &key), &claim)?;
        let home = Home::product(&client, id.product).at(location);
        let home = home.with_claim(Some(claim));
        let request = home.begin(key);
        let references = ReferenceResolver {
            client: &client,
            product: id.product,
            request: Some(&request),
        };
        let entity = K::entity(&planned, Some(&prior), references).await?;
        let validation = K::common(&planned).validation(&client);
        let attempt = attempt::<K>("update", &planned);
        let saved = home
            .put(&request, &entity, mode, validation, &attempt)
            .await?;
        saved.location.store(&mut operation.private)?;
        drop(request);
        K::after_commit(&client, &entity, Some(&saved)).await?;
        fill_computed(K::common_mut(&mut planned), &entity, id.product);
        K::common_mut(&mut planned).manifest_path = Known(saved.path);
        Ok(planned)
    }

    async fn delete(
        &self,
        operation: &mut Operation<Client>,
        state: K::State,
    ) -> Result<(), Diagnostics> {
        let client = operation.client().clone();
        K::preflight(&client).await?;
        let id = entity_id(K::common(&state))?;
        let product = id.product;
        let key = EntityKey::new(K::KIND, id.name);
        // Terraform updates the users of a replaced entity after it: its order, not a mistake.
        let validation = if operation.is_replacement() {
            Validation::Skip
        } else {
            K::common(&state).validation(&client)
        };
        let object = object_id::<K>(product, &key);
        let claim = Claim::load(&operation.private);
        let judged = client.holders().judge_deletion(&object, claim.as_ref())?;
        if judged == Deletion::OfAnother {
            return Ok(());
        }
        let home = Home::product(&client, product).at(ManifestLocation::load(&operation.private));
        let home = home.with_claim(claim);
        let request = home.begin(key.clone());
        let attempt = attempt::<K>("delete", &state);
        let deleted = home.delete(&request, &key, validation, &attempt).await?;
        client.holders().release(&object);
        let Some(snapshot) = deleted else {
            return Ok(());
        };
        drop(request);
        if operation.is_replacement()
            && let Some((summary, detail)) = referrers_warning(&snapshot, &key)
        {
            operation.warn(summary, detail);
        }
        let references = ReferenceResolver {
            client: &client,
            product,
            request: None,
        };
        let entity = K::entity(&state, Some(&state), references).await?;
        K::after_commit(&client, &entity, None).await
    }

    async fn modify_plan(&self, planning: &mut Planning<'_, Self>) -> Result<(), Diagnostics> {
        check_holder::<K>(planning)?;
        if planning.kind == PlanKind::Create {
            plan_creation::<K>(planning);
        }
        plan_references::<K>(planning).await
    }

    async fn plan_delete(
        &self,
        operation: &mut Operation<Client>,
        state: K::State,
    ) -> Result<(), Diagnostics> {
        let id = entity_id(K::common(&state))?;
        let object = object_id::<K>(id.product, &EntityKey::new(K::KIND, id.name));
        let holders = operation.client().holders();
        holders.record_planned_deletion(&object, &operation.private)
    }

    fn identity(&self, state: &K::State) -> Option<EntityIdentity> {
        let id = entity_id(K::common(state)).ok()?;
        Some(EntityIdentity {
            product_id: id.product.to_string(),
            name: id.name.to_string(),
        })
    }

    async fn import(
        &self,
        operation: &mut Operation<Client>,
        target: ImportTarget<EntityIdentity>,
    ) -> Result<Option<K::State>, Diagnostics> {
        let client = operation.client().clone();
        let (product, name) = match target {
            ImportTarget::Identity(identity) => (identity.product_id, identity.name),
            ImportTarget::Id(id) => split_import_id(K::KIND, &id)?,
        };
        let key = EntityKey::new(K::KIND, entity_name("name", &name)?);
        let Some((state, location)) = load::<K>(&client, product, &key).await? else {
            return Ok(None);
        };
        location.store(&mut operation.private)?;
        Claim::load_or_store(&mut operation.private)?;
        Ok(Some(state))
    }
}

/// Loads an entity of which nothing is known but its name and the reference to its product.
pub(super) async fn load<K: ManifestKind>(
    client: &Client,
    product: String,
    key: &EntityKey,
) -> Result<Option<(K::State, ManifestLocation)>, Diagnostics> {
    let product_id = client.products()?.resolve(&product).await?;
    let attempt = format!("read the {key}");
    let found = Home::product(client, product_id)
        .read(key, &attempt)
        .await?;
    let Found::Present(present, location) = found else {
        return Ok(None);
    };
    let Some(entity) = &present.entity else {
        let reasons = drift_of(&present).join("; ");
        let detail = format!("Its manifest cannot be read: {reasons}.");
        return Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into());
    };
    let mut common = CommonAttributes::new(product);
    fill_computed(&mut common, entity, product_id);
    common.manifest_path = Known(present.path.clone());
    common.drift = drift_attribute(drift_of(&present));
    Ok(K::from_entity(common, entity).map(|state| (state, location)))
}

/// Refuses a plan for what another instance holds, and warns of a creation that takes it over.
fn check_holder<K: ManifestKind>(
    planning: &mut Planning<'_, ManifestResource<K>>,
) -> Result<(), Diagnostics> {
    let Some(client) = planning.client else {
        return Ok(());
    };
    if let Some(prior) = &planning.prior {
        let id = entity_id(K::common(prior))?;
        let object = object_id::<K>(id.product, &EntityKey::new(K::KIND, id.name));
        return client.holders().record_kept(&object, &planning.private);
    }
    let planned = planning.planned.to_value();
    let reference = planned.attribute("product").as_str();
    let product = client.products()?.known_id(reference.unwrap_or_default());
    let name = planned.attribute("name").as_str().map(EntityName::new);
    if let (Some(product), Some(Ok(name))) = (product, name) {
        let object = object_id::<K>(product, &EntityKey::new(K::KIND, name));
        let claim = planning.replaced.as_ref().and_then(Claim::load);
        if client.holders().is_held_by_another(&object, claim.as_ref()) {
            let summary = format!("{} is in this state already", object.id);
            planning.warn(summary, "Another resource manages it. If that one is removed or replaced in the same plan, this one takes it over; otherwise two would hold one object, which every further plan refuses. A moved block renames a resource without that.");
        }
    }
    Ok(())
}

/// Plans references that are written differently and mean the same: they change nothing, and
/// replace nothing.
async fn plan_references<K: ManifestKind>(
    planning: &mut Planning<'_, ManifestResource<K>>,
) -> Result<(), Diagnostics> {
    let (Some(prior), Some(client)) = (planning.prior.clone(), planning.client) else {
        return Ok(());
    };
    let common = K::common(&prior);
    let product = entity_id(common)?.product;
    let planned = K::planned_common(&mut planning.planned);
    let meaning =
        planned_reference::product(client, product, &common.product, &planned.product).await?;
    if meaning == Meaning::Unchanged {
        planned.product = Known(common.product.clone());
    }
    planned.keep_manifest_path(common);
    let mut meanings = vec![(Path::to("product"), meaning)];
    meanings.extend(K::plan_references(client, product, &prior, &mut planning.planned).await?);
    for (path, meaning) in meanings {
        if meaning != Meaning::AnotherObject {
            planning.allow_in_place_update(&path);
        }
    }
    if planning.replacement_paths().is_empty() {
        return Ok(());
    }
    let key = EntityKey::new(K::KIND, entity_id(K::common(&prior))?.name);
    if meaning == Meaning::AnotherObject {
        let (summary, detail) = planned_reference::moves_warning(&key.to_string(), product);
        planning.warn(summary, detail);
    }
    let home = Home::product(client, product);
    if let Some((summary, detail)) = home.planned_replacement_warning(&key).await {
        planning.warn(summary, detail);
    }
    Ok(())
}

/// Plans what a creation is known to give: the namespace of a product that is referred to by id, and
/// the path of the manifest.
fn plan_creation<K: ManifestKind>(planning: &mut Planning<'_, ManifestResource<K>>) {
    let path = K::planned_path(&planning.planned);
    let planned = K::planned_common(&mut planning.planned);
    planned.plan_namespace();
    if let Some(path) = path {
        planned.manifest_path = Known(path.as_str().to_owned());
    }
}

fn attempt<K: ManifestKind>(verb: &str, state: &K::State) -> String {
    format!("{verb} the {} {}", K::KIND.noun(), K::name(state))
}

fn object_id<K: ManifestKind>(product: ProductId, key: &EntityKey) -> ObjectId {
    ObjectId::entity(K::KIND, product, &key.name)
}

fn entity_id(common: &CommonAttributes) -> Result<EntityId, Diagnostics> {
    let id = common.id.require_known("id")?;
    id.parse()
        .map_err(|error| Diagnostic::bug(error).at(&Path::to("id")).into())
}

/// Sets the attributes that follow from the entity and its product, except the path.
fn fill_computed(common: &mut CommonAttributes, entity: &Entity, product: ProductId) {
    let id = EntityId {
        product,
        name: entity.name(),
    };
    common.id = Known(id.to_string());
    common.drift = Tf::Null;
    common.namespace = Known(product.to_string());
}
