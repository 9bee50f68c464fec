//! Builds a tool with Go from a module under `tests/testbed/`.
//!
//! The module pins the version of the tool and all checksums. The cache key of the program is a
//! digest of `go.mod`, `go.sum` and the Go files of a module that has a program of its own, so that
//! a change triggers a new build.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cargo::workspace_root;
use crate::{Error, Invocation, cache, progress};

/// A tool that the Go toolchain can build.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GoTool {
    /// The name, such as "OpenTofu".
    pub(crate) title: &'static str,
    /// The file name of the program.
    pub(crate) program: &'static str,
    /// The folder of its module under `tests/testbed/`.
    pub(crate) folder: &'static str,
    /// The module of the tool, whose version is shown.
    pub(crate) module: &'static str,
    /// The package to build, in that module or relative to the folder.
    pub(crate) package: &'static str,
    /// Linker flags, such as `-X` settings.
    pub(crate) linker_flags: &'static str,
    /// The usual duration of the build on two cores, for the message.
    pub(crate) usual_duration: &'static str,
}

impl GoTool {
    /// Returns the program from the cache, or builds it there.
    pub(crate) fn obtain(&self) -> Result<PathBuf, Error> {
        let folder = workspace_root().join("tests/testbed").join(self.folder);
        let module = read(&folder.join("go.mod"))?;
        let sums = read(&folder.join("go.sum"))?;
        let version = required_version(&module, self.module).unwrap_or("of unknown version");
        let mut digest = Sha256::new().chain_update(&module).chain_update(&sums);
        for file in go_files(&folder)? {
            digest.update(read(&file)?);
        }
        let digest = digest.finalize();
        cache::file_or_else(
            &format!("{}-{version}-{digest:.12x}", self.program),
            |output| {
                let title = format!("building {} {version} with Go", self.title);
                progress::say(&format!(
                    "{title} from {}, once, about {}; kept in {}",
                    folder.display(),
                    self.usual_duration,
                    cache::folder().display(),
                ));
                progress::when_slow(&title, || self.build(&folder, output))
            },
        )
    }

    fn build(&self, folder: &Path, output: &Path) -> Result<(), Error> {
        Invocation::new("go")
            .args([
                "build",
                "-trimpath",
                "-mod=readonly",
                "-ldflags",
                self.linker_flags,
                "-o",
            ])
            .arg(output)
            .arg(self.package)
            .current_dir(folder)
            .env("CGO_ENABLED", "0")
            // A workspace file in a parent folder must not replace the pinned versions.
            .env("GOWORK", "off")
            .finish()?
            .success()
            .map(|_| ())
    }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::file("read", path))
}

/// Returns the Go files in a folder, in alphabetical order.
fn go_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failure = || Error::file("list", folder);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failure())? {
        let path = entry.map_err(failure())?.path();
        if path.extension().is_some_and(|extension| extension == "go") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Finds the version of `module` in the text of a `go.mod`.
fn required_version<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let line = line.trim();
        let mut words = line
            .strip_prefix("require ")
            .unwrap_or(line)
            .split_whitespace();
        (words.next() == Some(module)).then(|| words.next())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_single_and_grouped_requirements() {
        let single = "module x\n\nrequire example.com/tool v1.2.3\n";
        let grouped = "module x\n\nrequire (\n\texample.com/tool v1.2.4 // indirect\n)\n";
        assert_eq!(required_version(single, "example.com/tool"), Some("v1.2.3"));
        assert_eq!(
            required_version(grouped, "example.com/tool"),
            Some("v1.2.4")
        );
        assert_eq!(required_version(grouped, "example.com/other"), None);
    }
}
