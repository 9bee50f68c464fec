//! The signature of a function.

use super::{Arguments as _, Function};
use crate::protocol::tfplugin6::{self as wire, StringKind};
use crate::schema::LostOption;
use crate::value::{AttributeValue as _, Type};

/// One parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name, used in the documentation.
    pub name: &'static str,
    /// The description, in Markdown.
    pub description: &'static str,
    /// The type of the arguments.
    pub value_type: Type,
    /// Whether the argument may be null.
    pub allows_null: bool,
    /// Whether the argument may be unknown, wholly or in part. Otherwise Terraform calls the function once it is known.
    pub allows_unknown: bool,
    /// Whether it accepts any number of arguments.
    pub is_variadic: bool,
    /// The options of a model that have no effect, because an argument has a plain type.
    pub(crate) lost_options: Vec<LostOption>,
}

/// The signature of a function, with its documentation.
#[derive(Debug, Clone)]
pub struct Signature {
    /// The parameters, in order.
    pub parameters: Vec<Parameter>,
    /// The type of the result.
    pub output: Type,
    /// One sentence of plain text.
    pub summary: &'static str,
    /// The description, in Markdown.
    pub description: &'static str,
}

impl Signature {
    pub(super) fn new<F: Function>() -> Self {
        Self {
            parameters: F::Arguments::parameters(),
            output: F::Output::kind().value_type(),
            summary: F::SUMMARY,
            description: F::DESCRIPTION,
        }
    }

    /// Returns the parameter of the argument at a position, counted from zero.
    pub fn parameter_at(&self, position: usize) -> Option<&Parameter> {
        let last = self.parameters.last().filter(|last| last.is_variadic);
        self.parameters.get(position).or(last)
    }
}

impl From<&Signature> for wire::Function {
    fn from(signature: &Signature) -> Self {
        let (variadic, positional): (Vec<_>, Vec<_>) = signature
            .parameters
            .iter()
            .partition(|parameter| parameter.is_variadic);
        Self {
            parameters: positional.into_iter().map(Into::into).collect(),
            variadic_parameter: variadic.first().copied().map(Into::into),
            r#return: Some(wire::function::Return {
                r#type: json(&signature.output).into(),
            }),
            summary: signature.summary.to_owned(),
            description: signature.description.to_owned(),
            description_kind: StringKind::Markdown.into(),
            ..Default::default()
        }
    }
}

impl From<&Parameter> for wire::function::Parameter {
    fn from(parameter: &Parameter) -> Self {
        Self {
            name: parameter.name.to_owned(),
            r#type: json(&parameter.value_type).into(),
            allow_null_value: parameter.allows_null,
            allow_unknown_values: parameter.allows_unknown,
            description: parameter.description.to_owned(),
            description_kind: StringKind::Markdown.into(),
        }
    }
}

fn json(kind: &Type) -> Vec<u8> {
    kind.to_json().to_string().into_bytes()
}
