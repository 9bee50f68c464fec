//! What the data sources that list entities have in common.

use nautes_model::entity::Entity;
use nautes_model::{Kind, ProductId};
use regex::Regex;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::schema::Validator;
use terraform_plugin::value::Path;

use super::place;
use crate::config_repo::Repository;
use crate::provider::Client;

/// Lists the entities of a kind in a product whose name matches, sorted by name.
pub(crate) async fn entities(
    client: &Client,
    kind: Kind,
    product: &str,
    name_regex: Option<&str>,
) -> Result<(ProductId, Vec<Entity>), Diagnostics> {
    let product = client.products().id_of(client, product).await?;
    let attempt = format!("list the {}s of {product}", kind.noun());
    let read = |_, repository: Repository| async move { repository.snapshot().await };
    let snapshot = place::read_in(client, product, &attempt, read).await?;
    let snapshot = snapshot.ok_or_else(|| {
        let text = "The product, or its configuration repository, does not exist.";
        Diagnostic::error(format!("Cannot {attempt}"), text).at(&Path::to("product"))
    })?;
    let pattern = compiled(name_regex)?;
    let entities = snapshot.tree().of_kind(kind);
    let mut entities: Vec<Entity> = entities
        .filter(|entity| {
            pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(&entity.name()))
        })
        .cloned()
        .collect();
    entities.sort_by_key(Entity::name);
    Ok((product, entities))
}

/// Compiles the pattern of a `name_regex` argument.
pub(crate) fn compiled(pattern: Option<&str>) -> Result<Option<Regex>, Diagnostics> {
    pattern.map(Regex::new).transpose().map_err(|error| {
        Diagnostic::error("Invalid value of name_regex", error.to_string())
            .at(&Path::to("name_regex"))
            .into()
    })
}

/// Checks that a text is a regular expression.
pub(crate) fn regular_expression() -> Validator {
    Validator::new(
        "Must be a regular expression.",
        |pattern: &String| match Regex::new(pattern) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("The regular expression cannot be read: {error}.")),
        },
    )
}
