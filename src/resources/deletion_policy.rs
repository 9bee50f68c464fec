//! What a destroy does with the object in GitLab.

use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::{Path, Tf};

/// What a destroy does with a group or project in GitLab. What was made for it is removed in any
/// case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeletionPolicy {
    /// Deletes it.
    Delete,
    /// Archives it.
    Archive,
    /// Leaves it as it is.
    Abandon,
}

impl DeletionPolicy {
    /// The words for a product.
    pub(crate) const OF_PRODUCTS: [&'static str; 2] = ["delete", "abandon"];
    /// The words for a code repository.
    pub(crate) const OF_CODE_REPOS: [&'static str; 3] = ["delete", "archive", "abandon"];

    /// Parses the attribute, which is one of the words; it deletes if it is not set.
    pub(crate) fn parse(word: Option<&str>) -> Self {
        match word {
            Some("archive") => Self::Archive,
            Some("abandon") => Self::Abandon,
            _ => Self::Delete,
        }
    }

    /// Whether the object stays in GitLab.
    pub(crate) fn keeps(self) -> bool {
        self != Self::Delete
    }

    /// Refuses a replacement whose plan also changes the policy from deleting to keeping: the deletion
    /// obeys the state, so the object would be deleted all the same.
    pub(crate) fn check_replacement(self, planned: &Tf<String>) -> Result<(), Diagnostics> {
        let Some(policy) = planned.known() else {
            return Ok(());
        };
        if self.keeps() || !Self::parse(Some(policy)).keeps() {
            return Ok(());
        }
        let detail = format!(
            "deletion_policy = {policy:?} is not applied yet, so this plan would delete the object that it replaces. Apply deletion_policy alone first, then plan the replacement again."
        );
        Err(Diagnostic::error(
            "The replacement would delete what the configuration keeps",
            detail,
        )
        .at(&Path::to("deletion_policy"))
        .into())
    }
}

/// Refuses arguments that only a deletion obeys, where the object is kept.
pub(crate) fn check_arguments(policy: &Tf<String>, permanently_remove: &Tf<bool>) -> Diagnostics {
    match (policy.known(), permanently_remove.known()) {
        (Some(policy), Some(true)) if policy != "delete" => {
            let detail = format!(
                "permanently_remove = true skips the recovery period of a deletion, and deletion_policy = {policy:?} keeps the object. Remove one of the two."
            );
            Diagnostic::error("Arguments contradict each other", detail)
                .at(&Path::to("permanently_remove"))
                .into()
        }
        _ => Diagnostics::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terraform_plugin::value::Known;

    #[test]
    fn only_a_deletion_skips_a_recovery_period() {
        let found = |policy: Tf<String>| check_arguments(&policy, &Known(true)).iter().count();
        assert_eq!(found(Known("abandon".to_owned())), 1);
        assert_eq!(found(Known("archive".to_owned())), 1);
        assert_eq!(found(Known("delete".to_owned())), 0);
        assert_eq!(found(Tf::Null), 0);
        assert_eq!(found(Tf::Unknown), 0);
    }
}
