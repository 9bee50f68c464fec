//! A control plane that outlives the process that starts it, and ends with a process of its own.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::{ControlPlane, ControlPlaneOptions, KubernetesPrograms, NAME, START_LIMIT, StandIn};
use crate::argo_events::Controller;
use crate::server_process::{self, Group, ServerProcess, is_running_with};
use crate::{Error, Finished};

/// The record of a detached control plane: everything needed to find, use and end it.
#[derive(Clone, Serialize, Deserialize)]
pub struct DetachedControlPlane {
    url: String,
    kubeconfig: String,
    /// The URL of the gateway, in a worker that runs pipelines.
    #[serde(default)]
    gateway_url: Option<String>,
    pid: u32,
}

impl fmt::Debug for DetachedControlPlane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DetachedControlPlane")
            .field("url", &self.url)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

impl DetachedControlPlane {
    /// Starts a control plane with its data and logs in `folder`.
    ///
    /// `keeper` starts the process that keeps it: it calls [`Self::serve`] with the folder, which is its last
    /// argument.
    pub fn start(mut keeper: Command, folder: &Path) -> Result<Self, Error> {
        keeper.arg(folder);
        let limit = START_LIMIT * 2;
        let started =
            ServerProcess::start_within(limit, "control-plane", keeper, folder, Group::Own);
        let (process, line) = started?;
        let record = serde_json::from_str(&line).map_err(|source| Error::Output {
            command: NAME.to_owned(),
            expected: "a ready line",
            source: Some(source),
        })?;
        process.detach();
        Ok(record)
    }

    /// Keeps a control plane running until this process ends: a worker with components that are only stood in for.
    ///
    /// With `runs_argo_events`, the real programs of Argo Events run its `EventSource`s and Sensors, behind a gateway.
    pub fn serve(folder: &Path, runs_argo_events: bool) -> Result<Infallible, Error> {
        let control_plane = ControlPlane::start(folder, &ControlPlaneOptions::default())?;
        control_plane.add_components()?;
        let _stand_in = StandIn::start(&control_plane)?;
        let argo_events = runs_argo_events
            .then(|| Controller::start(&control_plane, &folder.join("argo-events")));
        let argo_events = argo_events.transpose()?;
        let path = control_plane.kubeconfig();
        let kubeconfig = std::fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let record = Self {
            url: control_plane.url(),
            kubeconfig,
            gateway_url: argo_events.as_ref().map(Controller::gateway_url),
            pid: std::process::id(),
        };
        let line = serde_json::to_string(&record).unwrap_or_default();
        let written = writeln!(io::stdout(), "{line}");
        written.map_err(Error::file("write", Path::new("standard output")))?;
        match argo_events {
            Some(argo_events) => argo_events.run(),
            None => loop {
                std::thread::park();
            },
        }
    }

    /// Returns the URL of the API server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// Returns the URL of the gateway, in a worker that runs pipelines.
    pub fn gateway_url(&self) -> Option<&str> {
        self.gateway_url.as_deref()
    }

    /// Returns the process id of its keeper.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Runs kubectl as the administrator, whose kubeconfig is at a path.
    pub fn kubectl<'a>(
        kubeconfig: &Path,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Finished, Error> {
        let folder = kubeconfig.parent().unwrap_or(kubeconfig);
        let kubectl = &KubernetesPrograms::obtain()?.kubectl;
        kubectl
            .invocation(arguments)
            .environment(crate::isolated_environment(folder))
            .env("KUBECONFIG", kubeconfig)
            .finish()?
            .success()
    }

    /// Returns the command line of kubectl, without arguments.
    pub fn kubectl_command_line() -> Result<Vec<OsString>, Error> {
        let kubectl = &KubernetesPrograms::obtain()?.kubectl;
        let (file, arguments) = kubectl.command_line::<OsString>([]);
        Ok([file.into()].into_iter().chain(arguments).collect())
    }

    /// Returns whether this control plane still runs, with its data in `folder`.
    pub fn is_running_in(&self, folder: &Path) -> bool {
        let folder = folder.to_str();
        folder.is_some_and(|folder| is_running_with(self.pid, folder))
    }

    /// Ends the control plane, if it still runs with its data in `folder`.
    pub fn stop(&self, folder: &Path) {
        if self.is_running_in(folder) {
            server_process::stop_detached(self.pid);
        }
    }
}
