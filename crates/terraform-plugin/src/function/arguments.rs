//! Arguments of a function: one struct defines their names, types, documentation and conversions.

use std::slice::Iter;

use super::{FunctionError, Parameter};
use crate::schema::Presence;
use crate::value::{AttributeValue, Path, Value};

/// A struct whose fields are the arguments of a function, in order. Derive it.
///
/// The doc comments are the descriptions. A field's type decides which values are allowed:
///
/// | field | argument |
/// |---|---|
/// | `T` | neither null nor unknown |
/// | `Option<T>` | may be null |
/// | [`Tf<T>`](crate::value::Tf) | may be null or unknown; a partly unknown value is unknown if `T` cannot represent it |
/// | [`Variadic<T>`], the last field | any number of arguments |
///
/// ```
/// use terraform_plugin::function::{Arguments, Variadic};
///
/// #[derive(Arguments)]
/// struct Join {
///     /// Text between the parts.
///     separator: Option<String>,
///     /// Parts to join.
///     parts: Variadic<String>,
/// }
///
/// assert!(Join::parameters()[0].allows_null);
/// ```
pub trait Arguments: Sized + Send {
    /// Returns the parameters, in order.
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
    /// Makes an impossible type an error where it is used.
    #[doc(hidden)]
    const VALID: ();

    /// Returns the parameter for the argument.
    fn parameter(name: &'static str, description: &'static str) -> Parameter;

    /// Takes the argument from the front of the values.
    fn read(name: &'static str, values: &mut Iter<'_, Value>) -> Result<Self, FunctionError>;
}

/// Any number of arguments. Must be the last field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variadic<T>(pub Vec<T>);

impl<T: AttributeValue> Argument for T {
    const VALID: () = {
        let _ = T::PRESENCE;
    };

    fn parameter(name: &'static str, description: &'static str) -> Parameter {
        let kind = T::kind();
        let mut lost_options = kind.options_lost_in_plain_type();
        lost_options.extend(T::lost_options());
        Parameter {
            name,
            description,
            value_type: kind.value_type(),
            allows_null: T::PRESENCE != Presence::Required,
            allows_unknown: T::PRESENCE == Presence::Computed,
            is_variadic: false,
            lost_options,
        }
    }

    fn read(name: &'static str, values: &mut Iter<'_, Value>) -> Result<Self, FunctionError> {
        let value = values.next().unwrap_or(&Value::Null);
        convert(value).map_err(|error| error.at(name))
    }
}

impl<T: AttributeValue> Argument for Variadic<T> {
    const VALID: () = {
        let _ = T::PRESENCE;
    };

    fn parameter(name: &'static str, description: &'static str) -> Parameter {
        Parameter {
            is_variadic: true,
            ..T::parameter(name, description)
        }
    }

    fn read(name: &'static str, values: &mut Iter<'_, Value>) -> Result<Self, FunctionError> {
        let all = values.enumerate();
        all.map(|(index, value)| convert(value).map_err(|error| error.at_element(name, index)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn convert<T: AttributeValue>(value: &Value) -> Result<T, FunctionError> {
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
        let subject = if place.is_empty() {
            "the value"
        } else {
            &place
        };
        FunctionError::new(format!("{subject} {error}"))
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
        /// A note.
        note: Option<String>,
        /// A flag.
        later: Tf<bool>,
        /// More numbers.
        rest: Variadic<i64>,
    }

    fn number(number: i64) -> Value {
        Value::Number(number.into())
    }

    fn read(values: &[Value]) -> Result<Example, FunctionError> {
        Example::read(&mut values.iter())
    }

    #[test]
    fn field_types_decide_which_values_are_allowed() {
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
        assert_eq!(Example::parameters()[3].description, "More numbers.");
    }

    #[test]
    fn values_are_assigned_to_fields_by_position() {
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
    fn an_error_names_its_argument() {
        let position =
            |values: &[Value]| read(values).unwrap_err().position(&Example::parameters());
        assert_eq!(position(&[number(-1), Value::Null, Value::Null]), Some(0));
        let half = Value::Number("0.5".parse().unwrap());
        let values = [number(1), Value::Null, Value::Null, number(1), half];
        assert_eq!(position(&values), Some(4));
    }
}
