//! What can be said about the chosen components without asking anybody.

use std::collections::BTreeSet;

use nautes_model::entity::{ClusterShape, ComponentSlot};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::value::{Convert as _, Known, Path, Tf, Value};

use super::super::addresses::Addresses;
use super::super::model::ClusterModel;
use super::super::slots::{ComponentsModel, GatewayModel, SlotModel};
use super::{overrides, refusal, slot_path};
use crate::clusters::NAMESPACE;
use crate::components::source::Release;
use crate::components::{Component, ImageRegistry, Presence};

/// Returns the components of a configuration or plan; slots that are not wholly known are left out. `None` if nothing is
/// known of them.
pub(in super::super) fn known_components(
    plan: &Tf<PlanOf<ComponentsModel>>,
) -> Option<ComponentsModel> {
    let plan = match plan {
        Tf::Unknown => return None,
        Tf::Null => return Some(ComponentsModel::default()),
        Known(plan) => plan,
    };
    let Value::Object(mut slots) = plan.to_value() else {
        return None;
    };
    for slot in slots.values_mut() {
        if !slot.is_wholly_known() {
            *slot = Value::Null;
        }
    }
    ComponentsModel::from_value(&Value::Object(slots), &Path::to("components")).ok()
}

/// Checks what is chosen of the components.
pub(in super::super) fn check_slots(
    components: &ComponentsModel,
    shape: &ClusterShape,
) -> Diagnostics {
    let mut found = Diagnostics::default();
    for slot in ComponentSlot::ALL {
        if let Some(chosen) = components.slot(slot) {
            found.extend(check_slot(slot, chosen, components, shape));
        }
    }
    let gateway = components.gateway.as_ref();
    found.extend(gateway.map(check_gateway).unwrap_or_default());
    for component in Component::ALL {
        let slot = components.slot(component.slot());
        if slot.is_some_and(SlotModel::uses_existing) {
            continue;
        }
        let resolved = Release::resolve(component, overrides(component, Some(components)), None);
        if let Err(error) = resolved {
            found.extend(refusal(component, &error));
        }
        let registry = slot.and_then(|slot| slot.image_registry.as_deref());
        // The dashboard has the mirror of the pipelines.
        let registry = registry.filter(|_| component != Component::TektonDashboard);
        if let Some(Err(error)) = registry.map(ImageRegistry::parse) {
            found.extend(refusal(component, &error));
        }
    }
    found
}

fn check_slot(
    slot: ComponentSlot,
    chosen: &SlotModel,
    components: &ComponentsModel,
    shape: &ClusterShape,
) -> Diagnostics {
    let mut found = Diagnostics::default();
    let path = slot_path(slot);
    let (known, _) = slot.default_component();
    if let Some(name) = chosen.name.as_deref().filter(|name| *name != known) {
        let detail =
            format!("There is no component {name:?} for this slot: the only one is {known:?}.");
        let error = Diagnostic::error("Unknown component", detail);
        found.push(error.at(&path.attribute("name")));
    }
    let mut fillers = Component::ALL
        .into_iter()
        .filter(|component| component.slot() == slot);
    let is_known = fillers.any(|component| component.presence(shape) != Presence::Never);
    let is_wanted = match slot {
        ComponentSlot::MultiTenant => components.has_hierarchies(),
        _ => !chosen.uses_existing(),
    };
    if !is_known && is_wanted {
        let detail = format!(
            "Clusters of this type, usage and worker type have no {}. Remove the slot, or set install = false in it.",
            slot.attribute()
        );
        found.push(Diagnostic::error("A slot that the cluster does not have", detail).at(&path));
    }
    found
}

