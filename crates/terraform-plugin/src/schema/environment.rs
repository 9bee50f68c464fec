//! Provider arguments from environment variables.

use super::configuration::{check_sibling_rule, check_value};
use super::{Attribute, AttributeKind, Attributes, Nesting, SiblingRule};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::similar::closest;
use crate::value::{Path, Type, Value};

/// Returns the configuration with missing arguments read from environment variables.
///
/// A missing object is created if a variable sets one of its attributes. Values from variables obey the same rules as
/// those in the configuration.
pub(crate) fn fill_from_environment(
    attributes: &Attributes,
    config: &Value,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Value, Diagnostics> {
    let mut filler = Filler {
        lookup,
        sources: Vec::new(),
        found: Diagnostics::default(),
    };
    let filled = filler.fill_object(attributes, config, &Path::root());
    filler.found.into_result().map(|_| filled)
}

/// Returns a warning about variables that begin with the provider's prefix but set no argument.
pub(crate) fn check_variable_names(
    attributes: &Attributes,
    prefix: &str,
    present: impl Iterator<Item = String>,
) -> Option<Diagnostic> {
    let mut known = Vec::new();
    collect_variables(attributes, &mut known);
    let mut unknown: Vec<_> = present
        .filter(|name| !known.contains(&name.as_str()))
        .filter_map(|name| name.strip_prefix(prefix).map(str::to_owned))
        .collect();
    unknown.sort();
    let lines = unknown.iter().map(|rest| {
        let similar = known.iter().filter_map(|known| known.strip_prefix(prefix));
        match closest(rest, similar) {
            Some(similar) => format!("{prefix}{rest} is ignored. Did you mean {prefix}{similar}?"),
            None => format!("{prefix}{rest} is ignored."),
        }
    });
    let detail = lines.collect::<Vec<_>>().join("\n");
    (!detail.is_empty()).then(|| Diagnostic::warning("Unknown environment variable", detail))
}

fn collect_variables<'a>(attributes: &'a Attributes, names: &mut Vec<&'a str>) {
    for attribute in attributes.values() {
        names.extend(attribute.environment.iter().map(String::as_str));
        if let AttributeKind::Nested(_, children) = &attribute.kind {
            collect_variables(children, names);
        }
    }
}

struct Filler<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    /// The variables that set arguments.
    sources: Vec<(Path, String)>,
    found: Diagnostics,
}

impl Filler<'_> {
    fn fill_object(&mut self, attributes: &Attributes, config: &Value, path: &Path) -> Value {
        let mut values = Vec::new();
        for (name, attribute) in attributes {
            let (own, path) = (config.attribute(name), path.attribute(name));
            // The configuration takes precedence, also with an argument that excludes this one.
            if own.is_null() && excluded_by_configuration(name, attributes, config) {
                values.push((name.as_str(), Value::Null));
                continue;
            }
            let value = match &attribute.kind {
                AttributeKind::Nested(Nesting::Single, children)
                    if matches!(own, Value::Null | Value::Object(_)) =>
                {
                    let filled = self.fill_object(children, own, &path);
                    let is_empty = children.keys().all(|name| filled.attribute(name).is_null());
                    if own.is_null() && is_empty {
                        Value::Null
                    } else {
                        filled
                    }
                }
                AttributeKind::Typed(kind) if own.is_null() => {
                    self.read_variable(attribute, kind, &path)
                }
                _ => own.clone(),
            };
            values.push((name.as_str(), value));
        }
        let filled = Value::object(values);
        self.check_siblings(attributes, &filled, path);
        filled
    }

    /// Checks the rules about siblings of which at least one comes from a variable.
    fn check_siblings(&mut self, attributes: &Attributes, filled: &Value, path: &Path) {
        let describe = |name: &str| {
            let path = path.attribute(name);
            match self.source_of(&path) {
                Some(variable) => format!("{path} (environment variable {variable})"),
                None => path.to_string(),
            }
        };
        let mut found = Diagnostics::default();
        for (name, attribute) in attributes {
            for rule in &attribute.sibling_rules {
                let mut involved = std::iter::once(name).chain(rule.names());
                if involved.any(|name| self.source_of(&path.attribute(name)).is_some()) {
                    let broken =
                        check_sibling_rule(name, rule, filled, &path.attribute(name), &describe);
                    found.extend(broken);
                }
            }
        }
        self.found.extend(found);
    }

    /// Returns the variable that sets an argument, or an attribute of it.
    fn source_of(&self, path: &Path) -> Option<&str> {
        let mut sources = self.sources.iter();
        let (_, variable) = sources.find(|(set, _)| set.starts_with(path))?;
        Some(variable)
    }

    fn read_variable(&mut self, attribute: &Attribute, kind: &Type, path: &Path) -> Value {
        let set = attribute.environment.iter().find_map(|variable| {
            let text = (self.lookup)(variable).filter(|text| !text.is_empty())?;
            Some((variable, text))
        });
        let Some((variable, text)) = set else {
            return Value::Null;
        };
        self.sources.push((path.clone(), variable.clone()));
        let parsed = match kind {
            Type::String => Some(Value::string(text)),
            Type::Bool => match text.as_str() {
                "true" | "1" => Some(Value::Bool(true)),
                "false" | "0" => Some(Value::Bool(false)),
                _ => None,
            },
            Type::Number => text.parse().ok().map(Value::Number),
            Type::List(element) if **element == Type::String => {
                Some(Value::List(split_list(&text).collect()))
            }
            Type::Set(element) if **element == Type::String => Some(Value::set(split_list(&text))),
            _ => None,
        };
        let Some(value) = parsed else {
            let wanted = match kind {
                Type::Bool => "true, false, 1 or 0",
                _ => "a number",
            };
            self.error(variable, path, &format!("The value must be {wanted}."));
            return Value::Null;
        };
        for found in &check_value(attribute, &value, path) {
            self.error(variable, path, &found.detail);
        }
        value
    }

    fn error(&mut self, variable: &str, path: &Path, reason: &str) {
        let detail = format!("The environment variable {variable} sets {path}. {reason}");
        let error = Diagnostic::error("Invalid environment variable", detail);
        self.found.push(error.at(path));
    }
}

