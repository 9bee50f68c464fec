//! Checks of a cluster's arguments.

use terraform_plugin::schema::Validator;
use url::Url;

use crate::components::Version;

/// Checks the URL of an API server.
pub(super) fn api_server() -> Validator {
    Validator::new(
        "Must be a URL such as `https://10.1.1.1:6443`.",
        |text: &String| {
            match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                let has_more = url.path() != "/" || url.query().is_some() || !url.username().is_empty();
                if has_more {
                    return Err("The URL of an API server has a scheme, a host and a port, and nothing else.".to_owned());
                }
                Ok(())
            }
            _ => Err(
                "The API server needs a URL that begins with https://, such as https://10.1.1.1:6443."
                    .to_owned(),
            ),
        }
        },
    )
}

/// Checks a duration such as `2160h`.
pub(super) fn duration() -> Validator {
    Validator::new("Must be a duration such as `2160h`.", |text: &String| {
        humantime::parse_duration(text).map(drop).map_err(|error| {
            format!("{text:?} is not a duration: {error}. Write one such as 2160h.")
        })
    })
}

/// Checks a port of the nodes of a cluster.
pub(super) fn node_port() -> Validator {
    Validator::new("Must be from 30000 to 32767.", |port: &u64| {
        if (30000..=32767).contains(port) {
            return Ok(());
        }
        Err(format!(
            "{port} is not a port that Kubernetes gives to Services, which are from 30000 to 32767."
        ))
    })
}

/// Checks a number of servers that elect a leader.
pub(super) fn replicas() -> Validator {
    Validator::new("Must be 1, or 3 or more.", |replicas: &u64| {
        if *replicas == 1 || *replicas >= 3 {
            return Ok(());
        }
        Err(format!(
            "An event bus cannot have {replicas} servers: it has 1, or 3 or more, of which a majority elects a leader."
        ))
    })
}

/// Checks the name of a host.
pub(super) fn host_name() -> Validator {
    Validator::new(
        "Must be a host name such as `argocd.example.com`.",
        |host: &String| {
            let is_label = |label: &str| {
                let bytes = label.as_bytes();
                let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
                let ends = bytes.first().zip(bytes.last());
                ends.is_some_and(|(first, last)| is_inner(first) && is_inner(last))
                    && bytes.iter().all(|byte| is_inner(byte) || *byte == b'-')
            };
            if host.len() <= 253 && host.split('.').all(is_label) {
                return Ok(());
            }
            Err(format!(
                "{host:?} is not the name of a host: it has labels of lowercase letters, digits and hyphens, with dots between them, such as argocd.example.com."
            ))
        },
    )
}

/// Checks an address to which paths are added.
pub(super) fn https_address() -> Validator {
    Validator::new(
        "Must be a URL such as `https://webhook.example.com:30443`.",
        |text: &String| {
            let url = Url::parse(text).ok();
            let is_base = url.is_some_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.path() == "/"
                    && url.query().is_none()
                    && url.username().is_empty()
            });
            if is_base && !text.ends_with('/') {
                return Ok(());
            }
            Err(format!(
                "{text:?} is not the address of a host: it has a scheme, a host and, if needed, a port, such as https://webhook.example.com:30443."
            ))
        },
    )
}

/// Checks a version such as `v1.36.0`.
pub(super) fn version() -> Validator {
    Validator::new("Must be a version such as `v1.36.0`.", |text: &String| {
        Version::parse(text)
            .map(drop)
            .map_err(|error| format!("{text:?} is not a version: {error}."))
    })
}
