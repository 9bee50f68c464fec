//! Dispatches RPCs to their implementations.

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use super::ProviderService;
use super::events::Events;
use super::rpc::{self, Rpc};
use crate::protocol::tfplugin6::{self as tf, provider_server};
use crate::provider::Provider;

impl<P: Provider> ProviderService<P> {
    async fn handle<R: Rpc<P>>(&self, request: R) -> Result<Response<R::Response>, Status> {
        if let Some(kind) = R::KIND
            && !self.registry.has(kind)
        {
            return Err(Status::unimplemented(format!("the provider has no {kind}")));
        }
        Ok(Response::new(rpc::handle(self, request).await))
    }
}

macro_rules! rpcs {
    (unary: $($rpc:ident)*; server_streaming: $($stream:ident)*;) => {
        #[tonic::async_trait]
        impl<P: Provider> provider_server::Provider for ProviderService<P> {
            $(
                async fn $rpc(
                    &self,
                    request: Request<tf::$rpc::Request>,
                ) -> Result<Response<tf::$rpc::Response>, Status> {
                    self.handle(request.into_inner()).await
                }
            )*
            $(
                async fn $stream(
                    &self,
                    request: Request<tf::$stream::Request>,
                ) -> Result<Response<BoxStream<tf::$stream::Event>>, Status> {
                    let events = self.handle(request.into_inner()).await?;
                    Ok(events.map(Events::into_stream))
                }
            )*
        }
    };
}

// Other RPCs return `Unimplemented`, which tells Terraform that they are not supported.
rpcs! {
    unary:
        get_metadata
        get_provider_schema
        get_resource_identity_schemas
        get_functions
        validate_provider_config
        validate_resource_config
        validate_data_resource_config
        validate_ephemeral_resource_config
        validate_list_resource_config
        validate_action_config
        configure_provider
        stop_provider
        upgrade_resource_state
        upgrade_resource_identity
        move_resource_state
        read_resource
        plan_resource_change
        apply_resource_change
        import_resource_state
        read_data_source
        call_function
        open_ephemeral_resource
        renew_ephemeral_resource
        close_ephemeral_resource
        plan_action;
    server_streaming:
        list_resource
        invoke_action;
}
