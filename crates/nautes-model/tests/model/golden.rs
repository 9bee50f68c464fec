//! The golden manifests and their entities.

use std::collections::{BTreeMap, BTreeSet};

use nautes_model::entity::{
    Cluster, ClusterShape, CodeRepo, CodeRepoBinding, Component, ComponentSlot,
    DeploymentDestination, DeploymentRuntime, Entity, Environment, EventSource, GitlabEvents,
    Hooks, InputSource, Isolation, ManifestSource, Permissions, Pipeline, PipelineDestination,
    PipelineRuntime, PipelineTrigger, Project, TriggerInput, WorkerType,
};
use nautes_model::{EntityName, ProductId, RepositoryId};

pub(crate) const PRODUCT: ProductId = ProductId::new(41);

pub(crate) fn name(name: &str) -> EntityName {
    EntityName::new(name).expect("the name is valid")
}

pub(crate) fn environment() -> Environment {
    Environment {
        product: PRODUCT,
        name: name("staging"),
        cluster: name("vc-staging"),
        env_type: "staging".into(),
    }
}

pub(crate) fn project() -> Project {
    Project {
        product: PRODUCT,
        name: name("checkout"),
        language: "rust".into(),
    }
}

pub(crate) fn code_repo() -> CodeRepo {
    CodeRepo {
        product: PRODUCT,
        id: RepositoryId::new(128),
        repo_name: "checkout-src".into(),
        code_repo_provider: "gitlab-nautes".into(),
        project: Some(name("checkout")),
        deployment_runtime: false,
        pipeline_runtime: true,
        webhook_events: Some(BTreeSet::from(["push_events".into()])),
        url: None,
    }
}

pub(crate) fn code_repo_binding() -> CodeRepoBinding {
    CodeRepoBinding {
        product: PRODUCT,
        name: name("deploy-repo-to-checkout"),
        code_repo: RepositoryId::new(131),
        projects: BTreeSet::from([name("checkout")]),
        permissions: Permissions::ReadWrite,
    }
}

pub(crate) fn pipeline_runtime() -> PipelineRuntime {
    let on_push = GitlabEvents {
        events: BTreeSet::from(["push_events".into()]),
        code_repo: RepositoryId::new(128),
        revision: Some("main".into()),
    };
    PipelineRuntime {
        product: PRODUCT,
        name: name("checkout-ci"),
        project: name("checkout"),
        pipeline_source: RepositoryId::new(129),
        pipelines: BTreeMap::from([(
            "build".into(),
            Pipeline {
                label: Some("build".into()),
                path: "pipelines/build.yaml".into(),
            },
        )]),
        event_sources: BTreeMap::from([(
            "on-push".into(),
            EventSource {
                gitlab: Some(on_push),
                calendar: None,
            },
        )]),
        pipeline_triggers: vec![PipelineTrigger {
            event_source: "on-push".into(),
            pipeline: "build".into(),
            revision: None,
            inputs: vec![TriggerInput {
                source: InputSource::FromEvent("commitID".into()),
                kustomization_path: "spec.params.0.value".into(),
            }],
        }],
        destination: PipelineDestination {
            environment: name("build"),
            namespace: Some("checkout-ci".into()),
        },
        isolation: Isolation::Shared,
        account: Some("checkout-ci".into()),
        additional_resources: None,
        hooks: Hooks::default(),
    }
}

pub(crate) fn deployment_runtime() -> DeploymentRuntime {
    DeploymentRuntime {
        product: PRODUCT,
        name: name("checkout-staging"),
        projects: BTreeSet::from([name("checkout")]),
        manifest_source: ManifestSource {
            code_repo: RepositoryId::new(131),
            target_revision: "main".into(),
            path: "overlays/staging".into(),
        },
        destination: DeploymentDestination {
            environment: name("staging"),
            namespaces: vec!["checkout".into()],
        },
        account: Some("checkout-staging".into()),
    }
}

pub(crate) fn cluster() -> Cluster {
    let mut components: BTreeMap<ComponentSlot, Component> = [
        ComponentSlot::Deployment,
        ComponentSlot::EventListener,
        ComponentSlot::Gateway,
        ComponentSlot::MultiTenant,
        ComponentSlot::Pipeline,
        ComponentSlot::SecretManagement,
        ComponentSlot::SecretSync,
    ]
    .into_iter()
    .map(|slot| {
        let (name, namespace) = slot.default_component();
        (
            slot,
            Component {
                additions: BTreeMap::new(),
                name: name.into(),
                namespace: namespace.into(),
            },
        )
    })
    .collect();
    let mut add = |slot, additions: &[(&str, &str)]| {
        let component: &mut Component = components.get_mut(&slot).expect("the slot is filled");
        component.additions = additions
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect();
    };
    add(
        ComponentSlot::Deployment,
        &[("host", "argocd.vc-build.10.1.2.3.nip.io")],
    );
    add(
        ComponentSlot::Gateway,
        &[("httpNodePort", "30080"), ("httpsNodePort", "30443")],
    );
    add(
        ComponentSlot::MultiTenant,
        &[
            ("productResourceKustomizeFileFolder", "templates/pipelines"),
            ("productResourceRevision", "main"),
            ("syncResourceTypes", "tekton.dev/Pipeline"),
        ],
    );
    add(
        ComponentSlot::Pipeline,
        &[("host", "tekton.vc-build.10.1.2.3.nip.io")],
    );
    Cluster {
        name: name("vc-build"),
        namespace: "nautes".into(),
        api_server: "https://10.1.2.3:31743".into(),
        shape: ClusterShape::VirtualWorker {
            worker_type: WorkerType::Pipeline,
            host_cluster: name("host-a"),
        },
        primary_domain: Some("10.1.2.3.nip.io".into()),
        components,
        reserved_namespaces_allowed_products: BTreeMap::new(),
        product_allowed_cluster_resources: BTreeMap::new(),
    }
}

/// Returns each entity with the manifest that Nautes writes for it.
pub(crate) fn all() -> Vec<(Entity, &'static str)> {
    vec![
        (
            environment().into(),
            include_str!("../golden/manifests/environment.yaml"),
        ),
        (
            project().into(),
            include_str!("../golden/manifests/project.yaml"),
        ),
        (
            code_repo().into(),
            include_str!("../golden/manifests/code_repo.yaml"),
        ),
        (
            code_repo_binding().into(),
            include_str!("../golden/manifests/code_repo_binding.yaml"),
        ),
        (
            pipeline_runtime().into(),
            include_str!("../golden/manifests/pipeline_runtime.yaml"),
        ),
        (
            deployment_runtime().into(),
            include_str!("../golden/manifests/deployment_runtime.yaml"),
        ),
        (
            cluster().into(),
            include_str!("../golden/manifests/cluster.yaml"),
        ),
    ]
}
