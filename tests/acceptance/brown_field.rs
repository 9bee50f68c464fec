//! A product that Nautes v0.4.2 made is imported, and then there is nothing to change.

#![expect(
    clippy::indexing_slicing,
    reason = "a field that an answer lacks reads as null"
)]

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use regex::Regex;
use serde_json::{Value, json};
use testbed::Method;

use crate::harness::{Case, Stage};
use crate::openssh_key;

/// What is imported, but for its own numbers.
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

/// What only Terraform knows of: no part of Nautes has a place for it, so that an import cannot find it. The same is
/// true of the form of a reference, which can be an id or a name.
const ONLY_IN_TERRAFORM: &str = "force_destroy";

/// The policy that the tenant's Argo CD has from the installation.
const INSTALLED_POLICY: &str = "argo";

const EMPTY_KUSTOMIZATION: &str =
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

/// What an earlier installation left.
struct BrownField {
    product: u64,
    config_repository: u64,
    source: Repository,
    deployment: Repository,
    pipelines: Repository,
}

/// A repository with its deploy keys.
struct Repository {
    id: u64,
    readonly: u64,
    readwrite: u64,
}

impl BrownField {
    /// Builds the product in the order of Nautes's saves, with its last save that of the environment.
    fn build(stage: &Stage) -> anyhow::Result<Self> {
        let group = json!({
            "name": "Web shop",
            "path": "shop",
            "visibility": "private",
            "description": "Sells books",
        });
        let product = stage.number("/groups", &group)?;
        let project = json!({
            "name": "default.project",
            "namespace_id": product,
            "initialize_with_readme": true,
        });
        let config_repository = stage.number("/projects", &project)?;
        stage.save(
            "production/kustomization.yaml",
            EMPTY_KUSTOMIZATION,
            "initial commit.",
        )?;
        stage.key(config_repository, "readonly")?;
        stage.grant(config_repository)?;

        for (name, language) in [("checkout", "rust"), ("delivery", "\"\"")] {
            let spec = format!("  language: {language}\n  product: product-{product}\n");
            let path = format!("projects/{name}/{name}.yaml");
            stage.save_manifest(&path, "Project", name, &spec)?;
        }
        let built = Self {
            source: stage.repository(product, "checkout-src", "Till")?,
            deployment: stage.repository(product, "checkout-deploy", "")?,
            pipelines: stage.repository(product, "pipelines", "")?,
            product,
            config_repository,
        };
        built.save_manifests(stage)?;
        built.enable_keys(stage)?;
        Ok(built)
    }

