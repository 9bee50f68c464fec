//! The namespaces of objects.

use serde_json::{Value, json};

use super::manifest::{Manifest, is_kind, name, text};

/// Kinds of Kubernetes itself whose objects are in no namespace.
const CLUSTER_SCOPED: [&str; 12] = [
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingWebhookConfiguration",
];

impl Manifest {
    /// Puts objects that need a namespace and name none into one.
    pub(super) fn set_default_namespace(&mut self, namespace: &str) {
        for object in &mut self.objects {
            let kind = text(object, "/kind").unwrap_or_default();
            if CLUSTER_SCOPED.contains(&kind) || text(object, "/metadata/namespace").is_some() {
                continue;
            }
            if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.insert("namespace".to_owned(), namespace.into());
            }
        }
    }

    /// Adds a namespace if the manifest has none of that name.
    pub(super) fn add_namespace(&mut self, namespace: &str) {
        let mut objects = self.objects.iter();
        if !objects.any(|object| is_kind(object, "Namespace") && name(object) == namespace) {
            let object = json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace }
            });
            self.objects.insert(0, object);
        }
    }

    /// Moves the objects of one namespace to another one, with all that refers to them: subjects of
    /// bindings, services of webhooks, secrets that CAs are injected from, and arguments.
    pub(super) fn move_namespace(&mut self, from: &str, to: &str) {
        for object in &mut self.objects {
            rename(object.pointer_mut("/metadata/namespace"), from, to);
            let subjects = object.get_mut("subjects").and_then(Value::as_array_mut);
            for subject in subjects.into_iter().flatten() {
                rename(subject.get_mut("namespace"), from, to);
            }
            let webhooks = object.get_mut("webhooks").and_then(Value::as_array_mut);
            for webhook in webhooks.into_iter().flatten() {
                rename(
                    webhook.pointer_mut("/clientConfig/service/namespace"),
                    from,
                    to,
                );
            }
            let conversion = "/spec/conversion/webhook/clientConfig/service/namespace";
            rename(object.pointer_mut(conversion), from, to);
            let annotations = object.pointer_mut("/metadata/annotations");
            for (key, value) in annotations
                .and_then(Value::as_object_mut)
                .into_iter()
                .flatten()
            {
                let secret = value
                    .as_str()
                    .and_then(|value| value.strip_prefix(from)?.strip_prefix('/'));
                if let Some(secret) =
                    secret.filter(|_| key.starts_with("cert-manager.io/inject-ca-from"))
                {
                    *value = format!("{to}/{secret}").into();
                }
            }
        }
        for pod in self.pod_specs() {
            let containers = pod.get_mut("containers").and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                let arguments = container.get_mut("args").and_then(Value::as_array_mut);
                for argument in arguments.into_iter().flatten() {
                    if let Some(moved) = argument
                        .as_str()
                        .and_then(|text| move_argument(text, from, to))
                    {
                        *argument = moved.into();
                    }
                }
            }
        }
    }
}

/// Returns an argument such as `--service-namespace=default` or `--dns-name=webhook.default.svc` in the other
/// namespace.
fn move_argument(argument: &str, from: &str, to: &str) -> Option<String> {
    let (flag, value) = argument.split_once('=')?;
    if flag.ends_with("namespace") && value == from {
        return Some(format!("{flag}={to}"));
    }
    let host = format!(".{from}.svc");
    argument
        .contains(&host)
        .then(|| argument.replace(&host, &format!(".{to}.svc")))
}

fn rename(namespace: Option<&mut Value>, from: &str, to: &str) {
    if let Some(namespace) = namespace.filter(|namespace| namespace.as_str() == Some(from)) {
        *namespace = to.into();
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Component;
    use super::*;

    #[test]
    fn everything_that_refers_to_a_namespace_moves_with_it() {
        let objects = |namespace: &str| {
            vec![
                json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                    "metadata": {"name": "a", "namespace": namespace},
                    "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": namespace},
                                 {"kind": "ServiceAccount", "name": "b", "namespace": "kube-system"}]}),
                json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
                    "metadata": {"name": "a", "annotations": {
                        "cert-manager.io/inject-ca-from": format!("{namespace}/ca"), "other": "default/ca"}},
                    "webhooks": [{"clientConfig": {"service": {"name": "a", "namespace": namespace}}}]}),
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": namespace},
                    "spec": {"template": {"spec": {"containers": [{"args": [
                        format!("--service-namespace={namespace}"), format!("--dns-name=a.{namespace}.svc"),
                        "--profile=default"]}]}}}}),
            ]
        };
        let mut manifest = Manifest {
            component: Component::ExternalSecrets,
            objects: objects("default"),
        };
        manifest.move_namespace("default", "external-secrets");
        assert_eq!(manifest.objects, objects("external-secrets"));
    }

    #[test]
    fn only_objects_that_need_a_namespace_get_one() {
        let mut manifest = Manifest {
            component: Component::ArgoCd,
            objects: vec![
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}),
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "b"}}),
                json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a"}}),
            ],
        };
        manifest.set_default_namespace("argocd");
        manifest.add_namespace("argocd");
        manifest.add_namespace("argocd");
        let namespaces: Vec<_> = manifest
            .objects
            .iter()
            .map(|object| text(object, "/metadata/namespace"))
            .collect();
        assert_eq!(namespaces, [None, Some("argocd"), Some("b"), None]);
    }
}
