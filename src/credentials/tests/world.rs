//! A GitLab with one product and a Vault, and processes that work on them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use gitlab_emulator::{Emulator, Failure, Fault};
use nautes_model::deploy_key::DeployKey;
use nautes_model::entity::{CodeRepo, CodeRepoBinding, Entity, Permissions, Project};
use nautes_model::vault::{ACCESS_TOKEN, DEPLOY_KEY, FINGERPRINT, GitSecret, ID, SecretPath};
use nautes_model::{EntityName, ProductId, RepositoryId};
use ssh_key::PrivateKey;
use testbed::{Inventory, OpenBao, OpenBaoProgram};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::backends::gitlab::{self, GitLab, NewGroup, NewProject, Visibility};
use crate::backends::vault::{self, Login, Vault};
use crate::config_repo::{CommitOptions, Options, PutMode, Repositories, Validation};
use crate::credentials::key_pair::is_same_key;
use crate::credentials::{Credentials, Error, RepositoryCredentials, Subscriber, TokenPolicy};
use crate::secret::ExposeSecret as _;
use crate::wait_graph::WaitGraph;

pub(super) struct World {
    pub(super) emulator: Emulator,
    pub(super) bao: OpenBao,
    pub(super) product: ProductId,
    pub(super) config_project: u64,
    _folder: tempfile::TempDir,
    _turn: SemaphorePermit<'static>,
}

/// The secrets that a call keeps: none.
pub(super) static NOTHING_KEPT: BTreeSet<GitSecret> = BTreeSet::new();

/// A server that starts beside many others is slow to become active.
static TURNS: Semaphore = Semaphore::const_new(3);

impl World {
    /// A product without repositories, and a Vault with the mount for their secrets.
    pub(super) async fn new() -> Self {
        let turn = TURNS.acquire().await.unwrap();
        let emulator = Emulator::builder().start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bao = blocking(|| {
            let program = OpenBaoProgram::obtain().unwrap();
            let bao = OpenBao::start(program, folder.path()).unwrap();
            bao.enable_kv("git").unwrap();
            bao
        });
        let gitlab = gitlab(&emulator);
        let group = NewGroup {
            name: "Shop".into(),
            path: "shop".into(),
            parent_id: None,
            description: String::new(),
            visibility: Visibility::Private,
        };
        let group = gitlab.create_group(&group).await.unwrap();
        let mut world = Self {
            emulator,
            bao,
            product: ProductId::new(group.id),
            config_project: 0,
            _folder: folder,
            _turn: turn,
        };
        world.config_project = world.create_project("default.project").await;
        let process = world.process();
        process.open().initialize().await.unwrap();
        process.put(world.project("checkout")).await;
        world
    }

    /// A process that knows nothing yet.
    pub(super) fn process(&self) -> Process {
        let commit = CommitOptions {
            author_name: Some("Nautes".into()),
            author_email: Some("nautes@example.com".into()),
            message_prefix: None,
        };
        let options = Options {
            branch: "main".into(),
            commit,
            tenant_repository: None,
            tenant: Some("nautes".into()),
            nautes_reconciles: false,
            installation: None,
        };
        let gitlab = self.gitlab();
        let repositories = Arc::new(Repositories::new(
            gitlab.clone(),
            options,
            WaitGraph::default(),
        ));
        let credentials = Credentials::new(gitlab, self.vault(), Arc::clone(&repositories));
        Process {
            credentials,
            repositories,
            product: self.product,
            config_project: self.config_project,
        }
    }

    pub(super) fn gitlab(&self) -> GitLab {
        gitlab(&self.emulator)
    }

    pub(super) fn vault(&self) -> Vault {
        let limits = vault::Limits {
            first_retry: Duration::from_millis(1),
            ..vault::Limits::default()
        };
        Vault::new(vault::Options {
            address: self.bao.url(),
            namespace: None,
            ca_pem: None,
            login: Login::Token(self.bao.root_token().into()),
            manage_mounts: false,
            limits,
        })
        .unwrap()
    }

    async fn create_project(&self, path: &str) -> u64 {
        let new = NewProject {
            name: path.into(),
            path: path.into(),
            namespace_id: self.product.number(),
            description: String::new(),
            visibility: Visibility::Private,
            default_branch: Some("main".into()),
            initialize_with_readme: true,
        };
        self.gitlab().create_project(&new).await.unwrap().id
    }

    /// A new repository with neither manifest nor credentials.
    pub(super) async fn bare_repository(&self, path: &str) -> RepositoryId {
        RepositoryId::new(self.create_project(path).await)
    }

    pub(super) fn code_repo(&self, id: RepositoryId, path: &str, project: Option<&str>) -> Entity {
        Entity::CodeRepo(CodeRepo {
            product: self.product,
            id,
            repo_name: path.into(),
            code_repo_provider: "gitlab-nautes".into(),
            project: project.map(name),
            deployment_runtime: false,
            pipeline_runtime: false,
            webhook_events: None,
            url: None,
        })
    }

