//! One provider process, as core sees it: the RPCs, and core's checks of their responses.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use terraform_plugin::plan::{check_applied, check_planned, check_stored};
use terraform_plugin::protocol::tfplugin6::attribute_path::step::Selector;
use terraform_plugin::protocol::tfplugin6::provider_server::Provider as _;
use terraform_plugin::protocol::tfplugin6::{self as tf, diagnostic};
use terraform_plugin::schema::Schema;
use terraform_plugin::service::ProviderService;
use terraform_plugin::testing::core::proposed_new_state;
use terraform_plugin::value::{Type, Value, decode, encode, from_json};
use terraform_provider_nautes::provider::Nautes;
use tonic::Request;

use super::state::Stored;
use crate::configuration::{Address, Kind};

/// Why a request failed: a message for each error.
pub(crate) type Errors = Vec<String>;

/// The requests of a run in order, with what came of them.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// A configured provider.
pub(crate) struct Session {
    service: ProviderService<Nautes>,
    log: Log,
}

/// A response to a plan request.
#[derive(Debug, Clone)]
pub(crate) struct Proposal {
    pub(crate) planned: Value,
    pub(crate) private: Bytes,
    pub(crate) identity: Option<tf::ResourceIdentityData>,
    /// Whether an attribute changes that requires a replacement.
    pub(crate) requires_replacement: bool,
}

/// A provider that only tells its schemas.
static SCHEMAS: LazyLock<ProviderService<Nautes>> = LazyLock::new(|| ProviderService::new(Nautes));

fn schema(kind: Kind) -> Schema {
    let mut schemas = SCHEMAS.registry().resource_schemas();
    let found = schemas.find(|(name, _)| *name == kind.type_name());
    found.map(|(_, schema)| schema.clone()).unwrap_or_default()
}

/// Returns the type of a kind's objects.
pub(crate) fn value_type(kind: Kind) -> Type {
    schema(kind).value_type()
}

/// Returns the names of a kind's attributes.
pub(crate) fn attributes(kind: Kind) -> BTreeSet<String> {
    schema(kind).attributes.keys().cloned().collect()
}

impl Session {
    /// Starts a provider and configures it.
    pub(crate) async fn start(configuration: &serde_json::Value, log: Log) -> Result<Self, Errors> {
        let service = ProviderService::new(Nautes);
        let kind = service.schema().value_type();
        let value = from_json(&configuration.to_string(), &kind)
            .map_err(|error| vec![error.to_string()])?;
        let request = tf::configure_provider::Request {
            config: encode_value(&value, &kind),
            client_capabilities: Some(CAPABILITIES),
            ..Default::default()
        };
        let configured = service.configure_provider(Request::new(request)).await;
        let session = Self { service, log };
        let response = configured.map_err(status)?.into_inner();
        session.note("configure", &response.diagnostics, "");
        refuse_errors(&response.diagnostics)?;
        Ok(session)
    }

    /// Interrupts what is in flight.
    pub(crate) async fn stop(&self) {
        let request = Request::new(tf::stop_provider::Request {});
        let _ = self.service.stop_provider(request).await;
        self.note("stop", &[], "");
    }

    fn note(&self, request: &str, diagnostics: &[tf::Diagnostic], outcome: &str) {
        let mut line = format!("{request} {outcome}");
        for diagnostic in diagnostics {
            let _ = write!(line, "; {}", text(diagnostic));
        }
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(line);
    }

    /// Reads an object; `None` if it is gone.
    pub(crate) async fn read(
        &self,
        address: Address,
        stored: &Stored,
    ) -> Result<Option<Stored>, Errors> {
        let schema = schema(address.kind);
        let kind = schema.value_type();
        let request = tf::read_resource::Request {
            type_name: address.kind.type_name().to_owned(),
            current_state: encode_value(&stored.value, &kind),
            private: stored.private.clone(),
            client_capabilities: Some(CAPABILITIES),
            current_identity: stored.identity.clone(),
            ..Default::default()
        };
        let response = self.service.read_resource(Request::new(request)).await;
        let response = response.map_err(status)?.into_inner();
        let value = decode_value(response.new_state.as_ref(), &kind)?;
        let outcome = if value.is_null() { "gone" } else { "present" };
        self.note(
            &format!("read {address}"),
            &response.diagnostics,
            &format!("-> {outcome}"),
        );
        refuse_errors(&response.diagnostics)?;
        refuse_faults(
            "Provider produced invalid object",
            &check_stored(&schema, &value),
        )?;
        Ok((!value.is_null()).then(|| Stored {
            value,
            private: response.private,
            identity: response.new_identity,
            ..stored.clone()
        }))
    }

