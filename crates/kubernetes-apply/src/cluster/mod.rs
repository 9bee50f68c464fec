//! One cluster: which kinds it serves, and reading and writing one object of it.

mod discovery;
mod error;
mod read;
mod token;
mod write;

pub use self::discovery::{DiscoveryError, Resource};
pub use self::error::ApiError;
pub use self::read::Detail;
pub(crate) use self::write::{Deletion, Force, PatchMode};

use std::fmt;

use self::discovery::Discovery;
use crate::connection::{Access, AccessError, CallError, Connection, Limits};
use crate::object::Kind;

/// A cluster.
///
/// It is shared by everything that works on the cluster, so that they have one circuit breaker, one limit of
/// concurrency, and ask once which kinds are served.
pub struct Cluster {
    connection: Connection,
    discovery: Discovery,
    server: String,
}

/// Another cluster answers than the one that is meant, or nobody can tell.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IdentityError {
    /// Another cluster answers.
    #[error(
        "another cluster answers at {server}: the UID of its namespace kube-system is {found}, and {expected} \
         is expected; check the address and the context, or record the new UID if the cluster was rebuilt"
    )]
    Other {
        /// The address.
        server: String,
        /// The UID that is expected.
        expected: String,
        /// The UID of the cluster that answers.
        found: String,
    },
    /// The cluster could not be asked.
    #[error("the identity of the cluster cannot be checked")]
    Unknown(#[from] ApiError),
}

impl Cluster {
    /// Sets up the connection to a cluster; nothing is sent.
    pub fn new(access: &Access, limits: Limits) -> Result<Self, AccessError> {
        Ok(Self {
            connection: Connection::new(access, limits)?,
            discovery: Discovery::default(),
            server: access.server().to_string(),
        })
    }

    /// Returns the UID of the namespace `kube-system`, which identifies the cluster.
    pub async fn uid(&self) -> Result<String, ApiError> {
        let namespace = Kind::new("v1", "Namespace");
        let found = self
            .find(&namespace, None, "kube-system", Detail::Metadata)
            .await?;
        let uid = found.as_ref().and_then(|namespace| namespace.uid());
        uid.map(str::to_owned).ok_or(ApiError::NoIdentity)
    }

    /// Requires that the cluster is the one that is meant, by its [`uid`](Self::uid).
    pub async fn require_uid(&self, expected: &str) -> Result<(), IdentityError> {
        let found = self.uid().await?;
        if found == expected {
            return Ok(());
        }
        Err(IdentityError::Other {
            server: self.server.clone(),
            expected: expected.to_owned(),
            found,
        })
    }

    /// Returns how the cluster serves a kind. It is asked once.
    pub async fn resource(&self, kind: &Kind) -> Result<Resource, DiscoveryError> {
        self.discovery.resource(&self.connection, kind).await
    }

    /// Returns how the cluster serves a kind in the version that it prefers.
    pub async fn preferred_resource(
        &self,
        kind: &crate::object::GroupKind,
    ) -> Result<Resource, DiscoveryError> {
        self.discovery.preferred(&self.connection, kind).await
    }

    /// Returns all kinds in namespaces that can be listed, and the APIs that do not answer.
    pub(crate) async fn namespaced_resources(
        &self,
    ) -> Result<(Vec<Resource>, Vec<String>), DiscoveryError> {
        self.discovery.namespaced(&self.connection).await
    }

    /// Forgets which kinds the cluster serves, after definitions of kinds have changed.
    pub fn forget_kinds(&self) {
        self.discovery.forget();
    }

    /// Returns the version of the API server, such as `v1.34.2`.
    pub async fn version(&self) -> Result<String, CallError> {
        let request = crate::connection::ApiRequest::get("/version".to_owned());
        let (_, version) = self.connection.send(&request).await?;
        let version = version
            .get("gitVersion")
            .and_then(serde_json::Value::as_str);
        Ok(version.unwrap_or_default().to_owned())
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({})", self.server)
    }
}
