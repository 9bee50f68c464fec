//! The provider: its block, and the clients that resources share.

mod block;
mod client;
mod setting;
mod vault;

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::provider::{Provider, Registry};

pub use block::ProviderBlock;
pub use client::Client;
pub(crate) use setting::Reconciler;

use crate::resources;

/// The provider.
#[derive(Debug, Clone, Copy)]
pub struct Nautes;

impl Provider for Nautes {
    type Config = ProviderBlock;
    type Client = Client;

    async fn configure(&self, block: ProviderBlock) -> Result<Client, Diagnostics> {
        Client::new(block)
    }

    fn register(&self, registry: &mut Registry<Client>) {
        resources::register(registry);
    }
}
