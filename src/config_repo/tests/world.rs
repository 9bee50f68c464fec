//! A GitLab with one product, and processes that work on it.

use std::collections::BTreeSet;
use std::time::Duration;

use gitlab_emulator::{Builder, Emulator, Failure, Fault, JournalEntry};
use nautes_model::entity::{Entity, Environment, Project};
use nautes_model::{EntityKey, EntityName, Kind, ProductId};

use crate::backends::gitlab::{self, GitLab, Limits, NewGroup, NewProject, Visibility};
use crate::config_repo::{
    CommitOptions, Error, Options, PutMode, Repositories, Repository, TenantRepository, Validation,
    Written,
};
use crate::wait_graph::{Request, WaitGraph};

pub(super) struct World {
    pub(super) emulator: Emulator,
    pub(super) product: ProductId,
    pub(super) project: u64,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(Emulator::builder()).await
    }

    /// A product whose repository has its first two commits: `README.md` and the kustomization.
    pub(super) async fn with(builder: Builder) -> Self {
        let emulator = builder.start().await.unwrap();
        let gitlab = client(&emulator.url, &emulator.root_token);
        let group = gitlab
            .create_group(&NewGroup {
                name: "Shop".into(),
                path: "shop".into(),
                parent_id: None,
                description: String::new(),
                visibility: Visibility::Private,
            })
            .await
            .unwrap();
        let project = gitlab
            .create_project(&default_project(group.id, true))
            .await
            .unwrap();
        let world = Self {
            emulator,
            product: ProductId::new(group.id),
            project: project.id,
        };
        world.process().open().initialize().await.unwrap();
        world.emulator.clear_journal();
        world
    }

    pub(super) fn gitlab(&self) -> GitLab {
        client(&self.emulator.url, &self.emulator.root_token)
    }

    /// A process of its own: nothing is known to it.
    pub(super) fn process(&self) -> Process {
        self.process_with(None)
    }

    pub(super) fn process_with(&self, tenant_repository: Option<TenantRepository>) -> Process {
        self.process_of(self.gitlab(), tenant_repository)
    }

    /// A process that reaches the emulator on another way.
    pub(super) fn process_through(&self, url: &str) -> Process {
        self.process_of(client(url, &self.emulator.root_token), None)
    }

    fn process_of(&self, gitlab: GitLab, tenant_repository: Option<TenantRepository>) -> Process {
        let options = Options {
            branch: "main".into(),
            commit: CommitOptions {
                author_name: Some("Nautes".into()),
                author_email: Some("nautes@example.com".into()),
                message_prefix: None,
            },
            tenant_repository,
            tenant: Some("nautes".into()),
            nautes_reconciles: false,
            installation: None,
        };
        let repositories = Repositories::new(gitlab, options, WaitGraph::default());
        Process {
            repositories,
            product: self.product,
            project: self.project,
        }
    }

    /// The names of the environments that the branch holds, as a new process sees them.
    pub(super) async fn environments(&self) -> BTreeSet<String> {
        let snapshot = self.process().open().snapshot().await.unwrap();
        snapshot
            .tree()
            .environments()
            .map(|environment| environment.name.to_string())
            .collect()
    }

    /// Whether the kustomization lists every manifest and nothing else.
    pub(super) async fn kustomization_is_right(&self) -> bool {
        let snapshot = self.process().open().snapshot().await.unwrap();
        let tree = snapshot.tree();
        tree.entities().all(|entity| tree.is_listed(&entity.key()))
            && tree.stale_kustomization_entries().is_empty()
    }

    pub(super) async fn commits(&self) -> Vec<gitlab::Commit> {
        let gitlab = self.gitlab();
        let mut all = Vec::new();
        for page in 1.. {
            let commits = gitlab.commits(self.project, "main", page).await.unwrap();
            if commits.is_empty() {
                break;
            }
            all.extend(commits);
        }
        all
    }

    pub(super) fn inject(&self, method: &str, path: &str, after_effect: bool, failure: Failure) {
        self.emulator
            .inject_fault(Fault {
                method: Some(method.into()),
                path: Some(path.into()),
                skip: 0,
                times: Some(1),
                after_effect,
                failure,
            })
            .unwrap();
    }

    /// The calls since the journal was cleared.
    pub(super) fn calls(&self) -> Vec<String> {
        self.emulator
            .journal()
            .iter()
            .map(JournalEntry::call)
            .collect()
    }

    pub(super) fn commits_sent(&self) -> usize {
        self.calls().iter().filter(|call| is_commit(call)).count()
    }
}

