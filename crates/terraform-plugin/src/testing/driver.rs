//! A stand-in for Terraform core that drives a provider in process, holds it to core's rules, and needs milliseconds.

use crate::diagnostics::Diagnostics;
use crate::plan::{Inconsistency, check_applied, check_planned};
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::protocol::tfplugin6::{self as tf, diagnostic};
use crate::provider::Provider;
use crate::resource::ErasedResource;
use crate::service::ProviderService;
use crate::testing::core::proposed_new_state;
use crate::value::{CodecError, Path, Type, Value, decode, encode};

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
    /// The provider has no such resource.
    #[error("there is no resource type {0}")]
    NoSuchType(String),
}

fn summaries(diagnostics: &[tf::Diagnostic]) -> String {
    let texts: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| format!("{}: {}", diagnostic.summary, diagnostic.detail))
        .collect();
    texts.join("\n")
}

fn has_error(diagnostics: &[tf::Diagnostic]) -> bool {
    let error = i32::from(diagnostic::Severity::Error);
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == error)
}

fn accepted(diagnostics: Vec<tf::Diagnostic>) -> Result<Vec<tf::Diagnostic>, Failure> {
    if has_error(&diagnostics) {
        Err(Failure::Reported(diagnostics))
    } else {
        Ok(diagnostics)
    }
}

impl<P: Provider> Driver<P> {
    /// Validates the configuration of the provider and configures it.
    pub async fn configure(provider: P, config: Value) -> Result<Self, Failure> {
        let driver = Self {
            service: ProviderService::new(provider),
            capabilities: tf::ClientCapabilities {
                write_only_attributes_allowed: true,
                ..Default::default()
            },
        };
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
        let planned = value(answered.planned_state.as_ref(), kind)?;
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
        consistent(same(&first.planned, &change.planned))?;
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
        let result = value(answered.new_state.as_ref(), kind)?;
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
        let value = value(answered.new_state.as_ref(), kind)?;
        let identity = identity(answered.new_identity.as_ref(), resource.identity_type())?;
        let tainted = stored.tainted;
        Ok((!value.is_null()).then_some(Stored {
            value,
            private: answered.private,
            identity,
            tainted,
        }))
    }

    /// Imports an object by its id and reads it, as Terraform does.
    pub async fn import(&self, type_name: &str, id: &str) -> Result<Option<Stored>, Failure> {
        self.import_by(type_name, id, None).await
    }

    /// Imports an object by its identity and reads it.
    pub async fn import_identity(
        &self,
        type_name: &str,
        identity: &Value,
    ) -> Result<Option<Stored>, Failure> {
        self.import_by(type_name, "", Some(identity)).await
    }

    async fn import_by(
        &self,
        type_name: &str,
        id: &str,
        by: Option<&Value>,
    ) -> Result<Option<Stored>, Failure> {
        let resource = self.resource(type_name)?;
        let identity_type = resource.identity_type();
        let request = tf::import_resource_state::Request {
            type_name: type_name.to_owned(),
            id: id.to_owned(),
            client_capabilities: Some(self.capabilities),
            identity: by.map(|by| tf::ResourceIdentityData {
                identity_data: dynamic(by, identity_type),
            }),
        };
        let answered = self
            .service
            .import_resource_state(tonic::Request::new(request))
            .await?;
        let answered = answered.into_inner();
        accepted(answered.diagnostics)?;
        let Some(imported) = answered.imported_resources.first() else {
            return Ok(None);
        };
        let stored = Stored {
            value: value(imported.state.as_ref(), resource.value_type())?,
            private: imported.private.clone(),
            identity: identity(imported.identity.as_ref(), identity_type)?,
            tainted: false,
        };
        self.read(type_name, &stored).await
    }

    /// Hands stored JSON of a version to the provider and returns what it reads from it.
    pub async fn upgrade(
        &self,
        type_name: &str,
        version: i64,
        json: &str,
    ) -> Result<Value, Failure> {
        let request = tf::upgrade_resource_state::Request {
            type_name: type_name.to_owned(),
            version,
            raw_state: Some(tf::RawState {
                json: json.to_owned().into_bytes().into(),
                ..Default::default()
            }),
        };
        let answered = self
            .service
            .upgrade_resource_state(tonic::Request::new(request))
            .await?;
        let answered = answered.into_inner();
        accepted(answered.diagnostics)?;
        value(
            answered.upgraded_state.as_ref(),
            self.resource(type_name)?.value_type(),
        )
    }

    /// Reads a data source.
    pub async fn read_data_source(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Value, Failure> {
        let source = self.service.registry().data_sources.get(type_name);
        let source = source.ok_or_else(|| Failure::NoSuchType(type_name.to_owned()))?;
        let config = dynamic(config, source.value_type());
        let request = tf::validate_data_resource_config::Request {
            type_name: type_name.to_owned(),
            config: config.clone(),
        };
        let validated = self
            .service
            .validate_data_resource_config(tonic::Request::new(request))
            .await?;
        accepted(validated.into_inner().diagnostics)?;
        let request = tf::read_data_source::Request {
            type_name: type_name.to_owned(),
            config,
            client_capabilities: Some(self.capabilities),
            ..Default::default()
        };
        let answered = self
            .service
            .read_data_source(tonic::Request::new(request))
            .await?;
        let answered = answered.into_inner();
        accepted(answered.diagnostics)?;
        value(answered.state.as_ref(), source.value_type())
    }

    fn resource(&self, type_name: &str) -> Result<&dyn ErasedResource<P::Client>, Failure> {
        let resource = self.service.registry().resources.get(type_name);
        resource
            .map(Box::as_ref)
            .ok_or_else(|| Failure::NoSuchType(type_name.to_owned()))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "messages hold values as options")]
fn dynamic(value: &Value, kind: &Type) -> Option<tf::DynamicValue> {
    Some(tf::DynamicValue {
        msgpack: encode(value, kind).into(),
        ..Default::default()
    })
}

fn value(dynamic: Option<&tf::DynamicValue>, kind: &Type) -> Result<Value, Failure> {
    match dynamic {
        Some(dynamic) => Ok(decode(&dynamic.msgpack, kind)?),
        None => Ok(Value::Null),
    }
}

fn identity(
    identity: Option<&tf::ResourceIdentityData>,
    kind: &Type,
) -> Result<Option<Value>, Failure> {
    let data = identity.and_then(|identity| identity.identity_data.as_ref());
    data.map(|data| value(Some(data), kind)).transpose()
}

fn consistent(faults: Vec<Inconsistency>) -> Result<(), Failure> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::Inconsistent(faults))
    }
}

/// Terraform's rule for the second plan of the same change: what was known stays.
fn same(first: &Value, second: &Value) -> Vec<Inconsistency> {
    let reason = "the second plan differs from the first";
    if first == second {
        Vec::new()
    } else {
        vec![Inconsistency {
            path: Path::root(),
            reason,
        }]
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Reported((&diagnostics).into())
    }
}
