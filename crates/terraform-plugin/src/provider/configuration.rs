//! What a provider is configured with besides its arguments.

use crate::diagnostics::{Diagnostic, Diagnostics, Warnings};

/// The context of a configuration: who asks for it, and the warnings.
#[derive(Debug, Default)]
pub struct ConfigureContext {
    terraform_version: String,
    warnings: Warnings,
}

impl ConfigureContext {
    /// Returns the context of a run of this version of Terraform or `OpenTofu`.
    pub(crate) fn new(terraform_version: String) -> Self {
        Self {
            terraform_version,
            warnings: Warnings::default(),
        }
    }

    /// Returns the version of Terraform or `OpenTofu` that runs the provider, such as `1.14.0`; empty if it does not
    /// tell.
    pub fn terraform_version(&self) -> &str {
        &self.terraform_version
    }

    /// Adds a warning.
    pub fn warn(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.warnings.warn(summary, detail);
    }

    /// Adds warnings that have been put together elsewhere.
    pub(crate) fn extend(&mut self, warnings: impl IntoIterator<Item = Diagnostic>) {
        self.warnings.extend(warnings);
    }

    /// Returns the warnings.
    pub(crate) fn into_warnings(self) -> Diagnostics {
        self.warnings.into()
    }

    /// Returns the warnings with the errors of a failure.
    pub(crate) fn into_failure(self, errors: Diagnostics) -> Diagnostics {
        self.warnings.with(errors)
    }
}
