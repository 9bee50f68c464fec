//! The workers in which this process makes runtimes. They are called with the credential of runtimes, which is in Vault.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use kubernetes_apply::cluster::{ApiError, Cluster, Detail, IdentityError};
use kubernetes_apply::connection::{Access, ExecPlugins, Limits};
use kubernetes_apply::live_objects::Listings;
use kubernetes_apply::object::{Kind, Object};
use nautes_model::vault::{CLUSTER_UID, ClusterSecret, KUBECONFIG, SecretPath};
use nautes_model::{EntityName, ProductId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use crate::backends::vault::Vault;
use crate::clusters::{ARGO_CD_RBAC, FACTS, Facts, NAMESPACE, PRODUCT_LABEL};
use crate::components::Component;
use crate::diagnostics::{Context as _, Explain as _, is_unreachable};
use crate::error_chain::sentence;
use crate::secret::ExposeSecret as _;

/// The workers that this process has connected to.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    known: Mutex<HashMap<EntityName, Arc<Known>>>,
}

#[derive(Default)]
struct Known {
    /// Kept when the cluster does not answer, so that all callers wait for it once.
    connection: OnceCell<Connection>,
    worker: OnceCell<Arc<Worker>>,
}

struct Connection {
    cluster: Arc<Cluster>,
    uid: String,
}

/// A worker, as the credential of runtimes sees it.
pub(crate) struct Worker {
    pub(crate) name: EntityName,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) facts: Facts,
    refresh: Mutex<Arc<Refresh>>,
    locks: Mutex<HashMap<ProductId, Arc<AsyncMutex<()>>>>,
}

/// What the refreshes of this process have read of a worker, each once.
#[derive(Default)]
pub(crate) struct Refresh {
    pub(crate) listings: Arc<Listings>,
    /// The registries of products by name.
    registries: OnceCell<HashMap<String, Object>>,
    /// The rights in Argo CD.
    argo_cd_rights: OnceCell<Option<Object>>,
}

/// A worker cannot be used.
#[derive(Debug)]
pub(crate) enum WorkerError {
    /// It gives no answer.
    Unreachable { name: EntityName, error: ApiError },
    /// Anything else.
    Failed(Diagnostics),
}

impl Workers {
    /// Connects to a worker; concurrent callers share one look-up.
    ///
    /// The cluster that answers must be the one of which Vault has the credential.
    pub(crate) async fn get(
        &self,
        vault: &Vault,
        name: &EntityName,
    ) -> Result<Arc<Worker>, WorkerError> {
        let known = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(name.clone()).or_default())
        };
        let connect = || connect(vault, name);
        let connection = known.connection.get_or_try_init(connect).await?;
        let worker = known
            .worker
            .get_or_try_init(|| read_worker(connection, name));
        worker.await.cloned()
    }
}

impl Worker {
    /// Returns the namespace of Argo CD.
    pub(crate) fn argo_cd(&self) -> &str {
        self.namespace_of(Component::ArgoCd)
    }

    /// Returns the namespace of a component.
    pub(crate) fn namespace_of(&self, component: Component) -> &str {
        let fact = self.facts.components.components.get(component.name());
        fact.map_or_else(|| component.namespace(), |fact| &fact.namespace)
    }

    /// Whether the worker has a component.
    pub(crate) fn has(&self, component: Component) -> bool {
        let components = &self.facts.components.components;
        components.contains_key(component.name())
    }

    /// Returns what refreshes of this process have read so far.
    pub(crate) fn refresh(&self) -> Arc<Refresh> {
        let refresh = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&refresh)
    }

    /// Forgets what refreshes have read, since objects are about to change.
    pub(crate) fn forget_refresh(&self) {
        let mut refresh = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        *refresh = Arc::default();
    }

    /// Returns the registry of a product, by its name; all of them are listed once for all refreshes.
    pub(crate) async fn find_registry(&self, name: &str) -> Result<Option<Object>, ApiError> {
        let list = || async {
            let kind = Kind::new("v1", "ConfigMap");
            let listed = self
                .cluster
                .list(&kind, Some(NAMESPACE), PRODUCT_LABEL, Detail::Full)
                .await?;
            let named = listed
                .into_iter()
                .map(|found| (found.reference().name.clone(), found));
            Ok::<_, ApiError>(named.collect())
        };
        let refresh = self.refresh();
        let registries: &HashMap<String, Object> = refresh.registries.get_or_try_init(list).await?;
        Ok(registries.get(name).cloned())
    }

    /// Returns the rights in Argo CD, read once for all refreshes.
    pub(crate) async fn argo_cd_rights(&self) -> Result<Option<Object>, ApiError> {
        let refresh = self.refresh();
        let rights = refresh
            .argo_cd_rights
            .get_or_try_init(|| self.read_argo_cd_rights());
        rights.await.cloned()
    }

    /// Reads the rights in Argo CD; `None` if it is not there.
    pub(crate) async fn read_argo_cd_rights(&self) -> Result<Option<Object>, ApiError> {
        let kind = Kind::new("v1", "ConfigMap");
        let namespace = Some(self.argo_cd());
        let found = self
            .cluster
            .find(&kind, namespace, ARGO_CD_RBAC, Detail::Full);
        found.await
    }

    /// Returns the lock of what the runtimes of a product share, among the requests of this process.
    pub(crate) fn product_lock(&self, product: ProductId) -> Arc<AsyncMutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(product).or_default())
    }
}