    /// Plans an object: a creation without `prior`, a deletion with a null configuration.
    pub(crate) async fn plan(
        &self,
        address: Address,
        configuration: &Value,
        prior: Option<&Stored>,
        private: Bytes,
    ) -> Result<Proposal, Errors> {
        let schema = schema(address.kind);
        let kind = schema.value_type();
        let none = Value::Null;
        let prior_value = prior.map_or(&none, |prior| &prior.value);
        if !configuration.is_null() {
            self.validate(address, configuration, &kind).await?;
        }
        let proposed = if configuration.is_null() {
            Value::Null
        } else {
            proposed_new_state(&schema, prior_value, configuration)
        };
        let request = tf::plan_resource_change::Request {
            type_name: address.kind.type_name().to_owned(),
            prior_state: encode_value(prior_value, &kind),
            proposed_new_state: encode_value(&proposed, &kind),
            config: encode_value(configuration, &kind),
            prior_private: private,
            client_capabilities: Some(CAPABILITIES),
            prior_identity: prior.and_then(|prior| prior.identity.clone()),
            ..Default::default()
        };
        let response = self
            .service
            .plan_resource_change(Request::new(request))
            .await;
        let response = response.map_err(status)?.into_inner();
        let planned = decode_value(response.planned_state.as_ref(), &kind)?;
        let requires_replacement = changed_paths(&response.requires_replace, prior_value, &planned);
        self.note(
            &format!("plan {address} from {}", content(prior_value)),
            &response.diagnostics,
            &format!("-> {} replace={requires_replacement}", content(&planned)),
        );
        refuse_errors(&response.diagnostics)?;
        refuse_faults(
            "Provider produced invalid plan",
            &check_planned(&schema, prior_value, configuration, &planned),
        )?;
        Ok(Proposal {
            planned,
            private: response.planned_private,
            identity: response.planned_identity,
            requires_replacement,
        })
    }

    async fn validate(
        &self,
        address: Address,
        configuration: &Value,
        kind: &Type,
    ) -> Result<(), Errors> {
        let request = tf::validate_resource_config::Request {
            type_name: address.kind.type_name().to_owned(),
            config: encode_value(configuration, kind),
            client_capabilities: Some(CAPABILITIES),
        };
        let response = self
            .service
            .validate_resource_config(Request::new(request))
            .await;
        refuse_errors(&response.map_err(status)?.into_inner().diagnostics)
    }

    /// Applies a change; returns what core stores, and the errors.
    pub(crate) async fn apply(
        &self,
        address: Address,
        configuration: &Value,
        prior: Option<&Stored>,
        proposal: &Proposal,
    ) -> (Option<Stored>, Errors) {
        let schema = schema(address.kind);
        let kind = schema.value_type();
        let none = Value::Null;
        let prior_value = prior.map_or(&none, |prior| &prior.value);
        let request = tf::apply_resource_change::Request {
            type_name: address.kind.type_name().to_owned(),
            prior_state: encode_value(prior_value, &kind),
            planned_state: encode_value(&proposal.planned, &kind),
            config: encode_value(configuration, &kind),
            planned_private: proposal.private.clone(),
            planned_identity: proposal.identity.clone(),
            ..Default::default()
        };
        let verb = match (prior, proposal.planned.is_null()) {
            (None, _) => "create",
            (Some(_), true) => "delete",
            (Some(_), false) => "update",
        };
        let response = self
            .service
            .apply_resource_change(Request::new(request))
            .await;
        let response = match response {
            Ok(response) => response.into_inner(),
            Err(error) => return (prior.cloned(), status(error)),
        };
        let value = match decode_value(response.new_state.as_ref(), &kind) {
            Ok(value) => value,
            Err(errors) => return (prior.cloned(), errors),
        };
        self.note(
            &format!("{verb} {address}"),
            &response.diagnostics,
            &format!("-> {}", content(&value)),
        );
        let mut errors = refuse_errors(&response.diagnostics)
            .err()
            .unwrap_or_default();
        let has_failed = !errors.is_empty();
        if !has_failed {
            let faults = check_applied(&schema, &proposal.planned, &value);
            let found = refuse_faults("Provider produced inconsistent result after apply", &faults);
            errors.extend(found.err().unwrap_or_default());
        }
        if value.is_null() && has_failed {
            // An error without an object means that the prior one is kept.
            return (prior.cloned(), errors);
        }
        let stored = (!value.is_null()).then(|| Stored {
            value,
            private: response.private,
            identity: response.new_identity,
            is_tainted: has_failed && prior.is_none(),
            dependencies: prior
                .map(|prior| prior.dependencies.clone())
                .unwrap_or_default(),
            create_before_destroy: prior.is_some_and(|prior| prior.create_before_destroy),
        });
        (stored, errors)
    }