    fn save_manifests(&self, stage: &Stage) -> Case {
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
            stage.save_manifest(
                &format!("code-repos/{id}/{id}.yaml"),
                "CodeRepo",
                &id,
                &spec,
            )?;
        }
        let opened = format!("repo-{}", self.pipelines.id);
        let name = "pipelines-to-checkout";
        let spec = format!(
            "  codeRepo: {opened}\n  permissions: readonly\n  product: product-{product}\n  projects:\n  - checkout\n"
        );
        let path = format!("code-repos/{opened}/{name}.yaml");
        stage.save_manifest(&path, "CodeRepoBinding", name, &spec)?;
        let spec =
            format!("  cluster: vc-staging\n  envType: staging\n  product: product-{product}\n");
        stage.save_manifest("envs/staging.yaml", "Environment", "staging", &spec)?;
        stage.replace("production/kustomization.yaml", &self.kustomization())
    }

    /// The list after the last save: what was there in the order of bytes, and then the folder that came with it.
    fn kustomization(&self) -> String {
        let numbers = [&self.source, &self.deployment, &self.pipelines].map(|one| one.id);
        let mut files: Vec<String> = numbers
            .map(|id| format!("code-repos/repo-{id}/repo-{id}.yaml"))
            .to_vec();
        let opened = self.pipelines.id;
        files.push(format!(
            "code-repos/repo-{opened}/pipelines-to-checkout.yaml"
        ));
        files.push("projects/checkout/checkout.yaml".to_owned());
        files.push("projects/delivery/delivery.yaml".to_owned());
        files.sort();
        files.push("envs/staging.yaml".to_owned());
        let lines = files.join("\n- ../");
        format!("{EMPTY_KUSTOMIZATION}resources:\n- ../{lines}\n")
    }

    /// Enables the keys of the two repositories of a project on each other, and those that the binding opens the third
    /// to.
    fn enable_keys(&self, stage: &Stage) -> Case {
        let Self {
            source,
            deployment,
            pipelines,
            ..
        } = self;
        for (on, of) in [(source, deployment), (deployment, source)] {
            stage.enable(on, of.readonly)?;
            stage.enable(on, of.readwrite)?;
            let path = format!("/projects/{}/deploy_keys/{}", on.id, of.readwrite);
            let push = json!({ "can_push": true });
            stage.gitlab.api(Method::PUT, &path, Some(&push))?;
        }
        stage.enable(pipelines, source.readonly)?;
        stage.enable(pipelines, deployment.readonly)
    }

    /// The ids by which everything is imported, in an order in which nothing refers to what is not there yet.
    fn imports(&self) -> Vec<(&'static str, String)> {
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

    /// All projects with their keys, tokens and commits, the group, and what is in Vault: what an apply of nothing
    /// leaves as it is.
    fn everything(&self, stage: &Stage) -> anyhow::Result<BTreeMap<String, String>> {
        let mut found: BTreeMap<_, _> = stage.vault()?.inventory()?;
        let mut take = |path: String| -> Case {
            let mut answer = stage.gitlab.api(Method::GET, &path, None)?;
            forget_use(&mut answer);
            found.insert(path, answer.to_string());
            Ok(())
        };
        take("/groups/shop".to_owned())?;
        let repositories = [&self.source, &self.deployment, &self.pipelines].map(|one| one.id);
        for project in repositories.into_iter().chain([self.config_repository]) {
            for what in [
                "",
                "/deploy_keys",
                "/access_tokens",
                "/hooks",
                "/repository/commits",
            ] {
                take(format!("/projects/{project}{what}"))?;
            }
        }
        Ok(found)
    }
}

/// Takes out when something was used last, which our own questions change.
fn forget_use(answer: &mut Value) {
    match answer {
        Value::Object(members) => {
            members.retain(|name, _| !name.starts_with("last_"));
            members.values_mut().for_each(forget_use);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_use),
        _ => {}
    }
}

/// The policy that goes with a secret; Nautes's text has other spaces than ours.
fn policy(path: &str) -> String {
    format!(
        "path \"git/data/{path}\" {{\n    capabilities = [\"read\"]\n}}\n\npath \"git/metadata/{path}\" {{\n    capabilities = [\"read\"]\n}}\n"
    )
}

impl Stage {
    /// What every tenant has before its first product: the engine of secrets, and the role of its Argo CD.
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

    fn number(&self, path: &str, body: &Value) -> anyhow::Result<u64> {
        let made = self.gitlab.api(Method::POST, path, Some(body))?;
        made["id"].as_u64().context("an object has a number")
    }

    fn repository(
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
        let id = self.number("/projects", &project)?;
        let readwrite = self.key(id, "readwrite")?;
        let readonly = self.key(id, "readonly")?;
        let token = json!({ "name": "accesstoken-api", "scopes": ["api"], "access_level": 40 });
        let path = format!("/projects/{id}/access_tokens");
        let made = self.gitlab.api(Method::POST, &path, Some(&token))?;
        self.store(
            &format!("gitlab/repo-{id}/default/accesstoken-api"),
            &json!({ "accesstoken": made["token"], "id": made["id"].to_string() }),
        )?;
        Ok(Repository {
            id,
            readonly,
            readwrite,
        })
    }

