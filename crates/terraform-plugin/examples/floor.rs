//! The smallest provider: one resource that remembers its input and touches nothing.
//!
//! It is the floor that start-up time, memory and plans of real providers are measured against.

use std::process::ExitCode;

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::Model;
use terraform_plugin::provider::{Provider, Registry};
use terraform_plugin::resource::{NoIdentity, Operation, Resource};
use terraform_plugin::server::{ServeOptions, serve};
use terraform_plugin::service::ProviderService;
use terraform_plugin::value::{Known, Tf};

fn main() -> ExitCode {
    let options = ServeOptions {
        address: "registry.terraform.io/nautes/floor",
        version: env!("CARGO_PKG_VERSION"),
        log_targets: &["floor"],
        debug: std::env::args().any(|argument| argument == "--debug"),
    };
    serve(&options, ProviderService::new(Floor))
}

struct Floor;

/// A provider without arguments.
#[derive(Model)]
struct Configuration {}

/// Something to remember.
#[derive(Model)]
struct Item {
    /// Text to remember.
    input: Option<String>,
    /// Identifier of the item.
    #[tf(stable)]
    id: Tf<String>,
}

impl Provider for Floor {
    type Config = Configuration;
    type Client = ();

    async fn configure(&self, _: Configuration) -> Result<(), Diagnostics> {
        Ok(())
    }

    fn register(&self, registry: &mut Registry<()>) {
        registry.resource(ItemResource);
    }
}

struct ItemResource;

impl Resource for ItemResource {
    type Client = ();
    type State = Item;
    type Identity = NoIdentity;
    const TYPE_NAME: &'static str = "floor_item";

    async fn create(&self, _: &mut Operation<()>, planned: Item) -> Result<Item, Diagnostics> {
        let id = planned.input.clone().unwrap_or_default();
        Ok(Item {
            id: Known(id),
            ..planned
        })
    }

    async fn read(&self, _: &mut Operation<()>, state: Item) -> Result<Option<Item>, Diagnostics> {
        Ok(Some(state))
    }

    async fn update(
        &self,
        _: &mut Operation<()>,
        _: Item,
        planned: Item,
    ) -> Result<Item, Diagnostics> {
        Ok(planned)
    }

    async fn delete(&self, _: &mut Operation<()>, _: Item) -> Result<(), Diagnostics> {
        Ok(())
    }
}
