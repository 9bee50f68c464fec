//! Refreshes of a cluster.

use std::ops::ControlFlow;

use kubernetes_apply::apply_set::LiveObjects;
use kubernetes_apply::cluster::{ApiError, Cluster, Detail, IdentityError};
use kubernetes_apply::object::Kind;
use nautes_model::entity::{self, Entity};
use nautes_model::{EntityKey, EntityName};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;
use terraform_plugin::value::Known;

use super::addresses::{Addresses, AddressesModel};
use super::answer::Answer;
use super::components::{Installer, Selection, Wanted};
use super::delete::is_refused;
use super::manifest;
use super::model::{ClusterModel, ClusterResourceModel};
use super::setup::{base_objects, base_set, expires_at, has_own_account, rotate_after};
use super::stored::ClusterSecrets;
use super::tokens::Tokens;
use super::virtual_cluster;
use super::worker::{WorkerError, WorkerInspection};
use crate::claim::{Claim, ObjectId};
use crate::client::Client;
use crate::clusters::{
    FACTS, Facts, NAMESPACE, OWN_ACCOUNT, REVIEWER_ACCOUNT, RUNTIME_ACCOUNT, owner,
};
use crate::diagnostics::{Context as _, Explain as _, is_unreachable, needs_kubeconfig};
use crate::error_chain::sentence;
use crate::resources::attribute::drift_attribute;
use crate::resources::home::{Found, Home, ManifestLocation, drift_of};
use crate::resources::manifest_drift;
use crate::resources::references::entity_name;

/// The type of clusters.
pub(super) const TYPE_NAME: &str = "nautes_cluster";

/// What `drift` says of a virtual cluster without data, also if an interrupted apply has begun to make another one in its
/// place.
const WITHOUT_DATA: &str = "its data are gone, and the next apply makes it anew";

/// Returns a cluster as an object that an instance in the state holds.
pub(super) fn object_id(name: &EntityName) -> ObjectId {
    ObjectId {
        type_name: TYPE_NAME,
        id: name.to_string(),
    }
}

