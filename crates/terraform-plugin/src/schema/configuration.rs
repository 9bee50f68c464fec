//! Validates a configuration against its schema.
//!
//! Terraform itself checks types and missing required arguments. This module checks what Terraform does not.

use super::{Attribute, AttributeKind, Attributes, Presence, Schema, SiblingRule};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::value::{Path, Value};

/// Validates a configuration. Unknown values are valid.
///
/// `write_only_allowed` is true if the client keeps write-only values out of plan and state.
pub(crate) fn check_configuration(
    schema: &Schema,
    config: &Value,
    write_only_allowed: bool,
) -> Diagnostics {
    let mut checker = Checker {
        write_only_allowed,
        in_secret: false,
        found: Diagnostics::default(),
    };
    if let Some(message) = &schema.deprecation {
        checker
            .found
            .push(Diagnostic::warning("Deprecated", message.clone()));
    }
    checker.check_object(&schema.attributes, config, &Path::root());
    checker.found
}

/// Checks that a value fits its Rust type and passes the validators.
pub(super) fn check_value(attribute: &Attribute, value: &Value, path: &Path) -> Diagnostics {
    let found = check_type(attribute, value, path);
    if found.is_empty() {
        check_validators(attribute, value, path, attribute.is_secret())
    } else {
        found
    }
}

fn check_type(attribute: &Attribute, value: &Value, path: &Path) -> Diagnostics {
    let mut errors = Vec::new();
    if let Some(check) = attribute.type_check {
        check(value, path, &mut errors);
    }
    errors.iter().map(Diagnostic::invalid_value).collect()
}

/// The reason that a validator gives may quote the value, so that of a secret is replaced by the rule.
fn check_validators(
    attribute: &Attribute,
    value: &Value,
    path: &Path,
    is_secret: bool,
) -> Diagnostics {
    if !value.is_wholly_known() {
        return Diagnostics::default();
    }
    let validators = attribute.validators.iter();
    let found = validators.flat_map(|validator| {
        let found = validator.check(value, path).into_iter();
        found.map(move |mut diagnostic| {
            if is_secret {
                validator.description().clone_into(&mut diagnostic.detail);
            }
            diagnostic
        })
    });
    found.collect()
}

struct Checker {
    write_only_allowed: bool,
    /// Whether the attribute is part of a secret.
    in_secret: bool,
    found: Diagnostics,
}

impl Checker {
    fn check_object(&mut self, attributes: &Attributes, config: &Value, path: &Path) {
        for (name, attribute) in attributes {
            let value = config.attribute(name);
            let path = path.attribute(name);
            self.check_attribute(name, attribute, value, &path);
            for rule in &attribute.sibling_rules {
                let broken = check_sibling_rule(name, rule, config, &path, &str::to_owned);
                self.found.extend(broken);
            }
        }
    }

    fn check_attribute(&mut self, name: &str, attribute: &Attribute, value: &Value, path: &Path) {
        if value.is_null() {
            if attribute.presence == Presence::Required {
                let detail = format!("The attribute {name} is required, so it must not be null.");
                self.error(path, "Missing value", detail);
            }
            return;
        }
        if attribute.presence == Presence::Computed {
            let detail = format!("Only the provider sets {name}. Remove the argument.");
            return self.error(path, format!("{name} cannot be set"), detail);
        }
        if attribute.presence == Presence::WriteOnly && !self.write_only_allowed {
            let detail = format!(
                "The argument {name} is never stored, which requires Terraform 1.11 or OpenTofu 1.11. Upgrade, or use another argument that the documentation names."
            );
            return self.error(path, "Write-only argument is not supported", detail);
        }
        if let Some(message) = &attribute.deprecation {
            let summary = format!("{name} is deprecated");
            self.found
                .push(Diagnostic::warning(summary, message.clone()).at(path));
        }
        let outer = self.in_secret;
        self.in_secret |= attribute.is_secret();
        // The attributes of nested objects have checks of their own, and validators need a value that passes them.
        let before = self.found.len();
        match &attribute.kind {
            AttributeKind::Typed(_) => self.found.extend(check_type(attribute, value, path)),
            AttributeKind::Nested(_, children) => self.check_objects(children, value, path),
        }
        if self.found.len() == before {
            let found = check_validators(attribute, value, path, self.in_secret);
            self.found.extend(found);
        }
        self.in_secret = outer;
    }

