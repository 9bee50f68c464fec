//! Drives a provider in process like Terraform core, and checks core's rules, without Terraform and in milliseconds.

mod action;
mod data_source;
mod ephemeral_resource;
mod failure;
mod function;
mod list_resource;
mod stored;
mod wire;

use std::sync::{Mutex, PoisonError};

pub use action::Invoked;
pub use ephemeral_resource::OpenResource;
pub use failure::Failure;
pub use list_resource::{FoundObject, Search};
use wire::{
    decode_identity, decode_value, encode_config, encode_identity, encode_value, has_error,
    inconsistency, require_consistent, require_known, require_paths, require_same_identity,
    require_success,
};

use crate::plan::{check_applied, check_planned, check_replanned, check_stored};
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::provider::Provider;
use crate::resource::ErasedResource;
use crate::service::ProviderService;
use crate::testing::core::proposed_new_state;
use crate::value::Value;

/// A provider, driven like Terraform does.
pub struct Driver<P: Provider> {
    service: ProviderService<P>,
    capabilities: tf::ClientCapabilities,
    warnings: Mutex<Vec<tf::Diagnostic>>,
}

/// An object in the state.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The attributes.
    pub value: Value,
    /// The provider's private state.
    pub private: prost::bytes::Bytes,
    /// The identity, if the resource has one.
    pub identity: Option<Value>,
    /// Whether a failed creation tainted the object, so that the next apply replaces it.
    pub tainted: bool,
}

/// The plan of one object.
#[derive(Debug, Clone)]
pub struct Change {
    /// The planned attributes, or null for a deletion.
    pub planned: Value,
    /// Whether the object is replaced.
    pub replaces: bool,
    /// Whether the plan changes nothing.
    pub is_empty: bool,
    /// The warnings.
    pub diagnostics: Vec<tf::Diagnostic>,
    private: prost::bytes::Bytes,
    identity: Option<tf::ResourceIdentityData>,
}

/// The result of an apply.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The stored object, or `None` if nothing is stored.
    pub stored: Option<Stored>,
    /// The errors and warnings.
    pub diagnostics: Vec<tf::Diagnostic>,
}

impl<P: Provider> Driver<P> {
    /// The version of Terraform that the driver tells the provider.
    pub const TERRAFORM_VERSION: &'static str = "1.14.0";

    /// Returns a provider without configuration, which can describe its schemas and call its functions.
    pub fn unconfigured(provider: P) -> Self {
        Self {
            service: ProviderService::new(provider),
            capabilities: tf::ClientCapabilities {
                write_only_attributes_allowed: true,
                ..Default::default()
            },
            warnings: Mutex::default(),
        }
    }

    /// Validates the provider's configuration and configures it.
    pub async fn configure(provider: P, config: Value) -> Result<Self, Failure> {
        let driver = Self::unconfigured(provider);
        let kind = driver.service.schema().value_type();
        let request = tf::validate_provider_config::Request {
            config: encode_config(&config, &kind)?,
        };
        let validated = driver
            .service
            .validate_provider_config(tonic::Request::new(request));
        driver.accept(validated.await?.into_inner().diagnostics)?;
        driver.reconfigure(&config).await?;
        Ok(driver)
    }

    /// Configures the provider again, as a new run does.
    pub async fn reconfigure(&self, config: &Value) -> Result<(), Failure> {
        let request = tf::configure_provider::Request {
            config: encode_config(config, &self.service.schema().value_type())?,
            client_capabilities: Some(self.capabilities),
            terraform_version: Self::TERRAFORM_VERSION.to_owned(),
        };
        let configured = self
            .service
            .configure_provider(tonic::Request::new(request))
            .await?;
        self.accept(configured.into_inner().diagnostics)
    }

    /// Sets whether the client supports write-only attributes.
    pub fn allow_write_only(&mut self, allowed: bool) {
        self.capabilities.write_only_attributes_allowed = allowed;
    }

