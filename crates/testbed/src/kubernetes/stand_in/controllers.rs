//! Writes the status of custom resources.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;

use super::status::{
    ControlledKind, Readiness, contains, finalizers_after_cascade, secret_data, secret_name,
};
use super::{FIELD_MANAGER, Settings};

/// A kind as its custom resource definition serves it.
#[derive(Clone)]
struct Served {
    kind: ControlledKind,
    resource: ApiResource,
    /// Whether its status is written through a resource of its own.
    has_status_resource: bool,
}

/// Waits for the custom resource definitions of the controlled kinds, and writes the status of
/// their objects, for ever.
pub(super) async fn run(client: Client, settings: watch::Receiver<Settings>) {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut definitions = watcher(definitions, watcher::Config::default())
        .default_backoff()
        .applied_objects()
        .boxed();
    let mut attended = BTreeSet::new();
    let mut controllers = tokio::task::JoinSet::new();
    loop {
        // The watcher repeats what fails.
        let Ok(Some(definition)) = definitions.try_next().await else {
            continue;
        };
        let Some(served) = Served::from_definition(&definition) else {
            continue;
        };
        if attended.insert(served.kind) {
            controllers.spawn(attend(client.clone(), served, settings.clone()));
        }
    }
}

impl Served {
    /// Returns the kind of an established definition, if it is a controlled one.
    fn from_definition(definition: &CustomResourceDefinition) -> Option<Self> {
        let spec = &definition.spec;
        let kind = ControlledKind::find(&spec.group, &spec.names.kind)?;
        let mut conditions = definition
            .status
            .iter()
            .flat_map(|status| &status.conditions)
            .flatten();
        conditions
            .find(|condition| condition.type_ == "Established" && condition.status == "True")?;
        let version = spec.versions.iter().find(|version| version.storage)?;
        let identity = GroupVersionKind::gvk(&spec.group, &version.name, &spec.names.kind);
        let subresources = version.subresources.as_ref();
        Some(Self {
            kind,
            resource: ApiResource::from_gvk_with_plural(&identity, &spec.names.plural),
            has_status_resource: subresources.is_some_and(|present| present.status.is_some()),
        })
    }
}

/// Writes the status of every object of a kind, for ever.
async fn attend(client: Client, served: Served, mut settings: watch::Receiver<Settings>) {
    loop {
        settings.borrow_and_update();
        let all: Api<DynamicObject> = Api::all_with(client.clone(), &served.resource);
        let mut objects = watcher(all, watcher::Config::default())
            .default_backoff()
            .applied_objects()
            .boxed();
        loop {
            tokio::select! {
                // What tests set applies to present objects too, so all of them are listed again.
                changed = settings.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                object = objects.next() => {
                    // The watcher repeats what fails.
                    let Some(Ok(object)) = object else { continue };
                    let readiness = settings.borrow().readiness.get(&served.kind).cloned();
                    let readiness = readiness.unwrap_or_default();
                    // After a conflict or a deletion, the watcher reports the object again or not at all.
                    let _ = write_status(&client, &served, &readiness, &object).await;
                }
            }
        }
    }
}

async fn write_status(
    client: &Client,
    served: &Served,
    readiness: &Readiness,
    object: &DynamicObject,
) -> kube::Result<()> {
    let (Some(namespace), name) = (object.namespace(), object.name_any()) else {
        return Ok(());
    };
    let now = OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .unwrap_or_default();
    let text = serde_json::to_value(object).map_err(kube::Error::SerdeError)?;
    let Some(status) = served.kind.status(readiness, &text, &now) else {
        return Ok(());
    };
    let api: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), &namespace, &served.resource);
    if served.kind == ControlledKind::Application
        && let Some(finalizers) = finalizers_after_cascade(&text)
    {
        let patch = json!({ "metadata": { "finalizers": finalizers } });
        let patch = Patch::Merge(&patch);
        return api
            .patch(&name, &PatchParams::default(), &patch)
            .await
            .map(drop);
    }
    if contains(text.get("status").unwrap_or(&Value::Null), &status) {
        return Ok(());
    }
    if served.kind == ControlledKind::ExternalSecret && *readiness == Readiness::Ready {
        write_secret(client, &namespace, &text).await?;
    }
    let (params, patch) = (PatchParams::default(), json!({ "status": status }));
    let patch = Patch::Merge(&patch);
    if served.has_status_resource {
        api.patch_status(&name, &params, &patch).await?;
    } else {
        api.patch(&name, &params, &patch).await?;
    }
    Ok(())
}

/// Writes the Secret of an `ExternalSecret`, whose owner it becomes.
async fn write_secret(client: &Client, namespace: &str, external: &Value) -> kube::Result<()> {
    let name = secret_name(external);
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "ownerReferences": [{
            "apiVersion": external.get("apiVersion"),
            "kind": external.get("kind"),
            "name": external.pointer("/metadata/name"),
            "uid": external.pointer("/metadata/uid"),
            "controller": true,
            "blockOwnerDeletion": true,
        }] },
        "stringData": secret_data(external),
    });
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    api.patch(name, &params, &Patch::Apply(&secret)).await?;
    Ok(())
}
