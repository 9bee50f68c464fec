//! The Secrets that an object of Argo Events names, as files of its pod.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::Error;
use crate::kubernetes::ControlPlane;

/// Returns the contents by path. A Secret or key that does not exist has none.
pub(super) fn files(
    control_plane: &ControlPlane,
    namespace: &str,
    object: &Value,
) -> Result<BTreeMap<String, String>, Error> {
    let mut selectors = BTreeSet::new();
    if let Some(spec) = object.get("spec") {
        collect(spec, &mut selectors);
    }
    let mut files = BTreeMap::new();
    for (name, key) in selectors {
        let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
        let secret = control_plane.get(&path)?;
        let value = secret
            .as_ref()
            .and_then(|secret| secret.get("data")?.get(&key));
        let value = value.and_then(Value::as_str).unwrap_or_default();
        if let Ok(value) = STANDARD.decode(value)
            && let Ok(value) = String::from_utf8(value)
            && !value.is_empty()
        {
            files.insert(format!("/argo-events/secrets/{name}/{key}"), value);
        }
    }
    Ok(files)
}

/// Collects what looks like a selector of a key in a Secret.
fn collect(value: &Value, selectors: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(fields) => {
            selectors.extend(selector(fields));
            fields.values().for_each(|value| collect(value, selectors));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, selectors)),
        _ => {}
    }
}

fn selector(fields: &Map<String, Value>) -> Option<(String, String)> {
    let is_selector = fields
        .keys()
        .all(|key| matches!(key.as_str(), "name" | "key" | "optional"));
    let name = fields.get("name")?.as_str()?;
    let key = fields.get("key")?.as_str()?;
    is_selector.then(|| (name.to_owned(), key.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_of_keys_are_found_at_every_depth() {
        let spec = json!({
            "gitlab": { "repo": {
                "secretToken": { "name": "token", "key": "value" },
                "events": [{ "accessToken": { "name": "api", "key": "token", "optional": true } }],
                "other": { "name": "a", "key": "b", "value": "c" },
            } },
        });
        let mut found = BTreeSet::new();
        collect(&spec, &mut found);
        let expected = [("api", "token"), ("token", "value")];
        assert!(
            found
                .iter()
                .map(|(name, key)| (name.as_str(), key.as_str()))
                .eq(expected)
        );
    }
}
