//! The programs of a control plane: found, or obtained.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::go_tool::GoTool;
use crate::release::{self, Release};
use crate::{Error, Invocation};

/// The environment variable with the folder of the control plane's programs, as used by
/// Kubernetes' own test tools.
const VARIABLE: &str = "KUBEBUILDER_ASSETS";

/// The version of Kubernetes that is obtained if none is found, as in `tests/testbed/kube/go.mod`.
const VERSION: &str = "1.36.3";

/// The version of etcd, as in `tests/testbed/kube/go.mod`.
const ETCD_VERSION: &str = "3.6.8";

const GO_TOOL: GoTool = GoTool {
    title: "a Kubernetes control plane",
    program: "kube",
    folder: "kube",
    module: "k8s.io/kubernetes",
    package: ".",
    // Without its version, the API server takes itself for a development version.
    linker_flags: "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 \
                   -X k8s.io/component-base/version.gitMajor=1 \
                   -X k8s.io/component-base/version.gitMinor=36 \
                   -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3",
    usual_duration: "five minutes on two cores",
};

const REMEDY: &str = "Install Go, or put etcd, kube-apiserver, kube-controller-manager, \
                      kube-scheduler, kubectl and kwok on PATH or into a folder that \
                      KUBEBUILDER_ASSETS names.";

/// One program: a file, or a command of a file that contains several programs.
#[derive(Debug, Clone)]
pub(super) struct Program {
    file: PathBuf,
    command: Option<&'static str>,
}

impl Program {
    fn file(file: PathBuf) -> Self {
        Self {
            file,
            command: None,
        }
    }

    /// A command of the program that Go builds.
    fn built(file: &Path, command: &'static str) -> Self {
        Self {
            file: file.to_owned(),
            command: Some(command),
        }
    }

    /// Returns the file and its arguments: the command, if the file has several, and `arguments`.
    pub(super) fn command_line<A: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> (&Path, Vec<OsString>) {
        let command = self.command.map(OsString::from);
        let arguments = arguments.into_iter().map(Into::into);
        (&self.file, command.into_iter().chain(arguments).collect())
    }

    /// Makes a command line that runs to its end.
    pub(super) fn invocation<A: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Invocation {
        let (file, arguments) = self.command_line(arguments);
        Invocation::new(file).args(arguments)
    }
}

/// The programs of one version of Kubernetes. They come from one place, since the control plane
/// refuses parts that are newer than the API server.
#[derive(Debug, Clone)]
struct Servers {
    etcd: Program,
    api_server: Program,
    controller_manager: Program,
    scheduler: Program,
    kubectl: Program,
}

impl Servers {
    /// Finds all of them with `find`, or returns `None` if one is missing.
    fn find(find: impl Fn(&'static str) -> Option<Program>) -> Option<Self> {
        Some(Self {
            etcd: find("etcd")?,
            api_server: find("kube-apiserver")?,
            controller_manager: find("kube-controller-manager")?,
            scheduler: find("kube-scheduler")?,
            kubectl: find("kubectl")?,
        })
    }

    fn built(file: &Path) -> Self {
        Self {
            etcd: Program::built(file, "etcd"),
            api_server: Program::built(file, "kube-apiserver"),
            controller_manager: Program::built(file, "kube-controller-manager"),
            scheduler: Program::built(file, "kube-scheduler"),
            kubectl: Program::built(file, "kubectl"),
        }
    }

    /// Downloads the official releases, which exist for Linux only.
    fn download() -> Result<Self, Error> {
        let kubernetes = |name| release::obtain(&kubernetes_release(name)).map(Program::file);
        Ok(Self {
            etcd: release::obtain(&etcd_release()).map(Program::file)?,
            api_server: kubernetes("kube-apiserver")?,
            controller_manager: kubernetes("kube-controller-manager")?,
            scheduler: kubernetes("kube-scheduler")?,
            kubectl: kubernetes("kubectl")?,
        })
    }
}

/// The programs that a control plane consists of, and kubectl.
#[derive(Debug, Clone)]
pub struct KubernetesPrograms {
    pub(super) etcd: Program,
    pub(super) api_server: Program,
    pub(super) controller_manager: Program,
    pub(super) scheduler: Program,
    pub(super) kubectl: Program,
    pub(super) kwok: Program,
}

impl KubernetesPrograms {
    /// Finds or obtains the programs.
    ///
    /// Tries, in this order: the folder `KUBEBUILDER_ASSETS`, `PATH`, one program built with Go,
    /// which contains all of them, and official releases. A place counts only if it has all
    /// servers and kubectl; kwok, which has no official release with checksums, may be in another
    /// one. The result is cached in the process.
    pub fn obtain() -> Result<&'static Self, Error> {
        static FOUND: OnceLock<KubernetesPrograms> = OnceLock::new();
        static SEARCH: Mutex<()> = Mutex::new(());
        // Concurrent callers share one search.
        let _search = SEARCH.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = FOUND.get() {
            return Ok(found);
        }
        let found = Self::find_or_build()?;
        Ok(FOUND.get_or_init(|| found))
    }

