//! The type, usage and worker type of a cluster, in their valid combinations.

use serde::{Deserialize, Serialize};

use crate::entity_name::EntityName;

/// The type, usage and worker type of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterShape {
    /// A physical cluster that hosts virtual clusters.
    Host,
    /// A physical cluster for runtimes.
    PhysicalWorker(WorkerType),
    /// A virtual cluster for runtimes.
    VirtualWorker {
        /// The kind of its runtimes.
        worker_type: WorkerType,
        /// The cluster that hosts it.
        host_cluster: EntityName,
    },
}

/// Whether a cluster is physical or virtual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterType {
    /// It has its own machines.
    Physical,
    /// It runs inside a host cluster.
    Virtual,
}

/// Whether a cluster hosts virtual clusters or runs workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterUsage {
    /// It hosts virtual clusters.
    Host,
    /// It runs workloads.
    Worker,
}

/// The kind of runtimes on a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerType {
    /// Deployment runtimes.
    Deployment,
    /// Pipeline runtimes.
    Pipeline,
}

impl WorkerType {
    /// Returns the value in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Pipeline => "pipeline",
        }
    }
}

/// The parts of a shape are not a valid combination.
///
/// The rules are those of Nautes (`app/api-server/internal/biz/cluster.go`, `ValidateCluster`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum ShapeError {
    /// A host is virtual.
    #[error("a host must be physical: a virtual cluster cannot host others")]
    VirtualHost,
    /// A host has a worker type.
    #[error("a host cannot have a worker type")]
    HostWithWorkerType,
    /// A worker has no worker type.
    #[error("a worker needs a worker type: `deployment` or `pipeline`")]
    WorkerWithoutType,
    /// A physical cluster has a host.
    #[error("a physical cluster cannot have a host cluster")]
    PhysicalWithHost,
    /// A virtual cluster has no host.
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
    /// Combines the parts of a shape.
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

    /// Returns whether the cluster is physical or virtual.
    pub const fn cluster_type(&self) -> ClusterType {
        match self {
            Self::Host | Self::PhysicalWorker(_) => ClusterType::Physical,
            Self::VirtualWorker { .. } => ClusterType::Virtual,
        }
    }

    /// Returns whether the cluster is a host or a worker.
    pub const fn usage(&self) -> ClusterUsage {
        match self {
            Self::Host => ClusterUsage::Host,
            Self::PhysicalWorker(_) | Self::VirtualWorker { .. } => ClusterUsage::Worker,
        }
    }

    /// Returns the worker type of a worker.
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
                "`{text}` is not a worker type: `deployment` or `pipeline`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_combinations_of_parts_are_valid() {
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
    fn each_error_names_its_attribute() {
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
