//! Checks of the values that users write.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::value::{Convert, Path, Value};

type Check = dyn Fn(&Value, &Path) -> Diagnostics + Send + Sync;

/// A check of one attribute, with one sentence that documents it.
///
/// Null and unknown values are never checked.
#[derive(Clone)]
pub struct Validator {
    description: String,
    check: Arc<Check>,
}

impl Validator {
    /// Returns a check of values of a Rust type; `check` gives the reason for which it refuses one.
    ///
    /// The reason is a sentence that names the rule and what would be right.
    pub fn new<T: Convert>(
        description: impl Into<String>,
        check: impl Fn(&T) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        let check = move |value: &Value, path: &Path| match T::from_value(value, path) {
            Ok(value) => match check(&value) {
                Ok(()) => Diagnostics::default(),
                Err(reason) => Diagnostic::error(format!("Invalid value of {path}"), reason)
                    .at(path)
                    .into(),
            },
            Err(error) => error.into(),
        };
        Self {
            description: description.into(),
            check: Arc::new(check),
        }
    }

    /// The sentence for documentation.
    pub fn description(&self) -> &str {
        &self.description
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

/// Accepts the listed texts.
pub fn one_of<const N: usize>(allowed: [&'static str; N]) -> Validator {
    let list = allowed.map(|text| format!("`{text}`")).join(", ");
    Validator::new(format!("Must be one of {list}."), move |text: &String| {
        if allowed.contains(&text.as_str()) {
            Ok(())
        } else {
            Err(format!(
                "{text:?} is none of the allowed values: {}.",
                allowed.join(", ")
            ))
        }
    })
}

/// Applies a check to every known element of a list, set or map.
pub fn each(validator: Validator) -> Validator {
    let description = format!("Every element: {}", validator.description);
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
        check: Arc::new(check),
    }
}
