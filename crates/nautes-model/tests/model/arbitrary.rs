//! Proptest strategies for entities.

use nautes_model::entity::{
    AdditionalResources, Calendar, Cluster, ClusterResource, ClusterShape, CodeRepo,
    CodeRepoBinding, Component, ComponentSlot, DeploymentDestination, DeploymentRuntime, Entity,
    Environment, EventSource, GitlabEvents, Hook, Hooks, InputSource, Isolation, ManifestSource,
    Permissions, Pipeline, PipelineDestination, PipelineRuntime, PipelineTrigger, Project,
    TriggerInput, WorkerType,
};
use nautes_model::{EntityName, ProductId, RepositoryId};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

/// Texts, many of which look like other YAML types.
pub(crate) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        any::<String>(),
        "[-+.:_0-9exobTZ ,#]{0,12}",
        "[ \\n\\t'\"a:#>|\\-]{0,12}",
        "([a-z]{1,12} {1,2}){0,20}",
        "[\\r\\n\u{85}\u{a0}\u{2028}\u{2029}\u{feff} a]{0,6}",
        "(true|True|null|~|yes|on|inf|nan|[.]|[+]|-){0,2}",
    ]
    .boxed()
}

fn some_text() -> BoxedStrategy<Option<String>> {
    option::of(text().prop_filter("an optional text is not empty", |text| !text.is_empty())).boxed()
}

pub(crate) fn name() -> BoxedStrategy<EntityName> {
    "[a-z0-9]([a-z0-9-]{0,12}[a-z0-9])?([.][a-z0-9]{1,3}){0,2}"
        .prop_map(|name| EntityName::new(name).expect("the pattern gives names"))
        .boxed()
}

fn product() -> impl Strategy<Value = ProductId> {
    any::<u64>().prop_map(ProductId::new)
}

fn repository() -> impl Strategy<Value = RepositoryId> {
    any::<u64>().prop_map(RepositoryId::new)
}

fn environment() -> impl Strategy<Value = Environment> {
    (product(), name(), name(), text()).prop_map(|(product, name, cluster, env_type)| Environment {
        product,
        name,
        cluster,
        env_type,
    })
}

fn project() -> impl Strategy<Value = Project> {
    (product(), name(), text()).prop_map(|(product, name, language)| Project {
        product,
        name,
        language,
    })
}

fn code_repo() -> impl Strategy<Value = CodeRepo> {
    let flags = (any::<bool>(), any::<bool>());
    let texts = (
        text(),
        text(),
        option::of(btree_set(text(), 0..4)),
        some_text(),
    );
    (product(), repository(), option::of(name()), flags, texts).prop_map(
        |(product, id, project, (deployment_runtime, pipeline_runtime), texts)| {
            let (repo_name, code_repo_provider, webhook_events, url) = texts;
            CodeRepo {
                product,
                id,
                repo_name,
                code_repo_provider,
                project,
                deployment_runtime,
                pipeline_runtime,
                webhook_events,
                url,
            }
        },
    )
}

fn code_repo_binding() -> impl Strategy<Value = CodeRepoBinding> {
    let permissions = prop_oneof![Just(Permissions::ReadOnly), Just(Permissions::ReadWrite)];
    (
        product(),
        name(),
        repository(),
        btree_set(name(), 0..4),
        permissions,
    )
        .prop_map(
            |(product, name, code_repo, projects, permissions)| CodeRepoBinding {
                product,
                name,
                code_repo,
                projects,
                permissions,
            },
        )
}

fn deployment_runtime() -> impl Strategy<Value = DeploymentRuntime> {
    let source = (repository(), text(), text());
    let destination = (name(), vec(text(), 0..3));
    (
        product(),
        name(),
        btree_set(name(), 0..3),
        source,
        destination,
        some_text(),
    )
        .prop_map(
            |(product, name, projects, source, (environment, namespaces), account)| {
                let (code_repo, target_revision, path) = source;
                DeploymentRuntime {
                    product,
                    name,
                    projects,
                    manifest_source: ManifestSource {
                        code_repo,
                        target_revision,
                        path,
                    },
                    destination: DeploymentDestination {
                        environment,
                        namespaces,
                    },
                    account,
                }
            },
        )
}

fn event_source() -> impl Strategy<Value = EventSource> {
    let gitlab = (btree_set(text(), 0..3), repository(), some_text()).prop_map(
        |(events, code_repo, revision)| GitlabEvents {
            events,
            code_repo,
            revision,
        },
    );
    let calendar = (vec(text(), 0..3), some_text(), some_text(), some_text()).prop_map(
        |(exclusion_dates, interval, schedule, timezone)| Calendar {
            exclusion_dates,
            interval,
            schedule,
            timezone,
        },
    );
    (option::of(gitlab), option::of(calendar))
        .prop_map(|(gitlab, calendar)| EventSource { gitlab, calendar })
}