    /// A repository with manifest and credentials, created by a process of its own.
    pub(super) async fn repository(&self, path: &str, project: Option<&str>) -> RepositoryId {
        let process = self.process();
        let id = self.bare_repository(path).await;
        process.put(self.code_repo(id, path, project)).await;
        process.ensure(id, None).await.unwrap();
        process.distribute(id).await.unwrap();
        id
    }

    pub(super) fn project(&self, of: &str) -> Entity {
        Entity::Project(Project {
            product: self.product,
            name: name(of),
            language: "go".into(),
        })
    }

    /// Opens a repository to the whole product.
    pub(super) fn binding(&self, opened: RepositoryId, permissions: Permissions) -> Entity {
        self.binding_for(opened, &[], permissions)
    }

    /// Opens a repository to projects, or to the whole product if there are none.
    pub(super) fn binding_for(
        &self,
        opened: RepositoryId,
        projects: &[&str],
        permissions: Permissions,
    ) -> Entity {
        Entity::CodeRepoBinding(CodeRepoBinding {
            product: self.product,
            name: name(&format!("{opened}-{}", permissions.as_str())),
            code_repo: opened,
            projects: projects.iter().copied().map(name).collect(),
            permissions,
        })
    }

    /// The titles of the keys that are enabled on a repository, and whether they may push.
    pub(super) async fn enabled(&self, on: RepositoryId) -> BTreeMap<String, bool> {
        let keys = self.gitlab().deploy_keys(on.number()).await.unwrap();
        let count = keys.len();
        let enabled: BTreeMap<String, bool> = keys
            .into_iter()
            .map(|key| (key.title, key.can_push))
            .collect();
        assert_eq!(enabled.len(), count, "a title twice on {on}");
        enabled
    }

    /// Asserts that a key is in GitLab once, and in Vault with its private key.
    pub(super) async fn assert_key(&self, owner: RepositoryId, permissions: Permissions) {
        let key = DeployKey { owner, permissions };
        let listed = self.gitlab().deploy_keys(owner.number()).await.unwrap();
        let titled: Vec<_> = listed
            .iter()
            .filter(|listed| listed.title == key.to_string())
            .collect();
        let [kept] = titled[..] else {
            panic!("{key}: {titled:?}");
        };
        assert_eq!(kept.can_push, permissions == Permissions::ReadWrite);

        let path = SecretPath::for_repository(owner, permissions.into());
        let stored = self.vault().read_secret(&path).await.unwrap().unwrap();
        let value = |key| stored.values.get(key).unwrap().expose_secret();
        assert_eq!(stored.values.keys().count(), 3);
        assert_eq!(value(ID), kept.id.to_string());
        assert_eq!(value(FINGERPRINT), kept.key);
        let private = PrivateKey::from_openssh(value(DEPLOY_KEY)).unwrap();
        let public = private.public_key().to_openssh().unwrap();
        assert!(is_same_key(&public, &kept.key));
        self.assert_policy(&path).await;
    }

    pub(super) async fn assert_keys(&self, owner: RepositoryId) {
        for permissions in Permissions::ALL {
            self.assert_key(owner, permissions).await;
        }
    }

    /// Asserts that there is one active token, and that it is the one in Vault.
    pub(super) async fn assert_token(&self, repository: RepositoryId) {
        let path = SecretPath::for_repository(repository, GitSecret::AccessToken);
        let stored = self.vault().read_secret(&path).await.unwrap().unwrap();
        let value = |key| stored.values.get(key).unwrap().expose_secret();
        assert_eq!(
            self.tokens(repository).await,
            [value(ID).parse::<u64>().unwrap()]
        );
        let gitlab = gitlab_as(&self.emulator, value(ACCESS_TOKEN));
        let project = repository.number();
        assert_eq!(gitlab.project(project).await.unwrap().id, project);
        self.assert_policy(&path).await;
    }

    /// The numbers of the active tokens of a repository.
    pub(super) async fn tokens(&self, repository: RepositoryId) -> Vec<u64> {
        let tokens = self.gitlab().access_tokens(repository.number()).await;
        let tokens = tokens.unwrap();
        let active = tokens.iter().filter(|token| token.active);
        active.map(|token| token.id).collect()
    }

    async fn assert_policy(&self, path: &SecretPath) {
        let policy = self.vault().policy(&path.policy_name()).await.unwrap();
        assert_eq!(policy, Some(path.policy_text()));
    }

    /// Asserts that nothing of a repository is left, but for the project itself.
    pub(super) async fn assert_nothing_left(&self, repository: RepositoryId) {
        assert!(self.enabled(repository).await.is_empty());
        assert_eq!(self.tokens(repository).await, [] as [u64; 0]);
        let left = self.vault_inventory();
        let left = left
            .keys()
            .filter(|name| name.contains(&repository.to_string()));
        assert_eq!(left.collect::<Vec<_>>(), [] as [&String; 0]);
    }

