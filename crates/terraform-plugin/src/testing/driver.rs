//! A stand-in for Terraform core that drives a provider in process, holds it to core's rules, and needs milliseconds.

mod action;
mod data_source;
mod ephemeral_resource;
mod function;
mod list_resource;
mod stored;
mod wire;

pub use action::Invoked;
pub use ephemeral_resource::OpenResource;
pub use list_resource::{FoundObject, Search};
use wire::{accepted, consistent, decoded, dynamic, has_error, identity, inconsistent};

use crate::diagnostics::Diagnostics;
use crate::plan::{Inconsistency, check_applied, check_planned};
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::provider::Provider;
use crate::resource::ErasedResource;
use crate::service::ProviderService;
use crate::testing::core::proposed_new_state;
use crate::value::{CodecError, Value};

/// A configured provider and the part of Terraform around it.
pub struct Driver<P: Provider> {
    service: ProviderService<P>,
    capabilities: tf::ClientCapabilities,
}

/// One object as the state file holds it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The attributes.
    pub value: Value,
    /// The provider's private state.
    pub private: prost::bytes::Bytes,
    /// The identity, if the resource has one.
    pub identity: Option<Value>,
    /// Whether a failed creation left the object to be replaced.
    pub tainted: bool,
}

/// What a plan decided about one object.
#[derive(Debug, Clone)]
pub struct Change {
    /// The planned attributes; null for a deletion.
    pub planned: Value,
    /// Whether the object is deleted and created again.
    pub replaces: bool,
    /// Whether anything changes at all.
    pub is_empty: bool,
    /// What the user reads besides.
    pub diagnostics: Vec<tf::Diagnostic>,
    private: prost::bytes::Bytes,
}

/// What an apply left.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The object; `None` when there is none.
    pub stored: Option<Stored>,
    /// What the user reads.
    pub diagnostics: Vec<tf::Diagnostic>,
}

/// Why a step did not go through.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The provider reported errors.
    #[error("{}", summaries(.0))]
    Reported(Vec<tf::Diagnostic>),
    /// The provider broke a rule of Terraform.
    #[error("the provider broke Terraform's rules: {0:?}")]
    Inconsistent(Vec<Inconsistency>),
    /// The provider answered with something undecodable.
    #[error("an answer cannot be decoded")]
    Undecodable(#[from] CodecError),
    /// The RPC itself failed.
    #[error("the call failed")]
    Call(#[from] tonic::Status),
    /// A function has no result.
    #[error("{text}")]
    Function {
        /// Why.
        text: String,
        /// The position of the argument at fault, counted from zero.
        argument: Option<i64>,
    },
    /// The provider has nothing of the kind by this name.
    #[error("the provider has no {0}")]
    NoSuchType(String),
}

fn summaries(diagnostics: &[tf::Diagnostic]) -> String {
    let texts: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| format!("{}: {}", diagnostic.summary, diagnostic.detail))
        .collect();
    texts.join("\n")
}

impl<P: Provider> Driver<P> {
    /// Starts a provider, as Terraform does to read its schemas and to call its functions.
    pub fn unconfigured(provider: P) -> Self {
        Self {
            service: ProviderService::new(provider),
            capabilities: tf::ClientCapabilities {
                write_only_attributes_allowed: true,
                ..Default::default()
            },
        }
    }

    /// Validates the configuration of the provider and configures it.
    pub async fn configure(provider: P, config: Value) -> Result<Self, Failure> {
        let driver = Self::unconfigured(provider);
        let kind = driver.service.schema().value_type();
        let request = tf::validate_provider_config::Request {
            config: dynamic(&config, &kind),
        };
        let validated = driver
            .service
            .validate_provider_config(tonic::Request::new(request));
        accepted(validated.await?.into_inner().diagnostics)?;
        driver.reconfigure(&config).await?;
        Ok(driver)
    }

