//! In which order objects are applied and deleted.
//!
//! Objects of one [`Stage`] do not depend on each other. Applying runs through the stages forwards, deleting
//! backwards: a namespace exists before what is in it, a webhook is registered after the workload that
//! answers it and removed before it, and custom resources come last, when their controller runs, and go
//! first, while it still runs and can remove their finalizers.

use serde_json::Value;

use crate::object::{GroupKind, Object, ObjectRef};

/// When objects of a kind are applied.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Stage {
    /// Namespaces.
    Namespaces,
    /// Custom resource definitions.
    Definitions,
    /// Classes, admission policies, quotas and network policies: what governs the objects after them.
    Policies,
    /// Service accounts, configuration, secrets, volumes, and built-in kinds that belong nowhere else.
    Configuration,
    /// Roles and their bindings.
    Permissions,
    /// Services.
    Services,
    /// Whatever makes pods.
    Workloads,
    /// What refers to workloads and services: ingresses, autoscalers.
    Routes,
    /// Aggregated APIs, which a workload serves.
    AggregatedApis,
    /// Admission webhooks, which a workload answers.
    Webhooks,
    /// Custom resources.
    CustomResources,
}

impl From<&GroupKind> for Stage {
    fn from(kind: &GroupKind) -> Self {
        if !kind.is_built_in() {
            return Self::CustomResources;
        }
        match (kind.group.as_str(), kind.kind.as_str()) {
            ("", "Namespace") => Self::Namespaces,
            ("apiextensions.k8s.io", _) => Self::Definitions,
            ("admissionregistration.k8s.io", kind) if kind.ends_with("WebhookConfiguration") => {
                Self::Webhooks
            }
            ("", "ResourceQuota" | "LimitRange")
            | ("networking.k8s.io", "NetworkPolicy" | "IngressClass")
            | ("storage.k8s.io", "StorageClass" | "CSIDriver")
            | ("scheduling.k8s.io", "PriorityClass")
            | ("node.k8s.io", "RuntimeClass")
            | ("policy", "PodDisruptionBudget")
            | ("admissionregistration.k8s.io", _) => Self::Policies,
            ("rbac.authorization.k8s.io", _) => Self::Permissions,
            ("", "Service") => Self::Services,
            ("", "Pod" | "ReplicationController") | ("apps" | "batch", _) => Self::Workloads,
            ("networking.k8s.io", "Ingress") | ("autoscaling", _) => Self::Routes,
            ("apiregistration.k8s.io", _) => Self::AggregatedApis,
            _ => Self::Configuration,
        }
    }
}

/// Sorts the names of objects into the stages in which they are deleted. Within a stage their order is
/// reversed.
pub(crate) fn deletion_stages(mut objects: Vec<ObjectRef>) -> Vec<(Stage, Vec<ObjectRef>)> {
    objects.reverse();
    let mut stages = by_stage(objects, |object| &object.kind);
    stages.reverse();
    stages
}

/// Sorts what is to be applied into the stages in which that is done. Within a stage the order stays.
pub(crate) fn by_stage<T>(
    mut items: Vec<T>,
    kind: impl Fn(&T) -> &GroupKind,
) -> Vec<(Stage, Vec<T>)> {
    items.sort_by_key(|item| Stage::from(kind(item)));
    let mut stages: Vec<(Stage, Vec<T>)> = Vec::new();
    for item in items {
        let stage = Stage::from(kind(&item));
        match stages.last_mut() {
            Some((last, items)) if *last == stage => items.push(item),
            _ => stages.push((stage, vec![item])),
        }
    }
    stages
}

