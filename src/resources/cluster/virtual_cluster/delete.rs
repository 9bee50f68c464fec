//! The deletion of a virtual cluster, with all that is in it.

use std::time::Duration;

use kubernetes_apply::apply_set::{DeleteOptions, NamespaceContent};
use kubernetes_apply::cluster::{ApiError, Detail, IdentityError};
use kubernetes_apply::object::{Kind, ObjectRef};
use nautes_model::EntityName;
use nautes_model::entity::Entity;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;
use terraform_plugin::value::Known;

use super::super::access::open;
use super::super::delete::{lock, remove_auth_mount};
use super::super::forget::{SETTING, require_forgettable, silence_at};
use super::super::manifest;
use super::super::manifest_change::delete_manifest;
use super::super::model::ClusterModel;
use super::super::read::object_id;
use super::super::stored::ClusterSecrets;
use super::host::Host;
use super::{INVENTORY, data_claim, host_name, object_set};
use crate::claim::{Claim, Deletion};
use crate::client::Client;
use crate::clusters::{NAMESPACE, PRODUCT_LABEL};
use crate::diagnostics::{Context as _, is_silent, is_unreachable};
use crate::error_chain::sentence;
use crate::resources::home::{Found, Home};
use crate::resources::references::entity_name;

/// How long the objects of one stage may take to go. Pods get time to end, and then volumes are let go.
const GONE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Deletes the manifest, which is refused while something refers to the cluster, then what Vault has for it, and
/// its objects in the host.
///
/// What is inside goes with its API server and is not removed one by one. The credential in Vault goes last.
pub(in super::super) async fn delete(
    operation: &mut Operation<Client>,
    state: &ClusterModel,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let name = entity_name("name", &state.name)?;
    let object = object_id(&name);
    let claim = Claim::load(&operation.private);
    if client.holders().judge_deletion(&object, claim.as_ref())? == Deletion::OfAnother {
        return Ok(());
    }
    let host = Host::open(&client, &host_name(state)?).await?;
    let attempt = format!(
        "remove the virtual cluster {name} from the host {}",
        host.name
    );
    let gone = match host.check().await {
        Ok(()) => None,
        Err(IdentityError::Unknown(error)) if is_unreachable(&error) => {
            require_forgettable(&client, &error, &attempt)?;
            Some(error)
        }
        Err(error) => return Err(error).context(&attempt),
    };
    let secrets = ClusterSecrets::new(&client, &name)?;
    let uid = state.cluster_uid.known();
    if let Some(uid) = uid {
        secrets.check_secrets(uid, None).await?;
    }
    let key = Entity::from(manifest::entity(state)?).key();
    let manifest = Home::tenant(&client).read(&key, &attempt).await?;
    // The manifest goes first, so without it an interrupted destroy goes on, which has asked.
    if !matches!(manifest, Found::Absent)
        && let Some(silence) = require_no_products(state, &secrets, &attempt).await?
    {
        let has_data = gone.is_some() || host.has_data_of(&name).await.context(&attempt)?;
        if has_data && !client.settings().forgets_unreachable_clusters {
            return Err(not_known(&attempt, &sentence(&silence)));
        }
    }

    delete_manifest(operation, state, claim, &attempt).await?;

    remove_auth_mount(operation, state, &client).await?;
    match gone {
        None => remove_objects(operation, &host, &name, &attempt).await?,
        Some(error) => {
            let (summary, detail) = forgotten(&host, &name, &error);
            operation.warn(summary, detail);
        }
    }
    for (summary, detail) in secrets.delete(uid.map(String::as_str)).await? {
        operation.warn(summary, detail);
    }
    client.holders().release(&object);
    Ok(())
}

/// Removes the objects of a virtual cluster from its host, while no other run changes the host.
async fn remove_objects(
    operation: &mut Operation<Client>,
    host: &Host,
    name: &EntityName,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let options = DeleteOptions {
        timeout: GONE_TIMEOUT,
        namespaces: NamespaceContent::Keep {
            expendable: made_by_itself(name),
        },
    };
    let lock = lock(&host.cluster, &host.name, attempt).await?;
    let set = object_set(host, name)?;
    let delete = async { set.delete(&options).await.context(attempt) };
    let deleted = match &lock {
        Some(lock) => lock.run(Box::pin(delete)).await,
        None => delete.await,
    };
    if let Some(lock) = lock {
        lock.release().await;
    }
    for kept in &deleted?.kept {
        operation.warn(
            format!(
                "An object of the virtual cluster {name} stays in the host {}",
                host.name
            ),
            format!("{kept}."),
        );
    }
    Ok(())
}

