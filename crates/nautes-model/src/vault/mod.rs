//! The paths of secrets in Vault, and the policies for them.
//!
//! Each secret is an entry of a key-value engine of version 2 and has its own policy, which allows
//! reading it. Mounts, paths, fields and names are those of Nautes
//! (`api/vaultproxy/v1/vaultproxy.pb.ex.go` of its `vault-proxy`), so that Nautes and this provider
//! find each other's secrets.

mod cluster;
mod git;
mod path;

pub use cluster::{CLUSTER_UID, ClusterSecret, KUBECONFIG, TOKEN};
pub use git::{ACCESS_TOKEN, DEPLOY_KEY, FINGERPRINT, GitSecret, ID};
pub use path::{SecretPath, SecretPathError};

/// The mount of the secrets of code repositories.
pub const GIT_MOUNT: &str = "git";

/// The mount of the secrets of clusters.
pub const CLUSTER_MOUNT: &str = "cluster";
