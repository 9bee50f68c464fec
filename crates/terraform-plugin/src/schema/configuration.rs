//! The checks of a configuration that follow from its schema alone.
//!
//! Terraform itself checks types and that required arguments are present; it lets pass what is checked here.

use super::{Attribute, AttributeKind, Attributes, Presence, Schema, SiblingRule};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::value::{Path, Value};

/// Checks what a user wrote; unknown values pass.
///
/// `write_only_allowed` says whether the command line keeps write-only values out of plan and state.
pub(crate) fn check_configuration(
    schema: &Schema,
    config: &Value,
    write_only_allowed: bool,
) -> Diagnostics {
    let mut checker = Checker {
        write_only_allowed,
        found: Diagnostics::default(),
    };
    if let Some(message) = &schema.deprecation {
        checker
            .found
            .push(Diagnostic::warning("Deprecated", message.clone()));
    }
    checker.object(&schema.attributes, config, &Path::root());
    checker.found
}

struct Checker {
    write_only_allowed: bool,
    found: Diagnostics,
}

impl Checker {
    fn object(&mut self, attributes: &Attributes, config: &Value, path: &Path) {
        for (name, attribute) in attributes {
            let value = config.attribute(name);
            let path = path.attribute(name);
            self.attribute(name, attribute, value, &path);
            for rule in &attribute.sibling_rules {
                self.siblings(name, rule, config, &path);
            }
        }
    }

