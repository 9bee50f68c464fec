//! A whole root is planned without any server. Only the plan of a new product asks whether its group exists
//! already, and does without an answer.

use std::io::ErrorKind;
use std::net::TcpListener;

use crate::test_env::{Case, TestEnv};

/// Clusters of every shape. Nothing of them exists.
const CLUSTERS: &str = r#"
resource "nautes_cluster" "host" {
  name          = "host-01"
  api_server    = "https://SERVER"
  cluster_type  = "physical"
  usage         = "host"
  kubeconfig_wo = jsonencode({
    clusters        = [{ name = "a", cluster = { server = "https://SERVER" } }]
    contexts        = [{ name = "a", context = { cluster = "a", user = "a" } }]
    users           = [{ name = "a", user = { token = "t" } }]
    current-context = "a"
  })
}

resource "nautes_cluster" "build" {
  name         = "build-01"
  api_server   = "https://SERVER"
  cluster_type = "virtual"
  usage        = "worker"
  worker_type  = "pipeline"
  host_cluster = nautes_cluster.host.id
  vcluster     = { https_node_port = 31000 }
}

resource "nautes_cluster" "deploy" {
  name         = "deploy-01"
  api_server   = "https://SERVER"
  cluster_type = "physical"
  usage        = "worker"
  worker_type  = "deployment"
  kubeconfig_vault = { mount = "kv", path = "clusters/deploy-01" }
}
"#;

/// One resource of every other kind.
const PRODUCT: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "build" {
  product  = nautes_product.shop.id
  name     = "build"
  cluster  = nautes_cluster.build.id
  env_type = "build"
}

resource "nautes_environment" "staging" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = nautes_cluster.deploy.id
  env_type = "staging"
}

resource "nautes_project" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}

resource "nautes_code_repo" "checkout" {
  product      = nautes_product.shop.id
  project      = nautes_project.checkout.id
  name         = "checkout"
  access_token = {}
}

resource "nautes_code_repo_binding" "checkout" {
  product     = nautes_product.shop.id
  name        = "checkout"
  code_repo   = nautes_code_repo.checkout.id
  projects    = [nautes_project.checkout.id]
  permissions = "readonly"
}

resource "nautes_deployment_runtime" "checkout" {
  product         = nautes_product.shop.id
  name            = "checkout"
  projects        = [nautes_project.checkout.id]
  manifest_source = { code_repo = nautes_code_repo.checkout.id, target_revision = "main", path = "deploy" }
  destination     = { environment = nautes_environment.staging.id }
}
"#;

/// A server that answers nobody, and knows whether it was called.
struct Silent(TcpListener);

impl Silent {
    fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    fn address(&self) -> anyhow::Result<String> {
        Ok(self.0.local_addr()?.to_string())
    }

    fn was_called(&self) -> bool {
        let accepted = self.0.accept();
        !accepted.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

/// An environment in which neither Vault nor any cluster answers; GitLab is at an address.
fn env_without_answers(root: &str, silent: &Silent, gitlab: &str) -> anyhow::Result<TestEnv> {
    let address = silent.address()?;
    let mut env = TestEnv::new(&root.replace("SERVER", &address))?;
    for (name, value) in [
        ("NAUTES_GITLAB_URL", format!("http://{gitlab}").as_str()),
        ("NAUTES_VAULT_ADDRESS", format!("http://{address}").as_str()),
        ("NAUTES_VAULT_TOKEN", "token"),
        ("NAUTES_TENANT_REPOSITORY_PROJECT", "tenant/management"),
        ("NAUTES_TENANT_REPOSITORY_CREATE", "true"),
    ] {
        env.workspace.set_env(name, value);
    }
    Ok(env)
}

#[test]
fn clusters_of_which_nothing_exists_are_planned_without_a_call() -> Case {
    let silent = Silent::start()?;
    let env = env_without_answers(CLUSTERS, &silent, &silent.address()?)?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.changes.len(), 3, "{plan}");
    assert!(!silent.was_called(), "the plan has called a server");
    Ok(())
}

#[test]
fn a_root_of_which_nothing_exists_is_planned_with_no_server_reachable() -> Case {
    let (silent, gitlab) = (Silent::start()?, Silent::start()?);
    let root = format!("{CLUSTERS}{PRODUCT}");
    let env = env_without_answers(&root, &silent, &gitlab.address()?)?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.changes.len(), 10, "{plan}");
    assert!(!silent.was_called(), "the plan has called a server");
    Ok(())
}
