//! Credentials, identity, discovery, and calls that fail on the way.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use kubernetes_apply::apply::ApplyFailure;
use kubernetes_apply::apply_set::{Applied, ApplySetError};
use kubernetes_apply::cluster::{ApiError, Cluster, Detail, DiscoveryError, IdentityError};
use kubernetes_apply::connection::{Access, Limits};
use kubernetes_apply::object::Kind;
use secrecy::SecretString;
use serde_json::json;
use testbed::ControlPlane;
use testbed::{Failure, Fault, Proxy};

use crate::environment::{Environment, chain};

const CONFIG_MAP: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1'}}";

fn through_proxy(limits: Limits) -> (Environment, Proxy) {
    let control_plane = ControlPlane::shared().unwrap();
    let proxy = control_plane.start_proxy().unwrap();
    let kubeconfig = control_plane.kubeconfig_through(&proxy).unwrap();
    (
        Environment::through(control_plane, &kubeconfig, limits),
        proxy,
    )
}

#[test]
fn a_cluster_is_reached_with_an_address_an_authority_and_a_token() {
    let environment = Environment::new();
    let control_plane = environment.control_plane;
    let access = Access::new(&control_plane.url())
        .unwrap()
        .with_certificate_authority(control_plane.certificate_authority().as_bytes())
        .unwrap()
        .with_token(SecretString::from(control_plane.admin_token()));
    let cluster = Cluster::new(&access, Limits::default()).unwrap();
    let version = environment.run(cluster.version()).unwrap();
    assert!(version.starts_with("v1."), "{version}");
}

#[test]
fn a_cluster_is_reached_with_a_client_certificate() {
    let environment = Environment::new();
    let control_plane = environment.control_plane;
    let kubeconfig = std::fs::read_to_string(control_plane.kubeconfig()).unwrap();
    let decoded = |field: &str| {
        let (_, rest) = kubeconfig.split_once(field).unwrap();
        let text = rest.trim_start_matches(['"', ':', ' ']);
        let text = text.split(['"', '\n', ',', '}']).next().unwrap();
        String::from_utf8(STANDARD.decode(text.trim()).unwrap()).unwrap()
    };
    let certificate = decoded("client-certificate-data");
    let key = SecretString::from(decoded("client-key-data"));
    let access = Access::new(&control_plane.url())
        .unwrap()
        .with_certificate_authority(control_plane.certificate_authority().as_bytes())
        .unwrap()
        .with_client_certificate(&certificate, &key);
    let cluster = Cluster::new(&access, Limits::default()).unwrap();
    environment.run(cluster.uid()).unwrap();
}

#[test]
fn a_token_that_is_refused_says_so() {
    let environment = Environment::new();
    let control_plane = environment.control_plane;
    let access = Access::new(&control_plane.url())
        .unwrap()
        .with_certificate_authority(control_plane.certificate_authority().as_bytes())
        .unwrap()
        .with_token(SecretString::from("wrong"));
    let cluster = Cluster::new(&access, Limits::default()).unwrap();
    let error = environment.run(cluster.uid()).unwrap_err();
    assert!(
        error.call().unwrap().is_refused_for("Unauthorized"),
        "{error}"
    );
}

#[test]
fn another_cluster_at_the_address_is_told_apart() {
    let environment = Environment::new();
    let uid = environment.run(environment.cluster.uid()).unwrap();
    environment
        .run(environment.cluster.require_uid(&uid))
        .unwrap();
    let error = environment
        .run(environment.cluster.require_uid("other"))
        .unwrap_err();
    assert!(matches!(error, IdentityError::Other { found, .. } if found == uid));
}

#[test]
fn an_object_is_gone_only_if_its_kind_is_served() {
    let environment = Environment::new();
    let find = |api_version: &str, kind: &str| {
        let kind = Kind::new(api_version, kind);
        let found =
            environment
                .cluster
                .find(&kind, Some(&environment.namespace), "none", Detail::Full);
        environment.run(found)
    };
    assert_eq!(find("v1", "ConfigMap").unwrap(), None);
    for (api_version, kind) in [
        ("example.com/v1", "Widget"),
        ("apps/v9", "Deployment"),
        ("v1", "Widget"),
    ] {
        let error = find(api_version, kind).unwrap_err();
        assert!(
            matches!(error, ApiError::Discovery(DiscoveryError::NotServed { .. })),
            "{error}"
        );
    }
}

#[test]
fn an_aggregated_api_that_is_dead_stops_only_its_own_kinds() {
    let environment = Environment::new();
    let group = format!("{}.dead.example.com", environment.namespace);
    let body = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": format!("v1.{group}")},
        "spec": {"group": group, "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
                 "insecureSkipTLSVerify": true,
                 "service": {"namespace": environment.namespace, "name": "nothing"}}
    });
    let path = "/apis/apiregistration.k8s.io/v1/apiservices";
    environment
        .control_plane
        .api(Method::POST, path, Some(&body))
        .unwrap();
    environment.apply(CONFIG_MAP).unwrap();
    let error = environment
        .apply(&format!(
            "{{apiVersion: {group}/v1, kind: Metric, metadata: {{name: a}}}}"
        ))
        .unwrap_err();
    let shown = error.to_string();
    environment
        .control_plane
        .api(Method::DELETE, &format!("{path}/v1.{group}"), None)
        .unwrap();
    assert!(
        shown.contains("is registered, but the server behind it does not answer"),
        "{shown}"
    );
}

