//! Imports a product that Nautes v0.4.2 created; the next plan is empty.

#![expect(
    clippy::indexing_slicing,
    reason = "a missing field of a response reads as null"
)]

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use regex::Regex;
use serde_json::{Value, json};
use testbed::Method;

use crate::openssh_key;
use crate::test_env::{Case, TestEnv};

/// The configuration of the imported product.
const CONFIGURATION: &str = r#"
resource "nautes_product" "shop" {
  name         = "shop"
  display_name = "Web shop"
  description  = "Sells books"
}

resource "nautes_environment" "staging" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = "vc-staging"
  env_type = "staging"
}

resource "nautes_project" "checkout" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}

resource "nautes_project" "delivery" {
  product = nautes_product.shop.id
  name    = "delivery"
}

resource "nautes_code_repo" "source" {
  product        = nautes_product.shop.id
  name           = "checkout-src"
  description    = "Till"
  project        = nautes_project.checkout.name
  webhook_events = ["push_events", "tag_push_events"]
}

resource "nautes_code_repo" "deployment" {
  product            = nautes_product.shop.id
  name               = "checkout-deploy"
  project            = nautes_project.checkout.name
  deployment_runtime = true
}

resource "nautes_code_repo" "pipelines" {
  product          = nautes_product.shop.id
  name             = "pipelines"
  pipeline_runtime = true
}

resource "nautes_code_repo_binding" "pipelines" {
  product     = nautes_product.shop.id
  name        = "pipelines-to-checkout"
  code_repo   = nautes_code_repo.pipelines.id
  projects    = [nautes_project.checkout.name]
  permissions = "readonly"
}
"#;

/// An argument that exists only in Terraform, so that an import cannot find it. The same holds for the form of a
/// reference, which is an id or a name.
const ONLY_IN_TERRAFORM: &str = "force_destroy";

/// The policy that the installation grants the tenant's Argo CD.
const INSTALLED_POLICY: &str = "argo";

const EMPTY_KUSTOMIZATION: &str =
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

/// The GitLab ids of a product that Nautes created.
struct NautesProduct {
    product: u64,
    config_repository: u64,
    source: Repository,
    deployment: Repository,
    pipelines: Repository,
}

/// The GitLab ids of a repository and its deploy keys.
struct Repository {
    id: u64,
    readonly: u64,
    readwrite: u64,
}

impl NautesProduct {
    /// Creates the product in the order of Nautes, with the environment last.
    fn create(env: &TestEnv) -> anyhow::Result<Self> {
        let group = json!({
            "name": "Web shop",
            "path": "shop",
            "visibility": "private",
            "description": "Sells books",
        });
        let product = env.create("/groups", &group)?;
        let project = json!({
            "name": "default.project",
            "namespace_id": product,
            "initialize_with_readme": true,
        });
        let config_repository = env.create("/projects", &project)?;
        env.create_file(
            "production/kustomization.yaml",
            EMPTY_KUSTOMIZATION,
            "initial commit.",
        )?;
        env.create_key(config_repository, "readonly")?;
        env.grant_to_argo_cd(config_repository)?;

        for (name, language) in [("checkout", "rust"), ("delivery", "\"\"")] {
            let spec = format!("  language: {language}\n  product: product-{product}\n");
            let path = format!("projects/{name}/{name}.yaml");
            env.create_manifest(&path, "Project", name, &spec)?;
        }
        let created = Self {
            source: env.create_repository(product, "checkout-src", "Till")?,
            deployment: env.create_repository(product, "checkout-deploy", "")?,
            pipelines: env.create_repository(product, "pipelines", "")?,
            product,
            config_repository,
        };
        created.create_manifests(env)?;
        created.enable_keys(env)?;
        Ok(created)
    }

