//! `ListResource`: streams what a search finds, for `terraform query`.

use std::sync::Arc;

use super::ProviderService;
use super::events::{Event, Events};
use super::rpc::Rpc;
use super::wire::{decode_known_config, encode_identity, encode_value, require_known};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::kind::Kind;
use crate::list_resource::{Found, ListRequest};
use crate::plan::resolve_arguments;
use crate::protocol::tfplugin6::list_resource;
use crate::provider::Provider;
use crate::run::until_interrupted;
use crate::value::Type;

impl<P: Provider> Rpc<P> for list_resource::Request {
    type Response = Events<list_resource::Event>;
    const NAME: &'static str = "ListResource";
    const KIND: Option<Kind> = Some(Kind::ListResource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let encoder = EventEncoder {
            identity_type: resource.identity_type().clone(),
            state_type: self
                .include_resource_object
                .then(|| resource.value_type().clone()),
        };
        let list = Arc::clone(service.list_resource(&self.type_name)?);
        let client = service.require_client(&self.type_name)?;
        let schema = list.schema();
        let config = decode_known_config(self.config.as_ref(), schema, list.value_type())?;
        let config = resolve_arguments(schema, &config);
        // Zero means no limit.
        let limit = usize::try_from(self.limit).ok().filter(|limit| *limit > 0);
        let interrupted = service.interrupted();
        let search = |found| async move {
            let request = ListRequest {
                client,
                config,
                wants_state: self.include_resource_object,
                limit,
                found,
            };
            until_interrupted("search", &interrupted, list.list(request)).await?;
            Ok(Diagnostics::default())
        };
        let name = <Self as Rpc<P>>::NAME;
        let events = Events::cancelled_on_drop(name, search, move |found| encoder.encode(found));
        Ok(match limit {
            Some(limit) => events.limited(limit, |event| event.identity.is_some()),
            None => events,
        })
    }
}

/// Encodes the objects found as events.
struct EventEncoder {
    identity_type: Type,
    /// `None` if the request does not ask for the state.
    state_type: Option<Type>,
}

impl EventEncoder {
    fn encode(&self, found: Found) -> list_resource::Event {
        let (identity, display_name, state) = match found {
            Found::Object {
                identity,
                display_name,
                state,
            } => (identity, display_name, state),
            Found::Warning(warning) => {
                return list_resource::Event {
                    diagnostic: vec![(&warning).into()],
                    ..Default::default()
                };
            }
        };
        let mut event = list_resource::Event {
            identity: encode_identity(Some(&identity), &self.identity_type),
            display_name,
            ..Default::default()
        };
        if let Some(state_type) = &self.state_type {
            let known = state.map(|state| {
                require_known(&state, "An object of the list resource").map(|()| state)
            });
            match known {
                Some(Ok(state)) => event.resource_object = encode_value(&state, state_type),
                Some(Err(bugs)) => event.diagnostic = (&bugs).into(),
                None => {
                    let text = "The list resource returned an object without its attributes";
                    event.diagnostic.push((&Diagnostic::bug(text)).into());
                }
            }
        }
        event
    }
}

impl Event for list_resource::Event {
    fn completion(diagnostics: &Diagnostics) -> Option<Self> {
        (!diagnostics.is_empty()).then(|| Self {
            diagnostic: diagnostics.into(),
            ..Default::default()
        })
    }
}
