//! `ReadDataSource`.

use tokio::time::timeout;

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::{decoded, encoded};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::interrupt::{took_too_long, until_interrupted};
use crate::kind::Kind;
use crate::plan::keep_form;
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;

impl<P: Provider> Rpc<P> for tf::read_data_source::Request {
    type Response = tf::read_data_source::Response;
    const NAME: &'static str = "ReadDataSource";
    const KIND: Option<Kind> = Some(Kind::DataSource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let source = service.data_source(&self.type_name)?;
        let client = service.client_for(&format!("The data source {}", self.type_name))?;
        let config = decoded(self.config.as_ref(), source.value_type())?;
        let interrupted = service.interrupted();
        let read = until_interrupted("read", &interrupted, source.read(&client, &config));
        let limit = source.timeout();
        let data = timeout(limit, read).await.unwrap_or_else(|_| {
            let next_step = "Run the command again, when what is slow has recovered.";
            Err(took_too_long("read", limit, next_step).into())
        })?;
        let data = keep_form(&source.schema().attributes, &config, &data);
        if !data.is_wholly_known() {
            return Err(Diagnostic::defect("The data that was read has unknown values").into());
        }
        Ok(Self::Response {
            state: encoded(&data, source.value_type()),
            ..Default::default()
        })
    }
}