    /// Imports an object by its id and reads it.
    pub(crate) async fn import(&self, address: Address, id: &str) -> Result<Stored, Errors> {
        let kind = value_type(address.kind);
        let request = tf::import_resource_state::Request {
            type_name: address.kind.type_name().to_owned(),
            id: id.to_owned(),
            client_capabilities: Some(CAPABILITIES),
            ..Default::default()
        };
        let response = self
            .service
            .import_resource_state(Request::new(request))
            .await;
        let response = response.map_err(status)?.into_inner();
        self.note(&format!("import {address} {id}"), &response.diagnostics, "");
        refuse_errors(&response.diagnostics)?;
        let [imported] = &response.imported_resources[..] else {
            return Err(vec!["an import returns one object".to_owned()]);
        };
        let stored = Stored {
            value: decode_value(imported.state.as_ref(), &kind)?,
            private: imported.private.clone(),
            identity: imported.identity.clone(),
            is_tainted: false,
            dependencies: BTreeSet::new(),
            create_before_destroy: false,
        };
        let read = self.read(address, &stored).await?;
        read.ok_or_else(|| vec!["Cannot import non-existent remote object".to_owned()])
    }
}

const CAPABILITIES: tf::ClientCapabilities = tf::ClientCapabilities {
    deferral_allowed: false,
    write_only_attributes_allowed: true,
    store_planned_private: false,
    computed_blocks_allowed: false,
};

#[expect(clippy::needless_pass_by_value, reason = "it is used with map_err")]
fn status(status: tonic::Status) -> Errors {
    vec![format!("the RPC failed: {status}")]
}

fn text(diagnostic: &tf::Diagnostic) -> String {
    let severity = if diagnostic.severity == i32::from(diagnostic::Severity::Error) {
        "error"
    } else {
        "warning"
    };
    let tf::Diagnostic {
        summary, detail, ..
    } = diagnostic;
    format!("{severity}: {summary}: {detail}")
}

fn refuse_errors(diagnostics: &[tf::Diagnostic]) -> Result<(), Errors> {
    let error = i32::from(diagnostic::Severity::Error);
    let errors: Errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == error)
        .map(text)
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

fn refuse_faults(
    summary: &str,
    faults: &[terraform_plugin::plan::Inconsistency],
) -> Result<(), Errors> {
    let errors: Errors = faults
        .iter()
        .map(|fault| format!("{summary}: {fault}"))
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "messages hold values as options")]
fn encode_value(value: &Value, kind: &Type) -> Option<tf::DynamicValue> {
    Some(tf::DynamicValue {
        msgpack: encode(value, kind).into(),
        ..Default::default()
    })
}

fn decode_value(dynamic: Option<&tf::DynamicValue>, kind: &Type) -> Result<Value, Errors> {
    match dynamic {
        Some(dynamic) => decode(&dynamic.msgpack, kind).map_err(|error| vec![error.to_string()]),
        None => Ok(Value::Null),
    }
}

/// Whether the value at one of the paths changes; core drops the others.
fn changed_paths(paths: &[tf::AttributePath], prior: &Value, planned: &Value) -> bool {
    !prior.is_null()
        && paths.iter().any(|path| {
            let first = path.steps.first().and_then(|step| step.selector.as_ref());
            match first {
                Some(Selector::AttributeName(name)) => {
                    prior.attribute(name) != planned.attribute(name)
                }
                _ => true,
            }
        })
}

/// Names an object in the log by what tells it from others.
fn content(value: &Value) -> String {
    if value.is_null() {
        return "null".to_owned();
    }
    let part = |name: &str| match value.attribute(name) {
        Value::String(text) => text.clone(),
        Value::Unknown => "(known after apply)".to_owned(),
        _ => "-".to_owned(),
    };
    format!("{}[{}]", part("id"), part("name"))
}
