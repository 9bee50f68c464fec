//! Makes a virtual cluster in its host, or brings it to what is planned.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubernetes_apply::apply_set::{ApplyOptions, ApplySetError};
use kubernetes_apply::cluster::{Cluster, Detail};
use kubernetes_apply::connection::Access;
use kubernetes_apply::object::{Kind, Object, ObjectRef};
use kubernetes_apply::readiness::Rules;
use nautes_model::EntityName;
use nautes_model::entity::Entity;
use serde_json::Value;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::{Known, Path};
use terraform_plugin::waiting::waiting_for;

use super::super::access::{Connection, open};
use super::super::model::{ClusterModel, VclusterModel};
use super::super::stored::ClusterSecrets;
use super::host::Host;
use super::plan::node_port_of;
use super::{host_name, object_set, path, settings};
use crate::client::Client;
use crate::clusters::NAMESPACE;
use crate::clusters::lock::Lock;
use crate::components::vcluster::VirtualCluster;
use crate::diagnostics::Context as _;
use crate::resources::home::Home;
use crate::resources::references::invalid_value;
use crate::secret::Secret;

/// How long the host may take until the API server of a virtual cluster runs.
const READY_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// How long a running API server may take to answer at its address.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2 * 60);

/// How often it is asked.
const ANSWER_INTERVAL: Duration = Duration::from_secs(2);

/// Makes the objects of a virtual cluster in its host, waits until its API server answers, and connects to it.
///
/// Whatever may be refused is checked before the first write.
pub(in super::super) async fn install(
    client: &Client,
    name: &EntityName,
    prior: Option<&ClusterModel>,
    planned: &ClusterModel,
    vcluster: &VclusterModel,
) -> Result<Connection, Diagnostics> {
    let host = Host::connect(client, &host_name(planned)?).await?;
    let settings = settings(client, name, planned, vcluster)?;
    let attempt = format!("make the virtual cluster {name} in the host {}", host.name);
    let set = object_set(&host, name)?;
    let inventory = set.inventory().await.map_err(ApplySetError::from);
    let is_new = inventory.context(&attempt)?.is_empty();
    check_name(name)?;
    let secrets = ClusterSecrets::new(client, name)?;
    let former = prior.and_then(|prior| prior.cluster_uid.known());
    let mut is_replaced = false;
    match former {
        None if is_new => check_vault(client, name).await?,
        None => {}
        Some(uid) => {
            is_replaced = secrets.is_replaced(uid).await?;
            // The run that was interrupted may have stored its kubeconfig.
            let stored = secrets.read().await?.filter(|_| is_replaced);
            let stored = stored.and_then(|stored| stored.uid);
            let accepted = planned.cluster_uid.known().or(stored.as_ref());
            secrets.check(uid, accepted.map(String::as_str)).await?;
        }
    }
    let has_data = host.has_data_of(name).await.context(&attempt)?;
    check_port(client, &host, &settings, &attempt).await?;

    if let Some(uid) = former
        && planned.cluster_uid.is_unknown()
        && !has_data
        && secrets.read().await?.is_some()
    {
        // If this run is interrupted, the next one finds data with another UID.
        secrets.mark_replaced(uid).await?;
    }
    let lock = Lock::acquire(&host.cluster, &host.name, &attempt).await;
    let lock = lock.context(&attempt)?;
    let apply = async {
        // Another run may have taken it in the meantime.
        check_port(client, &host, &settings, &attempt).await?;
        let objects = settings.objects();
        let applied = set.apply(objects, &ApplyOptions::default()).await;
        applied.context(&attempt)
    };
    let applied = lock.run(Box::pin(apply)).await;
    lock.release().await;
    let applied = applied?;
    let waited_for = name.clone();
    let waiting = waiting_for(move || format!("the virtual cluster {waited_for} to run"));
    let rules = Rules::default();
    let references = applied.references();
    let ready = set.wait_until_ready(&references, &rules, READY_TIMEOUT);
    ready.await.context(&attempt)?;
    let kubeconfig = kubeconfig(&host, &settings, &attempt).await?;
    let expected = match &planned.cluster_uid {
        Known(uid) => Some(uid),
        // The plan has left it open, because there were no data then.
        _ if has_data && !is_replaced => former,
        _ => None,
    };
    let connection = connect(planned, expected, kubeconfig).await?;
    drop(waiting);
    tracing::info!(cluster = %name, host = %host.name, "the virtual cluster answers");
    Ok(connection)
}

