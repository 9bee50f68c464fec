//! Downloads official releases and verifies their published checksums.

use std::fs;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{Error, cache, progress};

/// A release of a program, with the file names of its publisher.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    /// The name and version, such as "OpenTofu 1.12.6".
    pub(crate) title: String,
    /// The URL of the folder with the files.
    pub(crate) folder: String,
    /// The archive with the program, `.zip` or `.tar.gz`, or the program itself.
    pub(crate) archive: String,
    /// The file with SHA-256 checksums: of several files, or the one of the archive alone.
    pub(crate) checksums: String,
    /// The program in the archive.
    pub(crate) program: &'static str,
    /// The name in the cache.
    pub(crate) cached_as: String,
}

/// Returns the released program from the cache, or downloads it there.
pub(crate) fn obtain(release: &Release) -> Result<PathBuf, Error> {
    cache::file_or_else(&release.cached_as, |output| {
        let title = format!("downloading {} from {}", release.title, release.folder);
        progress::say(&format!(
            "{title}, once; kept in {}",
            cache::folder().display()
        ));
        progress::when_slow(&title, || download(release, output))
    })
}

fn download(release: &Release, output: &Path) -> Result<(), Error> {
    let checksums = fetch(&format!("{}/{}", release.folder, release.checksums))?;
    let checksums = String::from_utf8_lossy(&checksums);
    let url = format!("{}/{}", release.folder, release.archive);
    let archive = fetch(&url)?;
    let expected = checksum_of(&checksums, &release.archive);
    let actual = format!("{:x}", Sha256::digest(&archive));
    if expected != Some(actual.as_str()) {
        let expected = expected.unwrap_or("no such file").to_owned();
        return Err(Error::Checksum {
            url,
            actual,
            expected,
        });
    }
    let program = extract(archive, release).map_err(|source| Error::Archive {
        url,
        entry: release.program.to_owned(),
        source,
    })?;
    fs::write(output, program).map_err(Error::file("write", output))?;
    fs::set_permissions(output, fs::Permissions::from_mode(0o755))
        .map_err(Error::file("make executable", output))
}

fn fetch(url: &str) -> Result<Vec<u8>, Error> {
    let failure = |source| Error::Download {
        url: url.to_owned(),
        source,
    };
    // Fails if a provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(300))
        .build()
        .map_err(failure)?;
    let response = client
        .get(url)
        .send()
        .and_then(reqwest::blocking::Response::error_for_status);
    response
        .and_then(reqwest::blocking::Response::bytes)
        .map(|body| body.to_vec())
        .map_err(failure)
}

fn extract(archive: Vec<u8>, release: &Release) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let extension = Path::new(&release.archive).extension();
    if extension == Some("zip".as_ref()) {
        let mut archive = zip::ZipArchive::new(Cursor::new(archive))?;
        archive
            .by_name(release.program)?
            .read_to_end(&mut content)?;
        return Ok(content);
    }
    if release.archive == release.program {
        return Ok(archive);
    }
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive.as_slice()));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()?.ends_with(release.program) {
            entry.read_to_end(&mut content)?;
            return Ok(content);
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Finds the checksum of a file in a `SHA256SUMS` text: checksum, two spaces, name. A text without
/// names is the checksum itself.
fn checksum_of<'a>(checksums: &'a str, name: &str) -> Option<&'a str> {
    let mut words = checksums.split_whitespace();
    if let (Some(only), None) = (words.next(), words.next()) {
        return Some(only);
    }
    checksums.lines().find_map(|line| {
        let (checksum, file) = line.split_once("  ")?;
        (file == name).then_some(checksum)
    })
}

/// Returns the platform in Terraform's notation, such as `linux_amd64`.
pub fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("{system}_{architecture}")
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use zip::write::SimpleFileOptions;

    use super::*;

    fn release(folder: String, archive: &str) -> Release {
        Release {
            title: "Tool 1".to_owned(),
            folder,
            archive: archive.to_owned(),
            checksums: "SHA256SUMS".to_owned(),
            program: "tool",
            cached_as: "tool-1".to_owned(),
        }
    }

    fn tarball_with(entry: &str, content: &[u8]) -> Vec<u8> {
        let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(encoder);
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, entry, content).unwrap();
        archive.into_inner().unwrap().finish().unwrap()
    }

    fn archive_with(entry: &str, content: &[u8]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive
            .start_file(entry, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content).unwrap();
        archive.finish().unwrap().into_inner()
    }

    /// Serves the two files of a release, one request each, and returns the URL.
    fn release_server(checksums: String, archive: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().take(2) {
                let mut stream = stream.unwrap();
                let mut request = BufReader::new(stream.try_clone().unwrap()).lines();
                let line = request.next().unwrap().unwrap();
                while !request.next().unwrap().unwrap().is_empty() {}
                let body: &[u8] = if line.contains("SHA256SUMS") {
                    checksums.as_bytes()
                } else {
                    &archive
                };
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n",
                    body.len()
                )
                .unwrap();
                stream.write_all(b"connection: close\r\n\r\n").unwrap();
                stream.write_all(body).unwrap();
            }
        });
        address
    }

    #[test]
    fn a_release_with_the_published_checksum_is_unpacked() {
        for (name, archive) in [
            ("tool.zip", archive_with("tool", b"#!/bin/sh\n")),
            ("tool.tar.gz", tarball_with("./tool", b"#!/bin/sh\n")),
        ] {
            let sums = format!("00  other.zip\n{:x}  {name}\n", Sha256::digest(&archive));
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("tool");
            download(&release(release_server(sums, archive), name), &program).unwrap();
            assert_eq!(fs::read_to_string(&program).unwrap(), "#!/bin/sh\n");
            assert_eq!(
                fs::metadata(&program).unwrap().permissions().mode() & 0o777,
                0o755
            );
        }
    }

    #[test]
    fn a_release_can_be_the_program_itself_with_its_checksum_alone() {
        let program = b"#!/bin/sh\n".to_vec();
        let sum = format!("{:x}", Sha256::digest(&program));
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("tool");
        download(&release(release_server(sum, program), "tool"), &output).unwrap();
        assert_eq!(fs::read_to_string(&output).unwrap(), "#!/bin/sh\n");
    }

    #[test]
    fn a_release_with_another_checksum_is_rejected() {
        let name = "tool.zip";
        let sums = format!("{}  {name}\n", "0".repeat(64));
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("tool");
        let server = release_server(sums, archive_with("tool", b"altered"));
        let error = download(&release(server, name), &program).unwrap_err();
        assert!(matches!(error, Error::Checksum { .. }), "{error}");
        assert!(!program.exists());
    }
}
