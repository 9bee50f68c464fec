//! With which kubeconfig a cluster is called.

use std::sync::Arc;

use kubernetes_apply::cluster::Cluster;
use kubernetes_apply::connection::{Access, AccessError, ExecPlugins, Limits};
use nautes_model::vault::SecretPath;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::{Known, Path};

use super::model::ClusterModel;
use crate::backends::vault::SecretValues;
use crate::client::Client;
use crate::clusters::decode;
use crate::diagnostics::Context as _;
use crate::secret::{ExposeSecret as _, Secret};

/// A connection to a cluster, which answers with the UID that is expected.
pub(super) struct Connection {
    pub(super) cluster: Arc<Cluster>,
    pub(super) access: Access,
    /// The kubeconfig, as it was given.
    pub(super) kubeconfig: Secret,
    pub(super) uid: String,
}

/// Returns the kubeconfig that the user gives; `None` if there is none.
pub(super) async fn given_kubeconfig(
    client: &Client,
    planned: &ClusterModel,
) -> Result<Option<Secret>, Diagnostics> {
    if let Some(text) = planned.kubeconfig_wo.configured() {
        let decoded = decode(&text.clone().into()).context("use the kubeconfig");
        return decoded
            .map(Some)
            .map_err(|found| found.at(&Path::to("kubeconfig_wo")));
    }
    let Some(reference) = &planned.kubeconfig_vault else {
        return Ok(None);
    };
    let at = |found: Diagnostics| found.at(&Path::to("kubeconfig_vault"));
    let path = SecretPath::new(&reference.mount, &reference.path).map_err(|error| {
        let detail = format!("{error}.");
        at(Diagnostic::error("Invalid value for kubeconfig_vault", detail).into())
    })?;
    let stored = client.vault()?.read_secret(&path).await;
    let stored = stored
        .with_context(|| format!("read the kubeconfig from {path}"))
        .map_err(at)?;
    let values: Option<SecretValues> = stored.map(|stored| stored.values);
    let text = values
        .as_ref()
        .and_then(|values| values.get(&reference.key));
    let Some(text) = text else {
        let detail = format!(
            "Vault has no secret {path} with the key {}. Write the kubeconfig there, or correct the argument.",
            reference.key
        );
        return Err(at(Diagnostic::error(
            "There is no kubeconfig in Vault",
            detail,
        )
        .into()));
    };
    decode(text)
        .context("use the kubeconfig")
        .map(Some)
        .map_err(at)
}

/// Sets up the connection to a cluster at an address with a kubeconfig; nothing is sent.
pub(super) fn open(
    api_server: &str,
    kubeconfig: &Secret,
) -> Result<(Access, Cluster), AccessError> {
    let access = Access::parse(kubeconfig.expose_secret(), None, ExecPlugins::Refused)?;
    let access = access.with_server(api_server)?;
    let cluster = Cluster::new(&access, Limits::default())?;
    Ok((access, cluster))
}

/// Connects to a cluster with a kubeconfig, and checks that it is the expected one.
///
/// The address is `api_server`, whatever the kubeconfig names.
pub(super) async fn connect(
    planned: &ClusterModel,
    kubeconfig: Secret,
) -> Result<Connection, Diagnostics> {
    let name = &planned.name;
    let attempt = format!("connect to the cluster {name} at {}", planned.api_server);
    let (access, cluster) = open(&planned.api_server, &kubeconfig).context(&attempt)?;
    let uid = match &planned.cluster_uid {
        Known(expected) => {
            cluster.require_uid(expected).await.context(&attempt)?;
            expected.clone()
        }
        _ => cluster.uid().await.context(&attempt)?,
    };
    Ok(Connection {
        cluster: Arc::new(cluster),
        access,
        kubeconfig,
        uid,
    })
}

/// Returns the error of a cluster for which no kubeconfig is known.
pub(super) fn no_kubeconfig(name: &str) -> Diagnostics {
    let detail = format!(
        "No kubeconfig is given for the cluster {name}, and Vault has none. Set kubeconfig_wo (Terraform 1.11 or later, OpenTofu 1.11 or later), or write the kubeconfig into Vault and name it in kubeconfig_vault."
    );
    Diagnostic::error("A kubeconfig is needed", detail)
        .at(&Path::to("kubeconfig_wo"))
        .into()
}
