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

/// Checks a port of nodes, in the range that Kubernetes has unless its administrator changes it.
pub(super) fn node_port() -> Validator {
    Validator::new("Must be from 30000 to 32767.", |port: &u64| {
        if (30000..=32767).contains(port) {
            return Ok(());
        }
        Err(format!(
            "Kubernetes serves ports of nodes from 30000 to 32767, but the value is {port}."
        ))
    })
}

/// Checks a version such as `v1.36.0`.
pub(super) fn version() -> Validator {
    Validator::new("Must be a version such as `v1.36.0`.", |text: &String| {
        Version::parse(text)
            .map(drop)
            .map_err(|error| format!("{text:?} is not a version: {error}."))
    })
}
