//! Parameters: declared as structs, read alike from query, form and JSON, with Grape's validation
//! errors.

use serde_json::{Map, Value};

use super::api_error::ApiError;
use crate::domain::level::{AccessLevel, Visibility};
use crate::domain::namespace::ProjectCreation;
use crate::domain::switches::Texts;
use crate::domain::time::{Day, Moment};
use crate::domain::token::Scope;

/// The unchecked parameters of a request. Some are secret, so `Debug` omits them.
#[derive(Clone, Default)]
pub(crate) struct Raw(pub(crate) Map<String, Value>);

impl Raw {
    /// Returns a parameter; JSON `null` counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Parses a parameter.
    pub(crate) fn read<T: Field>(&self, name: &str) -> Result<T, ApiError> {
        T::read(self.get(name)).map_err(|problem| ApiError::problem(name, problem))
    }

    /// Returns the parameters among `names`, unparsed.
    pub(crate) fn only(&self, names: &[&str]) -> Map<String, Value> {
        names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.0.get(*name)?.clone())))
            .collect()
    }
}

/// The parameters of an endpoint.
pub(crate) trait Params: Sized {
    /// Parses and checks the parameters.
    fn read(raw: &Raw) -> Result<Self, ApiError>;
}

/// No parameters.
pub(crate) struct NoParams;

impl Params for NoParams {
    fn read(_raw: &Raw) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

impl Params for Raw {
    fn read(raw: &Raw) -> Result<Self, ApiError> {
        Ok(raw.clone())
    }
}

/// An error of one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Missing,
    Empty,
    Type,
    Value,
}

/// A validation error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FieldError {
    /// An error of one parameter.
    One(String, Problem),
    /// None of these parameters is present.
    NoneOf(Vec<String>),
    /// Another error, as text.
    Other(String),
}

impl FieldError {
    /// Returns Grape's text.
    pub(crate) fn text(&self, texts: &Texts) -> String {
        match self {
            Self::One(name, Problem::Missing) => format!("{name} is missing"),
            Self::One(name, Problem::Empty) => format!("{name} is empty"),
            Self::One(name, Problem::Type) => format!("{name} is invalid"),
            Self::One(name, Problem::Value) => texts.invalid_value.replace("{name}", name),
            Self::NoneOf(names) => texts.none_of.replace("{names}", &names.join(", ")),
            Self::Other(text) => text.clone(),
        }
    }
}

/// A field of a parameter struct: a [`Scalar`] is required, an `Option` is optional.
pub(crate) trait Field: Sized {
    fn read(value: Option<&Value>) -> Result<Self, Problem>;
}

/// The type of a single parameter.
pub(crate) trait Scalar: Sized {
    /// Whether an empty text from a form counts as absent, as in Grape for all types but texts.
    const EMPTY_IS_ABSENT: bool = true;

    fn from_value(value: &Value) -> Result<Self, Problem>;
}

impl<T: Scalar> Field for T {
    fn read(value: Option<&Value>) -> Result<Self, Problem> {
        T::from_value(value.ok_or(Problem::Missing)?)
    }
}

impl<T: Scalar> Field for Option<T> {
    fn read(value: Option<&Value>) -> Result<Self, Problem> {
        let is_absent = |value: &&Value| T::EMPTY_IS_ABSENT && value.as_str() == Some("");
        value
            .filter(|value| !is_absent(value))
            .map(T::from_value)
            .transpose()
    }
}

impl Scalar for String {
    const EMPTY_IS_ABSENT: bool = false;

    fn from_value(value: &Value) -> Result<Self, Problem> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => Err(Problem::Type),
        }
    }
}

/// A text that is not blank.
#[derive(Clone, Debug)]
pub(crate) struct NonBlank(pub(crate) String);

impl Scalar for NonBlank {
    const EMPTY_IS_ABSENT: bool = false;

    fn from_value(value: &Value) -> Result<Self, Problem> {
        let text = String::from_value(value)?;
        if text.trim().is_empty() {
            Err(Problem::Empty)
        } else {
            Ok(Self(text))
        }
    }
}

impl Scalar for u64 {
    fn from_value(value: &Value) -> Result<Self, Problem> {
        match value {
            Value::Number(number) => number.as_u64().ok_or(Problem::Type),
            Value::String(text) => text.trim().parse().map_err(|_| Problem::Type),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(Problem::Type),
        }
    }
}

impl Scalar for bool {
    fn from_value(value: &Value) -> Result<Self, Problem> {
        match value {
            Value::Bool(flag) => Ok(*flag),
            Value::Number(number) if number.as_u64() == Some(1) => Ok(true),
            Value::Number(number) if number.as_u64() == Some(0) => Ok(false),
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" | "on" | "yes" => Ok(true),
                "false" | "f" | "0" | "off" | "no" => Ok(false),
                _ => Err(Problem::Type),
            },
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(Problem::Type)
            }
        }
    }
}

impl Scalar for Vec<String> {
    const EMPTY_IS_ABSENT: bool = false;

