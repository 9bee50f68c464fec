//! How a manifest was found to differ at the commit at which it was last read.
//!
//! A refresh that finds the repository at the same commit does not read the manifest again, and keeps this.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;

/// The key in private data.
const KEY: &str = "manifest_drift";

/// Returns what was found at the last reading.
pub(crate) fn load(private: &PrivateState) -> Vec<String> {
    private.get(KEY).unwrap_or_default()
}

/// Records what a reading has found, or that an update has repaired it.
pub(crate) fn record(drift: &[String], private: &mut PrivateState) -> Result<(), Diagnostics> {
    if drift.is_empty() {
        private.remove(KEY);
        return Ok(());
    }
    let recorded = private.set(KEY, &drift);
    recorded.map_err(|error| Diagnostic::bug(error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_kept_until_it_is_repaired() {
        let mut private = PrivateState::default();
        let drift = vec!["the manifest has another namespace".to_owned()];
        record(&drift, &mut private).unwrap();
        assert_eq!(load(&private), drift);
        record(&[], &mut private).unwrap();
        assert!(load(&private).is_empty());
    }
}
