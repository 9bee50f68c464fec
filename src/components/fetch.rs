//! Fetching the manifest of a release: from its address, a file, or the cache.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::digest::Sha256;
use super::error::ComponentError;
use super::source::{Location, Release, Source};
use crate::backends::download::Downloader;

/// The largest manifest that is read, in bytes. Those of today have 2 MB.
const MAX_SIZE: usize = 16 << 20;

/// A manifest whose digest has been checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Manifest {
    /// The text.
    pub text: String,
    /// The digest of the text, to be recorded as [`Installed::sha256`](super::source::Installed::sha256).
    pub sha256: Sha256,
}

/// A folder with manifests that were downloaded, each in a file named by its digest.
///
/// A file whose content has another digest counts as absent. A cache that cannot be used costs a download, and
/// is no error.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Uses a folder, which is created when it is needed.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn read(&self, sha256: Sha256) -> Option<Vec<u8>> {
        let content = read_file(&self.file(sha256)).ok()?;
        (content.len() <= MAX_SIZE && Sha256::compute(&content) == sha256).then_some(content)
    }

    /// Writes under another name first, so that nobody reads half a file.
    fn write(&self, sha256: Sha256, content: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let unfinished = self.folder.join(format!("{}.part", uuid::Uuid::new_v4()));
        let written = fs::write(&unfinished, content)
            .and_then(|()| fs::rename(&unfinished, self.file(sha256)));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    fn file(&self, sha256: Sha256) -> PathBuf {
        self.folder.join(format!("{sha256}.yaml"))
    }
}

/// Fetches the manifest of a release; `None` if it has none, because the provider builds its objects.
///
/// Nothing that is fetched is ever executed. A manifest with another digest than the expected one is an error.
pub(crate) async fn fetch(
    release: &Release,
    cache: Option<&Cache>,
    downloader: &Downloader,
) -> Result<Option<Manifest>, ComponentError> {
    let Some(source) = &release.manifest else {
        return Ok(None);
    };
    let content = match &source.location {
        Location::File(file) => read_source(release, file).await?,
        Location::Address(url) => {
            if let Some((cache, sha256)) = cache.zip(source.sha256)
                && let Some(content) = in_background(cache, move |cache| cache.read(sha256)).await
            {
                return text_of(release, source, content, sha256).map(Some);
            }
            tracing::info!(component = %release.component, version = %release.version, %url, "downloading a manifest");
            let content = downloader.get(url, MAX_SIZE).await;
            let content = content.map_err(|source| ComponentError::Download {
                component: release.component,
                version: release.version.clone(),
                source,
            })?;
            tracing::info!(component = %release.component, bytes = content.len(), "downloaded a manifest");
            content.to_vec()
        }
    };
    let found = Sha256::compute(&content);
    if let Some(expected) = source.sha256.filter(|expected| *expected != found) {
        return Err(ComponentError::OtherDigest {
            component: release.component,
            location: source.location.to_string(),
            expected,
            found,
        });
    }
    if let (Some(cache), Location::Address(_)) = (cache, &source.location) {
        let copy = content.clone();
        in_background(cache, move |cache| {
            if let Err(error) = cache.write(found, &copy) {
                tracing::debug!(%error, folder = %cache.folder.display(), "a manifest was not cached");
            }
        })
        .await;
    }
    text_of(release, source, content, found).map(Some)
}

fn text_of(
    release: &Release,
    source: &Source,
    content: Vec<u8>,
    sha256: Sha256,
) -> Result<Manifest, ComponentError> {
    let text = String::from_utf8(content).map_err(|_| ComponentError::NotText {
        component: release.component,
        location: source.location.to_string(),
    })?;
    Ok(Manifest { text, sha256 })
}

async fn read_source(release: &Release, file: &Path) -> Result<Vec<u8>, ComponentError> {
    let component = release.component;
    let unreadable = |source| ComponentError::Unreadable {
        component,
        file: file.to_owned(),
        source,
    };
    let path = file.to_owned();
    let content = tokio::task::spawn_blocking(move || read_file(&path)).await;
    let content = content
        .unwrap_or_else(|cancelled| Err(io::Error::other(cancelled)))
        .map_err(unreadable)?;
    if content.len() > MAX_SIZE {
        return Err(ComponentError::TooLarge {
            component,
            file: file.to_owned(),
            limit: MAX_SIZE,
        });
    }
    Ok(content)
}

/// Reads a file, but not much more than the largest manifest.
fn read_file(file: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let limit = u64::try_from(MAX_SIZE + 1).unwrap_or(u64::MAX);
    fs::File::open(file)?
        .take(limit)
        .read_to_end(&mut content)?;
    Ok(content)
}

/// Does what blocks on a thread of its own. A run that ends meanwhile gets the default.
async fn in_background<T: Send + 'static + Default>(
    cache: &Cache,
    work: impl FnOnce(&Cache) -> T + Send + 'static,
) -> T {
    let cache = cache.clone();
    let outcome = tokio::task::spawn_blocking(move || work(&cache)).await;
    outcome.unwrap_or_default()
}
