//! Parameters: declared as structs, read from query, form or JSON alike, refused in Grape's words.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::domain::level::{AccessLevel, Visibility};
use crate::domain::namespace::ProjectCreation;
use crate::domain::switches::Texts;
use crate::domain::time::{Day, Moment};
use crate::domain::token::Scope;

/// The parameters of a request before anything is checked; some are secrets, so they are not printed.
#[derive(Clone, Default)]
pub(crate) struct Raw(pub(crate) Map<String, Value>);

impl Raw {
    /// A parameter that is there; JSON's null is not.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A parameter of a type.
    pub(crate) fn read<T: Field>(&self, name: &str) -> Result<T, Refusal> {
        T::read(self.get(name)).map_err(|problem| Refusal::problem(name, problem))
    }

    /// The parameters among `names`, as they came.
    pub(crate) fn only(&self, names: &[&str]) -> Map<String, Value> {
        names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.0.get(*name)?.clone())))
            .collect()
    }
}

/// The parameters of an endpoint.
pub(crate) trait Params: Sized {
    /// Reads and checks them.
    fn read(raw: &Raw) -> Result<Self, Refusal>;
}

/// No parameters.
pub(crate) struct Nothing;

impl Params for Nothing {
    fn read(_raw: &Raw) -> Result<Self, Refusal> {
        Ok(Self)
    }
}

impl Params for Raw {
    fn read(raw: &Raw) -> Result<Self, Refusal> {
        Ok(raw.clone())
    }
}

/// What is wrong with the value of one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Missing,
    Empty,
    Type,
    Value,
}

/// What is wrong with the parameters of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// One parameter.
    One(String, Problem),
    /// None of these is there.
    NoneOf(Vec<String>),
    /// Anything else, in words.
    Other(String),
}

impl Complaint {
    /// Grape's words.
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

/// A field of a parameter struct: a [`Scalar`] is required, an `Option` of one is not.
pub(crate) trait Field: Sized {
    fn read(value: Option<&Value>) -> Result<Self, Problem>;
}

/// A type that a single parameter can have.
pub(crate) trait Scalar: Sized {
    /// Whether an empty text from a form is no value at all, as Grape takes it for all but texts.
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

/// A text that must not be blank.
#[derive(Clone, Debug)]
pub(crate) struct Filled(pub(crate) String);

impl Scalar for Filled {
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

    /// An array, or one text with commas.
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

/// Declares the parameters of an endpoint; an optional last line names parameters of which at
/// least one must be there.
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
            ) -> Result<Self, $crate::web::refusal::Refusal> {
                use $crate::web::params::Field;
                use $crate::web::params::Complaint;
                let mut complaints: Vec<Complaint> = Vec::new();
                $(
                    let field = stringify!($field).trim_start_matches("r#");
                    let $field = <$type as Field>::read(raw.get(field))
                        .map_err(|problem| complaints.push(Complaint::One(field.to_owned(), problem)));
                )*
                $(
                    let names = [$($one),*];
                    if !names.iter().any(|name| raw.0.contains_key(*name)) {
                        complaints.push(Complaint::NoneOf(names.map(str::to_owned).to_vec()));
                    }
                )?
                match (complaints.is_empty(), $($field,)*) {
                    (true, $(Ok($field),)*) => Ok(Self { $($field),* }),
                    _ => Err($crate::web::refusal::Refusal::parameters(complaints)),
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
            branch: Option<Filled>,
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
            .map_err(|refusal| refusal.worded(&Texts::default()).json().unwrap())
    }

    #[test]
    fn all_problems_are_told_in_one_text() {
        let refused = read(json!({ "branch": " ", "count": "x", "visibility": "secret" }));
        let text = "name is missing, branch is empty, count is invalid, visibility does not have a valid value";
        assert_eq!(refused.err(), Some(json!({ "error": text })));
    }

    #[test]
    fn forms_and_json_give_the_same_values() {
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
