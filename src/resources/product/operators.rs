//! What Nautes's own operators need of a product, besides its manifests: a key with which they read
//! its configuration repository. Without them there is nothing to do.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::value::{Known, Tf};

use crate::backends::gitlab::Project;
use crate::diagnostics::Attempted as _;
use crate::provider::Client;

/// Makes sure that the operators can read a configuration repository.
pub(super) async fn ensure(client: &Client, project: &Project) -> Result<(), Diagnostics> {
    if !client.settings().nautes_reconciles() {
        return Ok(());
    }
    let made = client
        .credentials()?
        .ensure_operators_key(RepositoryId::new(project.id), auth_mount(client))
        .await;
    let path = &project.path_with_namespace;
    made.attempted(format!("let Nautes's operators read {path}"))?;
    Ok(())
}

/// Takes that back.
pub(super) async fn retire(client: &Client, project: Option<u64>) -> Result<(), Diagnostics> {
    let (true, Some(project)) = (client.settings().nautes_reconciles(), project) else {
        return Ok(());
    };
    let retired = client
        .credentials()?
        .retire_operators_key(RepositoryId::new(project), auth_mount(client))
        .await;
    retired
        .attempted("remove the key with which Nautes's operators read the configuration repository")
}

/// Returns in words what is missing; null if nothing is.
pub(super) async fn inspect(
    client: &Client,
    project: Option<&Project>,
) -> Result<Tf<BTreeSet<String>>, Diagnostics> {
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
