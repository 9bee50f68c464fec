//! Create, read, update and delete, the same for every kind.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use nautes_model::entity::Entity;
use nautes_model::layout::ManifestPath;
use nautes_model::reference::EntityId;
use nautes_model::validation::references;
use nautes_model::{EntityKey, ProductId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::resource::{ImportTarget, Operation, Planning, Resource};
use terraform_plugin::value::{Convert as _, Known, Path, Tf};

use super::kind::{ManifestKind, entity_name};
use super::place::{self, Place};
use super::referring::Referring;
use crate::config_repo::{Checks, Present, PutMode, Reading, Repository, Snapshot, Written};
use crate::provider::Client;
use crate::resources::attribute::InProduct;
use crate::resources::code_repo;
use crate::resources::refusal::explained;

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
    /// Identifier of the product: `product-` and the number of its GitLab group.
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
        let product = client
            .products()
            .locate(&client, &K::common(&planned).product)
            .await?;
        let repository = client
            .config_repositories()?
            .open(product.id, product.config_project);
        let referring = Referring {
            client: &client,
            product: product.id,
        };
        K::expect(referring).await?;
        let entity = K::entity(&planned, None, referring).await?;
        let written = repository
            .put(
                entity.clone(),
                PutMode::Create,
                checks::<K>(&client, &planned),
            )
            .await;
        let attempt = attempt::<K>("create", &planned);
        let written = explained(&client, product.id, &attempt, written).await?;
        keep(operation, product.config_project, &written)?;
        K::settle(&entity, referring).await?;
        complete(K::common_mut(&mut planned), &entity, product.id);
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
        let kept = Place::of(&operation.private);
        let attempt = attempt::<K>("read", &state);
        let read = |project, repository: Repository| {
            let (key, kept) = (&key, kept.as_ref().filter(|place| place.project == project));
            async move {
                let reading = repository
                    .read(key, kept.map(|place| &place.verified))
                    .await?;
                Ok((project, reading))
            }
        };
        let found = place::read_in(&client, id.product, &attempt, read).await?;
        let Some((project, reading)) = found else {
            return Ok(None);
        };
        K::common_mut(&mut state).namespace = Known(id.product.to_string());
        absorb::<K>(operation, state, reading, project)
    }

    async fn update(
        &self,
        operation: &mut Operation<Client>,
        prior: K::State,
        mut planned: K::State,
    ) -> Result<K::State, Diagnostics> {
        let client = operation.client().clone();
        let product = entity_id(K::common(&prior))?.product;
        let kept = Place::of(&operation.private);
        let attempt = attempt::<K>("update", &planned);
        let referring = Referring {
            client: &client,
            product,
        };
        K::expect(referring).await?;
        let entity = K::entity(&planned, Some(&prior), referring).await?;
        let checks = checks::<K>(&client, &planned);
        let write = |project, repository: Repository| {
            let mode = PutMode::Update(kept.as_ref().map(|place| place.verified.clone()));
            let entity = entity.clone();
            async move { Ok((project, repository.put(entity, mode, checks).await?)) }
        };
        let written = place::change_in(&client, product, kept.as_ref(), &attempt, write).await?;
        let Some((project, written)) = written else {
            let text = format!(
                "The product {product}, or its configuration repository, does not exist any more. Plan again to create what is missing."
            );
            return Err(Diagnostic::error(format!("Cannot {attempt}"), text).into());
        };
        keep(operation, project, &written)?;
        K::settle(&entity, referring).await?;
        complete(K::common_mut(&mut planned), &entity, product);
        Ok(planned)
    }

    async fn delete(
        &self,
        operation: &mut Operation<Client>,
        state: K::State,
    ) -> Result<(), Diagnostics> {
        let client = operation.client().clone();
        let id = entity_id(K::common(&state))?;
        let key = EntityKey::new(K::KIND, id.name);
        let kept = Place::of(&operation.private);
        let attempt = attempt::<K>("delete", &state);
        // The users of a replaced entity are updated after it: Terraform's order, not a mistake.
        let checks = if operation.is_replacement() {
            Checks::Skip
        } else {
            checks::<K>(&client, &state)
        };
        let referring = Referring {
            client: &client,
            product: id.product,
        };
        K::expect(referring).await?;
        let remove = |_, repository: Repository| {
            let key = &key;
            async move { repository.delete(key, checks).await }
        };
        let removed =
            match place::change_in(&client, id.product, kept.as_ref(), &attempt, remove).await {
                // What refuses it may be the manifest of a repository that was deleted from outside.
                Err(_)
                    if code_repo::sweep(&client, id.product)
                        .await
                        .is_ok_and(|any| any) =>
                {
                    place::change_in(&client, id.product, kept.as_ref(), &attempt, remove).await?
                }
                removed => removed?,
            };
        let Some(removed) = removed else {
            return Ok(());
        };
        if operation.is_replacement() {
            warn_of_referrers(operation, &removed.snapshot, &key);
        }
        let entity = K::entity(&state, Some(&state), referring).await?;
        K::settle(&entity, referring).await
    }

    async fn modify_plan(&self, planning: &mut Planning<'_, Self>) -> Result<(), Diagnostics> {
        keep_despite_another_spelling::<K>(planning).await
    }

    fn identity(&self, state: &K::State) -> Option<EntityIdentity> {
        let id = entity_id(K::common(state)).ok()?;
        let (product_id, name) = (id.product.to_string(), id.name.to_string());
        Some(EntityIdentity { product_id, name })
    }

    async fn import(
        &self,
        operation: &mut Operation<Client>,
        target: ImportTarget<EntityIdentity>,
    ) -> Result<Option<K::State>, Diagnostics> {
        let client = operation.client().clone();
        let (product, name) = match target {
            ImportTarget::Identity(identity) => (identity.product_id, identity.name),
            ImportTarget::Id(id) => split_import_id::<K>(&id)?,
        };
        let key = EntityKey::new(K::KIND, entity_name("name", &name)?);
        let Some((state, place)) = described::<K>(&client, product, &key).await? else {
            return Ok(None);
        };
        place.keep(&mut operation.private)?;
        Ok(Some(state))
    }
}

