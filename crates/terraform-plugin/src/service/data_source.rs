//! `ReadDataSource`.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::{decode_value, encode_value, require_known};
use crate::context::Context;
use crate::diagnostics::Diagnostics;
use crate::kind::Kind;
use crate::plan::{apply_defaults, keep_equivalent};
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::run::within_limit;

impl<P: Provider> Rpc<P> for tf::read_data_source::Request {
    type Response = tf::read_data_source::Response;
    const NAME: &'static str = "ReadDataSource";
    const KIND: Option<Kind> = Some(Kind::DataSource);
    const IS_OPERATION: bool = true;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let source = service.data_source(&self.type_name)?;
        let client = service.require_client(&format!("The data source {}", self.type_name))?;
        let config = decode_value(self.config.as_ref(), source.value_type())?;
        let config = apply_defaults(&source.schema().attributes, &config);
        let interrupted = service.interrupted();
        let mut context = Context::new(client, interrupted.clone());
        let read = source.read(&mut context, &config);
        let next_step = "Run the command again once the remote system responds faster.";
        let read = within_limit("read", source.timeout(), &interrupted, next_step, read).await;
        let known = read.and_then(|data| {
            let data = keep_equivalent(&source.schema().attributes, &config, &data);
            require_known(&data, "The data that the read returned")?;
            Ok(data)
        });
        match known {
            Ok(data) => Ok(Self::Response {
                state: encode_value(&data, source.value_type()),
                diagnostics: (&context.into_warnings()).into(),
                ..Default::default()
            }),
            Err(errors) => Err(context.into_failure(errors)),
        }
    }
}
