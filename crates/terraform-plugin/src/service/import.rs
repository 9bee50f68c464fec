//! `ImportResourceState`.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::{decoded_identity, encoded, encoded_identity};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::kind::Kind;
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::resource::{ImportTarget, Operation, PrivateState, Timed};
use crate::value::Value;

impl<P: Provider> Rpc<P> for tf::import_resource_state::Request {
    type Response = tf::import_resource_state::Response;
    const NAME: &'static str = "ImportResourceState";
    const KIND: Option<Kind> = Some(Kind::Resource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let client = service.client_for("The import")?;
        let (target, named) = if self.id.is_empty() {
            let identity = decoded_identity(self.identity.as_ref(), resource.identity_type())?;
            (ImportTarget::Identity(identity), "this identity".to_owned())
        } else {
            (
                ImportTarget::Id(self.id.clone()),
                format!("the id {:?}", self.id),
            )
        };
        let limits = resource.limits(Timed::Read, &Value::Null, service.interrupted());
        let mut operation = Operation::new(client, PrivateState::default(), limits.clone());
        let imported = limits
            .apply(resource.import(&mut operation, target))
            .await?;
        let outcome = operation.into_outcome(Diagnostics::default());
        let state = imported.ok_or_else(|| {
            Diagnostic::error(
                "There is nothing to import",
                format!(
                    "No object of {} has {named}. Check the id, and that the credentials can see the object.",
                    self.type_name
                ),
            )
        })?;
        let identity = resource.identity(&state);
        let imported = tf::import_resource_state::ImportedResource {
            type_name: self.type_name,
            state: encoded(&state, resource.value_type()),
            private: outcome.private.encode().into(),
            identity: encoded_identity(identity.as_ref(), resource.identity_type()),
        };
        Ok(Self::Response {
            imported_resources: vec![imported],
            diagnostics: (&outcome.diagnostics).into(),
            ..Default::default()
        })
    }
}
