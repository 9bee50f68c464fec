//! Ephemeral resources, from opening to closing.

use std::time::SystemTime;

use super::{Driver, Failure, decode_value, encode_config, require_consistent, require_known};
use crate::ephemeral_resource::ErasedEphemeralResource;
use crate::plan::check_planned;
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::provider::Provider;
use crate::value::Value;

/// An open ephemeral resource.
#[derive(Debug, Clone)]
pub struct OpenResource {
    /// The attributes.
    pub value: Value,
    /// The provider's private state.
    pub private: Option<prost::bytes::Bytes>,
    /// When the provider asks for renewal.
    pub renew_at: Option<SystemTime>,
}

impl<P: Provider> Driver<P> {
    /// Validates and opens an ephemeral resource.
    pub async fn open(&self, type_name: &str, config: &Value) -> Result<OpenResource, Failure> {
        let resource = self.ephemeral_resource(type_name)?;
        let config_on_wire = encode_config(config, resource.value_type())?;
        let request = tf::validate_ephemeral_resource_config::Request {
            type_name: type_name.to_owned(),
            config: config_on_wire.clone(),
        };
        let validated = self
            .service
            .validate_ephemeral_resource_config(tonic::Request::new(request))
            .await?;
        self.accept(validated.into_inner().diagnostics)?;
        let request = tf::open_ephemeral_resource::Request {
            type_name: type_name.to_owned(),
            config: config_on_wire,
            client_capabilities: None,
        };
        let opened = self
            .service
            .open_ephemeral_resource(tonic::Request::new(request))
            .await?;
        let opened = opened.into_inner();
        self.accept(opened.diagnostics)?;
        let value = decode_value(opened.result.as_ref(), resource.value_type())?;
        require_consistent(check_planned(
            resource.schema(),
            &Value::Null,
            config,
            &value,
        ))?;
        require_known(&value)?;
        Ok(OpenResource {
            value,
            private: opened.private,
            renew_at: opened.renew_at.and_then(|time| time.try_into().ok()),
        })
    }

    /// Renews an ephemeral resource.
    pub async fn renew(&self, type_name: &str, open: &mut OpenResource) -> Result<(), Failure> {
        let request = tf::renew_ephemeral_resource::Request {
            type_name: type_name.to_owned(),
            private: open.private.clone(),
        };
        let renewed = self
            .service
            .renew_ephemeral_resource(tonic::Request::new(request))
            .await?;
        let renewed = renewed.into_inner();
        self.accept(renewed.diagnostics)?;
        open.private = renewed.private;
        open.renew_at = renewed.renew_at.and_then(|time| time.try_into().ok());
        Ok(())
    }

    /// Closes an ephemeral resource.
    pub async fn close(&self, type_name: &str, open: OpenResource) -> Result<(), Failure> {
        let request = tf::close_ephemeral_resource::Request {
            type_name: type_name.to_owned(),
            private: open.private,
        };
        let closed = self
            .service
            .close_ephemeral_resource(tonic::Request::new(request))
            .await?;
        self.accept(closed.into_inner().diagnostics)
    }

    fn ephemeral_resource(
        &self,
        type_name: &str,
    ) -> Result<&dyn ErasedEphemeralResource<P::Client>, Failure> {
        let found = self.service.registry().ephemeral_resources.get(type_name);
        found
            .map(Box::as_ref)
            .ok_or_else(|| Failure::NoSuchType(type_name.to_owned()))
    }
}
