//! The servers of a control plane: their arguments, and their start.

use std::path::Path;
use std::time::Duration;

use super::audit;
use super::files::Files;
use super::programs::{KubernetesPrograms, Program};
use super::service_range::ServiceRange;
use crate::Error;
use crate::free_ports::free_ports;
use crate::server_process::ServerProcess;

/// What kwok does with nodes and pods.
const STAGES: &str = include_str!("stages.yaml");

/// The ports of the servers that listen, all on 127.0.0.1. The others do not listen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    etcd: u16,
    pub(super) api_server: u16,
}

impl Ports {
    /// Returns two ports that are currently unused.
    pub(super) fn free() -> Result<Self, Error> {
        let [etcd, api_server] = free_ports("kube-apiserver")?;
        Ok(Self { etcd, api_server })
    }
}

/// The servers that act on objects.
#[derive(Debug)]
pub(super) struct Controllers {
    controller_manager: ServerProcess,
    scheduler: ServerProcess,
    kwok: ServerProcess,
}

impl Controllers {
    /// Polls `ready` until it returns a value. Fails if a server ends, or after `limit`.
    pub(super) fn wait_until<T>(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let Self {
            controller_manager,
            scheduler,
            kwok,
        } = self;
        kwok.wait_until("kwok", limit, || {
            controller_manager.check_running("kube-controller-manager")?;
            scheduler.check_running("kube-scheduler")?;
            ready()
        })
    }
}

/// Starts the servers of one control plane.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) programs: &'static KubernetesPrograms,
    pub(super) files: Files,
    pub(super) range: ServiceRange,
    /// Additional arguments of the API server.
    pub(super) api_server_arguments: Vec<String>,
}

impl Servers {
    pub(super) fn start_etcd(&self, ports: Ports) -> Result<ServerProcess, Error> {
        let client_url = etcd_url(ports);
        let data = self.files.path("etcd");
        self.start(
            "etcd",
            &self.programs.etcd,
            vec![
                "--name=test".to_owned(),
                argument("data-dir", &data),
                format!("--listen-client-urls={client_url}"),
                format!("--advertise-client-urls={client_url}"),
                // There are no peers; the system chooses the port.
                "--listen-peer-urls=http://127.0.0.1:0".to_owned(),
                // Data of a test need not survive a crash of the machine.
                "--unsafe-no-fsync".to_owned(),
                "--logger=zap".to_owned(),
                "--log-level=warn".to_owned(),
            ],
        )
    }

    pub(super) fn start_api_server(&self, ports: Ports) -> Result<ServerProcess, Error> {
        let files = &self.files;
        let policy = files.write("audit-policy.yaml", audit::POLICY)?;
        let mut arguments = vec![
            format!("--etcd-servers={}", etcd_url(ports)),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", ports.api_server),
            // Endpoints cannot have loopback addresses, so the API server gets none.
            "--advertise-address=127.0.0.1".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            format!("--service-cluster-ip-range={}", self.range.cidr()),
            "--authorization-mode=Node,RBAC".to_owned(),
            "--allow-privileged=true".to_owned(),
            argument("client-ca-file", &files.authority()),
            argument("tls-cert-file", &files.server_certificate()),
            argument("tls-private-key-file", &files.server_key()),
            argument("token-auth-file", &files.tokens()),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            argument(
                "service-account-key-file",
                &files.service_account_public_key(),
            ),
            argument(
                "service-account-signing-key-file",
                &files.service_account_key(),
            ),
            argument("audit-policy-file", &policy),
            argument("audit-log-path", &files.audit_log()),
            // An event is in the file before the next request of the same client.
            "--audit-log-mode=blocking-strict".to_owned(),
            "--profiling=false".to_owned(),
        ];
        arguments.extend(self.api_server_arguments.iter().cloned());
        self.start("kube-apiserver", &self.programs.api_server, arguments)
    }

    /// Starts the servers that need a ready API server.
    pub(super) fn start_controllers(&self) -> Result<Controllers, Error> {
        let files = &self.files;
        let stages = files.write("stages.yaml", STAGES)?;
        Ok(Controllers {
            controller_manager: self.start(
                "kube-controller-manager",
                &self.programs.controller_manager,
                vec![
                    argument("kubeconfig", &files.controller_manager_kubeconfig()),
                    "--secure-port=0".to_owned(),
                    "--leader-elect=false".to_owned(),
                    argument("root-ca-file", &files.authority()),
                    argument(
                        "service-account-private-key-file",
                        &files.service_account_key(),
                    ),
                    "--use-service-account-credentials".to_owned(),
                    // With the defaults, a namespace has its service account only after 10 s.
                    "--kube-api-qps=500".to_owned(),
                    "--kube-api-burst=1000".to_owned(),
                    // On a loaded machine, a late heartbeat makes a node NotReady for good.
                    "--node-monitor-grace-period=24h".to_owned(),
                ],
            )?,
            scheduler: self.start(
                "kube-scheduler",
                &self.programs.scheduler,
                vec![
                    argument("kubeconfig", &files.scheduler_kubeconfig()),
                    "--secure-port=0".to_owned(),
                    "--leader-elect=false".to_owned(),
                ],
            )?,
            kwok: self.start(
                "kwok",
                &self.programs.kwok,
                vec![
                    argument("kubeconfig", &files.kubeconfig()),
                    argument("config", &stages),
                    "--manage-all-nodes=false".to_owned(),
                    format!(
                        "--manage-nodes-with-label-selector={}={}",
                        KWOK_NODE.0, KWOK_NODE.1
                    ),
                    "--node-lease-duration-seconds=40".to_owned(),
                    // Pods have addresses of a private network: endpoints refuse loopback ones.
                    "--node-ip=10.100.0.1".to_owned(),
                    "--cidr=10.100.0.0/16".to_owned(),
                ],
            )?,
        })
    }

    fn start(
        &self,
        name: &str,
        program: &Program,
        arguments: Vec<String>,
    ) -> Result<ServerProcess, Error> {
        let (file, arguments) = program.command_line(arguments);
        ServerProcess::spawn_bound(name, file, arguments, self.files.folder())
    }
}

/// The label of the nodes that kwok manages, so that a test can have nodes of its own.
pub(super) const KWOK_NODE: (&str, &str) = ("testbed.nautes.io/kwok", "true");

fn etcd_url(ports: Ports) -> String {
    format!("http://127.0.0.1:{}", ports.etcd)
}

fn argument(name: &str, value: &Path) -> String {
    format!("--{name}={}", value.display())
}
