//! What keeps a cluster from being destroyed, and how one goes that does not exist any more.

use serde_json::{Value, json};
use testbed::{ControlPlane, ControlPlaneOptions, Method};

use crate::cluster::Stack;
use crate::test_env::Case;

#[test]
fn a_cluster_in_which_products_have_something_is_not_destroyed() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    env.workspace.apply()?;
    let manifest = env.workspace.resource("nautes_cluster.deploy")?["manifest_path"].clone();
    let before = (stack.objects()?, env.vault()?.inventory()?);

    control_plane.apply(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: nautes-tf-product-42, namespace: nautes }\ndata: { deployment.shop: '{}' }\n",
    )?;
    let refused = env.workspace.failing_destroy()?.text();
    assert!(
        refused.contains("the runtime deployment.shop of product-42"),
        "{refused}"
    );
    control_plane.kubectl([
        "delete",
        "configmap",
        "-n",
        "nautes",
        "nautes-tf-product-42",
    ])?;

    control_plane.apply(
        "apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { resource.nautes.io/belongsto: product-42 } }\n",
    )?;
    let refused = env.workspace.failing_destroy()?.text();
    assert!(
        refused.contains("the namespace shop of product-42"),
        "{refused}"
    );
    control_plane.kubectl(["delete", "namespace", "shop"])?;

    // Nothing was removed.
    let path = manifest.as_str().unwrap_or_default();
    env.read_file(crate::cluster::TENANT_REPOSITORY, path)?;
    assert_eq!((stack.objects()?, env.vault()?.inventory()?), before);
    env.workspace.destroy()?;
    Ok(())
}

#[test]
fn a_cluster_that_does_not_exist_any_more_is_forgotten_on_request_alone() -> Case {
    let mut stack = Stack::start()?;
    let before = stack.env.vault()?.inventory()?;
    stack.env.workspace.apply()?;
    stack.control_plane.stop_api_server();
    let refused = stack.env.workspace.failing_destroy()?.text();
    assert!(refused.contains("unreachable_clusters"), "{refused}");
    let workspace = &mut stack.env.workspace;
    workspace.set_env("NAUTES_UNREACHABLE_CLUSTERS", "forget");
    let destroyed = workspace.run(["destroy", "-auto-approve", "-no-color"])?;
    let text = destroyed.success()?.stdout().to_owned();
    assert!(
        text.contains("is forgotten") && text.contains("ClusterRoleBindings"),
        "{text}"
    );
    assert_eq!(stack.env.vault()?.inventory()?, before);
    Ok(())
}

#[test]
fn another_cluster_that_answers_is_never_forgotten() -> Case {
    let mut stack = Stack::start()?;
    stack.env.workspace.apply()?;
    let folder = tempfile::tempdir()?;
    let other = ControlPlane::start(folder.path(), &ControlPlaneOptions::default())?;
    // The credential is one of the other cluster, too.
    let path = "cluster/data/kubernetes/deploy-01/default/admin";
    let stored = stack.env.vault()?.api(Method::GET, path, None)?;
    let mut data = stored["data"]["data"].clone();
    let kubeconfig = other.kubectl(["config", "view", "--raw", "--flatten"])?;
    data["kubeconfig"] = json!(kubeconfig.stdout);
    stack
        .env
        .vault()?
        .api(Method::POST, path, Some(&json!({ "data": data })))?;
    let state = stack.env.workspace.path().join("terraform.tfstate");
    let text = std::fs::read_to_string(&state)?;
    let text = text.replace(&stack.control_plane.url(), &other.url());
    std::fs::write(&state, text)?;
    let vault = stack.env.vault()?.inventory()?;
    let workspace = &mut stack.env.workspace;
    workspace.set_env("NAUTES_UNREACHABLE_CLUSTERS", "forget");
    let refused = workspace.run(["destroy", "-auto-approve", "-no-color", "-refresh=false"])?;
    assert_eq!(refused.exit_code(), Some(1));
    let text = refused.stderr().to_owned();
    assert!(
        text.contains("another cluster answers") || text.contains("Another cluster"),
        "{text}"
    );
    assert_eq!(stack.env.vault()?.inventory()?, vault);
    let namespaces: Value = other.api(Method::GET, "/api/v1/namespaces", None)?;
    assert!(namespaces.to_string().contains("kube-system"));
    Ok(())
}

#[test]
fn a_cluster_is_registered_under_one_name_and_keeps_what_others_have_in_our_namespace() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    env.workspace.apply()?;
    let first = crate::cluster::worker(&control_plane.url(), 1);
    let second = first
        .replace("\"deploy\"", "\"again\"")
        .replace("deploy-01", "deploy-02");
    let before = (stack.objects()?, env.vault()?.inventory()?);
    env.write(&format!("{first}{second}"))?;
    let refused = env.workspace.failing_apply()?.text();
    assert!(
        refused.contains("It is registered as deploy-01"),
        "{refused}"
    );
    assert_eq!((stack.objects()?, env.vault()?.inventory()?), before);

    env.write(&first)?;
    control_plane.apply(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: theirs, namespace: nautes }\nspec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }\n",
    )?;
    let destroyed = env
        .workspace
        .run(["destroy", "-auto-approve", "-no-color"])?;
    let text = destroyed.success()?.stdout().to_owned();
    assert!(
        text.contains("The namespace nautes stays") && text.contains("theirs"),
        "{text}"
    );
    let claim = "/api/v1/namespaces/nautes/persistentvolumeclaims/theirs";
    assert!(control_plane.get(claim)?.is_some());
    Ok(())
}

/// A destroy removes the credential last, so a missing one proves nothing.
#[test]
fn a_cluster_whose_credential_is_lost_is_not_forgotten() -> Case {
    let stack = Stack::start()?;
    let Stack { env, .. } = &stack;
    env.workspace.apply()?;
    let before = stack.objects()?;
    let metadata = "cluster/metadata/kubernetes/deploy-01/default/admin";
    env.vault()?.api(Method::DELETE, metadata, None)?;
    let refused = env.workspace.failing_destroy()?.text();
    assert!(
        refused.contains("Vault has no kubeconfig of it"),
        "{refused}"
    );
    assert_eq!(stack.objects()?, before);
    Ok(())
}
