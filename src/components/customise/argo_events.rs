//! Argo Events: the event bus `default`, the CA of event sources, and the certificate of their host.

use serde_json::{Value, json};

use super::super::error::ComponentError;
use super::super::image::{ImageRegistry, Images};
use super::super::manifest::{Manifest, insert, is_kind, name, set_entries, text};

/// The settings of Argo Events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ArgoEvents {
    /// The number of servers of the event bus.
    pub replicas: BusReplicas,
    /// The storage class of their volumes; `None` is that of the cluster.
    pub storage_class: Option<String>,
    /// The version of the event bus. `None` takes the newest that the manifest knows, for a new bus only: an
    /// existing one keeps its version until the user wants another one.
    pub bus_version: Option<String>,
    /// Certificates of a private authority that signs GitLab's certificate.
    pub ca_pem: Option<String>,
    /// The certificate of the host that webhooks call; `None` leaves it to the gateway.
    pub webhook_certificate: Option<WebhookCertificate>,
}

/// The certificate of the host that webhooks call, issued by cert-manager.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebhookCertificate {
    /// The name of the `ClusterIssuer`.
    pub issuer: String,
    /// The host.
    pub host: String,
}

/// A number of servers that can elect a leader: 1, or 3 and more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BusReplicas(u16);

/// The name of the Certificate for webhooks, and of its Secret.
pub const WEBHOOK_CERTIFICATE: &str = "nautes-webhook";

/// The workload that Argo Events makes for the event bus.
pub(in super::super) const BUS_STATEFUL_SET: &str = "eventbus-default-js";

const NAMESPACE: &str = "argo-events";
const CONTROLLER_CONFIG: &str = "argo-events-controller-config";
const CONFIG_POINTER: &str = "/data/controller-config.yaml";

impl BusReplicas {
    /// Checks a number.
    pub fn new(replicas: i64) -> Result<Self, ComponentError> {
        match u16::try_from(replicas) {
            Ok(number @ (1 | 3..)) => Ok(Self(number)),
            _ => Err(ComponentError::BusReplicas { replicas }),
        }
    }
}

impl Default for BusReplicas {
    fn default() -> Self {
        Self(3)
    }
}

impl ArgoEvents {
    pub(in super::super) fn customise(
        &self,
        manifest: &mut Manifest,
        images: &Images,
    ) -> Result<(), ComponentError> {
        manifest.require("Deployment", "controller-manager")?;
        // The provider checks what the webhook would check, and the webhook registers itself in a way that
        // outlives it.
        manifest.remove(is_validating_webhook);
        let component = manifest.component;
        let config = manifest.require("ConfigMap", CONTROLLER_CONFIG)?;
        let config_text = text(config, CONFIG_POINTER).unwrap_or_default();
        let known = bus_versions(config_text);
        let version = match &self.bus_version {
            Some(version) if !known.contains(&version.as_str()) => {
                return Err(ComponentError::BusVersion {
                    version: version.clone(),
                    known: known.into_iter().map(str::to_owned).collect(),
                });
            }
            Some(version) => version.clone(),
            None => newest(&known)
                .ok_or(ComponentError::MissingObject {
                    component,
                    kind: "version of the event bus in the ConfigMap",
                    name: CONTROLLER_CONFIG,
                })?
                .to_owned(),
        };
        if let Some(registry) = &images.registry {
            let mirrored = mirror_config(config_text, registry);
            set_entries(config, "data", [("controller-config.yaml", mirrored)]);
        }
        manifest.objects.push(self.event_bus(&version, images));
        manifest.objects.push(self.ca_certificates());
        let certificate = self.webhook_certificate.as_ref();
        manifest
            .objects
            .extend(certificate.map(WebhookCertificate::object));
        Ok(())
    }

