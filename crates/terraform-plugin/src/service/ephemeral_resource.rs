//! `OpenEphemeralResource`, `RenewEphemeralResource`, `CloseEphemeralResource`.

use super::ProviderService;
use super::rpc::Rpc;
use super::wire::{decode_known_config, encode_value, require_known};
use crate::context::Context;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::ephemeral_resource::PrivateState;
use crate::kind::Kind;
use crate::plan::{check_planned, keep_equivalent, resolve_arguments};
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::run::{guarded, until_interrupted};
use crate::schema::Schema;
use crate::value::Value;

impl<P: Provider> Rpc<P> for tf::open_ephemeral_resource::Request {
    type Response = tf::open_ephemeral_resource::Response;
    const NAME: &'static str = "OpenEphemeralResource";
    const KIND: Option<Kind> = Some(Kind::EphemeralResource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.ephemeral_resource(&self.type_name)?;
        let client = service.require_client(&self.type_name)?;
        let schema = resource.schema();
        let config = decode_known_config(self.config.as_ref(), schema, resource.value_type())?;
        let arguments = resolve_arguments(schema, &config);
        let interrupted = service.interrupted();
        let mut context = Context::new(client, interrupted.clone());
        let opening = resource.open(&mut context, &arguments);
        let opened = match until_interrupted("opening", &interrupted, opening).await {
            Ok(opened) => opened,
            Err(errors) => return Err(context.into_failure(errors)),
        };
        let data = keep_equivalent(&schema.attributes, &config, &opened.data);
        if let Err(mut bugs) = check_result(schema, &config, &data) {
            // Terraform closes only what it received.
            let closing = resource.close(&mut context, opened.lease.private);
            bugs.extend(
                guarded("The closing", closing)
                    .await
                    .err()
                    .unwrap_or_default(),
            );
            return Err(context.into_failure(bugs));
        }
        Ok(Self::Response {
            result: encode_value(&data, resource.value_type()),
            private: Some(opened.lease.private.encode().into()),
            renew_at: opened.lease.renew_at.map(Into::into),
            diagnostics: (&context.into_warnings()).into(),
            ..Default::default()
        })
    }
}

/// Checks a result against the rules for plans, as Terraform does.
fn check_result(schema: &Schema, config: &Value, data: &Value) -> Result<(), Diagnostics> {
    let faults = check_planned(schema, &Value::Null, config, data);
    if !faults.is_empty() {
        let bugs = faults.iter().map(|fault| {
            Diagnostic::bug(format!(
                "The result does not match the configuration: {fault}"
            ))
            .at(&fault.path)
        });
        return Err(bugs.collect());
    }
    require_known(data, "The result")
}

impl<P: Provider> Rpc<P> for tf::renew_ephemeral_resource::Request {
    type Response = tf::renew_ephemeral_resource::Response;
    const NAME: &'static str = "RenewEphemeralResource";
    const KIND: Option<Kind> = Some(Kind::EphemeralResource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    fn failure_response(&self) -> Self::Response {
        Self::Response {
            private: self.private.clone(),
            ..Default::default()
        }
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.ephemeral_resource(&self.type_name)?;
        let client = service.require_client(&self.type_name)?;
        let private = PrivateState::decode(&self.private.unwrap_or_default());
        let interrupted = service.interrupted();
        let mut context = Context::new(client, interrupted.clone());
        let renewal = resource.renew(&mut context, private);
        match until_interrupted("renewal", &interrupted, renewal).await {
            Ok(lease) => Ok(Self::Response {
                private: Some(lease.private.encode().into()),
                renew_at: lease.renew_at.map(Into::into),
                diagnostics: (&context.into_warnings()).into(),
            }),
            Err(errors) => Err(context.into_failure(errors)),
        }
    }
}

impl<P: Provider> Rpc<P> for tf::close_ephemeral_resource::Request {
    type Response = tf::close_ephemeral_resource::Response;
    const NAME: &'static str = "CloseEphemeralResource";
    const KIND: Option<Kind> = Some(Kind::EphemeralResource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    /// Closes also after an interrupt, so that nothing stays open.
    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.ephemeral_resource(&self.type_name)?;
        let client = service.require_client(&self.type_name)?;
        let private = PrivateState::decode(&self.private.unwrap_or_default());
        let mut context = Context::new(client, service.interrupted());
        let closing = resource.close(&mut context, private);
        match guarded("The closing", closing).await {
            Ok(()) => Ok(Self::Response {
                diagnostics: (&context.into_warnings()).into(),
            }),
            Err(errors) => Err(context.into_failure(errors)),
        }
    }
}
