//! The Kubernetes control planes of a quickstart: one that runs pipelines, and one that runs services.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use testbed::progress::{say, step};
use testbed::{ArgoEventsProgram, DetachedControlPlane, KubernetesPrograms};

use super::folders::Folders;
use super::private_file;

/// The running control planes by their purpose.
pub(super) type Workers = BTreeMap<Worker, DetachedControlPlane>;

/// The purpose of a cluster, which has only one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(super) enum Worker {
    /// It runs pipelines.
    Pipeline,
    /// It runs services.
    Deployment,
}

impl Worker {
    /// Returns the name of the cluster in the example.
    pub(super) fn cluster(self) -> &'static str {
        match self {
            Self::Pipeline => "pipeline-01",
            Self::Deployment => "deployment-01",
        }
    }

    /// Returns the variable of the example that describes the cluster.
    pub(super) fn variable(self) -> &'static str {
        match self {
            Self::Pipeline => "TF_VAR_pipeline_cluster",
            Self::Deployment => "TF_VAR_deployment_cluster",
        }
    }
}

/// Reuses running control planes and starts the others, and calls `record` after each of them.
///
/// Without the programs of Kubernetes there are none, and without those of Argo Events there is none for pipelines;
/// the user is told.
pub(super) fn start_or_reuse(
    folders: &Folders,
    workers: &mut Workers,
    mut record: impl FnMut(&Workers) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if let Err(error) = step("Kubernetes", KubernetesPrograms::obtain) {
        let error = anyhow::Error::from(error);
        say(&format!(
            "No clusters, and so no pipelines and deployments: {error:#}"
        ));
        return Ok(());
    }
    let mut wanted = vec![Worker::Deployment];
    match step("Argo Events", ArgoEventsProgram::obtain) {
        Ok(_) if cfg!(target_os = "linux") => wanted.push(Worker::Pipeline),
        Ok(_) => say("No cluster for pipelines: Argo Events runs only on Linux"),
        Err(error) => {
            let error = anyhow::Error::from(error);
            say(&format!("No cluster for pipelines: {error:#}"));
        }
    }
    for worker in wanted {
        let earlier = workers.get(&worker);
        if let Some(earlier) = earlier {
            let url = earlier.url();
            if !earlier.is_running_in(&folders.cluster(worker)) {
                bail!("Kubernetes has ended, and its data with it");
            }
            say(&format!("Kubernetes is already running at {url}"));
            continue;
        }
        workers.insert(worker, start(folders, worker)?);
        record(workers)?;
    }
    write_kubectl(folders, workers)
}

fn start(folders: &Folders, worker: Worker) -> anyhow::Result<DetachedControlPlane> {
    let mut keeper = Command::new(std::env::current_exe()?);
    keeper.arg("control-plane");
    if worker == Worker::Pipeline {
        keeper.arg("--argo-events");
    }
    let title = format!("Starting Kubernetes on loopback as {}", worker.cluster());
    let started = step(&title, || {
        DetachedControlPlane::start(keeper, &folders.cluster(worker))
    })?;
    say(&format!("  {}, process {}", started.url(), started.pid()));
    Ok(started)
}

/// Writes the kubeconfigs, and a script that runs kubectl with the one of a cluster.
fn write_kubectl(folders: &Folders, workers: &Workers) -> anyhow::Result<()> {
    for (worker, control_plane) in workers {
        private_file::write(&folders.kubeconfig(*worker), control_plane.kubeconfig())?;
    }
    let command = DetachedControlPlane::kubectl_command_line()?;
    let command: Vec<String> = command.iter().map(|word| quoted(word)).collect();
    let folder = quoted(folders.root().as_os_str());
    let script = format!(
        "#!/bin/sh\n# kubectl <cluster> <arguments>...\nKUBECONFIG={folder}/$1.kubeconfig\nexport KUBECONFIG\nshift\nexec {} \"$@\"\n",
        command.join(" ")
    );
    let path = folders.kubectl();
    let failure = || format!("cannot write {}", path.display());
    fs::write(&path, script).with_context(failure)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).with_context(failure)
}

/// Quotes a word for a shell.
fn quoted(word: &OsStr) -> String {
    format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"))
}
