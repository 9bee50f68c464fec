//! `GetProviderSchema`, `GetMetadata`, `GetResourceIdentitySchemas`.

use std::collections::BTreeMap;

use super::ProviderService;
use super::rpc::Rpc;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::protocol::tfplugin6::{self as tf, ServerCapabilities};
use crate::provider::Provider;
use crate::schema::{AttributeKind, Presence, Schema, SchemaFault, SchemaKind};

const CAPABILITIES: ServerCapabilities = ServerCapabilities {
    plan_destroy: true,
    get_provider_schema_optional: true,
    move_resource_state: true,
    generate_resource_config: false,
};

impl<P: Provider> Rpc<P> for tf::get_provider_schema::Request {
    type Response = tf::get_provider_schema::Response;
    const NAME: &'static str = "GetProviderSchema";

    fn failure_response(&self) -> Self::Response {
        // Terraform rejects a response without a provider schema before it reads the diagnostics.
        let empty = Schema::new("", crate::schema::Attributes::new());
        Self::Response {
            provider: Some((&empty).into()),
            ..Default::default()
        }
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let faults = service.schema_faults();
        if !faults.is_empty() {
            return Err(faults.iter().map(Diagnostic::bug).collect());
        }
        let registry = &service.registry;
        let wire = |(name, schema): (&str, &Schema)| (name.to_owned(), schema.into());
        Ok(Self::Response {
            provider: Some((&service.schema).into()),
            resource_schemas: registry.resource_schemas().map(wire).collect(),
            data_source_schemas: registry.data_source_schemas().map(wire).collect(),
            functions: registry
                .function_signatures()
                .map(|(name, signature)| (name.to_owned(), signature.into()))
                .collect(),
            ephemeral_resource_schemas: registry.ephemeral_resource_schemas().map(wire).collect(),
            list_resource_schemas: registry.list_resource_schemas().map(wire).collect(),
            action_schemas: registry
                .action_schemas()
                .map(wire)
                .map(|(name, schema)| {
                    (
                        name,
                        tf::ActionSchema {
                            schema: Some(schema),
                        },
                    )
                })
                .collect(),
            server_capabilities: Some(CAPABILITIES),
            ..Default::default()
        })
    }
}

impl<P: Provider> ProviderService<P> {
    /// Returns the mistakes in the provider's schemas. Every provider should have a test that finds none.
    pub fn schema_faults(&self) -> Vec<SchemaFault> {
        let mut faults = self.schema.faults("provider", SchemaKind::Provider);
        faults.extend(self.registry.faults());
        faults
    }
}

impl<P: Provider> Rpc<P> for tf::get_metadata::Request {
    type Response = tf::get_metadata::Response;
    const NAME: &'static str = "GetMetadata";

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        use tf::get_metadata as metadata;
        let registry = &service.registry;
        Ok(Self::Response {
            server_capabilities: Some(CAPABILITIES),
            resources: named(&registry.resources, |type_name| {
                metadata::ResourceMetadata { type_name }
            }),
            data_sources: named(&registry.data_sources, |type_name| {
                metadata::DataSourceMetadata { type_name }
            }),
            functions: named(&registry.functions, |name| metadata::FunctionMetadata {
                name,
            }),
            ephemeral_resources: named(&registry.ephemeral_resources, |type_name| {
                metadata::EphemeralMetadata { type_name }
            }),
            list_resources: named(&registry.list_resources, |type_name| {
                metadata::ListResourceMetadata { type_name }
            }),
            actions: named(&registry.actions, |type_name| metadata::ActionMetadata {
                type_name,
            }),
            ..Default::default()
        })
    }
}

fn named<V, M>(all: &BTreeMap<&'static str, V>, metadata: impl Fn(String) -> M) -> Vec<M> {
    all.keys()
        .map(|name| metadata((*name).to_owned()))
        .collect()
}

impl<P: Provider> Rpc<P> for tf::get_resource_identity_schemas::Request {
    type Response = tf::get_resource_identity_schemas::Response;
    const NAME: &'static str = "GetResourceIdentitySchemas";

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let schemas = service.registry.identity_schemas();
        Ok(Self::Response {
            identity_schemas: schemas
                .map(|(name, schema)| (name.to_owned(), identity_schema(schema)))
                .collect(),
            ..Default::default()
        })
    }
}

fn identity_schema(schema: &Schema) -> tf::ResourceIdentitySchema {
    use tf::resource_identity_schema::IdentityAttribute;
    let attributes = schema.attributes.iter().filter_map(|(name, attribute)| {
        // Identity schemas are flat, so they cannot contain nested attributes.
        let AttributeKind::Typed(kind) = attribute.shape() else {
            return None;
        };
        let required = attribute.presence() == Presence::Required;
        Some(IdentityAttribute {
            name: name.clone(),
            r#type: kind.to_json().to_string().into_bytes().into(),
            required_for_import: required,
            optional_for_import: !required,
            description: attribute.description().to_owned(),
        })
    });
    tf::ResourceIdentitySchema {
        version: schema.version,
        identity_attributes: attributes.collect(),
    }
}
