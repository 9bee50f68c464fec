//! Reading the files out of an archive of a repository.

use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::read::GzDecoder;

/// The largest file that is unpacked; an archive with a larger one is not used.
const MAX_FILE: u64 = 1 << 20;

/// What an archive holds.
#[derive(Debug, Default)]
pub(super) struct Archive {
    /// The commit that it was made of; `None` if it names none.
    pub(super) commit: Option<String>,
    /// The wanted files by their paths.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// Unpacks the wanted files of a gzip-compressed tar archive.
///
/// GitLab puts everything into one folder named after project and commit; the returned paths are
/// relative to it. The commit is in the global header, where `git archive` writes it.
pub(super) fn unpack(archive: &[u8], wanted: impl Fn(&str) -> bool) -> io::Result<Archive> {
    let mut unpacked = Archive::default();
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_pax_global_extensions() {
            unpacked.commit = commit_of(&mut entry)?.or(unpacked.commit);
        }
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
            unpacked.files.insert(path.to_owned(), content);
        }
    }
    Ok(unpacked)
}

fn commit_of(header: &mut tar::Entry<'_, impl Read>) -> io::Result<Option<String>> {
    let Some(extensions) = header.pax_extensions()? else {
        return Ok(None);
    };
    for extension in extensions {
        let extension = extension?;
        if let (Ok("comment"), Ok(commit)) = (extension.key(), extension.value()) {
            let is_id = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            return Ok(is_id.then(|| commit.to_owned()));
        }
    }
    Ok(None)
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
        let unpacked = unpack(&packed, |path| path.starts_with("envs/")).unwrap();
        let paths: Vec<_> = unpacked.files.keys().map(String::as_str).collect();
        assert_eq!(paths, [long.as_str(), "envs/dev.yaml"]);
        assert_eq!(unpacked.commit, None);
    }

    #[test]
    fn the_commit_is_in_the_global_header() {
        let commit_in = |comment: &str| {
            let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(tar::EntryType::XGlobalHeader);
            header.set_size(comment.len() as u64);
            builder
                .append_data(&mut header, "pax_global_header", comment.as_bytes())
                .unwrap();
            let packed = builder.into_inner().unwrap().finish().unwrap();
            unpack(&packed, |_| true).unwrap().commit
        };
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let found = commit_in(&format!("52 comment={commit}\n"));
        assert_eq!(found.as_deref(), Some(commit));
        assert_eq!(commit_in("19 comment=made by\n"), None);
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
