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
use super::slots::ComponentsModel;
use crate::components::entry_points::primary_domain;
use crate::resources::references::entity_name;

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
    let chosen = model.components.as_ref();
    let components = components(&name, &shape, domain.as_deref().unwrap_or_default(), chosen);
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

/// Returns the components that Nautes's rules require for a shape of cluster, and those that are chosen besides.
fn components(
    name: &EntityName,
    shape: &ClusterShape,
    domain: &str,
    chosen: Option<&ComponentsModel>,
) -> BTreeMap<ComponentSlot, Component> {
    let required = ComponentSlot::required_for(shape);
    let slots = ComponentSlot::ALL.into_iter().filter(|slot| {
        let is_chosen = *slot == ComponentSlot::CertManagement;
        let chosen = chosen.and_then(|chosen| chosen.slot(*slot));
        required.contains(slot) || (is_chosen && chosen.is_some())
    });
    slots
        .map(|slot| {
            let (component, default_namespace) = slot.default_component();
            let common = chosen.and_then(|chosen| chosen.slot(slot));
            let default_host = || format!("{component}.{name}.{domain}");
            let mut additions = BTreeMap::new();
            match slot {
                ComponentSlot::Deployment => {
                    let slot = chosen.and_then(|chosen| chosen.deployment.as_ref());
                    let host = slot.and_then(|slot| slot.host.clone());
                    additions.insert("host".to_owned(), host.unwrap_or_else(default_host));
                }
                ComponentSlot::Pipeline => {
                    let slot = chosen.and_then(|chosen| chosen.pipeline.as_ref());
                    let host = slot.and_then(|slot| slot.host.clone());
                    additions.insert("host".to_owned(), host.unwrap_or_else(default_host));
                }
                ComponentSlot::Gateway => {
                    let slot = chosen.and_then(|chosen| chosen.gateway.clone());
                    let (http, https) = slot.unwrap_or_default().ports();
                    additions.insert("httpNodePort".to_owned(), http.to_string());
                    additions.insert("httpsNodePort".to_owned(), https.to_string());
                }
                _ => {}
            }
            let more = common.and_then(|common| common.additions.clone());
            additions.extend(more.unwrap_or_default());
            let namespace = common.and_then(|common| common.namespace.as_deref());
            let component = Component {
                additions,
                name: component.to_owned(),
                namespace: namespace.unwrap_or(default_namespace).to_owned(),
            };
            (slot, component)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::cluster::slots::{DeploymentModel, GatewayModel, SlotModel};

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

    #[test]
    fn the_manifest_has_the_hosts_and_ports_that_were_chosen() {
        let chosen = ComponentsModel {
            deployment: Some(DeploymentModel {
                host: Some("argocd.example.com".to_owned()),
                ..DeploymentModel::default()
            }),
            gateway: Some(GatewayModel {
                https_node_port: Some(31443),
                slot: SlotModel {
                    additions: Some(BTreeMap::from([("key".to_owned(), "value".to_owned())])),
                    ..SlotModel::default()
                },
                ..GatewayModel::default()
            }),
            ..ComponentsModel::default()
        };
        let name = EntityName::new("build-01").unwrap();
        let shape = ClusterShape::PhysicalWorker(WorkerType::Pipeline);
        let components = components(&name, &shape, "example.com", Some(&chosen));
        let additions = |slot| {
            let additions = components[&slot].additions.iter();
            let additions = additions.map(|(key, value)| format!("{key}={value}"));
            additions.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            additions(ComponentSlot::Deployment),
            "host=argocd.example.com"
        );
        assert_eq!(
            additions(ComponentSlot::Pipeline),
            "host=tekton.build-01.example.com"
        );
        assert_eq!(
            additions(ComponentSlot::Gateway),
            "httpNodePort=30080 httpsNodePort=31443 key=value"
        );
    }
}
