//! The credential with which runtimes are made: its account and rights in the cluster, and its kubeconfig in Vault.

use std::collections::BTreeSet;
use std::time::Duration;

use kubernetes_apply::apply_set::{ApplySet, DeleteOptions, Kept};
use kubernetes_apply::cluster::{ApiError, Cluster, Detail, DiscoveryError};
use kubernetes_apply::object::Kind;
use nautes_model::EntityName;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::waiting::waiting_for;
use url::{Host, Url};

use super::model::ClusterModel;
use super::setup::{Setup, apply_changed, object_set, warnings_of_kept};
use super::stored::ClusterSecrets;
use super::tokens::Tokens;
use crate::client::Client;
use crate::clusters::runtime::{AllowedResource, POLICY, RuntimeAccess, policy_probe};
use crate::clusters::{RUNTIME_ACCOUNT, owner};
use crate::components::Component;
use crate::diagnostics::Context as _;

/// How long the admission policy may take to act.
const POLICY_TIMEOUT: Duration = Duration::from_secs(60);

/// How often it is tried whether it acts.
const POLICY_INTERVAL: Duration = Duration::from_millis(500);

/// What makes the credential.
pub(super) struct RuntimeCredential<'a> {
    pub(super) setup: &'a Setup<'a>,
    pub(super) cluster: &'a Cluster,
}

/// Returns the set with the rights of runtimes.
pub(super) fn runtime_set(cluster: &Cluster) -> Result<ApplySet<'_>, Diagnostics> {
    object_set(cluster, "nautes-runtime-access")
}

/// Reads from a cluster what the rights of runtimes depend on.
pub(super) async fn runtime_access(
    client: &Client,
    cluster: &Cluster,
    model: &ClusterModel,
) -> Result<RuntimeAccess, ApiError> {
    let kind = Kind::new(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
    );
    let has_policies = match cluster.resource(&kind).await {
        Ok(_) => true,
        Err(DiscoveryError::NotServed { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    let slot = model.components.as_ref();
    let slot = slot.and_then(|components| components.deployment.as_ref());
    let argo_cd = slot.and_then(|slot| slot.slot.namespace.clone());
    let argo_cd = argo_cd.unwrap_or_else(|| Component::ArgoCd.namespace().to_owned());
    let mut existing = BTreeSet::new();
    for namespace in [argo_cd.as_str(), Component::ArgoEvents.namespace()] {
        let kind = Kind::new("v1", "Namespace");
        let found = cluster
            .find(&kind, None, namespace, Detail::Metadata)
            .await?;
        if found.is_some_and(|found| !found.is_terminating()) {
            existing.insert(namespace.to_owned());
        }
    }
    let resources = model.product_allowed_cluster_resources.iter().flatten();
    let resources = resources
        .flat_map(|(_, listed)| listed)
        .map(|resource| AllowedResource {
            group: resource.group.clone(),
            kind: resource.kind.clone(),
            name: resource.name.clone().unwrap_or_default(),
        });
    let reserved = model.reserved_namespaces_allowed_products.iter().flatten();
    let vault = &client.settings().vault;
    Ok(RuntimeAccess {
        auth_mount: model.name.clone(),
        vault_address: vault.cluster_address.clone().unwrap_or_default(),
        vault_namespace: vault.namespace.clone(),
        argo_cd,
        existing,
        has_policies,
        cluster_resources: resources.collect(),
        reserved_namespaces: reserved.map(|(namespace, _)| namespace.clone()).collect(),
    })
}

impl RuntimeCredential<'_> {
    /// Makes the account and its rights, and puts its credential into Vault when the admission policy limits it.
    /// Returns warnings.
    pub(super) async fn ensure(&self) -> Result<Vec<(String, String)>, Diagnostics> {
        let Setup { client, name, .. } = self.setup;
        let attempt = format!("set up the account of runtimes in the cluster {name}");
        let access = runtime_access(client, self.cluster, self.setup.planned).await;
        let access = access.context(&attempt)?;
        let objects = access.objects().context(&attempt)?;
        let set = runtime_set(self.cluster)?;
        let kept = apply_changed(self.cluster, &set, objects, &attempt).await?;
        let mut warnings = warnings_of_kept(name, &kept);

        let secrets = ClusterSecrets::new(client, name)?;
        let stored = secrets.runtime().read().await?;
        let tokens = Tokens {
            cluster: self.cluster,
            cluster_name: name,
            account: &RUNTIME_ACCOUNT,
        };
        let current = tokens
            .ensure(self.setup.rotate_after, |token| {
                stored.as_ref().is_some_and(|stored| stored.holds(token))
            })
            .await?;
        if current.is_new {
            let verb = "use the service account of runtimes";
            let runtime = self.setup.connect_with(&current.token, verb)?;
            self.setup.prove(&runtime, verb).await?;
            if access.has_policies {
                self.prove_policy(&runtime, &attempt).await?;
            }
        }
        let kubeconfig = self.setup.kubeconfig(&current.token);
        let uid = &self.setup.connection.uid;
        secrets.runtime().write(&kubeconfig, uid).await?;
        tokens.remove_others(current.secret).await?;
        if !access.has_policies {
            warnings.push(no_policies(name));
        }
        let components = &self.setup.components.components;
        let secrets = components.get(Component::ExternalSecrets.name());
        let is_installed = secrets.is_some_and(|fact| fact.version.is_some());
        if current.is_new && is_installed && is_loopback(&access.vault_address) {
            warnings.push(unreachable_vault(name, &access.vault_address));
        }
        Ok(warnings)
    }

    /// Waits until the admission policy refuses to the account what RBAC allows.
    async fn prove_policy(&self, runtime: &Cluster, attempt: &str) -> Result<(), Diagnostics> {
        let _waiting = waiting_for(|| format!("the ValidatingAdmissionPolicy {POLICY} to act"));
        let probe = policy_probe().context(attempt)?;
        let owner = owner().context(attempt)?;
        let deadline = tokio::time::Instant::now() + POLICY_TIMEOUT;
        loop {
            let answer = runtime.dry_run(&probe, &owner.field_manager).await;
            let found = match answer {
                Ok(_) => "it was allowed what the policy refuses".to_owned(),
                Err(error) if is_refused_by_policy(&error) => return Ok(()),
                // Roles, too, take a moment to act.
                Err(error)
                    if error
                        .call()
                        .is_some_and(|call| call.is_refused_for("Forbidden")) =>
                {
                    "it has no rights yet".to_owned()
                }
                Err(error) => return Err(error).context(attempt),
            };
            if tokio::time::Instant::now() >= deadline {
                let detail = format!(
                    "The ValidatingAdmissionPolicy {POLICY} does not limit the service account {}/{}: {found} for {} s. Its credential was not put into Vault. Look at the status of the policy (kubectl describe validatingadmissionpolicy {POLICY}), then apply again.",
                    RUNTIME_ACCOUNT.namespace,
                    RUNTIME_ACCOUNT.name,
                    POLICY_TIMEOUT.as_secs()
                );
                return Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into());
            }
            tokio::time::sleep(POLICY_INTERVAL).await;
        }
    }
}

fn is_refused_by_policy(error: &ApiError) -> bool {
    let status = error.call().and_then(|call| call.status());
    let message = status.and_then(|status| status.json().get("message")?.as_str());
    message
        .is_some_and(|message| message.contains(&format!("ValidatingAdmissionPolicy '{POLICY}'")))
}

/// Whether an address leads every machine to itself.
fn is_loopback(address: &str) -> bool {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(Url::host);
    host.is_some_and(|host| match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    })
}

