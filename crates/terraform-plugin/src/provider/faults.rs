//! Collects the mistakes in everything that a provider has registered.

use super::Registry;
use crate::kind::Kind;
use crate::schema::{Schema, SchemaFault, SchemaKind, identity_faults, name_fault};
use crate::value::Path;

type Schemas<'a> = dyn Iterator<Item = (&'static str, &'a Schema)> + 'a;

impl<C: Send + Sync + 'static> Registry<C> {
    /// Returns the mistakes in all schemas, signatures and names.
    pub(crate) fn faults(&self) -> Vec<SchemaFault> {
        let mut faults = Vec::new();
        let mut check = |kind: Kind, schema_kind: SchemaKind, schemas: &mut Schemas<'_>| {
            for (name, schema) in schemas {
                faults.extend(name_fault(name).map(|reason| fault(kind, name, reason)));
                faults.extend(schema.faults(&subject(kind, name), schema_kind));
            }
        };
        let resource = SchemaKind::Resource;
        check(Kind::Resource, resource, &mut self.resource_schemas());
        check(Kind::DataSource, resource, &mut self.data_source_schemas());
        check(
            Kind::EphemeralResource,
            SchemaKind::EphemeralResource,
            &mut self.ephemeral_resource_schemas(),
        );
        check(
            Kind::ListResource,
            SchemaKind::ListResource,
            &mut self.list_resource_schemas(),
        );
        check(Kind::Action, SchemaKind::Action, &mut self.action_schemas());
        for (name, signature) in self.function_signatures() {
            faults.extend(signature.faults(&subject(Kind::Function, name), name));
        }
        for (name, schema) in self.identity_schemas() {
            let subject = format!("identity of {}", subject(Kind::Resource, name));
            faults.extend(identity_faults(schema, &subject));
        }
        faults.extend(self.data_source_arguments());
        faults.extend(self.lists_without_identity());
        let duplicates = self.duplicates.iter();
        let twice = "it is registered more than once";
        faults.extend(duplicates.map(|(kind, name)| fault(*kind, name, twice)));
        faults
    }

    /// Returns the arguments of data sources that their models lack or that are named twice.
    fn data_source_arguments(&self) -> impl Iterator<Item = SchemaFault> {
        self.data_sources.iter().flat_map(|(name, source)| {
            let reasons = source.argument_faults().iter();
            reasons.map(|reason| fault(Kind::DataSource, name, reason))
        })
    }

    /// Returns the list resources whose resource is missing or has no identity. Terraform rejects them.
    fn lists_without_identity(&self) -> impl Iterator<Item = SchemaFault> {
        let names = self.list_resources.keys();
        let unidentified = names.filter(|name| {
            let resource = self.resources.get(*name);
            resource.is_none_or(|resource| resource.identity_schema().is_none())
        });
        let reason = "the provider has no resource of this name with an identity";
        unidentified.map(move |name| fault(Kind::ListResource, name, reason))
    }
}

fn subject(kind: Kind, name: &str) -> String {
    format!("{kind} {name}")
}

fn fault(kind: Kind, name: &str, reason: &str) -> SchemaFault {
    SchemaFault {
        subject: subject(kind, name),
        path: Path::root(),
        reason: reason.to_owned(),
    }
}
