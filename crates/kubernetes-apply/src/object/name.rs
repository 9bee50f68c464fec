//! Groups, versions, kinds, and names of objects.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind in its group, whatever its version.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct GroupKind {
    /// The group, such as `apps`; empty for the core group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The kind, such as `Deployment`.
    pub kind: String,
}

/// A group and a version, as `apiVersion` names them.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ApiVersion {
    /// The group, such as `apps`; empty for the core group.
    pub group: String,
    /// The version, such as `v1`.
    pub version: String,
}

/// A kind in a version of its group.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Kind {
    /// The group and the version.
    pub api_version: ApiVersion,
    /// The kind, such as `Deployment`.
    pub kind: String,
}

/// Which object of a cluster is meant.
///
/// It is displayed as `Deployment shop/web`, and of a group that is not Kubernetes' own as
/// `Application.argoproj.io shop/web`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ObjectRef {
    /// The kind.
    #[serde(flatten)]
    pub kind: GroupKind,
    /// The namespace; `None` for an object of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

/// The groups that every API server has.
const BUILT_IN_GROUPS: [&str; 21] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

impl GroupKind {
    /// Names a kind; the core group is empty.
    pub fn new(group: &str, kind: &str) -> Self {
        Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
        }
    }

    /// Returns whether it is this kind of this group.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// Returns whether the group is one of Kubernetes itself, and not of a custom resource or of an
    /// aggregated API.
    pub fn is_built_in(&self) -> bool {
        BUILT_IN_GROUPS.contains(&self.group.as_str())
    }
}

impl ApiVersion {
    /// Parses `apps/v1` or `v1`.
    pub fn parse(text: &str) -> Self {
        let (group, version) = text.split_once('/').unwrap_or(("", text));
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
        }
    }

    /// Names a kind of this version.
    pub fn kind(&self, kind: &str) -> Kind {
        Kind {
            api_version: self.clone(),
            kind: kind.to_owned(),
        }
    }
}

impl Kind {
    /// Names a kind by its `apiVersion` and `kind`: `Kind::new("apps/v1", "Deployment")`.
    pub fn new(api_version: &str, kind: &str) -> Self {
        ApiVersion::parse(api_version).kind(kind)
    }

    /// Returns the kind without its version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.api_version.group, &self.kind)
    }
}

impl ObjectRef {
    /// Names an object in a namespace.
    pub fn namespaced(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            kind: GroupKind::new(group, kind),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// Names an object of the cluster.
    pub fn cluster(group: &str, kind: &str, name: &str) -> Self {
        Self {
            kind: GroupKind::new(group, kind),
            namespace: None,
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if self.is_built_in() {
            return Ok(());
        }
        write!(f, ".{}", self.group)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.is_empty() {
            write!(f, "{}/", self.group)?;
        }
        f.write_str(&self.version)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version, self.kind)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_displayed_as_kubectl_users_know_them() {
        for (object, shown) in [
            (
                ObjectRef::namespaced("apps", "Deployment", "shop", "web"),
                "Deployment shop/web",
            ),
            (
                ObjectRef::cluster("", "Namespace", "shop"),
                "Namespace shop",
            ),
            (
                ObjectRef::namespaced("argoproj.io", "Application", "argocd", "shop"),
                "Application.argoproj.io argocd/shop",
            ),
        ] {
            assert_eq!(object.to_string(), shown);
        }
    }

    #[test]
    fn versions_have_a_group_or_belong_to_the_core() {
        for text in ["apps/v1", "v1"] {
            assert_eq!(ApiVersion::parse(text).to_string(), text);
        }
        assert_eq!(ApiVersion::parse("v1").group, "");
        assert_eq!(
            Kind::new("apps/v1", "Deployment").group_kind(),
            GroupKind::new("apps", "Deployment")
        );
    }

    #[test]
    fn a_reference_survives_serialisation() {
        let object = ObjectRef::namespaced("apps", "Deployment", "shop", "web");
        let text = serde_json::to_string(&object).unwrap();
        assert_eq!(
            text,
            r#"{"group":"apps","kind":"Deployment","namespace":"shop","name":"web"}"#
        );
        assert_eq!(serde_json::from_str::<ObjectRef>(&text).unwrap(), object);
    }
}