pub(super) fn is_commit(call: &str) -> bool {
    call.starts_with("POST") && call.ends_with("/repository/commits")
}

pub(super) fn default_project(group: u64, initialize_with_readme: bool) -> NewProject {
    NewProject {
        name: "default.project".into(),
        path: "default.project".into(),
        namespace_id: group,
        description: String::new(),
        visibility: Visibility::Private,
        default_branch: Some("main".into()),
        initialize_with_readme,
    }
}

fn client(url: &str, token: &str) -> GitLab {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let limits = Limits {
        request: Duration::from_secs(20),
        open_circuit_after: Duration::from_secs(10),
        probe_interval: Duration::from_millis(50),
        first_retry: Duration::from_millis(10),
        ..Limits::default()
    };
    GitLab::new(&gitlab::Options {
        url: url.to_owned(),
        token: token.into(),
        ca_pem: None,
        limits,
    })
    .unwrap()
}

pub(super) struct Process {
    pub(super) repositories: Repositories,
    product: ProductId,
    project: u64,
}

impl Process {
    pub(super) fn open(&self) -> Repository {
        self.repositories.product(self.product, self.project)
    }

    /// Begins a request that will write the manifest of an entity.
    pub(super) fn begin(&self, key: &EntityKey) -> Request {
        self.open().begin(key.clone())
    }

    pub(super) async fn create(&self, entity: Entity) -> Result<Written, Error> {
        self.put(&self.begin(&entity.key()), entity, PutMode::Create)
            .await
    }

    pub(super) async fn update(&self, entity: Entity) -> Result<Written, Error> {
        let request = self.begin(&entity.key());
        self.put(&request, entity, PutMode::Update(None)).await
    }

    pub(super) async fn put(
        &self,
        request: &Request,
        entity: Entity,
        mode: PutMode,
    ) -> Result<Written, Error> {
        let repository = self.open();
        repository
            .put(request, entity, mode, Validation::Full)
            .await
    }

    pub(super) async fn delete(&self, key: &EntityKey) -> Result<Written, Error> {
        self.delete_in(&self.begin(key), key).await
    }

    pub(super) async fn delete_in(
        &self,
        request: &Request,
        key: &EntityKey,
    ) -> Result<Written, Error> {
        self.open().delete(request, key, Validation::Full).await
    }

    /// Makes changes as Terraform does: so many requests at the same time.
    pub(super) async fn create_all(&self, entities: Vec<Entity>, parallelism: usize) {
        use futures_util::StreamExt;
        futures_util::stream::iter(entities)
            .for_each_concurrent(parallelism, async |entity| {
                self.create(entity).await.unwrap();
            })
            .await;
    }
}

pub(super) fn name(name: &str) -> EntityName {
    EntityName::new(name).unwrap()
}

/// Environments in which no two of different names share a cluster.
pub(super) fn environment(product: ProductId, of: &str) -> Entity {
    on_cluster(product, of, &format!("cluster-{of}"))
}

pub(super) fn on_cluster(product: ProductId, of: &str, cluster: &str) -> Entity {
    Entity::Environment(Environment {
        product,
        name: name(of),
        cluster: name(cluster),
        env_type: "test".into(),
    })
}

pub(super) fn environments(product: ProductId, count: usize) -> Vec<Entity> {
    (0..count)
        .map(|number| environment(product, &format!("env-{number:03}")))
        .collect()
}

pub(super) fn project(product: ProductId, of: &str, language: &str) -> Entity {
    Entity::Project(Project {
        product,
        name: name(of),
        language: language.into(),
    })
}

pub(super) fn key(kind: Kind, of: &str) -> EntityKey {
    EntityKey::new(kind, name(of))
}
