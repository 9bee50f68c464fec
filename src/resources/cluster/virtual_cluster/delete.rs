//! The deletion of a virtual cluster, with all that is in it.

use std::time::Duration;

use kubernetes_apply::apply_set::{DeleteOptions, NamespaceContent};
use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::{Kind, ObjectRef};
use nautes_model::EntityName;
use nautes_model::entity::Entity;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;
use terraform_plugin::value::Known;

use super::super::access::open;
use super::super::delete::remove_auth_mount;
use super::super::manifest;
use super::super::manifest_change::delete_manifest;
use super::super::model::ClusterModel;
use super::super::read::object_id;
use super::super::stored::ClusterSecrets;
use super::host::Host;
use super::{host_name, object_set};
use crate::claim::{Claim, Deletion};
use crate::client::Client;
use crate::clusters::PRODUCT_LABEL;
use crate::diagnostics::Context as _;
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
    let host = Host::connect(&client, &host_name(state)?).await?;
    let attempt = format!(
        "remove the virtual cluster {name} from the host {}",
        host.name
    );
    let secrets = ClusterSecrets::new(&client, &name)?;
    let uid = state.cluster_uid.known();
    if let Some(uid) = uid {
        secrets.check_secrets(uid).await?;
    }
    let key = Entity::from(manifest::entity(state)?).key();
    let manifest = Home::tenant(&client).read(&key, &attempt).await?;
    // The manifest goes first, so without it an interrupted destroy goes on, which has asked.
    if !matches!(manifest, Found::Absent) {
        let forgets = client.settings().forgets_unreachable_clusters;
        match require_no_products(state, &secrets, &attempt).await? {
            Some(reason) if !forgets => return Err(not_known(&attempt, &reason)),
            _ => {}
        }
    }

    delete_manifest(operation, state, claim, &attempt).await?;

    remove_auth_mount(operation, state, &client).await?;
    let options = DeleteOptions {
        timeout: GONE_TIMEOUT,
        namespaces: NamespaceContent::Keep {
            expendable: made_by_itself(&name),
        },
    };
    let deleted = object_set(&host, &name)?.delete(&options).await;
    for kept in &deleted.context(&attempt)?.kept {
        operation.warn(
            format!(
                "An object of the virtual cluster {name} stays in the host {}",
                host.name
            ),
            format!("{kept}."),
        );
    }
    for (summary, detail) in secrets.delete(uid.map(String::as_str)).await? {
        operation.warn(summary, detail);
    }
    client.holders().release(&object);
    Ok(())
}

/// Returns what a virtual cluster writes into its namespace without an owner: its data, its certificates and its
/// kubeconfig.
fn made_by_itself(name: &EntityName) -> Vec<ObjectRef> {
    let in_namespace =
        |kind: &str, object: String| ObjectRef::namespaced("", kind, name.as_str(), &object);
    vec![
        in_namespace("PersistentVolumeClaim", format!("data-{name}-0")),
        in_namespace("Secret", format!("vc-{name}")),
        in_namespace("Secret", format!("{name}-certs")),
    ]
}

/// Fails if the virtual cluster still has namespaces of products, whose workloads would go with it. Returns why, if it
/// cannot be asked.
async fn require_no_products(
    state: &ClusterModel,
    secrets: &ClusterSecrets<'_>,
    attempt: &str,
) -> Result<Option<String>, Diagnostics> {
    let Some(stored) = secrets.read().await? else {
        return Ok(Some("Vault has no kubeconfig of it.".to_owned()));
    };
    let (_, cluster) = open(&state.api_server, &stored.kubeconfig).context(attempt)?;
    if let Known(expected) = &state.cluster_uid
        && let Err(error) = cluster.require_uid(expected).await
    {
        return Ok(Some(sentence(&error)));
    }
    let kind = Kind::new("v1", "Namespace");
    let listed = cluster
        .list(&kind, None, PRODUCT_LABEL, Detail::Metadata)
        .await;
    let namespaces = match listed {
        Ok(namespaces) => namespaces,
        Err(error) => return Ok(Some(sentence(&error))),
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

/// Returns the error of a virtual cluster that cannot be asked what is in it.
fn not_known(attempt: &str, reason: &str) -> Diagnostics {
    let detail = format!(
        "{reason} Products may have workloads in it, and their volumes would go with it. Nothing was changed. Check that this machine reaches it at api_server; or, if nothing in it is needed any more, set the provider argument unreachable_clusters to \"forget\" (environment: NAUTES_UNREACHABLE_CLUSTERS) and destroy again."
    );
    Diagnostic::error(format!("Cannot {attempt}"), detail).into()
}
