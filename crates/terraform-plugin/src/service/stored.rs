//! `UpgradeResourceState`, `UpgradeResourceIdentity`, `MoveResourceState`: the RPCs that receive stored state.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::{encode_identity, encode_value, require_known};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::kind::Kind;
use crate::protocol::tfplugin6::{self as tf, RawState};
use crate::provider::Provider;
use crate::resource::StoredState;

fn json(state: Option<&RawState>) -> Result<&str, Diagnostics> {
    let state = state.ok_or_else(|| Diagnostic::bug("The request has no state"))?;
    if !state.flatmap.is_empty() {
        return Err(Diagnostic::error(
            "The state was written by Terraform 0.11 or older",
            "This provider supports state of Terraform 0.12 and newer. Upgrade the state with Terraform 0.12 first.",
        )
        .into());
    }
    std::str::from_utf8(&state.json)
        .map_err(|error| Diagnostic::bug(format!("The stored state is not UTF-8: {error}")).into())
}

impl<P: Provider> Rpc<P> for tf::upgrade_resource_state::Request {
    type Response = tf::upgrade_resource_state::Response;
    const NAME: &'static str = "UpgradeResourceState";
    const KIND: Option<Kind> = Some(Kind::Resource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let json = json(self.raw_state.as_ref())?;
        let state = resource.upgrade(&StoredState {
            version: self.version,
            json,
        })?;
        require_known(&state, "The upgraded state")?;
        let upgraded_state = encode_value(&state, resource.value_type());
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

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let stored = StoredState {
            version: self.version,
            json: json(self.raw_identity.as_ref())?,
        };
        let identity = resource.upgrade_identity(&stored)?;
        let upgraded_identity = encode_identity(Some(&identity), resource.identity_type());
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

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.target_type_name)?;
        let json = json(self.source_state.as_ref())?;
        let stored = StoredState {
            version: self.source_schema_version,
            json,
        };
        let moved = resource.move_from(&self.source_type_name, &stored).ok_or_else(|| {
            Diagnostic::error(
                "Cannot move the resource",
                format!(
                    "The provider cannot convert a {} to a {}. Remove the moved block and import the object instead.",
                    self.source_type_name, self.target_type_name
                ),
            )
        })??;
        require_known(&moved, "The moved state")?;
        let identity = resource.identity(&moved);
        Ok(Self::Response {
            target_state: encode_value(&moved, resource.value_type()),
            target_identity: encode_identity(identity.as_ref(), resource.identity_type()),
            ..Default::default()
        })
    }
}