/// Returns the warning about a virtual cluster whose host does not exist any more.
fn forgotten(host: &Host, name: &EntityName, error: &ApiError) -> (String, String) {
    let inventory = format!("{INVENTORY}{name}");
    (
        format!(
            "The virtual cluster {name} is forgotten with its host {}",
            host.name
        ),
        format!(
            "{} So nothing was removed in the host. If it still exists, it keeps the namespace {name} with the virtual cluster, its volume claim {} and what is in it, and the ConfigMap {NAMESPACE}/{inventory}; then delete them (kubectl delete namespace {name}, kubectl delete configmap -n {NAMESPACE} {inventory}).",
            sentence(error),
            data_claim(name)
        ),
    )
}

/// Returns what a virtual cluster writes into its namespace without an owner: its data, its certificates and its
/// kubeconfig.
fn made_by_itself(name: &EntityName) -> Vec<ObjectRef> {
    let in_namespace =
        |kind: &str, object: String| ObjectRef::namespaced("", kind, name.as_str(), &object);
    vec![
        in_namespace("PersistentVolumeClaim", data_claim(name)),
        in_namespace("Secret", format!("vc-{name}")),
        in_namespace("Secret", format!("{name}-certs")),
    ]
}

/// Fails if the virtual cluster still has namespaces of products, whose workloads would go with it, or if it answers
/// otherwise than expected. Returns the error of a call if nothing answers.
async fn require_no_products(
    state: &ClusterModel,
    secrets: &ClusterSecrets<'_>,
    attempt: &str,
) -> Result<Option<ApiError>, Diagnostics> {
    let Some(stored) = secrets.read().await? else {
        return match silence_at(&state.api_server, attempt).await? {
            Some(silence) => Ok(Some(silence)),
            None => Err(not_asked(attempt, "Vault has no kubeconfig of it.")),
        };
    };
    let (_, cluster) = open(&state.api_server, &stored.kubeconfig).context(attempt)?;
    let kind = Kind::new("v1", "Namespace");
    let list = async {
        if let Known(expected) = &state.cluster_uid {
            cluster.require_uid(expected).await?;
        }
        let listed = cluster.list(&kind, None, PRODUCT_LABEL, Detail::Metadata);
        Ok::<_, IdentityError>(listed.await?)
    };
    let namespaces = match list.await {
        Ok(namespaces) => namespaces,
        Err(IdentityError::Unknown(error)) if is_silent(&error) => return Ok(Some(error)),
        Err(error) => return Err(not_asked(attempt, &sentence(&error))),
    };
    if namespaces.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = namespaces
        .iter()
        .map(|namespace| namespace.reference().name.as_str())
        .collect();
    let detail = format!(
        "Products have namespaces in it: {}. Nothing was changed. Destroy the runtimes of these products first.",
        names.join(", ")
    );
    Err(Diagnostic::error(format!("Cannot {attempt}: products use it"), detail).into())
}

/// Returns the error of a virtual cluster that gives no answer, and may have something in it.
fn not_known(attempt: &str, reason: &str) -> Diagnostics {
    let detail = format!(
        "{reason} Products may have workloads in it, and their volumes would go with it. Nothing was changed. Check that this machine reaches it at api_server; or, if nothing in it is needed any more, {SETTING}."
    );
    Diagnostic::error(format!("Cannot {attempt}"), detail).into()
}

/// Returns the error of a virtual cluster that is there and cannot be asked what is in it.
fn not_asked(attempt: &str, reason: &str) -> Diagnostics {
    let detail = format!(
        "{reason} Products may have workloads in it, and their volumes would go with it. Nothing was changed. Something answers at api_server, so unreachable_clusters does not cover it. Apply first, which takes its kubeconfig from the host again, and destroy then; if it was made anew, also write its new UID into cluster_uid."
    );
    Diagnostic::error(format!("Cannot {attempt}"), detail).into()
}
