//! The faults of a proxy in front of the API server.

use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::{Certificate, StatusCode};
use serde_json::json;
use testbed::{ControlPlane, Failure, Fault, Hold, Method, Proxy, exactly};

use crate::namespace;

/// A client of the API server behind a proxy, in a namespace.
struct ThroughProxy {
    control_plane: &'static ControlPlane,
    client: Client,
    proxy: Proxy,
    config_maps: String,
}

impl ThroughProxy {
    fn new(namespace_name: &str) -> Self {
        let control_plane = namespace(namespace_name);
        let proxy = control_plane.start_proxy().unwrap();
        let authority = proxy.certificate_authority().unwrap();
        let authority = Certificate::from_pem(authority.as_bytes()).unwrap();
        let client = Client::builder().no_proxy().tls_certs_only([authority]);
        Self {
            control_plane,
            client: client.build().unwrap(),
            proxy,
            config_maps: format!("/api/v1/namespaces/{namespace_name}/configmaps"),
        }
    }

    fn request(&self, method: Method, path: &str, limit: Duration) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}{path}", self.proxy.url()));
        request
            .bearer_auth(self.control_plane.admin_token())
            .timeout(limit)
    }

    fn creation(&self, name: &str, limit: Duration) -> RequestBuilder {
        let object = json!({ "metadata": { "name": name } });
        let request = self.request(Method::POST, &self.config_maps, limit);
        request.json(&object)
    }

    fn create(&self, name: &str) -> reqwest::Result<Response> {
        self.creation(name, Duration::from_secs(60)).send()
    }

    fn exists(&self, name: &str) -> bool {
        let path = format!("{}/{name}", self.config_maps);
        self.control_plane.get(&path).unwrap().is_some()
    }

    fn fail_next_creation(&self, failure: Failure) {
        let fault = Fault::once("POST", &self.config_maps, failure);
        self.proxy.inject_fault(fault);
    }
}

#[test]
fn without_a_fault_kubectl_works_through_the_proxy_and_is_counted() {
    let through = ThroughProxy::new("proxy-plain");
    let kubeconfig = through.control_plane.kubeconfig_through(&through.proxy);
    let kubeconfig = format!("--kubeconfig={}", kubeconfig.unwrap().display());
    let create = "-n proxy-plain create configmap a".split(' ');
    let arguments = [kubeconfig.as_str()].into_iter().chain(create);
    let (created, calls) = through
        .proxy
        .calls_during(|| through.control_plane.kubectl(arguments));
    created.unwrap();
    assert!(through.exists("a"));
    calls.writes().assert_calls(exactly(1));
}

#[test]
fn a_call_is_refused_before_or_after_its_effect() {
    let through = ThroughProxy::new("proxy-refusal");
    for (name, status) in [("throttled", 429), ("unavailable", 503)] {
        through.fail_next_creation(match status {
            429 => Failure::TooManyRequests {
                retry_after: Duration::from_secs(7),
            },
            _ => Failure::Respond {
                status,
                body: "down".to_owned(),
            },
        });
        let response = through.create(name).unwrap();
        assert_eq!(response.status().as_u16(), status);
        let wait = response.headers().get("Retry-After");
        assert_eq!(
            wait.map(|wait| wait == "7"),
            (status == 429).then_some(true)
        );
        assert!(!through.exists(name));
    }
    through.fail_next_creation(Failure::RespondAfterEffect {
        status: 500,
        body: "lost".to_owned(),
    });
    let response = through.create("made").unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.text().unwrap(), "lost");
    assert!(through.exists("made"));
    assert_eq!(
        through.create("another").unwrap().status(),
        StatusCode::CREATED
    );
}

#[test]
fn a_connection_is_dropped_before_or_after_the_effect_of_a_call() {
    let through = ThroughProxy::new("proxy-drop");
    through.fail_next_creation(Failure::DropRequest);
    through.create("dropped").unwrap_err();
    assert!(!through.exists("dropped"));
    through.fail_next_creation(Failure::DropResponse);
    through.create("made").unwrap_err();
    assert!(through.exists("made"));
}

#[test]
fn a_call_is_held_before_or_after_its_effect() {
    let mut through = ThroughProxy::new("proxy-hold");
    for (hold, name) in [(Hold::BeforeEffect, "before"), (Hold::AfterEffect, "after")] {
        let held = through.proxy.hold_call(0, hold);
        let request = through.creation(name, Duration::from_secs(120));
        let call = std::thread::spawn(|| request.send());
        assert!(held.wait_until_held(|| call.is_finished()).unwrap());
        drop(held);
        assert_eq!(through.exists(name), hold == Hold::AfterEffect);
        through.proxy.listen().unwrap();
        call.join().unwrap().unwrap_err();
    }
}

#[test]
fn a_black_hole_answers_neither_open_nor_new_connections() {
    let mut through = ThroughProxy::new("proxy-black-hole");
    through.create("before").unwrap();
    through.proxy.set_black_hole(true);
    let limit = Duration::from_millis(500);
    let error = through.creation("lost", limit).send().unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    // The client has no open connection any more.
    through.proxy.listen().unwrap();
    let error = through.creation("lost", limit).send().unwrap_err();
    assert!(error.is_timeout(), "{error:?}");

    through.proxy.set_black_hole(false);
    through.proxy.listen().unwrap();
    assert!(!through.exists("lost"));
    assert_eq!(
        through.create("after").unwrap().status(),
        StatusCode::CREATED
    );
}

#[test]
fn a_watch_passes_events_on_while_it_lasts() {
    use std::io::{BufRead, BufReader};
    let through = ThroughProxy::new("proxy-watch");
    let path = format!("{}?watch=true", through.config_maps);
    let limit = Duration::from_secs(60);
    let watch = through.request(Method::GET, &path, limit).send().unwrap();
    let mut lines = BufReader::new(watch).lines();
    through.create("watched").unwrap();
    let event = lines.find(|line| line.as_ref().unwrap().contains("watched"));
    assert!(event.unwrap().unwrap().contains("ADDED"));
}
