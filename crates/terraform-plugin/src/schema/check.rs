//! The rules that a schema must keep, so that a mistake is found by the provider's own tests.
//!
//! Terraform checks the first group when it loads a provider (`internal/configs/configschema/internal_validate.go`); the
//! rest is what would be accepted there and fail at a user's desk.

use super::{Attribute, AttributeKind, Attributes, Nesting, OnChange, Presence, Schema};
use crate::value::{Path, Type};

/// What a schema describes, which decides what it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// The provider's own configuration.
    Provider,
    /// A resource or data source.
    Resource,
    /// An ephemeral resource: nothing of it is stored, so nothing is write-only.
    EphemeralResource,
    /// What a list can be searched for: arguments alone, in a block of their own.
    ListResource,
    /// An action: arguments alone, in a block of their own.
    Action,
}

/// A mistake in a schema or in the signature of a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject}{separator}{path}: {reason}", separator = if path.steps().is_empty() { "" } else { ", attribute " })]
pub struct SchemaFault {
    /// Whose schema it is, such as `resource cloud_bucket`.
    pub subject: String,
    /// The attribute; the root for the whole.
    pub path: Path,
    /// What is wrong with it.
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

pub(super) fn faults(schema: &Schema, subject: &str, root: Root) -> Vec<SchemaFault> {
    let mut checker = Checker {
        subject,
        root,
        faults: Vec::new(),
    };
    let path = Path::root();
    if schema.version < 0 {
        checker.fault(&path, "the version is negative");
    }
    if schema.description.trim().is_empty() {
        checker.fault(&path, "there is no description");
    }
    let reserved: &[&str] = match root {
        Root::Provider => &RESERVED_IN_PROVIDERS,
        Root::Resource | Root::EphemeralResource => &RESERVED_IN_RESOURCES,
        Root::ListResource | Root::Action => &[],
    };
    for name in schema
        .attributes
        .keys()
        .filter(|name| reserved.contains(&name.as_str()))
    {
        checker.fault(&path.attribute(name), "Terraform reserves the name");
    }
    checker.attributes(&schema.attributes, &path, false);
    checker.faults
}

/// Tells what is wrong with the name of an attribute, parameter or function.
pub(crate) fn fault_of_name(name: &str) -> Option<&'static str> {
    let starts = name.starts_with(|first: char| first == '_' || first.is_ascii_lowercase());
    let valid =
        |letter: char| letter == '_' || letter.is_ascii_lowercase() || letter.is_ascii_digit();
    (!starts || !name.chars().all(valid))
        .then_some("names consist of a-z, 0-9 and _, and do not start with a digit")
}

