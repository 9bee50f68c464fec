//! The services that answer webhooks.

use serde_json::Value;

use crate::object::Object;

/// A service of the cluster.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct ServiceRef {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// Returns the services behind the webhooks of a configuration; none if the object is no such configuration.
///
/// Those that convert objects of a definition are left out: the workload that answers comes after the
/// definition.
pub(crate) fn webhook_services(object: &Object) -> Vec<ServiceRef> {
    if !object
        .reference()
        .kind
        .kind
        .ends_with("WebhookConfiguration")
    {
        return Vec::new();
    }
    let clients = object.list("/webhooks").iter();
    let clients = clients.map(|webhook| webhook.get("clientConfig"));
    let services = clients.filter_map(|client| {
        let service = client?.get("service")?;
        let text = |field| {
            service
                .get(field)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        Some(ServiceRef {
            namespace: text("namespace")?,
            name: text("name")?,
        })
    });
    let mut services: Vec<ServiceRef> = services.collect();
    services.sort();
    services.dedup();
    services
}

/// Returns whether one of the `EndpointSlice`s of a service has an endpoint that is ready.
pub(crate) fn has_ready_endpoint(slices: &[Object]) -> bool {
    let mut endpoints = slices.iter().flat_map(|slice| slice.list("/endpoints"));
    // An endpoint of which nothing is known counts as ready, by the definition of the field.
    endpoints.any(|endpoint| {
        let ready = endpoint
            .pointer("/conditions/ready")
            .and_then(Value::as_bool);
        ready.unwrap_or(true)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(kind: &str, rest: Value) -> Object {
        let mut json = rest;
        json["apiVersion"] = "v1".into();
        json["kind"] = kind.into();
        json["metadata"] = json!({"name": "a"});
        Object::new(json).unwrap()
    }

    #[test]
    fn each_service_behind_webhooks_is_named_once() {
        let service = json!({"clientConfig": {"service": {"namespace": "shop", "name": "hooks"}}});
        let url = json!({"clientConfig": {"url": "https://example.com"}});
        let webhooks = json!({"webhooks": [service, url, service]});
        let shop = ServiceRef {
            namespace: "shop".to_owned(),
            name: "hooks".to_owned(),
        };
        let services = |kind, rest| webhook_services(&object(kind, rest));
        let configured = services("ValidatingWebhookConfiguration", webhooks.clone());
        assert_eq!(configured, std::slice::from_ref(&shop));
        assert_eq!(services("Deployment", webhooks), []);
    }

    #[test]
    fn a_service_answers_when_one_of_its_endpoints_is_ready() {
        let slice = |ready| {
            object(
                "EndpointSlice",
                json!({"endpoints": [{"conditions": {"ready": ready}}]}),
            )
        };
        assert!(!has_ready_endpoint(&[]));
        assert!(!has_ready_endpoint(&[slice(json!(false))]));
        assert!(has_ready_endpoint(&[
            slice(json!(false)),
            slice(json!(true))
        ]));
        assert!(has_ready_endpoint(&[slice(json!(null))]));
    }
}
