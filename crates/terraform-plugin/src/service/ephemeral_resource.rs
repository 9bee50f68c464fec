//! `OpenEphemeralResource`, `RenewEphemeralResource`, `CloseEphemeralResource`.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::{decoded_known, encoded};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::ephemeral_resource::PrivateState;
use crate::interrupt::until_interrupted;
use crate::kind::Kind;
use crate::plan::{arguments, check_planned, keep_form};
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::schema::Schema;
use crate::value::Value;

impl<P: Provider> Rpc<P> for tf::open_ephemeral_resource::Request {
    type Response = tf::open_ephemeral_resource::Response;
    const NAME: &'static str = "OpenEphemeralResource";
    const KIND: Option<Kind> = Some(Kind::EphemeralResource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.ephemeral_resource(&self.type_name)?;
        let client = service.client_for(&self.type_name)?;
        let schema = resource.schema();
        let config = decoded_known(self.config.as_ref(), resource.value_type())?;
        let arguments = arguments(schema, &config);
        let opening = resource.open(&client, &arguments);
        let opened = until_interrupted("opening", &service.interrupted(), opening).await?;
        let data = keep_form(&schema.attributes, &config, &opened.data);
        if let Err(mut defects) = checked(schema, &config, &data) {
            // Terraform does not close what it was never told of.
            let closed = resource.close(&client, opened.lease.private).await;
            defects.extend(closed.err().unwrap_or_default());
            return Err(defects);
        }
        Ok(Self::Response {
            result: encoded(&data, resource.value_type()),
            private: Some(opened.lease.private.encode().into()),
            renew_at: opened.lease.renew_at.map(Into::into),
            ..Default::default()
        })
    }
}

/// Holds a result to the rules for plans, as Terraform does.
fn checked(schema: &Schema, config: &Value, data: &Value) -> Result<(), Diagnostics> {
    let faults = check_planned(schema, &Value::Null, config, data);
    if !faults.is_empty() {
        let defects = faults.iter().map(|fault| {
            Diagnostic::defect(format!(
                "The result differs from what was asked for: {fault}"
            ))
            .at(&fault.path)
        });
        return Err(defects.collect());
    }
    if !data.is_wholly_known() {
        return Err(Diagnostic::defect("The result has unknown values").into());
    }
    Ok(())
}

impl<P: Provider> Rpc<P> for tf::renew_ephemeral_resource::Request {
    type Response = tf::renew_ephemeral_resource::Response;
    const NAME: &'static str = "RenewEphemeralResource";
    const KIND: Option<Kind> = Some(Kind::EphemeralResource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    fn failure(&self) -> Self::Response {
        Self::Response {
            private: self.private.clone(),
            ..Default::default()
        }
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.ephemeral_resource(&self.type_name)?;
        let client = service.client_for(&self.type_name)?;
        let private = PrivateState::decode(&self.private.unwrap_or_default());
        let renewal = resource.renew(&client, private);
        let lease = until_interrupted("renewal", &service.interrupted(), renewal).await?;
        Ok(Self::Response {
            private: Some(lease.private.encode().into()),
            renew_at: lease.renew_at.map(Into::into),
            ..Default::default()
        })
    }
}

impl<P: Provider> Rpc<P> for tf::close_ephemeral_resource::Request {
    type Response = tf::close_ephemeral_resource::Response;
    const NAME: &'static str = "CloseEphemeralResource";
    const KIND: Option<Kind> = Some(Kind::EphemeralResource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    /// Closes in any case: an interrupt is all the more a reason to leave nothing open.
    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.ephemeral_resource(&self.type_name)?;
        let client = service.client_for(&self.type_name)?;
        let private = PrivateState::decode(&self.private.unwrap_or_default());
        resource.close(&client, private).await?;
        Ok(Self::Response::default())
    }
}
