//! The data sources that list the entities of a product.

use std::collections::HashMap;
use std::marker::PhantomData;

use nautes_model::entity::Entity;
use nautes_model::tree::ManifestTree;
use nautes_model::{EntityKey, EntityName, Kind, ProductId};
use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::Path;

use crate::backends::gitlab::Project;
use crate::client::Client;
use crate::resources::attribute::{compile_name_regex, product_reference, regular_expression};
use crate::resources::home::Home;
use crate::resources::references::{invalid_value, resolve_name};

/// The arguments of every such data source.
#[derive(Model)]
pub(crate) struct ListArguments {
    /// The product, by id or by name.
    #[tf(validate(product_reference()))]
    pub(crate) product: String,
    /// Lists only those whose name matches this regular expression.
    #[tf(validate(regular_expression()))]
    pub(crate) name_regex: Option<String>,
}

/// A list of the entities of one kind, as a data source shows it.
pub(crate) trait EntityList: Model {
    /// The kind.
    const KIND: Kind;
    /// The type name of the data source.
    const TYPE_NAME: &'static str;
    /// The description of the data source.
    const DESCRIPTION: &'static str;
    /// The optional arguments: `name_regex`, and `project` if the list can be filtered by it.
    const OPTIONAL: &'static [&'static str] = &["name_regex"];

    /// The arguments that every list has.
    fn arguments(config: &PlanOf<Self>) -> &PlanOf<ListArguments>;

    /// The argument `project`, if it is set.
    fn project(config: &PlanOf<Self>) -> Option<String> {
        let _ = config;
        None
    }

    /// Whether an entity is listed for a project.
    fn is_of_project(entity: &Entity, project: &EntityName) -> bool {
        let _ = (entity, project);
        true
    }

    /// The name that the list is filtered and sorted by.
    fn name(entity: &Entity) -> String {
        entity.name().to_string()
    }

    /// Whether the list shows attributes of GitLab projects.
    const SHOWS_PROJECTS: bool = false;

    /// Makes the list.
    fn new(arguments: ListArguments, project: Option<String>, found: &Listed<'_>) -> Self;
}

/// The entities that are listed, sorted by name.
pub(crate) struct Listed<'a> {
    /// The product.
    pub(crate) product: ProductId,
    /// The entities, each with the path of its manifest.
    pub(crate) entities: Vec<(&'a Entity, String)>,
    /// The GitLab projects in the product's group by number, if the list shows them.
    pub(crate) projects: HashMap<u64, Project>,
}

/// The data source of a list.
pub(crate) struct ListDataSource<L>(PhantomData<fn() -> L>);

impl<L> ListDataSource<L> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<L: EntityList + 'static> DataSource for ListDataSource<L> {
    type Client = Client;
    type Data = L;
    const TYPE_NAME: &'static str = L::TYPE_NAME;
    const DESCRIPTION: &'static str = <L as EntityList>::DESCRIPTION;
    const REQUIRED: &'static [&'static str] = &["product"];
    const OPTIONAL: &'static [&'static str] = L::OPTIONAL;

    async fn read(
        &self,
        context: &mut Context<Client>,
        config: PlanOf<L>,
    ) -> Result<L, Diagnostics> {
        let client = context.client();
        let arguments = L::arguments(&config);
        let arguments = ListArguments {
            product: arguments.product.require_known("product")?.clone(),
            name_regex: arguments.name_regex.known().cloned(),
        };
        let project = L::project(&config);
        let pattern = compile_name_regex(arguments.name_regex.as_deref())?;
        let product = client.products()?.resolve(&arguments.product).await?;
        let owner = project
            .as_deref()
            .map(|project| resolve_name(product, "project", project))
            .transpose()?;
        let attempt = format!("list the {} of {product}", L::KIND.plural_noun());
        let snapshot = Home::product(client, product).snapshot(&attempt).await?;
        let snapshot = snapshot.ok_or_else(|| {
            let detail = "The product, or its configuration repository, does not exist.";
            Diagnostic::error(format!("Cannot {attempt}"), detail).at(&Path::to("product"))
        })?;
        let tree = snapshot.tree();
        if let Some(owner) = &owner {
            require_project(tree, product, owner)?;
        }
        let mut entities: Vec<&Entity> = tree
            .entities_of_kind(L::KIND)
            .filter(|entity| {
                let is_match = |pattern: &regex::Regex| pattern.is_match(&L::name(entity));
                pattern.as_ref().is_none_or(is_match)
            })
            .filter(|entity| {
                let is_listed = |owner| L::is_of_project(entity, owner);
                owner.as_ref().is_none_or(is_listed)
            })
            .collect();
        entities.sort_by_key(|entity| L::name(entity));
        let path = |entity: &Entity| tree.find(&entity.key()).map(|(path, _)| path.to_owned());
        let entities = entities.into_iter();
        let entities = entities.map(|entity| (entity, path(entity).unwrap_or_default()));
        let projects = if L::SHOWS_PROJECTS {
            client.code_repos()?.projects(product).await?
        } else {
            Vec::new()
        };
        let projects = projects.into_iter().map(|project| (project.id, project));
        let found = Listed {
            product,
            entities: entities.collect(),
            projects: projects.collect(),
        };
        Ok(L::new(arguments, project, &found))
    }
}

/// Refuses to filter by a project that does not exist, which would find nothing.
fn require_project(
    tree: &ManifestTree,
    product: ProductId,
    name: &EntityName,
) -> Result<(), Diagnostics> {
    if tree.contains(&EntityKey::new(Kind::Project, name.clone())) {
        return Ok(());
    }
    let names: Vec<String> = tree
        .entities_of_kind(Kind::Project)
        .map(|project| project.name().to_string())
        .collect();
    let existing = match names.as_slice() {
        [] => "It has no projects.".to_owned(),
        names => format!("Its projects are: {}.", names.join(", ")),
    };
    let detail =
        format!("{product} has no project {name}, so the filter finds nothing. {existing}");
    Err(invalid_value("project", detail))
}

#[cfg(test)]
mod tests {
    use nautes_model::entity::Project;
    use nautes_model::layout::Repository;

    use super::*;

    #[test]
    fn a_filter_by_a_project_that_does_not_exist_is_an_error_with_those_that_do() {
        let product = ProductId::new(7);
        let mut tree = ManifestTree::new(Repository::Product(product));
        let name = |name: &str| EntityName::new(name).unwrap();
        let project = Project {
            name: name("checkout"),
            product,
            language: String::new(),
        };
        tree.put(&project.into()).unwrap();
        assert!(require_project(&tree, product, &name("checkout")).is_ok());
        let found = require_project(&tree, product, &name("chekout")).unwrap_err();
        let detail = &found.iter().next().unwrap().detail;
        assert!(detail.ends_with("Its projects are: checkout."), "{detail}");
    }
}
