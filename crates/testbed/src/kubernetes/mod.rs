//! A Kubernetes control plane of real servers: etcd, the API server, the controller manager and the
//! scheduler, with kwok in place of nodes.
//!
//! RBAC is enforced, service accounts have tokens, deleted namespaces are emptied and garbage is
//! collected. Pods become Ready as soon as they are scheduled, whatever they contain: no container
//! runs. The `ClusterIP` of a Service is a loopback address of this machine, so that a test can
//! listen on it; nobody forwards it to pods.
//!
//! Limits: on systems other than Linux, these addresses must be added to the loopback interface
//! first. Listening on their ports below 1024 may need permissions.

mod api;
mod audit;
mod components;
mod detached;
mod files;
mod kubeconfig;
mod programs;
mod servers;
mod service_range;
mod shared;
mod snapshot;
mod stand_in;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use self::api::Api;
use self::files::Files;
use self::kubeconfig::Credentials;
use self::servers::{Controllers, KWOK_NODE, Ports, Servers};
use self::service_range::ServiceRange;
use crate::certificates::CertificateAuthority;
use crate::proxy::Proxy;
use crate::server_process::ServerProcess;
use crate::{Error, Finished, progress};

pub use audit::{AuditEvent, AuditObject, AuditStatus, AuditUser};
pub use detached::DetachedControlPlane;
pub use programs::KubernetesPrograms;
pub use stand_in::{ControlledKind, Readiness, StandIn, WebhookAnswer};

/// The name of the control plane in messages.
const NAME: &str = "the Kubernetes control plane";

/// How long the servers may take to become ready. Loaded machines need much of it.
const START_LIMIT: Duration = Duration::from_secs(180);

/// How often a start is repeated because another process took a port.
const ATTEMPTS: u32 = 5;

/// Options to start a control plane with.
#[derive(Debug, Clone, Default)]
pub struct ControlPlaneOptions {
    /// Additional arguments of the API server, such as `--enable-admission-plugins=AlwaysPullImages`.
    pub api_server_arguments: Vec<String>,
}

/// A running control plane. Dropping it kills its servers, and so does the end of this process.
///
/// [`ControlPlane::shared`] is one for all tests of a process, for tests that keep to namespaces
/// of their own. [`ControlPlane::start`] is for tests that need one for themselves.
pub struct ControlPlane {
    // Dropped in this order, each server before those that it uses.
    controllers: Controllers,
    api_server: Option<ServerProcess>,
    etcd: ServerProcess,
    servers: Servers,
    authority: CertificateAuthority,
    ports: Ports,
    admin_token: String,
    api: Api,
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ControlPlane")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl ControlPlane {
    /// Starts a control plane with its data, keys and logs in `folder`, and waits until pods can
    /// run in the namespace `default`.
    pub fn start(folder: &Path, options: &ControlPlaneOptions) -> Result<Self, Error> {
        let programs = KubernetesPrograms::obtain()?;
        let range = ServiceRange::claim()?;
        let authority = CertificateAuthority::new("test")?;
        let admin_token = Uuid::new_v4().to_string();
        let servers = Servers {
            programs,
            files: Files::create(folder, &authority, &range, &admin_token)?,
            range,
            api_server_arguments: options.api_server_arguments.clone(),
        };
        progress::when_slow(&format!("starting {NAME}"), || {
            let (etcd, api_server, ports, api) =
                repeat_while_in_use(|| start_api(&servers, &authority, &admin_token))?;
            servers.files.write_kubeconfigs(&url(ports), &authority)?;
            let controllers = servers.start_controllers()?;
            let mut control_plane = Self {
                controllers,
                api_server: Some(api_server),
                etcd,
                servers,
                authority,
                ports,
                admin_token,
                api,
            };
            control_plane.add_node()?;
            Ok(control_plane)
        })
    }