    fn create_manifests(&self, env: &TestEnv) -> Case {
        let Self { product, .. } = self;
        for (repository, flags, project, name, webhook) in [
            (
                &self.source,
                [false, false],
                "checkout",
                "checkout-src",
                "\n    events:\n    - push_events\n    - tag_push_events",
            ),
            (
                &self.deployment,
                [true, false],
                "checkout",
                "checkout-deploy",
                " null",
            ),
            (&self.pipelines, [false, true], "\"\"", "pipelines", " null"),
        ] {
            let [deployment, pipeline] = flags;
            let spec = format!(
                "  codeRepoProvider: gitlab-nautes\n  deploymentRuntime: {deployment}\n  pipelineRuntime: {pipeline}\n  product: product-{product}\n  project: {project}\n  repoName: {name}\n  webhook:{webhook}\n"
            );
            let id = format!("repo-{}", repository.id);
            env.create_manifest(
                &format!("code-repos/{id}/{id}.yaml"),
                "CodeRepo",
                &id,
                &spec,
            )?;
        }
        let bound = format!("repo-{}", self.pipelines.id);
        let name = "pipelines-to-checkout";
        let spec = format!(
            "  codeRepo: {bound}\n  permissions: readonly\n  product: product-{product}\n  projects:\n  - checkout\n"
        );
        let path = format!("code-repos/{bound}/{name}.yaml");
        env.create_manifest(&path, "CodeRepoBinding", name, &spec)?;
        let spec =
            format!("  cluster: vc-staging\n  envType: staging\n  product: product-{product}\n");
        env.create_manifest("envs/staging.yaml", "Environment", "staging", &spec)?;
        env.update_file("production/kustomization.yaml", &self.kustomization())
    }

    /// Returns the kustomization after the last save: the older entries in byte order, then the new one.
    fn kustomization(&self) -> String {
        let numbers =
            [&self.source, &self.deployment, &self.pipelines].map(|repository| repository.id);
        let mut files: Vec<String> = numbers
            .map(|id| format!("code-repos/repo-{id}/repo-{id}.yaml"))
            .to_vec();
        let bound = self.pipelines.id;
        files.push(format!(
            "code-repos/repo-{bound}/pipelines-to-checkout.yaml"
        ));
        files.push("projects/checkout/checkout.yaml".to_owned());
        files.push("projects/delivery/delivery.yaml".to_owned());
        files.sort();
        files.push("envs/staging.yaml".to_owned());
        let lines = files.join("\n- ../");
        format!("{EMPTY_KUSTOMIZATION}resources:\n- ../{lines}\n")
    }

    /// Enables the keys that the shared project grants to its two repositories, and those that the binding grants.
    fn enable_keys(&self, env: &TestEnv) -> Case {
        let Self {
            source,
            deployment,
            pipelines,
            ..
        } = self;
        for (target, owner) in [(source, deployment), (deployment, source)] {
            env.enable_key(target, owner.readonly)?;
            env.enable_key(target, owner.readwrite)?;
            let path = format!("/projects/{}/deploy_keys/{}", target.id, owner.readwrite);
            let push = json!({ "can_push": true });
            env.gitlab.api(Method::PUT, &path, Some(&push))?;
        }
        env.enable_key(pipelines, source.readonly)?;
        env.enable_key(pipelines, deployment.readonly)
    }

    /// Returns the import id of each resource, ordered so that references are imported first.
    fn import_ids(&self) -> Vec<(&'static str, String)> {
        let product = format!("product-{}", self.product);
        let inside = |name: &str| format!("{product}/{name}");
        vec![
            ("nautes_environment.staging", inside("staging")),
            ("nautes_project.checkout", inside("checkout")),
            ("nautes_project.delivery", inside("delivery")),
            (
                "nautes_code_repo.source",
                format!("repo-{}", self.source.id),
            ),
            ("nautes_code_repo.deployment", inside("checkout-deploy")),
            (
                "nautes_code_repo.pipelines",
                format!("repo-{}", self.pipelines.id),
            ),
            (
                "nautes_code_repo_binding.pipelines",
                inside("pipelines-to-checkout"),
            ),
            ("nautes_product.shop", product),
        ]
    }

    /// Reads everything that must not change: all projects with their keys, tokens and commits, the group, and the
    /// contents of Vault.
    fn snapshot(&self, env: &TestEnv) -> anyhow::Result<BTreeMap<String, String>> {
        let mut found: BTreeMap<_, _> = env.vault()?.inventory()?;
        let mut add = |path: String| -> Case {
            let mut response = env.gitlab.api(Method::GET, &path, None)?;
            remove_last_use(&mut response);
            found.insert(path, response.to_string());
            Ok(())
        };
        add("/groups/shop".to_owned())?;
        let repositories =
            [&self.source, &self.deployment, &self.pipelines].map(|repository| repository.id);
        for project in repositories.into_iter().chain([self.config_repository]) {
            for part in [
                "",
                "/deploy_keys",
                "/access_tokens",
                "/hooks",
                "/repository/commits",
            ] {
                add(format!("/projects/{project}{part}"))?;
            }
        }
        Ok(found)
    }
}