fn unreachable_vault(name: &EntityName, address: &str) -> (String, String) {
    (
        format!("Pods of the cluster {name} cannot reach Vault"),
        format!(
            "They are to read secrets from {address}, which leads every machine to itself. Set the provider argument vault.cluster_address to the address by which pods reach Vault (environment: NAUTES_VAULT_CLUSTER_ADDRESS)."
        ),
    )
}

fn no_policies(name: &EntityName) -> (String, String) {
    (
        format!("The account of runtimes in the cluster {name} is limited by RBAC alone"),
        format!(
            "The cluster has no ValidatingAdmissionPolicy, which Kubernetes has from version 1.30 on. Without it the credential at cluster/kubernetes/{name}/default/runtime can give itself all rights in the cluster: guard it like that of an administrator, or upgrade the cluster and apply again."
        ),
    )
}

/// Removes the credential from Vault, then its tokens, then its rights, and at last what limits them. Returns what stays
/// in the cluster, and a warning of a policy that stays in Vault.
pub(super) async fn remove(
    secrets: &ClusterSecrets<'_>,
    uid: Option<&str>,
    cluster: &Cluster,
    name: &EntityName,
) -> Result<(Vec<Kept>, Option<(String, String)>), Diagnostics> {
    let policy = secrets.runtime().delete(uid).await?;
    let tokens = Tokens {
        cluster,
        cluster_name: name,
        account: &RUNTIME_ACCOUNT,
    };
    tokens.remove_all().await?;
    let deleted = runtime_set(cluster)?
        .delete(&DeleteOptions::default())
        .await;
    let deleted = deleted
        .with_context(|| format!("remove the account of runtimes from the cluster {name}"))?;
    Ok((deleted.kept, policy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_leads_every_machine_to_itself_is_known() {
        for address in [
            "http://127.0.0.1:8200",
            "https://localhost",
            "https://[::1]:8200",
        ] {
            assert!(is_loopback(address), "{address}");
        }
        for address in ["https://vault.example.com", "https://10.0.0.1:8200", ""] {
            assert!(!is_loopback(address), "{address}");
        }
    }
}
