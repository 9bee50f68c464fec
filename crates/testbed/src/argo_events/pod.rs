//! A program in a network and a root folder of its own.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use uuid::Uuid;

use crate::Error;
use crate::server_process::{ServerProcess, write_private};

/// The port of a pod that leads to the bus.
pub(super) const BUS_PORT: u16 = 4222;

/// The port of a pod that leads to the API server.
pub(super) const API_SERVER_PORT: u16 = 6443;

/// The path of the kubeconfig in a pod.
pub(super) const KUBECONFIG: &str = "/kubeconfig";

/// What `tests/testbed/controllers/argo_events/pod.go` reads.
#[derive(Debug, Serialize)]
pub(super) struct Pod {
    command: [&'static str; 2],
    pub(super) environment: BTreeMap<String, String>,
    /// Contents by absolute path.
    pub(super) files: BTreeMap<String, String>,
    /// Ports of the pod by the address outside that leads to them.
    pub(super) inbound: BTreeMap<String, u64>,
    /// Addresses outside by the port of the pod that leads to them.
    pub(super) outbound: BTreeMap<u16, String>,
}

impl Pod {
    pub(super) fn new(program: &'static str, command: &'static str) -> Self {
        Self {
            command: [program, command],
            environment: BTreeMap::new(),
            files: BTreeMap::new(),
            inbound: BTreeMap::new(),
            outbound: BTreeMap::new(),
        }
    }

    /// Starts the pod. Its log is in `folder`.
    pub(super) fn start(
        &self,
        program: &Path,
        folder: &Path,
        name: &str,
    ) -> Result<ServerProcess, Error> {
        let name = format!("{name}-{}", Uuid::new_v4());
        let description = folder.join(format!("{name}.json"));
        let text = serde_json::to_string(self).map_err(|source| Error::Output {
            command: name.clone(),
            expected: "JSON",
            source: Some(source),
        })?;
        write_private(&description, &text)?;
        let arguments = ["pod".as_ref(), description.as_os_str()];
        ServerProcess::spawn_bound(&name, program, arguments, folder)
    }
}