/// Removes the times of last use, which the test itself changes.
fn remove_last_use(response: &mut Value) {
    match response {
        Value::Object(members) => {
            members.retain(|name, _| !name.starts_with("last_"));
            members.values_mut().for_each(remove_last_use);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_last_use),
        _ => {}
    }
}

/// Returns the policy of a secret, with other white space than the provider's.
fn policy(path: &str) -> String {
    format!(
        "path \"git/data/{path}\" {{\n    capabilities = [\"read\"]\n}}\n\npath \"git/metadata/{path}\" {{\n    capabilities = [\"read\"]\n}}\n"
    )
}

impl TestEnv {
    /// Sets up the tenant before its first product: the role of its Argo CD.
    fn prepare_tenant(&mut self) -> Case {
        let vault = self.vault()?;
        let write = |path: &str, body: Value| vault.api(Method::POST, path, Some(&body));
        write("sys/auth/nautes", json!({ "type": "kubernetes" }))?;
        write(
            "auth/nautes/role/ARGO",
            json!({
                "bound_service_account_names": ["argocd-application-controller"],
                "bound_service_account_namespaces": ["argocd"],
                "token_policies": [INSTALLED_POLICY],
                "token_ttl": "1h",
            }),
        )?;
        self.workspace.set_env("NAUTES_RECONCILER", "nautes");
        Ok(())
    }

    fn create(&self, path: &str, body: &Value) -> anyhow::Result<u64> {
        let created = self.gitlab.api(Method::POST, path, Some(body))?;
        created["id"]
            .as_u64()
            .context("the created object has no id")
    }

    fn create_repository(
        &self,
        product: u64,
        name: &str,
        description: &str,
    ) -> anyhow::Result<Repository> {
        let project = json!({
            "name": name,
            "path": name,
            "namespace_id": product,
            "visibility": "private",
            "description": description,
            "initialize_with_readme": true,
        });
        let id = self.create("/projects", &project)?;
        let readwrite = self.create_key(id, "readwrite")?;
        let readonly = self.create_key(id, "readonly")?;
        let token = json!({ "name": "accesstoken-api", "scopes": ["api"], "access_level": 40 });
        let path = format!("/projects/{id}/access_tokens");
        let created = self.gitlab.api(Method::POST, &path, Some(&token))?;
        self.store_secret(
            &format!("gitlab/repo-{id}/default/accesstoken-api"),
            &json!({ "accesstoken": created["token"], "id": created["id"].to_string() }),
        )?;
        Ok(Repository {
            id,
            readonly,
            readwrite,
        })
    }

    /// Creates a deploy key of a repository, and stores it in Vault.
    fn create_key(&self, repository: u64, permission: &str) -> anyhow::Result<u64> {
        let title = format!("repo-{repository}-{permission}");
        let pair = openssh_key::generate(&title)?;
        let new = json!({
            "title": title,
            "key": pair.public,
            "can_push": permission == "readwrite",
        });
        let path = format!("/projects/{repository}/deploy_keys");
        let created = self.gitlab.api(Method::POST, &path, Some(&new))?;
        self.store_secret(
            &format!("gitlab/repo-{repository}/default/{permission}"),
            &json!({
                "deploykey": pair.private,
                "fingerprint": created["key"],
                "id": created["id"].to_string(),
            }),
        )?;
        created["id"].as_u64().context("the created key has no id")
    }

    /// Stores a secret and its policy in Vault.
    fn store_secret(&self, path: &str, values: &Value) -> Case {
        let vault = self.vault()?;
        let secret = json!({ "data": values });
        vault.api(Method::POST, &format!("git/data/{path}"), Some(&secret))?;
        let name = path.replace('/', "-");
        let text = json!({ "policy": policy(path) });
        vault.api(
            Method::PUT,
            &format!("sys/policies/acl/{name}"),
            Some(&text),
        )?;
        Ok(())
    }

    /// Permits the tenant's Argo CD to read the key of a configuration repository.
    fn grant_to_argo_cd(&self, config_repository: u64) -> Case {
        let policy = format!("gitlab-repo-{config_repository}-default-readonly");
        let role = json!({ "token_policies": [INSTALLED_POLICY, policy] });
        self.vault()?
            .api(Method::POST, "auth/nautes/role/ARGO", Some(&role))?;
        Ok(())
    }

    fn enable_key(&self, target: &Repository, key: u64) -> Case {
        let path = format!("/projects/{}/deploy_keys/{key}/enable", target.id);
        self.gitlab.api(Method::POST, &path, None)?;
        Ok(())
    }

