//! `PlanResourceChange`.

use super::ProviderService;
use super::rpc::{self, Rpc};
use super::wire::{decode_value, encode_value};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::kind::Kind;
use crate::plan::{check_planned, plan};
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;
use crate::resource::{
    ErasedResource, Operation, OperationKind, PlanKind, PlanRequest, PlannedAction, PlannedPrivate,
    PrivateState,
};
use crate::value::Value;

impl<P: Provider> Rpc<P> for tf::plan_resource_change::Request {
    type Response = tf::plan_resource_change::Response;
    const NAME: &'static str = "PlanResourceChange";
    const KIND: Option<Kind> = Some(Kind::Resource);
    const IS_OPERATION: bool = true;

    fn subject(&self) -> &str {
        &self.type_name
    }

    fn failure_response(&self) -> Self::Response {
        Self::Response {
            planned_state: self.prior_state.clone(),
            planned_private: self.prior_private.clone(),
            planned_identity: self.prior_identity.clone(),
            ..Default::default()
        }
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let kind = resource.value_type();
        let prior = decode_value(self.prior_state.as_ref(), kind)?;
        let proposed = decode_value(self.proposed_new_state.as_ref(), kind)?;
        let object = if proposed.is_null() {
            &prior
        } else {
            &proposed
        };
        rpc::record_object(&resource.schema().attributes, object);
        if proposed.is_null() {
            return plan_delete(service, resource, &self, &prior).await;
        }
        let config = decode_value(self.config.as_ref(), kind)?;
        let planned = plan(resource.schema(), &prior, &proposed, &config);
        let prior_private = PlannedPrivate::decode(&self.prior_private);
        let (action, plan_kind, private, replaced) = if prior.is_null() {
            let replaced = prior_private.into_replaced();
            let private = PrivateState::default();
            (PlannedAction::Create, PlanKind::Create, private, replaced)
        } else {
            let private = prior_private.private;
            (PlannedAction::Update, PlanKind::Update, private, None)
        };
        let client = service.client();
        let mut request = PlanRequest {
            kind: plan_kind,
            client: client.as_ref(),
            config: &config,
            prior: &prior,
            planned: planned.value,
            replace: planned.replace,
            private,
            replaced,
            warnings: Diagnostics::default(),
        };
        let limits = resource.limits(OperationKind::Read, &prior, service.interrupted());
        let modified = limits.run(resource.modify_plan(&mut request)).await;
        let PlanRequest {
            planned,
            mut replace,
            private,
            replaced,
            warnings: mut diagnostics,
            ..
        } = request;
        if let Err(failed) = modified {
            diagnostics.extend(failed);
            return Err(diagnostics);
        }
        let faults = check_planned(resource.schema(), &prior, &config, &planned);
        if !faults.is_empty() {
            let bugs = faults.iter().map(|fault| {
                Diagnostic::bug(format!("The plan violates Terraform's rules: {fault}"))
                    .at(&fault.path)
            });
            diagnostics.extend(bugs);
            return Err(diagnostics);
        }
        replace.sort();
        replace.dedup();
        Ok(Self::Response {
            planned_state: encode_value(&planned, kind),
            requires_replace: replace.iter().map(Into::into).collect(),
            planned_private: PlannedPrivate {
                action: Some(action),
                private,
                replaced,
            }
            .encode()?
            .into(),
            diagnostics: (&diagnostics).into(),
            planned_identity: self.prior_identity.filter(|_| !prior.is_null()),
            ..Default::default()
        })
    }
}

async fn plan_delete<P: Provider>(
    service: &ProviderService<P>,
    resource: &dyn ErasedResource<P::Client>,
    request: &tf::plan_resource_change::Request,
    prior: &Value,
) -> Result<tf::plan_resource_change::Response, Diagnostics> {
    let mut private = PlannedPrivate::decode(&request.prior_private).private;
    let mut diagnostics = Diagnostics::default();
    if let Some(client) = service.client() {
        let limits = resource.limits(OperationKind::Read, prior, service.interrupted());
        let mut operation = Operation::new(client, private, limits.clone());
        let planned = limits
            .run(resource.plan_delete(&mut operation, prior))
            .await;
        let outcome = operation.into_outcome(planned.err().unwrap_or_default());
        private = outcome.private;
        diagnostics = service.told_causes.shorten(outcome.diagnostics);
    }
    Ok(tf::plan_resource_change::Response {
        planned_state: encode_value(&Value::Null, resource.value_type()),
        planned_private: PlannedPrivate::new(PlannedAction::Delete, private)
            .encode()?
            .into(),
        diagnostics: (&diagnostics).into(),
        planned_identity: request.prior_identity.clone(),
        ..Default::default()
    })
}
