//! With which kubeconfig a cluster is called.

use std::sync::Arc;

use kubernetes_apply::cluster::{Cluster, IdentityError};
use kubernetes_apply::connection::{Access, AccessError, ExecPlugins, Limits};
use nautes_model::vault::SecretPath;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::{Known, Path};

use super::forget::silence_at;
use super::model::ClusterModel;
use super::setup::has_own_account;
use super::stored::ClusterSecrets;
use crate::backends::vault::SecretValues;
use crate::client::Client;
use crate::clusters::decode;
use crate::diagnostics::{Context as _, Explain as _, is_silent, needs_kubeconfig};
use crate::secret::{ExposeSecret as _, Secret};

/// A cluster cannot be used with a kubeconfig.
pub(super) enum ConnectError {
    /// The cluster does not accept it, or it does not trust the cluster.
    Refused(Diagnostics),
    /// Anything else.
    Failed(Diagnostics),
}

impl From<ConnectError> for Diagnostics {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Refused(found) | ConnectError::Failed(found) => found,
        }
    }
}

impl From<Diagnostics> for ConnectError {
    fn from(found: Diagnostics) -> Self {
        Self::Failed(found)
    }
}

/// A connection to a cluster, which answers with the UID that is expected.
pub(super) struct Connection {
    pub(super) cluster: Arc<Cluster>,
    pub(super) access: Access,
    /// The kubeconfig, as it was given.
    pub(super) kubeconfig: Secret,
    pub(super) uid: String,
}

