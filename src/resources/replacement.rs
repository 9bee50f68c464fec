//! What the later halves of a replacement know of the object that goes.
//!
//! Terraform plans a replacement twice: as an update, and then as a creation without prior state. Only
//! the second plan tells that an object is replaced because of `-replace`. So the first one keeps
//! beside the state what the second one, and the deletion, judge by.

use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;
use terraform_plugin::value::{Path, Tf};

use super::deletion_policy::DeletionPolicy;

/// The key of a [`Replaced`] in private state.
const KEY: &str = "replaced";

/// A product or code repository as the state has it when its replacement is planned.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Replaced {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The reference to the product of a code repository, and the id of that product.
    pub(crate) product: Option<(String, String)>,
    /// What the deletion does with it.
    pub(crate) policy: DeletionPolicy,
    pub(crate) force_destroy: Option<bool>,
    pub(crate) created_at: Option<String>,
    pub(crate) web_url: Option<String>,
    /// Whether GitLab has deleted it, so that its path is free.
    pub(crate) is_gone: bool,
    /// Whether the first plan has checked its contents, since an attribute requires the replacement.
    pub(crate) is_checked: bool,
}

impl Replaced {
    /// Loads it from the private state of the object that is replaced; `None` for one that is tainted.
    pub(crate) fn load(private: &PrivateState) -> Option<Self> {
        private.get(KEY)
    }

    /// Keeps it in planned private state.
    pub(crate) fn store(&self, private: &mut PrivateState) -> Result<(), Diagnostics> {
        private
            .set(KEY, self)
            .map_err(|error| Diagnostic::bug(error).into())
    }

    /// Takes it out of the private state of an operation, since it holds for one plan alone.
    pub(crate) fn take(private: &mut PrivateState) -> Option<Self> {
        let replaced = Self::load(private);
        private.remove(KEY);
        replaced
    }

    /// Refuses a replacement whose deletion would not do what the configuration says, or that would
    /// keep an object at the path of the new one.
    pub(crate) fn check_policy(
        &self,
        planned: &Tf<String>,
        has_same_path: bool,
    ) -> Result<(), Diagnostics> {
        self.policy.check_replacement(planned)?;
        if has_same_path && self.policy.keeps() && !self.is_gone {
            return Err(keeps_its_path(
                &self.name,
                "Give the new one another name, or apply deletion_policy = \"delete\" before the replacement.",
            ));
        }
        Ok(())
    }
}

/// Refuses the deletion half of a replacement that would keep the object, where no plan has told
/// whether the new one gets its path. `replaced` is what the plan kept.
pub(crate) fn check_deletion(
    name: &str,
    policy: DeletionPolicy,
    replaced: Option<&Replaced>,
) -> Result<(), Diagnostics> {
    if replaced.is_some() || !policy.keeps() {
        return Ok(());
    }
    Err(keeps_its_path(
        name,
        "It is tainted: take that back (terraform untaint <address>). To replace it after that, apply deletion_policy = \"delete\" first, and use -replace.",
    ))
}

fn keeps_its_path(name: &str, remedy: &str) -> Diagnostics {
    let detail = format!(
        "The deletion_policy in the state keeps {name} in GitLab, and with it its path, so the new one could not be created after the credentials of the old one were removed. Nothing was changed. {remedy}"
    );
    let summary = format!("The replacement of {name} would keep its path");
    Diagnostic::error(summary, detail)
        .at(&Path::to("deletion_policy"))
        .into()
}
