//! `UpgradeResourceState`, `UpgradeResourceIdentity`, `MoveResourceState`: state as it lies in the state file.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::{encoded, encoded_identity};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::kind::Kind;
use crate::protocol::tfplugin6::{self as tf, RawState};
use crate::provider::Provider;
use crate::resource::StoredState;

fn json(state: Option<&RawState>) -> Result<&str, Diagnostics> {
    let state = state.ok_or_else(|| Diagnostic::defect("The request holds no state"))?;
    if !state.flatmap.is_empty() {
        return Err(Diagnostic::error(
            "The state was written by Terraform 0.11 or older",
            "This provider reads state of Terraform 0.12 and newer. Upgrade the state with Terraform 0.12 first.",
        )
        .into());
    }
    std::str::from_utf8(&state.json).map_err(|error| {
        Diagnostic::defect(format!("The stored state is not text: {error}")).into()
    })
}

impl<P: Provider> Rpc<P> for tf::upgrade_resource_state::Request {
    type Response = tf::upgrade_resource_state::Response;
    const NAME: &'static str = "UpgradeResourceState";
    const KIND: Option<Kind> = Some(Kind::Resource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let json = json(self.raw_state.as_ref())?;
        let state = resource.upgrade(&StoredState {
            version: self.version,
            json,
        })?;
        let upgraded_state = encoded(&state, resource.value_type());
        Ok(Self::Response {
            upgraded_state,
            ..Default::default()
        })
    }
}

impl<P: Provider> Rpc<P> for tf::upgrade_resource_identity::Request {
    type Response = tf::upgrade_resource_identity::Response;
    const NAME: &'static str = "UpgradeResourceIdentity";
    const KIND: Option<Kind> = Some(Kind::Resource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let stored = StoredState {
            version: self.version,
            json: json(self.raw_identity.as_ref())?,
        };
        let identity = stored
            .read(resource.identity_type())
            .map_err(Diagnostic::defect)?;
        let upgraded_identity = encoded_identity(Some(&identity), resource.identity_type());
        Ok(Self::Response {
            upgraded_identity,
            ..Default::default()
        })
    }
}

impl<P: Provider> Rpc<P> for tf::move_resource_state::Request {
    type Response = tf::move_resource_state::Response;
    const NAME: &'static str = "MoveResourceState";
    const KIND: Option<Kind> = Some(Kind::Resource);

    fn subject(&self) -> &str {
        &self.target_type_name
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.target_type_name)?;
        let json = json(self.source_state.as_ref())?;
        let stored = StoredState {
            version: self.source_schema_version,
            json,
        };
        let moved = resource.move_from(&self.source_type_name, &stored).ok_or_else(|| {
            Diagnostic::error(
                "The resource cannot be moved",
                format!(
                    "A {} does not become a {}. Remove the moved block and import the object instead.",
                    self.source_type_name, self.target_type_name
                ),
            )
        })??;
        let identity = resource.identity(&moved);
        Ok(Self::Response {
            target_state: encoded(&moved, resource.value_type()),
            target_identity: encoded_identity(identity.as_ref(), resource.identity_type()),
            ..Default::default()
        })
    }
}
