//! The products that the token can see.

use super::config_repository;
use super::products::Products;
use crate::backends::gitlab::{Error, Project};

/// How many names an error lists.
const LISTED: usize = 20;

impl Products {
    /// Lists the products by name, each with the project of its configuration repository.
    pub(crate) async fn list(&self) -> Result<Vec<(String, Project)>, Error> {
        let found = self
            .gitlab
            .projects_matching(config_repository::NAME)
            .await?;
        let mut products: Vec<_> = found
            .into_iter()
            .filter(|project| project.path == config_repository::NAME)
            .filter(|project| !project.is_marked_for_deletion())
            .filter_map(|project| Some((self.product_name(&project)?, project)))
            .collect();
        products.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(products)
    }

    /// Returns a sentence that names the products that exist, for an error about one that does not.
    /// One call for all errors of a process; empty if it fails.
    pub(super) async fn existing(&self) -> &str {
        self.existing
            .get_or_init(async || match self.list().await {
                Err(_) => String::new(),
                Ok(products) => name_all(products.iter().map(|(name, _)| name.as_str())),
            })
            .await
    }

    /// Returns the name of the product that a configuration repository belongs to; `None` if it is not
    /// one of this provider's.
    fn product_name(&self, project: &Project) -> Option<String> {
        let Project { namespace, .. } = project;
        // A group that is marked for deletion has this name, and its projects have no mark of their own.
        let marked = format!("-deletion_scheduled-{}", namespace.id);
        if namespace.kind != "group" || namespace.full_path.ends_with(&marked) {
            return None;
        }
        let full_path = &project.namespace.full_path;
        let name = full_path.rsplit('/').next().unwrap_or(full_path);
        (self.full_path(name) == *full_path).then(|| name.to_owned())
    }
}

fn name_all<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(LISTED);
    let names: Vec<_> = names.take(LISTED).collect();
    match (names.as_slice(), more) {
        ([], _) => " The token sees no product.".to_owned(),
        (names, 0) => format!(" The products are: {}.", names.join(", ")),
        (names, more) => format!(" The products are: {}, and {more} more.", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_twenty_names_are_listed() {
        assert_eq!(name_all([].into_iter()), " The token sees no product.");
        assert_eq!(name_all(["a", "b"].into_iter()), " The products are: a, b.");
        let names: Vec<String> = (0..22).map(|number| format!("p{number}")).collect();
        let text = name_all(names.iter().map(String::as_str));
        assert!(text.ends_with("p18, p19, and 2 more."), "{text}");
    }
}
