//! The provider as Terraform sees it: the provider block, and the kinds of resources.

mod block;
mod settings;
mod unused;
mod validators;

use terraform_plugin::diagnostics::{Diagnostics, Warnings};
use terraform_plugin::provider::{Provider, Registry};

pub use self::block::ProviderBlock;
#[cfg(test)]
pub(crate) use self::block::{GitLabBlock, TenantRepositoryBlock};
pub use crate::client::Client;

use self::unused::warn_of_unused_arguments;
use crate::client::Settings;
use crate::resources;

/// The provider.
#[derive(Debug, Clone, Copy)]
pub struct Nautes;

impl Provider for Nautes {
    type Config = ProviderBlock;
    type Client = Client;

    const ENVIRONMENT_PREFIX: Option<&'static str> = Some("NAUTES_");

    async fn configure(
        &self,
        block: ProviderBlock,
        warnings: &mut Warnings,
    ) -> Result<Client, Diagnostics> {
        warn_of_unused_arguments(&block, warnings);
        Ok(Client::new(Settings::try_from(block)?))
    }

    fn register(&self, registry: &mut Registry<Client>) {
        resources::register(registry);
    }
}
