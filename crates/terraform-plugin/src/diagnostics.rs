//! What users read when something is wrong: summaries, explanations and the attribute at fault.

use std::fmt::{self, Display, Formatter};

use crate::protocol::tfplugin6::{self as wire, diagnostic};
use crate::value::{ConversionError, Path, UnknownValue};

/// How serious a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The operation failed.
    Error,
    /// The operation went on.
    Warning,
}

/// One message to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// A short title without a full stop.
    pub summary: String,
    /// What was attempted, why it failed, what to do next.
    pub detail: String,
    /// The attribute at fault; Terraform then shows its line in the configuration.
    pub path: Option<Path>,
}

impl Diagnostic {
    /// Returns an error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        let (summary, detail) = (summary.into(), detail.into());
        Self {
            severity: Severity::Error,
            summary,
            detail,
            path: None,
        }
    }

    /// Returns a warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary, detail)
        }
    }

    /// Attaches the message to an attribute.
    #[must_use]
    pub fn at(self, path: &Path) -> Self {
        Self {
            path: Some(path.clone()),
            ..self
        }
    }

    /// Returns an error that only a defect of the provider can cause.
    pub fn defect(detail: impl std::fmt::Display) -> Self {
        Self::error(
            "The provider has a defect",
            format!(
                "{detail}.\n\nThis is not caused by the configuration. Please report it to the provider's developers."
            ),
        )
    }
}

/// Messages to the user, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Tells whether one of the messages is an error.
    pub fn has_error(&self) -> bool {
        self.0
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Tells whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a message.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Looks at the messages in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Gives every message without a path this one.
    #[must_use]
    pub fn at(mut self, path: &Path) -> Self {
        for diagnostic in &mut self.0 {
            diagnostic.path.get_or_insert_with(|| path.clone());
        }
        self
    }

    /// Returns an error when one of the messages is one, else the warnings' holder itself.
    pub fn into_result(self) -> Result<Self, Self> {
        if self.has_error() {
            Err(self)
        } else {
            Ok(self)
        }
    }
}

impl Display for Diagnostics {
    /// Writes titles and explanations, a message a line, for places that know no more than text.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (position, diagnostic) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "\n" };
            let Diagnostic {
                summary, detail, ..
            } = diagnostic;
            write!(formatter, "{separator}{summary}: {detail}")?;
        }
        Ok(())
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl From<ConversionError> for Diagnostics {
    fn from(error: ConversionError) -> Self {
        let path = error.path.clone();
        Diagnostic::defect(format!("{path} does not fit its model: {error}"))
            .at(&path)
            .into()
    }
}

impl From<UnknownValue> for Diagnostics {
    fn from(error: UnknownValue) -> Self {
        let path = error.path.clone();
        Diagnostic::defect(error).at(&path).into()
    }
}

impl From<&Diagnostic> for wire::Diagnostic {
    fn from(diagnostic: &Diagnostic) -> Self {
        let severity = match diagnostic.severity {
            Severity::Error => diagnostic::Severity::Error,
            Severity::Warning => diagnostic::Severity::Warning,
        };
        Self {
            severity: severity.into(),
            summary: diagnostic.summary.clone(),
            detail: diagnostic.detail.clone(),
            attribute: diagnostic.path.as_ref().map(Into::into),
        }
    }
}

impl From<&Diagnostics> for Vec<wire::Diagnostic> {
    fn from(diagnostics: &Diagnostics) -> Self {
        diagnostics.iter().map(Into::into).collect()
    }
}
