//! Searches for existing objects.

use futures_util::StreamExt as _;

use super::{Driver, Failure, decode_identity, decode_value, encode_config, inconsistency};
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::provider::Provider;
use crate::value::Value;

/// A search.
#[derive(Debug, Clone)]
pub struct Search {
    /// The configuration.
    pub config: Value,
    /// Whether to return the attributes of the objects.
    pub include_resource: bool,
    /// The largest number of objects; 0 for all.
    pub limit: i64,
}

/// An object found by a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundObject {
    /// The identity.
    pub identity: Value,
    /// The name shown to users.
    pub display_name: String,
    /// The attributes, if the search asks for them.
    pub value: Option<Value>,
}

impl<P: Provider> Driver<P> {
    /// Validates a search and returns the objects found before the first error.
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
        let config = encode_config(&search.config, list.value_type())?;
        let request = tf::validate_list_resource_config::Request {
            type_name: type_name.to_owned(),
            config: config.clone(),
            ..Default::default()
        };
        let validated = self
            .service
            .validate_list_resource_config(tonic::Request::new(request))
            .await?;
        self.accept(validated.into_inner().diagnostics)?;
        let request = tf::list_resource::Request {
            type_name: type_name.to_owned(),
            config,
            include_resource_object: search.include_resource,
            limit: search.limit,
        };
        let response = self.service.list_resource(tonic::Request::new(request));
        let mut events = response.await?.into_inner();
        while let Some(event) = events.next().await {
            let event = event?;
            let is_warning = event.identity.is_none() && !event.diagnostic.is_empty();
            self.accept(event.diagnostic)?;
            if is_warning {
                continue;
            }
            let identity = decode_identity(event.identity.as_ref(), resource.identity_type())?
                .filter(Value::is_wholly_known)
                .ok_or_else(|| inconsistency("an object has no identity"))?;
            let value = event.resource_object.as_ref();
            let value = value.map(|value| decode_value(Some(value), resource.value_type()));
            found.push(FoundObject {
                identity,
                display_name: event.display_name,
                value: value.transpose()?,
            });
        }
        Ok(())
    }
}
