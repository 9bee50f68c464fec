//! Documentation pages in the layout of the Terraform and OpenTofu registries, rendered from the schemas.
//!
//! Rendering is pure: the caller brings the examples and writes the pages.

mod page;
mod schema;

use crate::provider::Provider;
use crate::service::ProviderService;

pub use page::{Example, Page};

/// Renders the pages of a provider: its index, and one for each resource and data source.
///
/// `provider_name` is the prefix of the type names. `examples` returns the examples of a folder below `examples/`,
/// such as `resources/cloud_bucket`, sorted by file name.
pub fn pages<P: Provider>(
    service: &ProviderService<P>,
    provider_name: &str,
    examples: &dyn Fn(&str) -> Vec<Example>,
) -> Vec<Page> {
    let registry = service.registry();
    let mut pages = vec![page::index(
        provider_name,
        service.schema(),
        &examples("provider"),
    )];
    let identities: std::collections::BTreeMap<_, _> = registry.identity_schemas().collect();
    for (type_name, schema) in registry.resource_schemas() {
        let identity = identities.get(type_name).copied();
        let examples = examples(&format!("resources/{type_name}"));
        pages.push(page::resource(
            provider_name,
            type_name,
            schema,
            identity,
            &examples,
        ));
    }
    for (type_name, schema) in registry.data_source_schemas() {
        let examples = examples(&format!("data-sources/{type_name}"));
        pages.push(page::data_source(
            provider_name,
            type_name,
            schema,
            &examples,
        ));
    }
    pages
}
