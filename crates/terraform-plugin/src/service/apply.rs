//! `ApplyResourceChange`.

use tracing::error;

use super::ProviderService;
use super::rpc::{self, Rpc};
use super::wire::{decoded, encoded, encoded_identity};
use crate::diagnostics::Diagnostics;
use crate::kind::Kind;
use crate::plan::{check_applied, keep_form, with_write_only};
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::resource::{ErasedResource, Operation, Outcome, PlannedAction, PrivateState, Timed};
use crate::value::Value;

impl<P: Provider> Rpc<P> for tf::apply_resource_change::Request {
    type Response = tf::apply_resource_change::Response;
    const NAME: &'static str = "ApplyResourceChange";
    const KIND: Option<Kind> = Some(Kind::Resource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    /// Keeps the prior state, which is null for a creation: the next apply goes on with it.
    fn failure(&self) -> Self::Response {
        Self::Response {
            new_state: self.prior_state.clone(),
            private: self.planned_private.clone(),
            new_identity: self.planned_identity.clone(),
            ..Default::default()
        }
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let client = service.client_for(&self.type_name)?;
        let kind = resource.value_type();
        let prior = decoded(self.prior_state.as_ref(), kind)?;
        let planned = decoded(self.planned_state.as_ref(), kind)?;
        let config = decoded(self.config.as_ref(), kind)?;
        let attributes = &resource.schema().attributes;
        let (action, private) = PlannedAction::of(PrivateState::decode(&self.planned_private));
        let timed = match (prior.is_null(), planned.is_null()) {
            (true, _) => Timed::Create,
            (false, true) => Timed::Delete,
            (false, false) => Timed::Update,
        };
        let timed_object = if planned.is_null() { &prior } else { &planned };
        let limits = resource.limits(timed, timed_object, service.interrupted());
        // A deletion that carries the plan of a creation is the first half of a replacement.
        let is_replacement = timed == Timed::Delete && action == Some(PlannedAction::Create);
        let mut operation =
            Operation::new(client, private, limits.clone()).of_replacement(is_replacement);
        let wanted = with_write_only(attributes, &planned, &config);
        let applied = match timed {
            Timed::Create => limits.apply(resource.create(&mut operation, &wanted)).await,
            Timed::Delete => {
                let deleted = limits.apply(resource.delete(&mut operation, &prior)).await;
                deleted.map(|()| Value::Null)
            }
            Timed::Update | Timed::Read => {
                limits
                    .apply(resource.update(&mut operation, &prior, &wanted))
                    .await
            }
        };
        Ok(match applied {
            Ok(result) => {
                let result = keep_form(attributes, &planned, &result);
                for fault in check_applied(resource.schema(), &planned, &result) {
                    error!(path = %fault.path, reason = fault.reason, "the result is inconsistent with the plan");
                }
                response(
                    resource,
                    &result,
                    &operation.into_outcome(Diagnostics::default()),
                )
            }
            Err(diagnostics) => {
                rpc::log(&diagnostics);
                let outcome = operation.into_outcome(diagnostics);
                let state = outcome.recorded.clone().unwrap_or(prior);
                response(resource, &state, &outcome)
            }
        })
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
        new_state: encoded(state, resource.value_type()),
        private: private.into(),
        diagnostics: (&outcome.diagnostics).into(),
        new_identity: encoded_identity(identity.as_ref(), resource.identity_type()),
        ..Default::default()
    }
}
