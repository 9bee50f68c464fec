//! Starts a provider as Terraform does, and shuts it down.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use terraform_plugin::protocol::tfplugin6::get_provider_schema;
use terraform_plugin::testing::process::ProviderProcess;

/// What was measured at one start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// From the start of the process to its handshake line.
    pub(super) to_handshake: Duration,
    /// The memory that it held once its schema was read, in bytes.
    pub(super) resident_memory: u64,
}

/// Starts a provider, reads its schema over mutual TLS and shuts it down.
pub(super) fn start(executable: &Path) -> anyhow::Result<Start> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    runtime.block_on(async {
        let provider = ProviderProcess::start(executable).await?;
        let mut client = provider.client().await?;
        client
            .get_provider_schema(get_provider_schema::Request {})
            .await?;
        let resident_memory = provider
            .resident_memory()
            .context("this system does not report how much memory a process uses")?;
        let to_handshake = provider.start_time();
        provider.shut_down().await?;
        Ok(Start {
            to_handshake,
            resident_memory,
        })
    })
}

#[cfg(test)]
mod tests {
    use testbed::cargo::{self, Executable};

    use super::*;

    #[test]
    fn a_start_has_a_duration_and_a_size() {
        let floor = cargo::build(Executable::FLOOR, &[]).unwrap();
        let start = start(&floor).unwrap();
        assert!(start.to_handshake > Duration::ZERO);
        assert!(start.resident_memory > 100_000, "{start:?}");
    }
}
