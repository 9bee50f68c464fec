//! Clusters that do not exist any more: when a destroy goes on without one, and what it leaves.
//!
//! Only silence counts. Whatever answers at the address, be it with another certificate, a refusal or an error page, shows
//! that something is there.

use kubernetes_apply::cluster::{ApiError, Cluster};
use kubernetes_apply::connection::{Access, Limits};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::model::ClusterModel;
use crate::client::Client;
use crate::clusters::{
    MANAGED_BY, OWN_ACCOUNT, OWNER_LABEL, REVIEWER_ACCOUNT, REVIEWER_BINDING, RUNTIME_ACCOUNT,
};
use crate::diagnostics::{Context as _, is_silent};
use crate::error_chain::sentence;

/// What to set for a destroy to go on without a cluster.
pub(super) const SETTING: &str = "set the provider argument unreachable_clusters to \"forget\" (environment: NAUTES_UNREACHABLE_CLUSTERS) and destroy again";

/// Fails if a destroy must not go on without a cluster that could not be called: it may exist, or is not to be forgotten.
pub(super) fn require_forgettable(
    client: &Client,
    error: &ApiError,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let reason = sentence(error);
    let detail = if !is_silent(error) {
        format!(
            "{reason} Nothing was changed. This does not show that the cluster is gone, so unreachable_clusters does not cover it. Check api_server, and what is between this machine and the API server."
        )
    } else if client.settings().forgets_unreachable_clusters {
        return Ok(());
    } else {
        format!(
            "{reason} Nothing was changed. Check api_server, and that this machine reaches the API server. If the cluster does not exist any more, {SETTING}."
        )
    };
    Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into())
}

/// Calls the address of a cluster for which there is no credential; `None` if something answers.
pub(super) async fn silence_at(
    api_server: &str,
    attempt: &str,
) -> Result<Option<ApiError>, Diagnostics> {
    let access = Access::new(api_server).context(attempt)?;
    let cluster = Cluster::new(&access, Limits::default()).context(attempt)?;
    let answer = cluster.version().await.map_err(ApiError::from);
    Ok(answer.err().filter(is_silent))
}

/// Returns the warning about a physical cluster of which a destroy has left everything.
///
/// It names objects and no namespaces, which may be those of others.
pub(super) fn forgotten(state: &ClusterModel, error: &ApiError) -> (String, String) {
    let is_worker = state.usage == "worker";
    let mut bindings = vec![OWN_ACCOUNT.name];
    let mut accounts = vec![&OWN_ACCOUNT];
    if is_worker {
        bindings.push(REVIEWER_BINDING);
        accounts.extend([&RUNTIME_ACCOUNT, &REVIEWER_ACCOUNT]);
    }
    let named: Vec<String> = accounts
        .iter()
        .map(|account| format!("{}/{}", account.namespace, account.name))
        .collect();
    let mut left = vec![
        format!(
            "the service accounts {} with their tokens",
            named.join(", ")
        ),
        format!("the ClusterRoleBindings {}", bindings.join(", ")),
    ];
    let components = state.component_status.known().into_iter().flatten();
    left.extend(components.map(|(name, _)| format!("the component {name}")));
    let label = format!("{OWNER_LABEL}={MANAGED_BY}");
    (
        format!("The cluster {} is forgotten", state.name),
        format!(
            "{} So nothing was removed in it. If it still exists, it keeps {}. End the tokens and their rights then (kubectl delete secret --all-namespaces -l {label} --field-selector type=kubernetes.io/service-account-token; kubectl delete clusterrolebinding {}).",
            sentence(error),
            left.join(", "),
            bindings.join(" ")
        ),
    )
}
