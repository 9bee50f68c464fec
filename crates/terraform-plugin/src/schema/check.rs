//! The rules for schemas, so that a provider's own tests find mistakes.
//!
//! Terraform checks some of them when it loads a provider (`internal/configs/configschema/internal_validate.go`). It
//! accepts violations of the others, which then fail for users.

use super::configuration::check_value;
use super::{
    Attribute, AttributeKind, Attributes, LostOption, Nesting, OnChange, Presence, Schema,
};
use crate::value::{Path, Type};

/// What a schema describes, which decides the rules for its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaKind {
    /// The provider block.
    Provider,
    /// A resource or data source.
    Resource,
    /// An ephemeral resource. Nothing of it is stored, so it has no write-only attributes.
    EphemeralResource,
    /// The arguments of a list resource, in a block of their own.
    ListResource,
    /// The arguments of an action, in a block of their own.
    Action,
}

/// A mistake in a schema or in the signature of a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject}{separator}{path}: {reason}", separator = if path.steps().is_empty() { "" } else { ", attribute " })]
pub struct SchemaFault {
    /// The owner of the schema, such as `resource cloud_bucket`.
    pub subject: String,
    /// The attribute, or the root for the whole schema.
    pub path: Path,
    /// What is wrong.
    pub reason: String,
}

const RESERVED_IN_RESOURCES: [&str; 7] = [
    "count",
    "for_each",
    "depends_on",
    "provider",
    "lifecycle",
    "connection",
    "provisioner",
];
const RESERVED_IN_PROVIDERS: [&str; 2] = ["alias", "version"];

pub(super) fn faults(schema: &Schema, subject: &str, kind: SchemaKind) -> Vec<SchemaFault> {
    let mut checker = Checker {
        subject,
        kind,
        in_collection: false,
        faults: Vec::new(),
    };
    let path = Path::root();
    if schema.version < 0 {
        checker.fault(&path, "the version is negative");
    }
    if schema.description.trim().is_empty() {
        checker.fault(&path, "it has no description");
    }
    let reserved: &[&str] = match kind {
        SchemaKind::Provider => &RESERVED_IN_PROVIDERS,
        SchemaKind::Resource | SchemaKind::EphemeralResource => &RESERVED_IN_RESOURCES,
        SchemaKind::ListResource | SchemaKind::Action => &[],
    };
    for name in schema
        .attributes
        .keys()
        .filter(|name| reserved.contains(&name.as_str()))
    {
        checker.fault(&path.attribute(name), "Terraform reserves the name");
    }
    checker.check_attributes(&schema.attributes, &path, false);
    checker.faults
}

/// Returns what is wrong with the name of an attribute, parameter or function.
pub(crate) fn name_fault(name: &str) -> Option<&'static str> {
    let starts = name.starts_with(|first: char| first == '_' || first.is_ascii_lowercase());
    let valid =
        |letter: char| letter == '_' || letter.is_ascii_lowercase() || letter.is_ascii_digit();
    (!starts || !name.chars().all(valid))
        .then_some("names consist of a-z, 0-9 and _ and do not start with a digit")
}

struct Checker<'a> {
    subject: &'a str,
    kind: SchemaKind,
    /// Whether the attribute is inside of a list, set or map of objects.
    in_collection: bool,
    faults: Vec<SchemaFault>,
}

