//! `ConfigureProvider` and `StopProvider`.

use std::sync::Arc;

use super::rpc::Rpc;
use super::wire::decoded;
use super::{Configured, ProviderService};
use crate::diagnostics::Diagnostics;
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::schema::fill_from_environment;
use crate::value::{Convert as _, Path};

impl<P: Provider> Rpc<P> for tf::configure_provider::Request {
    type Response = tf::configure_provider::Response;
    const NAME: &'static str = "ConfigureProvider";

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        // A new configuration replaces the old one even if it fails: the old one is another run's.
        service.configure(Configured::Not);
        let config = decoded(self.config.as_ref(), &service.schema.value_type())?;
        let lookup = |variable: &str| std::env::var(variable).ok();
        let config = fill_from_environment(&service.schema.attributes, &config, &lookup)?;
        if config.is_wholly_known() {
            let config = P::Config::from_value(&config, &Path::root())?;
            let client = service.provider.configure(config).await?;
            service.configure(Configured::Ready(Arc::new(client)));
        } else {
            service.configure(Configured::Unknown);
        }
        Ok(Self::Response::default())
    }
}

impl<P: Provider> Rpc<P> for tf::stop_provider::Request {
    type Response = tf::stop_provider::Response;
    const NAME: &'static str = "StopProvider";

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        service.interrupt();
        Ok(Self::Response::default())
    }
}
