//! Why a step of the driver failed, in words that a failing test prints.

use std::error::Error;
use std::fmt::{self, Debug, Display, Formatter};

use crate::diagnostics::Diagnostics;
use crate::plan::Inconsistency;
use crate::protocol::tfplugin6 as tf;
use crate::protocol::tfplugin6::attribute_path::step::Selector;
use crate::value::{CodecError, Path};

/// Why a step failed.
#[derive(thiserror::Error)]
pub enum Failure {
    /// The provider reported errors.
    #[error("{}", lines(.0.iter().map(diagnostic_line)))]
    Reported(Vec<tf::Diagnostic>),
    /// The provider violated a rule of Terraform.
    #[error("the provider violated Terraform's rules:{}", indented(.0))]
    Inconsistent(Vec<Inconsistency>),
    /// The test's configuration does not fit the schema, so that Terraform would reject it.
    #[error("the configuration of the test is invalid: {path}: {reason}")]
    Configuration {
        /// The argument.
        path: Path,
        /// What is wrong with it.
        reason: String,
    },
    /// A response could not be decoded.
    #[error("cannot decode a response")]
    Undecodable(#[from] CodecError),
    /// The RPC failed.
    #[error("the RPC failed")]
    Call(#[from] tonic::Status),
    /// A function returned an error.
    #[error("{}{text}", argument.map(|position| format!("argument {position}: ")).unwrap_or_default())]
    Function {
        /// The message.
        text: String,
        /// The position of the argument that caused it, counted from zero.
        argument: Option<i64>,
    },
    /// The provider has nothing of this name.
    #[error("the provider has no {0}")]
    NoSuchType(String),
}

impl Debug for Failure {
    /// Writes the message and its causes, as `unwrap` of a failing test shows them.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, formatter)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Reported((&diagnostics).into())
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

fn indented(found: &[Inconsistency]) -> String {
    let lines = found.iter().map(|inconsistency| {
        let Inconsistency { path, reason } = inconsistency;
        let separator = if path.steps().is_empty() { "" } else { ": " };
        format!("\n- {path}{separator}{reason}")
    });
    lines.collect()
}

fn diagnostic_line(diagnostic: &tf::Diagnostic) -> String {
    let tf::Diagnostic {
        summary,
        detail,
        attribute,
        ..
    } = diagnostic;
    let steps = attribute.iter().flat_map(|path| &path.steps);
    let place: String = steps.filter_map(step_text).collect();
    match place.trim_start_matches('.') {
        "" => format!("{summary}: {detail}"),
        place => format!("{summary}: {detail} (at {place})"),
    }
}

fn step_text(step: &tf::attribute_path::Step) -> Option<String> {
    Some(match step.selector.as_ref()? {
        Selector::AttributeName(name) => format!(".{name}"),
        Selector::ElementKeyString(key) => format!("[{key:?}]"),
        Selector::ElementKeyInt(index) => format!("[{index}]"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Diagnostic;

    #[test]
    fn a_failure_prints_sentences_and_paths() {
        let path = Path::to("rules").key("x").attribute("port");
        let inconsistent = Failure::Inconsistent(vec![
            Inconsistency {
                path: path.clone(),
                reason: "the value is unknown",
            },
            Inconsistency {
                path: Path::root(),
                reason: "the object does not exist",
            },
        ]);
        let expected = "the provider violated Terraform's rules:\n- rules[\"x\"].port: the value is unknown\n- the object does not exist";
        assert_eq!(format!("{inconsistent:?}"), expected);
        let error = Diagnostic::error("Invalid port", "Use 443.").at(&path);
        let reported = Failure::from(Diagnostics::from(error));
        let expected = "Invalid port: Use 443. (at rules[\"x\"].port)";
        assert_eq!(format!("{reported:?}"), expected);
        let call = Failure::from(tonic::Status::internal("lost"));
        assert!(
            format!("{call:?}").starts_with("the RPC failed: "),
            "{call:?}"
        );
    }
}
