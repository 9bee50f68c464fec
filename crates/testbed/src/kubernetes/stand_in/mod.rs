//! A stand-in for the controllers of components.
//!
//! It serves every webhook Service at its `ClusterIP` and writes its certificate authority into the
//! webhook configurations and custom resource definitions, and it writes the status of custom
//! resources that [`ControlledKind`] lists. It never reads what an object asks for, so its answers
//! prove nothing about the real controllers. In place of a virtual cluster it writes the Secret with the
//! kubeconfig that a test has set, and in place of Argo CD the `AppProject` with the name `default`.

mod admission;
mod argo_cd;
mod controllers;
mod status;
mod virtual_clusters;
mod webhooks;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::sync::{oneshot, watch};

use super::ControlPlane;
use crate::Error;
use crate::certificates::CertificateAuthority;

pub use status::{ControlledKind, Readiness};

/// How a webhook answers admission reviews.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// It allows every request.
    #[default]
    Allow,
    /// It refuses every request with this message.
    Refuse(String),
    /// It allows every request after a time.
    Delay(Duration),
}

/// The name of the stand-in as the owner of fields.
const FIELD_MANAGER: &str = "stand-in";

/// What tests have set.
#[derive(Debug, Default)]
struct Settings {
    /// By namespace and name of the Service.
    webhooks: BTreeMap<(String, String), WebhookAnswer>,
    readiness: BTreeMap<ControlledKind, Readiness>,
    /// The kubeconfigs of virtual clusters by name.
    virtual_clusters: BTreeMap<String, String>,
}

/// A running stand-in. Dropping it stops it.
pub struct StandIn {
    settings: watch::Sender<Settings>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl fmt::Debug for StandIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StandIn").finish_non_exhaustive()
    }
}

impl StandIn {
    /// Starts a stand-in for the controllers of a control plane. There must be only one.
    pub fn start(control_plane: &ControlPlane) -> Result<Self, Error> {
        let kubeconfig = control_plane.kubeconfig();
        let authority = CertificateAuthority::new("stand-in")?;
        let (settings, changes) = watch::channel(Settings::default());
        let (stop, is_stopped) = oneshot::channel();
        let (started, start) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(start_failure)?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                match client(&kubeconfig).await {
                    Err(error) => drop(started.send(Err(error))),
                    Ok(client) => {
                        drop(started.send(Ok(())));
                        tokio::select! {
                            () = run(client, authority, changes) => {}
                            _ = is_stopped => {}
                        }
                    }
                }
            });
        });
        let ended = |_| start_failure(io::Error::other("its thread has ended"));
        start.recv().map_err(ended)??;
        Ok(Self {
            settings,
            running: Some((stop, thread)),
        })
    }

    /// Sets how the webhooks of a Service answer admission reviews. Without this, they allow
    /// every request.
    pub fn set_webhook(&self, namespace: &str, service: &str, answer: WebhookAnswer) {
        let service = (namespace.to_owned(), service.to_owned());
        self.settings.send_modify(|settings| {
            settings.webhooks.insert(service, answer);
        });
    }

    /// Sets the status of all present and future objects of a kind. Without this, they are ready.
    pub fn set_readiness(&self, kind: ControlledKind, readiness: Readiness) {
        self.settings.send_modify(|settings| {
            settings.readiness.insert(kind, readiness);
        });
    }

    /// Sets the kubeconfig of the cluster that plays a virtual one. It must be set before the `StatefulSet`
    /// of the virtual cluster is made, whose appearance brings the Secret with the kubeconfig.
    pub fn set_virtual_cluster(&self, name: &str, kubeconfig: &str) {
        self.settings.send_modify(|settings| {
            let clusters = &mut settings.virtual_clusters;
            clusters.insert(name.to_owned(), kubeconfig.to_owned());
        });
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

async fn run(client: Client, authority: CertificateAuthority, settings: watch::Receiver<Settings>) {
    tokio::join!(
        webhooks::run(client.clone(), authority, settings.clone()),
        virtual_clusters::run(client.clone(), settings.clone()),
        argo_cd::run(client.clone()),
        controllers::run(client, settings),
    );
}

async fn client(kubeconfig: &Path) -> Result<Client, Error> {
    let failure = |source| Error::Kubeconfig(Box::new(source));
    let kubeconfig = Kubeconfig::read_from(kubeconfig).map_err(failure)?;
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let client = Client::try_from(config.map_err(failure)?);
    client.map_err(|source| Error::KubernetesClient(Box::new(source)))
}

fn start_failure(source: io::Error) -> Error {
    Error::Start {
        command: "the stand-in for controllers".to_owned(),
        source,
    }
}
