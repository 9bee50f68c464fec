//! The key with which Nautes's operators read a product's configuration repository. Where the
//! provider reconciles, the product has none.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;

use crate::backends::gitlab::Project;
use crate::client::Client;
use crate::credentials::Owner;
use crate::diagnostics::Context as _;

/// Where the number of the configuration repository that the operators can read is kept beside the state.
const KEY: &str = "operators_read";

/// Checks that Vault can be used if the operators need it, before anything is written anywhere.
pub(super) async fn require_vault(client: &Client) -> Result<(), Diagnostics> {
    if client.settings().nautes_reconciles() {
        client.require_vault().await?;
    }
    Ok(())
}

/// Ensures that the operators can read a configuration repository, or no longer can if there are none.
pub(super) async fn ensure(
    client: &Client,
    private: &mut PrivateState,
    project: &Project,
) -> Result<(), Diagnostics> {
    if !client.settings().nautes_reconciles() {
        if let Some(id) = private.get(KEY) {
            remove_key(client, owner(id, Some(project))).await?;
            private.remove(KEY);
        }
        return Ok(());
    }
    let made = client
        .credentials()?
        .ensure_operators_key(project, auth_mount(client))
        .await;
    let path = &project.path_with_namespace;
    made.with_context(|| format!("let Nautes's operators read {path}"))?;
    private
        .set(KEY, &project.id)
        .map_err(|error| Diagnostic::bug(error).into())
}

/// Removes that key.
pub(super) async fn remove(
    client: &Client,
    private: &PrivateState,
    project: Option<&Project>,
) -> Result<(), Diagnostics> {
    let id = project.map(|project| project.id);
    match with_key(client, private, id) {
        Some(id) => remove_key(client, owner(id, project)).await,
        None => Ok(()),
    }
}

/// The number of the configuration repository that may have such a key.
fn with_key(client: &Client, private: &PrivateState, project: Option<u64>) -> Option<u64> {
    let needed = project.filter(|_| client.settings().nautes_reconciles());
    private.get(KEY).or(needed)
}

/// The configuration repository of a number as the owner of its secret; `project` is the one that is
/// there now.
fn owner(id: u64, project: Option<&Project>) -> Owner {
    match project.filter(|project| project.id == id) {
        Some(project) => project.into(),
        None => RepositoryId::new(id).into(),
    }
}

/// Removes the secret of that key and what is granted with it, where GitLab's part goes with the
/// project.
pub(super) async fn remove_from_vault(
    client: &Client,
    private: &PrivateState,
    id: Option<u64>,
    project: Option<&Project>,
) -> Result<(), Diagnostics> {
    let Some(id) = with_key(client, private, id) else {
        return Ok(());
    };
    let removed = client
        .credentials()?
        .remove_operators_secret(owner(id, project), auth_mount(client))
        .await;
    removed.context(
        "remove the secret with which Nautes's operators read the configuration repository",
    )
}

/// Checks that the secret of that key can be removed, before anything is.
pub(super) async fn check_removable(
    client: &Client,
    private: &PrivateState,
    id: Option<u64>,
    project: Option<&Project>,
) -> Result<(), Diagnostics> {
    let Some(id) = with_key(client, private, id) else {
        return Ok(());
    };
    let checked = client.credentials()?.check_removable(owner(id, project));
    checked.await.context(
        "remove the secret with which Nautes's operators read the configuration repository",
    )
}

async fn remove_key(client: &Client, owner: Owner) -> Result<(), Diagnostics> {
    let removed = client
        .credentials()?
        .remove_operators_key(owner, auth_mount(client))
        .await;
    removed
        .context("remove the key with which Nautes's operators read the configuration repository")
}

/// Describes what is missing, or no longer needed.
pub(super) async fn inspect(
    client: &Client,
    private: &PrivateState,
    project: Option<&Project>,
) -> Result<BTreeSet<String>, Diagnostics> {
    if !client.settings().nautes_reconciles() && private.get::<u64>(KEY).is_some() {
        let surplus = "Nautes's operators can still read the configuration repository, and are not needed any more";
        return Ok(BTreeSet::from([surplus.to_owned()]));
    }
    let (true, Some(project)) = (client.settings().nautes_reconciles(), project) else {
        return Ok(BTreeSet::new());
    };
    let findings = client
        .credentials()?
        .inspect_operators_key(project, auth_mount(client))
        .await;
    let path = &project.path_with_namespace;
    let findings =
        findings.with_context(|| format!("see whether Nautes's operators can read {path}"))?;
    Ok(findings.iter().map(ToString::to_string).collect())
}

fn auth_mount(client: &Client) -> &str {
    &client.settings().vault.auth_mount
}