    fn create_file(&self, path: &str, content: &str, message: &str) -> Case {
        self.commit_file("create", path, content, message)
    }

    fn update_file(&self, path: &str, content: &str) -> Case {
        self.commit_file("update", path, content, "[API] Save operator")
    }

    fn commit_file(&self, action: &str, path: &str, content: &str, message: &str) -> Case {
        let commit = json!({
            "branch": "main",
            "commit_message": message,
            "actions": [{ "action": action, "file_path": path, "content": content }],
        });
        let path = "/projects/shop%2Fdefault.project/repository/commits";
        self.gitlab.api(Method::POST, path, Some(&commit))?;
        Ok(())
    }

    fn create_manifest(&self, path: &str, kind: &str, name: &str, spec: &str) -> Case {
        let manifest = format!(
            "apiVersion: nautes.resource.nautes.io/v1alpha1\nkind: {kind}\nmetadata:\n  creationTimestamp: null\n  name: {name}\nspec:\n{spec}"
        );
        self.create_file(path, &manifest, "[API] Save operator")
    }
}

/// Returns the configuration with the argument that exists only in Terraform, and with references to projects by id
/// instead of by name.
fn with_terraform_arguments() -> String {
    let argument = format!("  {ONLY_IN_TERRAFORM} = true\n");
    let add = |body: String, kind: &str, name: &str| {
        let head = format!("resource \"{kind}\" \"{name}\" {{\n");
        body.replace(&head, &format!("{head}{argument}"))
    };
    let by_id = CONFIGURATION.replace("nautes_project.checkout.name", "nautes_project.checkout.id");
    let body = add(by_id, "nautes_product", "shop");
    let repositories = ["source", "deployment", "pipelines"];
    repositories
        .into_iter()
        .fold(body, |body, name| add(body, "nautes_code_repo", name))
}

/// Returns the text of a value, with ids replaced by names.
fn with_names(value: &Value) -> String {
    let text = value.to_string();
    Regex::new(r"product-\d+/").map_or(text.clone(), |id| id.replace_all(&text, "").into_owned())
}

/// Checks that a plan changes nothing but arguments that exist only in Terraform; unknown values are ignored.
fn check_only_terraform_arguments_change(shown: &Value) -> Case {
    let changes = shown["resource_changes"].as_array().into_iter().flatten();
    for change in changes.map(|change| &change["change"]) {
        let (before, after) = (&change["before"], &change["after"]);
        let unknown = &change["after_unknown"];
        let actions = &change["actions"];
        ensure!(
            *actions == json!(["no-op"]) || *actions == json!(["update"]),
            "{actions}"
        );
        for (name, value) in after.as_object().into_iter().flatten() {
            let is_unknown = unknown
                .get(name)
                .is_some_and(|unknown| *unknown != json!(false));
            ensure!(
                name == ONLY_IN_TERRAFORM
                    || with_names(value) == with_names(&before[name])
                    || is_unknown,
                "{name}: {} becomes {value}",
                before[name]
            );
        }
    }
    Ok(())
}

#[test]
fn a_product_that_nautes_created_is_imported_unchanged_and_destroyed_completely() -> Case {
    let mut env = TestEnv::with_vault(CONFIGURATION)?;
    env.prepare_tenant()?;
    let empty = env.vault()?.inventory()?;
    let product = NautesProduct::create(&env)?;
    let before = product.snapshot(&env)?;

    for (address, id) in product.import_ids() {
        env.workspace.import(address, &id)?;
    }
    env.workspace.assert_empty_plan("after the import")?;
    assert_eq!(product.snapshot(&env)?, before);

    env.write(&with_terraform_arguments())?;
    let plan = env.workspace.plan()?;
    // The binding refers to the same projects by id, which changes nothing.
    assert_eq!(plan.changes.len(), 4, "{plan}");
    check_only_terraform_arguments_change(&env.workspace.show_plan()?)?;
    env.workspace.apply_plan()?;
    let after = product.snapshot(&env)?;
    for (path, value) in &before {
        assert_eq!(after.get(path), Some(value), "{path}");
    }
    assert_eq!(after.len(), before.len());
    env.workspace.assert_empty_plan("after the apply")?;

    env.workspace.destroy()?;
    assert_eq!(env.vault()?.inventory()?, empty);
    let group = format!("/groups/{}", product.product);
    let group = env.gitlab.api(Method::GET, &group, None)?;
    assert_ne!(group["marked_for_deletion_on"], Value::Null);
    Ok(())
}
