//! What is refused before anything living is touched, with a Vault and without a command line.

use std::collections::BTreeSet;

use gitlab_emulator::Emulator;
use nautes_model::RepositoryId;
use nautes_model::vault::{DEPLOY_KEY, GitSecret, SecretPath};
use terraform_plugin::testing::driver::{Applied, Driver, Stored};
use terraform_plugin::value::Value;
use testbed::{Inventory, OpenBao, OpenBaoProgram};

use super::{ENVIRONMENT, config, environment, gitlab, succeed, text};
use crate::backends::gitlab::{
    FileAction, NewAccessToken, NewCommit, NewDeployKey, NewProject, Project, ProjectChange,
    Visibility,
};
use crate::backends::vault::{self, Expected, Login, SecretValues, Vault};
use crate::provider::{CommitBlock, GitLabBlock, Nautes, ProviderBlock, VaultBlock};
use crate::resources::code_repo::{AccessTokenModel, CodeRepoModel};
use crate::resources::product::ProductModel;

const PRODUCT: &str = "nautes_product";
const REPO: &str = "nautes_code_repo";

/// The public key of somebody.
const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm";

/// A GitLab with the product `shop`, a Vault, and the provider.
struct World {
    emulator: Emulator,
    bao: OpenBao,
    driver: Driver<Nautes>,
    provider: Value,
    shop: Stored,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let emulator = Emulator::builder().start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bao = blocking(|| {
            let bao = OpenBao::start(OpenBaoProgram::obtain().unwrap(), folder.path()).unwrap();
            bao.enable_kv("git").unwrap();
            bao
        });
        let provider = provider(&emulator, &bao, "main");
        let driver = Driver::configure(Nautes, provider.clone()).await.unwrap();
        let shop = config::<ProductModel, 1>([("name", text("shop"))]);
        let shop = succeed(driver.apply(PRODUCT, &shop, None).await.unwrap());
        Self {
            emulator,
            bao,
            driver,
            provider,
            shop,
            _folder: folder,
        }
    }

    /// Begins another run.
    async fn restart(&self) {
        self.driver.reconfigure(&self.provider).await.unwrap();
    }

    /// Begins another run with another GitLab.
    async fn restart_on(&self, emulator: &Emulator) {
        let provider = provider(emulator, &self.bao, "main");
        self.driver.reconfigure(&provider).await.unwrap();
    }

    /// Begins another run with another branch for the manifests.
    async fn restart_with_branch(&self, branch: &str) {
        let provider = provider(&self.emulator, &self.bao, branch);
        self.driver.reconfigure(&provider).await.unwrap();
    }

    async fn create(&self, config: &Value) -> Stored {
        succeed(self.driver.apply(REPO, config, None).await.unwrap())
    }

    async fn destroy(&self, type_name: &str, stored: &Stored) -> String {
        let gone = self.driver.apply(type_name, &Value::Null, Some(stored));
        match gone.await {
            Ok(applied) => messages(&applied),
            Err(failure) => format!("{failure:?}"),
        }
    }

    async fn project(&self, path: &str) -> Project {
        gitlab(&self.emulator).project(path).await.unwrap()
    }

    async fn project_by_hand(&self, path: &str) -> Project {
        let gitlab = gitlab(&self.emulator);
        let new = NewProject {
            name: path.into(),
            path: path.into(),
            namespace_id: gitlab.group("shop").await.unwrap().id,
            description: String::new(),
            visibility: Visibility::Private,
            default_branch: Some("main".into()),
            initialize_with_readme: true,
        };
        gitlab.create_project(&new).await.unwrap()
    }

    async fn commit(&self, project: &str, path: &str, content: &str) {
        let commit = NewCommit {
            branch: "main".into(),
            commit_message: "By hand".into(),
            author_name: None,
            author_email: None,
            actions: vec![FileAction::Create {
                file_path: path.into(),
                content: content.to_owned().into(),
            }],
        };
        let id = self.project(project).await.id;
        gitlab(&self.emulator)
            .create_commit(id, &commit)
            .await
            .unwrap();
    }

    fn inventory(&self) -> Inventory {
        blocking(|| self.bao.inventory().unwrap())
    }

    fn vault(&self) -> Vault {
        Vault::new(vault::Options {
            address: self.bao.url(),
            namespace: None,
            ca_pem: None,
            login: Login::Token(self.bao.root_token().into()),
            manage_mounts: false,
            limits: vault::Limits::default(),
        })
        .unwrap()
    }
}

fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

fn provider(emulator: &Emulator, bao: &OpenBao, branch: &str) -> Value {
    let gitlab = config::<GitLabBlock, 2>([
        ("url", text(&emulator.url)),
        ("token", text(&emulator.root_token)),
    ]);
    let vault = config::<VaultBlock, 2>([
        ("address", text(&bao.url())),
        ("token", text(bao.root_token())),
    ]);
    let commit = config::<CommitBlock, 1>([("branch", text(branch))]);
    config::<ProviderBlock, 3>([("gitlab", gitlab), ("vault", vault), ("commit", commit)])
}

fn messages(applied: &Applied) -> String {
    let found = applied.diagnostics.iter();
    let texts = found.map(|found| format!("{}: {}", found.summary, found.detail));
    texts.collect::<Vec<_>>().join("\n")
}

fn repo<const N: usize>(set: [(&str, Value); N]) -> Value {
    let mut all = config::<CodeRepoModel, 2>([("product", text("shop")), ("name", text("a"))]);
    let Value::Object(attributes) = &mut all else {
        panic!("a configuration is an object");
    };
    attributes.extend(set.map(|(name, value)| (name.to_owned(), value)));
    all
}

fn token() -> Value {
    config::<AccessTokenModel, 0>([])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_would_keep_the_path_is_refused_at_plan() {
    let world = World::new().await;
    let kept = repo([("deletion_policy", text("archive"))]);
    let stored = world.create(&kept).await;
    world.restart().await;
    let planned = world.driver.plan_replacement(REPO, &kept, &stored).await;
    let refused = format!("{:?}", planned.err().unwrap());
    assert!(refused.contains("would keep its path"), "{refused}");
    let renamed = repo([("deletion_policy", text("archive")), ("name", text("b"))]);
    let planned = world.driver.plan_replacement(REPO, &renamed, &stored).await;
    assert!(planned.unwrap().replaces);

    let product =
        config::<ProductModel, 2>([("name", text("shop")), ("deletion_policy", text("abandon"))]);
    let applied = world
        .driver
        .apply(PRODUCT, &product, Some(&world.shop))
        .await;
    let shop = succeed(applied.unwrap());
    let kept = String::from_utf8_lossy(&shop.private).into_owned();
    assert!(!kept.contains("replaced"), "{kept}");
    let planned = world
        .driver
        .plan_replacement(PRODUCT, &product, &shop)
        .await;
    let refused = format!("{:?}", planned.err().unwrap());
    assert!(refused.contains("would keep its path"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_replacement_obeys_a_new_policy_and_spares_work() {
    let world = World::new().await;
    let deleted = repo([]);
    let stored = world.create(&deleted).await;
    let kept = repo([("deletion_policy", text("abandon"))]);
    let planned = world.driver.plan_replacement(REPO, &kept, &stored).await;
    let refused = format!("{:?}", planned.err().unwrap());
    assert!(
        refused.contains("would delete what the configuration keeps"),
        "{refused}"
    );
    let planned = world.driver.plan_replacement(REPO, &deleted, &stored).await;
    assert!(planned.unwrap().replaces);
    world.commit("shop/a", "main.rs", "fn main() {}").await;
    let planned = world.driver.plan_replacement(REPO, &deleted, &stored).await;
    let refused = format!("{:?}", planned.err().unwrap());
    assert!(refused.contains("holds work"), "{refused}");

    world.project_by_hand("notes").await;
    let product = config::<ProductModel, 1>([("name", text("shop"))]);
    let planned = world
        .driver
        .plan_replacement(PRODUCT, &product, &world.shop)
        .await;
    let refused = format!("{:?}", planned.err().unwrap());
    assert!(refused.contains("shop/notes"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tainted_repository_that_is_kept_loses_nothing() {
    let world = World::new().await;
    let kept = repo([("deletion_policy", text("archive"))]);
    let mut stored = world.create(&kept).await;
    stored.tainted = true;
    stored.private.clear();
    let before = world.inventory();
    world.restart().await;
    let applied = world
        .driver
        .apply(REPO, &kept, Some(&stored))
        .await
        .unwrap();
    let refused = messages(&applied);
    assert!(refused.contains("would keep its path"), "{refused}");
    assert!(!world.project("shop/a").await.archived);
    assert_eq!(world.inventory(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gitlab_that_lacks_the_numbers_empties_no_state_and_no_vault() {
    let world = World::new().await;
    let stored = world.create(&repo([("access_token", token())])).await;
    let environment = environment("deploy-01");
    let skipped = ("insecure_skip_check".to_owned(), Value::Bool(true));
    let Value::Object(mut attributes) = environment else {
        panic!("a configuration is an object");
    };
    attributes.extend([skipped]);
    let environment = Value::Object(attributes);
    let applied = world.driver.apply(ENVIRONMENT, &environment, None).await;
    let environment = succeed(applied.unwrap());
    let before = world.inventory();
    let empty = Emulator::builder().start().await.unwrap();
    for (type_name, stored) in [
        (ENVIRONMENT, &environment),
        (REPO, &stored),
        (PRODUCT, &world.shop),
    ] {
        world.restart_on(&empty).await;
        let read = world.driver.read(type_name, stored).await;
        let refused = format!("{:?}", read.err().unwrap());
        assert!(refused.contains("gone"), "{refused}");
        world.restart_on(&empty).await;
        let refused = world.destroy(type_name, stored).await;
        assert!(refused.contains("the state is kept"), "{refused}");
    }
    assert_eq!(world.inventory(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_removes_no_keys_and_tokens_that_vault_does_not_hold() {
    let world = World::new().await;
    let project = world.project_by_hand("a").await;
    let gitlab = gitlab(&world.emulator);
    let key = NewDeployKey {
        title: format!("repo-{}-readonly", project.id),
        key: PUBLIC_KEY.to_owned(),
        can_push: false,
    };
    gitlab.create_deploy_key(project.id, &key).await.unwrap();
    let new = NewAccessToken {
        name: "accesstoken-api".into(),
        scopes: vec!["api".into()],
        access_level: 40,
        expires_at: "2027-01-01".into(),
    };
    gitlab.create_access_token(project.id, &new).await.unwrap();
    let adopts = repo([
        ("adopt_existing", Value::Bool(true)),
        ("access_token", token()),
    ]);
    let refused = messages(&world.driver.apply(REPO, &adopts, None).await.unwrap());
    assert!(refused.contains(&key.title), "{refused}");
    assert!(refused.contains("accesstoken-api"), "{refused}");
    assert_eq!(gitlab.deploy_keys(project.id).await.unwrap().len(), 1);
    let tokens = gitlab.access_tokens(project.id).await.unwrap();
    assert_eq!(tokens.iter().filter(|token| token.active).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_overwrites_no_manifest_and_takes_nothing_from_another_address() {
    let world = World::new().await;
    let stored = world.create(&repo([])).await;
    let adopts = repo([
        ("adopt_existing", Value::Bool(true)),
        ("pipeline_runtime", Value::Bool(true)),
    ]);
    let before = world.inventory();
    world.restart().await;
    let refused = messages(&world.driver.apply(REPO, &adopts, None).await.unwrap());
    assert!(refused.contains("pipelineRuntime"), "{refused}");
    assert!(
        refused.contains("terraform import nautes_code_repo"),
        "{refused}"
    );
    assert_eq!(world.inventory(), before);

    world.restart().await;
    world.driver.read(PRODUCT, &world.shop).await.unwrap();
    world.driver.read(REPO, &stored).await.unwrap();
    let planned = world.driver.plan(REPO, &adopts, None).await;
    let refused = format!("{:?}", planned.err().unwrap());
    assert!(refused.contains("is managed already"), "{refused}");

    world.restart().await;
    world.driver.read(PRODUCT, &world.shop).await.unwrap();
    let planned = world.driver.plan(REPO, &adopts, None).await;
    let refused = format!("{:?}", planned.err().unwrap());
    assert!(refused.contains("pipelineRuntime"), "{refused}");
    let product = config::<ProductModel, 2>([
        ("name", text("shop")),
        ("adopt_existing", Value::Bool(true)),
    ]);
    let planned = world.driver.plan(PRODUCT, &product, None).await;
    let refused = format!("{:?}", planned.err().unwrap());
    assert!(refused.contains("is managed already"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_whose_manifests_are_hidden_or_cannot_be_read_is_not_destroyed() {
    let world = World::new().await;
    world
        .commit("shop/default.project", "artifact-repos/x.yaml", "a: b\n")
        .await;
    world.restart().await;
    let refused = world.destroy(PRODUCT, &world.shop).await;
    assert!(refused.contains("artifact-repos/x.yaml"), "{refused}");
    let config_project = world.project("shop/default.project").await;
    let gitlab = gitlab(&world.emulator);
    gitlab.delete_project(config_project.id).await.unwrap();
    world.restart().await;
    let refused = world.destroy(PRODUCT, &world.shop).await;
    assert!(refused.contains("are not known"), "{refused}");
    assert!(!gitlab.group("shop").await.unwrap().is_marked_for_deletion());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_configuration_repository_and_a_wrong_branch_empty_no_state() {
    let world = World::new().await;
    let stored = world.create(&repo([])).await;
    let gitlab = gitlab(&world.emulator);
    let config_project = world.project("shop/default.project").await;
    let renamed = |path: &str| ProjectChange {
        path: Some(path.into()),
        ..ProjectChange::default()
    };
    let change = renamed("manifests");
    gitlab
        .edit_project(config_project.id, &change)
        .await
        .unwrap();
    for (type_name, stored) in [(PRODUCT, &world.shop), (REPO, &stored)] {
        world.restart().await;
        let read = world.driver.read(type_name, stored).await;
        let refused = format!("{:?}", read.err().unwrap());
        assert!(refused.contains("was renamed"), "{refused}");
    }
    let change = renamed("default.project");
    gitlab
        .edit_project(config_project.id, &change)
        .await
        .unwrap();
    world.restart().await;
    assert!(world.driver.read(REPO, &stored).await.unwrap().is_some());

    // This branch exists, and has no manifests.
    let commits = gitlab.commits(config_project.id, "main", 1).await.unwrap();
    let first = &commits.last().unwrap().id;
    gitlab
        .create_branch(config_project.id, "old", first)
        .await
        .unwrap();
    world.restart_with_branch("old").await;
    let read = world.driver.read(REPO, &stored).await;
    let refused = format!("{:?}", read.err().unwrap());
    assert!(refused.contains("may be in another branch"), "{refused}");
    world.restart_with_branch("old").await;
    let refused = world.destroy(REPO, &stored).await;
    assert!(refused.contains("may be in another branch"), "{refused}");
    assert!(!world.project("shop/a").await.is_marked_for_deletion());
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_without_an_owner_stay_when_the_group_was_deleted_by_hand() {
    let world = World::new().await;
    world.create(&repo([])).await;
    let id = RepositoryId::new(world.project("shop/a").await.id);
    let path = SecretPath::for_repository(id, GitSecret::ReadonlyKey);
    let vault = world.vault();
    let of_people = SecretValues::default().with(DEPLOY_KEY, "of people".to_owned());
    let version = vault
        .secret_metadata(&path)
        .await
        .unwrap()
        .unwrap()
        .current_version;
    let expected = Expected::Version(version);
    vault
        .write_secret(&path, &of_people, expected)
        .await
        .unwrap();
    vault.set_custom_metadata(&path, &[].into()).await.unwrap();
    let before: BTreeSet<String> = world.inventory().keys().cloned().collect();
    let gitlab = gitlab(&world.emulator);
    let group = gitlab.group("shop").await.unwrap();
    gitlab.delete_group(group.id).await.unwrap();
    world.restart().await;
    let read = world.driver.read(PRODUCT, &world.shop).await.unwrap();
    let refused = world.destroy(PRODUCT, &read.unwrap()).await;
    assert!(
        refused.contains("othing proves that the secret"),
        "{refused}"
    );
    let after: BTreeSet<String> = world.inventory().keys().cloned().collect();
    assert_eq!(after, before);
}
