//! What kind of cluster it is and what it is for: the three shapes that exist.

use serde::{Deserialize, Serialize};

use crate::entity_name::EntityName;

/// What kind of cluster it is and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterShape {
    /// A physical cluster that virtual ones run in.
    Host,
    /// A physical cluster that runtimes use.
    PhysicalWorker(WorkerType),
    /// A cluster inside a host.
    VirtualWorker {
        /// What it is used for.
        worker_type: WorkerType,
        /// The host.
        host_cluster: EntityName,
    },
}

/// Whether a cluster has machines of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterType {
    /// It has.
    Physical,
    /// It runs inside a host cluster.
    Virtual,
}

/// Whether a cluster hosts virtual clusters or does the work itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterUsage {
    /// It hosts.
    Host,
    /// It works.
    Worker,
}

/// What a worker is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerType {
    /// Deployment runtimes.
    Deployment,
    /// Pipeline runtimes.
    Pipeline,
}

impl WorkerType {
    /// Returns the word in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Pipeline => "pipeline",
        }
    }
}

/// The parts of a shape do not fit together.
///
/// Nautes has the same rules (`app/api-server/internal/biz/cluster.go`, `ValidateCluster`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum ShapeError {
    /// A virtual host.
    #[error("a host must be physical: a virtual cluster cannot host others")]
    VirtualHost,
    /// A host with a worker type.
    #[error("a host has no worker type: only a worker has one")]
    HostWithWorkerType,
    /// A worker without a worker type.
    #[error("a worker needs a worker type: `deployment` or `pipeline`")]
    WorkerWithoutType,
    /// A physical cluster with a host.
    #[error("a physical cluster has no host cluster: only a virtual one has")]
    PhysicalWithHost,
    /// A virtual cluster without a host.
    #[error("a virtual cluster needs a host cluster")]
    VirtualWithoutHost,
}

impl ShapeError {
    /// Returns the Terraform attribute at fault.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::VirtualHost => "cluster_type",
            Self::HostWithWorkerType | Self::WorkerWithoutType => "worker_type",
            Self::PhysicalWithHost | Self::VirtualWithoutHost => "host_cluster",
        }
    }
}

impl ClusterShape {
    /// Puts the parts together.
    pub fn new(
        cluster_type: ClusterType,
        usage: ClusterUsage,
        worker_type: Option<WorkerType>,
        host_cluster: Option<EntityName>,
    ) -> Result<Self, ShapeError> {
        match (usage, cluster_type, worker_type, host_cluster) {
            (ClusterUsage::Host, ClusterType::Virtual, ..) => Err(ShapeError::VirtualHost),
            (ClusterUsage::Host, _, Some(_), _) => Err(ShapeError::HostWithWorkerType),
            (ClusterUsage::Worker, _, None, _) => Err(ShapeError::WorkerWithoutType),
            (_, ClusterType::Physical, _, Some(_)) => Err(ShapeError::PhysicalWithHost),
            (_, ClusterType::Virtual, _, None) => Err(ShapeError::VirtualWithoutHost),
            (ClusterUsage::Host, ClusterType::Physical, None, None) => Ok(Self::Host),
            (ClusterUsage::Worker, ClusterType::Physical, Some(worker_type), None) => {
                Ok(Self::PhysicalWorker(worker_type))
            }
            (ClusterUsage::Worker, ClusterType::Virtual, Some(worker_type), Some(host_cluster)) => {
                Ok(Self::VirtualWorker {
                    worker_type,
                    host_cluster,
                })
            }
        }
    }

    /// Returns whether the cluster has machines of its own.
    pub const fn cluster_type(&self) -> ClusterType {
        match self {
            Self::Host | Self::PhysicalWorker(_) => ClusterType::Physical,
            Self::VirtualWorker { .. } => ClusterType::Virtual,
        }
    }

    /// Returns whether the cluster hosts or works.
    pub const fn usage(&self) -> ClusterUsage {
        match self {
            Self::Host => ClusterUsage::Host,
            Self::PhysicalWorker(_) | Self::VirtualWorker { .. } => ClusterUsage::Worker,
        }
    }

    /// Returns what a worker is used for.
    pub const fn worker_type(&self) -> Option<WorkerType> {
        match self {
            Self::Host => None,
            Self::PhysicalWorker(worker_type) | Self::VirtualWorker { worker_type, .. } => {
                Some(*worker_type)
            }
        }
    }

    /// Returns the host of a virtual cluster.
    pub const fn host_cluster(&self) -> Option<&EntityName> {
        match self {
            Self::Host | Self::PhysicalWorker(_) => None,
            Self::VirtualWorker { host_cluster, .. } => Some(host_cluster),
        }
    }
}

impl TryFrom<String> for WorkerType {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "deployment" => Ok(Self::Deployment),
            "pipeline" => Ok(Self::Pipeline),
            _ => Err(format!(
                "`{text}` is no worker type: `deployment` or `pipeline`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_combinations_of_parts_are_shapes() {
        let host = EntityName::new("host-a").unwrap();
        let mut accepted = Vec::new();
        for cluster_type in [ClusterType::Physical, ClusterType::Virtual] {
            for usage in [ClusterUsage::Host, ClusterUsage::Worker] {
                for worker_type in [
                    None,
                    Some(WorkerType::Deployment),
                    Some(WorkerType::Pipeline),
                ] {
                    for host_cluster in [None, Some(host.clone())] {
                        let parts = (cluster_type, usage, worker_type, host_cluster.clone());
                        if let Ok(shape) =
                            ClusterShape::new(cluster_type, usage, worker_type, host_cluster)
                        {
                            assert_eq!(
                                (
                                    shape.cluster_type(),
                                    shape.usage(),
                                    shape.worker_type(),
                                    shape.host_cluster().cloned()
                                ),
                                parts
                            );
                            accepted.push(shape);
                        }
                    }
                }
            }
        }
        assert_eq!(accepted.len(), 5);
    }

    #[test]
    fn each_mistake_names_its_attribute() {
        assert_eq!(
            ClusterShape::new(ClusterType::Virtual, ClusterUsage::Host, None, None)
                .map_err(ShapeError::attribute),
            Err("cluster_type")
        );
        assert_eq!(
            ClusterShape::new(ClusterType::Physical, ClusterUsage::Worker, None, None)
                .map_err(ShapeError::attribute),
            Err("worker_type")
        );
    }
}
