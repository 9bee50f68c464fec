//! What runtimes may do in a cluster. The roles, the admission policy and the page about permissions are made from
//! this list.

use std::fmt;

/// A right to objects of one kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Right {
    /// Where it holds.
    pub place: Scope,
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version in which runtimes write the objects.
    pub version: &'static str,
    /// The resource, with its sub-resource if it has one.
    pub resource: &'static str,
    /// The names; empty for all.
    pub names: &'static [&'static str],
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// What it is for.
    pub purpose: &'static str,
}

/// Where a right holds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Scope {
    /// In the whole cluster. The admission policy allows writes in the namespaces of products only.
    Cluster,
    /// In the namespace of Argo CD.
    ArgoCd,
    /// In the namespace of Argo Events.
    ArgoEvents,
    /// In the namespace of the provider.
    Own,
}

impl Scope {
    /// All places, the widest first.
    pub const ALL: [Self; 4] = [Self::Cluster, Self::ArgoCd, Self::ArgoEvents, Self::Own];
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cluster => "the whole cluster",
            Self::ArgoCd => "the namespace of Argo CD",
            Self::ArgoEvents => "the namespace of Argo Events",
            Self::Own => "the namespace `nautes`",
        })
    }
}

const READ: &[&str] = &["get", "list"];
const MAKE: &[&str] = &["get", "list", "create", "patch", "delete"];
const WRITE: &[&str] = &["create", "patch", "delete"];
const RBAC: &str = "rbac.authorization.k8s.io";

