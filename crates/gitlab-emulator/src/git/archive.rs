//! Archives of a commit.

use std::io::{Cursor, Write};

use gix::ObjectId;
use tar::{EntryType, Header};

use super::error::{Context, Error};
use super::repository::Repository;
use super::tree::Entry;

/// The format of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Zip.
    Zip,
    /// Tar.
    Tar,
    /// Tar, gzipped.
    TarGz,
    /// Tar, bzipped.
    TarBz2,
}

impl Format {
    /// Returns the format of a file extension.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension {
            "zip" => Some(Self::Zip),
            "tar" => Some(Self::Tar),
            "tar.gz" | "tgz" | "gz" => Some(Self::TarGz),
            "tar.bz2" | "tbz" | "tbz2" | "tb2" | "bz2" => Some(Self::TarBz2),
            _ => None,
        }
    }

    /// Returns the file extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::TarGz => "tar.gz",
            Self::TarBz2 => "tar.bz2",
        }
    }
}

impl Repository {
    /// Packs `entries` of a commit into an archive below a folder named `prefix`.
    pub fn archive(
        &self,
        commit: ObjectId,
        entries: &[Entry],
        prefix: &str,
        format: Format,
    ) -> Result<Vec<u8>, Error> {
        let seconds = self
            .commit(commit)?
            .map_or(0, |commit| commit.committer.seconds);
        let seconds = u64::try_from(seconds).unwrap_or(0);
        match format {
            Format::Zip => self.zip(entries, prefix),
            Format::Tar => self.tar(commit, entries, prefix, seconds),
            Format::TarGz => {
                let tar = self.tar(commit, entries, prefix, seconds)?;
                let mut gzip =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(&tar).context("pack an archive")?;
                gzip.finish().context("pack an archive")
            }
            Format::TarBz2 => {
                let tar = self.tar(commit, entries, prefix, seconds)?;
                let mut bzip = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                bzip.write_all(&tar).context("pack an archive")?;
                bzip.finish().context("pack an archive")
            }
        }
    }

    fn tar(
        &self,
        commit: ObjectId,
        entries: &[Entry],
        prefix: &str,
        seconds: u64,
    ) -> Result<Vec<u8>, Error> {
        let mut tar = tar::Builder::new(Vec::new());
        // git adds a global comment that names the commit.
        let comment = format!("52 comment={commit}\n");
        let mut header = header(EntryType::XGlobalHeader, 0o666, seconds, comment.len());
        tar.append_data(&mut header, "pax_global_header", comment.as_bytes())
            .context("pack an archive")?;
        let mut folder = self::header(EntryType::Directory, 0o775, seconds, 0);
        tar.append_data(&mut folder, format!("{prefix}/"), std::io::empty())
            .context("pack an archive")?;
        for entry in entries {
            let path = format!("{prefix}/{}", entry.path);
            if entry.mode.is_tree() {
                let mut folder = self::header(EntryType::Directory, 0o775, seconds, 0);
                tar.append_data(&mut folder, format!("{path}/"), std::io::empty())
                    .context("pack an archive")?;
                continue;
            }
            let Some(content) = self.blob(entry.id)? else {
                continue;
            };
            if entry.mode.is_link() {
                let mut link = self::header(EntryType::Symlink, 0o777, seconds, 0);
                let target = String::from_utf8_lossy(&content).into_owned();
                tar.append_link(&mut link, path, target)
                    .context("pack an archive")?;
            } else {
                let mode = if entry.is_executable() { 0o775 } else { 0o664 };
                let mut file = self::header(EntryType::Regular, mode, seconds, content.len());
                tar.append_data(&mut file, path, content.as_slice())
                    .context("pack an archive")?;
            }
        }
        tar.into_inner().context("pack an archive")
    }

    fn zip(&self, entries: &[Entry], prefix: &str) -> Result<Vec<u8>, Error> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let failed = |error: zip::result::ZipError| std::io::Error::other(error);
        let folder = zip::write::SimpleFileOptions::default();
        zip.add_directory(format!("{prefix}/"), folder)
            .map_err(failed)
            .context("pack an archive")?;
        for entry in entries {
            let path = format!("{prefix}/{}", entry.path);
            if entry.mode.is_tree() {
                zip.add_directory(format!("{path}/"), folder)
                    .map_err(failed)
                    .context("pack an archive")?;
                continue;
            }
            let Some(content) = self.blob(entry.id)? else {
                continue;
            };
            let mode = if entry.is_executable() { 0o755 } else { 0o644 };
            let options = zip::write::SimpleFileOptions::default().unix_permissions(mode);
            if entry.mode.is_link() {
                let target = String::from_utf8_lossy(&content).into_owned();
                zip.add_symlink(path, target, options)
                    .map_err(failed)
                    .context("pack an archive")?;
            } else {
                zip.start_file(path, options)
                    .map_err(failed)
                    .context("pack an archive")?;
                zip.write_all(&content).context("pack an archive")?;
            }
        }
        let cursor = zip.finish().map_err(failed).context("pack an archive")?;
        Ok(cursor.into_inner())
    }
}

fn header(kind: EntryType, mode: u32, seconds: u64, size: usize) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(seconds);
    header.set_size(size as u64);
    header
}
