//! `ConfigureProvider` and `StopProvider`.

use std::sync::Arc;

use super::rpc::Rpc;
use super::wire::decode_value;
use super::{Configuration, ProviderService};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::plan::apply_defaults;
use crate::protocol::tfplugin6 as tf;
use crate::provider::{ConfigureContext, Provider};
use crate::run::guarded;
use crate::schema::{check_variable_names, fill_from_environment};
use crate::value::{AttributeValue as _, Convert as _, Path};

impl<P: Provider> Rpc<P> for tf::configure_provider::Request {
    type Response = tf::configure_provider::Response;
    const NAME: &'static str = "ConfigureProvider";

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        // Even if it fails, the new configuration replaces the old one, which belongs to another run.
        service.set_configuration(Configuration::Missing);
        service.told_causes.clear();
        let config = decode_value(self.config.as_ref(), &service.schema.value_type())?;
        let lookup = |variable: &str| std::env::var(variable).ok();
        let attributes = &service.schema.attributes;
        let mut context = ConfigureContext::new(self.terraform_version);
        if let Some(prefix) = P::ENVIRONMENT_PREFIX {
            let present = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
            context.extend(check_variable_names(attributes, prefix, present));
        }
        let config = match fill_from_environment(attributes, &config, &lookup) {
            Ok(config) => config,
            Err(errors) => return Err(context.into_failure(errors)),
        };
        let config = apply_defaults(attributes, &config);
        let mut errors = Vec::new();
        P::Config::check(&config, &Path::root(), &mut errors);
        if !errors.is_empty() {
            return Err(errors.iter().map(Diagnostic::invalid_value).collect());
        }
        if config.is_wholly_known() {
            let config = P::Config::from_value(&config, &Path::root())?;
            let configured = service.provider.configure(config, &mut context);
            let client = match guarded("The configuration", configured).await {
                Ok(client) => client,
                Err(errors) => return Err(context.into_failure(errors)),
            };
            service.set_configuration(Configuration::Ready(Arc::new(client)));
        } else {
            service.set_configuration(Configuration::Unknown);
        }
        Ok(Self::Response {
            diagnostics: (&context.into_warnings()).into(),
        })
    }
}

impl<P: Provider> Rpc<P> for tf::stop_provider::Request {
    type Response = tf::stop_provider::Response;
    const NAME: &'static str = "StopProvider";

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        service.interrupt();
        Ok(Self::Response::default())
    }
}
