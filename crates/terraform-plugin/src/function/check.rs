//! The rules for signatures, so that a provider's own tests find mistakes.

use std::collections::BTreeSet;

use super::Signature;
use crate::schema::{LostOption, SchemaFault, name_fault};
use crate::value::Path;

impl Signature {
    /// Lists what Terraform would refuse or what could not work; `subject` says in the faults whose signature it is.
    pub(crate) fn faults(&self, subject: &str, name: &str) -> Vec<SchemaFault> {
        let mut faults = Vec::new();
        let mut fault = |path: Path, reason: &str| {
            faults.push(SchemaFault {
                subject: subject.to_owned(),
                path,
                reason: reason.to_owned(),
            });
        };
        if let Some(reason) = name_fault(name) {
            fault(Path::root(), reason);
        }
        if self.summary.trim().is_empty() {
            fault(Path::root(), "it has no summary");
        }
        if self.description.trim().is_empty() {
            fault(Path::root(), "it has no description");
        }
        let mut names = BTreeSet::new();
        for (position, parameter) in self.parameters.iter().enumerate() {
            let path = Path::to(parameter.name);
            if let Some(reason) = name_fault(parameter.name) {
                fault(path.clone(), reason);
            }
            if !names.insert(parameter.name) {
                fault(path.clone(), "another parameter has the same name");
            }
            if parameter.description.trim().is_empty() {
                fault(path.clone(), "it has no description");
            }
            for LostOption { attribute, option } in &parameter.lost_options {
                let reason = format!(
                    "`{option}` of {attribute} has no effect, because an argument has a plain type"
                );
                fault(path.clone(), &reason);
            }
            if parameter.is_variadic && position + 1 != self.parameters.len() {
                fault(path, "only the last parameter can be variadic");
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::{Argument as _, Parameter, Variadic};
    use crate::model::Model;
    use crate::value::Type;

    fn faults(parameters: Vec<Parameter>) -> Vec<String> {
        let signature = Signature {
            parameters,
            output: Type::String,
            summary: "A test",
            description: "A test.",
        };
        let faults = signature.faults("function test", "test");
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_the_last_parameter_is_variadic() {
        let variadic = || Variadic::<String>::parameter("words", "Words.");
        let text = || String::parameter("text", "Text.");
        assert!(faults(vec![text(), variadic()]).is_empty());
        assert_eq!(faults(vec![variadic(), text()]).len(), 1);
    }

    #[test]
    fn options_of_a_model_are_faults_in_a_parameter() {
        /// A server.
        #[derive(Debug, Clone, PartialEq, Model)]
        struct Server {
            /// Port of the server.
            #[tf(default(443_u64))]
            port: u64,
        }

        let found = faults(vec![Vec::<Server>::parameter("servers", "Servers.")]);
        let expected = "function test, attribute servers: `default` of port has no effect, because an argument has a plain type";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn parameters_are_named_and_described() {
        assert_eq!(faults(vec![String::parameter("Text", "")]).len(), 2);
    }
}
