//! How a command of Terraform or OpenTofu ended, with its messages read.

use std::fmt::{self, Display, Formatter};

use serde::Deserialize;

use crate::{Error, Finished};

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The command failed because of it.
    Error,
    /// The command went on.
    Warning,
}

/// An error or a warning that the user reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// The headline.
    pub summary: String,
    /// The explanation; empty if there is none.
    #[serde(default)]
    pub detail: String,
    /// The resource at fault, such as `nautes_product.shop`.
    pub address: Option<String>,
    /// The source that the message points at.
    pub snippet: Option<Snippet>,
}

/// The piece of configuration that a diagnostic shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Snippet {
    /// The block, such as `resource "nautes_product" "shop"`.
    pub context: Option<String>,
    /// The line or lines, such as `  name = "Shop"`.
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

/// A command that has ended, with success or not.
#[derive(Debug)]
pub struct Outcome {
    finished: Finished,
    /// Errors and warnings in the order of their appearance.
    pub diagnostics: Vec<Diagnostic>,
}

impl Outcome {
    /// Reads the diagnostics out of a command's output.
    pub(crate) fn new(finished: Finished) -> Self {
        let diagnostics = read_diagnostics(&finished.stdout);
        Self {
            finished,
            diagnostics,
        }
    }

    /// The exit code; none if a signal ended it.
    pub fn exit_code(&self) -> Option<i32> {
        self.finished.exit_code
    }

    /// What the command wrote to standard output.
    pub fn stdout(&self) -> &str {
        &self.finished.stdout
    }

    /// What the command wrote to standard error.
    pub fn stderr(&self) -> &str {
        &self.finished.stderr
    }

    /// The errors only.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The warnings only, without the one that every development override brings.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|diagnostic| {
            diagnostic.severity == Severity::Warning
                && diagnostic.summary != "Provider development overrides are in effect"
        })
    }

    /// Everything that the command said to a person, with line breaks and frames taken out.
    ///
    /// Commands without JSON output wrap their messages, so that a sentence is only found in this.
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

    /// Reads standard output as one JSON document.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        self.finished.json()
    }

    /// Returns itself if the command ended with success, else an error with the diagnostics.
    pub fn success(self) -> Result<Self, Error> {
        if self.finished.is_success() {
            return Ok(self);
        }
        if self.diagnostics.is_empty() {
            return Err(self.finished.into_failure());
        }
        let said = self
            .diagnostics
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        Err(Error::Failed {
            status: format!("exit code {}", self.finished.exit_code.unwrap_or(-1)),
            command: self.finished.command,
            output: said.join("\n"),
        })
    }

    /// Returns itself if the command failed, as it had to.
    pub(crate) fn failure(self) -> Result<Self, Error> {
        if self.finished.is_success() {
            return Err(Error::UnexpectedSuccess {
                command: self.finished.command,
            });
        }
        Ok(self)
    }
}

/// One line of a `-json` view, or the one document of `validate -json`.
#[derive(Deserialize)]
struct Message {
    diagnostic: Option<Diagnostic>,
    #[serde(default)]
    diagnostics: Vec<Diagnostic>,
}

fn read_diagnostics(stdout: &str) -> Vec<Diagnostic> {
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
    fn diagnostics_are_read_from_a_stream_of_messages() {
        let stream = concat!(
            r#"{"@level":"info","type":"version","terraform":"1.11.4"}"#,
            "\n",
            r#"{"type":"diagnostic","diagnostic":{"severity":"error","summary":"No","detail":"a","#,
            r#""address":"nautes_product.shop","snippet":{"context":null,"code":"name = 1"}}}"#,
        );
        let read = read_diagnostics(stream);
        let text = read.iter().map(ToString::to_string).collect::<String>();
        assert_eq!(
            text,
            "error: No (nautes_product.shop)\n  at `name = 1`\n  a"
        );
    }

    #[test]
    fn diagnostics_are_read_from_the_document_of_validate() {
        let document = "{\n  \"valid\": false,\n  \"diagnostics\": [\n    \
                        {\"severity\": \"warning\", \"summary\": \"Old\"}\n  ]\n}\n";
        let read = read_diagnostics(document);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].severity, Severity::Warning);
    }
}
