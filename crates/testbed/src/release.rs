//! Downloads OpenTofu's official release, checked against the checksums of that release.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{Error, cache, progress};

/// The release that is used when nothing else can be had.
pub(crate) const VERSION: &str = "1.12.6";

/// Where OpenTofu publishes its releases.
const RELEASES: &str = "https://github.com/opentofu/opentofu/releases/download";

/// Returns the released `tofu` from the cache, or downloads it there.
pub(crate) fn obtain() -> Result<PathBuf, Error> {
    cache::file_or_else(&format!("tofu-{VERSION}-release"), |output| {
        let title = format!("downloading OpenTofu {VERSION} from {RELEASES}");
        progress::say(&format!(
            "{title}, once; kept in {}",
            cache::folder().display()
        ));
        progress::when_slow(&title, || download(RELEASES, output))
    })
}

fn download(releases: &str, output: &Path) -> Result<(), Error> {
    let name = format!("tofu_{VERSION}_{}.zip", platform());
    let base = format!("{releases}/v{VERSION}");
    let checksums = fetch(&format!("{base}/tofu_{VERSION}_SHA256SUMS"))?;
    let checksums = String::from_utf8_lossy(&checksums);
    let url = format!("{base}/{name}");
    let archive = fetch(&url)?;
    let expected = checksum_of(&checksums, &name);
    let actual = format!("{:x}", Sha256::digest(&archive));
    if expected != Some(actual.as_str()) {
        let expected = expected.unwrap_or("nothing about it").to_owned();
        return Err(Error::Checksum {
            url,
            actual,
            expected,
        });
    }
    let program = extract(&archive, "tofu").map_err(|source| Error::Archive {
        url,
        entry: "tofu".to_owned(),
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
    // A default that is already there is as good: only the first call installs one.
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

fn extract(archive: &[u8], entry: &str) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive))?;
    let mut content = Vec::new();
    archive.by_name(entry)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Finds a file's line in a `SHA256SUMS` text: checksum, two spaces, name.
fn checksum_of<'a>(checksums: &'a str, name: &str) -> Option<&'a str> {
    checksums.lines().find_map(|line| {
        let (checksum, file) = line.split_once("  ")?;
        (file == name).then_some(checksum)
    })
}

/// The platform as Terraform and OpenTofu write it, such as `linux_amd64`.
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

    fn archive_with(entry: &str, content: &[u8]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive
            .start_file(entry, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content).unwrap();
        archive.finish().unwrap().into_inner()
    }

    /// Serves the two files of a release to two requests, and returns the address.
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
        let archive = archive_with("tofu", b"#!/bin/sh\n");
        let name = format!("tofu_{VERSION}_{}.zip", platform());
        let sums = format!("00  other.zip\n{:x}  {name}\n", Sha256::digest(&archive));
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("tofu");
        download(&release_server(sums, archive), &program).unwrap();
        assert_eq!(fs::read_to_string(&program).unwrap(), "#!/bin/sh\n");
        assert_eq!(
            fs::metadata(&program).unwrap().permissions().mode() & 0o777,
            0o755
        );
    }

    #[test]
    fn a_release_that_was_altered_is_refused() {
        let name = format!("tofu_{VERSION}_{}.zip", platform());
        let sums = format!("{}  {name}\n", "0".repeat(64));
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("tofu");
        let server = release_server(sums, archive_with("tofu", b"altered"));
        let error = download(&server, &program).unwrap_err();
        assert!(matches!(error, Error::Checksum { .. }), "{error}");
        assert!(!program.exists());
    }
}
