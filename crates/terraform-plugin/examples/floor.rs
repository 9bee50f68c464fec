//! The smallest provider: resources that store their arguments and touch nothing.
//!
//! It is the floor that start-up time, memory and plans of real providers are measured against. A large part of a plan
//! is Terraform's own work on every attribute, so there are three resources: an item as small as can be, one with the
//! attributes of Terraform's own `terraform_data`, and an entity with as many attributes as a usual resource.

use std::collections::BTreeSet;
use std::process::ExitCode;

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::Model;
use terraform_plugin::provider::{ConfigureContext, Provider, Registry};
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

/// An item.
#[derive(Model)]
struct Item {
    /// Text to store.
    input: Option<String>,
    /// Identifier of the item.
    #[tf(stable)]
    id: Tf<String>,
}

impl Provider for Floor {
    type Config = Configuration;
    type Client = ();

    async fn configure(
        &self,
        _: Configuration,
        _: &mut ConfigureContext,
    ) -> Result<(), Diagnostics> {
        Ok(())
    }

    fn register(&self, registry: &mut Registry<()>) {
        registry
            .resource(ItemResource)
            .resource(DataResource)
            .resource(EntityResource);
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

/// The attributes of `terraform_data`.
#[derive(Model)]
struct Data {
    /// Text to store.
    input: Option<String>,
    /// The stored text.
    output: Tf<String>,
    /// Text whose change replaces the resource.
    #[tf(replace)]
    triggers_replace: Option<String>,
    /// Identifier of the resource.
    #[tf(stable)]
    id: Tf<String>,
}

struct DataResource;

impl Resource for DataResource {
    type Client = ();
    type State = Data;
    type Identity = NoIdentity;
    const TYPE_NAME: &'static str = "floor_data";

    async fn create(&self, _: &mut Operation<()>, planned: Data) -> Result<Data, Diagnostics> {
        let input = planned.input.clone();
        Ok(Data {
            id: Known(input.clone().unwrap_or_default()),
            output: input.map_or(Tf::Null, Known),
            ..planned
        })
    }

    async fn read(&self, _: &mut Operation<()>, state: Data) -> Result<Option<Data>, Diagnostics> {
        Ok(Some(state))
    }

    async fn update(
        &self,
        _: &mut Operation<()>,
        _: Data,
        planned: Data,
    ) -> Result<Data, Diagnostics> {
        Ok(Data {
            output: planned.input.clone().map_or(Tf::Null, Known),
            ..planned
        })
    }

    async fn delete(&self, _: &mut Operation<()>, _: Data) -> Result<(), Diagnostics> {
        Ok(())
    }
}

/// An entity with as many attributes as a usual resource.
#[derive(Model)]
struct Entity {
    /// Name of the entity.
    #[tf(replace)]
    name: String,
    /// What the entity belongs to.
    #[tf(replace)]
    owner: String,
    /// Text to store.
    note: Option<String>,
    /// Whether the note is stored well.
    well: Option<bool>,
    /// How long operations may take.
    timeouts: Option<Timeouts>,
    /// Identifier of the entity.
    #[tf(stable)]
    id: Tf<String>,
    /// Path of the entity.
    #[tf(stable)]
    path: Tf<String>,
    /// Space of the entity.
    #[tf(stable)]
    space: Tf<String>,
    /// Differences found at the last refresh: none.
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
