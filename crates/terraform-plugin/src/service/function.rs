//! `GetFunctions` and `CallFunction`.

use super::ProviderService;
use super::response::RpcResponse;
use super::rpc::Rpc;
use super::wire::{decode_value, encode_value};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::function::{FunctionError, Signature};
use crate::kind::Kind;
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;

impl<P: Provider> Rpc<P> for tf::get_functions::Request {
    type Response = tf::get_functions::Response;
    const NAME: &'static str = "GetFunctions";

    /// Answers what the schema holds too, because OpenTofu asks a configured provider again and takes an error as fatal.
    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let signatures = service.registry.function_signatures();
        Ok(Self::Response {
            functions: signatures
                .map(|(name, signature)| (name.to_owned(), signature.into()))
                .collect(),
            ..Default::default()
        })
    }
}

impl<P: Provider> Rpc<P> for tf::call_function::Request {
    type Response = tf::call_function::Response;
    const NAME: &'static str = "CallFunction";
    const KIND: Option<Kind> = Some(Kind::Function);

    fn subject(&self) -> &str {
        &self.name
    }

    async fn handle(self, service: &ProviderService<P>) -> Result<Self::Response, Diagnostics> {
        let function = service.function(&self.name)?;
        let signature = function.signature();
        let arguments = self.arguments.iter().enumerate();
        let arguments = arguments.map(|(position, argument)| {
            let parameter = signature.parameter_at(position).ok_or_else(|| {
                let name = &self.name;
                Diagnostic::bug(format!(
                    "{name} accepts fewer than {} arguments",
                    position + 1
                ))
            })?;
            decode_value(Some(argument), &parameter.value_type)
        });
        let arguments = arguments.collect::<Result<Vec<_>, Diagnostics>>()?;
        Ok(match function.call(&arguments) {
            Ok(result) => Self::Response {
                result: encode_value(&result, &signature.output),
                error: None,
            },
            Err(error) => Self::Response {
                result: None,
                error: Some(function_error(&error, signature)),
            },
        })
    }
}

fn function_error(error: &FunctionError, signature: &Signature) -> tf::FunctionError {
    let position = error.position(&signature.parameters);
    tf::FunctionError {
        text: error.to_string(),
        function_argument: position.and_then(|position| i64::try_from(position).ok()),
    }
}

impl RpcResponse for tf::call_function::Response {
    fn add_diagnostics(&mut self, diagnostics: &Diagnostics) {
        self.error = Some(tf::FunctionError {
            text: diagnostics.to_string(),
            function_argument: None,
        });
    }
}