/// Reads a cluster. It stays in the state whatever is missing: only a destroy shows what is left of it, and removes it.
pub(super) async fn read(
    operation: &mut Operation<Client>,
    mut state: ClusterModel,
) -> Result<ClusterModel, Diagnostics> {
    let client = operation.client().clone();
    let name = entity_name("name", &state.name)?;
    let key = Entity::from(manifest::entity(&state)?).key();
    let home = Home::tenant(&client).at(ManifestLocation::load(&operation.private));
    let attempt = format!("read the cluster {name}");
    let mut drift = Vec::new();
    let secrets = ClusterSecrets::new(&client, &name)?;
    let stored = secrets.read().await?;
    match home.read(&key, &attempt).await? {
        Found::Unchanged => drift.extend(manifest_drift::load(&operation.private)),
        Found::Absent => drift.push("the manifest was deleted".to_owned()),
        Found::Present(present, location) => {
            if let Some(Entity::Cluster(cluster)) = &present.entity {
                update_from(&mut state, cluster);
                if manifest::entity(&state)?.components != cluster.components {
                    drift.push("the components in the manifest have changed".to_owned());
                }
            }
            state.manifest_path = Known(present.path.clone());
            drift.extend(drift_of(&present));
            manifest_drift::record(&drift, &mut operation.private)?;
            location.store(&mut operation.private)?;
        }
    }
    client
        .holders()
        .record_read(&object_id(&name), &mut operation.private)?;
    if client.settings().nautes_reconciles() {
        Answer::record(None, &mut operation.private)?;
        if stored.is_none() && !virtual_cluster::is_virtual(&state) {
            drift.push(format!("Vault has no kubeconfig at {}", secrets.path));
        }
        state.drift = drift_attribute(drift);
        return Ok(state);
    }
    let Some(stored) = stored else {
        Answer::record(None, &mut operation.private)?;
        drift.push(format!("Vault has no kubeconfig at {}", secrets.path));
        state.drift = drift_attribute(drift);
        return Ok(state);
    };
    let mut answer = None;
    if virtual_cluster::is_virtual(&state) {
        match read_host(operation, &name, &mut state, &mut drift).await? {
            ControlFlow::Continue(found) => answer = found,
            ControlFlow::Break(()) => return Ok(state),
        }
    }
    let is_replaced = is_replaced(&secrets, &state).await?;
    let opened = client
        .clusters()
        .open(&state.api_server, &stored.kubeconfig);
    let (access, cluster) = opened.context(&attempt)?;
    let end = expires_at(&state, &access);
    if let Known(credential) = &mut state.credential {
        credential.expires_at = end;
    }
    match inspect(&client, &cluster, &state, &name, &mut drift).await {
        Ok(inspected) => {
            answer = None;
            state.kubernetes_version = Known(inspected.version);
            if state.addresses.is_empty() {
                state.addresses = inspected.addresses;
            }
            for (summary, detail) in inspected.warnings {
                operation.warn(summary, detail);
            }
            if let Known(credential) = &mut state.credential {
                credential.rotation_due = Known(inspected.is_rotation_due);
            }
        }
        Err(Inspection::Unreachable(error)) => {
            let (summary, detail) = unreachable(&name, &error);
            operation.warn(summary, detail);
            // Another cluster that answered before does not any more. What the host of a virtual one lacks may be why it
            // gives no answer, and an update repairs that.
            let is_stale = Answer::forget_other(&mut operation.private);
            if is_replaced {
                answer = Some(Answer::WithoutData);
            }
            if answer == Some(Answer::WithoutData) {
                drift.push(WITHOUT_DATA.to_owned());
            }
            if is_stale || virtual_cluster::is_virtual(&state) {
                state.drift = drift_attribute(drift);
                Answer::record(answer.as_ref(), &mut operation.private)?;
            }
            return Ok(state);
        }
        Err(Inspection::Refused(_) | Inspection::Another { .. }) if is_replaced => {
            drift.push(WITHOUT_DATA.to_owned());
            answer = Some(Answer::WithoutData);
        }
        Err(found) => {
            answer = other_answer(operation, &secrets, &state, found, &mut drift).await?;
        }
    }
    Answer::record(answer.as_ref(), &mut operation.private)?;
    state.drift = drift_attribute(drift);
    Ok(state)
}

/// Whether an interrupted apply has begun to make another virtual cluster in the place of that of the state.
async fn is_replaced(
    secrets: &ClusterSecrets<'_>,
    state: &ClusterModel,
) -> Result<bool, Diagnostics> {
    match state.cluster_uid.known() {
        Some(uid) if virtual_cluster::is_virtual(state) => secrets.is_replaced(uid).await,
        _ => Ok(false),
    }
}

/// Reads what a virtual cluster has in its host, and returns whether its data are gone. Breaks off if the host tells
/// nothing about it; the state is kept then.
async fn read_host(
    operation: &mut Operation<Client>,
    name: &EntityName,
    state: &mut ClusterModel,
    drift: &mut Vec<String>,
) -> Result<ControlFlow<(), Option<Answer>>, Diagnostics> {
    let client = operation.client().clone();
    let reason = match virtual_cluster::inspect(&client, name, state, drift).await {
        Ok(found) => return Ok(ControlFlow::Continue(found)),
        Err(Inspection::Unreachable(error) | Inspection::Refused(error)) => sentence(&error),
        Err(Inspection::HostLost(found)) => found.detail,
        Err(Inspection::Another { reason, .. }) => {
            let host = state.host_cluster.as_deref().unwrap_or_default();
            drift.push(format!("the host {host} is another cluster"));
            Answer::record(Some(&Answer::WithoutData), &mut operation.private)?;
            state.drift = drift_attribute(std::mem::take(drift));
            reason
        }
        Err(Inspection::Failed(found)) => return Err(found),
    };
    let (summary, detail) = unusable_host(state, &reason);
    operation.warn(summary, detail);
    Ok(ControlFlow::Break(()))
}

