//! `ImportResourceState`.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::{decode_identity, encode_identity, encode_value, require_known};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::kind::Kind;
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::resource::{ImportTarget, Operation, OperationKind, PrivateState, add_import_mark};
use crate::schema::check_configuration;
use crate::value::Value;

impl<P: Provider> Rpc<P> for tf::import_resource_state::Request {
    type Response = tf::import_resource_state::Response;
    const NAME: &'static str = "ImportResourceState";
    const KIND: Option<Kind> = Some(Kind::Resource);
    const IS_OPERATION: bool = true;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let client = service.require_client("The import")?;
        // An empty id without an identity is the user's: the resource says which forms are allowed.
        let by_identity = self.id.is_empty() && self.identity.is_some();
        let (target, named) = if by_identity {
            let identity = decode_identity(self.identity.as_ref(), resource.identity_type())?;
            if let Some(schema) = resource.identity_schema() {
                check_configuration(schema, &identity, true).into_result()?;
            }
            (ImportTarget::Identity(identity), "this identity".to_owned())
        } else {
            (
                ImportTarget::Id(self.id.clone()),
                format!("the id {:?}", self.id),
            )
        };
        let limits = resource.limits(OperationKind::Read, &Value::Null, service.interrupted());
        let mut operation = Operation::new(client, PrivateState::default(), limits.clone());
        let imported = limits.run(resource.import(&mut operation, target)).await;
        let imported = imported.and_then(|state| {
            state.ok_or_else(|| {
                let detail = format!(
                    "No {} has {named}. Check the id, and that the credentials can see the object.",
                    self.type_name
                );
                Diagnostic::error("There is nothing to import", detail).into()
            })
        });
        let state = match imported {
            Ok(state) => state,
            Err(diagnostics) => return Err(operation.into_outcome(diagnostics).diagnostics),
        };
        let outcome = operation.into_outcome(Diagnostics::default());
        if let Err(unknown) = require_known(&state, "The state that the import returned") {
            return Err(outcome.diagnostics.into_iter().chain(unknown).collect());
        }
        let identity = resource.identity(&state);
        if identity.is_none() && by_identity {
            let text = "The import by identity returned an object without an identity";
            let bug = Diagnostic::bug(text);
            return Err(outcome.diagnostics.into_iter().chain([bug]).collect());
        }
        let imported = tf::import_resource_state::ImportedResource {
            type_name: self.type_name,
            state: encode_value(&state, resource.value_type()),
            private: add_import_mark(outcome.private)?.encode().into(),
            identity: encode_identity(identity.as_ref(), resource.identity_type()),
        };
        Ok(Self::Response {
            imported_resources: vec![imported],
            diagnostics: (&outcome.diagnostics).into(),
            ..Default::default()
        })
    }
}