    fn find_or_build() -> Result<Self, Error> {
        let servers = Servers::find(in_assets).or_else(|| Servers::find(on_path));
        let kwok = in_assets("kwok").or_else(|| on_path("kwok"));
        let (servers, kwok) = match (servers, kwok) {
            (Some(servers), Some(kwok)) => (servers, kwok),
            (servers, kwok) => build_or_download(servers, kwok)?,
        };
        Ok(Self {
            etcd: servers.etcd,
            api_server: servers.api_server,
            controller_manager: servers.controller_manager,
            scheduler: servers.scheduler,
            kubectl: servers.kubectl,
            kwok,
        })
    }
}

/// Obtains what is missing.
fn build_or_download(
    servers: Option<Servers>,
    kwok: Option<Program>,
) -> Result<(Servers, Program), Error> {
    let build_error = match GO_TOOL.obtain() {
        Ok(file) => {
            return Ok((
                servers.unwrap_or_else(|| Servers::built(&file)),
                kwok.unwrap_or_else(|| Program::built(&file, "kwok")),
            ));
        }
        Err(error) => error.error_chain(),
    };
    let Some(kwok) = kwok else {
        return Err(unobtainable(build_error));
    };
    match servers.map_or_else(Servers::download, Ok) {
        Ok(servers) => Ok((servers, kwok)),
        Err(error) => Err(unobtainable(format!(
            "{build_error}; {}",
            error.error_chain()
        ))),
    }
}

fn unobtainable(attempts: String) -> Error {
    Error::Unobtainable {
        tool: format!("Kubernetes {VERSION}"),
        attempts,
        remedy: REMEDY.to_owned(),
    }
}

fn in_assets(name: &'static str) -> Option<Program> {
    let file = PathBuf::from(std::env::var_os(VARIABLE)?).join(name);
    file.is_file().then(|| Program::file(file))
}

fn on_path(name: &'static str) -> Option<Program> {
    which::which(name).ok().map(Program::file)
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        "x86_64" => "amd64",
        other => other,
    }
}

/// A program as published by the Kubernetes project: the file itself, and a file with its checksum.
fn kubernetes_release(program: &'static str) -> Release {
    let folder = "https://dl.k8s.io/release";
    Release {
        title: format!("{program} {VERSION}"),
        folder: format!("{folder}/v{VERSION}/bin/linux/{}", architecture()),
        archive: program.to_owned(),
        checksums: format!("{program}.sha256"),
        program,
        cached_as: format!("{program}-{VERSION}-release"),
    }
}

/// File names as in the releases of etcd-io/etcd.
fn etcd_release() -> Release {
    let folder = "https://github.com/etcd-io/etcd/releases/download";
    Release {
        title: format!("etcd {ETCD_VERSION}"),
        folder: format!("{folder}/v{ETCD_VERSION}"),
        archive: format!("etcd-v{ETCD_VERSION}-linux-{}.tar.gz", architecture()),
        checksums: "SHA256SUMS".to_owned(),
        program: "etcd",
        cached_as: format!("etcd-{ETCD_VERSION}-release"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_those_that_go_builds() {
        let module = crate::cargo::workspace_root().join("tests/testbed/kube/go.mod");
        let module = std::fs::read_to_string(module).unwrap();
        assert!(module.contains(&format!("k8s.io/kubernetes v{VERSION}\n")));
        assert!(module.contains(&format!("go.etcd.io/etcd/server/v3 v{ETCD_VERSION}\n")));
        assert!(GO_TOOL.linker_flags.contains(&format!("v{VERSION} ")));
    }

    #[test]
    fn a_place_without_all_servers_does_not_count() {
        let program = |name: &str| Some(Program::file(name.into()));
        assert!(Servers::find(program).is_some());
        assert!(Servers::find(|name| program(name).filter(|_| name != "kubectl")).is_none());
    }

    #[test]
    fn a_command_of_a_combined_program_comes_before_its_arguments() {
        let program = Program::built("/bin/kube".as_ref(), "kubectl");
        let (file, arguments) = program.command_line(["get", "pods"]);
        assert_eq!(file, Path::new("/bin/kube"));
        assert_eq!(arguments, ["kubectl", "get", "pods"]);
    }
}