/// Describes an answer that is not that of the cluster with its credential, and warns of it.
async fn other_answer(
    operation: &mut Operation<Client>,
    secrets: &ClusterSecrets<'_>,
    state: &ClusterModel,
    found: Inspection,
    drift: &mut Vec<String>,
) -> Result<Option<Answer>, Diagnostics> {
    let attempt = format!("read the cluster {}", state.name);
    match found {
        // A destroy that was interrupted has removed the credential from the cluster; the next one goes on.
        Inspection::Refused(_) if has_own_account(state) && secrets.is_leaving().await? => {
            drift.push("its destroy was interrupted; destroy it again".to_owned());
            Ok(None)
        }
        Inspection::Refused(error) if needs_kubeconfig(&error) => {
            let (summary, detail) = refused(state, &error);
            operation.warn(summary, detail);
            drift.push(format!("the kubeconfig at {} is of no use", secrets.path));
            Ok(Some(Answer::Refused))
        }
        Inspection::Another { uid, reason } => {
            operation.warn(
                format!("Another cluster answers at {}", state.api_server),
                format!("{reason} The state is kept as it was."),
            );
            drift.push(format!("another cluster answers, whose UID is {uid}"));
            Ok(Some(Answer::Another(uid)))
        }
        Inspection::Unreachable(error) | Inspection::Refused(error) => Err(error.explain(&attempt)),
        Inspection::HostLost(found) => Err(found.into()),
        Inspection::Failed(found) => Err(found),
    }
}

/// Finds a cluster that another state of this provider has registered; `None` if there is no manifest.
pub(super) async fn import(
    operation: &mut Operation<Client>,
    name: &EntityName,
) -> Result<Option<ClusterModel>, Diagnostics> {
    let client = operation.client().clone();
    let key = EntityKey::new(nautes_model::Kind::Cluster, name.clone());
    let home = Home::tenant(&client);
    let attempt = format!("import the cluster {name}");
    let Found::Present(present, location) = home.read(&key, &attempt).await? else {
        return Ok(None);
    };
    let Some(Entity::Cluster(cluster)) = &present.entity else {
        let reasons = drift_of(&present).join("; ");
        let detail = format!("Its manifest cannot be read: {reasons}.");
        return Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into());
    };
    let secrets = ClusterSecrets::new(&client, name)?;
    let uid = secrets.read().await?.and_then(|stored| stored.uid);
    let Some(uid) = uid else {
        let detail = format!(
            "Vault has no kubeconfig at {} that this provider has written, so what is in the cluster would have no owner. A cluster that Nautes has registered is taken out of Nautes first.",
            secrets.path
        );
        return Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into());
    };
    let mut state = ClusterModel::new(cluster, uid, secrets.path.to_string());
    state.manifest_path = Known(present.path.clone());
    location.store(&mut operation.private)?;
    Claim::load_or_store(&mut operation.private)?;
    Ok(Some(state))
}

/// What was found in a cluster.
struct Inspected {
    version: String,
    is_rotation_due: bool,
    addresses: AddressesModel,
    warnings: Vec<(String, String)>,
}

/// Why a cluster could not be inspected.
pub(super) enum Inspection {
    /// It gives no answer.
    Unreachable(ApiError),
    /// It does not accept the credential, gives it no right, or has a certificate that is not trusted.
    Refused(ApiError),
    /// Another cluster answers.
    Another {
        /// Its UID.
        uid: String,
        /// What was expected and found.
        reason: String,
    },
    /// The host of a virtual cluster is not registered, or Vault does not have its credential.
    HostLost(Diagnostic),
    /// Anything else.
    Failed(Diagnostics),
}

impl Inspection {
    /// Sorts the failure of a call.
    pub(super) fn new(error: ApiError, attempt: &str) -> Self {
        if is_unreachable(&error) {
            Self::Unreachable(error)
        } else if is_refused(&error) || needs_kubeconfig(&error) {
            Self::Refused(error)
        } else {
            Self::Failed(error.explain(attempt))
        }
    }

    /// Sorts the failure of a check which cluster it is.
    pub(super) fn of_identity(error: IdentityError, attempt: &str) -> Self {
        match error {
            IdentityError::Unknown(error) => Self::new(error, attempt),
            IdentityError::Other { ref found, .. } => Self::Another {
                uid: found.clone(),
                reason: sentence(&error),
            },
        }
    }
}

