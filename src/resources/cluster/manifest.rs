//! The manifest of a cluster.

use std::collections::{BTreeMap, BTreeSet};

use nautes_model::EntityName;
use nautes_model::entity::{
    Cluster, ClusterResource, ClusterShape, ClusterType, ClusterUsage, Component, ComponentSlot,
    WorkerType,
};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::model::ClusterModel;
use crate::components::entry_points::primary_domain;
use crate::resources::references::entity_name;

/// The node ports of the gateway, where none are configured.
const NODE_PORTS: [(&str, &str); 2] = [("httpNodePort", "30080"), ("httpsNodePort", "30443")];

/// Returns the shape of a cluster; an error is on the attribute at fault.
pub(super) fn parse_shape(
    cluster_type: &str,
    usage: &str,
    worker_type: Option<&str>,
    host_cluster: Option<&str>,
) -> Result<ClusterShape, Diagnostics> {
    let cluster_type = match cluster_type {
        "virtual" => ClusterType::Virtual,
        _ => ClusterType::Physical,
    };
    let usage = match usage {
        "host" => ClusterUsage::Host,
        _ => ClusterUsage::Worker,
    };
    let worker_type = worker_type.map(|worker| match worker {
        "pipeline" => WorkerType::Pipeline,
        _ => WorkerType::Deployment,
    });
    let host = host_cluster
        .map(|host| entity_name("host_cluster", host))
        .transpose()?;
    ClusterShape::new(cluster_type, usage, worker_type, host).map_err(|error| {
        let path = Path::to(error.attribute());
        let detail = format!("{error}.");
        Diagnostic::error("The arguments do not fit together", detail)
            .at(&path)
            .into()
    })
}

/// Returns the entity.
pub(super) fn entity(model: &ClusterModel) -> Result<Cluster, Diagnostics> {
    let name: EntityName = entity_name("name", &model.name)?;
    let shape = parse_shape(
        &model.cluster_type,
        &model.usage,
        model.worker_type.as_deref(),
        model.host_cluster.as_deref(),
    )?;
    let domain = model.primary_domain.known().cloned();
    let domain = domain.or_else(|| primary_domain(&model.api_server));
    let components = components(&name, &shape, domain.as_deref().unwrap_or_default());
    let resources = model.product_allowed_cluster_resources.as_ref();
    let resources = resources.into_iter().flatten().map(|(product, listed)| {
        let listed = listed.iter().map(|resource| ClusterResource {
            group: resource.group.clone(),
            kind: resource.kind.clone(),
        });
        (product.clone(), listed.collect::<BTreeSet<_>>())
    });
    Ok(Cluster {
        namespace: Cluster::NAMESPACE.to_owned(),
        api_server: model.api_server.clone(),
        primary_domain: domain,
        components,
        reserved_namespaces_allowed_products: model
            .reserved_namespaces_allowed_products
            .clone()
            .unwrap_or_default(),
        product_allowed_cluster_resources: resources.collect(),
        shape,
        name,
    })
}

/// Returns the components that Nautes's rules require for a shape of cluster.
fn components(
    name: &EntityName,
    shape: &ClusterShape,
    domain: &str,
) -> BTreeMap<ComponentSlot, Component> {
    let required = ComponentSlot::required_for(shape).iter().copied();
    required
        .map(|slot| {
            let (component, namespace) = slot.default_component();
            let additions = match slot {
                ComponentSlot::Deployment | ComponentSlot::Pipeline => {
                    BTreeMap::from([("host".to_owned(), format!("{component}.{name}.{domain}"))])
                }
                ComponentSlot::Gateway => NODE_PORTS
                    .map(|(key, port)| (key.to_owned(), port.to_owned()))
                    .into(),
                _ => BTreeMap::new(),
            };
            let component = Component {
                additions,
                name: component.to_owned(),
                namespace: namespace.to_owned(),
            };
            (slot, component)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_the_host_of_the_api_server_and_an_address_gets_a_name() {
        for (api_server, domain) in [
            ("https://10.1.1.1:6443", "10.1.1.1.nip.io"),
            ("https://k8s.example.com:6443", "k8s.example.com"),
            ("https://[fd00::1]:6443", "fd00--1.nip.io"),
        ] {
            assert_eq!(primary_domain(api_server).as_deref(), Some(domain));
        }
    }
}
