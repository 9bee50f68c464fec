//! Removing what the runtimes of a product shared.

use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::{Kind, Object, ObjectRef};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::waiting::waiting_for;

use super::{GONE_TIMEOUT, Reconciler};
use crate::clusters::{NAMESPACE, PRODUCT_LABEL, owner};
use crate::diagnostics::Context as _;
use crate::runtime::names;
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

    /// Removes the entry of the runtime, and the registry with the last one.
    pub(super) async fn remove_entry(&self) -> Result<(), Diagnostics> {
        let attempt = self.attempt();
        let registry = self.registry().await?;
        self.write_entry(&registry, None).await?;
        if !registry.with(&self.runtime, None).is_empty() {
            return Ok(());
        }
        let (kind, name) = (
            Kind::new("v1", "ConfigMap"),
            names::registry(self.runtime.product),
        );
        let cluster = &self.worker.cluster;
        let found = cluster.find(&kind, Some(NAMESPACE), &name, Detail::Metadata);
        let found = found.await.context(&attempt)?;
        let Some(found) = found else { return Ok(()) };
        let uid = found.uid().unwrap_or_default();
        let owner = owner().context(&attempt)?;
        let deleted = cluster.delete_own(found.reference(), uid, &owner, GONE_TIMEOUT);
        deleted.await.context(&attempt)
    }
}
