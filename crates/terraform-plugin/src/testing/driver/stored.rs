//! Imports and state upgrades.

use super::{
    Driver, Failure, Stored, decode_identity, decode_value, encode_value, inconsistency,
    require_consistent,
};
use crate::plan::check_stored;
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
                identity_data: encode_value(by, identity_type),
            }),
        };
        let response = self
            .service
            .import_resource_state(tonic::Request::new(request))
            .await?;
        let response = response.into_inner();
        self.accept(response.diagnostics)?;
        let [imported] = &response.imported_resources[..] else {
            return Err(inconsistency("an import must return one object"));
        };
        if imported.type_name != type_name {
            return Err(inconsistency("the imported object has another type"));
        }
        let stored = Stored {
            value: decode_value(imported.state.as_ref(), resource.value_type())?,
            private: imported.private.clone(),
            identity: decode_identity(imported.identity.as_ref(), identity_type)?,
            tainted: false,
        };
        require_consistent(check_stored(resource.schema(), &stored.value))?;
        self.read(type_name, &stored).await
    }

    /// Upgrades stored JSON with the given schema version.
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
        let response = self
            .service
            .upgrade_resource_state(tonic::Request::new(request))
            .await?;
        let response = response.into_inner();
        self.accept(response.diagnostics)?;
        let resource = self.resource(type_name)?;
        let upgraded = decode_value(response.upgraded_state.as_ref(), resource.value_type())?;
        require_consistent(check_stored(resource.schema(), &upgraded))?;
        Ok(upgraded)
    }
}
