//! Bringing a worker and Vault to what the runtimes of a product need.
//!
//! A creation or an update contributes, makes the objects of its own, and settles; a deletion deletes the objects of its
//! own and then removes the contribution. What runtimes share is changed under the lock of their product, in this
//! process and by a `Lease` among others. Waits are outside of it.

mod check;
mod drift;
mod push_hook;
mod removal;
mod shared;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use kubernetes_apply::cluster::Detail;
use kubernetes_apply::object::{Kind, Object, ObjectError, ObjectRef};
use kubernetes_apply::ownership::{Adoption, FieldManager, Owner};
use nautes_model::{EntityName, ProductId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::waiting::waiting_for;

use super::external_secret::VaultAccess;
use super::names;
use super::registry::{Contribution, Entry, Progress, Registry, RuntimeKey, RuntimeKind};
use super::shared::{SharedContext, Transition};
use crate::client::Client;
use crate::clusters::lock::Lock;
use crate::clusters::{NAMESPACE, owner};
use crate::components::Component;
use crate::config_repo::PutMode;
use crate::diagnostics::Context as _;
use crate::lookup::Worker;

/// How long what is being deleted may take to go.
const GONE_TIMEOUT: Duration = Duration::from_secs(600);

/// The field manager of what runtimes share.
const SHARED_MANAGER: &str = "tf-nautes/derived";

/// What brings a worker and Vault to what one runtime needs.
pub(crate) struct Reconciler {
    client: Arc<Client>,
    worker: Arc<Worker>,
    runtime: RuntimeKey,
    context: SharedContext,
    /// Whether GitLab shows the group of the product. If not, things are removed and nothing is written.
    knows_product: bool,
}

impl Reconciler {
    /// Prepares the work for a runtime.
    pub(crate) async fn new(
        client: &Arc<Client>,
        worker: Arc<Worker>,
        product: ProductId,
        kind: RuntimeKind,
        name: &EntityName,
    ) -> Result<Self, Diagnostics> {
        let found = client.products()?.get(product).await?;
        let group = found.as_ref().map(|found| &found.group);
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        let product_name = text(group.map(|group| &group.path));
        let settings = client.settings();
        let vault = &settings.vault;
        let oidc = settings.oidc.as_ref();
        let facts = &worker.facts;
        let context = SharedContext {
            product,
            members: text(group.map(|group| &group.full_path)),
            groups_prefix: oidc
                .map(|oidc| oidc.groups_prefix.clone())
                .unwrap_or_default(),
            argo_cd: worker.argo_cd().to_owned(),
            vault: VaultAccess {
                server: vault.cluster_address.clone().unwrap_or_default(),
                namespace: vault.namespace.clone(),
                ca_pem: vault.ca_pem.clone(),
                auth_mount: facts.name.clone(),
                audience: facts.vault_audience.clone(),
            },
            has_hierarchies: worker.has(Component::Hnc),
            reserved_namespaces: facts.products.namespaces_of(&product_name),
            cluster_resources: facts.products.resources_of(&product_name),
        };
        Ok(Self {
            client: Arc::clone(client),
            worker,
            runtime: RuntimeKey {
                product,
                kind,
                name: name.clone(),
            },
            context,
            knows_product: found.is_some(),
        })
    }

    /// Checks that it is known who the members of the product are.
    fn require_product(&self) -> Result<(), Diagnostics> {
        if self.knows_product {
            return Ok(());
        }
        let product = self.runtime.product;
        let detail = format!(
            "GitLab has no group of {product}, or hides it from the token, so it is not known who its members are. Make the owner of the token a member of the group; if the group is gone, destroy the runtime."
        );
        Err(Diagnostic::error("The product does not exist", detail).into())
    }

    /// The worker.
    pub(crate) fn worker(&self) -> &Worker {
        &self.worker
    }

    /// How pods of the worker reach Vault.
    pub(crate) fn vault_access(&self) -> &VaultAccess {
        &self.context.vault
    }

    /// Reads what the registry records of the runtime; `None` if it has nothing in the worker.
    pub(crate) async fn entry(&self) -> Result<Option<Entry>, Diagnostics> {
        let registry = self.registry().await?;
        Ok(registry.get(&self.runtime).cloned())
    }

    /// Runs the creation of the runtime while no other run creates one of this name: the registry tells a creation that
    /// was interrupted, and not whether it still goes on.
    pub(crate) async fn create<T>(
        &self,
        work: Pin<Box<dyn Future<Output = Result<T, Diagnostics>> + Send + '_>>,
    ) -> Result<T, Diagnostics> {
        let (cluster, name) = (&self.worker.cluster, &self.worker.name);
        let attempt = self.attempt();
        let lease = self.creation_lease();
        let lock = Lock::acquire_lease(cluster, name, &lease, &attempt).await;
        let lock = lock.context(&attempt)?;
        let done = lock.run(work).await;
        lock.release().await;
        done
    }

    /// Returns how a creation writes the manifest: over that of an earlier attempt, which has not ended, if there is one.
    pub(crate) async fn creation_mode(&self) -> Result<PutMode, Diagnostics> {
        let entry = self.entry().await?;
        let is_resumed = entry.is_some_and(|entry| entry.progress == Progress::Creating);
        Ok(if is_resumed {
            PutMode::Update(None)
        } else {
            PutMode::Create
        })
    }

    fn creation_lease(&self) -> String {
        let RuntimeKey {
            product,
            kind,
            name,
        } = &self.runtime;
        names::creation_lease(*product, kind.as_str(), name.as_str())
    }

    /// Adds to what the runtimes of the product share, and waits for namespaces of the same names that are still going.
    pub(crate) async fn contribute(&self, contribution: &Contribution) -> Result<(), Diagnostics> {
        self.require_product()?;
        self.worker.forget_refresh();
        loop {
            let step = async {
                let registry = self.registry().await?;
                let runtime = &self.runtime;
                let step =
                    Transition::contribute(&registry, runtime, contribution.clone(), &self.context);
                let step = step.context(self.attempt())?;
                self.write_entry(&registry, step.before.as_ref()).await?;
                self.apply_shared(&step.apply).await
            };
            let going = self.locked(Box::pin(step)).await?;
            if going.is_empty() {
                break;
            }
            self.wait_until_gone(&going).await?;
        }
        self.wait_for_credentials(contribution).await
    }

    /// Removes what the runtime has contributed before and works without now, and completes its creation.
    pub(crate) async fn settle(&self) -> Result<(), Diagnostics> {
        let registry = self.registry().await?;
        let is_settled = registry.get(&self.runtime).is_none_or(Entry::is_settled);
        let step = Transition::settle(&registry, &self.runtime, &self.context);
        let mut step = step.context(self.attempt())?;
        if !is_settled {
            step = self.shrink(Transition::settle).await?;
        }
        let registry = registry.with(&self.runtime, step.before);
        self.write_entry(&registry, step.after.as_ref()).await
    }

    /// Takes a step after which less is needed, and waits until what nobody needs is gone.
    async fn shrink(
        &self,
        transition: impl Fn(&Registry, &RuntimeKey, &SharedContext) -> Result<Transition, ObjectError>
        + Send
        + Sync,
    ) -> Result<Transition, Diagnostics> {
        let work = async {
            let registry = self.registry().await?;
            let step = transition(&registry, &self.runtime, &self.context);
            let step = step.context(self.attempt())?;
            self.write_entry(&registry, step.before.as_ref()).await?;
            if self.knows_product {
                self.apply_shared(&step.apply).await?;
            }
            let going = self.begin_removal(&step.remove).await?;
            Ok((step, going))
        };
        let (step, going) = self.locked(Box::pin(work)).await?;
        self.wait_until_gone(&going).await?;
        Ok(step)
    }

    /// Removes what the runtime contributes, and with the last one of the product all that they share.
    ///
    /// `contribution` is what the state knows of it: it counts if the registry has lost the entry.
    pub(crate) async fn remove(&self, contribution: &Contribution) -> Result<(), Diagnostics> {
        self.worker.forget_refresh();
        let registry = self.require_all_entries(contribution).await?;
        if registry.get(&self.runtime).is_none() {
            let entry = Entry::new(Progress::Deleting, contribution.clone());
            let write = self.write_entry(&registry, Some(&entry));
            self.locked(Box::pin(write)).await?;
        }
        self.shrink(Transition::withdraw).await?;
        self.shrink(Transition::depart).await?;
        let is_last = self.locked(Box::pin(self.remove_entry())).await?;
        self.remove_lease(&self.creation_lease()).await?;
        if is_last {
            self.remove_lease(&names::registry(self.runtime.product))
                .await?;
        }
        Ok(())
    }

    /// Applies an object that belongs to the runtime alone, if it differs from what the worker has.
    pub(crate) async fn apply(&self, object: Object) -> Result<Object, Diagnostics> {
        let object = super::mark(object, &self.runtime);
        let attempt = self.attempt();
        let owner = owner().context(&attempt)?;
        self.worker.forget_refresh();
        let applied = self.worker.cluster.apply(&object, &owner, &Adoption::Never);
        applied.await.context(&attempt)
    }

    /// Checks that an object belongs to the runtime alone.
    pub(crate) fn require_own(&self, found: &Object) -> Result<(), Diagnostics> {
        let mark = found.annotation(super::OWNER_ANNOTATION);
        if mark == Some(self.runtime.to_string().as_str()) {
            return Ok(());
        }
        let of = mark.unwrap_or("nobody that is known");
        let detail = format!(
            "The {} in the cluster {} belongs to {of}, by its annotation {}. It was not deleted. If it is left from this runtime, delete it by hand.",
            found.reference(),
            self.worker.name,
            super::OWNER_ANNOTATION
        );
        Err(Diagnostic::error(format!("Cannot {}", self.attempt()), detail).into())
    }

    /// Deletes an object that belongs to the runtime alone, and waits until it is gone.
    pub(crate) async fn delete(&self, kind: &Kind, object: &ObjectRef) -> Result<(), Diagnostics> {
        let attempt = self.attempt();
        let owner = owner().context(&attempt)?;
        let cluster = &self.worker.cluster;
        let namespace = object.namespace.as_deref();
        let found = cluster
            .find(kind, namespace, &object.name, Detail::Metadata)
            .await
            .context(&attempt)?;
        let Some(found) = found else { return Ok(()) };
        self.require_own(&found)?;
        self.worker.forget_refresh();
        let uid = found.uid().unwrap_or_default();
        let text = object.to_string();
        let _waiting = waiting_for(move || format!("the {text} to go"));
        let deleted = cluster.delete_own(object, uid, &owner, GONE_TIMEOUT).await;
        deleted.context(&attempt)
    }

    /// Runs work under the lock of what the runtimes of the product share.
    async fn locked<T>(
        &self,
        work: Pin<Box<dyn Future<Output = Result<T, Diagnostics>> + Send + '_>>,
    ) -> Result<T, Diagnostics> {
        let process = self.worker.product_lock(self.runtime.product);
        let _process = process.lock().await;
        let (cluster, name) = (&self.worker.cluster, &self.worker.name);
        let lease = names::registry(self.runtime.product);
        let attempt = self.attempt();
        let lock = Lock::acquire_lease(cluster, name, &lease, &attempt).await;
        let lock = lock.context(&attempt)?;
        let done = lock.run(work).await;
        lock.release().await;
        done
    }

    /// Reads the registry as it is now.
    async fn registry(&self) -> Result<Registry, Diagnostics> {
        let name = names::registry(self.runtime.product);
        let kind = Kind::new("v1", "ConfigMap");
        let found = self
            .worker
            .cluster
            .find(&kind, Some(NAMESPACE), &name, Detail::Full)
            .await
            .context(self.attempt())?;
        let registry = found.as_ref().map(Registry::parse).transpose();
        Ok(registry.context(self.attempt())?.unwrap_or_default())
    }

    /// Writes the entry of the runtime, unless the registry has it.
    async fn write_entry(
        &self,
        registry: &Registry,
        entry: Option<&Entry>,
    ) -> Result<(), Diagnostics> {
        if registry.get(&self.runtime) == entry {
            return Ok(());
        }
        let attempt = self.attempt();
        let object = self.runtime.config_map(entry).context(&attempt)?;
        let owner = Owner {
            field_manager: self.runtime.field_manager().context(&attempt)?,
            ..owner().context(&attempt)?
        };
        let applied = self.worker.cluster.apply(&object, &owner, &Adoption::Never);
        applied.await.context(&attempt).map(drop)
    }

    /// The owner of what runtimes share.
    fn shared_owner(&self) -> Result<Owner, Diagnostics> {
        let attempt = self.attempt();
        Ok(Owner {
            field_manager: FieldManager::new(SHARED_MANAGER).context(&attempt)?,
            ..owner().context(&attempt)?
        })
    }

    fn attempt(&self) -> String {
        format!(
            "reconcile the {} runtime {} of {} in the cluster {}",
            self.runtime.kind.as_str(),
            self.runtime.name,
            self.runtime.product,
            self.worker.name
        )
    }
}