    pub(super) fn vault_inventory(&self) -> Inventory {
        blocking(|| self.bao.inventory().unwrap())
    }

    /// What kills a process at a call: that one and all later ones fail.
    pub(super) fn kill_at(&self, death: Death) {
        match death.server {
            Server::GitLab => {
                let fault = Fault {
                    method: None,
                    path: None,
                    skip: death.call as u64,
                    times: Some(1),
                    after_effect: death.after_effect,
                    failure: Failure::Drop,
                };
                let later = Fault {
                    times: None,
                    after_effect: false,
                    ..fault.clone()
                };
                self.emulator.inject_fault(fault).unwrap();
                self.emulator.inject_fault(later).unwrap();
            }
            Server::Vault => {
                let failed = testbed::Failure::Respond {
                    status: 500,
                    body: String::new(),
                };
                let later = testbed::Fault {
                    skip: death.call,
                    ..testbed::Fault::always(failed)
                };
                if death.after_effect {
                    let lost = testbed::Failure::DropResponse;
                    self.bao.proxy().inject_fault(testbed::Fault {
                        skip: death.call,
                        times: 1,
                        ..testbed::Fault::always(lost)
                    });
                }
                self.bao.proxy().inject_fault(later);
            }
        }
    }

    pub(super) fn heal(&self) {
        self.emulator.clear_faults();
        self.bao.proxy().clear_faults();
    }
}

/// Where a process dies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Death {
    pub(super) server: Server,
    /// How many calls to the server it makes before.
    pub(super) call: usize,
    /// Whether that call takes effect.
    pub(super) after_effect: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    GitLab,
    Vault,
}

/// A change of a manifest.
pub(super) enum Change {
    Put(Entity),
    Delete(Entity),
}

pub(super) struct Process {
    pub(super) credentials: Credentials,
    repositories: Arc<Repositories>,
    product: ProductId,
    config_project: u64,
}

impl Process {
    pub(super) fn open(&self) -> crate::config_repo::Repository {
        self.repositories.product(self.product, self.config_project)
    }

    pub(super) async fn put(&self, entity: Entity) {
        let repository = self.open();
        let request = repository.begin(entity.key());
        repository
            .put(&request, entity, PutMode::Create, Validation::Full)
            .await
            .unwrap();
    }

    pub(super) async fn change(&self, change: Change) {
        let repository = self.open();
        let changed = match change {
            Change::Put(entity) => {
                let (request, mode) = (repository.begin(entity.key()), PutMode::Update(None));
                repository
                    .put(&request, entity, mode, Validation::Full)
                    .await
            }
            Change::Delete(entity) => {
                let key = entity.key();
                let request = repository.begin(key.clone());
                repository.delete(&request, &key, Validation::Full).await
            }
        };
        changed.unwrap();
    }

    pub(super) async fn delete(&self, entity: &Entity) {
        let repository = self.open();
        let key = entity.key();
        let request = repository.begin(key.clone());
        repository
            .delete(&request, &key, Validation::Full)
            .await
            .unwrap();
    }

    pub(super) async fn ensure(
        &self,
        repository: RepositoryId,
        token: Option<&TokenPolicy>,
    ) -> Result<RepositoryCredentials, Error> {
        let now = std::time::SystemTime::now();
        self.credentials
            .ensure(repository, token, false, &NOTHING_KEPT, now)
            .await
    }

    pub(super) async fn remove(&self, repository: RepositoryId) {
        self.credentials.remove(repository, false).await.unwrap();
    }

    pub(super) async fn distribute(&self, repository: RepositoryId) -> Result<(), Error> {
        let before = None;
        self.distribute_for(Subscriber::Repository { repository, before })
            .await
    }

    pub(super) async fn distribute_for(&self, subscriber: Subscriber) -> Result<(), Error> {
        self.credentials
            .wait_for_distribution(self.product, self.config_project, subscriber)
            .await
    }
}

pub(super) fn token_policy() -> TokenPolicy {
    TokenPolicy::parse("8736h", "720h").unwrap()
}

/// Runs blocking work.
pub(super) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

fn name(name: &str) -> EntityName {
    EntityName::new(name).unwrap()
}

fn gitlab(emulator: &Emulator) -> GitLab {
    gitlab_as(emulator, &emulator.root_token)
}

fn gitlab_as(emulator: &Emulator, token: &str) -> GitLab {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let limits = gitlab::Limits {
        first_retry: Duration::from_millis(1),
        ..gitlab::Limits::default()
    };
    GitLab::new(&gitlab::Options {
        url: emulator.url.clone(),
        token: token.into(),
        ca_pem: None,
        limits,
    })
    .unwrap()
}
