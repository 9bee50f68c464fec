//! Fetching manifests from files, addresses and the cache.

use std::fs;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use super::super::fetch::{Cache, Manifest, fetch};
use super::super::source::{Location, Release, Source};
use super::super::{Component, ComponentError, Sha256, Version};
use crate::backends::download::Downloader;
use crate::backends::http::Limits;

const TEXT: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n";

fn release(location: Location, sha256: Option<Sha256>) -> Release {
    Release {
        component: Component::ArgoEvents,
        version: Version::new(1, 9, 11),
        namespace: "argo-events".into(),
        manifest: Some(Source { location, sha256 }),
    }
}

fn digest() -> Sha256 {
    Sha256::compute(TEXT.as_bytes())
}

async fn get(release: &Release, cache: Option<&Cache>) -> Result<Option<Manifest>, ComponentError> {
    fetch(release, cache, &Downloader::new(&Limits::default())).await
}

/// An address at which nothing answers.
fn nowhere() -> Location {
    Location::Address(Url::parse("https://127.0.0.1:1/a.yaml").unwrap())
}

#[tokio::test]
async fn a_file_is_read_and_its_digest_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, TEXT).unwrap();
    let location = Location::File(file.clone());
    let manifest = get(&release(location.clone(), Some(digest())), None).await;
    assert_eq!(manifest.unwrap().unwrap().text, TEXT);

    let expected = Sha256::compute(b"");
    let error = get(&release(location, Some(expected)), None)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!(
            "{} is not the expected one: its SHA-256 digest is {} instead of {expected}",
            file.display(),
            digest()
        )),
        "{text}"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_a_manifest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    let release = release(Location::File(file.clone()), None);
    let error = get(&release, None).await.unwrap_err();
    assert!(matches!(error, ComponentError::Unreadable { .. }));

    fs::write(&file, b"\xff\xfe").unwrap();
    let error = get(&release, None).await.unwrap_err();
    assert!(matches!(error, ComponentError::NotText { .. }));

    let large = fs::File::create(&file).unwrap();
    large.set_len((16 << 20) + 1).unwrap();
    let error = get(&release, None).await.unwrap_err();
    assert!(matches!(error, ComponentError::TooLarge { .. }));
}

#[tokio::test]
async fn a_cached_manifest_needs_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path().join("components"));
    fs::create_dir(folder.path().join("components")).unwrap();
    let cached = folder.path().join(format!("components/{}.yaml", digest()));
    fs::write(&cached, TEXT).unwrap();
    let release = release(nowhere(), Some(digest()));
    let manifest = get(&release, Some(&cache)).await.unwrap().unwrap();
    assert_eq!(manifest.sha256, digest());
}

#[tokio::test]
async fn a_component_without_manifest_fetches_nothing() {
    let mut release = release(nowhere(), None);
    release.manifest = None;
    assert_eq!(get(&release, None).await.unwrap(), None);
}

/// Serves one text to every request, as often as it is asked.
async fn serve(text: &'static str) -> Location {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let length = text.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Location::Address(Url::parse(&format!("http://{address}/a.yaml")).unwrap())
}

#[tokio::test]
async fn a_downloaded_manifest_is_cached_under_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path().join("components"));
    let manifest = get(&release(serve(TEXT).await, None), Some(&cache)).await;
    assert_eq!(manifest.unwrap().unwrap().sha256, digest());
    let again = get(&release(nowhere(), Some(digest())), Some(&cache)).await;
    assert_eq!(again.unwrap().unwrap().text, TEXT);
}

#[tokio::test]
async fn a_damaged_copy_in_the_cache_is_downloaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path().to_owned());
    let cached = folder.path().join(format!("{}.yaml", digest()));
    fs::write(&cached, "damaged").unwrap();
    let release = release(serve(TEXT).await, Some(digest()));
    assert_eq!(
        get(&release, Some(&cache)).await.unwrap().unwrap().text,
        TEXT
    );
    assert_eq!(fs::read_to_string(cached).unwrap(), TEXT);
}

#[tokio::test]
async fn another_manifest_than_the_expected_one_is_neither_used_nor_cached() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path().join("components"));
    let release = release(serve("something else").await, Some(digest()));
    let error = get(&release, Some(&cache)).await.unwrap_err();
    assert!(matches!(error, ComponentError::OtherDigest { .. }));
    assert!(!folder.path().join("components").exists());
}