/// Everything that runtimes may do.
pub const RIGHTS: &[Right] = &[
    right(
        Scope::Cluster,
        "",
        "v1",
        "namespaces",
        MAKE,
        "namespaces of products",
    ),
    right(
        Scope::Cluster,
        "",
        "v1",
        "serviceaccounts",
        &["get", "list", "create", "update", "patch", "delete"],
        "machine accounts; an update adds image pull secrets",
    ),
    right(
        Scope::Cluster,
        RBAC,
        "v1",
        "rolebindings",
        MAKE,
        "members and machine accounts of products",
    ),
    right(
        Scope::Cluster,
        RBAC,
        "v1",
        "roles",
        MAKE,
        "what a Sensor may create",
    ),
    Right {
        names: &["admin"],
        ..right(
            Scope::Cluster,
            RBAC,
            "v1",
            "clusterroles",
            &["bind"],
            "the role of members and machine accounts",
        )
    },
    right(
        Scope::Cluster,
        "tekton.dev",
        "v1",
        "pipelineruns",
        &["create"],
        "to give this right to a Sensor; the admission policy refuses its use",
    ),
    right(
        Scope::Cluster,
        "external-secrets.io",
        "v1",
        "secretstores",
        MAKE,
        "secrets from Vault",
    ),
    right(
        Scope::Cluster,
        "external-secrets.io",
        "v1",
        "externalsecrets",
        MAKE,
        "secrets from Vault",
    ),
    right(
        Scope::Cluster,
        "hnc.x-k8s.io",
        "v1alpha2",
        "hierarchyconfigurations",
        MAKE,
        "hierarchies of namespaces",
    ),
    right(
        Scope::Cluster,
        "argoproj.io",
        "v1alpha1",
        "applications",
        READ,
        "state of deployments",
    ),
    right(
        Scope::Cluster,
        "argoproj.io",
        "v1alpha1",
        "appprojects",
        READ,
        "drift",
    ),
    right(
        Scope::Cluster,
        "argoproj.io",
        "v1alpha1",
        "eventsources",
        READ,
        "drift",
    ),
    right(
        Scope::Cluster,
        "argoproj.io",
        "v1alpha1",
        "sensors",
        READ,
        "drift",
    ),
    right(
        Scope::Cluster,
        "networking.k8s.io",
        "v1",
        "ingresses",
        READ,
        "drift",
    ),
    right(
        Scope::ArgoCd,
        "argoproj.io",
        "v1alpha1",
        "applications",
        WRITE,
        "deployments",
    ),
    right(
        Scope::ArgoCd,
        "argoproj.io",
        "v1alpha1",
        "appprojects",
        WRITE,
        "what a product may deploy, and where",
    ),
    Right {
        names: &["argocd-rbac-cm"],
        ..right(
            Scope::ArgoCd,
            "",
            "v1",
            "configmaps",
            &["get", "patch"],
            "rights of members in Argo CD",
        )
    },
    right(
        Scope::ArgoCd,
        "apps",
        "v1",
        "statefulsets",
        READ,
        "whether Argo CD runs",
    ),
    right(
        Scope::ArgoEvents,
        "argoproj.io",
        "v1alpha1",
        "eventsources",
        WRITE,
        "events that start pipelines",
    ),
    right(
        Scope::ArgoEvents,
        "argoproj.io",
        "v1alpha1",
        "sensors",
        WRITE,
        "triggers of pipelines",
    ),
    right(
        Scope::ArgoEvents,
        "argoproj.io",
        "v1alpha1",
        "eventbus",
        READ,
        "the kind of the bus",
    ),
    right(
        Scope::ArgoEvents,
        "networking.k8s.io",
        "v1",
        "ingresses",
        WRITE,
        "webhooks",
    ),
    right(
        Scope::ArgoEvents,
        "",
        "v1",
        "secrets",
        &["get", "create", "patch", "delete"],
        "tokens of webhooks",
    ),
    right(
        Scope::ArgoEvents,
        "apps",
        "v1",
        "deployments",
        READ,
        "whether event sources and sensors run",
    ),
    right(
        Scope::ArgoEvents,
        "",
        "v1",
        "pods",
        READ,
        "why they do not run",
    ),
    right(
        Scope::ArgoEvents,
        "",
        "v1",
        "pods/log",
        &["get"],
        "why they do not run",
    ),
    right(
        Scope::ArgoEvents,
        "",
        "v1",
        "services/proxy",
        &["create"],
        "to ask an event source where the gateway cannot be reached",
    ),
    right(
        Scope::Own,
        "",
        "v1",
        "configmaps",
        &["get", "list", "create", "update", "patch", "delete"],
        "facts of the cluster, and which runtimes a product has",
    ),
    right(
        Scope::Own,
        "coordination.k8s.io",
        "v1",
        "leases",
        &["get", "create", "update", "delete"],
        "locks",
    ),
];

const fn right(
    place: Scope,
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    purpose: &'static str,
) -> Right {
    Right {
        place,
        group,
        version,
        resource,
        names: &[],
        verbs,
        purpose,
    }
}

impl Right {
    /// Whether it allows changing something.
    pub fn writes(&self) -> bool {
        let mut verbs = self.verbs.iter();
        verbs.any(|verb| matches!(*verb, "create" | "update" | "patch" | "delete"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_right_is_a_wildcard_or_leads_to_other_rights() {
        for right in RIGHTS {
            let parts = [right.group, right.resource]
                .into_iter()
                .chain(right.verbs.iter().copied());
            for part in parts {
                assert!(!part.contains('*'), "{right:?}");
                assert!(
                    !matches!(part, "escalate" | "impersonate" | "deletecollection"),
                    "{right:?}"
                );
            }
            let is_token = right.resource == "serviceaccounts/token";
            assert!(!is_token && right.resource != "pods/exec", "{right:?}");
            if right.verbs.contains(&"bind") {
                assert_eq!(right.names, ["admin"]);
            }
        }
    }

    #[test]
    fn secrets_are_read_in_the_namespace_of_argo_events_alone() {
        let mut secrets = RIGHTS.iter().filter(|right| right.resource == "secrets");
        assert!(
            secrets.all(|right| right.place == Scope::ArgoEvents && !right.verbs.contains(&"list"))
        );
    }
}
