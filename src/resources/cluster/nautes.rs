//! Clusters whose objects the operators of a Nautes installation make: the provider writes the manifest, the files
//! that the installation reads for it, and the credential in Vault, and installs nothing.

use std::sync::Arc;

use kubernetes_apply::cluster::{Cluster, IdentityError};
use nautes_model::EntityName;
use serde_json::Value;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::{Operation, Planning, PrivateState};
use terraform_plugin::value::{Known, Path, Tf};
use url::Url;

use super::access::{connect_physical, open};
use super::addresses::AddressesModel;
use super::forget::require_forgettable;
use super::manifest_change::{ManifestChange, delete_manifest};
use super::model::{ClusterModel, CredentialModel};
use super::read::object_id;
use super::resource::{ClusterResource, complete};
use super::setup::{credential, expires_at};
use super::stored::ClusterSecrets;
use super::switch;
use super::virtual_cluster::{is_virtual, with_server};
use crate::claim::{Claim, Deletion};
use crate::client::{Client, Reconciler};
use crate::diagnostics::{Context as _, is_unreachable};
use crate::resources::references::entity_name;
use crate::secret::{ExposeSecret as _, Secret};

/// The kind of credential that Nautes can use.
const AS_GIVEN: &str = "as_given";

/// Checks what the operators cannot work with, as far as the configuration tells.
pub(super) fn check(planning: &Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    let is_nautes = planning
        .client
        .is_some_and(|client| client.settings().nautes_reconciles());
    let Known(cluster_type) = &planning.planned.cluster_type else {
        return Ok(());
    };
    if !is_nautes {
        return Ok(());
    }
    if cluster_type == "virtual" {
        return check_port(planning);
    }
    let kind = match &planning.config.credential {
        Known(credential) => credential.kind.known().map(String::as_str),
        Tf::Unknown => return Ok(()),
        Tf::Null => None,
    };
    if kind != Some(AS_GIVEN) {
        let detail = "The operators of Nautes log in to the cluster with the kubeconfig as it is given, so credential = { kind = \"as_given\" } is needed with reconciler = \"nautes\".";
        let path = Path::to("credential").attribute("kind");
        return Err(
            Diagnostic::error("The credential cannot be exchanged", detail)
                .at(&path)
                .into(),
        );
    }
    match &planning.config.kubeconfig_wo {
        Known(text) => {
            let given = crate::clusters::decode(&text.clone().into());
            let given = given.context("use the kubeconfig")?;
            require_client_certificate(&given).map_err(|found| found.at(&Path::to("kubeconfig_wo")))
        }
        _ => Ok(()),
    }
}

/// Refuses a port that is not that of `api_server`, from which the files of a virtual cluster take it.
fn check_port(planning: &Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    let planned = &planning.planned;
    let (Known(vcluster), Known(api_server)) = (&planned.vcluster, &planned.api_server) else {
        return Ok(());
    };
    let port = Url::parse(api_server).ok().and_then(|url| url.port());
    match &vcluster.https_node_port {
        Known(chosen) if port.map(u64::from) != Some(*chosen) => {
            let detail = format!(
                "With reconciler = \"nautes\" the port must be that of api_server, from which Nautes takes it: {api_server}."
            );
            let path = Path::to("vcluster").attribute("https_node_port");
            Err(
                Diagnostic::error("The port differs from that of api_server", detail)
                    .at(&path)
                    .into(),
            )
        }
        _ => Ok(()),
    }
}

