//! `ValidateProviderConfig`, `ValidateResourceConfig`, and their counterparts for the other kinds.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::decode_value;
use crate::diagnostics::Diagnostics;
use crate::kind::Kind;
use crate::model::PlanOf;
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::schema::{Schema, check_configuration};
use crate::value::{Convert as _, Path, Value};

/// Validates against the schema, and if that finds no error, with the implementation's own checks.
fn check(
    schema: &Schema,
    config: &Value,
    write_only_allowed: bool,
    own: impl FnOnce(&Value) -> Result<Diagnostics, Diagnostics>,
) -> Result<Vec<tf::Diagnostic>, Diagnostics> {
    let mut found = check_configuration(schema, config, write_only_allowed);
    if !found.has_error() {
        found.extend(own(config)?);
    }
    Ok((&found).into())
}

impl<P: Provider> Rpc<P> for tf::validate_provider_config::Request {
    type Response = tf::validate_provider_config::Response;
    const NAME: &'static str = "ValidateProviderConfig";

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let config = decode_value(self.config.as_ref(), &service.schema.value_type())?;
        let diagnostics = check(&service.schema, &config, true, |config| {
            let config = PlanOf::<P::Config>::from_value(config, &Path::root())?;
            Ok(service.provider.validate(&config))
        })?;
        Ok(Self::Response { diagnostics })
    }
}

impl<P: Provider> Rpc<P> for tf::validate_resource_config::Request {
    type Response = tf::validate_resource_config::Response;
    const NAME: &'static str = "ValidateResourceConfig";
    const KIND: Option<Kind> = Some(Kind::Resource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let config = decode_value(self.config.as_ref(), resource.value_type())?;
        let capabilities = self.client_capabilities.unwrap_or_default();
        let allowed = capabilities.write_only_attributes_allowed;
        let own = |config: &Value| resource.validate(config);
        let diagnostics = check(resource.schema(), &config, allowed, own)?;
        Ok(Self::Response { diagnostics })
    }
}

/// Implements the RPCs whose requests do not say whether the client supports write-only values: their kinds have none,
/// or every client that knows the kind supports them.
macro_rules! validations {
    ($($messages:ident: $name:literal, $kind:ident by $find:ident;)*) => {
        $(
            impl<P: Provider> Rpc<P> for tf::$messages::Request {
                type Response = tf::$messages::Response;
                const NAME: &'static str = $name;
                const KIND: Option<Kind> = Some(Kind::$kind);

                fn subject(&self) -> &str {
                    &self.type_name
                }

                async fn handle(                    self,
                    service: &ProviderService<P>,
                ) -> Result<Self::Response, Diagnostics> {
                    let found = service.$find(&self.type_name)?;
                    let config = decode_value(self.config.as_ref(), found.value_type())?;
                    let own = |config: &Value| found.validate(config);
                    let diagnostics = check(found.schema(), &config, true, own)?;
                    Ok(Self::Response { diagnostics })
                }
            }
        )*
    };
}

validations! {
    validate_data_resource_config: "ValidateDataResourceConfig", DataSource by data_source;
    validate_ephemeral_resource_config: "ValidateEphemeralResourceConfig", EphemeralResource by ephemeral_resource;
    validate_list_resource_config: "ValidateListResourceConfig", ListResource by list_resource;
    validate_action_config: "ValidateActionConfig", Action by action;
}
