//! What a plan says of the credential of a cluster. It calls no server.

use std::time::{Duration, SystemTime};

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::Planning;
use terraform_plugin::value::{Known, Path, Tf};

use super::access::check_given;
use super::model::CredentialModel;
use super::resource::ClusterResource;
use crate::secret::Secret;

/// How long before its end a plan warns of a credential.
const WARNING: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Checks a given kubeconfig as far as it is known, plans when the credential ends, and warns before it does.
pub(super) fn plan(planning: &mut Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    let is_new = planning.prior.as_ref().is_none_or(|prior| {
        let planned = &planning.planned;
        Tf::from(prior.kubeconfig_wo_version) != planned.kubeconfig_wo_version
            || prior.kubeconfig_vault.is_some() != planned.kubeconfig_vault.known().is_some()
            || planned.kubeconfig_vault.is_unknown()
    });
    let keeps_it = match &planning.planned.credential {
        Known(credential) => credential.kind != Known(CredentialModel::SERVICE_ACCOUNT.to_owned()),
        _ => false,
    };
    if is_new && let Some(text) = planning.config.kubeconfig_wo.known() {
        let reconciles = planning
            .client
            .is_some_and(|client| client.settings().nautes_reconciles());
        let text = Secret::from(text.clone());
        check_given(&text, keeps_it, reconciles)
            .map_err(|found| found.at(&Path::to("kubeconfig_wo")))?;
    }
    if !keeps_it {
        return Ok(());
    }
    if is_new {
        if let Known(credential) = &mut planning.planned.credential {
            credential.expires_at = Tf::Unknown;
        }
        return Ok(());
    }
    let Known(credential) = &planning.planned.credential else {
        return Ok(());
    };
    let end = credential.expires_at.known().cloned();
    if let Some(end) = end.filter(|end| ends_soon(end, SystemTime::now())) {
        let path = Path::to("credential").attribute("expires_at");
        planning.warn_at(
            &path,
            "The credential of a cluster ends soon",
            format!(
                "The kubeconfig with which this cluster is managed ends at {end}. Give a new one in kubeconfig_wo and change kubeconfig_wo_version; or set credential.kind to \"service_account\" at the same time, with which the provider keeps a token of its own."
            ),
        );
    }
    Ok(())
}

fn ends_soon(end: &str, now: SystemTime) -> bool {
    let end = humantime::parse_rfc3339(end).ok();
    end.is_some_and(|end| now.checked_add(WARNING).is_some_and(|limit| end <= limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_ends_soon_in_its_last_thirty_days_and_afterwards() {
        let now = humantime::parse_rfc3339("2026-03-01T00:00:00Z").unwrap();
        assert!(!ends_soon("2026-04-01T00:00:00Z", now));
        assert!(ends_soon("2026-03-30T00:00:00Z", now));
        assert!(ends_soon("2026-02-01T00:00:00Z", now));
        assert!(!ends_soon("", now));
    }
}
