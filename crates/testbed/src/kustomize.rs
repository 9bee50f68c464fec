//! The kustomize command line, to check that a configuration repository can be built.

use std::path::{Path, PathBuf};

use crate::go_tool::GoTool;
use crate::{Error, Invocation};

/// The environment variable with the program to use.
const VARIABLE: &str = "NAUTES_TEST_KUSTOMIZE";

const GO_TOOL: GoTool = GoTool {
    title: "kustomize",
    program: "kustomize",
    folder: "kustomize",
    module: "sigs.k8s.io/kustomize/kustomize/v5",
    package: "sigs.k8s.io/kustomize/kustomize/v5",
    linker_flags: "-s -w",
    usual_duration: "half a minute",
};

/// The kustomize command line.
#[derive(Debug, Clone)]
pub struct Kustomize {
    program: PathBuf,
}

impl Kustomize {
    /// Finds kustomize in `NAUTES_TEST_KUSTOMIZE` or on `PATH`, or builds it with Go.
    pub fn obtain() -> Result<Self, Error> {
        if let Some(program) = std::env::var_os(VARIABLE) {
            return Ok(Self {
                program: program.into(),
            });
        }
        if let Ok(program) = which::which("kustomize") {
            return Ok(Self { program });
        }
        GO_TOOL
            .obtain()
            .map(|program| Self { program })
            .map_err(|error| Error::Unobtainable {
                tool: GO_TOOL.title.to_owned(),
                attempts: error.error_chain(),
                remedy: format!("Install kustomize or Go, or set {VARIABLE} to the program."),
            })
    }

    /// Returns the path of the program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Builds the kustomization in `folder` and returns the YAML documents.
    ///
    /// Allows files outside of `folder`, like the Argo CD of a Nautes installation.
    pub fn build(&self, folder: &Path) -> Result<String, Error> {
        let finished = Invocation::new(&self.program)
            .args(["build", "--load-restrictor", "LoadRestrictionsNone"])
            .arg(folder)
            .finish()?
            .success()?;
        Ok(finished.stdout)
    }
}
