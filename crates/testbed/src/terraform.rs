//! The Terraform or OpenTofu command line: found, or obtained.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::go_tool::GoTool;
use crate::release::{self, Release, platform};
use crate::{Error, Invocation, isolated_environment};

/// The environment variable with the program to use: a path, or a name on `PATH`.
const VARIABLE: &str = "NAUTES_TEST_TERRAFORM";

const REMEDY: &str = "Install Terraform 1.0 or OpenTofu 1.6 or newer on PATH, or set \
                      NAUTES_TEST_TERRAFORM to the program.";

const OPENTOFU: GoTool = GoTool {
    title: "OpenTofu",
    program: "tofu",
    folder: "tofu",
    module: "github.com/opentofu/opentofu",
    package: "github.com/opentofu/opentofu/cmd/tofu",
    // Without this, the build identifies itself as a development version.
    linker_flags: "-s -w -X github.com/opentofu/opentofu/version.dev=no",
    usual_duration: "four minutes on two cores",
};

/// The release of OpenTofu that is used if it can be neither found nor built.
const RELEASE: &str = "1.12.6";

/// Returns the official release, with the file names of opentofu/opentofu.
fn official_release() -> Release {
    let folder = "https://github.com/opentofu/opentofu/releases/download";
    Release {
        title: format!("OpenTofu {RELEASE}"),
        folder: format!("{folder}/v{RELEASE}"),
        archive: format!("tofu_{RELEASE}_{}.zip", platform()),
        checksums: format!("tofu_{RELEASE}_SHA256SUMS"),
        program: "tofu",
        cached_as: format!("tofu-{RELEASE}-release"),
    }
}

/// The two command lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// HashiCorp Terraform.
    Terraform,
    /// OpenTofu.
    OpenTofu,
}

/// An installed command line.
#[derive(Debug, Clone)]
pub struct Terraform {
    program: PathBuf,
    client: Client,
    version: (u64, u64, u64),
}

impl Terraform {
    /// Finds or obtains the command line for the tests and the quickstart.
    ///
    /// Tries, in this order: `NAUTES_TEST_TERRAFORM`, `terraform` on `PATH`, `tofu` on `PATH`,
    /// OpenTofu built with Go, OpenTofu's official release. The result is cached in the process.
    pub fn obtain() -> Result<&'static Self, Error> {
        static FOUND: OnceLock<Terraform> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found);
        }
        let found = Self::find_or_build()?;
        Ok(FOUND.get_or_init(|| found))
    }

    /// Finds or obtains a command line that supports import by identity: the one of
    /// [`Terraform::obtain`] if it does, else OpenTofu.
    pub fn obtain_with_identity() -> Result<Self, Error> {
        let default = Self::obtain()?;
        if default.is_at_least((1, 12), (1, 12)) {
            Ok(default.clone())
        } else {
            Self::obtain_opentofu()
        }
    }

    fn find_or_build() -> Result<Self, Error> {
        if let Some(program) = std::env::var_os(VARIABLE) {
            let program = which::which(&program).unwrap_or_else(|_| program.into());
            return Self::from_program(&program);
        }
        if let Ok(program) = which::which("terraform").or_else(|_| which::which("tofu")) {
            return Self::from_program(&program);
        }
        Self::obtain_opentofu()
    }

    fn obtain_opentofu() -> Result<Self, Error> {
        Self::build_opentofu().or_else(|build_error| {
            let program = release::obtain(&official_release()).map_err(|release_error| {
                Error::Unobtainable {
                    tool: "Terraform or OpenTofu".to_owned(),
                    attempts: format!(
                        "{}; {}",
                        build_error.error_chain(),
                        release_error.error_chain()
                    ),
                    remedy: REMEDY.to_owned(),
                }
            })?;
            Self::from_program(&program)
        })
    }

    /// Builds OpenTofu as pinned in `tests/testbed/tofu/` with Go, unless it is cached.
    pub fn build_opentofu() -> Result<Self, Error> {
        Self::from_program(&OPENTOFU.obtain()?)
    }

    /// Determines client and version of a program.
    pub fn from_program(program: &Path) -> Result<Self, Error> {
        let finished = Invocation::new(program)
            .arg("version")
            .environment(isolated_environment(program.parent().unwrap_or(program)))
            .finish()?
            .success()?;
        let (client, version) = client_and_version(&finished.stdout).ok_or(Error::Output {
            command: finished.command,
            expected: "the version of Terraform or OpenTofu",
            source: None,
        })?;
        let (oldest, needed) = match client {
            Client::Terraform => ((1, 0, 0), "Terraform 1.0"),
            Client::OpenTofu => ((1, 6, 0), "OpenTofu 1.6"),
        };
        let terraform = Self {
            program: program.to_owned(),
            client,
            version,
        };
        if version < oldest {
            let found = terraform.to_string();
            return Err(Error::UnsupportedClient {
                path: terraform.program,
                found,
                needed,
            });
        }
        Ok(terraform)
    }

    /// Returns the path of the program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the command that a user types: the name of the program if it is on `PATH`, else its
    /// path.
    pub fn command_name(&self) -> String {
        let name = match self.client {
            Client::Terraform => "terraform",
            Client::OpenTofu => "tofu",
        };
        if which::which(name).is_ok_and(|found| found == self.program) {
            name.to_owned()
        } else {
            self.program.display().to_string()
        }
    }

    /// Returns which of the two it is.
    pub fn client(&self) -> Client {
        self.client
    }

    /// Returns its default registry host for providers.
    pub fn registry_host(&self) -> &'static str {
        match self.client {
            Client::Terraform => "registry.terraform.io",
            Client::OpenTofu => "registry.opentofu.org",
        }
    }

    /// Returns whether it has at least the given version of its client.
    pub fn is_at_least(&self, terraform: (u64, u64), opentofu: (u64, u64)) -> bool {
        let (major, minor) = match self.client {
            Client::Terraform => terraform,
            Client::OpenTofu => opentofu,
        };
        self.version >= (major, minor, 0)
    }
}

impl std::fmt::Display for Terraform {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.client {
            Client::Terraform => "Terraform",
            Client::OpenTofu => "OpenTofu",
        };
        let (major, minor, patch) = self.version;
        write!(formatter, "{name} {major}.{minor}.{patch}")
    }
}

/// Parses the first line of `terraform version`, such as `OpenTofu v1.12.6` or
/// `Terraform v1.15.0-rc1`.
fn client_and_version(output: &str) -> Option<(Client, (u64, u64, u64))> {
    let (name, version) = output.lines().next()?.split_once(" v")?;
    let client = match name {
        "Terraform" => Client::Terraform,
        "OpenTofu" => Client::OpenTofu,
        _ => return None,
    };
    let release = version.split(['-', '+']).next()?;
    let mut numbers = release.split('.').map(str::parse);
    let mut number = || numbers.next()?.ok();
    Some((client, (number()?, number()?, number()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_and_version_are_parsed_from_the_first_line() {
        let terraform = "Terraform v1.11.4\non linux_amd64\n";
        assert_eq!(
            client_and_version(terraform),
            Some((Client::Terraform, (1, 11, 4)))
        );
        let candidate = "OpenTofu v1.13.0-beta1\n";
        assert_eq!(
            client_and_version(candidate),
            Some((Client::OpenTofu, (1, 13, 0)))
        );
        assert_eq!(client_and_version("something else"), None);
    }
}
