//! The data source of one entity.

use std::marker::PhantomData;

use nautes_model::reference::EntityId;
use nautes_model::{EntityKey, EntityName, Kind};
use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::value::{Convert as _, Path, Value};

use super::kind::ManifestKind;
use super::resource::load;
use crate::client::Client;
use crate::resources::attribute::check_lookup_arguments;
use crate::resources::references::{entity_name, invalid_value};

/// Looks up one entity by its product and name, or by its id.
pub(crate) struct ManifestDataSource<K>(PhantomData<K>);

impl<K> ManifestDataSource<K> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<K: ManifestKind> DataSource for ManifestDataSource<K> {
    type Client = Client;
    type Data = K::State;
    const TYPE_NAME: &'static str = K::KIND.terraform_type();
    const DESCRIPTION: &'static str = K::DATA_SOURCE_DESCRIPTION;
    const REQUIRED: &'static [&'static str] = &[];
    const OPTIONAL: &'static [&'static str] = &["id", "product", "name"];
    const OMITTED: &'static [&'static str] = &["insecure_skip_check", "timeouts"];

    fn validate(&self, config: &PlanOf<K::State>) -> Diagnostics {
        let config = config.to_value();
        let is_set = |name| !config.attribute(name).is_null();
        check_lookup_arguments(is_set("id"), is_set("product"), is_set("name"))
    }

    async fn read(
        &self,
        context: &mut Context<Client>,
        config: PlanOf<K::State>,
    ) -> Result<K::State, Diagnostics> {
        let client = context.client();
        let config = config.to_value();
        let (product, name, path) = entity_to_look_up(&config, K::KIND)?;
        let key = EntityKey::new(K::KIND, name);
        if let Some((state, _)) = load::<K>(client, product.clone(), &key).await? {
            return Ok(state);
        }
        let products = client.products()?;
        let id = products.resolve(&product).await?;
        if products.config_project(id).await?.is_some() {
            return Err(missing_entity(&key, &path).into());
        }
        let summary = format!("The product {product} does not exist");
        let detail = "The product, or its configuration repository, does not exist or is marked for deletion.";
        Err(Diagnostic::error(summary, detail).at(&path).into())
    }
}

/// Returns the reference to the product and the name of the entity that a data source is to look up, and the argument
/// that says so.
pub(crate) fn entity_to_look_up(
    config: &Value,
    kind: Kind,
) -> Result<(String, EntityName, Path), Diagnostics> {
    if let Some(id) = text(config, "id") {
        let parsed: EntityId = id.parse().map_err(|error| {
            let noun = kind.noun();
            invalid_value("id", format!("{id:?} is not the id of a {noun}: {error}."))
        })?;
        return Ok((parsed.product.to_string(), parsed.name, Path::to("id")));
    }
    let name = entity_name("name", text(config, "name").unwrap_or_default())?;
    let product = text(config, "product").unwrap_or_default();
    Ok((product.to_owned(), name, Path::to("name")))
}

/// Returns the error of a data source whose entity does not exist in its product.
pub(crate) fn missing_entity(key: &EntityKey, path: &Path) -> Diagnostic {
    let detail = format!("There is no {key} in this product. Check the name, or create it first.");
    Diagnostic::error(format!("The {key} does not exist"), detail).at(path)
}

fn text<'a>(config: &'a Value, attribute: &str) -> Option<&'a str> {
    config.attribute(attribute).as_str()
}
