//! The result of a Terraform or OpenTofu command, with its parsed diagnostics.

use std::fmt::{self, Display, Formatter};

use serde::Deserialize;

use crate::{Error, Finished};

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// An error.
    Error,
    /// A warning.
    Warning,
}

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Diagnostic {
    /// The severity.
    pub severity: Severity,
    /// The summary.
    pub summary: String,
    /// The detail, which may be empty.
    #[serde(default)]
    pub detail: String,
    /// The resource, such as `nautes_product.shop`.
    pub address: Option<String>,
    /// The configuration that the diagnostic refers to.
    pub snippet: Option<Snippet>,
}

/// The configuration that a diagnostic refers to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Snippet {
    /// The block, such as `resource "nautes_product" "shop"`.
    pub context: Option<String>,
    /// The lines, such as `  name = "Shop"`.
    pub code: String,
}

impl Display for Diagnostic {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(formatter, "{severity}: {}", self.summary)?;
        if let Some(address) = &self.address {
            write!(formatter, " ({address})")?;
        }
        if let Some(snippet) = &self.snippet {
            write!(formatter, "\n  at `{}`", snippet.code.trim())?;
        }
        self.detail
            .lines()
            .try_for_each(|line| write!(formatter, "\n  {line}"))
    }
}

/// A command that has ended, successfully or not.
#[derive(Debug)]
pub struct Outcome {
    finished: Finished,
    /// The errors and warnings in order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Outcome {
    /// Parses the diagnostics in a command's output.
    pub(crate) fn new(finished: Finished) -> Self {
        let diagnostics = parse_diagnostics(&finished.stdout);
        Self {
            finished,
            diagnostics,
        }
    }

    /// Returns the exit code; `None` if a signal ended the command.
    pub fn exit_code(&self) -> Option<i32> {
        self.finished.exit_code
    }

    /// Returns the standard output.
    pub fn stdout(&self) -> &str {
        &self.finished.stdout
    }

    /// Returns the standard error.
    pub fn stderr(&self) -> &str {
        &self.finished.stderr
    }

    /// Returns the errors.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Returns the warnings, except the one about development overrides.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|diagnostic| {
            diagnostic.severity == Severity::Warning
                && diagnostic.summary != "Provider development overrides are in effect"
        })
    }

    /// Returns all messages as one line, without line breaks and frames.
    ///
    /// Commands without JSON output wrap their messages, so that a search for a sentence needs
    /// this.
    pub fn text(&self) -> String {
        let diagnostics = self.diagnostics.iter().map(ToString::to_string);
        let all = diagnostics
            .chain([self.finished.stderr.clone()])
            .collect::<Vec<_>>()
            .join("\n");
        let words = all
            .split_whitespace()
            .filter(|word| !matches!(*word, "╷" | "│" | "╵"));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Parses standard output as one JSON document.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        self.finished.json()
    }

    /// Returns `self` if the command succeeded, else an error with the diagnostics.
    pub fn success(self) -> Result<Self, Error> {
        if self.finished.is_success() {
            return Ok(self);
        }
        if self.diagnostics.is_empty() {
            return Err(self.finished.into_failure());
        }
        let diagnostics = self
            .diagnostics
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        Err(Error::Failed {
            status: format!("exit code {}", self.finished.exit_code.unwrap_or(-1)),
            command: self.finished.command,
            output: diagnostics.join("\n"),
        })
    }

    /// Returns `self` if the command failed, else an error.
    pub(crate) fn failure(self) -> Result<Self, Error> {
        if self.finished.is_success() {
            return Err(Error::UnexpectedSuccess {
                command: self.finished.command,
            });
        }
        Ok(self)
    }
}

/// A line of a `-json` view, or the document of `validate -json`.
#[derive(Deserialize)]
struct Message {
    diagnostic: Option<Diagnostic>,
    #[serde(default)]
    diagnostics: Vec<Diagnostic>,
}

fn parse_diagnostics(stdout: &str) -> Vec<Diagnostic> {
    let whole = serde_json::from_str::<Message>(stdout).ok();
    let lines = stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let messages: Vec<_> = whole.map_or_else(|| lines.collect(), |message| vec![message]);
    messages
        .into_iter()
        .flat_map(|message| message.diagnostic.into_iter().chain(message.diagnostics))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostics_are_parsed_from_a_stream_of_messages() {
        let stream = concat!(
            r#"{"@level":"info","type":"version","terraform":"1.11.4"}"#,
            "\n",
            r#"{"type":"diagnostic","diagnostic":{"severity":"error","summary":"No","detail":"a","#,
            r#""address":"nautes_product.shop","snippet":{"context":null,"code":"name = 1"}}}"#,
        );
        let parsed = parse_diagnostics(stream);
        let text = parsed.iter().map(ToString::to_string).collect::<String>();
        assert_eq!(
            text,
            "error: No (nautes_product.shop)\n  at `name = 1`\n  a"
        );
    }

    #[test]
    fn diagnostics_are_parsed_from_the_document_of_validate() {
        let document = "{\n  \"valid\": false,\n  \"diagnostics\": [\n    \
                        {\"severity\": \"warning\", \"summary\": \"Old\"}\n  ]\n}\n";
        let parsed = parse_diagnostics(document);
        assert_eq!(parsed.len(), 1);
        assert_eq!(parsed[0].severity, Severity::Warning);
    }
}
