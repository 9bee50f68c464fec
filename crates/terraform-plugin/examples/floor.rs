//! The smallest provider: resources that remember their arguments and touch nothing.
//!
//! It is the floor that start-up time, memory and plans of real providers are measured against. A large part of a plan
//! is Terraform's own work on every attribute, so there is an item as small as can be, and an entity with as many
//! attributes as a usual resource has.

use std::collections::BTreeSet;
use std::process::ExitCode;

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::Model;
use terraform_plugin::provider::{Provider, Registry};
use terraform_plugin::resource::{NoIdentity, Operation, Resource, Timeouts};
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
        registry.resource(ItemResource).resource(EntityResource);
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

/// Something with as many attributes as usual.
#[derive(Model)]
struct Entity {
    /// Name of the entity.
    #[tf(replace)]
    name: String,
    /// What the entity belongs to.
    #[tf(replace)]
    owner: String,
    /// Text to remember.
    note: Option<String>,
    /// Whether to remember it well.
    well: Option<bool>,
    /// How long operations may take.
    timeouts: Option<Timeouts>,
    /// Identifier of the entity.
    #[tf(stable)]
    id: Tf<String>,
    /// Where the entity would be.
    #[tf(stable)]
    path: Tf<String>,
    /// What the entity would be in.
    #[tf(stable)]
    space: Tf<String>,
    /// What was found to differ: nothing.
    #[tf(cleared)]
    drift: Tf<BTreeSet<String>>,
}

struct EntityResource;

impl Resource for EntityResource {
    type Client = ();
    type State = Entity;
    type Identity = NoIdentity;
    const TYPE_NAME: &'static str = "floor_entity";

    async fn create(&self, _: &mut Operation<()>, planned: Entity) -> Result<Entity, Diagnostics> {
        Ok(Entity {
            id: Known(format!("{}/{}", planned.owner, planned.name)),
            path: Known(format!("{}.yaml", planned.name)),
            space: Known(planned.owner.clone()),
            drift: Tf::Null,
            ..planned
        })
    }

    async fn read(
        &self,
        _: &mut Operation<()>,
        state: Entity,
    ) -> Result<Option<Entity>, Diagnostics> {
        Ok(Some(state))
    }

    async fn update(
        &self,
        _: &mut Operation<()>,
        _: Entity,
        planned: Entity,
    ) -> Result<Entity, Diagnostics> {
        Ok(planned)
    }

    async fn delete(&self, _: &mut Operation<()>, _: Entity) -> Result<(), Diagnostics> {
        Ok(())
    }
}
