//! Invocations of actions.

use futures_util::StreamExt as _;

use super::{Driver, Failure, encode_config, inconsistency, require_success};
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::invoke_action::event::Type;
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::provider::Provider;
use crate::value::Value;

/// The result of an invocation.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The progress messages.
    pub progress: Vec<String>,
    /// The errors and warnings.
    pub diagnostics: Vec<tf::Diagnostic>,
}

impl<P: Provider> Driver<P> {
    /// Validates and plans an action and returns the warnings. Parts of the configuration may be unknown.
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
        let mut warnings = require_success(validated.into_inner().diagnostics)?;
        let request = tf::plan_action::Request {
            action_type: type_name.to_owned(),
            config,
            client_capabilities: Some(self.capabilities),
        };
        let planned = self
            .service
            .plan_action(tonic::Request::new(request))
            .await?;
        warnings.extend(require_success(planned.into_inner().diagnostics)?);
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
        let response = self.service.invoke_action(tonic::Request::new(request));
        let mut events = response.await?.into_inner();
        let mut progress = Vec::new();
        let mut completed = None;
        while let Some(event) = events.next().await {
            match (event?.r#type, &completed) {
                (Some(Type::Progress(event)), None) => progress.push(event.message),
                (Some(Type::Completed(event)), None) => completed = Some(event.diagnostics),
                _ => return Err(inconsistency("an event follows the completion")),
            }
        }
        let diagnostics =
            completed.ok_or_else(|| inconsistency("the stream ended without a completion"))?;
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
        encode_config(config, action.value_type())
    }
}
