//! Attributes, arguments and checks that several kinds share.

use std::collections::BTreeSet;

use nautes_model::name::NameRule;
use nautes_model::reference::{CodeRepoReference, EntityReference, ProductReference};
use nautes_model::{EntityName, Kind};
use regex::Regex;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::resource::Timeouts;
use terraform_plugin::schema::Validator;
use terraform_plugin::value::{Known, Path, Tf};

use crate::client::Client;
use crate::config_repo::Validation;
use crate::error_chain::{capitalized, error_chain, sentence};

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
    /// `repo-` and the numeric ID of its GitLab project, which survives renames.
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

/// What `drift` says of an update that failed after the manifest was written: the state has what the manifest has, and
/// the next plan goes on.
pub(crate) const UNFINISHED: &str = "the last update was not finished";

/// Returns the value of `drift` for what was found; null if there is nothing.
pub(crate) fn drift_attribute(found: impl IntoIterator<Item = String>) -> Tf<BTreeSet<String>> {
    let found: BTreeSet<String> = found.into_iter().collect();
    Some(found).filter(|found| !found.is_empty()).into()
}

/// Checks a name by the rule of its kind.
pub(crate) fn name_rule(rule: NameRule) -> Validator {
    Validator::new(rule.description(), move |name: &String| {
        rule.check(name)
            .map_err(|error| format!("{}{}", sentence(&error), parent_group_hint(rule, name)))
    })
}

/// Says how to make a product below a group, if its name is a path.
fn parent_group_hint(rule: NameRule, name: &str) -> String {
    match (rule, name.rsplit_once('/')) {
        (NameRule::ProductInParentGroup, Some((parent, name)))
            if !parent.is_empty() && !name.is_empty() =>
        {
            format!(
                " To make the product below a group, write name = {name:?}, and in the provider block gitlab.parent_group = {parent:?}."
            )
        }
        _ => String::new(),
    }
}

/// Checks that a text can refer to a product.
pub(crate) fn product_reference() -> Validator {
    reference("the id or the name of a product", |text| {
        match text
            .parse::<ProductReference>()
            .map_err(|error| error_chain(&error))?
        {
            ProductReference::Id(_) => Ok(()),
            ProductReference::Name(name) => check_name(NameRule::ProductInParentGroup, &name),
        }
    })
}

/// Checks that a text can refer to a code repository.
pub(crate) fn code_repo_reference() -> Validator {
    let expected = "the id or the name of a code repository of the same product";
    reference(expected, |text| {
        match text
            .parse::<CodeRepoReference>()
            .map_err(|error| error_chain(&error))?
        {
            CodeRepoReference::Id(_) => Ok(()),
            CodeRepoReference::Name(name) => check_name(NameRule::CodeRepo, &name),
        }
    })
}

/// Checks that a text can refer to an entity of the product; `noun` is its kind with an article.
pub(crate) fn entity_reference(noun: &str) -> Validator {
    let expected = format!("the id or the name of {noun} of the same product");
    reference(&expected, check_entity_reference)
}

/// Checks that a text can refer to an entity of the product, or is empty.
pub(crate) fn entity_reference_or_empty(noun: &str) -> Validator {
    let expected = format!("the id or the name of {noun} of the same product, or empty for none");
    reference(&expected, |text| match text {
        "" => Ok(()),
        text => check_entity_reference(text),
    })
}

/// A check of a reference; `check` returns why a text is none.
fn reference(
    expected: &str,
    check: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static,
) -> Validator {
    let description = format!("Must be {expected}.");
    let expected = expected.to_owned();
    Validator::new(description, move |text: &String| {
        check(text)
            .map_err(|reason| format!("{}. The value must be {expected}.", capitalized(&reason)))
    })
}

fn check_name(rule: NameRule, name: &str) -> Result<(), String> {
    rule.check(name).map_err(|error| error.to_string())
}