    /// Configures the provider again, as a new run does.
    pub async fn reconfigure(&self, config: &Value) -> Result<(), Failure> {
        let request = tf::configure_provider::Request {
            config: dynamic(config, &self.service.schema().value_type()),
            client_capabilities: Some(self.capabilities),
            ..Default::default()
        };
        let configured = self
            .service
            .configure_provider(tonic::Request::new(request))
            .await?;
        accepted(configured.into_inner().diagnostics).map(drop)
    }

    /// Behaves as a command line that stores write-only values, or not.
    pub fn allow_write_only(&mut self, allowed: bool) {
        self.capabilities.write_only_attributes_allowed = allowed;
    }

    /// Interrupts what is in flight.
    pub async fn stop(&self) -> Result<(), Failure> {
        self.service
            .stop_provider(tonic::Request::new(tf::stop_provider::Request {}))
            .await?;
        Ok(())
    }

    /// The service itself.
    pub fn service(&self) -> &ProviderService<P> {
        &self.service
    }

    /// Validates the configuration of an object and returns the messages, errors included.
    pub async fn validate(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Vec<tf::Diagnostic>, Failure> {
        let request = tf::validate_resource_config::Request {
            type_name: type_name.to_owned(),
            config: dynamic(config, self.resource(type_name)?.value_type()),
            client_capabilities: Some(self.capabilities),
        };
        let validated = self
            .service
            .validate_resource_config(tonic::Request::new(request))
            .await?;
        Ok(validated.into_inner().diagnostics)
    }

    /// Plans an object: `config` null deletes it, no `prior` creates it.
    pub async fn plan(
        &self,
        type_name: &str,
        config: &Value,
        prior: Option<&Stored>,
    ) -> Result<Change, Failure> {
        if !config.is_null() {
            accepted(self.validate(type_name, config).await?)?;
        }
        let tainted = prior.is_some_and(|prior| prior.tainted) && !config.is_null();
        let (first, replace) = self.plan_once(type_name, config, prior).await?;
        if (replace || tainted) && prior.is_some() {
            // Terraform asks again as for a creation, with the private state of the first answer.
            let (second, _) = self.plan_once(type_name, config, None).await?;
            return Ok(Change {
                replaces: true,
                is_empty: false,
                ..second
            });
        }
        Ok(first)
    }

    async fn plan_once(
        &self,
        type_name: &str,
        config: &Value,
        prior: Option<&Stored>,
    ) -> Result<(Change, bool), Failure> {
        let resource = self.resource(type_name)?;
        let kind = resource.value_type();
        let none = Value::Null;
        let prior_value = prior.map_or(&none, |prior| &prior.value);
        let proposed = if config.is_null() {
            Value::Null
        } else {
            proposed_new_state(resource.schema(), prior_value, config)
        };
        let request = tf::plan_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: dynamic(prior_value, kind),
            proposed_new_state: dynamic(&proposed, kind),
            config: dynamic(config, kind),
            prior_private: prior.map(|prior| prior.private.clone()).unwrap_or_default(),
            client_capabilities: Some(self.capabilities),
            ..Default::default()
        };
        let answered = self
            .service
            .plan_resource_change(tonic::Request::new(request))
            .await?;
        let answered = answered.into_inner();
        let diagnostics = accepted(answered.diagnostics)?;
        let planned = decoded(answered.planned_state.as_ref(), kind)?;
        consistent(check_planned(
            resource.schema(),
            prior_value,
            config,
            &planned,
        ))?;
        let replaces = !answered.requires_replace.is_empty();
        let change = Change {
            is_empty: planned == *prior_value,
            planned,
            replaces,
            diagnostics,
            private: answered.planned_private,
        };
        Ok((change, replaces))
    }

