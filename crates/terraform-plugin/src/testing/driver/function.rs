//! Calls of functions.

use super::{Driver, Failure, decode_value, encode_value, inconsistency};
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::provider_server::Provider as _;
use crate::provider::Provider;
use crate::value::Value;

impl<P: Provider> Driver<P> {
    /// Calls a function as Terraform does.
    ///
    /// If an argument is null or unknown and the function does not allow that, Terraform does not call it. It calls a
    /// function again later to check that the result is the same.
    pub async fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, Failure> {
        let function = self.service.registry().functions.get(name);
        let function = function.ok_or_else(|| Failure::NoSuchType(name.to_owned()))?;
        let signature = function.signature();
        let mut encoded = Vec::new();
        for (position, argument) in arguments.iter().enumerate() {
            let error = |text: &str| Failure::Function {
                text: text.to_owned(),
                argument: i64::try_from(position).ok(),
            };
            let parameter = signature
                .parameter_at(position)
                .ok_or_else(|| error("there are too many arguments"))?;
            if argument.is_null() && !parameter.allows_null {
                return Err(error("argument must not be null"));
            }
            if !argument.is_wholly_known() && !parameter.allows_unknown {
                return Ok(Value::Unknown);
            }
            encoded.extend(encode_value(argument, &parameter.value_type));
        }
        let request = tf::call_function::Request {
            name: name.to_owned(),
            arguments: encoded,
        };
        let first = self.call_once(request.clone()).await?;
        let second = self.call_once(request).await?;
        if first != second {
            return Err(inconsistency(
                "the function returned different results for the same arguments",
            ));
        }
        decode_value(first.result.as_ref(), &signature.output)
    }

    async fn call_once(
        &self,
        request: tf::call_function::Request,
    ) -> Result<tf::call_function::Response, Failure> {
        let called = self.service.call_function(tonic::Request::new(request));
        let called = called.await?.into_inner();
        match called.error {
            Some(error) => Err(Failure::Function {
                text: error.text,
                argument: error.function_argument,
            }),
            None => Ok(called),
        }
    }
}