    fn attribute(&mut self, name: &str, attribute: &Attribute, value: &Value, path: &Path) {
        if value.is_null() {
            if attribute.presence == Presence::Required {
                let detail = format!("The attribute {name} is required and must not be null.");
                self.error(path, "Missing value", detail);
            }
            return;
        }
        if attribute.presence == Presence::Computed {
            let detail = format!("The provider sets {name} by itself. Remove the argument.");
            return self.error(path, format!("{name} cannot be set"), detail);
        }
        if attribute.presence == Presence::WriteOnly && !self.write_only_allowed {
            let detail = format!(
                "The argument {name} is never stored, which takes Terraform 1.11, OpenTofu 1.11 or newer. Upgrade, or use another argument that the documentation names."
            );
            return self.error(path, "Write-only argument is not supported", detail);
        }
        if let Some(message) = &attribute.deprecation {
            let summary = format!("{name} is deprecated");
            self.found
                .push(Diagnostic::warning(summary, message.clone()).at(path));
        }
        if value.is_wholly_known() {
            for validator in &attribute.validators {
                self.found.extend(validator.check(value, path));
            }
        }
        let AttributeKind::Nested(_, children) = &attribute.kind else {
            return;
        };
        match value {
            Value::Object(_) => self.object(children, value, path),
            Value::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.element(children, element, &path.index(index));
                }
            }
            Value::Set(elements) => {
                elements
                    .iter()
                    .for_each(|e| self.element(children, e, &path.set_element()));
            }
            Value::Map(elements) => {
                elements
                    .iter()
                    .for_each(|(key, e)| self.element(children, e, &path.key(key)));
            }
            _ => {}
        }
    }

    fn element(&mut self, children: &Attributes, element: &Value, path: &Path) {
        match element {
            Value::Object(_) => self.object(children, element, path),
            Value::Null => self.error(path, "Missing value", "An element must not be null."),
            _ => {}
        }
    }

    fn siblings(&mut self, name: &str, rule: &SiblingRule, config: &Value, path: &Path) {
        let own = config.attribute(name);
        let is_set = |name: &&String| {
            let value = config.attribute(name);
            !value.is_null() && !value.is_unknown()
        };
        match rule {
            SiblingRule::ConflictsWith(names) if !own.is_null() => {
                for other in names.iter().filter(is_set) {
                    let detail = format!("{name} and {other} exclude each other; set one of them.");
                    self.error(path, "Conflicting arguments", detail);
                }
            }
            SiblingRule::Requires(names) if !own.is_null() => {
                for missing in names.iter().filter(|name| config.attribute(name).is_null()) {
                    let detail = format!("{name} needs {missing} to be set as well.");
                    self.error(path, "Missing argument", detail);
                }
            }
            SiblingRule::ExactlyOneWith(names) => {
                let all = || std::iter::once(name).chain(names.iter().map(String::as_str));
                if all().any(|name| config.attribute(name).is_unknown()) {
                    return;
                }
                let count = all()
                    .filter(|name| !config.attribute(name).is_null())
                    .count();
                if count != 1 {
                    let list = all().collect::<Vec<_>>().join(", ");
                    let detail = format!("Exactly one of {list} must be set; {count} are.");
                    self.error(path, "Arguments exclude each other", detail);
                }
            }
            SiblingRule::ConflictsWith(_) | SiblingRule::Requires(_) => {}
        }
    }

    fn error(&mut self, path: &Path, summary: impl Into<String>, detail: impl Into<String>) {
        self.found.push(Diagnostic::error(summary, detail).at(path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::one_of;
    use crate::value::{Tf, WriteOnly};

    fn found(attributes: &[(&str, Attribute)], config: &[(&str, Value)]) -> Vec<String> {
        let attributes = attributes
            .iter()
            .map(|(name, a)| ((*name).to_owned(), a.clone()));
        let schema = Schema::new("A test.", attributes.collect());
        let config = Value::object(config.iter().map(|(name, value)| (*name, value.clone())));
        let found = check_configuration(&schema, &config, false);
        found
            .iter()
            .map(|d| format!("{}: {}", d.path.clone().unwrap(), d.summary))
            .collect()
    }

    fn text(text: &str) -> Value {
        Value::string(text)
    }

    #[test]
    fn what_the_provider_sets_cannot_be_set() {
        let id = Attribute::of::<Tf<String>>();
        assert_eq!(
            found(&[("id", id.clone())], &[("id", text("1"))]),
            ["id: id cannot be set"]
        );
        assert!(found(&[("id", id)], &[("id", Value::Null)]).is_empty());
    }

    #[test]
    fn a_required_attribute_cannot_be_null_at_any_depth() {
        let children = Attributes::from([("path".to_owned(), Attribute::of::<String>())]);
        let nested = AttributeKind::Nested(crate::schema::Nesting::List, children);
        let list = Attribute::new(nested, Presence::Optional);
        let element = Value::object([("path", Value::Null)]);
        let config = [("files", Value::List(vec![element]))];
        assert_eq!(
            found(&[("files", list)], &config),
            ["files[0].path: Missing value"]
        );
    }

    #[test]
    fn a_write_only_argument_needs_a_command_line_that_keeps_it() {
        let token = Attribute::of::<WriteOnly<String>>();
        let reported = found(&[("token_wo", token)], &[("token_wo", text("s"))]);
        assert_eq!(reported, ["token_wo: Write-only argument is not supported"]);
    }

    #[test]
    fn validators_skip_what_is_not_known() {
        let level = || Attribute::of::<Option<String>>().validate(one_of(["a", "b"]));
        assert!(found(&[("level", level())], &[("level", Value::Unknown)]).is_empty());
        assert!(found(&[("level", level())], &[("level", text("a"))]).is_empty());
        assert_eq!(
            found(&[("level", level())], &[("level", text("c"))]).len(),
            1
        );
    }

    #[test]
    fn rules_about_siblings_hold() {
        let optional = Attribute::of::<Option<String>>;
        let exclusive = [("a", optional().conflicts_with(["b"])), ("b", optional())];
        assert_eq!(
            found(&exclusive, &[("a", text("1")), ("b", text("2"))]).len(),
            1
        );
        assert!(found(&exclusive, &[("a", text("1")), ("b", Value::Unknown)]).is_empty());
        let needing = [("a", optional().requires(["b"])), ("b", optional())];
        assert_eq!(found(&needing, &[("a", text("1"))]).len(), 1);
        assert!(found(&needing, &[("a", text("1")), ("b", Value::Unknown)]).is_empty());
        let either = [("a", optional().exactly_one_with(["b"])), ("b", optional())];
        assert_eq!(found(&either, &[]).len(), 1);
        assert_eq!(
            found(&either, &[("a", text("1")), ("b", text("2"))]).len(),
            1
        );
        assert!(found(&either, &[("b", text("2"))]).is_empty());
    }

    #[test]
    fn a_deprecated_argument_warns() {
        let old = Attribute::of::<Option<String>>().deprecated("Use new.");
        assert_eq!(
            found(&[("old", old)], &[("old", text("1"))]),
            ["old: old is deprecated"]
        );
    }
}