fn trigger() -> impl Strategy<Value = PipelineTrigger> {
    let source = text().prop_filter("a source is not empty", |text| !text.is_empty());
    let input = (any::<bool>(), source, text()).prop_map(|(built_in, name, path)| TriggerInput {
        source: if built_in {
            InputSource::BuiltInVar(name)
        } else {
            InputSource::FromEvent(name)
        },
        kustomization_path: path,
    });
    (text(), text(), some_text(), vec(input, 0..3)).prop_map(
        |(event_source, pipeline, revision, inputs)| PipelineTrigger {
            event_source,
            pipeline,
            revision,
            inputs,
        },
    )
}

fn hooks() -> impl Strategy<Value = Hooks> {
    let hook = || {
        (text(), some_text(), btree_map(text(), text(), 0..3))
            .prop_map(|(name, alias, vars)| Hook { name, alias, vars })
    };
    (vec(hook(), 0..2), vec(hook(), 0..2)).prop_map(|(post, pre)| Hooks { post, pre })
}

fn pipeline_runtime() -> impl Strategy<Value = PipelineRuntime> {
    let pipeline = (some_text(), text()).prop_map(|(label, path)| Pipeline { label, path });
    let resources = (option::of(repository()), text(), text(), some_text()).prop_map(
        |(code_repo, path, revision, url)| AdditionalResources {
            code_repo,
            path,
            revision,
            url,
        },
    );
    let lists = (
        btree_map(text(), pipeline, 0..3),
        btree_map(text(), event_source(), 0..3),
        vec(trigger(), 0..3),
    );
    let destination = (name(), some_text());
    let rest = (any::<bool>(), some_text(), option::of(resources), hooks());
    (
        product(),
        name(),
        name(),
        repository(),
        lists,
        destination,
        rest,
    )
        .prop_map(
            |(product, name, project, pipeline_source, lists, (environment, namespace), rest)| {
                let (pipelines, event_sources, pipeline_triggers) = lists;
                let (exclusive, account, additional_resources, hooks) = rest;
                PipelineRuntime {
                    product,
                    name,
                    project,
                    pipeline_source,
                    pipelines,
                    event_sources,
                    pipeline_triggers,
                    destination: PipelineDestination {
                        environment,
                        namespace,
                    },
                    isolation: if exclusive {
                        Isolation::Exclusive
                    } else {
                        Isolation::Shared
                    },
                    account,
                    additional_resources,
                    hooks,
                }
            },
        )
}

fn cluster() -> impl Strategy<Value = Cluster> {
    let worker = prop_oneof![Just(WorkerType::Deployment), Just(WorkerType::Pipeline)];
    let shape = prop_oneof![
        Just(ClusterShape::Host),
        worker.clone().prop_map(ClusterShape::PhysicalWorker),
        (worker, name()).prop_map(|(worker_type, host_cluster)| ClusterShape::VirtualWorker {
            worker_type,
            host_cluster
        }),
    ];
    let component = (btree_map(text(), text(), 0..3), text(), text()).prop_map(
        |(additions, name, namespace)| Component {
            additions,
            name,
            namespace,
        },
    );
    let slot = prop::sample::select(ComponentSlot::ALL.to_vec());
    let resource = (text(), text()).prop_map(|(group, kind)| ClusterResource { group, kind });
    let maps = (
        btree_map(slot, component, 0..4),
        btree_map(text(), btree_set(text(), 0..3), 0..3),
        btree_map(text(), btree_set(resource, 0..3), 0..3),
    );
    (name(), text(), text(), shape, some_text(), maps).prop_map(
        |(name, namespace, api_server, shape, primary_domain, maps)| Cluster {
            name,
            namespace,
            api_server,
            shape,
            primary_domain,
            components: maps.0,
            reserved_namespaces_allowed_products: maps.1,
            product_allowed_cluster_resources: maps.2,
        },
    )
}

/// Entities of all kinds that have a manifest.
pub(crate) fn entity() -> impl Strategy<Value = Entity> {
    prop_oneof![
        environment().prop_map(Entity::from).boxed(),
        project().prop_map(Entity::from).boxed(),
        code_repo().prop_map(Entity::from).boxed(),
        code_repo_binding().prop_map(Entity::from).boxed(),
        pipeline_runtime().prop_map(Entity::from).boxed(),
        deployment_runtime().prop_map(Entity::from).boxed(),
        cluster().prop_map(Entity::from).boxed(),
    ]
}