#[test]
fn an_apply_whose_answer_is_lost_is_sent_again() {
    let (environment, proxy) = through_proxy(Limits::default());
    proxy.inject_fault(Fault::once("PATCH", "/configmaps/a", Failure::DropResponse));
    let (applied, calls) = proxy.calls_during(|| environment.apply(CONFIG_MAP));
    applied.unwrap();
    let patches = calls
        .as_slice()
        .iter()
        .filter(|call| call.method == "PATCH");
    assert_eq!(patches.count(), 2);
    assert!(environment.config_map("a").is_some());
}

#[test]
fn the_creation_of_the_inventory_is_never_sent_twice() {
    let (environment, proxy) = through_proxy(Limits::default());
    let failure = Failure::RespondAfterEffect {
        status: 503,
        body: json!({"kind": "Status", "apiVersion": "v1", "code": 503, "message": "unavailable"})
            .to_string(),
    };
    proxy.inject_fault(Fault::once("POST", "/configmaps", failure));
    let (applied, calls) = proxy.calls_during(|| environment.apply(CONFIG_MAP));
    let error = applied.unwrap_err();
    assert!(matches!(error, ApplySetError::Inventory(_)), "{error}");
    assert!(chain(&error).contains("unavailable"), "{}", chain(&error));
    let posts = calls.as_slice().iter().filter(|call| call.method == "POST");
    assert_eq!(posts.count(), 1);
    // It took effect, so the next apply goes on with it.
    environment.apply(CONFIG_MAP).unwrap();
}

#[test]
fn a_limit_of_the_server_is_waited_for() {
    let (environment, proxy) = through_proxy(Limits::default());
    let retry_after = Duration::from_secs(1);
    proxy.inject_fault(Fault::once(
        "POST",
        "/configmaps",
        Failure::TooManyRequests { retry_after },
    ));
    environment.apply(CONFIG_MAP).unwrap();
}

#[test]
fn a_cluster_that_is_gone_fails_all_objects_after_one_wait() {
    let limits = Limits {
        open_circuit_after: Duration::from_millis(500),
        ..Limits::default()
    };
    let (environment, mut proxy) = through_proxy(limits);
    environment.apply(CONFIG_MAP).unwrap();
    proxy.close();
    for _ in 0..20 {
        let error = environment.apply(CONFIG_MAP).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("the server has not answered since"),
            "{error}"
        );
    }
}

/// Applies while the API server takes no PATCH, and lets it go on after `meanwhile`.
fn apply_with(
    environment: &Environment,
    proxy: &Proxy,
    meanwhile: impl FnOnce(),
) -> Result<Applied, ApplySetError> {
    proxy.inject_fault(Fault {
        method: Some("PATCH".to_owned()),
        ..Fault::always(Failure::TooManyRequests {
            retry_after: Duration::from_secs(1),
        })
    });
    let before = proxy.calls().count();
    std::thread::scope(|scope| {
        let apply = scope.spawn(|| environment.apply(CONFIG_MAP));
        let is_patch = |call: &testbed::Call| call.method == "PATCH";
        while !proxy.calls().as_slice().iter().skip(before).any(is_patch) {
            assert!(!apply.is_finished(), "nothing was applied");
            std::thread::yield_now();
        }
        meanwhile();
        proxy.clear_faults();
        apply.join().unwrap()
    })
}

fn reason(error: &ApplySetError) -> &ApplyFailure {
    match error {
        ApplySetError::Objects(errors) => &errors[0].reason,
        other => panic!("{other}"),
    }
}

#[test]
fn an_object_that_is_replaced_during_an_apply_is_not_changed() {
    let (environment, proxy) = through_proxy(Limits::default());
    for data in [json!({"x": "1"}), json!({"x": "theirs"})] {
        environment.apply(CONFIG_MAP).unwrap();
        let outcome = apply_with(&environment, &proxy, || {
            let path = environment.path("/api/v1", "configmaps/a");
            environment
                .control_plane
                .api(Method::DELETE, &path, None)
                .unwrap();
            environment.create_config_map("a", json!({}), &data);
        });
        let error = outcome.unwrap_err();
        // The server compares the fields first, and then the UID.
        assert!(
            matches!(
                reason(&error),
                ApplyFailure::ReplacedMeanwhile | ApplyFailure::Foreign(_)
            ),
            "{error}"
        );
        let live = environment.config_map("a").unwrap();
        assert_eq!(live["data"], data);
        assert_eq!(live["metadata"].get("labels"), None);
        environment.kubectl("delete configmap a");
    }
}

#[test]
fn an_object_that_goes_during_an_apply_is_made_again_by_the_next_one() {
    let (environment, proxy) = through_proxy(Limits::default());
    environment.apply(CONFIG_MAP).unwrap();
    let outcome = apply_with(&environment, &proxy, || {
        let path = environment.path("/api/v1", "configmaps/a");
        environment
            .control_plane
            .api(Method::DELETE, &path, None)
            .unwrap();
    });
    let error = outcome.unwrap_err();
    assert!(
        matches!(reason(&error), ApplyFailure::ReplacedMeanwhile),
        "{error}"
    );
    environment.apply(CONFIG_MAP).unwrap();
}

#[test]
fn an_object_that_somebody_creates_during_an_apply_is_not_taken_over() {
    let (environment, proxy) = through_proxy(Limits::default());
    let outcome = apply_with(&environment, &proxy, || {
        environment.create_config_map("a", json!({}), &json!({"x": "theirs"}));
    });
    let error = outcome.unwrap_err();
    assert!(
        matches!(reason(&error), ApplyFailure::CreatedMeanwhile),
        "{error}"
    );
    assert_eq!(environment.config_map("a").unwrap()["data"]["x"], "theirs");
}
