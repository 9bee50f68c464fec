//! Documentation pages in the layout of the Terraform and OpenTofu registries, rendered from schemas.
//!
//! Rendering is pure: the caller provides the examples and writes the pages.

mod function;
mod page;
mod schema;

use std::collections::BTreeMap;

use crate::kind::Kind;
use crate::provider::Provider;
use crate::schema::Schema;
use crate::service::ProviderService;

pub use page::{Example, Page};

/// Renders the pages of a provider: its index, and one page for each resource, data source, function and so on.
///
/// `provider_name` is the prefix of the type names. `examples` returns the examples in a directory below `examples/`,
/// such as `resources/cloud_bucket` or `functions/slug`, sorted by file name.
pub fn pages<P: Provider>(
    service: &ProviderService<P>,
    provider_name: &str,
    examples: &dyn Fn(&str) -> Vec<Example>,
) -> Vec<Page> {
    let registry = service.registry();
    let examples_of = |kind: Kind, name: &str| examples(&format!("{}/{name}", page::folder(kind)));
    let mut pages = vec![page::index(
        provider_name,
        service.schema(),
        &examples("provider"),
    )];
    let identities: BTreeMap<_, _> = registry.identity_schemas().collect();
    for (name, schema) in registry.resource_schemas() {
        pages.push(page::resource(
            provider_name,
            name,
            schema,
            identities.get(name).copied(),
            &examples_of(Kind::Resource, name),
        ));
    }
    let mut render = |kind, schemas: &mut dyn Iterator<Item = (&'static str, &Schema)>| {
        for (name, schema) in schemas {
            let examples = examples_of(kind, name);
            pages.push(page::with_schema(
                kind,
                provider_name,
                name,
                schema,
                &examples,
            ));
        }
    };
    render(Kind::DataSource, &mut registry.data_source_schemas());
    render(
        Kind::EphemeralResource,
        &mut registry.ephemeral_resource_schemas(),
    );
    render(Kind::ListResource, &mut registry.list_resource_schemas());
    render(Kind::Action, &mut registry.action_schemas());
    for (name, signature) in registry.function_signatures() {
        let examples = examples_of(Kind::Function, name);
        pages.push(function::page(provider_name, name, signature, &examples));
    }
    pages
}
