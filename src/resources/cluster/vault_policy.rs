//! The policies of a cluster in Vault, and how they are known to be the cluster's.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::setup::description;
use crate::client::Client;
use crate::diagnostics::Context as _;

/// A policy that allows reading secrets of a cluster.
///
/// Its first line is a comment with the UID of the cluster. Without it a policy is the cluster's only if it has these
/// rules and nothing else, as older versions of the provider and Nautes write it.
pub(super) struct ClusterPolicy<'a> {
    pub(super) client: &'a Client,
    pub(super) name: String,
    pub(super) rules: String,
}

impl ClusterPolicy<'_> {
    /// Requires that Vault has no policy of this name that is not the cluster's.
    ///
    /// `former` is the UID of the cluster that was rebuilt as this one.
    pub(super) async fn require_own(
        &self,
        uid: &str,
        former: Option<&str>,
    ) -> Result<(), Diagnostics> {
        let Some(text) = self.read().await? else {
            return Ok(());
        };
        if self.is_own(&text, Some(uid)) || self.is_own(&text, former) {
            return Ok(());
        }
        let name = &self.name;
        let detail = format!(
            "Vault has a policy {name}, and nothing shows that it is that of this cluster: its text is neither the one that this provider writes, nor does it begin with the line \"{}\". Nothing was changed. Choose another name for the cluster; or, if nothing uses the policy, delete it (vault policy delete {name}).",
            header(uid)
        );
        let summary = format!("The policy {name} is taken in Vault");
        Err(Diagnostic::error(summary, detail)
            .at(&Path::to("name"))
            .into())
    }

    /// Writes the policy unless Vault has it as it is.
    pub(super) async fn write(&self, uid: &str) -> Result<(), Diagnostics> {
        let text = format!("{}\n{}", header(uid), self.rules);
        if self.read().await?.as_ref() == Some(&text) {
            return Ok(());
        }
        let name = &self.name;
        let written = self.client.vault()?.write_policy(name, &text).await;
        written.with_context(|| format!("write the policy {name}"))
    }

    /// Deletes the policy if it is the cluster's; if not, it stays, and a warning is returned.
    pub(super) async fn delete(
        &self,
        uid: Option<&str>,
    ) -> Result<Option<(String, String)>, Diagnostics> {
        let name = &self.name;
        let Some(text) = self.read().await? else {
            return Ok(None);
        };
        if !self.is_own(&text, uid) {
            let detail = format!(
                "Nothing shows that the policy {name} is that of this cluster, so it was not deleted. Delete it by hand if nothing uses it (vault policy delete {name})."
            );
            return Ok(Some((format!("The policy {name} stays in Vault"), detail)));
        }
        let deleted = self.client.vault()?.delete_policy(name).await;
        deleted.with_context(|| format!("delete the policy {name}"))?;
        Ok(None)
    }

    async fn read(&self) -> Result<Option<String>, Diagnostics> {
        let stored = self.client.vault()?.policy(&self.name).await;
        stored.with_context(|| format!("read the policy {}", self.name))
    }

    fn is_own(&self, text: &str, uid: Option<&str>) -> bool {
        let has_header = uid.is_some_and(|uid| text.lines().next() == Some(&header(uid)));
        has_header || text.split_whitespace().eq(self.rules.split_whitespace())
    }
}

/// Returns the first line of the policies of a cluster.
fn header(uid: &str) -> String {
    format!("# {}", description(uid))
}
