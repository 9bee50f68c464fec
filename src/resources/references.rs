//! What the references that a user wrote mean.

use nautes_model::reference::{CodeRepoReference, EntityReference};
use nautes_model::{EntityName, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use crate::client::Client;
use crate::error_chain::sentence;
use crate::wait_graph::Request;

/// Resolves references inside a product; errors are on the attribute that holds the reference.
#[derive(Clone, Copy)]
pub(crate) struct ReferenceResolver<'a> {
    pub(crate) client: &'a Client,
    pub(crate) product: ProductId,
    /// The request that waits for what is about to be created; without one nothing is waited for.
    pub(crate) request: Option<&'a Request>,
}

impl ReferenceResolver<'_> {
    /// Returns the name of the entity that a reference means; an id of another product is refused.
    pub(crate) fn name(&self, attribute: &str, reference: &str) -> Result<EntityName, Diagnostics> {
        resolve_name(self.product, attribute, reference)
    }

    /// Returns the id of the code repository that a reference means.
    pub(crate) async fn code_repo(
        &self,
        attribute: &str,
        reference: &str,
    ) -> Result<RepositoryId, Diagnostics> {
        let parsed: CodeRepoReference = reference
            .parse()
            .map_err(|error| invalid_value(attribute, sentence(&error)))?;
        let name = match parsed {
            CodeRepoReference::Id(id) => return Ok(id),
            CodeRepoReference::Name(name) => name,
        };
        let repositories = self.client.code_repos()?;
        repositories
            .resolve(self.request, self.product, &name)
            .await
            .map_err(|found| found.at(&Path::to(attribute)))
    }
}

/// Returns the name of the entity that a reference means; an id of another product is refused.
pub(crate) fn resolve_name(
    product: ProductId,
    attribute: &str,
    reference: &str,
) -> Result<EntityName, Diagnostics> {
    let parsed = reference.parse::<EntityReference>();
    let name = parsed.and_then(|reference| reference.name_in(product).cloned());
    name.map_err(|error| invalid_value(attribute, sentence(&error)))
}

/// Returns a name in the model's type; an error is on its attribute.
pub(crate) fn entity_name(attribute: &str, name: &str) -> Result<EntityName, Diagnostics> {
    EntityName::new(name).map_err(|error| invalid_value(attribute, sentence(&error)))
}

/// Returns the error of an attribute's value.
pub(crate) fn invalid_value(attribute: &str, detail: String) -> Diagnostics {
    Diagnostic::error(format!("Invalid value for {attribute}"), detail)
        .at(&Path::to(attribute))
        .into()
}

/// Refuses a name that GitLab takes for a number where it is a whole path.
pub(crate) fn check_top_level_path(attribute: &str, path: &str) -> Result<(), Diagnostics> {
    if path.chars().all(|character| character.is_ascii_digit()) {
        let detail = format!(
            "GitLab takes a path of digits alone, such as {path}, for the number of a group. Choose a name with a letter, or make products below a group: set the provider argument gitlab.parent_group."
        );
        return Err(invalid_value(attribute, detail));
    }
    Ok(())
}

/// The name at the end of a reference by id or by name.
pub(crate) fn name_in(reference: &str) -> &str {
    reference
        .rsplit_once('/')
        .map_or(reference, |(_, name)| name)
}