    /// Interrupts the operations in flight.
    pub async fn stop(&self) -> Result<(), Failure> {
        self.service
            .stop_provider(tonic::Request::new(tf::stop_provider::Request {}))
            .await?;
        Ok(())
    }

    /// Returns the service.
    pub fn service(&self) -> &ProviderService<P> {
        &self.service
    }

    /// Validates the configuration of an object and returns the diagnostics, errors included.
    pub async fn validate(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Vec<tf::Diagnostic>, Failure> {
        let request = tf::validate_resource_config::Request {
            type_name: type_name.to_owned(),
            config: encode_config(config, self.resource(type_name)?.value_type())?,
            client_capabilities: Some(self.capabilities),
        };
        let validated = self
            .service
            .validate_resource_config(tonic::Request::new(request))
            .await?;
        Ok(validated.into_inner().diagnostics)
    }

    /// Plans an object. A null `config` deletes it; without `prior` it is created.
    pub async fn plan(
        &self,
        type_name: &str,
        config: &Value,
        prior: Option<&Stored>,
    ) -> Result<Change, Failure> {
        self.plan_change(type_name, config, prior, false).await
    }

    /// Plans the replacement of an object, as the option `-replace` does.
    pub async fn plan_replacement(
        &self,
        type_name: &str,
        config: &Value,
        prior: &Stored,
    ) -> Result<Change, Failure> {
        self.plan_change(type_name, config, Some(prior), true).await
    }

    async fn plan_change(
        &self,
        type_name: &str,
        config: &Value,
        prior: Option<&Stored>,
        is_forced: bool,
    ) -> Result<Change, Failure> {
        if !config.is_null() {
            require_success(self.validate(type_name, config).await?)?;
        }
        let tainted = prior.is_some_and(|prior| prior.tainted) && !config.is_null();
        let private = prior.map(|prior| prior.private.clone()).unwrap_or_default();
        let (first, replace) = self.plan_once(type_name, config, prior, private).await?;
        if (replace || tainted || is_forced) && prior.is_some() {
            // Terraform plans again as for a creation, with the private state of the first response.
            let private = (!tainted).then(|| first.private.clone());
            let (second, _) = self
                .plan_once(type_name, config, None, private.unwrap_or_default())
                .await?;
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
        prior_private: prost::bytes::Bytes,
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
            prior_state: encode_value(prior_value, kind),
            proposed_new_state: encode_value(&proposed, kind),
            config: encode_value(config, kind),
            prior_private,
            prior_identity: encode_identity(
                prior.and_then(|prior| prior.identity.as_ref()),
                resource.identity_type(),
            ),
            client_capabilities: Some(self.capabilities),
            ..Default::default()
        };
        let response = self
            .service
            .plan_resource_change(tonic::Request::new(request))
            .await?;
        let response = response.into_inner();
        let diagnostics = require_success(response.diagnostics)?;
        let planned = decode_value(response.planned_state.as_ref(), kind)?;
        require_consistent(check_planned(
            resource.schema(),
            prior_value,
            config,
            &planned,
        ))?;
        let replaces = !response.requires_replace.is_empty();
        require_paths(&response.requires_replace, prior_value, &planned)?;
        let change = Change {
            is_empty: planned == *prior_value,
            planned,
            replaces,
            diagnostics,
            private: response.planned_private,
            identity: response.planned_identity,
        };
        Ok((change, replaces))
    }

    /// Plans and applies an object as Terraform does, including the second plan before the apply.
    ///
    /// An error of the apply is part of the result, together with the state that Terraform would store.
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
        let mut diagnostics = first.diagnostics.clone();
        let mut prior = prior;
        if first.replaces {
            let deletion = Change {
                planned: Value::Null,
                ..first.clone()
            };
            let deleted = self
                .apply_change(type_name, &Value::Null, prior, &deletion)
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
        // After a deletion, Terraform plans the creation without the private state of the deleted object.
        let change = self.plan(type_name, config, prior).await?;
        // Values known in the first plan must stay the same in the second.
        require_consistent(check_replanned(&first.planned, &change.planned))?;
        if first.planned != change.planned {
            return Err(inconsistency("the second plan differs from the first"));
        }
        let applied = self.apply_change(type_name, config, prior, &change).await?;
        diagnostics.extend(applied.diagnostics);
        Ok(Applied {
            stored: applied.stored,
            diagnostics,
        })
    }

    async fn apply_change(
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
            prior_state: encode_value(prior.map_or(&none, |prior| &prior.value), kind),
            planned_state: encode_value(&change.planned, kind),
            config: encode_value(config, kind),
            planned_private: change.private.clone(),
            planned_identity: change.identity.clone(),
            ..Default::default()
        };
        let response = self
            .service
            .apply_resource_change(tonic::Request::new(request))
            .await?;
        let response = response.into_inner();
        let failed = has_error(&response.diagnostics);
        let result = decode_value(response.new_state.as_ref(), kind)?;
        if failed {
            require_consistent(check_stored(resource.schema(), &result))?;
        } else {
            require_consistent(check_applied(resource.schema(), &change.planned, &result))?;
        }
        let stored = Stored {
            value: result,
            private: response.private,
            identity: decode_identity(response.new_identity.as_ref(), resource.identity_type())?,
            tainted: failed && prior.is_none(),
        };
        if let (false, Some(prior)) = (failed || stored.value.is_null(), prior) {
            let (before, after) = (prior.identity.as_ref(), stored.identity.as_ref());
            require_same_identity(resource.identity_may_change(), before, after)?;
        }
        // With an error, a missing object means that the prior one is kept.
        let stored = match (stored.value.is_null(), failed) {
            (false, _) => Some(stored),
            (true, true) => prior.cloned(),
            (true, false) => None,
        };
        Ok(Applied {
            stored,
            diagnostics: response.diagnostics,
        })
    }

