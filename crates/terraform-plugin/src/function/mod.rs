//! Functions that configurations call, such as `provider::cloud::slug("Some text")`.

mod arguments;
mod check;
mod error;
mod signature;

pub use arguments::{Argument, Arguments, Variadic};
pub use error::FunctionError;
pub use signature::{Parameter, Signature};
pub use terraform_plugin_derive::Arguments;

use crate::value::{AttributeValue, Convert as _, Value};

/// A function.
///
/// Functions are pure: they have no client, work without a provider block, and return the same result for the same
/// arguments, which Terraform checks.
pub trait Function: Send + Sync + 'static {
    /// The arguments, one field each.
    type Arguments: Arguments;
    /// The result.
    type Output: AttributeValue;

    /// The name, without a prefix.
    const NAME: &'static str;
    /// One sentence of plain text.
    const SUMMARY: &'static str;
    /// The description, in Markdown.
    const DESCRIPTION: &'static str;

    /// Computes the result.
    fn call(&self, arguments: Self::Arguments) -> Result<Self::Output, FunctionError>;
}

/// A function without its types.
pub(crate) trait ErasedFunction: Send + Sync {
    fn signature(&self) -> &Signature;
    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError>;
}

pub(crate) struct Registered<F> {
    function: F,
    signature: Signature,
}

impl<F: Function> Registered<F> {
    pub(crate) fn new(function: F) -> Self {
        Self {
            function,
            signature: Signature::new::<F>(),
        }
    }
}

impl<F: Function> ErasedFunction for Registered<F> {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        let arguments = F::Arguments::read(&mut arguments.iter())?;
        Ok(self.function.call(arguments)?.to_value())
    }
}
