//! Attributes and checks that several kinds share.

use std::collections::BTreeSet;

use nautes_model::name::NameRule;
use nautes_model::reference::{CodeRepoReference, EntityReference, ProductReference};
use terraform_plugin::model::Model;
use terraform_plugin::resource::Timeouts;
use terraform_plugin::schema::Validator;
use terraform_plugin::value::Tf;

/// What every kind inside a product has.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct InProduct {
    /// The product, by id or by name. Only the id survives a rename of the product.
    #[tf(replace, validate(product_reference()))]
    pub(crate) product: String,
    /// Whether changes are written without checking the rules of the model; the provider's setting
    /// by default.
    pub(crate) insecure_skip_check: Option<bool>,
    /// How long operations may take.
    pub(crate) timeouts: Option<Timeouts>,
    /// Identifier: the product's id and the name, with a slash between them.
    #[tf(stable)]
    pub(crate) id: Tf<String>,
    /// Kubernetes namespace of the product's entities.
    #[tf(stable)]
    pub(crate) namespace: Tf<String>,
    /// Path of the manifest in the product's configuration repository.
    #[tf(stable)]
    pub(crate) manifest_path: Tf<String>,
    /// What was found to differ at the last refresh and no other attribute shows; an update repairs
    /// it.
    #[tf(cleared)]
    pub(crate) drift: Tf<BTreeSet<String>>,
}

/// Checks a name by the rule of its kind.
pub(crate) fn name_of(rule: NameRule) -> Validator {
    Validator::new(rule.description(), move |name: &String| {
        rule.check(name).map_err(|error| format!("{error}."))
    })
}

/// Checks that a text can name a product.
pub(crate) fn product_reference() -> Validator {
    let description = "Must be the id or the name of a product.";
    Validator::new(description, |text: &String| {
        match text.parse::<ProductReference>() {
            Ok(ProductReference::Id(_)) => Ok(()),
            Ok(ProductReference::Name(name)) => NameRule::ProductInParentGroup
                .check(&name)
                .map_err(|error| format!("{error}.")),
            Err(error) => Err(format!("{error}.")),
        }
    })
}

/// Checks that a text can name a code repository.
pub(crate) fn code_repo_reference() -> Validator {
    let description = "Must be the id or the name of a code repository of the same product.";
    Validator::new(description, |text: &String| {
        match text.parse::<CodeRepoReference>() {
            Ok(CodeRepoReference::Id(_)) => Ok(()),
            Ok(CodeRepoReference::Name(name)) => NameRule::CodeRepo
                .check(&name)
                .map_err(|error| format!("{error}.")),
            Err(error) => Err(format!("{error}.")),
        }
    })
}

/// Checks that a text can name an entity of the product; `what` it is, with its article.
pub(crate) fn entity_reference(what: &str) -> Validator {
    let description = format!("Must be the id or the name of {what} of the same product.");
    Validator::new(description, |text: &String| names_an_entity(text))
}

/// Checks that a text can name an entity of the product, or is empty and names none.
pub(crate) fn entity_reference_or_empty(what: &str) -> Validator {
    let description =
        format!("Must be the id or the name of {what} of the same product, or empty for none.");
    Validator::new(description, |text: &String| {
        if text.is_empty() {
            Ok(())
        } else {
            names_an_entity(text)
        }
    })
}

fn names_an_entity(text: &str) -> Result<(), String> {
    text.parse::<EntityReference>()
        .map(drop)
        .map_err(|error| format!("{error}."))
}

/// Checks that a text is not empty.
pub(crate) fn not_empty() -> Validator {
    Validator::new("Must not be empty.", |text: &String| {
        if text.is_empty() {
            Err("The value is empty.".to_owned())
        } else {
            Ok(())
        }
    })
}
