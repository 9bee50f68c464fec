//! A Nautes installation beside this provider: both would undo what the other one makes.

use kubernetes_apply::cluster::{Cluster, Detail};
use kubernetes_apply::object::Kind;
use nautes_model::EntityName;
use nautes_model::installation::APPLIED_FOLDER;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use crate::client::Client;
use crate::clusters::{NAMESPACE, owner};
use crate::diagnostics::Context as _;
use crate::resources::home::Home;

/// How the names of the operators' Deployments begin.
const OPERATORS: [&str; 5] = [
    "argo-operator",
    "base-operator",
    "cluster-operator",
    "repo-operator",
    "runtime-operator",
];

/// Fails if an Argo CD applies the tenant's repository, which would act on the manifest of the cluster.
pub(super) async fn require_no_installation(
    client: &Client,
    attempt: &str,
) -> Result<(), Diagnostics> {
    if !Home::tenant(client)
        .has_folder(APPLIED_FOLDER, attempt)
        .await?
    {
        return Ok(());
    }
    let detail = format!(
        "The tenant's repository has the folder {APPLIED_FOLDER}, from which the Argo CD of a Nautes installation works: it and this provider would undo each other's changes. Nothing was changed. Use another tenant_repository.project, or remove the installation and its folder first."
    );
    Err(Diagnostic::error(
        format!("Cannot {attempt}: a Nautes installation uses the tenant's repository"),
        detail,
    )
    .into())
}

/// Fails if operators of Nautes run in a cluster.
pub(super) async fn require_no_operators(
    cluster: &Cluster,
    name: &EntityName,
) -> Result<(), Diagnostics> {
    let attempt = format!("look for operators of Nautes in the cluster {name}");
    let kind = Kind::new("apps/v1", "Deployment");
    let listed = cluster.list(&kind, Some(NAMESPACE), "", Detail::Metadata);
    let listed = listed.await.context(&attempt)?;
    let label = owner().context(&attempt)?.label;
    let operators = listed
        .iter()
        .filter(|object| !label.is_on(object))
        .map(|object| object.reference().name.as_str())
        .filter(|name| OPERATORS.iter().any(|operator| name.starts_with(operator)));
    let operators: Vec<&str> = operators.collect();
    if operators.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "They run in the namespace {NAMESPACE}: {}. They and this provider would undo each other's changes. Nothing was changed. Stop them first, or choose another cluster.",
        operators.join(", ")
    );
    Err(Diagnostic::error(
        format!("Operators of Nautes run in the cluster {name}"),
        detail,
    )
    .into())
}
