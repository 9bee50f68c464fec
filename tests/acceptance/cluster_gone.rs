//! Clusters that were rebuilt, that refuse their credential, or that are gone.

use std::collections::BTreeSet;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{ControlPlane, ControlPlaneOptions, Method, OpenBao, OpenBaoProgram};

use crate::cluster::{Stack, TENANT_REPOSITORY, worker};
use crate::test_env::Case;

const SECRET: &str = "cluster/data/kubernetes/deploy-01/default/admin";

/// An address at which one cluster answers after the other, each with its own certificate.
pub(crate) struct Forwarder {
    port: u16,
    shared: Arc<Mutex<Forwarding>>,
}

struct Forwarding {
    target: String,
    open: Vec<TcpStream>,
}

impl Forwarder {
    pub(crate) fn start(control_plane: &ControlPlane) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Mutex::new(Forwarding {
            target: control_plane.address(),
            open: Vec::new(),
        }));
        let forwarding = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // The client sees a connection that breaks.
                let _ = forward(stream, &forwarding);
            }
        });
        Ok(Self { port, shared })
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Lets another cluster answer from now on.
    pub(crate) fn switch(&self, control_plane: &ControlPlane) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.target = control_plane.address();
        for stream in shared.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn forward(client: TcpStream, shared: &Mutex<Forwarding>) -> io::Result<()> {
    let mut forwarding = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let server = TcpStream::connect(&forwarding.target)?;
    for (from, to) in [(&client, &server), (&server, &client)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
    forwarding.open.extend([client, server]);
    Ok(())
}

fn kubeconfig(control_plane: &ControlPlane) -> anyhow::Result<String> {
    let kubeconfig = control_plane.kubectl(["config", "view", "--raw", "--flatten"])?;
    Ok(kubeconfig.stdout)
}

fn uid(control_plane: &ControlPlane) -> anyhow::Result<String> {
    let system = control_plane.api(Method::GET, "/api/v1/namespaces/kube-system", None)?;
    let uid = system["metadata"]["uid"].as_str();
    Ok(uid.unwrap_or_default().to_owned())
}

fn namespaces(control_plane: &ControlPlane) -> anyhow::Result<BTreeSet<String>> {
    let listed = control_plane.api(Method::GET, "/api/v1/namespaces", None)?;
    let items = listed["items"].as_array().into_iter().flatten();
    let names = items.filter_map(|item| item["metadata"]["name"].as_str().map(str::to_owned));
    Ok(names.collect())
}

/// Puts a kubeconfig in the place of the one with which the cluster is managed, and returns what was there.
fn replace_stored(stack: &Stack, kubeconfig: &str) -> anyhow::Result<String> {
    let vault = stack.env.vault()?;
    let stored = vault.api(Method::GET, SECRET, None)?;
    let mut data = stored["data"]["data"].clone();
    let before = data["kubeconfig"].as_str().unwrap_or_default().to_owned();
    data["kubeconfig"] = json!(kubeconfig);
    vault.api(Method::POST, SECRET, Some(&json!({ "data": data })))?;
    Ok(before)
}

/// Logs in to Vault as the account that exists for nothing else.
fn log_in(stack: &Stack, control_plane: &ControlPlane) -> anyhow::Result<Value> {
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": { "audiences": ["vault"] },
    });
    let path = "/api/v1/namespaces/nautes/serviceaccounts/nautes-probe/token";
    let token = control_plane.api(Method::POST, path, Some(&request))?;
    let body = json!({ "role": "nautes-probe", "jwt": token["status"]["token"] });
    let vault = stack.env.vault()?;
    Ok(vault.api(Method::POST, "auth/deploy-01/login", Some(&body))?)
}