impl From<Diagnostics> for Inspection {
    fn from(found: Diagnostics) -> Self {
        Self::Failed(found)
    }
}

async fn inspect(
    client: &Client,
    cluster: &Cluster,
    state: &ClusterModel,
    name: &EntityName,
    drift: &mut Vec<String>,
) -> Result<Inspected, Inspection> {
    let attempt = format!("read the cluster {name}");
    let failed = |error: ApiError| Inspection::new(error, &attempt);
    let uid = match &state.cluster_uid {
        Known(expected) => {
            let checked = cluster.require_uid(expected).await;
            checked.map_err(|error| Inspection::of_identity(error, &attempt))?;
            expected.clone()
        }
        _ => cluster.uid().await.map_err(failed)?,
    };
    let shape = manifest::entity(state)?.shape;
    let known = state.component_status.known();
    let single_sign_on = client.settings().oidc.is_some();
    let components = state.components.as_ref();
    let selection = Selection::new(components, known, &shape, single_sign_on)?;
    let installer = Installer {
        client,
        name,
        cluster,
        model: state,
    };
    let addresses = installer.addresses(&shape).await?;
    let found = addresses.attributes();
    // An import knows none.
    let recorded = if state.addresses.is_empty() {
        &found
    } else {
        &state.addresses
    };
    if recorded.entry_points != found.entry_points {
        drift.push("the ports of the gateway have changed".to_owned());
    }
    let owner = owner().context(&attempt)?;
    let live = LiveObjects::new(cluster, &owner.label);
    let kind = Kind::new("v1", "ConfigMap");
    let facts = cluster
        .find(&kind, Some(NAMESPACE), FACTS, Detail::Full)
        .await;
    let facts = facts.map_err(failed)?.as_ref().and_then(Facts::parse);
    let facts = facts.filter(|facts| facts.cluster_uid == uid && facts.name == state.name);
    let facts = facts.map(|facts| Facts {
        components: selection.facts(components, &addresses.gateway, recorded),
        products: state.product_access(),
        ..facts
    });
    drift.extend(base_drift(cluster, state, facts.as_ref(), &live, &attempt).await?);
    let mut warnings = Vec::new();
    let inspected = inspect_components(&installer, selection, &addresses, &live, &mut warnings);
    drift.extend(inspected.await?);
    if state.usage == "worker" {
        let inspection = WorkerInspection {
            client,
            cluster,
            state,
            name,
            uid: &uid,
        };
        let reviewer = facts.and_then(|facts| facts.reviewer_token);
        let found = inspection.run(reviewer, &live).await;
        drift.extend(found.map_err(|error| match error {
            WorkerError::Api(error) => failed(error),
            WorkerError::Other(found) => Inspection::Failed(found),
        })?);
    }
    let is_due = is_token_due(cluster, state, name).await.map_err(failed)?;
    let version = cluster.version().await.map_err(ApiError::from);
    Ok(Inspected {
        version: version.map_err(failed)?,
        is_rotation_due: is_due,
        addresses: found,
        warnings,
    })
}

/// Describes what differs between the components and how they were installed.
async fn inspect_components(
    installer: &Installer<'_>,
    mut selection: Selection,
    addresses: &Addresses,
    live: &LiveObjects<'_>,
    warnings: &mut Vec<(String, String)>,
) -> Result<Vec<String>, Diagnostics> {
    let status = installer.model.component_status.known();
    let is_installed =
        |wanted: &Wanted| status.is_some_and(|status| status.contains_key(wanted.name()));
    let (installed, missing): (Vec<_>, Vec<_>) =
        selection.installed.into_iter().partition(is_installed);
    selection.installed = installed;
    let missing = missing
        .iter()
        .map(|wanted| format!("{} is not installed", wanted.name()));
    let mut drift: Vec<String> = missing.collect();
    drift.extend(
        installer
            .drift(selection, addresses, live, warnings)
            .await?,
    );
    Ok(drift)
}