/// Reads an existing entity of which nothing is known but its name and its product, whose form is kept.
pub(super) async fn described<K: ManifestKind>(
    client: &Client,
    product: String,
    key: &EntityKey,
) -> Result<Option<(K::State, Place)>, Diagnostics> {
    let product_id = client.products().id_of(client, &product).await?;
    let attempt = format!("read the {key}");
    let read = |project, repository: Repository| async move {
        Ok((project, repository.read(key, None).await?))
    };
    let found = place::read_in(client, product_id, &attempt, read).await?;
    let Some((project, Reading::Present(present))) = found else {
        return Ok(None);
    };
    let Some(entity) = &present.entity else {
        let text = format!(
            "Its manifest cannot be read: {}.",
            reasons(&present).join("; ")
        );
        return Err(Diagnostic::error(format!("Cannot {attempt}"), text).into());
    };
    let mut common = InProduct {
        product,
        insecure_skip_check: None,
        timeouts: None,
        id: Tf::Null,
        namespace: Tf::Null,
        manifest_path: Tf::Null,
        drift: Tf::Null,
    };
    complete(&mut common, entity, product_id);
    common.drift = drift(&present);
    let place = Place {
        project,
        verified: present.verified,
    };
    Ok(K::of(common, entity).map(|state| (state, place)))
}

/// Takes back the replacement for references that are written differently and mean the same.
async fn keep_despite_another_spelling<K: ManifestKind>(
    planning: &mut Planning<'_, ManifestResource<K>>,
) -> Result<(), Diagnostics> {
    let (Some(prior), Some(client)) = (planning.prior.clone(), planning.client) else {
        return Ok(());
    };
    let Ok(EntityId { product, .. }) = entity_id(K::common(&prior)) else {
        return Ok(());
    };
    let path = Path::to("product");
    if planning.replacing().contains(&path) {
        let planned = planning.planned.to_value();
        // Whether the network answers or not, a plan is made; without an answer it replaces.
        if let Some(planned) = planned.attribute("product").as_str()
            && client
                .products()
                .id_of(client, planned)
                .await
                .is_ok_and(|meant| meant == product)
        {
            planning.keep_object_despite(&path);
        }
    }
    if planning.replacing().is_empty() {
        return Ok(());
    }
    let referring = Referring { client, product };
    for path in K::other_spellings(&prior, &planning.planned, referring).await {
        planning.keep_object_despite(&path);
    }
    Ok(())
}