fn check_gateway(gateway: &GatewayModel) -> Diagnostics {
    let path = slot_path(ComponentSlot::Gateway);
    let mut found = Diagnostics::default();
    if gateway.is_load_balancer() {
        let ports = [
            ("https_node_port", gateway.https_node_port),
            ("http_node_port", gateway.http_node_port),
        ];
        for (attribute, _) in ports.into_iter().filter(|(_, port)| port.is_some()) {
            let detail = format!(
                "A gateway of the type LoadBalancer is reached on the ports 80 and 443 of its own address. Remove {attribute}, or set service_type = \"NodePort\"."
            );
            let error = Diagnostic::error("A port that the gateway does not have", detail);
            found.push(error.at(&path.attribute(attribute)));
        }
        return found;
    }
    let (http, https) = gateway.ports();
    if http == https {
        let detail = format!(
            "The ports for HTTP and HTTPS are both {https}. Set http_node_port or https_node_port to another one from 30000 to 32767."
        );
        let error = Diagnostic::error("Two ports of the gateway are the same", detail);
        found.push(error.at(&path.attribute("http_node_port")));
    }
    found
}

/// Checks that the hosts of a cluster differ.
pub(in super::super) fn check_hosts(addresses: &Addresses) -> Diagnostics {
    let mut seen = BTreeSet::new();
    let mut found = Diagnostics::default();
    for host in addresses.hosts() {
        if seen.insert(host) {
            continue;
        }
        let slot = if addresses.dashboard.as_deref() == Some(host) {
            ComponentSlot::Pipeline
        } else {
            ComponentSlot::Deployment
        };
        let detail = format!(
            "The gateway tells its services apart by their hosts, and two of them have the host {host}. Choose another host."
        );
        let error = Diagnostic::error("Two services of the cluster have one host", detail);
        found.push(error.at(&slot_path(slot).attribute("host")));
    }
    found
}

/// The namespaces in which nobody may work who must not take over the cluster, besides that of Argo CD.
const POWERFUL_NAMESPACES: [&str; 4] = ["argo-events", "vault", "external-secrets", NAMESPACE];