    /// Makes a deploy key of a repository's own.
    fn key(&self, repository: u64, permission: &str) -> anyhow::Result<u64> {
        let title = format!("repo-{repository}-{permission}");
        let pair = openssh_key::generate(&title)?;
        let new = json!({
            "title": title,
            "key": pair.public,
            "can_push": permission == "readwrite",
        });
        let path = format!("/projects/{repository}/deploy_keys");
        let made = self.gitlab.api(Method::POST, &path, Some(&new))?;
        self.store(
            &format!("gitlab/repo-{repository}/default/{permission}"),
            &json!({
                "deploykey": pair.private,
                "fingerprint": made["key"],
                "id": made["id"].to_string(),
            }),
        )?;
        made["id"].as_u64().context("a key has a number")
    }

    /// Stores a secret with its policy.
    fn store(&self, path: &str, values: &Value) -> Case {
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

    /// Lets the tenant's Argo CD read the key of a configuration repository.
    fn grant(&self, config_repository: u64) -> Case {
        let granted = format!("gitlab-repo-{config_repository}-default-readonly");
        let role = json!({ "token_policies": [INSTALLED_POLICY, granted] });
        self.vault()?
            .api(Method::POST, "auth/nautes/role/ARGO", Some(&role))?;
        Ok(())
    }

    fn enable(&self, on: &Repository, key: u64) -> Case {
        let path = format!("/projects/{}/deploy_keys/{key}/enable", on.id);
        self.gitlab.api(Method::POST, &path, None)?;
        Ok(())
    }

    fn save(&self, path: &str, content: &str, message: &str) -> Case {
        self.commit_file("create", path, content, message)
    }

    fn replace(&self, path: &str, content: &str) -> Case {
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

    fn save_manifest(&self, path: &str, kind: &str, name: &str, spec: &str) -> Case {
        let manifest = format!(
            "apiVersion: nautes.resource.nautes.io/v1alpha1\nkind: {kind}\nmetadata:\n  creationTimestamp: null\n  name: {name}\nspec:\n{spec}"
        );
        self.save(path, &manifest, "[API] Save operator")
    }
}

/// Adds what only Terraform knows of to products and repositories, and refers to projects by id and not by name.
fn with_what_is_only_in_terraform() -> String {
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

/// The same with names in place of ids.
fn by_name(value: &Value) -> String {
    let text = value.to_string();
    Regex::new(r"product-\d+/").map_or(text.clone(), |id| id.replace_all(&text, "").into_owned())
}

/// Checks that a plan changes nothing but what only Terraform knows of, whatever it says of numbers and times.
fn expect_only_in_terraform(shown: &Value) -> Case {
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
            let is_open = unknown
                .get(name)
                .is_some_and(|unknown| *unknown != json!(false));
            ensure!(
                name == ONLY_IN_TERRAFORM || by_name(value) == by_name(&before[name]) || is_open,
                "{name}: {} becomes {value}",
                before[name]
            );
        }
    }
    Ok(())
}

#[test]
fn what_nautes_made_is_imported_without_a_change_and_destroyed_without_a_trace() -> Case {
    let mut stage = Stage::with_vault(CONFIGURATION)?;
    stage.prepare_tenant()?;
    let empty = stage.vault()?.inventory()?;
    let built = BrownField::build(&stage)?;
    let before = built.everything(&stage)?;

    for (address, id) in built.imports() {
        stage.workspace.import(address, &id)?;
    }
    stage.workspace.assert_empty_plan("after the import")?;
    assert_eq!(built.everything(&stage)?, before);

    stage.write(&with_what_is_only_in_terraform())?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.changes.len(), 5, "{plan}");
    expect_only_in_terraform(&stage.workspace.show_plan()?)?;
    stage.workspace.apply_plan()?;
    let after = built.everything(&stage)?;
    for (what, was) in &before {
        assert_eq!(after.get(what), Some(was), "{what}");
    }
    assert_eq!(after.len(), before.len());
    stage.workspace.assert_empty_plan("after the apply")?;

    stage.workspace.destroy()?;
    assert_eq!(stage.vault()?.inventory()?, empty);
    let group = format!("/groups/{}", built.product);
    let group = stage.gitlab.api(Method::GET, &group, None)?;
    assert_ne!(group["marked_for_deletion_on"], Value::Null);
    Ok(())
}
