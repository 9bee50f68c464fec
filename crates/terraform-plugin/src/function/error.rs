//! Errors of functions.

use super::Parameter;

/// Why a function call failed. Terraform shows it with the call in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FunctionError {
    text: String,
    argument: Option<(&'static str, usize)>,
}

impl FunctionError {
    /// Returns an error. Terraform puts the text after a colon, so it starts in lower case and has no full stop.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            argument: None,
        }
    }

    /// Sets the argument that caused the error.
    #[must_use]
    pub fn at(self, argument: &'static str) -> Self {
        self.at_element(argument, 0)
    }

    /// Sets the element of a variadic argument that caused the error, counted from zero.
    #[must_use]
    pub fn at_element(self, argument: &'static str, index: usize) -> Self {
        Self {
            argument: Some((argument, index)),
            ..self
        }
    }

    /// Returns the position of the argument in the call.
    pub(crate) fn position(&self, parameters: &[Parameter]) -> Option<usize> {
        let (name, index) = self.argument?;
        let first = parameters.iter().position(|known| known.name == name)?;
        Some(first + index)
    }
}
