//! The smallest provider: one resource that remembers its `input` and touches nothing.
//!
//! It is the floor that start-up time, memory and plans of real providers are measured against.

use std::process::ExitCode;

use terraform_plugin::protocol::tfplugin6 as wire;
use terraform_plugin::server::{ServeOptions, serve};
use tonic::{Request, Response, Status};
use wire::provider_server::Provider;

fn main() -> ExitCode {
    let options = ServeOptions {
        address: "registry.terraform.io/nautes/floor",
        version: env!("CARGO_PKG_VERSION"),
        log_targets: &["floor"],
        debug: std::env::args().any(|argument| argument == "--debug"),
    };
    serve(&options, Floor)
}

struct Floor;

#[tonic::async_trait]
impl Provider for Floor {
    async fn get_provider_schema(
        &self,
        _: Request<wire::get_provider_schema::Request>,
    ) -> Result<Response<wire::get_provider_schema::Response>, Status> {
        let input = wire::schema::Attribute {
            name: "input".into(),
            r#type: "\"string\"".into(),
            description: "Text to remember.".into(),
            optional: true,
            ..Default::default()
        };
        let resource = wire::schema::Block {
            attributes: vec![input],
            ..Default::default()
        };
        Ok(Response::new(wire::get_provider_schema::Response {
            provider: Some(wire::Schema {
                block: Some(wire::schema::Block::default()),
                ..Default::default()
            }),
            resource_schemas: [(
                "floor_item".into(),
                wire::Schema {
                    block: Some(resource),
                    ..Default::default()
                },
            )]
            .into(),
            ..Default::default()
        }))
    }

    async fn validate_provider_config(
        &self,
        _: Request<wire::validate_provider_config::Request>,
    ) -> Result<Response<wire::validate_provider_config::Response>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn configure_provider(
        &self,
        _: Request<wire::configure_provider::Request>,
    ) -> Result<Response<wire::configure_provider::Response>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn stop_provider(
        &self,
        _: Request<wire::stop_provider::Request>,
    ) -> Result<Response<wire::stop_provider::Response>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn validate_resource_config(
        &self,
        _: Request<wire::validate_resource_config::Request>,
    ) -> Result<Response<wire::validate_resource_config::Response>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<wire::upgrade_resource_state::Request>,
    ) -> Result<Response<wire::upgrade_resource_state::Response>, Status> {
        let json = request.into_inner().raw_state.unwrap_or_default().json;
        Ok(Response::new(wire::upgrade_resource_state::Response {
            upgraded_state: Some(wire::DynamicValue {
                json,
                ..Default::default()
            }),
            ..Default::default()
        }))
    }

    async fn read_resource(
        &self,
        request: Request<wire::read_resource::Request>,
    ) -> Result<Response<wire::read_resource::Response>, Status> {
        Ok(Response::new(wire::read_resource::Response {
            new_state: request.into_inner().current_state,
            ..Default::default()
        }))
    }

    async fn plan_resource_change(
        &self,
        request: Request<wire::plan_resource_change::Request>,
    ) -> Result<Response<wire::plan_resource_change::Response>, Status> {
        Ok(Response::new(wire::plan_resource_change::Response {
            planned_state: request.into_inner().proposed_new_state,
            ..Default::default()
        }))
    }

    async fn apply_resource_change(
        &self,
        request: Request<wire::apply_resource_change::Request>,
    ) -> Result<Response<wire::apply_resource_change::Response>, Status> {
        Ok(Response::new(wire::apply_resource_change::Response {
            new_state: request.into_inner().planned_state,
            ..Default::default()
        }))
    }
}
