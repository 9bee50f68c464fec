//! The emulator as a program: `gitlab-emulator --listen 127.0.0.1:0 --data DIR`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use gitlab_emulator::Emulator;

/// A GitLab for tests: REST API v4 and git over HTTP, backed by real bare repositories.
///
/// The first line on standard output is JSON with `url`, `root_token` and `pid`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address and port to listen on; port 0 selects a free port
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Folder to keep all data in; a temporary one by default
    #[arg(long)]
    data: Option<PathBuf>,
    /// Token of the administrator; by default the token that the data folder has, or a new one
    #[arg(long)]
    root_token: Option<String>,
    /// URL in responses, for clients behind a proxy
    #[arg(long)]
    external_url: Option<String>,
    /// Delay of every GET and HEAD request to the API, in milliseconds
    #[arg(long, default_value_t = 0)]
    latency_read: u64,
    /// Delay of a commit between reading its parent and moving the branch, in milliseconds
    #[arg(long, default_value_t = 0)]
    latency_commit: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = String::from("gitlab-emulator");
            let mut cause: Option<&dyn std::error::Error> = Some(error.as_ref());
            while let Some(error) = cause {
                text.push_str(": ");
                text.push_str(&error.to_string());
                cause = error.source();
            }
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Emulator::builder()
        .listen(arguments.listen)
        .latency_read(Duration::from_millis(arguments.latency_read))
        .latency_commit(Duration::from_millis(arguments.latency_commit));
    if let Some(folder) = arguments.data {
        builder = builder.data(folder);
    }
    if let Some(token) = arguments.root_token {
        builder = builder.root_token(token);
    }
    if let Some(url) = arguments.external_url {
        builder = builder.external_url(url);
    }
    // Registered before the first line is printed, so that a signal after that line ends the
    // program cleanly.
    let ended = ended()?;
    let emulator = builder.start().await?;
    let line = serde_json::json!({
        "url": emulator.url,
        "root_token": emulator.root_token,
        "pid": std::process::id(),
    });
    writeln!(std::io::stdout(), "{line}")?;
    std::io::stdout().flush()?;
    ended.await?;
    emulator.stop().await;
    Ok(())
}

/// Waits for Ctrl-C or a termination signal.
#[cfg(unix)]
fn ended() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => interrupted,
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn ended() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