impl Checker<'_> {
    fn fault(&mut self, path: &Path, reason: impl Into<String>) {
        self.faults.push(SchemaFault {
            subject: self.subject.to_owned(),
            path: path.clone(),
            reason: reason.into(),
        });
    }

    fn check_attributes(&mut self, attributes: &Attributes, path: &Path, in_set: bool) {
        for (name, attribute) in attributes {
            let path = path.attribute(name);
            if let Some(reason) = name_fault(name) {
                self.fault(&path, reason);
            }
            if attribute.is_duplicate {
                self.fault(&path, "two fields of the model define the attribute");
            }
            self.check_attribute(attribute, &path, in_set);
            let named = attribute
                .sibling_rules
                .iter()
                .flat_map(super::SiblingRule::names);
            let followed = match &attribute.on_change {
                OnChange::Follows(names) => names.as_slice(),
                _ => &[],
            };
            for sibling in named.chain(followed) {
                if !attributes.contains_key(sibling) {
                    self.fault(
                        &path,
                        format!("a rule names {sibling}, which is not a sibling attribute"),
                    );
                }
            }
        }
    }

    fn check_attribute(&mut self, attribute: &Attribute, path: &Path, in_set: bool) {
        if attribute.description.trim().is_empty() {
            self.fault(path, "it has no description");
        }
        self.check_context(attribute, path);
        self.check_rust_type(attribute, path);
        let computed = attribute.is_computed();
        if attribute.on_change != OnChange::default() && !computed {
            self.fault(
                path,
                "`stable`, `follows` and `cleared` require a computed attribute",
            );
        }
        if attribute.on_change == OnChange::Cleared && attribute.presence != Presence::Computed {
            self.fault(
                path,
                "`cleared` requires an attribute that users cannot set",
            );
        }
        if attribute.default.is_some() && attribute.on_change != OnChange::default() {
            self.fault(path, "`default` excludes `stable`, `follows` and `cleared`");
        }
        if attribute.replace && attribute.presence == Presence::Computed {
            self.fault(path, "`replace` requires an attribute that users can set");
        }
        if attribute.presence == Presence::Computed && !attribute.validators.is_empty() {
            self.fault(path, "`validate` requires an attribute that users can set");
        }
        if attribute.presence == Presence::Computed && !attribute.sibling_rules.is_empty() {
            self.fault(
                path,
                "rules about siblings require an attribute that users can set",
            );
        }
        if attribute.presence == Presence::WriteOnly && attribute.default.is_some() {
            self.fault(path, "a write-only attribute cannot have a default");
        }
        if attribute.presence == Presence::WriteOnly && attribute.equivalent.is_some() {
            self.fault(
                path,
                "`equivalent` compares with the stored value, which a write-only attribute does not have",
            );
        }
        if in_set {
            if attribute.presence == Presence::WriteOnly {
                self.fault(path, "elements of a set cannot have write-only attributes");
            }
            // Terraform matches elements of a set by their whole value, so it cannot match one with a computed part.
            if computed && attribute.default.is_none() {
                self.fault(
                    path,
                    "elements of a set cannot have computed attributes; use a map",
                );
            }
        }
        match &attribute.kind {
            AttributeKind::Typed(kind) => self.check_dynamic(kind, path, in_set),
            AttributeKind::Nested(nesting, attributes) => {
                if attributes.is_empty() {
                    self.fault(path, "a nested attribute needs attributes");
                }
                if attribute.presence == Presence::Computed
                    && attributes
                        .values()
                        .any(|child| child.presence != Presence::Computed)
                {
                    self.fault(
                        path,
                        "every attribute inside a computed attribute must be computed",
                    );
                }
                // Terraform drops the stored value if it contains an attribute that only users can set.
                if attribute.presence == Presence::OptionalComputed
                    && attribute.default.is_none()
                    && attributes.values().any(|child| !child.is_computed())
                {
                    self.fault(
                        path,
                        "every attribute inside an optional and computed attribute must be computed",
                    );
                }
                let outer = self.in_collection;
                self.in_collection |= *nesting != Nesting::Single;
                self.check_attributes(attributes, path, in_set || *nesting == Nesting::Set);
                self.in_collection = outer;
            }
        }
    }

    /// Checks that the options fit the Rust type of the attribute.
    fn check_rust_type(&mut self, attribute: &Attribute, path: &Path) {
        if attribute.type_presence == Some(Presence::Required)
            && attribute.default.is_none()
            && matches!(
                attribute.presence,
                Presence::Optional | Presence::OptionalComputed
            )
        {
            self.fault(
                path,
                "an optional attribute without a default needs a field of type `Option` or `Tf`",
            );
        }
        let value_type = attribute.kind.value_type();
        for validator in &attribute.validators {
            if !validator.accepts(&value_type) {
                let text = validator.description();
                let reason = format!("a validator is for values of another type: {text:?}");
                self.fault(path, reason);
            }
        }
        if let Some(default) = &attribute.default {
            for found in &check_value(attribute, default, path) {
                self.fault(path, format!("the default is invalid: {}", found.detail));
            }
        }
        for lost in &attribute.lost_options {
            let LostOption { attribute, option } = lost;
            let reason = format!(
                "`{option}` of {attribute} has no effect, because a collection of collections has a plain type"
            );
            self.fault(path, reason);
        }
    }

    /// Checks the rules that depend on what the schema describes.
    fn check_context(&mut self, attribute: &Attribute, path: &Path) {
        if !attribute.environment.is_empty() {
            let is_readable = match &attribute.kind {
                AttributeKind::Typed(Type::Bool | Type::Number | Type::String) => true,
                AttributeKind::Typed(Type::List(element) | Type::Set(element)) => {
                    **element == Type::String
                }
                _ => false,
            };
            if self.kind != SchemaKind::Provider {
                self.fault(path, "`environment` requires an argument of the provider");
            } else if !is_readable {
                self.fault(
                    path,
                    "`environment` requires a bool, a number, a string, or a list or set of strings",
                );
            } else if self.in_collection {
                self.fault(
                    path,
                    "`environment` requires an argument outside of lists, sets and maps",
                );
            }
        }
        if attribute.replace && self.kind != SchemaKind::Resource {
            self.fault(path, "`replace` requires a resource");
        }
        if attribute.presence == Presence::WriteOnly
            && matches!(
                self.kind,
                SchemaKind::Provider | SchemaKind::EphemeralResource | SchemaKind::ListResource
            )
        {
            self.fault(
                path,
                "this kind stores nothing, so it has no write-only attributes",
            );
        }
        let has_no_result = matches!(
            self.kind,
            SchemaKind::Provider | SchemaKind::ListResource | SchemaKind::Action
        );
        if has_no_result && attribute.is_computed() {
            self.fault(
                path,
                "this kind returns no result, so it has no computed attributes",
            );
        }
        if attribute.sensitive && matches!(self.kind, SchemaKind::ListResource | SchemaKind::Action)
        {
            self.fault(
                path,
                "this kind stores and shows nothing, so it has no sensitive attributes",
            );
        }
    }

    fn check_dynamic(&mut self, kind: &Type, path: &Path, in_set: bool) {
        match kind {
            Type::Dynamic if in_set => self.fault(path, "a set cannot hold dynamic values"),
            Type::Bool | Type::Number | Type::String | Type::Dynamic => {}
            Type::Set(element) => self.check_dynamic(element, path, true),
            Type::List(element) | Type::Map(element) => self.check_dynamic(element, path, in_set),
            Type::Tuple(elements) => elements
                .iter()
                .for_each(|e| self.check_dynamic(e, path, in_set)),
            Type::Object(attributes) => {
                attributes
                    .values()
                    .for_each(|kind| self.check_dynamic(kind, path, in_set));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::model::Model;
    use crate::schema::{each, one_of};
    use crate::value::{Tf, WriteOnly};

    fn schema(name: &str, attribute: Attribute) -> Schema {
        let attribute = attribute.describe("Described.");
        Schema::new(
            "Described.",
            Attributes::from([(name.to_owned(), attribute)]),
        )
    }

    fn refused(name: &str, attribute: Attribute) -> bool {
        refused_in(SchemaKind::Resource, name, attribute)
    }

    fn refused_in(kind: SchemaKind, name: &str, attribute: Attribute) -> bool {
        !schema(name, attribute).faults("a test", kind).is_empty()
    }

    #[test]
    fn a_plain_schema_has_no_fault() {
        assert!(!refused("name", Attribute::for_type::<String>().replace()));
        assert!(!refused("id", Attribute::for_type::<Tf<String>>().stable()));
    }

    #[test]
    fn names_must_be_valid_in_terraform() {
        for name in ["Name", "1st", "na-me", "", "count", "lifecycle"] {
            assert!(refused(name, Attribute::for_type::<String>()), "{name}");
        }
    }

    #[test]
    fn providers_and_resources_have_different_reserved_names() {
        let schema = schema("alias", Attribute::for_type::<String>());
        assert!(schema.faults("a test", SchemaKind::Resource).is_empty());
        assert_eq!(schema.faults("a test", SchemaKind::Provider).len(), 1);
    }

    #[test]
    fn planning_options_must_fit_the_presence() {
        assert!(refused("a", Attribute::for_type::<String>().stable()));
        assert!(refused("a", Attribute::for_type::<Tf<String>>().replace()));
        assert!(refused(
            "a",
            Attribute::for_type::<Tf<String>>().optional().cleared()
        ));
        assert!(refused(
            "a",
            Attribute::for_type::<Tf<String>>().follows(["missing"])
        ));
        assert!(refused(
            "a",
            Attribute::for_type::<String>().conflicts_with(["missing"])
        ));
        assert!(refused(
            "a",
            Attribute::for_type::<WriteOnly<String>>().equivalent(|_, _| true)
        ));
    }

    #[test]
    fn a_set_cannot_contain_computed_or_dynamic_values() {
        let child = Attribute::for_type::<Tf<String>>().describe("Described.");
        let object = Attributes::from([("id".to_owned(), child)]);
        let set = AttributeKind::Nested(Nesting::Set, object);
        assert!(refused("a", Attribute::new(set, Presence::Optional)));
        let dynamic = AttributeKind::Typed(Type::Set(Box::new(Type::Dynamic)));
        assert!(refused("a", Attribute::new(dynamic, Presence::Optional)));
    }

    #[test]
    fn a_flattened_model_cannot_redefine_an_attribute() {
        #[derive(Model)]
        struct Account {
            /// Password of the account.
            #[tf(sensitive)]
            password: String,
            /// Attributes of every resource.
            #[tf(flatten)]
            common: Common,
        }

        #[derive(Model)]
        struct Common {
            /// Password policy.
            password: String,
        }

        let schema = Schema::new("Described.", Account::attributes());
        let faults = schema.faults("a test", SchemaKind::Resource);
        let expected = "a test, attribute password: two fields of the model define the attribute";
        assert_eq!(faults[0].to_string(), expected);
        assert_eq!(faults.len(), 1);
    }

    /// Returns the reasons of the faults of one attribute.
    fn reasons(kind: SchemaKind, attribute: Attribute) -> Vec<String> {
        let faults = schema("a", attribute).faults("a test", kind);
        faults.into_iter().map(|fault| fault.reason).collect()
    }

    #[test]
    fn a_validator_must_be_for_values_of_the_attributes_type() {
        let is_fault = |attribute: Attribute| {
            let reasons = reasons(SchemaKind::Resource, attribute);
            reasons
                .iter()
                .any(|reason| reason.contains("values of another type"))
        };
        let text = || one_of(["a", "b"]);
        assert!(is_fault(Attribute::for_type::<u64>().validate(text())));
        assert!(is_fault(
            Attribute::for_type::<Vec<String>>().validate(text())
        ));
        assert!(is_fault(
            Attribute::for_type::<String>().validate(each(text()))
        ));
        assert!(is_fault(
            Attribute::for_type::<Vec<u64>>().validate(each(text()))
        ));
        assert!(!is_fault(
            Attribute::for_type::<Option<String>>().validate(text())
        ));
        assert!(!is_fault(
            Attribute::for_type::<BTreeSet<String>>().validate(each(text()))
        ));
    }

    #[test]
    fn a_default_must_be_a_valid_value_of_the_attribute() {
        let is_fault = |attribute: Attribute| {
            let reasons = reasons(SchemaKind::Resource, attribute);
            reasons.iter().any(|reason| reason.contains("default"))
        };
        assert!(is_fault(Attribute::for_type::<String>().default(5_u64)));
        assert!(is_fault(Attribute::for_type::<u64>().default(-5_i64)));
        assert!(is_fault(
            Attribute::for_type::<String>().default(None::<String>)
        ));
        let level = || Attribute::for_type::<String>().validate(one_of(["a", "b"]));
        assert!(is_fault(level().default("c".to_owned())));
        assert!(!is_fault(level().default("a".to_owned())));
        let secret = Attribute::for_type::<WriteOnly<String>>().default("s".to_owned());
        assert_eq!(secret.presence(), Presence::WriteOnly, "it is never stored");
        assert!(is_fault(secret));
    }

    #[test]
    fn an_optional_attribute_without_a_default_needs_a_type_that_can_be_empty() {
        assert!(refused("a", Attribute::for_type::<String>().optional()));
        let with_default = Attribute::for_type::<String>()
            .optional()
            .default("a".to_owned());
        assert!(!refused("a", with_default));
        assert!(!refused(
            "a",
            Attribute::for_type::<Option<String>>().optional()
        ));
        assert!(!refused(
            "a",
            Attribute::for_type::<Tf<String>>().optional()
        ));
    }

    #[test]
    fn only_scalars_and_lists_of_strings_of_the_provider_come_from_the_environment() {
        let from_environment = || Attribute::for_type::<Option<String>>().environment(["A"]);
        assert!(!refused_in(SchemaKind::Provider, "a", from_environment()));
        for kind in [
            SchemaKind::Resource,
            SchemaKind::EphemeralResource,
            SchemaKind::Action,
        ] {
            assert!(refused_in(kind, "a", from_environment()));
        }
        let strings = Attribute::for_type::<Option<Vec<String>>>().environment(["A"]);
        assert!(!refused_in(SchemaKind::Provider, "a", strings));
        let numbers = Attribute::for_type::<Option<Vec<u64>>>().environment(["A"]);
        assert!(refused_in(SchemaKind::Provider, "a", numbers));
        let children = Attributes::from([("b".to_owned(), from_environment().describe("B."))]);
        let nested = |nesting| {
            let kind = AttributeKind::Nested(nesting, children.clone());
            Attribute::new(kind, Presence::Optional)
        };
        assert!(!refused_in(
            SchemaKind::Provider,
            "a",
            nested(Nesting::Single)
        ));
        assert!(refused_in(SchemaKind::Provider, "a", nested(Nesting::List)));
    }

    #[test]
    fn options_inside_of_a_collection_of_collections_are_faults() {
        /// A rule.
        #[derive(Debug, Clone, PartialEq, Model)]
        struct Rule {
            /// Port of the rule.
            #[tf(default(443_u64))]
            port: u64,
            /// Account of the rule.
            account: Account,
        }

        /// An account.
        #[derive(Debug, Clone, PartialEq, Model)]
        struct Account {
            /// Password of the account.
            #[tf(sensitive)]
            password: String,
        }

        let lost = |attribute: Attribute| {
            let reasons = reasons(SchemaKind::Resource, attribute);
            let first_words = reasons.iter().map(|reason| {
                let words = reason.split(' ').take(3);
                words.collect::<Vec<_>>().join(" ")
            });
            first_words.collect::<Vec<_>>()
        };
        let expected = ["`sensitive` of account.password", "`default` of port"];
        assert_eq!(lost(Attribute::for_type::<Vec<Vec<Rule>>>()), expected);
        let map_of_lists = Attribute::for_type::<Option<BTreeMap<String, Vec<Rule>>>>();
        assert_eq!(lost(map_of_lists), expected);
        assert!(lost(Attribute::for_type::<Option<Vec<Rule>>>()).is_empty());
        assert!(lost(Attribute::for_type::<Vec<Vec<String>>>()).is_empty());
    }

    #[test]
    fn kinds_without_state_cannot_have_attributes_that_need_it() {
        let computed = Attribute::for_type::<Tf<String>>;
        let write_only = Attribute::for_type::<WriteOnly<String>>;
        for kind in [SchemaKind::ListResource, SchemaKind::Action] {
            assert!(refused_in(kind, "a", computed()));
            assert!(refused_in(
                kind,
                "a",
                Attribute::for_type::<String>().sensitive()
            ));
            assert!(refused_in(
                kind,
                "a",
                Attribute::for_type::<String>().replace()
            ));
            assert!(!refused_in(kind, "count", Attribute::for_type::<String>()));
        }
        for kind in [SchemaKind::Provider, SchemaKind::ListResource] {
            assert!(refused_in(kind, "a", write_only()));
        }
        assert!(refused_in(SchemaKind::Provider, "a", computed()));
        let secret = Attribute::for_type::<String>().sensitive();
        assert!(!refused_in(SchemaKind::Provider, "a", secret));
        assert!(!refused_in(SchemaKind::Action, "a", write_only()));
        assert!(refused_in(SchemaKind::EphemeralResource, "a", write_only()));
        assert!(!refused_in(SchemaKind::EphemeralResource, "a", computed()));
        assert!(refused_in(
            SchemaKind::EphemeralResource,
            "count",
            computed()
        ));
    }

    #[test]
    fn a_fault_names_the_schema_and_the_attribute() {
        let faults =
            schema("Name", Attribute::for_type::<String>()).faults("action a", SchemaKind::Action);
        let expected = "action a, attribute Name: names consist of a-z, 0-9 and _ and do not start with a digit";
        assert_eq!(faults[0].to_string(), expected);
        let faults = Schema::new("", Attributes::new()).faults("action a", SchemaKind::Action);
        assert_eq!(faults[0].to_string(), "action a: it has no description");
    }

    #[test]
    fn every_schema_and_attribute_must_be_described() {
        let bare = Schema::new(
            "",
            Attributes::from([("a".to_owned(), Attribute::for_type::<String>())]),
        );
        assert_eq!(bare.faults("a test", SchemaKind::Resource).len(), 2);
    }
}