    /// Reads an object. Returns `None` if it does not exist.
    pub async fn read(&self, type_name: &str, stored: &Stored) -> Result<Option<Stored>, Failure> {
        let resource = self.resource(type_name)?;
        let kind = resource.value_type();
        let request = tf::read_resource::Request {
            type_name: type_name.to_owned(),
            current_state: encode_value(&stored.value, kind),
            private: stored.private.clone(),
            client_capabilities: Some(self.capabilities),
            current_identity: encode_identity(stored.identity.as_ref(), resource.identity_type()),
            ..Default::default()
        };
        let response = self
            .service
            .read_resource(tonic::Request::new(request))
            .await?;
        let response = response.into_inner();
        self.accept(response.diagnostics)?;
        let value = decode_value(response.new_state.as_ref(), kind)?;
        require_consistent(check_stored(resource.schema(), &value))?;
        let identity = decode_identity(response.new_identity.as_ref(), resource.identity_type())?;
        let may_change = resource.identity_may_change();
        require_same_identity(may_change, stored.identity.as_ref(), identity.as_ref())?;
        let tainted = stored.tainted;
        Ok((!value.is_null()).then_some(Stored {
            value,
            private: response.private,
            identity,
            tainted,
        }))
    }

    /// Removes and returns the warnings of the steps so far whose results have no place for them.
    pub fn take_warnings(&self) -> Vec<tf::Diagnostic> {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut warnings)
    }

    /// Keeps the warnings of a response without errors.
    fn accept(&self, diagnostics: Vec<tf::Diagnostic>) -> Result<(), Failure> {
        let warnings = require_success(diagnostics)?;
        let mut kept = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(warnings);
        Ok(())
    }

    fn resource(&self, type_name: &str) -> Result<&dyn ErasedResource<P::Client>, Failure> {
        let resource = self.service.registry().resources.get(type_name);
        resource
            .map(Box::as_ref)
            .ok_or_else(|| Failure::NoSuchType(type_name.to_owned()))
    }
}
