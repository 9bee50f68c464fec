//! Reading the files out of an archive of a repository.

use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::read::GzDecoder;

/// The largest file that is unpacked; an archive with a larger one is not used.
const MAX_FILE: u64 = 1 << 20;

/// Unpacks the wanted files of a gzip-compressed tar archive.
///
/// GitLab puts everything into one folder named after project and commit; the returned paths are
/// relative to it.
pub(super) fn unpack(
    archive: &[u8],
    wanted: impl Fn(&str) -> bool,
) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some((_, path)) = path.split_once('/') else {
            continue;
        };
        if wanted(path) {
            if entry.size() > MAX_FILE {
                return Err(io::Error::other("a file is too large for a manifest"));
            }
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.insert(path.to_owned(), content);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder
                .append_data(&mut header, path, content.as_bytes())
                .unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn wanted_files_are_found_below_the_folder_of_the_archive() {
        let long = format!("envs/{}.yaml", "a".repeat(200));
        let packed = archive(&[
            ("default.project-c0ffee/README.md", "no"),
            (
                "default.project-c0ffee/envs/dev.yaml",
                "kind: Environment\n",
            ),
            (
                &format!("default.project-c0ffee/{long}"),
                "kind: Environment\n",
            ),
        ]);
        let files = unpack(&packed, |path| path.starts_with("envs/")).unwrap();
        let paths: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(paths, [long.as_str(), "envs/dev.yaml"]);
    }

    #[test]
    fn an_archive_with_a_huge_manifest_is_not_unpacked() {
        let huge = " ".repeat(2 << 20);
        let packed = archive(&[("default.project-c0ffee/envs/dev.yaml", huge.as_str())]);
        assert!(packed.len() < 100_000);
        assert!(unpack(&packed, |path| path.starts_with("envs/")).is_err());
        assert!(unpack(&packed, |_| false).is_ok());
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        assert!(unpack(b"<html>Sign in</html>", |_| true).is_err());
    }
}
