//! The deletion of a virtual cluster, with all that is in it.

use std::time::Duration;

use kubernetes_apply::apply_set::{DeleteOptions, NamespaceContent};
use kubernetes_apply::cluster::{ApiError, Detail, IdentityError};
use kubernetes_apply::object::{Kind, ObjectRef};
use nautes_model::EntityName;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;
use terraform_plugin::value::Known;

use super::super::access::open;
use super::super::delete::{lock, remove_auth_mount};
use super::super::forget::{SETTING, require_forgettable, silence_at};
use super::super::guard::runtimes_in;
use super::super::manifest_change::delete_manifest;
use super::super::model::ClusterModel;
use super::super::read::object_id;
use super::super::stored::ClusterSecrets;
use super::host::{Host, HostError};
use super::{INVENTORY, data_claim, host_name, object_set};
use crate::claim::{Claim, Deletion};
use crate::client::Client;
use crate::clusters::{NAMESPACE, PRODUCT_LABEL};
use crate::diagnostics::{Context as _, is_silent, is_unreachable};
use crate::error_chain::sentence;
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
    let host_name = host_name(state)?;
    let attempt = format!("remove the virtual cluster {name} from the host {host_name}");
    let host = find_host(&client, &host_name, &attempt).await?;
    let secrets = ClusterSecrets::new(&client, &name)?;
    let uid = state.cluster_uid.known().map(String::as_str);
    if let Some(uid) = uid {
        secrets.check_secrets(uid, None).await?;
    }
    let mut removal = Removal {
        operation,
        state,
        name: &name,
        secrets: &secrets,
        attempt: &attempt,
    };
    match host {
        HostAnswer::Itself(host) => removal.run(&host, claim).await?,
        HostAnswer::Gone { reason } => removal.forget(&host_name, &reason, claim).await?,
    }
    for (summary, detail) in secrets.delete(uid).await? {
        operation.warn(summary, detail);
    }
    client.holders().release(&object);
    Ok(())
}

/// What a call of the host has shown.
enum HostAnswer {
    /// It is the registered one.
    Itself(Host),
    /// It gives no answer, or cannot be called any more, and is to be forgotten.
    Gone { reason: String },
}

/// Calls the host. Fails if it cannot be used and is not to be forgotten.
async fn find_host(
    client: &Client,
    name: &EntityName,
    attempt: &str,
) -> Result<HostAnswer, Diagnostics> {
    let host = match Host::open(client, name).await {
        Ok(host) => host,
        Err(HostError::Lost(found)) if client.settings().forgets_unreachable_clusters => {
            return Ok(HostAnswer::Gone {
                reason: found.detail,
            });
        }
        Err(HostError::Lost(found)) => {
            let detail = format!(
                "{} Nothing was changed. If the host and its virtual clusters do not exist any more, {SETTING}.",
                found.detail
            );
            return Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into());
        }
        Err(HostError::Failed(found)) => return Err(found),
    };
    match host.check().await {
        Ok(()) => Ok(HostAnswer::Itself(host)),
        Err(IdentityError::Unknown(error)) if is_unreachable(&error) => {
            require_forgettable(client, &error, attempt)?;
            let reason = sentence(&error);
            Ok(HostAnswer::Gone { reason })
        }
        Err(error) => Err(error).context(attempt),
    }
}

/// What a virtual cluster answers when it is asked what products have in it.
enum Use {
    /// They have nothing in it.
    None,
    /// They have this in it.
    Products(String),
    /// It gives no answer.
    Silence(ApiError),
    /// Something answers that does not tell.
    NotKnown { reason: String },
}

/// What removes a virtual cluster.
struct Removal<'a> {
    operation: &'a mut Operation<Client>,
    state: &'a ClusterModel,
    name: &'a EntityName,
    secrets: &'a ClusterSecrets<'a>,
    attempt: &'a str,
}