    fn check_objects(&mut self, children: &Attributes, value: &Value, path: &Path) {
        match value {
            Value::Object(_) => self.check_object(children, value, path),
            Value::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.check_element(children, element, &path.index(index));
                }
            }
            Value::Set(elements) => {
                elements
                    .iter()
                    .for_each(|e| self.check_element(children, e, &path.set_element()));
            }
            Value::Map(elements) => {
                elements
                    .iter()
                    .for_each(|(key, e)| self.check_element(children, e, &path.key(key)));
            }
            _ => {}
        }
    }

    fn check_element(&mut self, children: &Attributes, element: &Value, path: &Path) {
        match element {
            Value::Object(_) => self.check_object(children, element, path),
            Value::Null => self.error(path, "Missing value", "An element must not be null."),
            _ => {}
        }
    }

    fn error(&mut self, path: &Path, summary: impl Into<String>, detail: impl Into<String>) {
        self.found.push(Diagnostic::error(summary, detail).at(path));
    }
}

/// Checks a rule about the attribute `name` of an object and its siblings. `describe` returns how messages name an
/// attribute.
pub(super) fn check_sibling_rule(
    name: &str,
    rule: &SiblingRule,
    object: &Value,
    path: &Path,
    describe: &dyn Fn(&str) -> String,
) -> Diagnostics {
    let mut found = Diagnostics::default();
    let mut error = |summary: &str, detail: String| {
        found.push(Diagnostic::error(summary, detail).at(path));
    };
    let is_null = |name: &str| object.attribute(name).is_null();
    let is_unknown = |name: &str| object.attribute(name).is_unknown();
    let this = || describe(name);
    match rule {
        SiblingRule::ConflictsWith(names) if !is_null(name) => {
            for other in names {
                if !is_null(other) && !is_unknown(other) {
                    let detail = format!(
                        "{} and {} cannot be set together. Remove one of them.",
                        this(),
                        describe(other)
                    );
                    error("Conflicting arguments", detail);
                }
            }
        }
        SiblingRule::Requires(names) if !is_null(name) => {
            for missing in names.iter().filter(|name| is_null(name)) {
                let detail = format!(
                    "{} requires {}. Set both or neither.",
                    this(),
                    describe(missing)
                );
                error("Missing argument", detail);
            }
        }
        SiblingRule::ExactlyOneWith(names) => {
            let all = || std::iter::once(name).chain(names.iter().map(String::as_str));
            if all().any(is_unknown) {
                return found;
            }
            let set: Vec<_> = all().filter(|name| !is_null(name)).map(describe).collect();
            let list = all().map(describe).collect::<Vec<_>>().join(", ");
            match set.len() {
                0 => error(
                    "Missing argument",
                    format!("Exactly one of {list} must be set, but none is."),
                ),
                1 => {}
                _ => error(
                    "Conflicting arguments",
                    format!(
                        "{} cannot be set together. Remove all but one of them.",
                        set.join(" and ")
                    ),
                ),
            }
        }
        SiblingRule::ConflictsWith(_) | SiblingRule::Requires(_) => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::model::Model;
    use crate::schema::{Validator, one_of};
    use crate::value::{AttributeValue, ConversionError, Convert, Tf, WriteOnly};

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
    fn a_computed_attribute_cannot_be_set() {
        let id = Attribute::for_type::<Tf<String>>();
        assert_eq!(
            found(&[("id", id.clone())], &[("id", text("1"))]),
            ["id: id cannot be set"]
        );
        assert!(found(&[("id", id)], &[("id", Value::Null)]).is_empty());
    }

    #[test]
    fn a_required_attribute_cannot_be_null_at_any_depth() {
        let children = Attributes::from([("path".to_owned(), Attribute::for_type::<String>())]);
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
    fn a_write_only_argument_requires_a_client_that_supports_it() {
        let token = Attribute::for_type::<WriteOnly<String>>();
        let reported = found(&[("token_wo", token)], &[("token_wo", text("s"))]);
        assert_eq!(reported, ["token_wo: Write-only argument is not supported"]);
    }

    #[test]
    fn validators_skip_unknown_values() {
        let level = || Attribute::for_type::<Option<String>>().validate(one_of(["a", "b"]));
        assert!(found(&[("level", level())], &[("level", Value::Unknown)]).is_empty());
        assert!(found(&[("level", level())], &[("level", text("a"))]).is_empty());
        assert_eq!(
            found(&[("level", level())], &[("level", text("c"))]).len(),
            1
        );
    }

    #[test]
    fn rules_about_sibling_attributes_are_enforced() {
        let optional = Attribute::for_type::<Option<String>>;
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

    fn number(text: &str) -> Value {
        Value::Number(text.parse().unwrap())
    }

    /// Returns the path and detail of the only error.
    fn error<T: AttributeValue>(value: Value) -> (String, String) {
        let attributes = Attributes::from([("a".to_owned(), Attribute::for_type::<T>())]);
        let schema = Schema::new("A test.", attributes);
        let found = check_configuration(&schema, &Value::object([("a", value)]), true);
        assert_eq!(found.len(), 1, "{found}");
        let found = found.into_iter().next().unwrap();
        (found.path.unwrap().to_string(), found.detail)
    }

    #[derive(Debug, Clone, PartialEq)]
    enum Level {
        Low,
    }

    impl Convert for Level {
        fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError> {
            match value.as_str() {
                Some("low") => Ok(Self::Low),
                _ => Err(ConversionError::new(path, "low", value)),
            }
        }

        fn to_value(&self) -> Value {
            Value::string("low")
        }
    }

    impl AttributeValue for Level {
        type Plan = Self;

        fn kind() -> AttributeKind {
            String::kind()
        }
    }

    /// A server.
    #[derive(Model)]
    struct Server {
        /// Port of the server.
        port: u64,
        /// Protocol of the server.
        protocol: Option<Level>,
    }

    #[test]
    fn a_value_that_does_not_fit_its_rust_type_is_an_error_of_the_user_at_its_path() {
        let whole = "must be a whole number from -2^63 to 2^63-1.";
        let natural = "must be a whole number from 0 to 2^64-1.";
        let at = |path: &str, text: &str| (path.to_owned(), format!("{path} {text}"));
        assert_eq!(error::<i64>(number("2000.5")), at("a", whole));
        assert_eq!(error::<i64>(number("9223372036854775808")), at("a", whole));
        assert_eq!(error::<Option<u64>>(number("-1")), at("a", natural));
        assert_eq!(error::<WriteOnly<u64>>(number("-1")), at("a", natural));
        let optional_computed = Attribute::for_type::<Tf<u64>>().optional();
        let reported = found(&[("a", optional_computed)], &[("a", number("0.5"))]);
        assert_eq!(reported, ["a: Invalid value for a"]);
        assert_eq!(error::<Level>(text("high")), at("a", "must be low."));
        let levels = Value::List(vec![Value::Unknown, text("low"), text("high")]);
        assert_eq!(error::<Vec<Level>>(levels), at("a[2]", "must be low."));
        let ports = Value::Map([("x".to_owned(), number("-1"))].into());
        let found = error::<BTreeMap<String, u64>>(ports.clone());
        assert_eq!(found, at("a[\"x\"]", natural));
        let deep = Value::List(vec![Value::Unknown, Value::List(vec![ports])]);
        let found = error::<Vec<Vec<BTreeMap<String, u64>>>>(deep);
        assert_eq!(found, at("a[1][0][\"x\"]", natural));
        let server = |port: &str, protocol: Value| {
            Value::object([("port", number(port)), ("protocol", protocol)])
        };
        assert_eq!(
            error::<Server>(server("0.5", Value::Null)),
            at("a.port", natural)
        );
        let servers = Value::List(vec![Value::List(vec![server("1", text("high"))])]);
        let found = error::<Vec<Vec<Server>>>(servers);
        assert_eq!(found, at("a[0][0].protocol", "must be low."));
    }

    #[test]
    fn a_null_element_is_an_error_of_the_user_at_its_path() {
        let null = "must be a string, but it is null.";
        let at = |path: &str, text: &str| (path.to_owned(), format!("{path} {text}"));
        let list = || Value::List(vec![text("a"), Value::Null, Value::Unknown]);
        assert_eq!(error::<Vec<String>>(list()), at("a[1]", null));
        let map = Value::Map([("x".to_owned(), Value::Null)].into());
        let in_map = error::<Option<BTreeMap<String, String>>>(map);
        assert_eq!(in_map, at("a[\"x\"]", null));
        let set = error::<BTreeSet<String>>(Value::set([text("a"), Value::Null]));
        assert_eq!(set, ("a".to_owned(), format!("Every element of a {null}")));
        let optional = Attribute::for_type::<Vec<Option<String>>>();
        assert!(found(&[("a", optional)], &[("a", list())]).is_empty());
    }

    #[test]
    fn validators_skip_values_that_do_not_fit_their_rust_type() {
        let even = Validator::new("Must be even.", |number: &u64| match number % 2 {
            0 => Ok(()),
            _ => Err("The number is odd.".to_owned()),
        });
        let attribute = || Attribute::for_type::<u64>().validate(even.clone());
        let invalid = ["a: Invalid value for a"];
        assert_eq!(
            found(&[("a", attribute())], &[("a", number("-1"))]),
            invalid
        );
        assert_eq!(found(&[("a", attribute())], &[("a", number("3"))]), invalid);
        assert!(found(&[("a", attribute())], &[("a", number("2"))]).is_empty());
    }

    #[test]
    fn an_error_about_a_secret_does_not_quote_it() {
        let level = || Attribute::for_type::<String>().validate(one_of(["low", "high"]));
        let detail = |attribute: Attribute, value: Value| {
            let schema = Schema::new("A test.", [("a".to_owned(), attribute)].into());
            let found = check_configuration(&schema, &Value::object([("a", value)]), true);
            assert_eq!(found.len(), 1);
            found.into_iter().next().unwrap().detail
        };
        let secret = || text("hunter2");
        let rule = "Must be one of `low`, `high`.";
        assert!(detail(level(), secret()).contains("hunter2"));
        assert_eq!(detail(level().sensitive(), secret()), rule);
        let write_only = Attribute::for_type::<WriteOnly<String>>();
        let write_only = write_only.validate(one_of(["low", "high"]));
        assert_eq!(detail(write_only, secret()), rule);
        let children = Attributes::from([("level".to_owned(), level())]);
        let nested = AttributeKind::Nested(crate::schema::Nesting::Single, children);
        let account = Attribute::new(nested, Presence::Optional).sensitive();
        let config = Value::object([("level", secret())]);
        assert_eq!(detail(account, config), rule);
    }

    #[test]
    fn a_deprecated_argument_is_a_warning() {
        let old = Attribute::for_type::<Option<String>>().deprecated("Use new.");
        assert_eq!(
            found(&[("old", old)], &[("old", text("1"))]),
            ["old: old is deprecated"]
        );
    }
}
