//! The secrets of clusters.

use super::CLUSTER_MOUNT;
use super::path::SecretPath;
use crate::entity_name::EntityName;

/// The field with a kubeconfig, as YAML.
pub const KUBECONFIG: &str = "kubeconfig";

/// The field with the UID of the namespace `kube-system`, which identifies the cluster.
pub const CLUSTER_UID: &str = "cluster_uid";

/// The field with a token.
pub const TOKEN: &str = "token";

/// A secret of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClusterSecret {
    /// The kubeconfig with which the cluster is managed. Nautes knows this one.
    Admin,
    /// The kubeconfig with which runtimes are made, which may do less.
    Runtime,
    /// The token with which GitLab calls the webhook of Argo CD.
    ArgoCdWebhook,
}

impl ClusterSecret {
    /// All secrets of a cluster.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Runtime, Self::ArgoCdWebhook];

    /// Returns the last segment of the secret's path.
    pub const fn segment(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Runtime => "runtime",
            Self::ArgoCdWebhook => "argocd-webhook",
        }
    }
}

impl SecretPath {
    /// Returns the path of a cluster's secret: `cluster/kubernetes/deploy-01/default/admin`; `None` if
    /// the name of the cluster cannot be part of a path.
    ///
    /// `default` is the user of the secrets; there is only this one.
    pub fn for_cluster(cluster: &EntityName, secret: ClusterSecret) -> Option<Self> {
        let path = format!("kubernetes/{cluster}/default/{}", secret.segment());
        Self::new(CLUSTER_MOUNT, &path).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_and_the_policy_of_the_administrative_kubeconfig_are_those_of_nautes() {
        let cluster = EntityName::new("deploy-01").unwrap();
        let path = SecretPath::for_cluster(&cluster, ClusterSecret::Admin).unwrap();
        assert_eq!(
            path.to_string(),
            "cluster/kubernetes/deploy-01/default/admin"
        );
        assert_eq!(path.policy_name(), "kubernetes-deploy-01-default-admin");
        let dotted = EntityName::new("deploy.example").unwrap();
        assert_eq!(SecretPath::for_cluster(&dotted, ClusterSecret::Admin), None);
    }
}