/// Returns the kind that a custom resource definition defines.
pub fn defined_kind(definition: &Object) -> Option<GroupKind> {
    let is_definition = definition
        .reference()
        .kind
        .is("apiextensions.k8s.io", "CustomResourceDefinition");
    let text = |pointer| definition.get(pointer).and_then(Value::as_str);
    is_definition.then_some(())?;
    Some(GroupKind::new(
        text("/spec/group")?,
        text("/spec/names/kind")?,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const KINDS: [(&str, &str); 14] = [
        ("", "Namespace"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("", "ServiceAccount"),
        ("", "Secret"),
        ("coordination.k8s.io", "Lease"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("", "Service"),
        ("apps", "Deployment"),
        ("networking.k8s.io", "Ingress"),
        ("apiregistration.k8s.io", "APIService"),
        (
            "admissionregistration.k8s.io",
            "ValidatingWebhookConfiguration",
        ),
        ("gateway.networking.k8s.io", "Gateway"),
        ("argoproj.io", "Application"),
    ];

    fn object(&(group, kind): &(&str, &str), name: &str) -> Object {
        let api_version = match group {
            "" => "v1".to_owned(),
            group => format!("{group}/v1"),
        };
        Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}))
            .unwrap()
    }

    #[test]
    fn kinds_are_applied_before_what_depends_on_them() {
        let mut objects: Vec<Object> = KINDS.iter().rev().map(|kind| object(kind, "a")).collect();
        objects = by_stage(objects, |object| &object.reference().kind)
            .into_iter()
            .flat_map(|(_, stage)| stage)
            .collect();
        let position = |kind: &str| {
            let of_kind = |object: &Object| object.reference().kind.kind == kind;
            objects.iter().position(of_kind).unwrap()
        };
        for (earlier, later) in [
            ("Namespace", "CustomResourceDefinition"),
            ("CustomResourceDefinition", "Application"),
            ("ServiceAccount", "Deployment"),
            ("Secret", "Deployment"),
            ("ClusterRole", "Deployment"),
            ("NetworkPolicy", "Deployment"),
            ("Service", "Deployment"),
            ("Deployment", "Ingress"),
            ("Deployment", "APIService"),
            ("Deployment", "ValidatingWebhookConfiguration"),
            ("ValidatingWebhookConfiguration", "Application"),
            ("Lease", "Deployment"),
            ("Ingress", "Gateway"),
        ] {
            assert!(
                position(earlier) < position(later),
                "{earlier} before {later}"
            );
        }
    }

    #[test]
    fn an_admission_policy_is_no_webhook() {
        let kind = GroupKind::new(
            "admissionregistration.k8s.io",
            "ValidatingAdmissionPolicyBinding",
        );
        assert_eq!(Stage::from(&kind), Stage::Policies);
    }

    #[test]
    fn a_definition_names_the_kind_that_it_defines() {
        let definition = Object::new(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com"},
            "spec": {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}}
        }))
        .unwrap();
        assert_eq!(
            defined_kind(&definition),
            Some(GroupKind::new("example.com", "Widget"))
        );
        assert_eq!(defined_kind(&object(&("", "Secret"), "a")), None);
    }

    proptest! {
        #[test]
        fn stages_hold_every_object_once_in_order(kinds in prop::collection::vec(0..KINDS.len(), 0..40)) {
            let objects: Vec<Object> = kinds
                .iter()
                .enumerate()
                .map(|(index, kind)| object(&KINDS[*kind], &format!("o{index:02}")))
                .collect();
            let staged = by_stage(objects.clone(), |object| &object.reference().kind);
            prop_assert!(staged.iter().map(|(stage, _)| stage).is_sorted());
            for (stage, objects) in &staged {
                prop_assert!(!objects.is_empty());
                prop_assert!(objects.iter().all(|object| Stage::from(&object.reference().kind) == *stage));
                prop_assert!(objects.iter().map(|object| &object.reference().name).is_sorted());
            }
            let applied: Vec<ObjectRef> = staged
                .into_iter()
                .flat_map(|(_, stage)| stage)
                .map(|object| object.reference().clone())
                .collect();
            prop_assert_eq!(applied.len(), objects.len());

            let names = objects.iter().map(|object| object.reference().clone()).collect();
            let mut deleted: Vec<ObjectRef> =
                deletion_stages(names).into_iter().flat_map(|(_, stage)| stage).collect();
            deleted.reverse();
            prop_assert_eq!(deleted, applied);
        }
    }
}
