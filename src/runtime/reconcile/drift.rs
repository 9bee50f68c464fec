//! What a refresh finds of a runtime in a worker and in Vault.

use std::sync::Arc;

use kubernetes_apply::live_objects::LiveObjects;
use kubernetes_apply::object::Object;

use super::Reconciler;
use super::shared::{data, is_deployed_too};
use crate::clusters::{ARGO_CD_RBAC, owner};
use crate::diagnostics::Context as _;
use crate::lookup::WorkerError;
use crate::runtime::registry::{Contribution, Entry, Progress, Registry};
use crate::runtime::shared::Shared;
use crate::runtime::{mark, names};

impl Reconciler {
    /// Describes what differs from what a runtime that contributes this needs, and from the objects of its own.
    ///
    /// Of what runtimes share it describes what this one contributes to. It takes no lock.
    pub(crate) async fn drift(
        &self,
        contribution: &Contribution,
        own: Vec<Object>,
    ) -> Result<Vec<String>, WorkerError> {
        self.require_product()?;
        let attempt = self.attempt();
        let mut drift = Vec::new();
        let name = names::registry(self.runtime.product);
        let found = self.worker.find_registry(&name).await;
        let found =
            found.map_err(|error| WorkerError::from_api(&self.worker.name, error, &attempt))?;
        let registry = found.as_ref().map(Registry::parse).transpose();
        let registry = registry.context(&attempt)?.unwrap_or_default();
        let wanted = Entry::new(Progress::Complete, contribution.clone());
        match registry.get(&self.runtime) {
            Some(entry) if *entry == wanted => {}
            Some(entry) if entry.progress == Progress::Deleting => {
                drift.push("its destroy was interrupted".to_owned());
            }
            Some(_) => drift.push(
                "an update of it was interrupted, or its registry entry has changed".to_owned(),
            ),
            None => drift.push("its registry entry is gone".to_owned()),
        }
        let all = registry.with(&self.runtime, Some(wanted.clone()));
        let alone = Registry::default().with(&self.runtime, Some(wanted));
        let all = Shared::derive(&all, &self.context).context(&attempt)?;
        let alone = Shared::derive(&alone, &self.context).context(&attempt)?;
        let wanted = all.only(&alone);

        let shared_owner = self.shared_owner()?;
        let live = LiveObjects::new(&self.worker.cluster, &shared_owner.label);
        let live = live.with_listings(Arc::clone(&self.worker.refresh().listings));
        let own_owner = owner().context(&attempt)?;
        let own = own.into_iter().map(|object| mark(object, &self.runtime));
        let own: Vec<Object> = own.collect();
        let shared = wanted.objects.iter().map(|object| (object, &shared_owner));
        for (object, owner) in shared.chain(own.iter().map(|object| (object, &own_owner))) {
            let found = live.compare(object, owner).await.context(&attempt)?;
            let is_namespace = object.reference().kind.is("", "Namespace");
            let found = found.filter(|found| !is_namespace || !is_deployed_too(found));
            drift.extend(found.map(|found| format!("{} {found}", object.reference())));
        }
        let mount = &self.context.vault.auth_mount;
        for (name, role) in &wanted.roles {
            match self.read_role(name).await? {
                Some(found) if found == *role => {}
                Some(_) => drift.push(format!(
                    "the role {name} of auth/{mount} in Vault has changed"
                )),
                None => drift.push(format!("the role {name} of auth/{mount} in Vault is gone")),
            }
        }
        if let Some(policy) = &wanted.policy {
            let config_map = self.worker.argo_cd_rights().await.context(&attempt)?;
            let found = config_map
                .as_ref()
                .and_then(|found| data(found, &policy.key));
            if found != Some(&policy.text) {
                drift.push(format!(
                    "ConfigMap {}/{ARGO_CD_RBAC} /data/{} has changed",
                    self.worker.argo_cd(),
                    policy.key
                ));
            }
        }
        drift.extend(self.hook_drift(&wanted.hooks).await?);
        Ok(drift)
    }
}
