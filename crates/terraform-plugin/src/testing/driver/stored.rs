//! Objects that come into the state otherwise than by a creation: imports, and state of older versions.

use super::{Driver, Failure, Stored, accepted, decoded, dynamic, identity};
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::provider::Provider;
use crate::value::Value;

impl<P: Provider> Driver<P> {
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
            value: decoded(imported.state.as_ref(), resource.value_type())?,
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
        decoded(
            answered.upgraded_state.as_ref(),
            self.resource(type_name)?.value_type(),
        )
    }
}
