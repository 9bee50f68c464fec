//! Data sources of clusters, which need the tenant's repository and nothing else.

use serde_json::json;
use testbed::{Method, at_most, exactly};

use crate::test_env::{Case, TestEnv};

const HOST: &str = "
apiVersion: nautes.resource.nautes.io/v1alpha1
kind: Cluster
metadata:
  name: host-01
  namespace: nautes
spec:
  apiServer: https://10.1.1.1:6443
  clusterKind: kubernetes
  clusterType: physical
  componentsList:
    gateway:
      additions:
        httpNodePort: \"30080\"
        httpsNodePort: \"30443\"
      name: traefik
      namespace: traefik
    oauthProxy:
      name: oauth2-proxy
      namespace: oauth2-proxy
    secretManagement:
      name: vault
      namespace: vault
  usage: host
";

const WORKER: &str = "
apiVersion: nautes.resource.nautes.io/v1alpha1
kind: Cluster
metadata:
  name: deploy-01
  namespace: nautes
spec:
  apiServer: https://10.1.1.1:31000
  clusterKind: kubernetes
  clusterType: virtual
  componentsList:
    deployment:
      additions:
        host: argocd.deploy-01.10.1.1.1.nip.io
      name: argocd
      namespace: argocd
  hostCluster: host-01
  primaryDomain: 10.1.1.1.nip.io
  reservedNamespacesAllowedProducts:
    argocd: [shop]
  usage: worker
  workerType: deployment
";

const DATA: &str = r#"
data "nautes_cluster" "by_name" {
  name = "deploy-01"
}

data "nautes_cluster" "by_id" {
  id = "host-01"
}

data "nautes_clusters" "all" {
}

data "nautes_clusters" "matching" {
  name_regex = "^host"
}

output "found" {
  value = {
    worker = [data.nautes_cluster.by_name.worker_type, data.nautes_cluster.by_name.host_cluster]
    argocd = data.nautes_cluster.by_name.components["deployment"].host
    shop   = data.nautes_cluster.by_name.reserved_namespaces_allowed_products
    port   = data.nautes_cluster.by_id.components["gateway"].https_node_port
    path   = data.nautes_cluster.by_id.manifest_path
    all    = data.nautes_clusters.all.clusters[*].name
    hosts  = data.nautes_clusters.matching.clusters[*].name
  }
}
"#;

#[test]
fn clusters_are_found_in_the_tenants_repository_without_vault_and_without_the_clusters() -> Case {
    let mut env = TestEnv::new(DATA)?;
    let group = json!({ "name": "tenant", "path": "tenant" });
    let group = env.gitlab.api(Method::POST, "/groups", Some(&group))?;
    let project = json!({
        "name": "management", "path": "management", "namespace_id": group.get("id"),
        "initialize_with_readme": true,
    });
    env.gitlab.api(Method::POST, "/projects", Some(&project))?;
    let file = |name: &str, content: &str| {
        json!({
            "action": "create",
            "file_path": format!("nautes/overlays/production/clusters/{name}.yaml"),
            "content": content,
        })
    };
    let files = json!([file("host-01", HOST), file("deploy-01", WORKER)]);
    env.commit("tenant/management", &files)?;
    env.workspace
        .set_env("NAUTES_TENANT_REPOSITORY_PROJECT", "tenant/management");

    let (applied, calls) = env.gitlab.calls_during(|| env.workspace.apply())?;
    applied?;
    calls.writes().assert_calls(exactly(0));
    // An apply and the plan after it: the project, the head and the archive or the files, each once.
    calls.assert_calls(at_most(14));
    let found = env.workspace.outputs()?["found"].clone();
    assert_eq!(
        found,
        json!({
            "worker": ["deployment", "host-01"],
            "argocd": "argocd.deploy-01.10.1.1.1.nip.io",
            "shop": { "argocd": ["shop"] },
            "port": 30443,
            "path": "nautes/overlays/production/clusters/host-01.yaml",
            "all": ["deploy-01", "host-01"],
            "hosts": ["host-01"],
        })
    );

    env.write("data \"nautes_cluster\" \"missing\" {\n  name = \"build-01\"\n}\n")?;
    let refused = env.workspace.failing_plan()?.text();
    for part in ["build-01 does not exist", "deploy-01, host-01"] {
        assert!(refused.contains(part), "no {part:?} in {refused}");
    }
    Ok(())
}
