//! From where a cluster pulls the images of components.

use serde_json::{Map, Value, json};

use super::error::ComponentError;
use super::manifest::Manifest;

/// From where images are pulled, and with which credentials.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Images {
    /// A mirror of all registries; `None` pulls from where the project publishes.
    pub registry: Option<ImageRegistry>,
    /// The name of a Secret with credentials, which must be in the namespace of the component.
    pub pull_secret: Option<String>,
}

/// A registry that has copies of all images, under the same path and tag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageRegistry(String);

impl ImageRegistry {
    /// Parses `registry.example.com`, with port and path if it has them.
    pub fn parse(text: &str) -> Result<Self, ComponentError> {
        let refused = || ComponentError::ImageRegistry {
            text: text.to_owned(),
        };
        let trimmed = text.trim_end_matches('/');
        let (host, path) = trimmed.split_once('/').unwrap_or((trimmed, ""));
        let (name, port) = host.split_once(':').unwrap_or((host, "0"));
        let is_name = |text: &str| {
            let mut bytes = text.bytes();
            let ends_well =
                |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
            bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
                && ends_well(text.bytes().next())
                && ends_well(text.bytes().next_back())
        };
        // A path component of an image has no capitals, and a first component without dot or port would
        // be one of Docker Hub.
        let is_valid = is_registry(host)
            && is_name(name)
            && port.parse::<u16>().is_ok()
            && (path.is_empty() || path.split('/').all(is_name))
            && !path.bytes().any(|byte| byte.is_ascii_uppercase());
        is_valid
            .then(|| Self(trimmed.to_owned()))
            .ok_or_else(refused)
    }

    /// Returns the registry with its path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name under which the mirror has an image: the registry is replaced, and path, tag and
    /// digest stay.
    pub fn mirror(&self, image: &str) -> String {
        let Self(mirror) = self;
        let is_mirrored = image
            .strip_prefix(mirror)
            .is_some_and(|path| path.starts_with('/'));
        if is_mirrored {
            return image.to_owned();
        }
        let (registry, path) = match image.split_once('/') {
            Some((registry, path)) if is_registry(registry) => (registry, path),
            _ => ("docker.io", image),
        };
        // Docker Hub keeps its official images in a folder that is not written.
        let library = match (registry, path.contains('/')) {
            ("docker.io" | "index.docker.io", false) => "library/",
            _ => "",
        };
        format!("{mirror}/{library}{path}")
    }
}

/// Whether the first component of an image's name is a registry, by the rule of container engines.
fn is_registry(component: &str) -> bool {
    component.contains(['.', ':']) || component == "localhost"
}

impl Images {
    /// Makes all pods of a component pull from the mirror, with the credentials.
    ///
    /// Images are where pods have them, in environment variables whose name ends with `IMAGE`, and in arguments
    /// whose name contains `-image`, with which controllers make pods of their own.
    pub(super) fn apply_to(&self, manifest: &mut Manifest) {
        for pod in manifest.pod_specs() {
            if let Some(registry) = &self.registry {
                mirror_pod(registry, pod);
            }
            if let Some(secret) = &self.pull_secret {
                add_pull_secret(pod, secret);
            }
        }
    }
}

fn mirror_pod(registry: &ImageRegistry, pod: &mut Map<String, Value>) {
    for list in ["initContainers", "containers"] {
        let containers = pod.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            if let Some(image) = container.get_mut("image") {
                mirror_value(registry, image);
            }
            let variables = container.get_mut("env").and_then(Value::as_array_mut);
            for variable in variables.into_iter().flatten() {
                let name = variable.get("name").and_then(Value::as_str);
                if name.is_some_and(|name| name.ends_with("IMAGE"))
                    && let Some(value) = variable.get_mut("value")
                {
                    mirror_value(registry, value);
                }
            }
            if let Some(arguments) = container.get_mut("args").and_then(Value::as_array_mut) {
                mirror_arguments(registry, arguments);
            }
        }
    }
}

/// Both forms are in use: `--solver-image=NAME`, and `-shell-image` followed by `NAME`.
fn mirror_arguments(registry: &ImageRegistry, arguments: &mut [Value]) {
    let mut is_image = false;
    for argument in arguments {
        let Some(text) = argument.as_str() else {
            continue;
        };
        if is_image {
            is_image = false;
            mirror_value(registry, argument);
        } else if let Some((flag, image)) = text.split_once('=') {
            if names_image(flag) {
                *argument = format!("{flag}={}", registry.mirror(image)).into();
            }
        } else {
            is_image = names_image(text);
        }
    }
}

fn names_image(flag: &str) -> bool {
    flag.starts_with('-') && (flag.ends_with("-image") || flag.contains("-image-"))
}

