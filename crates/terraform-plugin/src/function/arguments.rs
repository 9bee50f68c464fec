//! Arguments of a function: one struct is their names, types, documentation and conversion.

use std::slice::Iter;

use super::{FunctionError, Parameter};
use crate::schema::Presence;
use crate::value::{AttributeValue, Path, Value};

/// A struct whose fields are the arguments of a function, in order; derive it.
///
/// The doc comments are the descriptions. The type of a field says what users may pass:
///
/// | field | argument |
/// |---|---|
/// | `T` | neither null nor unknown |
/// | `Option<T>` | may be null |
/// | [`Tf<T>`](crate::value::Tf) | may be null or unknown; unknown also if `T` cannot hold its unknown parts |
/// | [`Variadic<T>`], the last field | any number of arguments |
///
/// ```
/// use terraform_plugin::function::{Arguments, Variadic};
///
/// #[derive(Arguments)]
/// struct Join {
///     /// Text between the parts.
///     separator: Option<String>,
///     /// What is joined.
///     parts: Variadic<String>,
/// }
///
/// assert!(Join::parameters()[0].allows_null);
/// ```
pub trait Arguments: Sized + Send {
    /// The parameters, in order.
    fn parameters() -> Vec<Parameter>;

    /// Takes the arguments from the front of the values.
    fn read(values: &mut Iter<'_, Value>) -> Result<Self, FunctionError>;
}

/// The type of an argument.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of an argument",
    note = "use a type that attributes of models can have, or `Variadic` of one"
)]
pub trait Argument: Sized {
    /// The parameter that takes the argument.
    fn parameter(name: &'static str, description: &'static str) -> Parameter;

    /// Takes the argument from the front of the values.
    fn read(name: &'static str, values: &mut Iter<'_, Value>) -> Result<Self, FunctionError>;
}

/// Any number of arguments, which must be the last ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variadic<T>(pub Vec<T>);

impl<T: AttributeValue> Argument for T {
    fn parameter(name: &'static str, description: &'static str) -> Parameter {
        Parameter {
            name,
            description,
            value_type: T::kind().value_type(),
            allows_null: T::PRESENCE != Presence::Required,
            allows_unknown: T::PRESENCE == Presence::Computed,
            is_variadic: false,
        }
    }

    fn read(name: &'static str, values: &mut Iter<'_, Value>) -> Result<Self, FunctionError> {
        let value = values.next().unwrap_or(&Value::Null);
        converted(value).map_err(|error| error.at(name))
    }
}

impl<T: AttributeValue> Argument for Variadic<T> {
    fn parameter(name: &'static str, description: &'static str) -> Parameter {
        Parameter {
            is_variadic: true,
            ..T::parameter(name, description)
        }
    }

    fn read(name: &'static str, values: &mut Iter<'_, Value>) -> Result<Self, FunctionError> {
        let all = values.enumerate();
        all.map(|(index, value)| converted(value).map_err(|error| error.at_element(name, index)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn converted<T: AttributeValue>(value: &Value) -> Result<T, FunctionError> {
    let whole = T::from_value(value, &Path::root());
    let converted = whole.or_else(|error| {
        if T::PRESENCE == Presence::Computed && !value.is_wholly_known() {
            T::from_value(&Value::Unknown, &Path::root())
        } else {
            Err(error)
        }
    });
    converted.map_err(|error| {
        let place = error.path.to_string();
        let separator = if place.is_empty() { "" } else { ": " };
        FunctionError::new(format!("{place}{separator}{error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::Arguments;
    use crate::value::Tf;

    #[derive(Debug, PartialEq, Arguments)]
    struct Example {
        /// A count.
        count: u64,
        /// Perhaps a note.
        note: Option<String>,
        /// Perhaps later.
        later: Tf<bool>,
        /// The rest.
        rest: Variadic<i64>,
    }

    fn number(number: i64) -> Value {
        Value::Number(number.into())
    }

    fn read(values: &[Value]) -> Result<Example, FunctionError> {
        Example::read(&mut values.iter())
    }

    #[test]
    fn the_types_of_the_fields_say_what_may_be_passed() {
        let allowed: Vec<_> = Example::parameters()
            .iter()
            .map(|p| (p.name, p.allows_null, p.allows_unknown, p.is_variadic))
            .collect();
        let expected = [
            ("count", false, false, false),
            ("note", true, false, false),
            ("later", true, true, false),
            ("rest", false, false, true),
        ];
        assert_eq!(allowed, expected);
        assert_eq!(Example::parameters()[3].description, "The rest.");
    }

    #[test]
    fn values_become_fields_by_position() {
        let values = [
            number(1),
            Value::Null,
            Value::Unknown,
            number(-2),
            number(3),
        ];
        let expected = Example {
            count: 1,
            note: None,
            later: Tf::Unknown,
            rest: Variadic(vec![-2, 3]),
        };
        assert_eq!(read(&values), Ok(expected));
    }

    #[test]
    fn an_error_names_the_argument_at_fault() {
        let position =
            |values: &[Value]| read(values).unwrap_err().position(&Example::parameters());
        assert_eq!(position(&[number(-1), Value::Null, Value::Null]), Some(0));
        let half = Value::Number("0.5".parse().unwrap());
        let values = [number(1), Value::Null, Value::Null, number(1), half];
        assert_eq!(position(&values), Some(4));
    }
}
