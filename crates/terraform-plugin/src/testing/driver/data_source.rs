//! Data sources.

use super::{Driver, Failure, decode_value, encode_config, require_consistent, require_known};
use crate::plan::check_planned;
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::provider::Provider;
use crate::value::Value;

impl<P: Provider> Driver<P> {
    /// Reads a data source.
    pub async fn read_data_source(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Value, Failure> {
        let source = self.service.registry().data_sources.get(type_name);
        let source = source.ok_or_else(|| Failure::NoSuchType(type_name.to_owned()))?;
        let config_on_wire = encode_config(config, source.value_type())?;
        let request = tf::validate_data_resource_config::Request {
            type_name: type_name.to_owned(),
            config: config_on_wire.clone(),
        };
        let validated = self
            .service
            .validate_data_resource_config(tonic::Request::new(request))
            .await?;
        self.accept(validated.into_inner().diagnostics)?;
        let request = tf::read_data_source::Request {
            type_name: type_name.to_owned(),
            config: config_on_wire,
            client_capabilities: Some(self.capabilities),
            ..Default::default()
        };
        let response = self
            .service
            .read_data_source(tonic::Request::new(request))
            .await?;
        let response = response.into_inner();
        self.accept(response.diagnostics)?;
        let data = decode_value(response.state.as_ref(), source.value_type())?;
        require_consistent(check_planned(source.schema(), &Value::Null, config, &data))?;
        require_known(&data)?;
        Ok(data)
    }
}