fn checks<K: ManifestKind>(client: &Client, state: &K::State) -> Checks {
    let skip = K::common(state).insecure_skip_check;
    if skip.unwrap_or(client.settings().insecure_skip_check) {
        Checks::Skip
    } else {
        Checks::Full
    }
}

fn attempt<K: ManifestKind>(verb: &str, state: &K::State) -> String {
    format!("{verb} the {} {}", K::KIND.noun(), K::name(state))
}

fn entity_id(common: &InProduct) -> Result<EntityId, Diagnostics> {
    let id = common.id.expect_known("id")?;
    id.parse()
        .map_err(|error| Diagnostic::defect(error).at(&Path::to("id")).into())
}

fn keep(
    operation: &mut Operation<Client>,
    project: u64,
    written: &Written,
) -> Result<(), Diagnostics> {
    match &written.verified {
        Some(verified) => Place {
            project,
            verified: verified.clone(),
        }
        .keep(&mut operation.private),
        None => Ok(()),
    }
}

/// Sets what follows from the entity and its product.
fn complete(common: &mut InProduct, entity: &Entity, product: ProductId) {
    let id = EntityId {
        product,
        name: entity.name(),
    };
    common.id = Known(id.to_string());
    common.manifest_path = Known(ManifestPath::of(entity).as_str().to_owned());
    common.drift = Tf::Null;
    common.namespace = Known(product.to_string());
}

fn absorb<K: ManifestKind>(
    operation: &mut Operation<Client>,
    mut state: K::State,
    reading: Reading,
    project: u64,
) -> Result<Option<K::State>, Diagnostics> {
    let present = match reading {
        Reading::Unchanged => return Ok(Some(state)),
        Reading::Absent => return Ok(None),
        Reading::Present(present) => present,
    };
    if let Some(entity) = &present.entity {
        K::absorb(&mut state, entity);
    }
    K::common_mut(&mut state).drift = drift(&present);
    Place {
        project,
        verified: present.verified,
    }
    .keep(&mut operation.private)?;
    Ok(Some(state))
}

fn drift(present: &Present) -> Tf<BTreeSet<String>> {
    let drift: BTreeSet<String> = reasons(present).into_iter().collect();
    if drift.is_empty() {
        Tf::Null
    } else {
        Known(drift)
    }
}

pub(crate) fn reasons(present: &Present) -> Vec<String> {
    present.drift.iter().map(ToString::to_string).collect()
}

/// Warns of the entities that name one that is deleted because it is replaced: Terraform's order, not a mistake.
pub(crate) fn warn_of_referrers(
    operation: &mut Operation<Client>,
    snapshot: &Snapshot,
    key: &EntityKey,
) {
    let referrers = referrers(snapshot, key);
    if !referrers.is_empty() {
        operation.warn(
            format!("The {key} is used while it is replaced"),
            format!(
                "It is still named by {}. Until it exists again, these refer to nothing.",
                referrers.join(", ")
            ),
        );
    }
}

fn referrers(snapshot: &Snapshot, key: &EntityKey) -> Vec<String> {
    let entities = snapshot.tree().entities();
    let named = entities.filter(|entity| references(entity).iter().any(|r| r.target == *key));
    named
        .map(|entity| format!("the {}", entity.key()))
        .collect()
}

fn split_import_id<K: ManifestKind>(id: &str) -> Result<(String, String), Diagnostics> {
    match id.rsplit_once('/') {
        Some((product, name)) if !product.is_empty() && !name.is_empty() => {
            Ok((product.to_owned(), name.to_owned()))
        }
        _ => {
            let kind = K::KIND.noun();
            let text = format!(
                "{id:?} does not name a product and a {kind}. Write <product>/<{kind}>, for example shop/{kind}-name or product-12/{kind}-name."
            );
            Err(Diagnostic::error("Invalid import id", text).into())
        }
    }
}
