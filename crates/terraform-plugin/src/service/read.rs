//! `ReadResource`.

use super::ProviderService;
use super::identity::require_same_identity;
use super::response::RpcResponse as _;
use super::rpc::{self, Rpc};
use super::wire::{decode_value, encode_identity, encode_value, require_known};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::kind::Kind;
use crate::plan::keep_equivalent;
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::resource::{Operation, OperationKind, PrivateState, take_import_mark};
use crate::value::Value;

impl<P: Provider> Rpc<P> for tf::read_resource::Request {
    type Response = tf::read_resource::Response;
    const NAME: &'static str = "ReadResource";
    const KIND: Option<Kind> = Some(Kind::Resource);
    const IS_OPERATION: bool = true;

    fn subject(&self) -> &str {
        &self.type_name
    }

    fn failure_response(&self) -> Self::Response {
        Self::Response {
            new_state: self.current_state.clone(),
            private: self.private.clone(),
            new_identity: self.current_identity.clone(),
            ..Default::default()
        }
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let Some(client) = service.client() else {
            let warning = Diagnostic::warning(
                "The state was not refreshed",
                "The provider's configuration depends on resources that do not exist yet, so the object could not be read. The plan uses its stored state.",
            );
            let mut unchanged = <Self as Rpc<P>>::failure_response(&self);
            unchanged.add_diagnostics(&warning.into());
            return Ok(unchanged);
        };
        let resource = service.resource(&self.type_name)?;
        let state = decode_value(self.current_state.as_ref(), resource.value_type())?;
        rpc::record_object(&resource.schema().attributes, &state);
        let limits = resource.limits(OperationKind::Read, &state, service.interrupted());
        let mut private = PrivateState::decode(&self.private);
        let completes_import = take_import_mark(&mut private);
        let mut operation = Operation::new(client, private, limits.clone());
        let read = limits.run(resource.read(&mut operation, &state)).await;
        let read = match read {
            Ok(read) => read,
            Err(diagnostics) => return Err(operation.into_outcome(diagnostics).diagnostics),
        };
        let outcome = operation.into_outcome(Diagnostics::default());
        let Some(read) = read else {
            return Ok(Self::Response {
                new_state: encode_value(&Value::Null, resource.value_type()),
                diagnostics: (&outcome.diagnostics).into(),
                ..Default::default()
            });
        };
        let read = keep_equivalent(&resource.schema().attributes, &state, &read);
        if let Err(unknown) = require_known(&read, "The state that the read returned") {
            return Err(outcome.diagnostics.into_iter().chain(unknown).collect());
        }
        // Terraform would report a change of the private state alone without showing a difference.
        let private = if read == state && !completes_import {
            self.private
        } else {
            outcome.private.encode().into()
        };
        let identity = resource.identity(&read);
        let stored_identity = self.current_identity.as_ref();
        if let Err(changed) = require_same_identity(resource, stored_identity, identity.as_ref()) {
            return Err(outcome.diagnostics.into_iter().chain(changed).collect());
        }
        Ok(Self::Response {
            new_state: encode_value(&read, resource.value_type()),
            private,
            new_identity: encode_identity(identity.as_ref(), resource.identity_type()),
            diagnostics: (&outcome.diagnostics).into(),
            ..Default::default()
        })
    }
}
