//! Validators of the values that users write.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::similar::closest;
use crate::value::{AttributeValue, Path, Type, Value};

type Check = dyn Fn(&Value, &Path) -> Diagnostics + Send + Sync;

/// A check of one attribute, with a sentence that documents it.
///
/// It is not called for null and unknown values.
#[derive(Clone)]
pub struct Validator {
    description: String,
    target: Target,
    check: Arc<Check>,
}

/// What a validator can check.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// Values of a type.
    Value(Type),
    /// The elements of a collection.
    Elements(Box<Target>),
}

impl Target {
    fn accepts(&self, kind: &Type) -> bool {
        match (self, kind) {
            (Self::Value(expected), kind) => expected == kind,
            (Self::Elements(target), Type::List(kind) | Type::Set(kind) | Type::Map(kind)) => {
                target.accepts(kind)
            }
            (Self::Elements(_), _) => false,
        }
    }
}

impl Validator {
    /// Returns a validator of values of a Rust type. `check` returns the reason why a value is invalid.
    ///
    /// The reason is a sentence that names the rule and a valid value.
    pub fn new<T: AttributeValue>(
        description: impl Into<String>,
        check: impl Fn(&T) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        let check = move |value: &Value, path: &Path| match T::from_value(value, path) {
            Ok(value) => match check(&value) {
                Ok(()) => Diagnostics::default(),
                Err(reason) => Diagnostic::error(format!("Invalid value for {path}"), reason)
                    .at(path)
                    .into(),
            },
            Err(error) => Diagnostic::invalid_value(&error).into(),
        };
        Self {
            description: description.into(),
            target: Target::Value(T::kind().value_type()),
            check: Arc::new(check),
        }
    }

    /// Returns the sentence for the documentation.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns `true` if the validator can check values of the type.
    pub(crate) fn accepts(&self, kind: &Type) -> bool {
        self.target.accepts(kind)
    }

    pub(crate) fn check(&self, value: &Value, path: &Path) -> Diagnostics {
        (self.check)(value, path)
    }
}

impl Debug for Validator {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Validator")
            .field(&self.description)
            .finish()
    }
}

/// Accepts only the listed strings.
pub fn one_of<const N: usize>(allowed: [&'static str; N]) -> Validator {
    let list = allowed.map(|text| format!("`{text}`")).join(", ");
    Validator::new(format!("Must be one of {list}."), move |text: &String| {
        if allowed.contains(&text.as_str()) {
            return Ok(());
        }
        let list = allowed.map(|text| format!("{text:?}")).join(", ");
        let similar = closest(text, allowed);
        let question = similar.map(|similar| format!(" Did you mean {similar:?}?"));
        let question = question.unwrap_or_default();
        Err(format!(
            "The value must be one of {list}, but it is {text:?}.{question}"
        ))
    })
}

/// Applies a validator to every known element of a list, set or map.
pub fn each(validator: Validator) -> Validator {
    let description = format!("Every element: {}", validator.description);
    let target = Target::Elements(Box::new(validator.target.clone()));
    let check = move |value: &Value, path: &Path| {
        let mut found = Diagnostics::default();
        let mut look = |element: &Value, path: &Path| {
            if !element.is_null() && element.is_wholly_known() {
                found.extend(validator.check(element, path));
            }
        };
        match value {
            Value::List(elements) => {
                elements
                    .iter()
                    .enumerate()
                    .for_each(|(i, e)| look(e, &path.index(i)));
            }
            Value::Set(elements) => elements.iter().for_each(|e| look(e, &path.set_element())),
            Value::Map(elements) => elements.iter().for_each(|(k, e)| look(e, &path.key(k))),
            _ => {}
        }
        found
    };
    Validator {
        description,
        target,
        check: Arc::new(check),
    }
}