/// Returns the elements of a list, between which there are commas.
fn split_list(text: &str) -> impl Iterator<Item = Value> {
    let elements = text.split(',').map(str::trim);
    elements
        .filter(|element| !element.is_empty())
        .map(Value::string)
}

/// Returns `true` if the configuration sets an argument that excludes this one.
fn excluded_by_configuration(name: &str, attributes: &Attributes, config: &Value) -> bool {
    let excludes = |attribute: &Attribute, other: &str| {
        attribute.sibling_rules.iter().any(|rule| match rule {
            SiblingRule::ConflictsWith(names) | SiblingRule::ExactlyOneWith(names) => {
                names.iter().any(|name| name == other)
            }
            SiblingRule::Requires(_) => false,
        })
    };
    attributes.iter().any(|(sibling, attribute)| {
        !config.attribute(sibling).is_null()
            && (excludes(attribute, name)
                || attributes
                    .get(name)
                    .is_some_and(|own| excludes(own, sibling)))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::diagnostics::Severity;
    use crate::schema::{Attribute, Presence, one_of};

    fn attributes() -> Attributes {
        let optional = Attribute::for_type::<Option<String>>;
        let server = Attributes::from([
            (
                "url".to_owned(),
                optional().environment(["MINE_URL", "URL"]),
            ),
            (
                "insecure".to_owned(),
                Attribute::for_type::<Option<bool>>().environment(["MINE_INSECURE"]),
            ),
        ]);
        let server = AttributeKind::Nested(Nesting::Single, server);
        Attributes::from([(
            "server".to_owned(),
            Attribute::new(server, Presence::Optional),
        )])
    }

    fn filled(config: Value, variables: &[(&str, &str)]) -> Result<Value, Diagnostics> {
        let lookup = |name: &str| {
            let set = variables.iter().find(|(variable, _)| *variable == name);
            set.map(|(_, text)| (*text).to_owned())
        };
        fill_from_environment(&attributes(), &Value::object([("server", config)]), &lookup)
    }

    fn server(url: Value, insecure: Value) -> Value {
        Value::object([(
            "server",
            Value::object([("url", url), ("insecure", insecure)]),
        )])
    }

    #[test]
    fn variables_of_its_attributes_create_a_missing_object() {
        let value = filled(Value::Null, &[("URL", "u"), ("MINE_INSECURE", "1")]).unwrap();
        assert_eq!(value, server(Value::string("u"), Value::Bool(true)));
        assert_eq!(
            filled(Value::Null, &[]).unwrap().attribute("server"),
            &Value::Null
        );
    }

    #[test]
    fn the_configuration_takes_precedence_and_then_the_first_variable() {
        let config = Value::object([("url", Value::string("hcl")), ("insecure", Value::Null)]);
        let value = filled(config, &[("MINE_URL", "mine")]).unwrap();
        assert_eq!(value, server(Value::string("hcl"), Value::Null));
        let value = filled(Value::Null, &[("MINE_URL", "mine"), ("URL", "generic")]).unwrap();
        assert_eq!(value, server(Value::string("mine"), Value::Null));
        let value = filled(Value::Null, &[("MINE_URL", ""), ("URL", "generic")]).unwrap();
        assert_eq!(value, server(Value::string("generic"), Value::Null));
    }

    #[test]
    fn an_argument_that_the_configuration_excludes_is_not_read_from_the_environment() {
        let optional = Attribute::for_type::<Option<String>>;
        let attributes = Attributes::from([
            (
                "file".to_owned(),
                optional().environment(["FILE"]).conflicts_with(["text"]),
            ),
            ("text".to_owned(), optional().environment(["TEXT"])),
        ]);
        let lookup = |name: &str| Some(format!("from {name}"));
        for (set, other) in [("file", "text"), ("text", "file")] {
            let config = Value::object([(set, Value::string("mine"))]);
            let filled = fill_from_environment(&attributes, &config, &lookup).unwrap();
            assert_eq!(filled.attribute(set), &Value::string("mine"));
            assert_eq!(filled.attribute(other), &Value::Null);
        }
    }

    #[test]
    fn a_variable_is_validated_like_an_argument() {
        let attributes = Attributes::from([
            (
                "level".to_owned(),
                Attribute::for_type::<Option<String>>()
                    .validate(one_of(["low", "high"]))
                    .environment(["LEVEL"]),
            ),
            (
                "port".to_owned(),
                Attribute::for_type::<Option<u64>>().environment(["PORT"]),
            ),
        ]);
        let lookup = |name: &str| match name {
            "LEVEL" => Some("middle".to_owned()),
            _ => Some("-1".to_owned()),
        };
        let found = fill_from_environment(&attributes, &Value::Null, &lookup).unwrap_err();
        let details: Vec<_> = found.iter().map(|found| found.detail.as_str()).collect();
        let expected = [
            "The environment variable LEVEL sets level. The value must be one of \"low\", \"high\", but it is \"middle\".",
            "The environment variable PORT sets port. port must be a whole number from 0 to 2^64-1.",
        ];
        assert_eq!(details, expected);
    }

    #[test]
    fn variables_obey_the_rules_about_sibling_arguments() {
        let optional = Attribute::for_type::<Option<String>>;
        let object = |children: Attributes| {
            let kind = AttributeKind::Nested(Nesting::Single, children);
            Attribute::new(kind, Presence::Optional)
        };
        let role = object([("id".to_owned(), optional().environment(["ROLE_ID"]))].into());
        let attributes = Attributes::from([
            (
                "file".to_owned(),
                optional().environment(["FILE"]).conflicts_with(["text"]),
            ),
            ("text".to_owned(), optional().environment(["TEXT"])),
            ("role".to_owned(), role.conflicts_with(["jwt"])),
            ("jwt".to_owned(), optional().environment(["JWT"])),
        ]);
        let server = Attributes::from([("server".to_owned(), object(attributes))]);
        let lookup = |name: &str| Some(format!("from {name}"));
        let found = fill_from_environment(&server, &Value::Null, &lookup).unwrap_err();
        let found: Vec<_> = found
            .iter()
            .map(|found| {
                (
                    found.path.clone().unwrap().to_string(),
                    found.detail.as_str(),
                )
            })
            .collect();
        let expected = [
            (
                "server.file".to_owned(),
                "server.file (environment variable FILE) and server.text (environment variable TEXT) cannot be set together. Remove one of them.",
            ),
            (
                "server.role".to_owned(),
                "server.role (environment variable ROLE_ID) and server.jwt (environment variable JWT) cannot be set together. Remove one of them.",
            ),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_variable_of_a_list_holds_its_elements_between_commas() {
        let names = Attribute::for_type::<Option<BTreeSet<String>>>().environment(["NAMES"]);
        let attributes = Attributes::from([("names".to_owned(), names)]);
        let lookup = |_: &str| Some("b, a,".to_owned());
        let filled = fill_from_environment(&attributes, &Value::Null, &lookup).unwrap();
        let expected = Value::set([Value::string("a"), Value::string("b")]);
        assert_eq!(filled.attribute("names"), &expected);
    }

    #[test]
    fn unknown_variables_of_the_provider_are_a_warning_with_a_suggestion() {
        let present = ["MINE_URLL", "MINE_URL", "MINE_XY", "URL", "OTHER"];
        let present = || present.map(str::to_owned).into_iter();
        let found = check_variable_names(&attributes(), "MINE_", present()).unwrap();
        assert_eq!(found.severity, Severity::Warning);
        assert_eq!(
            found.detail,
            "MINE_URLL is ignored. Did you mean MINE_URL?\nMINE_XY is ignored."
        );
        assert_eq!(
            check_variable_names(&attributes(), "NONE_", present()),
            None
        );
    }

    #[test]
    fn a_malformed_variable_is_an_error_that_names_it() {
        let found = filled(Value::Null, &[("MINE_INSECURE", "yes")]).unwrap_err();
        let found = found.iter().next().unwrap();
        assert!(found.detail.contains("MINE_INSECURE"));
        assert_eq!(found.path, Some(Path::to("server").attribute("insecure")));
    }
}
