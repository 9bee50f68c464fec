//! Invocations of actions.

use futures_util::StreamExt as _;

use super::{Driver, Failure, accepted, dynamic, inconsistent};
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::invoke_action::event::Type;
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::provider::Provider;
use crate::value::Value;

/// What an invocation left.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// What the user read meanwhile.
    pub progress: Vec<String>,
    /// What the user reads at the end, errors included.
    pub diagnostics: Vec<tf::Diagnostic>,
}

impl<P: Provider> Driver<P> {
    /// Validates and plans an action, and returns the warnings; parts of the configuration may be unknown.
    pub async fn plan_action(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Vec<tf::Diagnostic>, Failure> {
        let config = self.action_config(type_name, config)?;
        let request = tf::validate_action_config::Request {
            type_name: type_name.to_owned(),
            config: config.clone(),
        };
        let validated = self
            .service
            .validate_action_config(tonic::Request::new(request))
            .await?;
        let mut warnings = accepted(validated.into_inner().diagnostics)?;
        let request = tf::plan_action::Request {
            action_type: type_name.to_owned(),
            config,
            client_capabilities: Some(self.capabilities),
        };
        let planned = self
            .service
            .plan_action(tonic::Request::new(request))
            .await?;
        warnings.extend(accepted(planned.into_inner().diagnostics)?);
        Ok(warnings)
    }

    /// Plans and invokes an action.
    pub async fn invoke(&self, type_name: &str, config: &Value) -> Result<Invoked, Failure> {
        self.plan_action(type_name, config).await?;
        let request = tf::invoke_action::Request {
            action_type: type_name.to_owned(),
            config: self.action_config(type_name, config)?,
            client_capabilities: Some(self.capabilities),
        };
        let answered = self.service.invoke_action(tonic::Request::new(request));
        let mut events = answered.await?.into_inner();
        let mut progress = Vec::new();
        let mut completed = None;
        while let Some(event) = events.next().await {
            match (event?.r#type, &completed) {
                (Some(Type::Progress(event)), None) => progress.push(event.message),
                (Some(Type::Completed(event)), None) => completed = Some(event.diagnostics),
                _ => return Err(inconsistent("completion is not the last event")),
            }
        }
        let diagnostics =
            completed.ok_or_else(|| inconsistent("the invocation ended without completion"))?;
        Ok(Invoked {
            progress,
            diagnostics,
        })
    }

    fn action_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Option<tf::DynamicValue>, Failure> {
        let action = self.service.registry().actions.get(type_name);
        let action = action.ok_or_else(|| Failure::NoSuchType(type_name.to_owned()))?;
        Ok(dynamic(config, action.value_type()))
    }
}