struct Checker<'a> {
    subject: &'a str,
    root: Root,
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

    fn attributes(&mut self, attributes: &Attributes, path: &Path, in_set: bool) {
        for (name, attribute) in attributes {
            let path = path.attribute(name);
            if let Some(reason) = fault_of_name(name) {
                self.fault(&path, reason);
            }
            self.attribute(attribute, &path, in_set);
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
                        format!("a rule names {sibling}, which does not exist"),
                    );
                }
            }
        }
    }

    fn attribute(&mut self, attribute: &Attribute, path: &Path, in_set: bool) {
        if attribute.description.trim().is_empty() {
            self.fault(path, "there is no description");
        }
        self.place(attribute, path);
        let computed = attribute.is_computed();
        if attribute.on_change != OnChange::default() && !computed {
            self.fault(
                path,
                "only a computed attribute can be stable, follow others or be cleared",
            );
        }
        if attribute.on_change == OnChange::Cleared && attribute.presence != Presence::Computed {
            self.fault(path, "an attribute that users set cannot be cleared");
        }
        if attribute.default.is_some() && attribute.on_change != OnChange::default() {
            self.fault(path, "an attribute with a default is never unknown");
        }
        if attribute.replace && attribute.presence == Presence::Computed {
            self.fault(
                path,
                "a change of what only the provider sets cannot replace the resource",
            );
        }
        if attribute.presence == Presence::Computed && !attribute.validators.is_empty() {
            self.fault(
                path,
                "nobody writes the attribute, so validators never see it",
            );
        }
        if attribute.presence == Presence::WriteOnly && attribute.equivalent.is_some() {
            self.fault(
                path,
                "a write-only attribute has no stored form to compare with",
            );
        }
        if in_set {
            if attribute.presence == Presence::WriteOnly {
                self.fault(path, "elements of a set cannot have write-only attributes");
            }
            // Elements of a set are found again by their whole value, so a computed part would lose them.
            if computed && attribute.default.is_none() {
                self.fault(
                    path,
                    "elements of a set cannot have computed attributes; use a map",
                );
            }
        }
        match &attribute.kind {
            AttributeKind::Typed(kind) => self.dynamic(kind, path, in_set),
            AttributeKind::Nested(nesting, attributes) => {
                if attributes.is_empty() {
                    self.fault(path, "a nested attribute needs attributes");
                }
                if attribute.presence == Presence::Computed
                    && attributes
                        .values()
                        .any(|child| child.presence != Presence::Computed)
                {
                    self.fault(path, "everything in a computed attribute must be computed");
                }
                // Terraform drops the stored value as soon as it holds what only a user can have written.
                if attribute.presence == Presence::OptionalComputed
                    && attribute.default.is_none()
                    && attributes.values().any(|child| !child.is_computed())
                {
                    self.fault(
                        path,
                        "every part of what the provider may set must be computed",
                    );
                }
                self.attributes(attributes, path, in_set || *nesting == Nesting::Set);
            }
        }
    }

    /// Checks what depends on the kind of the whole.
    fn place(&mut self, attribute: &Attribute, path: &Path) {
        if attribute.replace && self.root != Root::Resource {
            self.fault(path, "only a resource is replaced");
        }
        if attribute.presence == Presence::WriteOnly
            && matches!(self.root, Root::EphemeralResource | Root::ListResource)
        {
            self.fault(path, "nothing is stored, so nothing is write-only");
        }
        if matches!(self.root, Root::ListResource | Root::Action) {
            if attribute.is_computed() {
                self.fault(path, "there is no result that could hold a computed value");
            }
            if attribute.sensitive {
                self.fault(path, "only what is stored or shown can be sensitive");
            }
        }
    }

    fn dynamic(&mut self, kind: &Type, path: &Path, in_set: bool) {
        match kind {
            Type::Dynamic if in_set => self.fault(path, "a set cannot hold dynamic values"),
            Type::Bool | Type::Number | Type::String | Type::Dynamic => {}
            Type::Set(element) => self.dynamic(element, path, true),
            Type::List(element) | Type::Map(element) => self.dynamic(element, path, in_set),
            Type::Tuple(elements) => elements.iter().for_each(|e| self.dynamic(e, path, in_set)),
            Type::Object(attributes) => {
                attributes
                    .values()
                    .for_each(|kind| self.dynamic(kind, path, in_set));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Tf, WriteOnly};

    fn schema(name: &str, attribute: Attribute) -> Schema {
        let attribute = attribute.describe("Described.");
        Schema::new(
            "Described.",
            Attributes::from([(name.to_owned(), attribute)]),
        )
    }

    fn refused(name: &str, attribute: Attribute) -> bool {
        refused_in(Root::Resource, name, attribute)
    }

    fn refused_in(root: Root, name: &str, attribute: Attribute) -> bool {
        !schema(name, attribute).faults("a test", root).is_empty()
    }

    #[test]
    fn a_plain_schema_has_no_fault() {
        assert!(!refused("name", Attribute::of::<String>().replace()));
        assert!(!refused("id", Attribute::of::<Tf<String>>().stable()));
    }

    #[test]
    fn names_follow_the_rules_of_the_language() {
        for name in ["Name", "1st", "na-me", "", "count", "lifecycle"] {
            assert!(refused(name, Attribute::of::<String>()), "{name}");
        }
    }

    #[test]
    fn provider_and_resource_reserve_different_names() {
        let schema = schema("alias", Attribute::of::<String>());
        assert!(schema.faults("a test", Root::Resource).is_empty());
        assert_eq!(schema.faults("a test", Root::Provider).len(), 1);
    }

    #[test]
    fn behaviour_must_fit_who_sets_the_attribute() {
        assert!(refused("a", Attribute::of::<String>().stable()));
        assert!(refused("a", Attribute::of::<Tf<String>>().replace()));
        assert!(refused(
            "a",
            Attribute::of::<Tf<String>>().optional().cleared()
        ));
        assert!(refused(
            "a",
            Attribute::of::<Tf<String>>().follows(["missing"])
        ));
        assert!(refused(
            "a",
            Attribute::of::<String>().conflicts_with(["missing"])
        ));
        assert!(refused(
            "a",
            Attribute::of::<WriteOnly<String>>().equivalent(|_, _| true)
        ));
    }

    #[test]
    fn a_set_cannot_hold_what_has_no_address() {
        let child = Attribute::of::<Tf<String>>().describe("Described.");
        let object = Attributes::from([("id".to_owned(), child)]);
        let set = AttributeKind::Nested(Nesting::Set, object);
        assert!(refused("a", Attribute::new(set, Presence::Optional)));
        let dynamic = AttributeKind::Typed(Type::Set(Box::new(Type::Dynamic)));
        assert!(refused("a", Attribute::new(dynamic, Presence::Optional)));
    }

    #[test]
    fn arguments_that_nothing_is_stored_of_hold_arguments_alone() {
        let computed = Attribute::of::<Tf<String>>;
        let write_only = Attribute::of::<WriteOnly<String>>;
        for root in [Root::ListResource, Root::Action] {
            assert!(refused_in(root, "a", computed()));
            assert!(refused_in(root, "a", Attribute::of::<String>().sensitive()));
            assert!(refused_in(root, "a", Attribute::of::<String>().replace()));
            assert!(!refused_in(root, "count", Attribute::of::<String>()));
        }
        assert!(refused_in(Root::ListResource, "a", write_only()));
        assert!(!refused_in(Root::Action, "a", write_only()));
        assert!(refused_in(Root::EphemeralResource, "a", write_only()));
        assert!(!refused_in(Root::EphemeralResource, "a", computed()));
        assert!(refused_in(Root::EphemeralResource, "count", computed()));
    }

    #[test]
    fn a_fault_names_the_schema_and_the_attribute() {
        let faults = schema("Name", Attribute::of::<String>()).faults("action a", Root::Action);
        let expected = "action a, attribute Name: names consist of a-z, 0-9 and _, and do not start with a digit";
        assert_eq!(faults[0].to_string(), expected);
        let faults = Schema::new("", Attributes::new()).faults("action a", Root::Action);
        assert_eq!(faults[0].to_string(), "action a: there is no description");
    }

    #[test]
    fn everything_is_described() {
        let bare = Schema::new(
            "",
            Attributes::from([("a".to_owned(), Attribute::of::<String>())]),
        );
        assert_eq!(bare.faults("a test", Root::Resource).len(), 2);
    }
}
