//! `PlanAction` and `InvokeAction`.

use std::sync::Arc;

use super::ProviderService;
use super::events::{Event, Events};
use super::rpc::Rpc;
use super::wire::{decode_known_config, decode_value};
use crate::action::Invocation;
use crate::diagnostics::{Diagnostics, Warnings};
use crate::kind::Kind;
use crate::plan::resolve_arguments;
use crate::protocol::tfplugin6::invoke_action::event::{Completed, Progress, Type};
use crate::protocol::tfplugin6::{self as tf, invoke_action};
use crate::provider::Provider;
use crate::run::until_interrupted;

impl<P: Provider> Rpc<P> for tf::plan_action::Request {
    type Response = tf::plan_action::Response;
    const NAME: &'static str = "PlanAction";
    const KIND: Option<Kind> = Some(Kind::Action);

    fn subject(&self) -> &str {
        &self.action_type
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let action = service.action(&self.action_type)?;
        let config = decode_value(self.config.as_ref(), action.value_type())?;
        let config = resolve_arguments(action.schema(), &config);
        let client = service.client();
        let mut warnings = Warnings::default();
        let planning = action.plan(client.as_ref(), &config, &mut warnings);
        match until_interrupted("plan", &service.interrupted(), planning).await {
            Ok(()) => Ok(Self::Response {
                diagnostics: (&Diagnostics::from(warnings)).into(),
                ..Default::default()
            }),
            Err(errors) => Err(warnings.with(errors)),
        }
    }
}

impl<P: Provider> Rpc<P> for invoke_action::Request {
    type Response = Events<invoke_action::Event>;
    const NAME: &'static str = "InvokeAction";
    const KIND: Option<Kind> = Some(Kind::Action);

    fn subject(&self) -> &str {
        &self.action_type
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let action = Arc::clone(service.action(&self.action_type)?);
        let client = service.require_client(&self.action_type)?;
        let schema = action.schema();
        let config = decode_known_config(self.config.as_ref(), schema, action.value_type())?;
        let config = resolve_arguments(schema, &config);
        let interrupted = service.interrupted();
        let invocation = |progress| async move {
            let mut invocation = Invocation::new(client, interrupted.clone(), progress);
            let invoked = action.invoke(&mut invocation, &config);
            let invoked = until_interrupted("action", &interrupted, invoked).await;
            let mut diagnostics = invocation.into_warnings();
            diagnostics.extend(invoked.err().unwrap_or_default());
            Ok(diagnostics)
        };
        let name = <Self as Rpc<P>>::NAME;
        Ok(Events::detached(name, invocation, progress))
    }
}

fn progress(message: String) -> invoke_action::Event {
    invoke_action::Event {
        r#type: Some(Type::Progress(Progress { message })),
    }
}

impl Event for invoke_action::Event {
    /// Returns the event that carries the diagnostics. Terraform ignores those of a stream without it.
    fn completion(diagnostics: &Diagnostics) -> Option<Self> {
        let diagnostics = diagnostics.into();
        Some(Self {
            r#type: Some(Type::Completed(Completed { diagnostics })),
        })
    }
}
