//! `ApplyResourceChange`.

use tracing::error;

use super::ProviderService;
use super::identity::require_same_identity;
use super::response::RpcResponse as _;
use super::rpc::{self, Rpc};
use super::wire::{decode_value, encode_identity, encode_value};
use crate::diagnostics::Diagnostics;
use crate::kind::Kind;
use crate::plan::{check_applied, complete_recorded, keep_equivalent, merge_write_only};
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::resource::{ErasedResource, Operation, OperationKind, Outcome, PlannedPrivate};
use crate::value::Value;

impl<P: Provider> Rpc<P> for tf::apply_resource_change::Request {
    type Response = tf::apply_resource_change::Response;
    const NAME: &'static str = "ApplyResourceChange";
    const KIND: Option<Kind> = Some(Kind::Resource);
    const IS_OPERATION: bool = true;

    fn subject(&self) -> &str {
        &self.type_name
    }

    /// Keeps the prior state. For a creation it is null, and the next apply resumes it.
    fn failure_response(&self) -> Self::Response {
        // If there is a prior state, the operation is a deletion or has the private state of an update.
        let (private, _) = PlannedPrivate::decode(&self.planned_private).into_deletion();
        Self::Response {
            new_state: self.prior_state.clone(),
            private: private.encode().into(),
            new_identity: self.planned_identity.clone(),
            ..Default::default()
        }
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let client = service.require_client(&self.type_name)?;
        let kind = resource.value_type();
        let prior = decode_value(self.prior_state.as_ref(), kind)?;
        let planned = decode_value(self.planned_state.as_ref(), kind)?;
        let config = decode_value(self.config.as_ref(), kind)?;
        let attributes = &resource.schema().attributes;
        let planned_private = PlannedPrivate::decode(&self.planned_private);
        let operation_kind = match (prior.is_null(), planned.is_null()) {
            (true, _) => OperationKind::Create,
            (false, true) => OperationKind::Delete,
            (false, false) => OperationKind::Update,
        };
        let limited_object = if planned.is_null() { &prior } else { &planned };
        rpc::record_object(attributes, limited_object);
        let limits = resource.limits(operation_kind, limited_object, service.interrupted());
        let (private, is_replacement) = match operation_kind {
            OperationKind::Delete => planned_private.into_deletion(),
            _ => (planned_private.private, false),
        };
        let mut operation =
            Operation::new(client, private, limits.clone()).with_replacement(is_replacement);
        let wanted = merge_write_only(attributes, &planned, &config);
        let applied = match operation_kind {
            OperationKind::Create => limits.run(resource.create(&mut operation, &wanted)).await,
            OperationKind::Delete => {
                let deleted = limits.run(resource.delete(&mut operation, &prior)).await;
                deleted.map(|()| Value::Null)
            }
            OperationKind::Update | OperationKind::Read => {
                limits
                    .run(resource.update(&mut operation, &prior, &wanted))
                    .await
            }
        };
        let (state, outcome) = match applied {
            Ok(result) => {
                let result = keep_equivalent(attributes, &planned, &result);
                for fault in check_applied(resource.schema(), &planned, &result) {
                    error!(path = %fault.path, reason = fault.reason, "the result does not match the plan");
                }
                (result, operation.into_outcome(Diagnostics::default()))
            }
            Err(diagnostics) => {
                rpc::log_diagnostics(&diagnostics);
                let mut outcome = operation.into_outcome(diagnostics);
                outcome.diagnostics = service.told_causes.shorten(outcome.diagnostics);
                let recorded = outcome.recorded.as_ref();
                let state = recorded.map(|recorded| complete_recorded(recorded, &prior));
                (state.unwrap_or(prior), outcome)
            }
        };
        let mut response = response(resource, &state, &outcome);
        if operation_kind == OperationKind::Update {
            let identity = resource.identity(&state);
            let planned = self.planned_identity.as_ref();
            if let Err(changed) = require_same_identity(resource, planned, identity.as_ref()) {
                response.add_diagnostics(&changed);
                response.new_identity = self.planned_identity;
            }
        }
        Ok(response)
    }
}

fn response<C>(
    resource: &dyn ErasedResource<C>,
    state: &Value,
    outcome: &Outcome,
) -> tf::apply_resource_change::Response {
    let private = if state.is_null() {
        Vec::new()
    } else {
        outcome.private.encode()
    };
    let identity = resource.identity(state);
    tf::apply_resource_change::Response {
        new_state: encode_value(state, resource.value_type()),
        private: private.into(),
        diagnostics: (&outcome.diagnostics).into(),
        new_identity: encode_identity(identity.as_ref(), resource.identity_type()),
        ..Default::default()
    }
}
