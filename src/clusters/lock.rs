//! Locks in a cluster: of several runs one changes what is in it, or what the runtimes of a product share.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use kubernetes_apply::cluster::Cluster;
use kubernetes_apply::lease::{HeldLease, LeaseError, LeaseLock, LeaseTiming};
use kubernetes_apply::ownership::InvalidOwner;
use nautes_model::EntityName;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::waiting::waiting_for;

use super::{CLUSTER_LEASE, NAMESPACE, owner};
use crate::diagnostics::{Context as _, Explain};

/// A lock in a cluster, held. Dropping it gives it back.
pub(crate) struct Lock {
    lease: HeldLease,
    attempt: String,
}

impl Lock {
    /// Takes the lock of a cluster that has the namespace of the provider, and waits while another run holds it.
    pub(crate) async fn acquire(
        cluster: &Arc<Cluster>,
        name: &EntityName,
        attempt: &str,
    ) -> Result<Self, LockError> {
        Self::acquire_lease(cluster, name, CLUSTER_LEASE, attempt).await
    }

    /// Takes the lock of what a `Lease` of this name stands for. Whoever needs that of the cluster, too, takes it first.
    pub(crate) async fn acquire_lease(
        cluster: &Arc<Cluster>,
        name: &EntityName,
        lease: &str,
        attempt: &str,
    ) -> Result<Self, LockError> {
        let lease = lease.to_owned();
        let lock = LeaseLock {
            namespace: NAMESPACE.to_owned(),
            name: lease.clone(),
            owner: owner()?,
            timing: LeaseTiming::default(),
        };
        let holder = Arc::new(Mutex::new(None::<String>));
        let seen = Arc::clone(&holder);
        let cluster_name = name.to_string();
        let _waiting = waiting_for(move || {
            let holder = seen.lock().unwrap_or_else(PoisonError::into_inner);
            LeaseHolder {
                cluster: &cluster_name,
                lease: &lease,
                holder: holder.as_deref(),
            }
            .to_string()
        });
        let lease = lock
            .acquire(cluster, &identity(), |other| {
                tracing::info!(cluster = %name, holder = other, "waiting for another run in the cluster");
                let mut holder = holder.lock().unwrap_or_else(PoisonError::into_inner);
                *holder = Some(other.to_owned());
            })
            .await?;
        Ok(Self {
            lease,
            attempt: attempt.to_owned(),
        })
    }

    /// Runs work under the lock. If it is lost, the work stops.
    pub(crate) async fn run<T>(
        &self,
        work: impl Future<Output = Result<T, Diagnostics>>,
    ) -> Result<T, Diagnostics> {
        self.lease.run(work).await.context(&self.attempt)?
    }

    /// Makes calls with another credential from now on.
    pub(crate) fn use_cluster(&self, cluster: &Arc<Cluster>) {
        self.lease.use_cluster(cluster);
    }

    /// Gives the lock back. One that cannot be given back ends by itself.
    pub(crate) async fn release(self) {
        if let Err(error) = self.lease.release().await {
            tracing::debug!(%error, "the lock of a cluster could not be given back");
        }
    }
}

/// The lock cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// The name of the owner cannot be used.
    #[error(transparent)]
    Owner(#[from] InvalidOwner),
    /// The lease cannot be had.
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

impl LockError {
    /// Whether the cluster does not accept the credential any more.
    pub(crate) fn is_unauthorized(&self) -> bool {
        let Self::Lease(LeaseError::Api { source, .. }) = self else {
            return false;
        };
        source
            .call()
            .is_some_and(|call| call.is_refused_for("Unauthorized"))
    }
}

impl Explain for LockError {
    fn explain(&self, attempt: &str) -> Diagnostics {
        match self {
            Self::Owner(error) => error.explain(attempt),
            Self::Lease(error) => error.explain(attempt),
        }
    }
}

/// What a run waits for.
struct LeaseHolder<'a> {
    cluster: &'a str,
    lease: &'a str,
    holder: Option<&'a str>,
}

impl fmt::Display for LeaseHolder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cluster,
            lease,
            holder,
        } = self;
        match holder {
            Some(holder) => write!(
                f,
                "another run in the cluster {cluster} to end, which holds the Lease {NAMESPACE}/{lease} as {holder}"
            ),
            None => write!(f, "the Lease {NAMESPACE}/{lease} of the cluster {cluster}"),
        }
    }
}

/// Returns a name for this run that no other has, and by which people find it.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "terraform".to_owned());
    let run = uuid::Uuid::new_v4().simple().to_string();
    format!("{host}-{}-{run}", std::process::id())
}
