//! `ReadResource`.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::{decoded, encoded, encoded_identity};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::kind::Kind;
use crate::plan::keep_form;
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::resource::{Operation, PrivateState, Timed};
use crate::value::Value;

impl<P: Provider> Rpc<P> for tf::read_resource::Request {
    type Response = tf::read_resource::Response;
    const NAME: &'static str = "ReadResource";
    const KIND: Option<Kind> = Some(Kind::Resource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    fn failure(&self) -> Self::Response {
        Self::Response {
            new_state: self.current_state.clone(),
            private: self.private.clone(),
            new_identity: self.current_identity.clone(),
            ..Default::default()
        }
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let Some(client) = service.client() else {
            return Err(Diagnostic::warning(
                "The state was not refreshed",
                "The provider's configuration follows from resources that do not exist yet, so the objects could not be read. Their stored state is used.",
            )
            .into());
        };
        let resource = service.resource(&self.type_name)?;
        let state = decoded(self.current_state.as_ref(), resource.value_type())?;
        let limits = resource.limits(Timed::Read, &state, service.interrupted());
        let mut operation =
            Operation::new(client, PrivateState::decode(&self.private), limits.clone());
        let read = limits.apply(resource.read(&mut operation, &state)).await?;
        let outcome = operation.into_outcome(Diagnostics::default());
        let Some(read) = read else {
            return Ok(Self::Response {
                new_state: encoded(&Value::Null, resource.value_type()),
                diagnostics: (&outcome.diagnostics).into(),
                ..Default::default()
            });
        };
        let read = keep_form(&resource.schema().attributes, &state, &read);
        if !read.is_wholly_known() {
            return Err(Diagnostic::defect("The state that was read has unknown values").into());
        }
        let identity = resource.identity(&read);
        Ok(Self::Response {
            new_state: encoded(&read, resource.value_type()),
            private: outcome.private.encode().into(),
            new_identity: encoded_identity(identity.as_ref(), resource.identity_type()),
            diagnostics: (&outcome.diagnostics).into(),
            ..Default::default()
        })
    }
}
