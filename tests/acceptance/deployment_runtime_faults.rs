//! Deployment runtimes whose runs are killed, or whose cluster or Argo CD does not answer.

use anyhow::ensure;
use testbed::{ControlledKind, Failure, Fault, Hold, Readiness};

use crate::deployment_runtime::{Worker, product, runtime, wait_for};
use crate::test_env::Case;

const ADDRESS: &str = "nautes_deployment_runtime.web";

/// Which server receives a call.
#[derive(Clone, Copy, Debug)]
enum Server {
    Kubernetes,
    Vault,
}

/// The writes at which a creation is killed.
const CREATION: [(Server, &str, &str); 5] = [
    (
        Server::Kubernetes,
        "PATCH",
        "/configmaps/nautes-tf-product-",
    ),
    (Server::Kubernetes, "PATCH", "/namespaces/shop-web"),
    (Server::Vault, "POST", "/role/product-"),
    (Server::Kubernetes, "PATCH", "/appprojects/"),
    (Server::Kubernetes, "PATCH", "/applications/"),
];

/// The writes at which a destroy is killed.
const DESTROY: [(Server, &str, &str); 4] = [
    (Server::Kubernetes, "DELETE", "/applications/"),
    (Server::Kubernetes, "DELETE", "/namespaces/shop-web"),
    (Server::Vault, "DELETE", "/role/product-"),
    (
        Server::Kubernetes,
        "DELETE",
        "/configmaps/nautes-tf-product-",
    ),
];

#[test]
fn the_next_apply_finishes_a_runtime_after_a_kill() -> Case {
    let (worker, proxy) = Worker::start_behind_proxy()?;
    let env = &worker.stack.env;
    let without = product("shop");
    let with = format!("{without}{}", runtime("web", "shop", ""));
    worker.apply(&without)?;
    let before = worker.inventory()?;
    let kill_at = |(server, method, path): (Server, &str, &str), hold: Hold| -> Case {
        let vault = env.vault()?.proxy();
        let held = match server {
            Server::Kubernetes => proxy.hold_call_to(method, path, hold),
            Server::Vault => vault.hold_call_to(method, path, hold),
        };
        let mut running = env.workspace.start_apply(&[])?;
        let is_held = held.wait_until_held(|| running.has_ended())?;
        running.kill_providers();
        let finished = running.finish()?;
        proxy.clear_faults();
        vault.clear_faults();
        ensure!(
            is_held,
            "the run ended without {method} {path}:\n{}",
            finished.text()
        );
        // The lease of a killed run would last for a minute.
        let leases = [
            "delete",
            "leases",
            "--all",
            "-n",
            "nautes",
            "--ignore-not-found",
        ];
        worker.stack.control_plane.kubectl(leases)?;
        Ok(())
    };
    for (index, write) in CREATION.into_iter().enumerate() {
        let hold = if index % 2 == 0 {
            Hold::AfterEffect
        } else {
            Hold::BeforeEffect
        };
        worker.write(&with)?;
        kill_at(write, hold)?;
        worker.apply(&with)?;
        worker.apply(&without)?;
        worker.assert_becomes(&before)?;
    }
    for (index, write) in DESTROY.into_iter().enumerate() {
        let hold = if index % 2 == 0 {
            Hold::AfterEffect
        } else {
            Hold::BeforeEffect
        };
        worker.apply(&with)?;
        worker.write(&without)?;
        kill_at(write, hold)?;
        worker.apply(&without)?;
        worker.assert_becomes(&before)?;
    }
    Ok(())
}

#[test]
fn a_creation_that_failed_goes_on_with_other_arguments() -> Case {
    let worker = Worker::start()?;
    let env = &worker.stack.env;
    let root = |more: &str| format!("{}{}", product("shop"), runtime("web", "shop", more));
    let unready = Readiness::NotReady("permission denied".to_owned());
    worker
        .stand_in
        .set_readiness(ControlledKind::ExternalSecret, unready);
    worker.write(&root(
        "account = \"first\"\n  timeouts = { create = \"15s\" }",
    ))?;
    let failed = env.workspace.failing_apply()?;
    ensure!(
        failed.text().contains("External Secrets"),
        "{}",
        failed.text()
    );
    worker
        .stand_in
        .set_readiness(ControlledKind::ExternalSecret, Readiness::Ready);
    worker.apply(&root("account = \"second\""))?;
    let account = "/api/v1/namespaces/shop-web/serviceaccounts/first";
    ensure!(
        worker.get(account)?.is_null(),
        "the first account is still there"
    );
    Ok(())
}

#[test]
fn a_cluster_that_gives_no_answer_keeps_the_state_and_a_stopped_argo_cd_refuses_a_destroy() -> Case
{
    let (worker, proxy) = Worker::start_behind_proxy()?;
    let env = &worker.stack.env;
    let without = product("shop");
    worker.apply(&format!("{without}{}", runtime("web", "shop", "")))?;
    let control_plane = &worker.stack.control_plane;
    let scale = [
        "scale",
        "statefulset",
        "-n",
        "argocd",
        "argocd-application-controller",
    ];
    control_plane.kubectl(scale.iter().copied().chain(["--replicas=0"]))?;
    let path = "/apis/apps/v1/namespaces/argocd/statefulsets/argocd-application-controller";
    wait_for("Argo CD to stop", || {
        Ok(worker.get(path)?["status"]["readyReplicas"].is_null())
    })?;
    worker.write(&without)?;
    let refused = env.workspace.failing_apply()?;
    ensure!(
        refused.text().contains("cascade = false"),
        "{}",
        refused.text()
    );
    ensure!(
        !env.read_file("shop/default.project", "runtimes/web.yaml")?
            .is_empty()
    );

    // Without the cascade it goes without Argo CD.
    worker.apply(&format!(
        "{without}{}",
        runtime("web", "shop", "cascade = false")
    ))?;
    proxy.inject_fault(Fault::always(Failure::DropRequest));
    let planned = env.workspace.apply_with(&["-refresh-only"])?;
    proxy.clear_faults();
    ensure!(
        planned.outcome.text().contains("cannot be reached"),
        "{}",
        planned.outcome.text()
    );
    env.workspace.resource(ADDRESS)?;
    worker.apply(&without)?;
    Ok(())
}