    /// Parses an array, or one comma-separated text.
    fn from_value(value: &Value) -> Result<Self, Problem> {
        match value {
            Value::Array(values) => values.iter().map(String::from_value).collect(),
            Value::Object(_) | Value::Null => Err(Problem::Type),
            other => Ok(String::from_value(other)?
                .split(',')
                .map(|part| part.trim().to_owned())
                .filter(|part| !part.is_empty())
                .collect()),
        }
    }
}

impl Scalar for Vec<Map<String, Value>> {
    fn from_value(value: &Value) -> Result<Self, Problem> {
        let Value::Array(values) = value else {
            return Err(Problem::Type);
        };
        values
            .iter()
            .map(|value| value.as_object().cloned().ok_or(Problem::Type))
            .collect()
    }
}

impl Scalar for Map<String, Value> {
    fn from_value(value: &Value) -> Result<Self, Problem> {
        value.as_object().cloned().ok_or(Problem::Type)
    }
}

impl Scalar for Day {
    fn from_value(value: &Value) -> Result<Self, Problem> {
        value.as_str().and_then(Self::parse).ok_or(Problem::Type)
    }
}

impl Scalar for Moment {
    fn from_value(value: &Value) -> Result<Self, Problem> {
        value.as_str().and_then(Self::parse).ok_or(Problem::Type)
    }
}

fn choose<T: Copy>(value: &Value, names: &[(&str, T)]) -> Result<T, Problem> {
    let text = value.as_str().ok_or(Problem::Value)?;
    let found = names.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or(Problem::Value)
}

impl Scalar for Visibility {
    fn from_value(value: &Value) -> Result<Self, Problem> {
        choose(value, &Self::NAMES)
    }
}

impl Scalar for ProjectCreation {
    fn from_value(value: &Value) -> Result<Self, Problem> {
        choose(value, &Self::NAMES)
    }
}

impl Scalar for AccessLevel {
    fn from_value(value: &Value) -> Result<Self, Problem> {
        let number = u64::from_value(value)?;
        Self::from_number(number).ok_or(Problem::Value)
    }
}

impl Scalar for Vec<Scope> {
    fn from_value(value: &Value) -> Result<Self, Problem> {
        let names = Vec::<String>::from_value(value)?;
        names
            .iter()
            .map(|name| choose(&Value::String(name.clone()), Scope::NAMES))
            .collect()
    }
}

/// Declares the parameters of an endpoint. The optional last line names parameters of which at
/// least one is required.
macro_rules! params {
    (
        $(#[$meta:meta])*
        struct $name:ident { $($field:ident: $type:ty,)* }
        $(at_least_one_of [$($one:literal),* $(,)?])?
    ) => {
        $(#[$meta])*
        pub(crate) struct $name { $(pub(crate) $field: $type,)* }

        impl $crate::web::params::Params for $name {
            fn read(
                raw: &$crate::web::params::Raw,
            ) -> Result<Self, $crate::web::api_error::ApiError> {
                use $crate::web::params::Field;
                use $crate::web::params::FieldError;
                let mut field_errors: Vec<FieldError> = Vec::new();
                $(
                    let field = stringify!($field).trim_start_matches("r#");
                    let $field = <$type as Field>::read(raw.get(field))
                        .map_err(|problem| field_errors.push(FieldError::One(field.to_owned(), problem)));
                )*
                $(
                    let names = [$($one),*];
                    if !names.iter().any(|name| raw.0.contains_key(*name)) {
                        field_errors.push(FieldError::NoneOf(names.map(str::to_owned).to_vec()));
                    }
                )?
                match (field_errors.is_empty(), $($field,)*) {
                    (true, $(Ok($field),)*) => Ok(Self { $($field),* }),
                    _ => Err($crate::web::api_error::ApiError::parameters(field_errors)),
                }
            }
        }
    };
}
pub(crate) use params;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    params! {
        struct Example {
            name: String,
            branch: Option<NonBlank>,
            count: Option<u64>,
            visibility: Option<Visibility>,
            is_on: Option<bool>,
        }
    }

    fn read(value: Value) -> Result<Example, Value> {
        let Value::Object(map) = value else {
            panic!("an object")
        };
        Example::read(&Raw(map))
            .map_err(|api_error| api_error.with_texts(&Texts::default()).json().unwrap())
    }

    #[test]
    fn all_problems_are_reported_in_one_text() {
        let conflict = read(json!({ "branch": " ", "count": "x", "visibility": "secret" }));
        let text = "name is missing, branch is empty, count is invalid, visibility does not have a valid value";
        assert_eq!(conflict.err(), Some(json!({ "error": text })));
    }

    #[test]
    fn forms_and_json_yield_the_same_values() {
        let form = json!({ "name": "5", "branch": "b", "count": "7", "is_on": "1",
            "visibility": "" });
        let typed =
            json!({ "name": 5, "branch": "b", "count": 7, "is_on": true, "visibility": null });
        for given in [form, typed] {
            let read = read(given).ok().unwrap();
            assert_eq!(read.name, "5");
            assert_eq!(read.branch.unwrap().0, "b");
            assert_eq!(
                (read.count, read.visibility, read.is_on),
                (Some(7), None, Some(true))
            );
        }
    }
}
