//! Errors and warnings for the user, each with a summary, a detail and the attribute that it is about.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::sync::{Mutex, PoisonError};

use crate::protocol::tfplugin6::{self as wire, diagnostic};
use crate::value::{ConversionError, Path, UnknownValue};

/// How serious a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The operation failed.
    Error,
    /// The operation succeeded or continues.
    Warning,
}

/// One error or warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// A short title without a full stop.
    pub summary: String,
    /// What was attempted, why it failed, what to do next.
    pub detail: String,
    /// The attribute that caused it. Terraform shows its line in the configuration.
    pub path: Option<Path>,
    /// The cause, if many operations of a run may fail for it.
    pub shared_cause: Option<Box<SharedCause>>,
}

/// A cause for which many operations of a run fail alike, such as a server that is down.
///
/// Only the first error of a cause shows its detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedCause {
    /// What tells the cause from others.
    pub key: String,
    /// One line, which replaces the detail of further errors and points to the first one.
    pub short_detail: String,
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
            shared_cause: None,
        }
    }

    /// Sets the cause that the diagnostic shares with others.
    #[must_use]
    pub fn with_shared_cause(self, cause: SharedCause) -> Self {
        Self {
            shared_cause: Some(Box::new(cause)),
            ..self
        }
    }

    /// Returns a warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary, detail)
        }
    }

    /// Sets the attribute that the diagnostic is about.
    #[must_use]
    pub fn at(self, path: &Path) -> Self {
        Self {
            path: Some(path.clone()),
            ..self
        }
    }

    /// Returns an error that only a bug in the provider can cause.
    pub fn bug(detail: impl std::fmt::Display) -> Self {
        Self::error(
            "Bug in the provider",
            format!(
                "{detail}.\n\nThe configuration is not the cause. Please report this bug to the developers of the provider."
            ),
        )
    }
}

impl Diagnostic {
    /// Returns the error of a configured value that does not fit the Rust type of its attribute.
    pub(crate) fn invalid_value(error: &ConversionError) -> Self {
        let path = &error.path;
        let every = if path.is_set_element() {
            "Every element of "
        } else {
            ""
        };
        let detail = format!("{every}{path} {error}.");
        Self::error(format!("Invalid value for {path}"), detail).at(path)
    }
}

/// Errors and warnings, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Returns `true` if one of the diagnostics is an error.
    pub fn has_error(&self) -> bool {
        self.0
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Returns `true` if there are no diagnostics.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of diagnostics.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Iterates over the diagnostics in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Sets the path of every diagnostic that has none.
    #[must_use]
    pub fn at(mut self, path: &Path) -> Self {
        for diagnostic in &mut self.0 {
            diagnostic.path.get_or_insert_with(|| path.clone());
        }
        self
    }

    /// Returns `Err` if one of the diagnostics is an error, and `Ok` otherwise.
    pub fn into_result(self) -> Result<Self, Self> {
        if self.has_error() {
            Err(self)
        } else {
            Ok(self)
        }
    }
}

/// The causes of errors that the user has been told in a run.
#[derive(Debug, Default)]
pub(crate) struct ToldCauses(Mutex<BTreeSet<String>>);

impl ToldCauses {
    /// Shortens the errors whose cause was told before, and remembers the causes of the others.
    pub(crate) fn shorten(&self, mut diagnostics: Diagnostics) -> Diagnostics {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for diagnostic in &mut diagnostics.0 {
            if let (Severity::Error, Some(cause)) = (diagnostic.severity, &diagnostic.shared_cause)
                && !told.insert(cause.key.clone())
            {
                diagnostic.detail.clone_from(&cause.short_detail);
            }
        }
        diagnostics
    }

    /// Forgets everything, for another run.
    pub(crate) fn clear(&self) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.clear();
    }
}

/// Warnings of an operation that has no other context.
#[derive(Debug, Clone, Default)]
pub struct Warnings(Diagnostics);

impl Warnings {
    /// Adds a warning.
    pub fn warn(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Diagnostic::warning(summary, detail));
    }

    /// Adds warnings that have been put together elsewhere.
    pub(crate) fn extend(&mut self, warnings: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(warnings);
    }

    /// Returns the warnings with the errors of a failure.
    pub(crate) fn with(self, errors: Diagnostics) -> Diagnostics {
        self.0.into_iter().chain(errors).collect()
    }
}

impl From<Warnings> for Diagnostics {
    fn from(warnings: Warnings) -> Self {
        warnings.0
    }
}

impl Display for Diagnostics {
    /// Writes one diagnostic per line, for places that show plain text only.
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
        Diagnostic::bug(format!("{path} does not fit its model: it {error}"))
            .at(&path)
            .into()
    }
}

impl From<UnknownValue> for Diagnostics {
    fn from(error: UnknownValue) -> Self {
        let path = error.path.clone();
        Diagnostic::bug(error).at(&path).into()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(summary: &str, key: &str) -> Diagnostics {
        let cause = SharedCause {
            key: key.to_owned(),
            short_detail: format!("{key}. See the first error."),
        };
        let error = Diagnostic::error(summary, "The whole story.");
        error.with_shared_cause(cause).into()
    }

    #[test]
    fn only_the_first_error_of_a_cause_tells_all() {
        let told = ToldCauses::default();
        let detail = |found: Diagnostics| told.shorten(found).0.remove(0).detail;
        assert_eq!(detail(failure("a", "down")), "The whole story.");
        assert_eq!(detail(failure("b", "down")), "down. See the first error.");
        assert_eq!(detail(failure("c", "locked")), "The whole story.");
        assert_eq!(detail(Diagnostic::error("d", "own").into()), "own");
        told.clear();
        assert_eq!(detail(failure("e", "down")), "The whole story.");
    }
}