    /// Plans and applies an object as Terraform does, the plan a second time before the apply.
    ///
    /// An error of the provider is in the result, beside what Terraform would store then.
    pub async fn apply(
        &self,
        type_name: &str,
        config: &Value,
        prior: Option<&Stored>,
    ) -> Result<Applied, Failure> {
        let first = self.plan(type_name, config, prior).await?;
        if first.is_empty {
            return Ok(Applied {
                stored: prior.cloned(),
                diagnostics: first.diagnostics,
            });
        }
        let change = self.plan(type_name, config, prior).await?;
        // What was known in the first plan stays in the second.
        if first.planned != change.planned {
            return Err(inconsistent("the second plan differs from the first"));
        }
        let mut diagnostics = change.diagnostics.clone();
        let mut prior = prior.cloned();
        if change.replaces {
            let deletion = Change {
                planned: Value::Null,
                ..change.clone()
            };
            let deleted = self
                .carry_out(type_name, &Value::Null, prior.as_ref(), &deletion)
                .await?;
            let failed = has_error(&deleted.diagnostics);
            diagnostics.extend(deleted.diagnostics);
            if failed {
                return Ok(Applied {
                    stored: deleted.stored,
                    diagnostics,
                });
            }
            prior = None;
        }
        let applied = self
            .carry_out(type_name, config, prior.as_ref(), &change)
            .await?;
        diagnostics.extend(applied.diagnostics);
        Ok(Applied {
            stored: applied.stored,
            diagnostics,
        })
    }

    async fn carry_out(
        &self,
        type_name: &str,
        config: &Value,
        prior: Option<&Stored>,
        change: &Change,
    ) -> Result<Applied, Failure> {
        let resource = self.resource(type_name)?;
        let kind = resource.value_type();
        let none = Value::Null;
        let request = tf::apply_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: dynamic(prior.map_or(&none, |prior| &prior.value), kind),
            planned_state: dynamic(&change.planned, kind),
            config: dynamic(config, kind),
            planned_private: change.private.clone(),
            ..Default::default()
        };
        let answered = self
            .service
            .apply_resource_change(tonic::Request::new(request))
            .await?;
        let answered = answered.into_inner();
        let failed = has_error(&answered.diagnostics);
        let result = decoded(answered.new_state.as_ref(), kind)?;
        if !failed {
            consistent(check_applied(resource.schema(), &change.planned, &result))?;
        }
        let stored = Stored {
            value: result,
            private: answered.private,
            identity: identity(answered.new_identity.as_ref(), resource.identity_type())?,
            tainted: failed && prior.is_none(),
        };
        // With an error, an absent object means that the prior one is kept.
        let stored = match (stored.value.is_null(), failed) {
            (false, _) => Some(stored),
            (true, true) => prior.cloned(),
            (true, false) => None,
        };
        Ok(Applied {
            stored,
            diagnostics: answered.diagnostics,
        })
    }

    /// Reads an object; `None` when it is gone.
    pub async fn read(&self, type_name: &str, stored: &Stored) -> Result<Option<Stored>, Failure> {
        let resource = self.resource(type_name)?;
        let kind = resource.value_type();
        let request = tf::read_resource::Request {
            type_name: type_name.to_owned(),
            current_state: dynamic(&stored.value, kind),
            private: stored.private.clone(),
            client_capabilities: Some(self.capabilities),
            ..Default::default()
        };
        let answered = self
            .service
            .read_resource(tonic::Request::new(request))
            .await?;
        let answered = answered.into_inner();
        accepted(answered.diagnostics)?;
        let value = decoded(answered.new_state.as_ref(), kind)?;
        let identity = identity(answered.new_identity.as_ref(), resource.identity_type())?;
        let tainted = stored.tainted;
        Ok((!value.is_null()).then_some(Stored {
            value,
            private: answered.private,
            identity,
            tainted,
        }))
    }

    fn resource(&self, type_name: &str) -> Result<&dyn ErasedResource<P::Client>, Failure> {
        let resource = self.service.registry().resources.get(type_name);
        resource
            .map(Box::as_ref)
            .ok_or_else(|| Failure::NoSuchType(type_name.to_owned()))
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Reported((&diagnostics).into())
    }
}
