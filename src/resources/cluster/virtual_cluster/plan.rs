//! What the configuration leaves open of how a virtual cluster runs. No server is called.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::Planning;
use terraform_plugin::value::{Known, Path, Tf};
use url::Url;

use super::super::model::{ClusterModel, VclusterModel, VclusterModelPlan};
use super::super::resource::ClusterResource;
use super::path;
use crate::components::Version;
use crate::components::vcluster::VirtualCluster;

/// Checks which arguments go with the type of the cluster.
pub(in super::super) fn check_arguments(config: &PlanOf<ClusterModel>) -> Diagnostics {
    let error = |argument: &str, detail: &str| {
        Diagnostic::error("The arguments do not fit together", detail).at(&Path::to(argument))
    };
    let Known(cluster_type) = &config.cluster_type else {
        return Diagnostics::default();
    };
    let mut found = Diagnostics::default();
    if cluster_type != "virtual" {
        if !config.vcluster.is_null() {
            let detail = "vcluster is how a virtual cluster runs, and this one is physical. Remove it, or set cluster_type = \"virtual\".";
            found.push(error("vcluster", detail));
        }
        return found;
    }
    let detail = "A virtual cluster has no kubeconfig of its own: the provider gets it from the host. Remove the argument.";
    if !config.kubeconfig_wo.is_null() {
        found.push(error("kubeconfig_wo", detail));
    }
    if !config.kubeconfig_vault.is_null() {
        found.push(error("kubeconfig_vault", detail));
    }
    found
}

/// Plans how a virtual cluster runs: what is not configured is chosen at creation and kept, except the port, which
/// is that of `api_server`.
pub(in super::super) fn plan(
    planning: &mut Planning<'_, ClusterResource>,
) -> Result<(), Diagnostics> {
    let Known(cluster_type) = &planning.planned.cluster_type else {
        return Ok(());
    };
    if cluster_type != "virtual" {
        if planning.config.vcluster.is_null() {
            planning.planned.vcluster = Tf::Null;
        }
        return Ok(());
    }
    let configured = match &planning.config.vcluster {
        Tf::Unknown => return Ok(()),
        Tf::Null => None,
        Known(configured) => Some(configured),
    };
    let prior = planning.prior.as_ref();
    let before = prior.and_then(|prior| prior.vcluster.known());
    let port = match configured.map(|configured| &configured.https_node_port) {
        Some(port @ (Known(_) | Tf::Unknown)) => port.clone(),
        Some(Tf::Null) | None => match &planning.planned.api_server {
            Known(api_server) => {
                let before = before.and_then(|before| before.https_node_port.known());
                let port = node_port_of(api_server).or(before.copied());
                Known(port.ok_or_else(|| no_port(api_server))?)
            }
            _ => Tf::Unknown,
        },
    };
    let choose = |configured: Option<&Tf<String>>, before: Option<&Tf<String>>, default| {
        let configured = configured.filter(|configured| !configured.is_null());
        let before = before.filter(|before| before.known().is_some());
        let chosen = configured.or(before).cloned();
        chosen.unwrap_or_else(|| Known(Version::to_string(&default)))
    };
    let planned = VclusterModelPlan {
        https_node_port: port,
        version: choose(
            configured.map(|configured| &configured.version),
            before.map(|before| &before.version),
            VirtualCluster::default_version(),
        ),
        kubernetes_version: choose(
            configured.map(|configured| &configured.kubernetes_version),
            before.map(|before| &before.kubernetes_version),
            VirtualCluster::default_kubernetes_version(),
        ),
    };
    if let Some(before) = before {
        refuse_downgrade("version", &before.version, &planned.version)?;
        let (before, planned) = (&before.kubernetes_version, &planned.kubernetes_version);
        refuse_downgrade("kubernetes_version", before, planned)?;
    }
    planning.planned.vcluster = Known(planned);
    Ok(())
}

/// Returns how a virtual cluster runs, after the plan or without one.
pub(in super::super) fn resolve(model: &ClusterModel) -> Result<VclusterModel, Diagnostics> {
    let planned = model.vcluster.known();
    let known_port = planned.and_then(|planned| planned.https_node_port.known());
    let port = known_port
        .copied()
        .or_else(|| node_port_of(&model.api_server));
    let or_default = |version: Option<&Tf<String>>, default: Version| {
        let version = version.and_then(Tf::known).cloned();
        Known(version.unwrap_or_else(|| default.to_string()))
    };
    Ok(VclusterModel {
        https_node_port: Known(port.ok_or_else(|| no_port(&model.api_server))?),
        version: or_default(
            planned.map(|planned| &planned.version),
            VirtualCluster::default_version(),
        ),
        kubernetes_version: or_default(
            planned.map(|planned| &planned.kubernetes_version),
            VirtualCluster::default_kubernetes_version(),
        ),
    })
}

/// Returns the port of an API server if it is one that nodes serve.
pub(super) fn node_port_of(api_server: &str) -> Option<u64> {
    let port = u64::from(Url::parse(api_server).ok()?.port()?);
    (30000..=32767).contains(&port).then_some(port)
}

fn no_port(api_server: &str) -> Diagnostics {
    let detail = format!(
        "The API of a virtual cluster is served at a port of its host's nodes, from 30000 to 32767. {api_server} has no such port, so set https_node_port."
    );
    Diagnostic::error("The port of the virtual cluster is missing", detail)
        .at(&path("https_node_port"))
        .into()
}

/// Refuses a version before the one that runs, whose data the older one may not understand.
fn refuse_downgrade(
    attribute: &str,
    before: &Tf<String>,
    planned: &Tf<String>,
) -> Result<(), Diagnostics> {
    let (Known(before), Known(planned)) = (before, planned) else {
        return Ok(());
    };
    match (Version::parse(before), Version::parse(planned)) {
        (Ok(from), Ok(to)) if to < from => {
            let detail = format!(
                "{before} runs, and {planned} is older: it may not understand the data of the cluster. Set {before} or a later version, or replace the cluster."
            );
            Err(
                Diagnostic::error("A virtual cluster cannot be downgraded", detail)
                    .at(&path(attribute))
                    .into(),
            )
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_an_api_server_is_taken_only_if_nodes_can_serve_it() {
        assert_eq!(node_port_of("https://10.1.1.1:31000"), Some(31000));
        for address in [
            "https://10.1.1.1",
            "https://10.1.1.1:6443",
            "https://k8s.example.com:443",
        ] {
            assert_eq!(node_port_of(address), None, "{address}");
        }
    }

    #[test]
    fn an_older_version_is_refused() {
        let version = |text: &str| Known(text.to_owned());
        assert!(refuse_downgrade("version", &version("v0.36.1"), &version("0.36.1")).is_ok());
        assert!(refuse_downgrade("version", &version("v0.36.1"), &version("v0.37.0")).is_ok());
        assert!(refuse_downgrade("version", &version("v0.36.1"), &version("v0.35.0")).is_err());
        assert!(refuse_downgrade("version", &version("v0.36.1"), &Tf::Unknown).is_ok());
    }
}