    fn event_bus(&self, version: &str, images: &Images) -> Value {
        let BusReplicas(replicas) = self.replicas;
        let mut jetstream = json!({
            "version": version,
            "replicas": replicas,
            "persistence": { "accessMode": "ReadWriteOnce", "volumeSize": "1Gi" }
        });
        if let Some(storage_class) = &self.storage_class {
            let class = storage_class.as_str();
            insert(&mut jetstream, "/persistence", "storageClassName", class);
        }
        if replicas == 1 {
            // Streams have three copies otherwise, which one server refuses to make.
            insert(&mut jetstream, "", "streamConfig", "replicas: 1\n");
        }
        if let Some(secret) = &images.pull_secret {
            let secrets = json!([{ "name": secret }]);
            insert(&mut jetstream, "", "imagePullSecrets", secrets);
        }
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "EventBus",
            "metadata": { "name": "default", "namespace": NAMESPACE },
            "spec": { "jetstream": jetstream }
        })
    }

    /// Every event source mounts it, so it exists also without a private authority.
    fn ca_certificates(&self) -> Value {
        let data = match &self.ca_pem {
            Some(ca_pem) => json!({ "ca.crt": ca_pem }),
            None => json!({}),
        };
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "ca-certificates", "namespace": NAMESPACE },
            "data": data
        })
    }
}

impl WebhookCertificate {
    fn object(&self) -> Value {
        json!({
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": { "name": WEBHOOK_CERTIFICATE, "namespace": NAMESPACE },
            "spec": {
                "secretName": WEBHOOK_CERTIFICATE,
                "dnsNames": [self.host],
                "issuerRef": { "group": "cert-manager.io", "kind": "ClusterIssuer", "name": self.issuer }
            }
        })
    }
}

fn is_validating_webhook(object: &Value) -> bool {
    let name = name(object);
    name == "events-webhook"
        || name.starts_with("argo-events-webhook")
        || is_kind(object, "ValidatingWebhookConfiguration")
}

/// Returns the versions of the event bus in the controller's configuration, which is YAML, without aliases such as
/// `latest`.
fn bus_versions(config: &str) -> Vec<&str> {
    let lines = config.lines().map(str::trim);
    lines
        .skip_while(|line| *line != "jetstream:")
        .filter_map(|line| line.strip_prefix("- version:"))
        .map(|version| version.trim().trim_matches('"'))
        .filter(|version| version.starts_with(|first: char| first.is_ascii_digit()))
        .collect()
}

fn newest<'v>(versions: &[&'v str]) -> Option<&'v str> {
    let parsed = versions
        .iter()
        .filter_map(|text| Some((semver::Version::parse(text).ok()?, *text)));
    // `2.8.2-alpine` is the same version in another image.
    let releases = parsed.filter(|(version, _)| version.pre.is_empty());
    releases.max().map(|(_, text)| text)
}

/// Replaces the registry of the images in the controller's configuration: `natsImage: nats:2.10.29`.
fn mirror_config(config: &str, registry: &ImageRegistry) -> String {
    let lines = config.lines().map(|line| match line.split_once("Image: ") {
        Some((key, image)) if key.trim_start().chars().all(char::is_alphabetic) => {
            format!("{key}Image: {}\n", registry.mirror(image.trim()))
        }
        _ => format!("{line}\n"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_servers_cannot_elect_a_leader() {
        for replicas in [1, 3, 5] {
            assert!(BusReplicas::new(replicas).is_ok());
        }
        for replicas in [-1, 0, 2, 70_000] {
            assert!(BusReplicas::new(replicas).is_err());
        }
    }

    #[test]
    fn the_newest_version_is_the_highest_and_no_variant() {
        let versions = ["2.8.1", "2.10.29", "2.9.16", "2.11.0-alpine"];
        assert_eq!(newest(&versions), Some("2.10.29"));
        assert_eq!(newest(&[]), None);
    }

    #[test]
    fn versions_are_those_of_jetstream_and_no_aliases() {
        let config = "eventBus:\n  nats:\n    versions:\n    - version: 0.22.1\n  jetstream:\n    versions:\n    \
                      - version: latest\n      natsImage: nats:2.10.29\n    - version: \"2.8.1\"\n";
        assert_eq!(bus_versions(config), ["2.8.1"]);
    }

    #[test]
    fn the_images_of_the_bus_are_mirrored() {
        let config =
            "# an Image: of the past\n  natsImage: nats:2.10.29\n  startCommand: /nats-server\n";
        let registry = ImageRegistry::parse("m.example.com").unwrap();
        assert_eq!(
            mirror_config(config, &registry),
            "# an Image: of the past\n  natsImage: m.example.com/library/nats:2.10.29\n  startCommand: /nats-server\n"
        );
    }
}
