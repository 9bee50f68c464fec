//! `ValidateProviderConfig`, `ValidateResourceConfig`, `ValidateDataResourceConfig`.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::decoded;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::PlanOf;
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::schema::check_configuration;
use crate::value::{Convert as _, Path};

impl<P: Provider> Rpc<P> for tf::validate_provider_config::Request {
    type Response = tf::validate_provider_config::Response;
    const NAME: &'static str = "ValidateProviderConfig";

    fn failure(&self) -> Self::Response {
        Self::Response::default()
    }

    fn diagnostics(response: &mut Self::Response) -> Option<&mut Vec<tf::Diagnostic>> {
        Some(&mut response.diagnostics)
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let config = decoded(self.config.as_ref(), &service.schema.value_type())?;
        let mut found = check_configuration(&service.schema, &config, true);
        if !found.has_error() {
            let config = PlanOf::<P::Config>::from_value(&config, &Path::root())?;
            found.extend(service.provider.validate(&config));
        }
        Ok(Self::Response {
            diagnostics: (&found).into(),
        })
    }
}

impl<P: Provider> Rpc<P> for tf::validate_resource_config::Request {
    type Response = tf::validate_resource_config::Response;
    const NAME: &'static str = "ValidateResourceConfig";

    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn failure(&self) -> Self::Response {
        Self::Response::default()
    }

    fn diagnostics(response: &mut Self::Response) -> Option<&mut Vec<tf::Diagnostic>> {
        Some(&mut response.diagnostics)
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let config = decoded(self.config.as_ref(), resource.value_type())?;
        let capabilities = self.client_capabilities.unwrap_or_default();
        let write_only_allowed = capabilities.write_only_attributes_allowed;
        let mut found = check_configuration(resource.schema(), &config, write_only_allowed);
        if !found.has_error() {
            found.extend(resource.validate(&config)?);
        }
        Ok(Self::Response {
            diagnostics: (&found).into(),
        })
    }
}

impl<P: Provider> Rpc<P> for tf::validate_data_resource_config::Request {
    type Response = tf::validate_data_resource_config::Response;
    const NAME: &'static str = "ValidateDataResourceConfig";

    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn failure(&self) -> Self::Response {
        Self::Response::default()
    }

    fn diagnostics(response: &mut Self::Response) -> Option<&mut Vec<tf::Diagnostic>> {
        Some(&mut response.diagnostics)
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let Some(source) = service.registry.data_sources.get(self.type_name.as_str()) else {
            let text = format!("There is no data source type {}", self.type_name);
            return Err(Diagnostic::defect(text).into());
        };
        let config = decoded(self.config.as_ref(), source.value_type())?;
        let mut found = check_configuration(source.schema(), &config, false);
        if !found.has_error() {
            found.extend(source.validate(&config)?);
        }
        Ok(Self::Response {
            diagnostics: (&found).into(),
        })
    }
}