#[test]
fn a_cluster_that_was_rebuilt_is_accepted_by_its_new_uid_alone() -> Case {
    let mut stack = Stack::start()?;
    // A cluster that answers is never forgotten.
    let workspace = &mut stack.env.workspace;
    workspace.set_env("NAUTES_UNREACHABLE_CLUSTERS", "forget");
    let Stack {
        env, control_plane, ..
    } = &stack;
    let workspace = &env.workspace;
    let empty = env.vault()?.inventory()?;
    let forwarder = Forwarder::start(control_plane)?;
    env.write(&worker(&forwarder.url(), 1))?;
    workspace.apply()?;
    let old_uid = uid(control_plane)?;

    let folder = tempfile::tempdir()?;
    let rebuilt = ControlPlane::start(folder.path(), &ControlPlaneOptions::default())?;
    let new_uid = uid(&rebuilt)?;
    forwarder.switch(&rebuilt);
    let before = (stack.objects()?, namespaces(&rebuilt)?);
    let vault = env.vault()?.inventory()?;
    let assert_unchanged = || -> Case {
        assert_eq!((stack.objects()?, namespaces(&rebuilt)?), before);
        Ok(())
    };

    // It has another authority, so the kubeconfig in Vault does not even trust it.
    let planned = workspace.run(["plan", "-no-color"])?.success()?;
    let text = planned.stdout();
    assert!(text.contains("certificate is not trusted"), "{text}");
    assert!(text.contains("updated in-place"), "{text}");
    let refused = workspace.failing_destroy()?.text();
    assert!(refused.contains("certificate is not trusted"), "{refused}");
    // A kubeconfig of it is not enough.
    workspace.write("kubeconfig", &kubeconfig(&rebuilt)?)?;
    let refused = workspace.failing_apply()?.text();
    assert!(
        refused.contains("Another cluster answers") && refused.contains(&new_uid),
        "{refused}"
    );
    assert_unchanged()?;
    assert!(env.vault()?.inventory()? == vault, "Vault has changed");

    // One that accepts the credential in Vault is found out by a refresh, and the plan says so.
    let stored = replace_stored(&stack, &kubeconfig(&rebuilt)?)?;
    for refused in [workspace.failing_plan()?, workspace.failing_destroy()?] {
        let text = refused.text();
        let way_out = format!("cluster_uid = \"{new_uid}\"");
        for part in [&old_uid, &way_out, "api_server"] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
    }
    let accepted = |uid: &str| {
        let argument = format!("cluster_uid = \"{uid}\"\n  name ");
        worker(&forwarder.url(), 1).replacen("name ", &argument, 1)
    };
    env.write(&accepted("another"))?;
    let refused = workspace.failing_plan()?.text();
    assert!(refused.contains(&new_uid), "{refused}");
    env.write(&accepted(&new_uid))?;
    let planned = workspace.run(["plan", "-no-color"])?.success()?;
    let text = planned.stdout();
    assert!(
        text.contains("counts as rebuilt") && text.contains("updated in-place"),
        "{text}"
    );
    replace_stored(&stack, &stored)?;
    assert_unchanged()?;

    workspace.apply_with(&[])?;
    workspace.assert_empty_plan("after the new UID was accepted")?;
    let cluster = workspace.resource("nautes_cluster.deploy")?;
    assert_eq!(cluster["cluster_uid"], json!(new_uid));
    for account in ["admin", "runtime"] {
        assert_eq!(stack.secret_of(account)?["cluster_uid"], json!(new_uid));
    }
    let mount = env.vault()?.api(Method::GET, "sys/auth/deploy-01", None)?;
    let description = format!("nautes {new_uid}");
    assert_eq!(mount["data"]["description"], json!(description));
    log_in(&stack, &rebuilt)?;
    let facts = "/api/v1/namespaces/nautes/configmaps/nautes-cluster-facts";
    let facts = rebuilt.api(Method::GET, facts, None)?;
    assert!(facts.to_string().contains(&new_uid), "{facts}");
    assert_eq!(stack.objects()?, before.0, "the old cluster has changed");

    workspace.destroy()?;
    assert_eq!(env.vault()?.inventory()?, empty);
    assert_eq!(stack.objects()?, before.0);
    Ok(())
}

#[test]
fn a_cluster_that_still_answers_was_not_rebuilt() -> Case {
    let stack = Stack::start()?;
    let Stack { env, .. } = &stack;
    let workspace = &env.workspace;
    workspace.apply()?;
    let folder = tempfile::tempdir()?;
    let other = ControlPlane::start(folder.path(), &ControlPlaneOptions::default())?;
    let before = (
        stack.objects()?,
        namespaces(&other)?,
        env.vault()?.inventory()?,
    );

    // Address, UID and kubeconfig change together.
    workspace.write("kubeconfig", &kubeconfig(&other)?)?;
    let argument = format!("cluster_uid = \"{}\"\n  name ", uid(&other)?);
    env.write(&worker(&other.url(), 2).replacen("name ", &argument, 1))?;
    let planned = workspace.run(["plan", "-no-color"])?.success()?;
    let text = planned.stdout();
    assert!(text.contains("counts as rebuilt"), "{text}");
    let refused = workspace.failing_apply()?.text();
    assert!(refused.contains("was not rebuilt"), "{refused}");
    let after = (
        stack.objects()?,
        namespaces(&other)?,
        env.vault()?.inventory()?,
    );
    assert!(after == before, "something has changed");
    Ok(())
}

