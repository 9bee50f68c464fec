//! What users read when a function cannot give a result.

use super::Parameter;

/// Why a function has no result; Terraform shows it with the call in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FunctionError {
    text: String,
    argument: Option<(&'static str, usize)>,
}

impl FunctionError {
    /// Describes what is wrong, without a capital letter and a full stop: Terraform puts it after a colon.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            argument: None,
        }
    }

    /// Blames the argument of this name.
    #[must_use]
    pub fn at(self, argument: &'static str) -> Self {
        self.at_element(argument, 0)
    }

    /// Blames one of the arguments that a variadic one stands for, counted from zero.
    #[must_use]
    pub fn at_element(self, argument: &'static str, index: usize) -> Self {
        Self {
            argument: Some((argument, index)),
            ..self
        }
    }

    /// Returns the position in the call of the argument at fault.
    pub(crate) fn position(&self, parameters: &[Parameter]) -> Option<usize> {
        let (name, index) = self.argument?;
        let first = parameters.iter().position(|known| known.name == name)?;
        Some(first + index)
    }
}
