//! Searches for existing objects.

use futures_util::StreamExt as _;

use super::{Driver, Failure, accepted, decoded, dynamic, identity, inconsistent};
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::provider::Provider;
use crate::value::Value;

/// What to search for.
#[derive(Debug, Clone)]
pub struct Search {
    /// The configuration.
    pub config: Value,
    /// Whether the attributes of the objects are wanted.
    pub include_resource: bool,
    /// How many objects are wanted at most; 0 for all.
    pub limit: i64,
}

/// An object that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundObject {
    /// What identifies it.
    pub identity: Value,
    /// What people call it.
    pub display_name: String,
    /// Its attributes, if they were asked for.
    pub value: Option<Value>,
}

impl<P: Provider> Driver<P> {
    /// Validates a search and returns what it finds, up to the first error.
    pub async fn list(
        &self,
        type_name: &str,
        search: &Search,
    ) -> (Vec<FoundObject>, Result<(), Failure>) {
        let mut found = Vec::new();
        let result = self.search(type_name, search, &mut found).await;
        (found, result)
    }

    async fn search(
        &self,
        type_name: &str,
        search: &Search,
        found: &mut Vec<FoundObject>,
    ) -> Result<(), Failure> {
        let resource = self.resource(type_name)?;
        let list = self.service.registry().list_resources.get(type_name);
        let list = list.ok_or_else(|| Failure::NoSuchType(type_name.to_owned()))?;
        let config = dynamic(&search.config, list.value_type());
        let request = tf::validate_list_resource_config::Request {
            type_name: type_name.to_owned(),
            config: config.clone(),
            ..Default::default()
        };
        let validated = self
            .service
            .validate_list_resource_config(tonic::Request::new(request))
            .await?;
        accepted(validated.into_inner().diagnostics)?;
        let request = tf::list_resource::Request {
            type_name: type_name.to_owned(),
            config,
            include_resource_object: search.include_resource,
            limit: search.limit,
        };
        let answered = self.service.list_resource(tonic::Request::new(request));
        let mut events = answered.await?.into_inner();
        while let Some(event) = events.next().await {
            let event = event?;
            accepted(event.diagnostic)?;
            let identity = identity(event.identity.as_ref(), resource.identity_type())?
                .filter(Value::is_wholly_known)
                .ok_or_else(|| inconsistent("an object was listed without its identity"))?;
            let value = event.resource_object.as_ref();
            let value = value.map(|value| decoded(Some(value), resource.value_type()));
            found.push(FoundObject {
                identity,
                display_name: event.display_name,
                value: value.transpose()?,
            });
        }
        Ok(())
    }
}