/// Refuses the name of the provider's own namespace, since a virtual cluster has a namespace of its name.
fn check_name(name: &EntityName) -> Result<(), Diagnostics> {
    if name.as_str() != NAMESPACE {
        return Ok(());
    }
    let detail = format!(
        "A virtual cluster has a namespace of its name in its host, and {NAMESPACE} is that of the provider itself. Choose another name."
    );
    Err(invalid_value("name", detail))
}

/// Refuses a name for which Vault already holds something, although the host has nothing of this cluster.
async fn check_vault(client: &Client, name: &EntityName) -> Result<(), Diagnostics> {
    let vault = client.vault()?;
    let secrets = ClusterSecrets::new(client, name)?;
    let mount = vault.auth_mount(name.as_str()).await;
    let mount = mount.with_context(|| format!("look for auth/{name} in Vault"))?;
    let taken = if secrets.read().await?.is_some() {
        format!("a kubeconfig of another cluster at {}", secrets.path)
    } else if mount.is_some() {
        format!("an auth mount of another cluster at auth/{name}")
    } else {
        return Ok(());
    };
    let detail = format!(
        "Vault has {taken}. Nothing was changed. Choose another name; or, if that cluster is gone, remove it from Vault."
    );
    Err(
        Diagnostic::error(format!("The name {name} is taken in Vault"), detail)
            .at(&Path::to("name"))
            .into(),
    )
}

/// Refuses a port that another Service of the host or another virtual cluster has.
async fn check_port(
    client: &Client,
    host: &Host,
    settings: &VirtualCluster,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let port = u64::from(settings.https_node_port);
    let taken = |by: &str| {
        let detail = format!(
            "The port {port} of the host {} is that of {by}. Nothing was changed. Set another port.",
            host.name
        );
        Diagnostics::from(
            Diagnostic::error(format!("The port {port} is taken"), detail)
                .at(&path("https_node_port")),
        )
    };
    let kind = Kind::new("v1", "Service");
    let services = host.cluster.list(&kind, None, "", Detail::Full).await;
    let own = ObjectRef::namespaced("", "Service", &settings.name, &settings.name);
    for service in services.context(attempt)? {
        if *service.reference() != own && has_node_port(&service, port) {
            return Err(taken(&format!("the {}", service.reference())));
        }
    }
    let snapshot = Home::tenant(client).snapshot(attempt).await?;
    let entities = snapshot
        .iter()
        .flat_map(|snapshot| snapshot.tree().entities());
    for entity in entities {
        if let Entity::Cluster(cluster) = entity
            && cluster.shape.host_cluster() == Some(&host.name)
            && cluster.name.as_str() != settings.name
            && node_port_of(&cluster.api_server) == Some(port)
        {
            return Err(taken(&format!("the virtual cluster {}", cluster.name)));
        }
    }
    Ok(())
}

fn has_node_port(service: &Object, port: u64) -> bool {
    let mut ports = service.list("/spec/ports").iter();
    ports.any(|found| found.get("nodePort").and_then(Value::as_u64) == Some(port))
}