/// Refuses a kubeconfig without a client certificate: Nautes uses nothing else of it.
fn require_client_certificate(kubeconfig: &Secret) -> Result<(), Diagnostics> {
    let parsed = serde_saphyr::from_str::<Value>(kubeconfig.expose_secret()).unwrap_or_default();
    let user = |field: &str| {
        let value = parsed.pointer(&format!("/users/0/user/{field}"));
        value
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    if user("client-certificate-data") && user("client-key-data") {
        return Ok(());
    }
    let detail = "The operators of Nautes use only the client certificate of the first user of a kubeconfig, and this one has none. Give one with client-certificate-data and client-key-data, as kubectl config view --raw --flatten shows it.";
    Err(Diagnostic::error("The kubeconfig has no client certificate", detail).into())
}

/// Registers a cluster: its credential, then its manifest with the files.
pub(super) async fn save(
    operation: &mut Operation<Client>,
    change: ManifestChange<'_>,
    prior: Option<&ClusterModel>,
    planned: ClusterModel,
) -> Result<ClusterModel, Diagnostics> {
    let client = operation.client().clone();
    let name = entity_name("name", &planned.name)?;
    let registered = register(&client, &name, prior, &planned).await?;
    let attempt = format!("register the cluster {name}");
    let is_handed_over = match (&registered.cluster, prior) {
        (Some(cluster), Some(prior))
            if switch::has_own_objects(cluster, &operation.private, &attempt).await? =>
        {
            switch::hand_over(operation, &name, cluster, prior).await?
        }
        _ => true,
    };
    let manifest_path = change.commit(operation).await?;
    let mut state = registered.complete(planned, manifest_path);
    let reconciler = match prior {
        Some(prior) if !is_handed_over => {
            // Until then they are the provider's.
            state.component_status = prior.component_status.clone();
            Reconciler::Provider
        }
        _ => client.settings().reconciler,
    };
    switch::record(reconciler, &mut operation.private)?;
    Ok(state)
}

/// What is known of a cluster after its credential was stored.
struct Registered {
    /// `None` for a virtual one, which is not called.
    cluster: Option<Arc<Cluster>>,
    uid: Option<String>,
    kubernetes_version: Option<String>,
    expires_at: Tf<String>,
    vault_path: String,
}

/// Stores the credential of a physical cluster in Vault. That of a virtual one is what its operators find.
async fn register(
    client: &Client,
    name: &EntityName,
    prior: Option<&ClusterModel>,
    planned: &ClusterModel,
) -> Result<Registered, Diagnostics> {
    let secrets = ClusterSecrets::new(client, name)?;
    let vault_path = secrets.path.to_string();
    if is_virtual(planned) {
        return Ok(Registered {
            cluster: None,
            uid: None,
            kubernetes_version: None,
            expires_at: Tf::Null,
            vault_path,
        });
    }
    let (connection, _) = connect_physical(client, prior, planned, &secrets).await?;
    require_client_certificate(&connection.kubeconfig)?;
    let former = prior.and_then(|prior| prior.cluster_uid.known());
    let former = former.map(String::as_str);
    secrets.check(&connection.uid, former).await?;
    let version = connection.cluster.version().await;
    let version = version.map_err(kubernetes_apply::cluster::ApiError::from);
    let version = version.with_context(|| format!("ask the cluster {name} for its version"))?;
    let text = connection.kubeconfig.expose_secret();
    let kubeconfig = with_server(text, &planned.api_server);
    let stored = secrets.admin();
    stored.write(&kubeconfig, &connection.uid).await?;
    Ok(Registered {
        expires_at: expires_at(planned, &connection.access),
        cluster: Some(connection.cluster),
        uid: Some(connection.uid),
        kubernetes_version: Some(version),
        vault_path,
    })
}

impl Registered {
    /// Returns the state of a cluster whose manifest was committed.
    fn complete(self, planned: ClusterModel, manifest_path: String) -> ClusterModel {
        let credential = credential(&planned, self.expires_at, self.vault_path);
        let vcluster = planned.vcluster.clone();
        let mut state = ClusterModel {
            credential: Known(CredentialModel {
                kind: AS_GIVEN.to_owned(),
                ..credential
            }),
            cluster_uid: self.uid.into(),
            kubernetes_version: self.kubernetes_version.into(),
            component_status: Known(std::collections::BTreeMap::new()),
            manifest_path: Known(manifest_path),
            vcluster: if vcluster.is_unknown() {
                Tf::Null
            } else {
                vcluster
            },
            ..planned
        };
        state.addresses.fill(AddressesModel::default());
        complete(state)
    }
}

/// Deletes the manifest and the files with it, upon which the operators remove the rest, and the credential in Vault.
pub(super) async fn delete(
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
    let attempt = format!("remove the cluster {name}");
    let secrets = ClusterSecrets::new(&client, &name)?;
    require_no_own_objects(&client, state, &operation.private, &attempt).await?;
    let uid = state.cluster_uid.known();
    if let Some(uid) = uid {
        secrets.check_secrets(uid, None).await?;
    }
    delete_manifest(operation, state, claim, &attempt).await?;
    if !is_virtual(state) {
        for (summary, detail) in secrets.delete(uid.map(String::as_str)).await? {
            operation.warn(summary, detail);
        }
    }
    client.holders().release(&object);
    Ok(())
}

/// Fails if the provider has made something in a cluster, or may have: it would stay without an owner.
async fn require_no_own_objects(
    client: &Client,
    state: &ClusterModel,
    private: &PrivateState,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let status = state.component_status.known();
    let is_ours = match switch::recorded(private) {
        Some(recorded) => recorded == Reconciler::Provider,
        None if status.is_some_and(|status| !status.is_empty()) => true,
        // That of a virtual cluster is known only to the one who has made it.
        None if is_virtual(state) => state.cluster_uid.known().is_some(),
        None => has_own_objects(client, state, private, attempt).await?,
    };
    if !is_ours {
        return Ok(());
    }
    let detail = "The provider has made it with reconciler = \"provider\", and what it has made in the cluster would stay without an owner. Nothing was changed. Destroy it with reconciler = \"provider\".";
    Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into())
}

/// Asks a physical cluster whether it has the provider's own objects.
async fn has_own_objects(
    client: &Client,
    state: &ClusterModel,
    private: &PrivateState,
    attempt: &str,
) -> Result<bool, Diagnostics> {
    let name = entity_name("name", &state.name)?;
    let secrets = ClusterSecrets::new(client, &name)?;
    let Some(stored) = secrets.read().await? else {
        let detail = format!(
            "Vault has no kubeconfig at {}, so it is not known whether the provider has made something in the cluster. Nothing was changed. Apply first, which stores one, and destroy then.",
            secrets.path
        );
        return Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into());
    };
    let (_, cluster) = open(&state.api_server, &stored.kubeconfig).context(attempt)?;
    if let Known(expected) = &state.cluster_uid {
        match cluster.require_uid(expected).await {
            Ok(()) => {}
            Err(IdentityError::Unknown(error)) if is_unreachable(&error) => {
                require_forgettable(client, &error, attempt)?;
                return Ok(false);
            }
            Err(error) => return Err(error).context(attempt),
        }
    }
    switch::has_own_objects(&cluster, private, attempt).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_needs_a_client_certificate_and_its_key() {
        let kubeconfig = |user: &str| Secret::from(format!("users: [{{ name: a, user: {user} }}]"));
        let certificate = "{ client-certificate-data: YQ==, client-key-data: Yg== }";
        assert!(require_client_certificate(&kubeconfig(certificate)).is_ok());
        for user in ["{ token: t }", "{ client-certificate-data: YQ== }", "{}"] {
            assert!(
                require_client_certificate(&kubeconfig(user)).is_err(),
                "{user}"
            );
        }
    }
}
