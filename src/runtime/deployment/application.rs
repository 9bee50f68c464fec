//! The `Application` of a deployment runtime.

use std::collections::BTreeSet;

use kubernetes_apply::object::{Kind, Object, ObjectError, ObjectRef};
use nautes_model::ProductId;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::runtime::names;
use crate::runtime::shared::IN_CLUSTER;

const GROUP: &str = "argoproj.io";

/// Makes Argo CD delete what it has deployed when the Application is deleted.
pub(crate) const CASCADE: &str = "resources-finalizer.argocd.argoproj.io";

/// An `Application`.
#[derive(Clone, Debug)]
pub(crate) struct Application<'a> {
    pub(crate) product: ProductId,
    /// The name of the runtime.
    pub(crate) runtime: &'a str,
    /// The namespace of Argo CD.
    pub(crate) argo_cd: &'a str,
    /// The URL of the repository, exactly as the project of the product has it.
    pub(crate) url: &'a str,
    pub(crate) target_revision: &'a str,
    pub(crate) path: &'a str,
    /// The namespace of manifests that name none.
    pub(crate) namespace: &'a str,
    pub(crate) sync: Sync,
    /// Whether what is deployed goes with the Application.
    pub(crate) cascade: bool,
}

/// How Argo CD synchronises.
#[derive(Clone, Debug)]
pub(crate) struct Sync {
    pub(crate) automated: bool,
    pub(crate) prune: bool,
    pub(crate) self_heal: bool,
    /// How often a failed synchronisation is repeated.
    pub(crate) retry: u64,
    pub(crate) options: BTreeSet<String>,
    pub(crate) ignore_differences: Vec<IgnoredDifference>,
}

/// Differences that Argo CD leaves as they are.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IgnoredDifference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) json_pointers: Vec<String>,
    #[serde(rename = "jqPathExpressions", skip_serializing_if = "Vec::is_empty")]
    pub(crate) jq_path_expressions: Vec<String>,
}

impl Application<'_> {
    /// The kind.
    pub(crate) fn kind() -> Kind {
        Kind::new("argoproj.io/v1alpha1", "Application")
    }

    /// Returns the reference to the Application of a runtime.
    pub(crate) fn reference(product: ProductId, runtime: &str, argo_cd: &str) -> ObjectRef {
        let name = names::application(product, runtime);
        ObjectRef::namespaced(GROUP, "Application", argo_cd, &name)
    }

    /// Returns the object.
    pub(crate) fn object(&self) -> Result<Object, ObjectError> {
        let mut metadata = Map::from_iter([
            ("namespace".to_owned(), json!(self.argo_cd)),
            (
                "name".to_owned(),
                json!(names::application(self.product, self.runtime)),
            ),
        ]);
        if self.cascade {
            metadata.insert("finalizers".to_owned(), json!([CASCADE]));
        }
        let mut spec = Map::from_iter([
            ("project".to_owned(), json!(self.product)),
            (
                "source".to_owned(),
                json!({
                    "repoURL": self.url,
                    "path": self.path,
                    "targetRevision": self.target_revision,
                }),
            ),
            (
                "destination".to_owned(),
                json!({ "server": IN_CLUSTER, "namespace": self.namespace }),
            ),
            ("syncPolicy".to_owned(), self.sync.policy()),
        ]);
        if !self.sync.ignore_differences.is_empty() {
            let ignored = json!(self.sync.ignore_differences);
            spec.insert("ignoreDifferences".to_owned(), ignored);
        }
        Object::new(json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": metadata,
            "spec": spec,
        }))
    }
}

impl Sync {
    fn policy(&self) -> Value {
        let mut automated = json!({ "prune": self.prune, "selfHeal": self.self_heal });
        if let (false, Some(automated)) = (self.automated, automated.as_object_mut()) {
            // Without the block the settings in it would be lost.
            automated.insert("enabled".to_owned(), json!(false));
        }
        let mut policy = Map::from_iter([
            ("automated".to_owned(), automated),
            // Without this block Argo CD repeats automated synchronisations five times.
            (
                "retry".to_owned(),
                json!({
                    "limit": self.retry,
                    "backoff": { "duration": "5s", "factor": 2, "maxDuration": "1m" },
                }),
            ),
        ]);
        if !self.options.is_empty() {
            policy.insert("syncOptions".to_owned(), json!(self.options));
        }
        policy.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(cascade: bool) -> Application<'static> {
        Application {
            product: ProductId::new(42),
            runtime: "shop-test",
            argo_cd: "argocd",
            url: "ssh://git@gitlab.example.com:2222/demo/shop.git",
            target_revision: "main",
            path: "deploy/test",
            namespace: "shop-test",
            sync: Sync {
                automated: true,
                prune: true,
                self_heal: true,
                retry: 2,
                options: BTreeSet::new(),
                ignore_differences: Vec::new(),
            },
            cascade,
        }
    }

    #[test]
    fn an_application_is_in_the_project_of_its_product_and_repeats_a_failure_twice() {
        let object = application(true).object().unwrap();
        assert_eq!(
            object.json(),
            &json!({
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Application",
                "metadata": {
                    "name": "product-42-shop-test",
                    "namespace": "argocd",
                    "finalizers": ["resources-finalizer.argocd.argoproj.io"],
                },
                "spec": {
                    "project": "product-42",
                    "source": {
                        "repoURL": "ssh://git@gitlab.example.com:2222/demo/shop.git",
                        "path": "deploy/test",
                        "targetRevision": "main",
                    },
                    "destination": {
                        "server": "https://kubernetes.default.svc", "namespace": "shop-test",
                    },
                    "syncPolicy": {
                        "automated": { "prune": true, "selfHeal": true },
                        "retry": {
                            "limit": 2,
                            "backoff": { "duration": "5s", "factor": 2, "maxDuration": "1m" },
                        },
                    },
                },
            })
        );
    }

    #[test]
    fn a_pause_keeps_the_settings_and_workloads_stay_without_the_finalizer() {
        let mut application = application(false);
        application.sync.automated = false;
        let object = application.object().unwrap();
        assert_eq!(object.get("/metadata/finalizers"), None);
        assert_eq!(
            object.get("/spec/syncPolicy/automated"),
            Some(&json!({ "enabled": false, "prune": true, "selfHeal": true }))
        );
    }
}
