//! Virtual clusters: the objects in the host cluster in which their API servers run.
//!
//! What is inside a virtual cluster is set up like a physical one, with the kubeconfig that the host has of it.

mod delete;
mod host;
mod inspect;
mod install;
mod plan;

use kubernetes_apply::apply_set::{ApplySet, Parent};
use nautes_model::EntityName;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;
use url::Url;

pub(super) use self::delete::delete;
pub(super) use self::host::{Host, require_no_virtual_clusters};
pub(super) use self::inspect::inspect;
pub(super) use self::install::{install, with_server};
pub(super) use self::plan::{check_arguments, plan, resolve};

use super::model::{ClusterModel, VclusterModel};
use crate::client::Client;
use crate::clusters::{NAMESPACE, owner};
use crate::components::vcluster::{ApiSingleSignOn, VirtualCluster};
use crate::components::{Images, Version};
use crate::diagnostics::Context as _;
use crate::resources::references::invalid_value;

/// The start of the name of each virtual cluster's inventory in its host; the name of the cluster follows.
const INVENTORY: &str = "nautes-vcluster-";

/// Whether a cluster is virtual.
pub(super) fn is_virtual(model: &ClusterModel) -> bool {
    model.cluster_type == "virtual"
}

/// Returns the name of the volume claim with the data of a virtual cluster.
fn data_claim(name: &EntityName) -> String {
    format!("data-{name}-0")
}

/// Returns the set of a virtual cluster's objects in its host.
fn object_set<'h>(host: &'h Host, name: &EntityName) -> Result<ApplySet<'h>, Diagnostics> {
    let parent = Parent {
        namespace: NAMESPACE.to_owned(),
        name: format!("{INVENTORY}{name}"),
    };
    Ok(ApplySet::new(
        &host.cluster,
        owner().context("name objects")?,
        parent,
    ))
}

/// Returns the settings from which the objects of a virtual cluster are built.
fn settings(
    client: &Client,
    name: &EntityName,
    model: &ClusterModel,
    vcluster: &VclusterModel,
) -> Result<VirtualCluster, Diagnostics> {
    let version = |attribute: &str, text: Option<&String>| {
        let parsed = text.and_then(|text| Version::parse(text).ok());
        parsed.ok_or_else(|| bug(attribute))
    };
    let port = vcluster.https_node_port.known();
    let port = port.and_then(|port| u16::try_from(*port).ok());
    let url = Url::parse(&model.api_server).ok();
    let host = url.as_ref().and_then(Url::host_str);
    let host = host.map(|host| host.trim_start_matches('[').trim_end_matches(']'));
    let oidc = client.settings().oidc.as_ref();
    Ok(VirtualCluster {
        name: name.to_string(),
        version: version("version", vcluster.version.known())?,
        kubernetes_version: version("kubernetes_version", vcluster.kubernetes_version.known())?,
        https_node_port: port.ok_or_else(|| bug("https_node_port"))?,
        api_server: model.api_server.clone(),
        api_host: host.ok_or_else(|| bug("api_server"))?.to_owned(),
        single_sign_on: oidc.map(|oidc| ApiSingleSignOn {
            issuer: oidc.issuer.clone(),
            client_id: oidc.client_id.clone(),
            ca_pem: oidc.ca_pem.clone(),
            groups_claim: oidc.groups_claim.clone(),
            groups_prefix: oidc.groups_prefix.clone(),
        }),
        images: Images::default(),
    })
}

fn bug(attribute: &str) -> Diagnostics {
    Diagnostic::bug(format!(
        "{attribute} of the virtual cluster is not resolved"
    ))
    .into()
}

/// Returns the name of the host of a virtual cluster.
fn host_name(model: &ClusterModel) -> Result<EntityName, Diagnostics> {
    let host = model.host_cluster.as_deref().unwrap_or_default();
    EntityName::new(host)
        .map_err(|error| invalid_value("host_cluster", format!("{host:?} is no name: {error}.")))
}

fn path(attribute: &str) -> Path {
    Path::to("vcluster").attribute(attribute)
}
