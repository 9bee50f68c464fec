//! What the references that a user wrote mean.

use nautes_model::reference::{CodeRepoReference, EntityReference};
use nautes_model::{EntityName, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use crate::provider::Client;

/// Follows the references of an entity of a product; errors are on the attribute that holds the reference.
#[derive(Clone, Copy)]
pub(crate) struct Referring<'a> {
    pub(crate) client: &'a Client,
    pub(crate) product: ProductId,
}

impl Referring<'_> {
    /// Returns the name of the entity that a reference means; an id of another product is refused.
    pub(crate) fn named(
        &self,
        attribute: &str,
        reference: &str,
    ) -> Result<EntityName, Diagnostics> {
        let parsed = reference.parse::<EntityReference>();
        let name = parsed.and_then(|reference| reference.name_in(self.product).cloned());
        name.map_err(|error| invalid(attribute, format!("{error}.")))
    }

    /// Returns the id of the code repository that a reference means.
    ///
    /// A repository that another request of this run is about to create is waited for.
    pub(crate) async fn code_repo(
        &self,
        attribute: &str,
        reference: &str,
    ) -> Result<RepositoryId, Diagnostics> {
        let parsed: CodeRepoReference = reference
            .parse()
            .map_err(|error| invalid(attribute, format!("{error}.")))?;
        let name = match parsed {
            CodeRepoReference::Id(id) => return Ok(id),
            CodeRepoReference::Name(name) => name,
        };
        let repositories = self.client.code_repos();
        repositories
            .id_of(self.client, self.product, &name)
            .await
            .map_err(|found| found.at(&Path::to(attribute)))
    }
}

fn invalid(attribute: &str, text: String) -> Diagnostics {
    Diagnostic::error(format!("Invalid value of {attribute}"), text)
        .at(&Path::to(attribute))
        .into()
}