/// Returns the kubeconfig that the user gives; `None` if there is none.
async fn given_kubeconfig(
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

/// Returns whether the command of a given kubeconfig may be run.
///
/// It is run for the exchange of the credential only, and not in a remote run, where it does not exist.
fn exec_plugins(planned: &ClusterModel) -> ExecPlugins {
    if has_own_account(planned) && !is_remote_run() {
        ExecPlugins::Allowed
    } else {
        ExecPlugins::Refused
    }
}

/// Whether HCP Terraform or Terraform Enterprise runs the provider.
pub(super) fn is_remote_run() -> bool {
    std::env::var_os("TFC_RUN_ID").is_some_and(|run| !run.is_empty())
}

/// Checks a given kubeconfig before it is used.
pub(super) fn check_given(
    text: &Secret,
    keeps_it: bool,
    needs_certificate: bool,
) -> Result<(), Diagnostics> {
    let text = decode(text).context("use the kubeconfig")?;
    let plugins = if keeps_it || is_remote_run() {
        ExecPlugins::Refused
    } else {
        ExecPlugins::Allowed
    };
    let access = match Access::parse(text.expose_secret(), None, plugins) {
        Err(AccessError::ExecPlugin { command }) => {
            return Err(unusable_command(&command, keeps_it));
        }
        access => access.context("use the kubeconfig")?,
    };
    if needs_certificate && !access.has_client_certificate() {
        let detail = "The operators of Nautes register a cluster by its client certificate, and the kubeconfig has none. Give one with client-certificate-data and client-key-data.";
        return Err(Diagnostic::error("The kubeconfig has no client certificate", detail).into());
    }
    Ok(())
}

/// Returns the error of a kubeconfig with a command that is not run.
fn unusable_command(command: &str, keeps_it: bool) -> Diagnostics {
    let reason = if keeps_it {
        "With credential.kind = \"as_given\" the kubeconfig is stored and used where the command does not exist."
    } else {
        "This is a remote run, in which the command does not exist."
    };
    let detail = format!(
        "The kubeconfig gets its credential from the command {command}. {reason} Give one with a token or a client certificate: provider::nautes::kubeconfig(host, ca, token) builds it from what a provider of the cloud returns, such as an ephemeral token. Or create the cluster's entry once from a machine that has the command; after that the provider has a service account of its own."
    );
    Diagnostic::error("The kubeconfig runs a command", detail).into()
}

/// Sets up the connection to a cluster at an address with a kubeconfig; nothing is sent.
pub(super) fn open(
    api_server: &str,
    kubeconfig: &Secret,
) -> Result<(Access, Cluster), AccessError> {
    open_with(api_server, kubeconfig, ExecPlugins::Refused)
}

fn open_with(
    api_server: &str,
    kubeconfig: &Secret,
    plugins: ExecPlugins,
) -> Result<(Access, Cluster), AccessError> {
    let access = Access::parse(kubeconfig.expose_secret(), None, plugins)?;
    let access = access.with_server(api_server)?;
    let cluster = Cluster::new(&access, Limits::default())?;
    Ok((access, cluster))
}

/// Connects to a cluster with a kubeconfig, and checks that it is the expected one.
///
/// The address is `api_server`, whatever the kubeconfig names.
async fn connect(planned: &ClusterModel, kubeconfig: Secret) -> Result<Connection, ConnectError> {
    let name = &planned.name;
    let attempt = format!("connect to the cluster {name} at {}", planned.api_server);
    let opened = open_with(&planned.api_server, &kubeconfig, exec_plugins(planned));
    let (access, cluster) = match opened {
        Err(AccessError::ExecPlugin { command }) => {
            let found = unusable_command(&command, !has_own_account(planned));
            return Err(found.at(&Path::to("kubeconfig_wo")).into());
        }
        opened => opened.context(&attempt)?,
    };
    let found = match &planned.cluster_uid {
        Known(expected) => {
            let checked = cluster.require_uid(expected).await;
            checked.map(|()| expected.clone())
        }
        _ => cluster.uid().await.map_err(IdentityError::from),
    };
    let uid = match found {
        Err(IdentityError::Unknown(error)) if needs_kubeconfig(&error) => {
            return Err(ConnectError::Refused(error.explain(&attempt)));
        }
        found => found.context(&attempt)?,
    };
    Ok(Connection {
        cluster: Arc::new(cluster),
        access,
        kubeconfig,
        uid,
    })
}

/// Connects to a physical cluster with the given kubeconfig if it is new, else with the one in Vault; returns whether it
/// is the given one. The given one also stands in for one in Vault that is missing, or that is of no use any more.
///
/// Fails if the cluster counts as rebuilt although the former one still answers.
pub(super) async fn connect_physical(
    client: &Client,
    prior: Option<&ClusterModel>,
    planned: &ClusterModel,
    secrets: &ClusterSecrets<'_>,
) -> Result<(Connection, bool), Diagnostics> {
    let connected = connect_with_either(client, prior, planned, secrets).await?;
    if let Some(prior) = prior {
        require_rebuilt(prior, planned, &connected.0.uid, secrets).await?;
    }
    Ok(connected)
}

/// Fails if a cluster has another UID than in the state, and the former one still answers at its address, or may.
///
/// Nobody would own any more what is in the former one.
async fn require_rebuilt(
    prior: &ClusterModel,
    planned: &ClusterModel,
    uid: &str,
    secrets: &ClusterSecrets<'_>,
) -> Result<(), Diagnostics> {
    let (name, api_server) = (&prior.name, &prior.api_server);
    let Some(former) = prior.cluster_uid.known().filter(|former| *former != uid) else {
        return Ok(());
    };
    let attempt = format!("look whether the former cluster {name} still answers at {api_server}");
    let Some(stored) = secrets.read().await? else {
        // At the same address the new one has answered.
        let is_gone =
            planned.api_server == *api_server || silence_at(api_server, &attempt).await?.is_some();
        let reason = "Vault has no kubeconfig of it, and something answers there.";
        return if is_gone {
            Ok(())
        } else {
            Err(not_rebuilt(prior, former, uid, reason))
        };
    };
    if stored.uid.as_deref() == Some(uid) {
        // An interrupted apply has stored it, which has looked.
        return Ok(());
    }
    let (_, cluster) = open(api_server, &stored.kubeconfig).context(&attempt)?;
    match cluster.require_uid(former).await {
        Ok(()) => {
            let reason = "It still answers there, so it was not rebuilt.";
            Err(not_rebuilt(prior, former, uid, reason))
        }
        Err(IdentityError::Other { .. }) => Ok(()),
        Err(IdentityError::Unknown(error)) if is_silent(&error) || needs_kubeconfig(&error) => {
            Ok(())
        }
        Err(error) => Err(error).context(&attempt),
    }
}

fn not_rebuilt(prior: &ClusterModel, former: &str, uid: &str, reason: &str) -> Diagnostics {
    let ClusterModel {
        name, api_server, ..
    } = prior;
    let detail = format!(
        "The UID of the cluster {name} at {api_server} is {former}, and that of the new one is {uid}. {reason} What the provider and products have in the former one would stay without an owner. Nothing was changed. Destroy this nautes_cluster first, or register the new cluster under another name; if only the address has changed, correct api_server and the kubeconfig."
    );
    let summary = format!("The cluster {name} was not rebuilt");
    Diagnostic::error(summary, detail)
        .at(&Path::to("cluster_uid"))
        .into()
}

async fn connect_with_either(
    client: &Client,
    prior: Option<&ClusterModel>,
    planned: &ClusterModel,
    secrets: &ClusterSecrets<'_>,
) -> Result<(Connection, bool), Diagnostics> {
    let given = given_kubeconfig(client, planned).await?;
    let is_new = prior.is_none_or(|prior| {
        prior.kubeconfig_wo_version != planned.kubeconfig_wo_version
            || prior.kubeconfig_vault != planned.kubeconfig_vault
            || has_own_account(prior) && !has_own_account(planned)
    });
    let stored = match &given {
        Some(_) if is_new => None,
        _ => secrets.read().await?,
    };
    let refused = match stored {
        None => None,
        Some(stored) => match connect(planned, stored.kubeconfig).await {
            Ok(connection) => return Ok((connection, false)),
            Err(ConnectError::Refused(found)) => Some(found),
            Err(ConnectError::Failed(found)) => return Err(found),
        },
    };
    match (given, refused) {
        (Some(given), _) => Ok((connect(planned, given).await?, true)),
        (None, Some(refused)) => Err(refused),
        (None, None) => Err(no_kubeconfig(&planned.name)),
    }
}

/// Returns the error of a cluster for which no kubeconfig is known.
fn no_kubeconfig(name: &str) -> Diagnostics {
    let detail = format!(
        "No kubeconfig is given for the cluster {name}, and Vault has none. Set kubeconfig_wo (Terraform 1.11 or later, OpenTofu 1.11 or later), or write the kubeconfig into Vault and name it in kubeconfig_vault."
    );
    Diagnostic::error("A kubeconfig is needed", detail)
        .at(&Path::to("kubeconfig_wo"))
        .into()
}