/// Describes what differs in the base objects of a cluster and in the facts.
async fn base_drift(
    cluster: &Cluster,
    state: &ClusterModel,
    facts: Option<&Facts>,
    live: &LiveObjects<'_>,
    attempt: &str,
) -> Result<Vec<String>, Diagnostics> {
    let objects = base_objects(cluster, state, attempt).await?;
    let found = base_set(cluster)?.drift(objects, None, live).await;
    let found = found.context(attempt)?;
    let mut drift: Vec<String> = found.iter().map(ToString::to_string).collect();
    match facts {
        Some(facts) => {
            let facts = facts.object().context(attempt)?;
            let owner = owner().context(attempt)?;
            let difference = live.compare(&facts, &owner).await.context(attempt)?;
            drift.extend(difference.map(|found| format!("{} {found}", facts.reference())));
        }
        None => drift.push(format!(
            "ConfigMap {NAMESPACE}/{FACTS} is missing or not as it was made"
        )),
    }
    Ok(drift)
}

/// Whether a token of the provider's accounts is older than it may become.
async fn is_token_due(
    cluster: &Cluster,
    state: &ClusterModel,
    name: &EntityName,
) -> Result<bool, ApiError> {
    let Some(limit) = rotate_after(state) else {
        return Ok(false);
    };
    let own = has_own_account(state).then_some(&OWN_ACCOUNT);
    let of_workers = [&RUNTIME_ACCOUNT, &REVIEWER_ACCOUNT];
    let of_workers = of_workers.into_iter().filter(|_| state.usage == "worker");
    for account in own.into_iter().chain(of_workers) {
        let tokens = Tokens {
            cluster,
            cluster_name: name,
            account,
        };
        if tokens.age().await?.is_some_and(|age| age >= limit) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the warning about a cluster that gives no answer.
fn unreachable(name: &EntityName, error: &ApiError) -> (String, String) {
    let reason = sentence(error);
    (
        format!("The cluster {name} cannot be reached"),
        format!(
            "{reason} The state is kept as it was; whether the cluster has changed is not known."
        ),
    )
}

/// Returns the warning about a cluster that does not accept its credential.
fn refused(state: &ClusterModel, error: &ApiError) -> (String, String) {
    let (name, reason) = (&state.name, sentence(error));
    let way_out = if virtual_cluster::is_virtual(state) {
        "The next apply takes the kubeconfig from the host again."
    } else {
        "The next apply uses the kubeconfig in kubeconfig_wo or kubeconfig_vault; if that is of no use any more, give another one and change kubeconfig_wo_version. If the cluster was rebuilt, also write its new UID into cluster_uid. A destroy needs an apply before it, for it is given no kubeconfig."
    };
    (
        format!("The cluster {name} cannot be used with its kubeconfig in Vault"),
        format!("{reason} The state is kept as it was. {way_out}"),
    )
}

/// Returns the warning about the host of a virtual cluster that cannot be asked.
fn unusable_host(state: &ClusterModel, reason: &str) -> (String, String) {
    let host = state.host_cluster.as_deref().unwrap_or_default();
    let name = &state.name;
    (
        format!("The host {host} of the virtual cluster {name} cannot be reached"),
        format!(
            "{reason} The state is kept as it was; whether the cluster has changed is not known."
        ),
    )
}

/// Takes over what the manifest says.
fn update_from(state: &mut ClusterModel, cluster: &entity::Cluster) {
    state.api_server.clone_from(&cluster.api_server);
    state.primary_domain = cluster.primary_domain.clone().into();
    let allowed = &cluster.reserved_namespaces_allowed_products;
    if state
        .reserved_namespaces_allowed_products
        .clone()
        .unwrap_or_default()
        != *allowed
    {
        state.reserved_namespaces_allowed_products =
            Some(allowed.clone()).filter(|allowed| !allowed.is_empty());
    }
    let known = manifest::entity(state).map(|known| known.product_allowed_cluster_resources);
    if known.unwrap_or_default() != cluster.product_allowed_cluster_resources {
        let resources = cluster.product_allowed_cluster_resources.iter();
        let resources = resources.map(|(product, listed)| {
            let listed = listed.iter().map(ClusterResourceModel::from);
            (product.clone(), listed.collect())
        });
        state.product_allowed_cluster_resources = Some(resources.collect());
    }
}