async fn connect(vault: &Vault, name: &EntityName) -> Result<Connection, WorkerError> {
    let attempt = format!("use the credential of runtimes in the cluster {name}");
    let path = SecretPath::for_cluster(name, ClusterSecret::Runtime)
        .ok_or_else(|| no_credential(name, "its name has characters that no cluster's has"))?;
    let stored = vault.read_secret(&path).await;
    let stored = stored.with_context(|| format!("read the secret {path}"))?;
    let values = stored.map(|stored| stored.values);
    let value = |key: &str| values.as_ref().and_then(|values| values.get(key));
    let (Some(kubeconfig), Some(uid)) = (value(KUBECONFIG), value(CLUSTER_UID)) else {
        let reason = format!("Vault has no credential for runtimes at {path}");
        return Err(no_credential(name, &reason).into());
    };
    let access = Access::parse(kubeconfig.expose_secret(), None, ExecPlugins::Refused);
    let cluster = Cluster::new(&access.context(&attempt)?, Limits::default());
    Ok(Connection {
        cluster: Arc::new(cluster.context(&attempt)?),
        uid: uid.expose_secret().to_owned(),
    })
}

async fn read_worker(
    connection: &Connection,
    name: &EntityName,
) -> Result<Arc<Worker>, WorkerError> {
    let Connection { cluster, uid } = connection;
    let attempt = format!("connect to the cluster {name}");
    match cluster.require_uid(uid).await {
        Ok(()) => {}
        Err(IdentityError::Unknown(error)) => {
            return Err(WorkerError::from_api(name, error, &attempt));
        }
        Err(error) => return Err(error.explain(&attempt).into()),
    }
    let kind = Kind::new("v1", "ConfigMap");
    let found = cluster
        .find(&kind, Some(NAMESPACE), FACTS, Detail::Full)
        .await;
    let found = found.map_err(|error| WorkerError::from_api(name, error, &attempt))?;
    let facts = found.as_ref().and_then(Facts::parse);
    let facts = facts.filter(|facts| facts.cluster_uid == *uid && facts.name == name.as_str());
    let Some(facts) = facts else {
        let detail = format!(
            "The ConfigMap {NAMESPACE}/{FACTS} with what runtimes need to know of the cluster is missing, or not as the provider writes it. Apply the nautes_cluster {name}, which makes it again."
        );
        let summary = format!("Cannot {attempt}: nothing is known about it");
        return Err(Diagnostics::from(Diagnostic::error(summary, detail)).into());
    };
    Ok(Arc::new(Worker {
        name: name.clone(),
        cluster: Arc::clone(cluster),
        facts,
        refresh: Mutex::default(),
        locks: Mutex::default(),
    }))
}

fn no_credential(name: &EntityName, reason: &str) -> Diagnostics {
    let detail = format!(
        "{reason}. A nautes_cluster with usage = \"worker\" makes it. Apply that first; where it is in this configuration, write cluster = nautes_cluster.<name>.id in the nautes_environment, so that it is applied before."
    );
    Diagnostic::error(format!("The cluster {name} cannot be used"), detail).into()
}

impl WorkerError {
    /// Explains an error of a call to a worker.
    pub(crate) fn from_api(name: &EntityName, error: ApiError, attempt: &str) -> Self {
        if is_unreachable(&error) {
            return Self::Unreachable {
                name: name.clone(),
                error,
            };
        }
        let is_refused = error
            .call()
            .is_some_and(|call| call.is_refused_for("Unauthorized"));
        if is_refused {
            let detail = format!(
                "{} The cluster does not accept the credential that Vault has for runtimes. Apply the nautes_cluster {name}, which makes a new one.",
                sentence(&error)
            );
            return Self::Failed(Diagnostic::error(format!("Cannot {attempt}"), detail).into());
        }
        Self::Failed(error.explain(attempt))
    }

    /// Returns the warning about a worker that gives no answer at a refresh.
    pub(crate) fn unreachable_warning(name: &EntityName, error: &ApiError) -> (String, String) {
        (
            format!("The cluster {name} cannot be reached"),
            format!(
                "{} The state of its runtimes is kept as it was; whether they have changed is not known.",
                sentence(error)
            ),
        )
    }
}

impl From<Diagnostics> for WorkerError {
    fn from(found: Diagnostics) -> Self {
        Self::Failed(found)
    }
}

impl From<WorkerError> for Diagnostics {
    fn from(error: WorkerError) -> Self {
        match error {
            WorkerError::Unreachable { name, error } => {
                error.explain(&format!("connect to the cluster {name}"))
            }
            WorkerError::Failed(found) => found,
        }
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Worker").field(&self.name).finish()
    }
}
