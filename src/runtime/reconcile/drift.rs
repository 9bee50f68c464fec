//! What a refresh finds of a runtime in a worker and in Vault.

use kubernetes_apply::live_objects::LiveObjects;
use kubernetes_apply::object::Object;

use terraform_plugin::diagnostics::Diagnostics;

use super::Reconciler;
use super::shared::data;
use crate::clusters::owner;
use crate::diagnostics::Context as _;
use crate::runtime::mark;
use crate::runtime::registry::{Contribution, Entry, Progress, Registry};
use crate::runtime::shared::{RBAC_CONFIG_MAP, Shared};

impl Reconciler {
    /// Describes what differs from what a runtime that contributes this needs, and from the objects of its own.
    ///
    /// Of what runtimes share it describes what this one contributes to. It takes no lock.
    pub(crate) async fn drift(
        &self,
        contribution: &Contribution,
        own: Vec<Object>,
    ) -> Result<Vec<String>, Diagnostics> {
        self.require_product()?;
        let attempt = self.attempt();
        let mut drift = Vec::new();
        let registry = self.registry().await?;
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

        let shared_owner = self.comparing_owner()?;
        let live = LiveObjects::new(&self.worker.cluster, &shared_owner.label);
        let live = live.with_listings(self.worker.listings());
        let own_owner = owner().context(&attempt)?;
        let own = own.into_iter().map(|object| mark(object, &self.runtime));
        let own: Vec<Object> = own.collect();
        let shared = wanted.objects.iter().map(|object| (object, &shared_owner));
        for (object, owner) in shared.chain(own.iter().map(|object| (object, &own_owner))) {
            let found = live.compare(object, owner).await.context(&attempt)?;
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
            let config_map = self.find_rbac().await?;
            let found = config_map
                .as_ref()
                .and_then(|found| data(found, &policy.key));
            if found != Some(&policy.text) {
                drift.push(format!(
                    "ConfigMap {}/{RBAC_CONFIG_MAP} /data/{} has changed",
                    self.worker.argo_cd(),
                    policy.key
                ));
            }
        }
        Ok(drift)
    }
}