    /// Returns the control plane that all tests of this process share, and starts it for the first
    /// one.
    ///
    /// Its folder is removed when the process ends.
    pub fn shared() -> Result<&'static Self, Error> {
        shared::get_or_start()
    }

    /// Returns the URL of the API server.
    pub fn url(&self) -> String {
        url(self.ports)
    }

    /// Returns the host and port of the API server.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.api_server)
    }

    /// Returns the certificate authority of the API server as PEM.
    pub fn certificate_authority(&self) -> String {
        self.authority.pem()
    }

    /// Returns the path of the administrator's kubeconfig, which contains a client certificate.
    pub fn kubeconfig(&self) -> PathBuf {
        self.servers.files.kubeconfig()
    }

    /// Returns a bearer token of the administrator.
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// Runs kubectl as the administrator, and returns its output.
    pub fn kubectl<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Finished, Error> {
        let files = &self.servers.files;
        self.servers
            .programs
            .kubectl
            .invocation(arguments)
            .environment(crate::isolated_environment(files.folder()))
            .env("KUBECONFIG", files.kubeconfig())
            .finish()?
            .success()
    }

    /// Applies manifests, a YAML text, on the server's side as the administrator, who takes fields from others.
    pub fn apply(&self, manifests: &str) -> Result<(), Error> {
        let file = self.servers.files.path(&Uuid::new_v4().to_string());
        let file = file.with_extension("yaml");
        std::fs::write(&file, manifests).map_err(Error::file("write", &file))?;
        let name = file.display().to_string();
        self.kubectl(["apply", "--server-side", "--force-conflicts", "-f", &name])
            .map(|_| ())
    }

    /// Calls the API as the administrator; returns null for a response without a body.
    ///
    /// `path` begins with `/api` or `/apis`.
    pub fn api(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        self.api.request(method, path, body)
    }

    /// Does the same as [`Self::api`], as the owner of a bearer token.
    pub fn api_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let api = Api::new(&self.url(), &self.authority.pem(), token)?;
        api.request(method, path, body)
    }

    /// Reads an object as the administrator; returns `None` if it does not exist.
    pub fn get(&self, path: &str) -> Result<Option<Value>, Error> {
        self.api.get_if_found(path)
    }

    /// Starts a proxy in front of the API server, which counts calls, holds them and makes them
    /// fail.
    pub fn start_proxy(&self) -> Result<Proxy, Error> {
        Proxy::start_with_tls(&self.url(), &self.authority.pem())
    }

    /// Writes a kubeconfig of the administrator with the address of a proxy, and returns its path.
    ///
    /// It contains a bearer token, since client certificates do not pass a proxy.
    pub fn kubeconfig_through(&self, proxy: &Proxy) -> Result<PathBuf, Error> {
        let path = self.servers.files.path(&Uuid::new_v4().to_string());
        let authority = proxy.certificate_authority().unwrap_or_default();
        let credentials = Credentials::Token(&self.admin_token);
        kubeconfig::write(
            path.with_extension("kubeconfig"),
            &proxy.url(),
            authority,
            &credentials,
        )
    }

    /// Returns the text of a kubeconfig with a bearer token, for an address that leads to the API server.
    pub fn kubeconfig_with_token(&self, server: &str, token: &str) -> String {
        kubeconfig::text(server, &self.authority.pem(), &Credentials::Token(token))
    }

    /// Returns the finished requests to the API server, oldest first, those of its own controllers
    /// included.
    pub fn audit_events(&self) -> Result<Vec<AuditEvent>, Error> {
        audit::read(&self.servers.files.audit_log())
    }

    /// Returns the folder with the logs of the servers.
    pub fn folder(&self) -> &Path {
        self.servers.files.folder()
    }

    /// Kills the API server. Connections to it are then refused, until it is restarted.
    pub fn stop_api_server(&mut self) {
        self.api_server = None;
    }

    /// Kills the API server, starts it again at the same address with the same data, and waits
    /// until it is ready.
    pub fn restart_api_server(&mut self) -> Result<(), Error> {
        self.stop_api_server();
        let api_server = repeat_while_in_use(|| {
            let mut api_server = self.servers.start_api_server(self.ports)?;
            wait_until_ready(&mut api_server, &mut self.etcd, &self.api)?;
            Ok(api_server)
        });
        self.api_server = Some(api_server?);
        Ok(())
    }

    /// Kills the servers.
    pub fn stop(self) {}

    /// Adds a node, and waits until pods can be scheduled to it.
    fn add_node(&mut self) -> Result<(), Error> {
        let (label, value) = KWOK_NODE;
        let node = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": { "name": "node", "labels": {
                label: value,
                "kubernetes.io/hostname": "node",
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
            } },
        });
        let api = &self.api;
        api.request(Method::POST, "/api/v1/nodes", Some(&node))?;
        self.controllers.wait_until(START_LIMIT, || {
            let node = api.get_if_found("/api/v1/nodes/node")?;
            let account = "/api/v1/namespaces/default/serviceaccounts/default";
            let account = api.get_if_found(account)?;
            Ok((node.is_some_and(|node| is_schedulable(&node)) && account.is_some()).then_some(()))
        })
    }
}

/// Repeats a start that fails because another process uses a port.
fn repeat_while_in_use<T>(mut start: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..ATTEMPTS {
        match start() {
            Err(Error::NotReady { tail, .. }) if tail.contains("address already in use") => {}
            result => return result,
        }
    }
    start()
}

/// Starts etcd and the API server at free ports, and waits until the API server is ready.
fn start_api(
    servers: &Servers,
    authority: &CertificateAuthority,
    admin_token: &str,
) -> Result<(ServerProcess, ServerProcess, Ports, Api), Error> {
    let ports = Ports::free()?;
    let api = Api::new(&url(ports), &authority.pem(), admin_token)?;
    let mut etcd = servers.start_etcd(ports)?;
    let mut api_server = servers.start_api_server(ports)?;
    wait_until_ready(&mut api_server, &mut etcd, &api)?;
    Ok((etcd, api_server, ports, api))
}

fn wait_until_ready(
    api_server: &mut ServerProcess,
    etcd: &mut ServerProcess,
    api: &Api,
) -> Result<(), Error> {
    api_server.wait_until("kube-apiserver", START_LIMIT, || {
        etcd.check_running("etcd")?;
        Ok(api.request(Method::GET, "/readyz", None).ok().map(|_| ()))
    })
}

fn is_schedulable(node: &Value) -> bool {
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    let is_ready = conditions.into_iter().flatten().any(|condition| {
        condition.get("type") == Some(&json!("Ready"))
            && condition.get("status") == Some(&json!("True"))
    });
    is_ready && node.pointer("/spec/taints").is_none()
}

fn url(ports: Ports) -> String {
    format!("https://127.0.0.1:{}", ports.api_server)
}
