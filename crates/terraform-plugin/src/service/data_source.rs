//! `ReadDataSource`.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::{decoded, encoded};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::plan::keep_form;
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;

impl<P: Provider> Rpc<P> for tf::read_data_source::Request {
    type Response = tf::read_data_source::Response;
    const NAME: &'static str = "ReadDataSource";

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
        let client = service.client_for(&format!("The data source {}", self.type_name))?;
        let config = decoded(self.config.as_ref(), source.value_type())?;
        let interrupted = service.interrupted();
        let data = tokio::select! {
            data = source.read(&client, &config) => data?,
            () = interrupted.cancelled() => {
                return Err(Diagnostic::error("The read was interrupted", "It was stopped on request.").into());
            }
        };
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
