//! Arguments of a provider that come from the environment.

use super::{Attribute, AttributeKind, Attributes, Nesting, SiblingRule};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::value::{Path, Type, Value};

/// Returns the configuration with missing arguments taken from the environment.
///
/// Objects that are missing altogether come into being when one of their parts is in the environment.
pub(crate) fn fill_from_environment(
    attributes: &Attributes,
    config: &Value,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Value, Diagnostics> {
    let mut filler = Filler {
        lookup,
        found: Diagnostics::default(),
    };
    let filled = filler.object(attributes, config, &Path::root());
    filler.found.into_result().map(|_| filled)
}

struct Filler<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    found: Diagnostics,
}

impl Filler<'_> {
    fn object(&mut self, attributes: &Attributes, config: &Value, path: &Path) -> Value {
        let mut values = Vec::new();
        for (name, attribute) in attributes {
            let (own, path) = (config.attribute(name), path.attribute(name));
            // What the configuration says wins over the environment, also where it says it by another argument.
            if own.is_null() && excluded_by_configuration(name, attributes, config) {
                values.push((name.as_str(), Value::Null));
                continue;
            }
            let value = match &attribute.kind {
                AttributeKind::Nested(Nesting::Single, children)
                    if matches!(own, Value::Null | Value::Object(_)) =>
                {
                    let filled = self.object(children, own, &path);
                    let is_empty = children.keys().all(|name| filled.attribute(name).is_null());
                    if own.is_null() && is_empty {
                        Value::Null
                    } else {
                        filled
                    }
                }
                AttributeKind::Typed(kind) if own.is_null() => {
                    self.variable(&attribute.environment, kind, &path)
                }
                _ => own.clone(),
            };
            values.push((name.as_str(), value));
        }
        Value::object(values)
    }

    fn variable(&mut self, variables: &[String], kind: &Type, path: &Path) -> Value {
        let set = variables.iter().find_map(|variable| {
            let text = (self.lookup)(variable).filter(|text| !text.is_empty())?;
            Some((variable, text))
        });
        let Some((variable, text)) = set else {
            return Value::Null;
        };
        let parsed = match kind {
            Type::String => Some(Value::string(text)),
            Type::Bool => match text.as_str() {
                "true" | "1" => Some(Value::Bool(true)),
                "false" | "0" => Some(Value::Bool(false)),
                _ => None,
            },
            Type::Number => text.parse().ok().map(Value::Number),
            _ => None,
        };
        parsed.unwrap_or_else(|| {
            let wanted = if *kind == Type::Bool {
                "true, false, 1 or 0"
            } else {
                "a number"
            };
            let detail = format!("{variable} stands in for {path} and must be {wanted}.");
            self.found
                .push(Diagnostic::error("Invalid environment variable", detail).at(path));
            Value::Null
        })
    }
}

/// Tells whether the configuration has set an argument that excludes this one.
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
    use super::*;
    use crate::schema::{Attribute, Presence};

    fn attributes() -> Attributes {
        let optional = Attribute::of::<Option<String>>;
        let server = Attributes::from([
            (
                "url".to_owned(),
                optional().environment(["MINE_URL", "URL"]),
            ),
            (
                "insecure".to_owned(),
                Attribute::of::<Option<bool>>().environment(["MINE_INSECURE"]),
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
    fn a_missing_object_comes_from_its_parts() {
        let value = filled(Value::Null, &[("URL", "u"), ("MINE_INSECURE", "1")]).unwrap();
        assert_eq!(value, server(Value::string("u"), Value::Bool(true)));
        assert_eq!(
            filled(Value::Null, &[]).unwrap().attribute("server"),
            &Value::Null
        );
    }

    #[test]
    fn configuration_wins_and_the_first_variable_that_is_set_comes_next() {
        let config = Value::object([("url", Value::string("hcl")), ("insecure", Value::Null)]);
        let value = filled(config, &[("MINE_URL", "mine")]).unwrap();
        assert_eq!(value, server(Value::string("hcl"), Value::Null));
        let value = filled(Value::Null, &[("MINE_URL", "mine"), ("URL", "generic")]).unwrap();
        assert_eq!(value, server(Value::string("mine"), Value::Null));
        let value = filled(Value::Null, &[("MINE_URL", ""), ("URL", "generic")]).unwrap();
        assert_eq!(value, server(Value::string("generic"), Value::Null));
    }

    #[test]
    fn an_argument_that_the_configuration_excludes_does_not_come_from_the_environment() {
        let optional = Attribute::of::<Option<String>>;
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
    fn a_variable_of_another_form_is_an_error_that_names_it() {
        let found = filled(Value::Null, &[("MINE_INSECURE", "yes")]).unwrap_err();
        let found = found.iter().next().unwrap();
        assert!(found.detail.contains("MINE_INSECURE"));
        assert_eq!(found.path, Some(Path::to("server").attribute("insecure")));
    }
}