fn check_entity_reference(text: &str) -> Result<(), String> {
    let parsed = text.parse::<EntityReference>();
    parsed.map(drop).map_err(|error| error_chain(&error))
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

/// Checks the name of a branch by the rules of git (`git check-ref-format --branch`).
pub(crate) fn branch_name() -> Validator {
    let description = "Must be the name of a branch, without `refs/heads/`.";
    Validator::new(description, |name: &String| {
        let is_part = |part: &str| {
            !part.is_empty() && !part.starts_with('.') && !part.to_lowercase().ends_with(".lock")
        };
        let is_forbidden = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
        let is_name = name.split('/').all(is_part)
            && !name.starts_with("refs/")
            && !name.starts_with('-')
            && !name.ends_with('.')
            && !name.contains("..")
            && !name.contains("@{")
            && !name.contains(is_forbidden)
            && !matches!(name.as_str(), "@" | "HEAD");
        if is_name {
            Ok(())
        } else {
            Err(format!(
                "{name:?} is not the name of a branch, such as main."
            ))
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
    const RULE: &str = "Set either id, or both product and name.";
    let error = |summary: &str, detail: String, attribute: &str| {
        let detail = format!("{detail} {RULE}");
        Diagnostic::error(summary, detail)
            .at(&Path::to(attribute))
            .into()
    };
    let conflicting = |attribute: &str| {
        let detail = format!("id and {attribute} cannot be set together.");
        error("Conflicting arguments", detail, attribute)
    };
    let missing = |attribute: &str| {
        error(
            "Missing argument",
            format!("{attribute} is not set."),
            attribute,
        )
    };
    match (id, product, name) {
        (true, false, false) | (false, true, true) => Diagnostics::default(),
        (true, true, _) => conflicting("product"),
        (true, false, true) => conflicting("name"),
        (false, true, false) => missing("name"),
        (false, false, true) => missing("product"),
        (false, false, false) => missing("id"),
    }
}

/// Splits an import id of an entity into the reference to its product and the name.
pub(crate) fn split_import_id(kind: Kind, id: &str) -> Result<(String, String), Diagnostics> {
    let invalid = |reason: &str| {
        let example = match kind {
            Kind::Project => "checkout",
            Kind::CodeRepoBinding => "checkout-deploy",
            _ => "staging",
        };
        let forms = format!("<product>/<name>, such as shop/{example} or product-12/{example}");
        invalid_import_id(kind, id, reason, &forms)
    };
    let (product, name) = id.rsplit_once('/').unwrap_or(("", id));
    check_product_path(product).map_err(|reason| invalid(&reason))?;
    EntityName::new(name).map_err(|error| invalid(&error.to_string()))?;
    Ok((product.to_owned(), name.to_owned()))
}

/// Checks the product in an import id: its id, its name or a path of groups.
pub(crate) fn check_product_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("it names no product".to_owned());
    }
    if path.contains('/') {
        let is_segment = |segment: &str| {
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            !segment.is_empty() && segment.chars().all(is_allowed)
        };
        return if path.split('/').all(is_segment) {
            Ok(())
        } else {
            Err(format!("`{path}` is not the path of a group"))
        };
    }
    match path.parse::<ProductReference>() {
        Ok(ProductReference::Id(_)) => Ok(()),
        Ok(ProductReference::Name(name)) => NameRule::ProductInParentGroup
            .check(&name)
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns the error of an import id of the wrong form.
pub(crate) fn invalid_import_id(kind: Kind, id: &str, reason: &str, forms: &str) -> Diagnostics {
    let what = match id {
        "" => "The import id is empty".to_owned(),
        _ => format!(
            "{id:?} is not an import id of the kind {}: {reason}",
            kind.terraform_type()
        ),
    };
    Diagnostic::error("Invalid import id", format!("{what}. Write {forms}.")).into()
}

/// Checks that a data source is given an id or a name, and not both.
pub(crate) fn check_id_or_name(id: &Tf<String>, name: &Tf<String>) -> Diagnostics {
    let (summary, detail) = match (id.is_null(), name.is_null()) {
        (false, false) => (
            "Conflicting arguments",
            "id and name cannot be set together. Remove one of them.",
        ),
        (true, true) => (
            "Missing argument",
            "Neither id nor name is set. Set one of them.",
        ),
        _ => return Diagnostics::default(),
    };
    Diagnostic::error(summary, detail)
        .at(&Path::to("name"))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_a_look_up_that_do_not_fit_are_named() {
        let found = |id, product, name| {
            let found = check_lookup_arguments(id, product, name);
            let found = found.iter().next().unwrap();
            (
                found.path.clone().unwrap().to_string(),
                found.detail.clone(),
            )
        };
        let rule = "Set either id, or both product and name.";
        for (set, at, detail) in [
            (
                (true, true, false),
                "product",
                "id and product cannot be set together.",
            ),
            (
                (true, false, true),
                "name",
                "id and name cannot be set together.",
            ),
            ((false, true, false), "name", "name is not set."),
            ((false, false, false), "id", "id is not set."),
        ] {
            let found = found(set.0, set.1, set.2);
            assert_eq!(found, (at.to_owned(), format!("{detail} {rule}")));
        }
    }

    #[test]
    fn a_malformed_import_id_is_answered_with_the_forms_that_are_allowed() {
        for id in [
            "",
            "/",
            "shop",
            "shop/",
            "/dev",
            "shop/Dev",
            "sh op/dev",
            "repo-12/dev",
            "a//dev",
        ] {
            let found = split_import_id(Kind::Environment, id).unwrap_err();
            let found = found.iter().next().unwrap();
            assert_eq!(found.summary, "Invalid import id");
            let forms = "Write <product>/<name>, such as shop/staging or product-12/staging.";
            assert!(found.detail.ends_with(forms), "{}", found.detail);
        }
        for id in ["shop/dev", "product-12/dev", "acme/platform/shop/dev"] {
            assert!(split_import_id(Kind::Environment, id).is_ok(), "{id}");
        }
    }
}
