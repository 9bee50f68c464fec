//! What each test begins with: a cluster, a namespace of its own, and an owner.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use kubernetes_apply::apply_set::{Applied, ApplyOptions, ApplySet, ApplySetError, Parent};
use kubernetes_apply::cluster::Cluster;
use kubernetes_apply::connection::{Access, ExecPlugins, Limits};
use kubernetes_apply::object::{Object, ObjectRef, parse_yaml};
use kubernetes_apply::ownership::{FieldManager, Label, Owner};
use kubernetes_apply::readiness::Rules;
use kubernetes_apply::wait::WaitError;
use serde_json::{Value, json};
use testbed::ControlPlane;
use tokio::runtime::Runtime;

/// How long waits of tests may take. It is not waited for unless something is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Environment {
    pub(crate) control_plane: &'static ControlPlane,
    pub(crate) cluster: Cluster,
    /// A namespace that only this test uses.
    pub(crate) namespace: String,
    pub(crate) owner: Owner,
    runtime: Runtime,
}

impl Environment {
    pub(crate) fn new() -> Self {
        let control_plane = ControlPlane::shared().unwrap();
        Self::through(
            control_plane,
            &control_plane.kubeconfig(),
            Limits::default(),
        )
    }

    /// Uses another kubeconfig for the engine.
    pub(crate) fn through(
        control_plane: &'static ControlPlane,
        kubeconfig: &Path,
        limits: Limits,
    ) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("test-{number}");
        let access = Access::load(kubeconfig, None, ExecPlugins::Refused).unwrap();
        let body =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        control_plane
            .api(Method::POST, "/api/v1/namespaces", Some(&body))
            .unwrap();
        Self {
            control_plane,
            cluster: Cluster::new(&access, limits).unwrap(),
            owner: Owner {
                field_manager: FieldManager::new("test-tool").unwrap(),
                label: Label::new("app.kubernetes.io/managed-by", "test-tool").unwrap(),
            },
            namespace,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Returns the set of this test.
    pub(crate) fn set(&self) -> ApplySet<'_> {
        self.named_set("set")
    }

    pub(crate) fn named_set(&self, name: &str) -> ApplySet<'_> {
        let parent = Parent {
            namespace: self.namespace.clone(),
            name: name.to_owned(),
        };
        ApplySet::new(&self.cluster, self.owner.clone(), parent)
    }

    pub(crate) fn options(&self) -> ApplyOptions {
        ApplyOptions {
            default_namespace: Some(self.namespace.clone()),
            timeout: PATIENCE,
            ..ApplyOptions::default()
        }
    }

    pub(crate) fn apply(&self, manifest: &str) -> Result<Applied, ApplySetError> {
        self.run(self.set().apply(objects(manifest), &self.options()))
    }

    /// Waits until what was applied is ready.
    pub(crate) fn wait(
        &self,
        applied: &Applied,
        rules: &Rules,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        let references = applied.references();
        self.run(self.set().wait_until_ready(&references, rules, timeout))
    }

    /// Names an object in the namespace of this test.
    pub(crate) fn object(&self, group: &str, kind: &str, name: &str) -> ObjectRef {
        ObjectRef::namespaced(group, kind, &self.namespace, name)
    }

    /// Returns the path of objects in the namespace of this test: `/api/v1/namespaces/test-1/configmaps`.
    pub(crate) fn path(&self, root: &str, rest: &str) -> String {
        format!("{root}/namespaces/{}/{rest}", self.namespace)
    }

    /// Reads a config map of this test as the administrator.
    pub(crate) fn config_map(&self, name: &str) -> Option<Value> {
        let path = self.path("/api/v1", &format!("configmaps/{name}"));
        self.control_plane.get(&path).unwrap()
    }

    /// Creates a config map as somebody else.
    pub(crate) fn create_config_map(&self, name: &str, metadata: Value, data: &Value) {
        let mut metadata = metadata;
        metadata["name"] = name.into();
        let body =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data});
        let path = self.path("/api/v1", "configmaps?fieldManager=somebody");
        self.control_plane
            .api(Method::POST, &path, Some(&body))
            .unwrap();
    }

    /// Runs kubectl in the namespace of this test.
    pub(crate) fn kubectl(&self, arguments: &str) {
        let arguments = arguments.split(' ').chain(["-n", &self.namespace]);
        self.control_plane.kubectl(arguments).unwrap();
    }
}

pub(crate) fn objects(manifest: &str) -> Vec<Object> {
    parse_yaml(manifest).unwrap()
}

/// Joins an error and its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