/// Waits for the kubeconfig that a virtual cluster writes into its host, and reads it.
async fn kubeconfig(
    host: &Host,
    settings: &VirtualCluster,
    attempt: &str,
) -> Result<Secret, Diagnostics> {
    let (kind, name) = (Kind::new("v1", "Secret"), settings.kubeconfig_secret());
    let secret = ObjectRef::namespaced("", "Secret", &settings.name, &name);
    let made = [(kind.clone(), secret)];
    let rules = Rules::default();
    let made = host
        .cluster
        .wait_until_ready(&made, "", &rules, READY_TIMEOUT);
    made.await.context(attempt)?;
    let namespace = Some(settings.name.as_str());
    let found = host
        .cluster
        .find(&kind, namespace, &name, Detail::Full)
        .await;
    let found = found.context(attempt)?;
    let kubeconfig = found.as_ref().and_then(|secret| {
        let decoded = STANDARD.decode(secret.text("/data/config")?).ok()?;
        Some(with_server(
            &String::from_utf8(decoded).ok()?,
            &settings.api_server,
        ))
    });
    kubeconfig.ok_or_else(|| {
        let detail = format!(
            "The Secret {}/{name} in the host {} has no kubeconfig at the key config. The virtual cluster writes it when it starts: look at the logs of its pod, and apply again.",
            settings.name, host.name
        );
        Diagnostic::error(format!("Cannot {attempt}"), detail).into()
    })
}

/// Returns a kubeconfig in which all clusters are at one address. What cannot be parsed is left as it is.
pub(in super::super) fn with_server(kubeconfig: &str, server: &str) -> Secret {
    let Ok(mut parsed) = serde_saphyr::from_str::<Value>(kubeconfig) else {
        return kubeconfig.to_owned().into();
    };
    let clusters = parsed.get_mut("clusters").and_then(Value::as_array_mut);
    for cluster in clusters.into_iter().flatten() {
        let cluster = cluster.get_mut("cluster").and_then(Value::as_object_mut);
        if let Some(cluster) = cluster {
            cluster.insert("server".to_owned(), server.into());
        }
    }
    // JSON is YAML, too.
    parsed.to_string().into()
}

/// Connects to a virtual cluster, as soon as it answers at its address.
async fn connect(
    planned: &ClusterModel,
    expected: Option<&String>,
    kubeconfig: Secret,
) -> Result<Connection, Diagnostics> {
    let (name, api_server) = (&planned.name, &planned.api_server);
    let attempt = format!("connect to the virtual cluster {name} at {api_server}");
    let deadline = tokio::time::Instant::now() + ANSWER_TIMEOUT;
    let (access, cluster, uid) = loop {
        // A new connection each time: one that has failed for a while is not tried any more.
        let (access, cluster): (Access, Cluster) =
            open(api_server, &kubeconfig).context(&attempt)?;
        match cluster.uid().await {
            Ok(uid) => break (access, cluster, uid),
            Err(error) if tokio::time::Instant::now() >= deadline => {
                return Err(error).context(&attempt);
            }
            Err(error) => tracing::debug!(%error, cluster = %name, "it does not answer yet"),
        }
        tokio::time::sleep(ANSWER_INTERVAL).await;
    };
    if let Some(expected) = expected {
        cluster.require_uid(expected).await.context(&attempt)?;
    }
    Ok(Connection {
        cluster: Arc::new(cluster),
        access,
        kubeconfig,
        uid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::ExposeSecret as _;

    #[test]
    fn the_address_of_a_kubeconfig_is_replaced_and_nothing_else() {
        let given = "apiVersion: v1\nclusters:\n- name: vc\n  cluster: {server: 'https://localhost:8443', certificate-authority-data: YQ==}\nusers:\n- name: vc\n  user: {token: secret}\n";
        let kubeconfig = with_server(given, "https://10.1.1.1:31000");
        let parsed: Value = serde_json::from_str(kubeconfig.expose_secret()).unwrap();
        let cluster = &parsed["clusters"][0]["cluster"];
        assert_eq!(cluster["server"], "https://10.1.1.1:31000");
        assert_eq!(cluster["certificate-authority-data"], "YQ==");
        assert_eq!(parsed["users"][0]["user"]["token"], "secret");
        assert_eq!(with_server(": : :", "https://a").expose_secret(), ": : :");
    }
}
