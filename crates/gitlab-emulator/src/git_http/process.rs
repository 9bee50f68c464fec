//! Runs git's own services, isolated from the user's git configuration.

use std::path::Path;
use std::process::Stdio;

use axum::body::{Body, Bytes};
use futures_util::stream;
use http::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::path::Service;
use crate::instance::Instance;

const CHUNK: usize = 64 * 1024;

/// Returns a git command for a server-side repository.
pub(super) fn command(instance: &Instance, protocol: Option<&HeaderValue>) -> Command {
    let hooks = format!("core.hooksPath={}", instance.hooks.display());
    let mut command = Command::new("git");
    for setting in [
        "safe.directory=*",
        "uploadpack.allowFilter=true",
        "uploadpack.allowAnySHA1InWant=true",
        "receive.advertisePushOptions=true",
        "receive.fsckObjects=true",
        // Nothing collects garbage here, so packs would pile up.
        "receive.unpackLimit=100000",
        "receive.autogc=false",
        "gc.auto=0",
        hooks.as_str(),
    ] {
        command.args(["-c", setting]);
    }
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if let Some(protocol) = protocol.and_then(|protocol| protocol.to_str().ok()) {
        command.env("GIT_PROTOCOL", protocol);
    }
    command
}

/// Returns the references of a repository as a service advertises them.
pub(super) async fn advertise(
    instance: &Instance,
    service: Service,
    folder: &Path,
    protocol: Option<&HeaderValue>,
) -> std::io::Result<Vec<u8>> {
    let output = command(instance, protocol)
        .arg(subcommand(service))
        .args(["--stateless-rpc", "--advertise-refs"])
        .arg(folder)
        .output()
        .await?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(std::io::Error::other("git ended with an error"))
    }
}

/// Runs one round of a fetch; the response streams as git writes it.
pub(super) fn upload_pack(
    instance: &Instance,
    folder: &Path,
    request: Bytes,
    protocol: Option<&HeaderValue>,
) -> std::io::Result<Body> {
    let mut child = command(instance, protocol)
        .args(["upload-pack", "--stateless-rpc"])
        .arg(folder)
        .spawn()?;
    feed(&mut child, request);
    let Some(output) = child.stdout.take() else {
        return Err(std::io::Error::other("git has no output"));
    };
    // The stream owns the child, which must live until its output is read.
    let chunks = stream::unfold((child, output), |(child, mut output)| async move {
        let mut chunk = vec![0; CHUNK];
        match output.read(&mut chunk).await {
            Ok(0) => None,
            Ok(length) => {
                chunk.truncate(length);
                Some((Ok(Bytes::from(chunk)), (child, output)))
            }
            Err(error) => Some((Err(error), (child, output))),
        }
    });
    Ok(Body::from_stream(chunks))
}

/// Writes the request to git while its output is being read.
pub(super) fn feed(child: &mut Child, request: Bytes) {
    if let Some(mut input) = child.stdin.take() {
        tokio::spawn(async move {
            // git may exit before it has read everything; the reason is in its output.
            let _ = input.write_all(&request).await;
        });
    }
}

const fn subcommand(service: Service) -> &'static str {
    match service {
        Service::UploadPack => "upload-pack",
        Service::ReceivePack => "receive-pack",
    }
}
