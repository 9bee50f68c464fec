//! Creates the `AppProject` that Argo CD itself creates when it starts.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::api::{Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use super::FIELD_MANAGER;

/// The label of the controller's `StatefulSet`.
const CONTROLLER: &str = "app.kubernetes.io/name=argocd-application-controller";

/// Creates the project `default` once beside each controller of Argo CD, for ever.
pub(super) async fn run(client: Client) {
    let mut started = BTreeSet::new();
    let all: Api<StatefulSet> = Api::all(client.clone());
    let mut sets = watcher(all, watcher::Config::default().labels(CONTROLLER))
        .default_backoff()
        .applied_objects()
        .boxed();
    while let Some(set) = sets.next().await {
        // The watcher repeats what fails.
        let Ok(set) = set else { continue };
        let is_ready = set.status.as_ref().and_then(|status| status.ready_replicas);
        if is_ready.unwrap_or_default() > 0
            && set.metadata.deletion_timestamp.is_none()
            && let (Some(namespace), Some(uid)) = (set.namespace(), set.uid())
            && !started.contains(&uid)
            // After a failure, the watcher reports the set again when it changes.
            && create_project(&client, &namespace).await.is_ok()
        {
            started.insert(uid);
        }
    }
}

async fn create_project(client: &Client, namespace: &str) -> kube::Result<()> {
    let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "AppProject");
    let resource = ApiResource::from_gvk_with_plural(&kind, "appprojects");
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": { "name": "default" },
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{ "server": "*", "namespace": "*" }],
            "clusterResourceWhitelist": [{ "group": "*", "kind": "*" }],
        },
    });
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let params = PatchParams::apply(FIELD_MANAGER);
    api.patch("default", &params, &Patch::Apply(&project))
        .await?;
    Ok(())
}