/// Returns what would give products the whole cluster. Each is an error, or with checks skipped a warning.
pub(in super::super) fn check_dangers(plan: &PlanOf<ClusterModel>) -> Vec<Diagnostic> {
    let components = known_components(&plan.components).unwrap_or_default();
    let deployment = components.slot(ComponentSlot::Deployment);
    let chosen = deployment.and_then(|slot| slot.namespace.as_deref());
    let argo_cd = chosen.unwrap_or(Component::ArgoCd.namespace());
    let mut found = Vec::new();
    if let Known(namespaces) = &plan.reserved_namespaces_allowed_products {
        for namespace in namespaces.keys() {
            let is_powerful = POWERFUL_NAMESPACES.contains(&namespace.as_str());
            if !is_powerful && namespace != argo_cd {
                continue;
            }
            let detail = format!(
                "A product that may deploy into the namespace {namespace} can take over everything in the cluster. Remove it; or, if that is meant, set insecure_skip_check = true."
            );
            let path = Path::to("reserved_namespaces_allowed_products").key(namespace);
            let summary = "The namespace gives the cluster away";
            found.push(Diagnostic::error(summary, detail).at(&path));
        }
    }
    if let Known(products) = &plan.product_allowed_cluster_resources {
        for (product, resources) in products {
            let resources = resources.known().into_iter().flatten().enumerate();
            for (index, resource) in resources {
                let Known(resource) = resource else { continue };
                let (Known(group), Known(kind)) = (&resource.group, &resource.kind) else {
                    continue;
                };
                let grants_rights = matches!(group.as_str(), "rbac.authorization.k8s.io" | "*");
                if !grants_rights || !resource.name.is_null() {
                    continue;
                }
                let detail = format!(
                    "A product that may create any {kind} of the group {group} can give itself all rights in the cluster. Set name, such as name = \"{product}-*\"; or, if that is meant, set insecure_skip_check = true."
                );
                let path = Path::to("product_allowed_cluster_resources");
                let path = path.key(product).index(index).attribute("name");
                let summary = "The resources give the cluster away";
                found.push(Diagnostic::error(summary, detail).at(&path));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use nautes_model::entity::WorkerType;

    use super::*;

    const DEPLOYMENT: ClusterShape = ClusterShape::PhysicalWorker(WorkerType::Deployment);

    fn refused(components: &ComponentsModel, shape: &ClusterShape) -> Vec<String> {
        let found = check_slots(components, shape);
        let paths = found.iter().map(|found| {
            let path = found.path.as_ref();
            path.map(ToString::to_string).unwrap_or_default()
        });
        paths.collect()
    }

    fn secret_sync(slot: SlotModel) -> ComponentsModel {
        ComponentsModel {
            secret_sync: Some(slot),
            ..ComponentsModel::default()
        }
    }

    #[test]
    fn an_impossible_choice_is_an_error_of_its_attribute() {
        let text = |text: &str| Some(text.to_owned());
        for (slot, attribute) in [
            (
                SlotModel {
                    name: text("vault"),
                    ..SlotModel::default()
                },
                "name",
            ),
            (
                SlotModel {
                    namespace: text("other"),
                    ..SlotModel::default()
                },
                "namespace",
            ),
            (
                SlotModel {
                    version: text("latest"),
                    ..SlotModel::default()
                },
                "version",
            ),
            (
                SlotModel {
                    sha256: text("abc"),
                    ..SlotModel::default()
                },
                "sha256",
            ),
            (
                SlotModel {
                    url: text("ftp://a/b"),
                    sha256: None,
                    ..SlotModel::default()
                },
                "url",
            ),
            (
                SlotModel {
                    url: text("/a.yaml"),
                    ..SlotModel::default()
                },
                "sha256",
            ),
            (
                SlotModel {
                    image_registry: text("https://a"),
                    ..SlotModel::default()
                },
                "image_registry",
            ),
        ] {
            let paths = refused(&secret_sync(slot), &DEPLOYMENT);
            assert_eq!(paths, [format!("components.secret_sync.{attribute}")]);
        }
    }

    #[test]
    fn one_that_is_there_already_may_be_in_any_namespace() {
        let slot = SlotModel {
            install: Some(false),
            namespace: Some("other".to_owned()),
            ..SlotModel::default()
        };
        assert_eq!(refused(&secret_sync(slot), &DEPLOYMENT), [""; 0]);
    }

    #[test]
    fn a_slot_that_the_cluster_does_not_have_is_refused_unless_nothing_is_installed() {
        let slot = |install| ComponentsModel {
            event_listener: Some(super::super::super::slots::EventListenerModel {
                slot: SlotModel {
                    install,
                    ..SlotModel::default()
                },
                ..Default::default()
            }),
            ..ComponentsModel::default()
        };
        assert_eq!(
            refused(&slot(None), &DEPLOYMENT),
            ["components.event_listener"]
        );
        assert_eq!(refused(&slot(Some(false)), &DEPLOYMENT), [""; 0]);
        let pipelines = ClusterShape::PhysicalWorker(WorkerType::Pipeline);
        assert_eq!(refused(&slot(None), &pipelines), [""; 0]);
    }

    #[test]
    fn the_ports_of_a_gateway_differ_and_are_those_of_its_type() {
        let gateway = |service_type: &str, http, https| ComponentsModel {
            gateway: Some(GatewayModel {
                service_type: Some(service_type.to_owned()),
                http_node_port: http,
                https_node_port: https,
                ..GatewayModel::default()
            }),
            ..ComponentsModel::default()
        };
        let http = "components.gateway.http_node_port";
        let https = "components.gateway.https_node_port";
        for (components, expected) in [
            (gateway("NodePort", Some(30443), None), vec![http]),
            (gateway("NodePort", Some(31080), Some(31443)), vec![]),
            (gateway("LoadBalancer", None, Some(31443)), vec![https]),
            (gateway("LoadBalancer", None, None), vec![]),
        ] {
            assert_eq!(refused(&components, &DEPLOYMENT), expected);
        }
    }
}
