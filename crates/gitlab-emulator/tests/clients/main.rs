//! Runs unmodified third-party clients against the emulator. Their programs read the URL and the
//! administrator's token from the environment and fail at the first unexpected result.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail like tests"
)]

mod cache;
mod go;
mod node;
mod python;
mod rust;

use std::process::{Command, Output};

use gitlab_emulator::Emulator;

/// Runs a client's program against a new emulator.
async fn run(mut command: Command) {
    let emulator = Emulator::builder().start().await.unwrap();
    command
        .env("GITLAB_URL", &emulator.url)
        .env("GITLAB_TOKEN", &emulator.root_token)
        .env("no_proxy", "127.0.0.1")
        .env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert_success(&output);
}

fn assert_success(output: &Output) {
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