#[test]
fn a_credential_that_the_cluster_refuses_is_replaced_with_the_kubeconfig_that_is_given() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    let workspace = &env.workspace;
    workspace.apply()?;
    let delete_account = || -> Case {
        let stored: Value = serde_json::from_str(
            stack.secret_of("admin")?["kubeconfig"]
                .as_str()
                .unwrap_or("{}"),
        )?;
        let token = stored["users"][0]["user"]["token"].as_str();
        let account = "terraform-provider-nautes";
        control_plane.kubectl(["delete", "serviceaccount", "-n", "nautes", account])?;
        // The API server remembers for a while which tokens it has accepted.
        let path = "/api/v1/namespaces/kube-system";
        let deadline = Instant::now() + Duration::from_secs(60);
        while control_plane
            .api_as(token.unwrap_or_default(), Method::GET, path, None)
            .is_ok()
            && Instant::now() < deadline
        {
            thread::sleep(Duration::from_millis(500));
        }
        Ok(())
    };
    delete_account()?;
    let refused = workspace.failing_destroy()?.text();
    for part in ["kubeconfig_wo_version", "apply"] {
        assert!(refused.contains(part), "no {part:?} in {refused}");
    }
    let planned = workspace.run(["plan", "-no-color"])?.success()?;
    let text = planned.stdout();
    assert!(
        text.contains("cannot be used with its kubeconfig in Vault")
            && text.contains("updated in-place"),
        "{text}"
    );
    // The same kubeconfig is as good as another one.
    workspace.apply()?;
    workspace.assert_empty_plan("after the credential was replaced")?;

    // One that is of no use either is an error, and a new one is used.
    delete_account()?;
    let given = kubeconfig(control_plane)?;
    let useless = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{ "name": "a", "cluster": {
            "server": control_plane.url(),
            "insecure-skip-tls-verify": true,
        } }],
        "users": [{ "name": "a", "user": { "token": "of-no-use" } }],
        "contexts": [{ "name": "a", "context": { "cluster": "a", "user": "a" } }],
    });
    workspace.write("kubeconfig", &useless.to_string())?;
    let refused = workspace.failing_apply()?.text();
    assert!(refused.contains("kubeconfig_wo_version"), "{refused}");
    workspace.write("kubeconfig", &given)?;
    env.write(&worker(&control_plane.url(), 2))?;
    workspace.apply()?;
    Ok(())
}

#[test]
fn a_provider_that_points_elsewhere_empties_no_state() -> Case {
    let mut stack = Stack::start()?;
    let project = TENANT_REPOSITORY.replace('/', "%2F");
    let branches = format!("/projects/{project}/repository/branches?branch=other&ref=main");
    stack.env.gitlab.api(Method::POST, &branches, None)?;
    let group = stack.env.gitlab.api(Method::GET, "/groups/tenant", None)?;
    let other = json!({
        "name": "other", "path": "other", "namespace_id": group["id"],
        "initialize_with_readme": true,
    });
    stack
        .env
        .gitlab
        .api(Method::POST, "/projects", Some(&other))?;
    stack.env.workspace.apply()?;
    let before = (stack.objects()?, stack.env.vault()?.inventory()?);
    let assert_refused = |stack: &Stack, reason: &str| -> Case {
        let workspace = &stack.env.workspace;
        for refused in [workspace.failing_plan()?, workspace.failing_destroy()?] {
            let text = refused.text();
            assert!(text.contains(reason), "no {reason:?} in {text}");
        }
        assert!(workspace.resource("nautes_cluster.deploy").is_ok());
        assert_eq!((stack.objects()?, stack.env.vault()?.inventory()?), before);
        Ok(())
    };
    let variable = "NAUTES_TENANT_REPOSITORY_PROJECT";
    stack.env.workspace.set_env(variable, "tenant/other");
    assert_refused(&stack, "another one than that of the state")?;
    stack.env.workspace.set_env(variable, TENANT_REPOSITORY);

    let variable = "NAUTES_TENANT_REPOSITORY_BRANCH";
    stack.env.workspace.set_env(variable, "other");
    assert_refused(&stack, "may be in another branch")?;
    stack.env.workspace.set_env(variable, "main");

    let folder = tempfile::tempdir()?;
    let vault = OpenBao::start(OpenBaoProgram::obtain()?, folder.path())?;
    vault.enable_kv("cluster")?;
    let workspace = &mut stack.env.workspace;
    workspace.set_env("NAUTES_VAULT_ADDRESS", vault.url());
    workspace.set_env("NAUTES_VAULT_TOKEN", vault.root_token());
    workspace.set_env("NAUTES_UNREACHABLE_CLUSTERS", "forget");
    let planned = workspace.run(["plan", "-no-color"])?.success()?;
    let text = planned.stdout();
    assert!(
        text.contains("Vault has no kubeconfig") && text.contains("updated in-place"),
        "{text}"
    );
    let refused = workspace.failing_destroy()?.text();
    assert!(
        refused.contains("Vault has no kubeconfig of it"),
        "{refused}"
    );
    assert_eq!((stack.objects()?, stack.env.vault()?.inventory()?), before);
    Ok(())
}
