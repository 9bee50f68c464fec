//! The names of the objects that a set-up writes, which nobody else may have.

use futures_util::future::join_all;
use kubernetes_apply::apply::{ApplyError, ApplyFailure};
use kubernetes_apply::apply_set::{ApplyOptions, ApplySet, ApplySetError};
use kubernetes_apply::object::{Object, ObjectError};
use kubernetes_apply::ownership::Adoption;
use serde_json::json;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::runtime_access::{runtime_access, runtime_set};
use super::setup::{Setup, base_objects, base_set, has_own_account};
use crate::clusters::{
    CLUSTER_LEASE, NAMESPACE, OWN_ACCOUNT, REVIEWER_ACCOUNT, RUNTIME_ACCOUNT, TokenAccount,
    own_account, own_namespace, owner,
};
use crate::diagnostics::Context as _;
use crate::error_chain::error_chain;

impl Setup<'_> {
    /// Requires that no object that the set-up writes, besides those of components, is somebody else's. Nothing is
    /// written.
    pub(super) async fn require_free_names(&self) -> Result<(), Diagnostics> {
        let attempt = self.attempt();
        let cluster = &self.connection.cluster;
        let owner = owner().context(&attempt)?;
        let objects = self.single_objects().context(&attempt)?;
        let look_ups = objects
            .iter()
            .map(|object| cluster.check_apply(object, &owner, &Adoption::Never));
        let mut errors = Vec::new();
        for checked in join_all(look_ups).await {
            errors.extend(checked.err());
        }
        let base = base_objects(cluster, self.planned, &attempt).await?;
        errors.extend(check_set(&base_set(cluster)?, base, &attempt).await?);
        if self.is_worker() {
            let access = runtime_access(self.client, cluster, self.planned).await;
            let rights = access.context(&attempt)?.objects().context(&attempt)?;
            errors.extend(check_set(&runtime_set(cluster)?, rights, &attempt).await?);
        }
        let mut foreign = Vec::new();
        for ApplyError { object, reason } in errors {
            match &reason {
                ApplyFailure::Foreign(why) => {
                    foreign.push(format!("\n  - {object}: {}", error_chain(why)));
                }
                _ => return Err(ApplyError { object, reason }).context(&attempt),
            }
        }
        if foreign.is_empty() {
            return Ok(());
        }
        let label = &owner.label;
        let detail = format!(
            "Objects have names that this provider needs, and nothing shows that it made them:{}\n\nNothing was changed. Remove or rename these objects, then apply again. If the provider made one of them and its label was lost, put it back: kubectl label KIND NAME {}={}.",
            foreign.concat(),
            label.key(),
            label.value()
        );
        let summary = format!("Cannot {attempt}: others have objects of these names");
        Err(Diagnostic::error(summary, detail).into())
    }

    /// Returns the objects that belong to no set, with no more content than their names need.
    fn single_objects(&self) -> Result<Vec<Object>, ObjectError> {
        let mut objects = vec![own_namespace()?, self.facts(None).object()?];
        objects.push(Object::new(json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "namespace": NAMESPACE, "name": CLUSTER_LEASE },
        }))?);
        let mut accounts: Vec<&TokenAccount> = Vec::new();
        if has_own_account(self.planned) {
            objects.extend(own_account("")?);
            accounts.push(&OWN_ACCOUNT);
        }
        if self.is_worker() {
            accounts.extend([&REVIEWER_ACCOUNT, &RUNTIME_ACCOUNT]);
        }
        for account in accounts {
            for name in account.secrets {
                objects.push(account.secret(name)?);
            }
        }
        Ok(objects)
    }
}

/// Checks the objects of a set and its inventory, and returns which objects cannot be applied.
async fn check_set(
    set: &ApplySet<'_>,
    objects: Vec<Object>,
    attempt: &str,
) -> Result<Vec<ApplyError>, Diagnostics> {
    set.inventory().await.context(attempt)?;
    match set.check(objects, &ApplyOptions::default()).await {
        Err(ApplySetError::Objects(errors)) => Ok(errors),
        checked => checked.map(|()| Vec::new()).context(attempt),
    }
}