fn mirror_value(registry: &ImageRegistry, value: &mut Value) {
    if let Some(image) = value.as_str().filter(|image| !image.is_empty()) {
        *value = registry.mirror(image).into();
    }
}

fn add_pull_secret(pod: &mut Map<String, Value>, secret: &str) {
    let secrets = pod.entry("imagePullSecrets").or_insert_with(|| json!([]));
    if let Some(secrets) = secrets.as_array_mut() {
        let entry = json!({ "name": secret });
        if !secrets.contains(&entry) {
            secrets.push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn registry(text: &str) -> ImageRegistry {
        ImageRegistry::parse(text).unwrap()
    }

    #[test]
    fn only_the_registry_of_an_image_is_replaced() {
        let mirror = registry("registry.example.com:5000/mirror/");
        for (image, expected) in [
            ("quay.io/argoproj/argocd:v3.5.1", "argoproj/argocd:v3.5.1"),
            ("nats:2.10.29", "library/nats:2.10.29"),
            ("docker.io/traefik:v3.7.13", "library/traefik:v3.7.13"),
            (
                "natsio/prometheus-nats-exporter:0.14.0",
                "natsio/prometheus-nats-exporter:0.14.0",
            ),
            ("localhost/a", "a"),
            ("registry:5000/a/b:c", "a/b:c"),
            (
                "cgr.dev/chainguard/busybox@sha256:19f0",
                "chainguard/busybox@sha256:19f0",
            ),
            (
                "ghcr.io/tektoncd/pipeline/nop-8eac:v1.12.0@sha256:2a",
                "tektoncd/pipeline/nop-8eac:v1.12.0@sha256:2a",
            ),
        ] {
            let expected = format!("registry.example.com:5000/mirror/{expected}");
            assert_eq!(mirror.mirror(image), expected);
        }
    }

    #[test]
    fn what_is_no_registry_is_refused() {
        for text in [
            "",
            "mirror",
            "https://registry.example.com",
            "registry.example.com//mirror",
            "registry.example.com/Mirror",
            "registry.example.com:port",
            "registry.example.com/mirror images",
            "registry.example.com:5000:5000",
        ] {
            assert!(ImageRegistry::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn arguments_and_variables_with_images_are_found() {
        let mut pod = json!({
            "containers": [{
                "image": "quay.io/a/b:c",
                "env": [{"name": "ARGO_EVENTS_IMAGE", "value": "quay.io/a/b:c"}, {"name": "OTHER", "value": "quay.io/x"}],
                "args": ["-nop-image", "ghcr.io/a/nop:v1", "-shell-image-win", "mcr.microsoft.com/p@sha256:1",
                         "--acme-http01-solver-image=quay.io/a/solver:v1", "--imagine", "quay.io/x", "-v"]
            }]
        });
        let mirror = registry("m.example.com");
        mirror_pod(&mirror, pod.as_object_mut().unwrap());
        add_pull_secret(pod.as_object_mut().unwrap(), "login");
        add_pull_secret(pod.as_object_mut().unwrap(), "login");
        assert_eq!(
            pod,
            json!({
                "containers": [{
                    "image": "m.example.com/a/b:c",
                    "env": [{"name": "ARGO_EVENTS_IMAGE", "value": "m.example.com/a/b:c"},
                            {"name": "OTHER", "value": "quay.io/x"}],
                    "args": ["-nop-image", "m.example.com/a/nop:v1", "-shell-image-win", "m.example.com/p@sha256:1",
                             "--acme-http01-solver-image=m.example.com/a/solver:v1", "--imagine", "quay.io/x", "-v"]
                }],
                "imagePullSecrets": [{"name": "login"}]
            })
        );
    }

    const IMAGE: &str = "(((quay|ghcr)\\.io|docker\\.io|host:5000)/)?[a-z]{1,8}(/[a-z]{1,8}){0,2}(:v[0-9]{1,3})?(@sha256:[0-9a-f]{8})?";

    proptest! {
        #[test]
        fn mirroring_twice_is_mirroring_once(
            image in IMAGE, mirror in "[a-z]{1,8}\\.example(:[1-9][0-9]{1,3})?(/[a-z]{1,8}){0,2}"
        ) {
            let mirror = registry(&mirror);
            let once = mirror.mirror(&image);
            prop_assert_eq!(mirror.mirror(&once), once.clone());
            let prefix = format!("{}/", mirror.as_str());
            prop_assert!(once.starts_with(&prefix));
        }

        #[test]
        fn name_tag_and_digest_stay(image in IMAGE) {
            let mirrored = registry("m.example").mirror(&image);
            let last = |image: &str| image.rsplit('/').next().map(str::to_owned);
            prop_assert_eq!(last(&mirrored), last(&image));
        }
    }
}
