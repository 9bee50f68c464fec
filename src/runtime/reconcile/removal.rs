//! Removing what the runtimes of a product shared.

use std::collections::BTreeSet;

use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::{Kind, Object, ObjectRef};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::waiting::waiting_for;

use super::{GONE_TIMEOUT, Reconciler};
use crate::clusters::{NAMESPACE, PRODUCT_LABEL, owner};
use crate::diagnostics::Context as _;
use crate::runtime::names;
use crate::runtime::registry::{Contribution, Registry};
use crate::runtime::shared::Shared;

/// An object that is being deleted.
pub(super) struct Going {
    pub(super) object: ObjectRef,
    pub(super) uid: String,
}

impl Reconciler {
    /// Begins to delete objects and deletes roles, in reverse order; returns what is still going.
    ///
    /// An object that does not carry the product's label is not the product's any more, and stays.
    pub(super) async fn begin_removal(&self, shared: &Shared) -> Result<Vec<Going>, Diagnostics> {
        let attempt = self.attempt();
        let owner = owner().context(&attempt)?;
        let product = self.runtime.product.to_string();
        self.delete_hooks(&shared.hooks).await?;
        if let Some(policy) = &shared.policy {
            self.write_policy(&policy.key, None).await?;
        }
        let mut going = Vec::new();
        for object in shared.objects.iter().rev() {
            let Some(live) = self.find(object).await? else {
                continue;
            };
            if live.label(PRODUCT_LABEL) != Some(&product) || !owner.label.is_on(&live) {
                tracing::warn!(object = %object.reference(), "left in the cluster, since it is not the product's any more");
                continue;
            }
            let uid = live.uid().unwrap_or_default().to_owned();
            let reference = object.reference().clone();
            let cluster = &self.worker.cluster;
            let begun = cluster.begin_deletion(&reference, &uid, &owner).await;
            begun.context(&attempt)?;
            going.push(Going {
                object: reference,
                uid,
            });
        }
        let (vault, mount) = (self.client.vault()?, &self.context.vault.auth_mount);
        for name in shared.roles.keys() {
            let deleted = vault.delete_kubernetes_role(mount, name).await;
            deleted.with_context(|| format!("delete the role {name} of auth/{mount} in Vault"))?;
        }
        Ok(going)
    }

    /// Refuses to remove what runtimes share while the product has namespaces that no entry of the registry explains:
    /// then the entry of another runtime is lost, and what it needs would go.
    ///
    /// An entry is there before its namespaces and goes after them, so the registry is read after the namespaces, and a
    /// namespace without an entry is asked for again. Returns the registry.
    pub(super) async fn require_all_entries(
        &self,
        contribution: &Contribution,
    ) -> Result<Registry, Diagnostics> {
        let attempt = self.attempt();
        let product = self.runtime.product.to_string();
        let selector = format!("{PRODUCT_LABEL}={product}");
        let kind = Kind::new("v1", "Namespace");
        let cluster = &self.worker.cluster;
        let namespaces = cluster.list(&kind, None, &selector, Detail::Metadata).await;
        let namespaces = namespaces.context(&attempt)?;
        let registry = self.registry().await?;
        let all = registry.with_all_needed();
        let known: BTreeSet<&str> = all
            .needed()
            .chain([contribution])
            .flat_map(|needed| &needed.spaces)
            .map(String::as_str)
            .chain([product.as_str()])
            .collect();
        let ours = &owner().context(&attempt)?.label;
        let mut unexplained = Vec::new();
        for found in namespaces.iter().filter(|found| ours.is_on(found)) {
            let name = found.reference().name.as_str();
            if !known.contains(name)
                && let Some(still) = self.find_namespace(name).await?
                && !still.is_terminating()
            {
                unexplained.push(name);
            }
        }
        if unexplained.is_empty() {
            return Ok(registry);
        }
        let detail = format!(
            "{product} has namespaces in the cluster {} that none of its runtimes is recorded to use (ConfigMap {NAMESPACE}/{}): {}. So what other runtimes need is not known, and nothing was removed. Apply the other runtimes of {product}, which records them again; a namespace that nobody uses any more is deleted by hand.",
            self.worker.name,
            names::registry(self.runtime.product),
            unexplained.join(", ")
        );
        Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into())
    }

    async fn find(&self, object: &Object) -> Result<Option<Object>, Diagnostics> {
        let reference = object.reference();
        let (kind, namespace) = (object.kind(), reference.namespace.as_deref());
        let cluster = &self.worker.cluster;
        let found = cluster.find(&kind, namespace, &reference.name, Detail::Metadata);
        found.await.context(self.attempt())
    }

    /// Waits until objects are gone that are being deleted.
    pub(super) async fn wait_until_gone(&self, going: &[Going]) -> Result<(), Diagnostics> {
        for Going { object, uid } in going {
            let text = object.to_string();
            let _waiting = waiting_for(move || format!("the {text} to go"));
            let cluster = &self.worker.cluster;
            let gone = cluster.wait_for_deletion(object, uid, GONE_TIMEOUT).await;
            gone.context(self.attempt())?;
        }
        Ok(())
    }

    /// Removes a `Lease` that nobody holds.
    pub(super) async fn remove_lease(&self, name: &str) -> Result<(), Diagnostics> {
        let attempt = self.attempt();
        let kind = Kind::new("coordination.k8s.io/v1", "Lease");
        let cluster = &self.worker.cluster;
        let found = cluster
            .find(&kind, Some(NAMESPACE), name, Detail::Full)
            .await
            .context(&attempt)?;
        let is_held = |lease: &Object| {
            let holder = lease.text("/spec/holderIdentity");
            holder.is_some_and(|holder| !holder.is_empty())
        };
        let Some(found) = found.filter(|found| !is_held(found)) else {
            return Ok(());
        };
        let uid = found.uid().unwrap_or_default();
        let owner = owner().context(&attempt)?;
        let begun = cluster.begin_deletion(found.reference(), uid, &owner).await;
        begun.context(&attempt)
    }

    /// Removes the entry of the runtime, and the registry with the last one. Returns whether it was the last one.
    pub(super) async fn remove_entry(&self) -> Result<bool, Diagnostics> {
        let attempt = self.attempt();
        let registry = self.registry().await?;
        if !registry.with(&self.runtime, None).is_empty() {
            self.write_entry(&registry, None).await?;
            return Ok(false);
        }
        // The last entry goes together with the registry: a refresh takes a runtime without an entry for gone.
        let (kind, name) = (
            Kind::new("v1", "ConfigMap"),
            names::registry(self.runtime.product),
        );
        let cluster = &self.worker.cluster;
        let found = cluster.find(&kind, Some(NAMESPACE), &name, Detail::Metadata);
        let found = found.await.context(&attempt)?;
        let Some(found) = found else {
            return Ok(true);
        };
        let uid = found.uid().unwrap_or_default();
        let owner = owner().context(&attempt)?;
        let deleted = cluster.delete_own(found.reference(), uid, &owner, GONE_TIMEOUT);
        deleted.await.context(&attempt).map(|()| true)
    }
}
