//! What Nautes's own operators need of a product, besides its manifests: a key with which they read
//! its configuration repository. Without them it is removed, if they had one.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;
use terraform_plugin::value::{Known, Tf};

use crate::backends::gitlab::Project;
use crate::diagnostics::Attempted as _;
use crate::provider::Client;
use crate::resources::code_repo;

/// Where the number of the configuration repository that the operators can read is kept beside the state.
const KEY: &str = "operators_read";

/// Checks that Vault can be used if the operators need it, before anything is written anywhere.
pub(super) async fn expect_vault(client: &Client) -> Result<(), Diagnostics> {
    if client.settings().nautes_reconciles() {
        code_repo::expect_vault(client).await?;
    }
    Ok(())
}

/// Makes sure that the operators can read a configuration repository, or cannot any more if there are none.
pub(super) async fn ensure(
    client: &Client,
    private: &mut PrivateState,
    project: &Project,
) -> Result<(), Diagnostics> {
    if !client.settings().nautes_reconciles() {
        if let Some(project) = private.get(KEY) {
            remove_key(client, project).await?;
            private.remove(KEY);
        }
        return Ok(());
    }
    let made = client
        .credentials()?
        .ensure_operators_key(RepositoryId::new(project.id), auth_mount(client))
        .await;
    let path = &project.path_with_namespace;
    made.attempted(format!("let Nautes's operators read {path}"))?;
    private
        .set(KEY, &project.id)
        .map_err(|error| Diagnostic::defect(error).into())
}

/// Takes that back.
pub(super) async fn retire(
    client: &Client,
    private: &PrivateState,
    project: Option<u64>,
) -> Result<(), Diagnostics> {
    let needed = project.filter(|_| client.settings().nautes_reconciles());
    match private.get(KEY).or(needed) {
        Some(project) => remove_key(client, project).await,
        None => Ok(()),
    }
}

async fn remove_key(client: &Client, project: u64) -> Result<(), Diagnostics> {
    let retired = client
        .credentials()?
        .retire_operators_key(RepositoryId::new(project), auth_mount(client))
        .await;
    retired
        .attempted("remove the key with which Nautes's operators read the configuration repository")
}

/// Returns in words what is missing, or not needed any more; null if nothing is.
pub(super) async fn inspect(
    client: &Client,
    private: &PrivateState,
    project: Option<&Project>,
) -> Result<Tf<BTreeSet<String>>, Diagnostics> {
    if !client.settings().nautes_reconciles() && private.get::<u64>(KEY).is_some() {
        let surplus = "Nautes's operators can still read the configuration repository, and are not needed any more";
        return Ok(Known(BTreeSet::from([surplus.to_owned()])));
    }
    let (true, Some(project)) = (client.settings().nautes_reconciles(), project) else {
        return Ok(Tf::Null);
    };
    let findings = client
        .credentials()?
        .inspect_operators_key(RepositoryId::new(project.id), auth_mount(client))
        .await;
    let path = &project.path_with_namespace;
    let findings = findings.attempted(format!("see whether Nautes's operators can read {path}"))?;
    let drift: BTreeSet<String> = findings.iter().map(ToString::to_string).collect();
    Ok(if drift.is_empty() {
        Tf::Null
    } else {
        Known(drift)
    })
}

fn auth_mount(client: &Client) -> &str {
    &client.settings().vault.auth_mount
}
