//! Leases.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use kubernetes_apply::cluster::Cluster;
use kubernetes_apply::connection::{Access, ExecPlugins, Limits};
use kubernetes_apply::lease::{LeaseError, LeaseLock, LeaseTiming};
use serde_json::{Value, json};

use crate::environment::Environment;

fn cluster(environment: &Environment) -> Arc<Cluster> {
    let kubeconfig = environment.control_plane.kubeconfig();
    let access = Access::load(&kubeconfig, None, ExecPlugins::Refused).unwrap();
    Arc::new(Cluster::new(&access, Limits::default()).unwrap())
}

fn lease(environment: &Environment) -> LeaseLock {
    LeaseLock {
        namespace: environment.namespace.clone(),
        name: "lock".to_owned(),
        owner: environment.owner.clone(),
        timing: LeaseTiming {
            duration: Duration::from_secs(3),
            renewal: Duration::from_secs(1),
            poll: Duration::from_millis(200),
        },
    }
}

fn path(environment: &Environment) -> String {
    format!(
        "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
        environment.namespace
    )
}

fn holder(environment: &Environment) -> Value {
    let path = format!("{}/lock", path(environment));
    let lease = environment.control_plane.get(&path).unwrap();
    lease.unwrap_or_default()["spec"]["holderIdentity"].clone()
}

#[test]
fn a_lease_is_held_by_one_after_the_other_and_ends_with_a_dead_holder() {
    let environment = Environment::new();
    let cluster = cluster(&environment);
    let lock = lease(&environment);
    environment.run(async {
        let first = lock.acquire(&cluster, "first", |_| ()).await.unwrap();
        let (second, ()) = tokio::join!(lock.acquire(&cluster, "second", |_| ()), async {
            let worked = first.run(tokio::time::sleep(lock.timing.duration * 2));
            worked.await.unwrap();
            assert_eq!(holder(&environment), json!("first"));
            first.release().await.unwrap();
        });
        assert_eq!(holder(&environment), json!("second"));
        // Dead is who does not renew.
        let third = lock.acquire(&cluster, "third", |_| ()).await.unwrap();
        assert_eq!(holder(&environment), json!("third"));
        let lost = second.unwrap().run(std::future::pending::<()>()).await;
        assert!(matches!(lost, Err(LeaseError::Lost { holder, .. }) if holder == "third"));
        third.release().await.unwrap();
        assert_eq!(holder(&environment), json!(""));
    });
}

#[test]
fn a_lease_of_others_is_not_taken() {
    let environment = Environment::new();
    let cluster = cluster(&environment);
    let lock = lease(&environment);
    let body = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": "lock" },
    });
    let control_plane = environment.control_plane;
    control_plane
        .api(Method::POST, &path(&environment), Some(&body))
        .unwrap();
    let taken = environment.run(lock.acquire(&cluster, "first", |_| ()));
    assert!(matches!(taken, Err(LeaseError::Foreign(_))));
}
