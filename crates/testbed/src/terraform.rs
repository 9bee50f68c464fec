//! The real Terraform or OpenTofu command line: found, or else obtained.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::go_tool::GoTool;
use crate::release::{self, Release, platform};
use crate::{Error, Invocation, isolated_environment};

/// The variable that names the program to use: a path, or a name on `PATH`.
const VARIABLE: &str = "NAUTES_TEST_TERRAFORM";

const REMEDY: &str = "Install Terraform 1.0 or OpenTofu 1.6 or newer on PATH, or set \
                      NAUTES_TEST_TERRAFORM to the program.";

const OPENTOFU: GoTool = GoTool {
    title: "OpenTofu",
    program: "tofu",
    folder: "tofu",
    module: "github.com/opentofu/opentofu",
    package: "github.com/opentofu/opentofu/cmd/tofu",
    // A build that is not from the release script calls itself a development version.
    linker_flags: "-s -w -X github.com/opentofu/opentofu/version.dev=no",
    usual_duration: "four minutes on two cores",
};

/// The release of `OpenTofu` that is used when nothing else can be had.
const RELEASE: &str = "1.12.6";

/// Names of files as in the releases of opentofu/opentofu.
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

/// Which of the two command lines a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Terraform of HashiCorp.
    Terraform,
    /// OpenTofu.
    OpenTofu,
}

/// A command line that can be run.
#[derive(Debug, Clone)]
pub struct Terraform {
    program: PathBuf,
    client: Client,
    version: (u64, u64, u64),
}

impl Terraform {
    /// Finds or obtains the command line that the tests and the quickstart use.
    ///
    /// In this order: `NAUTES_TEST_TERRAFORM`, `terraform` on `PATH`, `tofu` on `PATH`, OpenTofu built
    /// with Go, OpenTofu's official release. The answer is kept for the life of the process.
    pub fn obtain() -> Result<&'static Self, Error> {
        static FOUND: OnceLock<Terraform> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found);
        }
        let found = Self::find_or_build()?;
        Ok(FOUND.get_or_init(|| found))
    }

    /// Finds or obtains a command line that imports by identity: the one of [`Terraform::obtain`] if it does, else
    /// OpenTofu.
    pub fn obtain_with_identity() -> Result<Self, Error> {
        let usual = Self::obtain()?;
        if usual.is_at_least((1, 12), (1, 12)) {
            Ok(usual.clone())
        } else {
            Self::obtain_opentofu()
        }
    }

    fn find_or_build() -> Result<Self, Error> {
        if let Some(given) = std::env::var_os(VARIABLE) {
            let program = which::which(&given).unwrap_or_else(|_| given.into());
            return Self::at(&program);
        }
        if let Ok(program) = which::which("terraform").or_else(|_| which::which("tofu")) {
            return Self::at(&program);
        }
        Self::obtain_opentofu()
    }

    fn obtain_opentofu() -> Result<Self, Error> {
        Self::build_opentofu().or_else(|build_error| {
            let program = release::obtain(&official_release()).map_err(|release_error| {
                Error::Unobtainable {
                    tool: "Terraform or OpenTofu".to_owned(),
                    attempts: format!("{}; {}", build_error.chain(), release_error.chain()),
                    remedy: REMEDY.to_owned(),
                }
            })?;
            Self::at(&program)
        })
    }

    /// Returns OpenTofu as pinned in `tests/testbed/tofu/`, built with Go if it is not cached.
    pub fn build_opentofu() -> Result<Self, Error> {
        Self::at(&OPENTOFU.obtain()?)
    }

    /// Asks a program what it is.
    pub fn at(program: &Path) -> Result<Self, Error> {
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

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// What a user types to run it: its name, or its path if the name means something else.
    pub fn typed(&self) -> String {
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

    /// Which of the two it is.
    pub fn client(&self) -> Client {
        self.client
    }

    /// The host that it puts in front of a provider's address that names none.
    pub fn registry_host(&self) -> &'static str {
        match self.client {
            Client::Terraform => "registry.terraform.io",
            Client::OpenTofu => "registry.opentofu.org",
        }
    }

    /// Whether it is at least this version; the two clients count apart.
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

/// Reads the first line of `terraform version`, such as `OpenTofu v1.12.6` or `Terraform v1.15.0-rc1`.
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
    fn the_client_and_its_version_are_read_from_the_first_line() {
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
