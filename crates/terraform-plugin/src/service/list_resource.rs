//! `ListResource`.

use std::sync::Arc;

use super::ProviderService;
use super::events::{Event, Events};
use super::rpc::Rpc;
use super::wire::{decoded_known, encoded, encoded_identity};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::interrupt::until_interrupted;
use crate::kind::Kind;
use crate::list_resource::{Found, ListRequest};
use crate::plan::arguments;
use crate::protocol::tfplugin6::list_resource;
use crate::provider::Provider;
use crate::value::{Type, Value};

impl<P: Provider> Rpc<P> for list_resource::Request {
    type Response = Events<list_resource::Event>;
    const NAME: &'static str = "ListResource";
    const KIND: Option<Kind> = Some(Kind::ListResource);

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn answer(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let resource = service.resource(&self.type_name)?;
        let shape = Shape {
            identity: resource.identity_type().clone(),
            state: self
                .include_resource_object
                .then(|| resource.value_type().clone()),
        };
        let list = Arc::clone(service.list_resource(&self.type_name)?);
        let client = service.client_for(&self.type_name)?;
        let config = decoded_known(self.config.as_ref(), list.value_type())?;
        let config = arguments(list.schema(), &config);
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
        let events = Events::while_read(name, search, move |found| shape.event(found));
        Ok(match limit {
            Some(limit) => events.limited(limit),
            None => events,
        })
    }
}

/// What the messages hold.
struct Shape {
    identity: Type,
    /// `None` if the attributes are not asked for.
    state: Option<Type>,
}

impl Shape {
    fn event(&self, found: Found) -> list_resource::Event {
        let mut event = list_resource::Event {
            identity: encoded_identity(Some(&found.identity), &self.identity),
            display_name: found.display_name,
            ..Default::default()
        };
        if let Some(kind) = &self.state {
            let state = found.state.filter(Value::is_wholly_known);
            if let Some(state) = state {
                event.resource_object = encoded(&state, kind);
            } else {
                let defect = Diagnostic::defect("An object was listed without its attributes");
                event.diagnostic.push((&defect).into());
            }
        }
        event
    }
}

impl Event for list_resource::Event {
    fn last(diagnostics: &Diagnostics) -> Option<Self> {
        (!diagnostics.is_empty()).then(|| Self {
            diagnostic: diagnostics.into(),
            ..Default::default()
        })
    }
}