impl Removal<'_> {
    /// Removes everything but its credential, while no other run changes the host.
    async fn run(&mut self, host: &Host, claim: Option<Claim>) -> Result<(), Diagnostics> {
        self.require_unused(host).await?;
        let lock = lock(&host.cluster, &host.name, self.attempt).await?;
        let removed = match &lock {
            Some(lock) => lock.run(Box::pin(self.run_locked(host, claim))).await,
            None => Box::pin(self.run_locked(host, claim)).await,
        };
        if let Some(lock) = lock {
            lock.release().await;
        }
        removed
    }

    async fn run_locked(&mut self, host: &Host, claim: Option<Claim>) -> Result<(), Diagnostics> {
        // It may have waited for the lock.
        self.require_unused(host).await?;
        delete_manifest(self.operation, self.state, claim, self.attempt).await?;
        if self.secrets.read().await?.is_some() {
            // From now on it may give no answer: a destroy that fails later goes on without one.
            self.secrets.mark_leaving().await?;
        }
        let client = self.operation.client().clone();
        remove_auth_mount(self.operation, self.state, &client).await?;
        self.remove_objects(host).await
    }

    /// Removes the objects from the host.
    async fn remove_objects(&mut self, host: &Host) -> Result<(), Diagnostics> {
        let options = DeleteOptions {
            timeout: GONE_TIMEOUT,
            namespaces: NamespaceContent::Keep {
                expendable: made_by_itself(self.name),
            },
        };
        let deleted = object_set(host, self.name)?.delete(&options).await;
        for kept in &deleted.context(self.attempt)?.kept {
            self.operation.warn(
                format!(
                    "An object of the virtual cluster {} stays in the host {}",
                    self.name, host.name
                ),
                format!("{kept}."),
            );
        }
        Ok(())
    }

    /// Forgets a virtual cluster with its host, of which nothing can be removed.
    async fn forget(
        &mut self,
        host: &EntityName,
        reason: &str,
        claim: Option<Claim>,
    ) -> Result<(), Diagnostics> {
        match self.find_use().await? {
            Use::Silence(_) => {}
            Use::Products(found) => return Err(in_use(self.attempt, &found)),
            Use::NotKnown { reason } => return Err(not_asked(self.attempt, &reason)),
            Use::None => return Err(alive(self.attempt, reason)),
        }
        delete_manifest(self.operation, self.state, claim, self.attempt).await?;
        let client = self.operation.client().clone();
        remove_auth_mount(self.operation, self.state, &client).await?;
        let (summary, detail) = forgotten(host, self.name, reason);
        self.operation.warn(summary, detail);
        Ok(())
    }

    /// Fails if products have something in the virtual cluster, whose volumes would go with it, or if that is not known.
    ///
    /// Neither a missing manifest nor silence proves that nothing is in it: only that the host has no data of it, or the
    /// mark of a destroy that has asked.
    async fn require_unused(&self, host: &Host) -> Result<(), Diagnostics> {
        let claim = host.data_claim_of(self.name).await;
        if claim.context(self.attempt)?.is_none() {
            return Ok(());
        }
        let reason = match self.find_use().await? {
            Use::None => return Ok(()),
            Use::Products(found) => return Err(in_use(self.attempt, &found)),
            Use::Silence(_) | Use::NotKnown { .. } if self.secrets.is_leaving().await? => {
                return Ok(());
            }
            Use::NotKnown { reason } => return Err(not_asked(self.attempt, &reason)),
            Use::Silence(error) => sentence(&error),
        };
        Err(not_known(self.attempt, self.name, &host.name, &reason))
    }

    /// Asks the virtual cluster what products have in it.
    async fn find_use(&self) -> Result<Use, Diagnostics> {
        let Some(stored) = self.secrets.read().await? else {
            return Ok(
                match silence_at(&self.state.api_server, self.attempt).await? {
                    Some(silence) => Use::Silence(silence),
                    None => Use::NotKnown {
                        reason: "Vault has no kubeconfig of it.".to_owned(),
                    },
                },
            );
        };
        let opened = open(&self.state.api_server, &stored.kubeconfig);
        let (_, cluster) = opened.context(self.attempt)?;
        let asked = async {
            if let Known(expected) = &self.state.cluster_uid {
                cluster.require_uid(expected).await?;
            }
            let kind = Kind::new("v1", "ConfigMap");
            let registries = cluster.list(&kind, Some(NAMESPACE), "", Detail::Full);
            let registries = registries.await?;
            let kind = Kind::new("v1", "Namespace");
            let namespaces = cluster.list(&kind, None, PRODUCT_LABEL, Detail::Metadata);
            Ok::<_, IdentityError>((runtimes_in(&registries), namespaces.await?))
        };
        let (runtimes, namespaces) = match asked.await {
            Ok(found) => found,
            Err(IdentityError::Unknown(error)) if is_silent(&error) => {
                return Ok(Use::Silence(error));
            }
            Err(error) => {
                let reason = sentence(&error);
                return Ok(Use::NotKnown { reason });
            }
        };
        let names: Vec<&str> = namespaces
            .iter()
            .map(|namespace| namespace.reference().name.as_str())
            .collect();
        Ok(if !names.is_empty() {
            Use::Products(format!(
                "Products have namespaces in it: {}.",
                names.join(", ")
            ))
        } else if !runtimes.is_empty() {
            Use::Products(format!("Products use it: {}.", runtimes.join(", ")))
        } else {
            Use::None
        })
    }
}

/// Returns the warning about a virtual cluster whose host does not exist any more.
fn forgotten(host: &EntityName, name: &EntityName, reason: &str) -> (String, String) {
    let inventory = format!("{INVENTORY}{name}");
    (
        format!("The virtual cluster {name} is forgotten with its host {host}"),
        format!(
            "{reason} So nothing was removed in the host. If it still exists, it keeps the namespace {name} with the virtual cluster, its volume claim {} and what is in it, and the ConfigMap {NAMESPACE}/{inventory}; then delete them (kubectl delete namespace {name}, kubectl delete configmap -n {NAMESPACE} {inventory}).",
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

fn in_use(attempt: &str, found: &str) -> Diagnostics {
    let detail =
        format!("{found} Nothing was changed. Destroy the runtimes of these products first.");
    Diagnostic::error(format!("Cannot {attempt}: products use it"), detail).into()
}

/// Returns the error of a virtual cluster that answers although its host does not.
fn alive(attempt: &str, reason: &str) -> Diagnostics {
    let detail = format!(
        "{reason} The virtual cluster itself answers, so it is not gone, and unreachable_clusters does not cover it. Nothing was changed. Make its host usable again, and destroy it then."
    );
    Diagnostic::error(format!("Cannot {attempt}"), detail).into()
}

/// Returns the error of a virtual cluster that gives no answer, and whose data the host has.
fn not_known(attempt: &str, name: &EntityName, host: &EntityName, reason: &str) -> Diagnostics {
    let claim = data_claim(name);
    let detail = format!(
        "{reason} The host {host} has its data, so it is not gone, and unreachable_clusters does not cover it. Products may have workloads in it, and their volumes would go with it. Nothing was changed. Check that its pod runs (kubectl get pods -n {name}) and that this machine reaches it at api_server. If nothing in it is needed any more, delete its data in the host and destroy again (kubectl delete statefulset -n {name} {name}, kubectl delete persistentvolumeclaim -n {name} {claim})."
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
