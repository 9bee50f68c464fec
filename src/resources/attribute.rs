//! Attributes, arguments and checks that several kinds share.

use std::collections::BTreeSet;

use nautes_model::name::NameRule;
use nautes_model::reference::{CodeRepoReference, EntityReference, ProductReference};
use regex::Regex;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::resource::Timeouts;
use terraform_plugin::schema::Validator;
use terraform_plugin::value::{Known, Tf};

use crate::client::Client;
use crate::config_repo::Validation;

/// The attributes that every kind in a product has.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct CommonAttributes {
    /// The product, by id or by name. Only the id survives a rename of the product.
    #[tf(replace, validate(product_reference()))]
    pub(crate) product: String,
    /// Whether changes are written without checking the rules of the model; the provider's setting
    /// by default.
    pub(crate) insecure_skip_check: Option<bool>,
    /// How long operations may take.
    pub(crate) timeouts: Option<Timeouts>,
    /// Identifier: the product's id and the name, with a slash between them; of a code repository,
    /// `repo-` and the number of its GitLab project, which survives renames.
    #[tf(stable)]
    pub(crate) id: Tf<String>,
    /// Kubernetes namespace of the product's entities.
    #[tf(stable)]
    pub(crate) namespace: Tf<String>,
    /// Path of the manifest in the product's configuration repository.
    #[tf(follows(["drift"]))]
    pub(crate) manifest_path: Tf<String>,
    /// What was found to differ at the last refresh and no other attribute shows; an update repairs
    /// it.
    #[tf(cleared)]
    pub(crate) drift: Tf<BTreeSet<String>>,
}

impl CommonAttributes {
    /// The attributes of an object of which only the reference to its product is known.
    pub(crate) fn new(product: String) -> Self {
        Self {
            product,
            insecure_skip_check: None,
            timeouts: None,
            id: Tf::Null,
            namespace: Tf::Null,
            manifest_path: Tf::Null,
            drift: Tf::Null,
        }
    }

    /// Whether changes are validated: as the resource says, else as the provider does.
    pub(crate) fn validation(&self, client: &Client) -> Validation {
        let provider = client.settings().insecure_skip_check;
        if self.insecure_skip_check.unwrap_or(provider) {
            Validation::Skip
        } else {
            Validation::Full
        }
    }
}

impl CommonAttributesPlan {
    /// Keeps the path of an existing manifest, unless the last refresh found the manifest itself to
    /// be at fault, so that an update may write it elsewhere.
    pub(crate) fn keep_manifest_path(&mut self, prior: &CommonAttributes) {
        let mut drift = prior.drift.known().into_iter().flatten();
        if self.manifest_path.is_unknown() && !drift.any(|found| found.contains("manifest")) {
            self.manifest_path.clone_from(&prior.manifest_path);
        }
    }

    /// Plans the namespace of what is created in a product that is referred to by id. A name may mean
    /// another product by the time of the apply.
    pub(crate) fn plan_namespace(&mut self) {
        let reference = self.product.known().and_then(|text| text.parse().ok());
        if let Some(ProductReference::Id(product)) = reference {
            self.namespace = Known(product.to_string());
        }
    }
}

/// Returns the value of `drift` for what was found; null if there is nothing.
pub(crate) fn drift_attribute(found: impl IntoIterator<Item = String>) -> Tf<BTreeSet<String>> {
    let found: BTreeSet<String> = found.into_iter().collect();
    Some(found).filter(|found| !found.is_empty()).into()
}

/// Checks a name by the rule of its kind.
pub(crate) fn name_rule(rule: NameRule) -> Validator {
    Validator::new(rule.description(), move |name: &String| {
        rule.check(name).map_err(|error| format!("{error}."))
    })
}

/// Checks that a text can refer to a product.
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

/// Checks that a text can refer to a code repository.
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

/// Checks that a text can refer to an entity of the product; `noun` is its kind with an article.
pub(crate) fn entity_reference(noun: &str) -> Validator {
    let description = format!("Must be the id or the name of {noun} of the same product.");
    Validator::new(description, |text: &String| check_entity_reference(text))
}

/// Checks that a text can refer to an entity of the product, or is empty.
pub(crate) fn entity_reference_or_empty(noun: &str) -> Validator {
    let description =
        format!("Must be the id or the name of {noun} of the same product, or empty for none.");
    Validator::new(description, |text: &String| {
        if text.is_empty() {
            Ok(())
        } else {
            check_entity_reference(text)
        }
    })
}

fn check_entity_reference(text: &str) -> Result<(), String> {
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

/// Compiles the pattern of a `name_regex` argument.
pub(crate) fn compile_name_regex(pattern: Option<&str>) -> Result<Option<Regex>, Diagnostics> {
    pattern
        .map(Regex::new)
        .transpose()
        .map_err(|error| super::references::invalid_value("name_regex", format!("{error}.")))
}

/// Checks that an object is looked up either by its id, or by its product and name.
pub(crate) fn check_lookup_arguments(id: bool, product: bool, name: bool) -> Diagnostics {
    match (id, product, name) {
        (true, false, false) | (false, true, true) => Diagnostics::default(),
        _ => Diagnostic::error(
            "Arguments exclude each other",
            "Set either id, or both product and name.",
        )
        .into(),
    }
}

/// Splits an import id into the reference to a product and a name; `noun` is the kind.
pub(crate) fn split_import_id(noun: &str, id: &str) -> Result<(String, String), Diagnostics> {
    match id.rsplit_once('/') {
        Some((product, name)) if !product.is_empty() && !name.is_empty() => {
            Ok((product.to_owned(), name.to_owned()))
        }
        _ => {
            let detail = format!(
                "{id:?} does not name a product and a {noun}. Write <product>/<name>, for example shop/{noun}-name or product-12/{noun}-name."
            );
            Err(Diagnostic::error("Invalid import id", detail).into())
        }
    }
}
